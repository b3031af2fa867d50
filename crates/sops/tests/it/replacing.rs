//! One reader in the place of another: what changes, what stays, and who is never wrapped to.

use document::EmitOptions;
use keys::Access;
use secret::{OsRandom, SecretBytes};
use sops::{Encrypted, Policy, Replaced, Replacement, SopsError};

use crate::keys_at_hand::{Keys, format, seal};

const TEXTS: [(&str, &str); 5] = [
    ("yaml", "a: secret # why\nb:\n    c: 3\n"),
    ("json", "{\"a\": \"secret\"}\n"),
    ("dotenv", "A=secret\n"),
    ("ini", "[s]\na = secret\n"),
    ("binary", "secret\n"),
];

fn sealed(text: &str, name: &str, groups: Vec<Vec<String>>) -> Vec<u8> {
    let policy = Policy { groups, ..Policy::default() };
    seal(text, name, &policy).unwrap().text.into_whole().into_inner()
}

fn encrypted(text: &[u8], name: &str) -> Encrypted {
    Encrypted::new(format(name).parse_sealed(SecretBytes::new(text.to_vec())).unwrap()).unwrap()
}

fn replaced(text: &[u8], name: &str, who: &Keys, to: &[&Keys], drop: &[&Keys]) -> Result<Option<Replaced>, SopsError> {
    let names = |people: &[&Keys]| people.iter().map(|it| it.recipient.clone()).collect::<Vec<_>>();
    let (to, drop) = (names(to), names(drop));
    let file = encrypted(text, name);
    let key = file.data_key(&who.ring)?;
    let replacement = Replacement { to: &to, drop: &drop };
    file.replace_readers(&key, replacement, (&who.ring, &Access::none()), &mut OsRandom::new())
}

fn names(text: &[u8], name: &str) -> Vec<String> {
    encrypted(text, name).metadata().recipients().map(str::to_owned).collect()
}

#[test]
fn only_the_one_entry_changes_in_every_format() {
    let [ann, bob, old, new] = [Keys::new(), Keys::new(), Keys::new(), Keys::new()];
    for (name, text) in TEXTS {
        let readers = [&ann, &old, &bob].map(|it| it.recipient.clone()).to_vec();
        let before = sealed(text, name, vec![readers]);
        let done = replaced(&before, name, &ann, &[&new], &[&old]).unwrap().unwrap();
        let after = done.text.expose();
        assert_eq!((done.added, done.dropped), (1, 1), "{name}");
        assert_eq!(
            names(after, name),
            [&ann, &new, &bob].map(|it| it.recipient.clone()),
            "it takes the old one's place"
        );
        let (was, is) = (encrypted(&before, name), encrypted(after, name));
        for at in [0, 2] {
            assert_eq!(was.metadata().groups[0].age[at], is.metadata().groups[0].age[at], "{name}");
        }
        assert_eq!(
            (&was.metadata().mac, was.metadata().lastmodified),
            (&is.metadata().mac, is.metadata().lastmodified)
        );
        for reader in [&ann, &bob, &new] {
            let plain = reader.open(after, name).unwrap();
            assert_eq!(plain.text(&EmitOptions::default()).unwrap().expose_str(), Some(text), "{name}");
            let accepted = plain.accepted_recipients().unwrap();
            assert!(accepted.contains(&new.recipient) && !accepted.contains(&old.recipient));
        }
        assert!(old.open(after, name).is_err());
        assert!(replaced(after, name, &ann, &[&new], &[]).unwrap().is_none(), "a second time changes nothing");
    }
}

#[test]
fn a_name_that_was_slipped_in_is_neither_wrapped_to_nor_accepted() {
    let [ann, old, new, mallory] = [Keys::new(), Keys::new(), Keys::new(), Keys::new()];
    let readers = [&ann, &old].map(|it| it.recipient.clone()).to_vec();
    let text = String::from_utf8(sealed("a: secret\n", "yaml", vec![readers])).unwrap();
    // Ann's own entry once more, under the name of somebody else.
    let file = encrypted(text.as_bytes(), "yaml");
    let enc: String =
        file.metadata().groups[0].age[0].enc.lines().map(|line| format!("            {line}\n")).collect();
    let entry = format!("        - enc: |\n{enc}          recipient: {}\n", mallory.recipient);
    let head = text.find("    age:\n").map(|at| at + "    age:\n".len()).unwrap();
    let indent = text[head..].len() - text[head..].trim_start().len();
    let entry: String = entry.lines().map(|line| format!("{}{}\n", " ".repeat(indent), &line[8..])).collect();
    let forged = format!("{}{entry}{}", &text[..head], &text[head..]);
    assert_eq!(names(forged.as_bytes(), "yaml")[0], mallory.recipient);
    let done = replaced(forged.as_bytes(), "yaml", &ann, &[&new], &[&old]).unwrap().unwrap();
    let after = done.text.expose();
    assert!(mallory.open(after, "yaml").is_err());
    assert_eq!(
        encrypted(after, "yaml").metadata().groups[0].age[0],
        encrypted(forged.as_bytes(), "yaml").metadata().groups[0].age[0]
    );
    assert!(!new.open(after, "yaml").unwrap().accepted_recipients().unwrap().contains(&mallory.recipient));
}

#[test]
fn groups_keep_their_shares_and_nobody_is_left_alone() {
    let [ann, bob, new] = [Keys::new(), Keys::new(), Keys::new()];
    let one = |it: &Keys| vec![it.recipient.clone()];
    let text = sealed("a: secret\n", "yaml", vec![one(&ann), one(&bob)]);
    // Ann alone cannot open it at all.
    assert!(matches!(replaced(&text, "yaml", &ann, &[&new], &[&bob]), Err(SopsError::NoKey(_))));
    let single = sealed("a: secret\n", "yaml", vec![one(&ann)]);
    let gone = Replacement { to: &[], drop: &one(&ann) };
    let file = encrypted(&single, "yaml");
    let key = file.data_key(&ann.ring).unwrap();
    let refused = file.replace_readers(&key, gone, (&ann.ring, &Access::none()), &mut OsRandom::new());
    assert!(matches!(refused, Err(SopsError::NoRecipients)), "{refused:?}");
    assert!(!gone.concerns(encrypted(&sealed("a: b\n", "yaml", vec![one(&bob)]), "yaml").metadata()));
}
