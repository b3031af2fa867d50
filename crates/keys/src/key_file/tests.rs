//! Key files: lines, comments, errors with line numbers.

use super::*;
use crate::fixtures::{Counter, K1};

#[test]
fn lists_of_identities() {
    let (pq, pq_recipient) = crate::generate_hybrid(&mut Counter(1));
    let file = format!("# created: today\r\n# public key: x\r\n\r\n  {K1}  \r\n{}", pq.expose());
    let found = parse_key_file(file.as_bytes(), "keys.txt", &Access::none()).unwrap();
    let recipients: Vec<_> = found.iter().map(|identity| identity.recipient().unwrap()).collect();
    assert_eq!(found.iter().map(|identity| identity.kind()).collect::<Vec<_>>(), ["x25519", "hybrid"]);
    assert_eq!(recipients[1], pq_recipient);

    let variable = format!("# comment {K1}\n{K1} {}\t\n", pq.expose());
    assert_eq!(parse_key_variable(&variable, &Access::none()).unwrap().len(), 2);
    assert!(parse_key_file(variable.as_bytes(), "", &Access::none()).is_err());
}

#[test]
fn problems_name_the_line_and_never_the_content() {
    let cut = format!("{K1}\n\n{}CANARY\n", &K1[..40]);
    let cases: &[(&[u8], Option<usize>)] = &[
        (b"", None),
        (b"# only comments\n\n", None),
        (b"canary", Some(1)),
        (b"# ok\n\nage1canary\n", Some(3)),
        (b"# ok\n\xff\xfecanary\n", Some(2)),
        (cut.as_bytes(), Some(3)),
        (b"-----BEGIN CANARY-----\n", Some(1)),
        (b"AGE-PLUGIN-CANARY-1CANARY\n", Some(1)),
    ];
    for (bytes, line) in cases {
        let error = parse_key_file(bytes, "keys.txt", &Access::none()).unwrap_err();
        let shown = format!("{error} {error:?}").to_lowercase();
        assert!(!shown.contains("canary") || shown.contains("plugin"), "{shown}");
        match (line, error) {
            (None, error) => assert_eq!(error, KeyError::NoIdentity),
            #[cfg(feature = "ssh")]
            (Some(1), KeyError::Identity(_)) => {}
            (Some(line), KeyError::Line { line: found, .. }) => assert_eq!(found, *line),
            (_, error) => panic!("{error}"),
        }
    }
}
