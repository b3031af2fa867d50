//! Against the real age and sops: what we wrap they open, what they wrap we open, for every kind of key. The programs
//! are named by `PLOMB_AGE`, `PLOMB_AGE_KEYGEN` and `PLOMB_SOPS`; without them these tests say that they were skipped.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::disallowed_methods, reason = "tests start the real programs and give them files")]

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use keys::{Access, Identity, generate_hybrid, generate_x25519, parse_identity, parse_key_file, parse_recipient};
use secret::{OsRandom, Random, SecretBytes};

/// A peer's path, or a word about the test that does not run.
fn peer(variable: &str, test: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        skipped(test, &format!("{variable} is not set"));
    }
    path
}

/// Straight to the terminal: the test runner hides what passing tests print.
fn skipped(test: &str, why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {test}: {why}\n").as_bytes()).unwrap();
}

fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    output.stdout
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn data_key(len: usize) -> SecretBytes {
    let mut bytes = vec![0; len];
    OsRandom::new().fill(&mut bytes);
    SecretBytes::new(bytes)
}

/// Both directions for one key pair whose private half is in `file`.
fn both_ways(age: &Path, file: &Path, recipient: &str, identity: &dyn Identity) {
    for len in [32, 33] {
        let key = data_key(len);
        let ours = parse_recipient(recipient).unwrap().wrap(&key).unwrap();
        let opened = run(Command::new(age).arg("-d").arg("-i").arg(file), ours.as_bytes());
        assert!(opened == key.expose(), "age opened something else for {}", identity.kind());
        let theirs = run(Command::new(age).args(["-a", "-r", recipient]), key.expose());
        let opened = identity.unwrap(std::str::from_utf8(&theirs).unwrap()).expect("made for us");
        assert!(opened.unwrap() == key, "we opened something else for {}", identity.kind());
    }
}

#[test]
fn keys_of_ours_work_in_age() {
    let test = "keys_of_ours_work_in_age";
    let (Some(age), Some(keygen)) = (peer("PLOMB_AGE", test), peer("PLOMB_AGE_KEYGEN", test)) else { return };
    let folder = scratch(test);
    for round in 0..3 {
        for (text, recipient) in [generate_x25519(&mut OsRandom::new()), generate_hybrid(&mut OsRandom::new())] {
            let file = folder.join(format!("key-{round}"));
            fs::write(&file, text.expose()).unwrap();
            let public = run(Command::new(&keygen).arg("-y").arg(&file), b"");
            assert_eq!(String::from_utf8(public).unwrap().trim(), recipient);
            both_ways(&age, &file, &recipient, parse_identity(text.expose(), &Access::none()).unwrap().as_ref());
        }
    }
}

#[test]
fn keys_of_age_work_here() {
    let test = "keys_of_age_work_here";
    let (Some(age), Some(keygen)) = (peer("PLOMB_AGE", test), peer("PLOMB_AGE_KEYGEN", test)) else { return };
    let file = scratch(test).join("key");
    for kind in [None, Some("-pq")] {
        let text = run(Command::new(&keygen).args(kind), b"");
        fs::write(&file, &text).unwrap();
        let identity = parse_key_file(&text, "key", &Access::none()).unwrap().remove(0);
        let recipient = identity.recipient().unwrap();
        assert!(String::from_utf8(text).unwrap().contains(&format!("# public key: {recipient}\n")));
        both_ways(&age, &file, &recipient, identity.as_ref());
    }
}

#[cfg(feature = "ssh")]
#[test]
fn ssh_keys_work_both_ways() {
    let test = "ssh_keys_work_both_ways";
    let Some(age) = peer("PLOMB_AGE", test) else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/keys/identities");
    for name in ["ssh_ed25519", "ssh_rsa"] {
        let file = folder.join(name);
        let public = fs::read_to_string(file.with_extension("pub")).unwrap();
        let identity = parse_key_file(&fs::read(&file).unwrap(), name, &Access::none()).unwrap().remove(0);
        both_ways(&age, &file, public.trim(), identity.as_ref());
    }
}

/// A key file locked by age itself, through the plugin that takes the passphrase from the environment.
#[test]
fn locked_key_files_of_age_open_here() {
    struct Answer;
    impl keys::Prompt for Answer {
        fn passphrase(&self, _: &str) -> Option<secret::SecretString> {
            Some(secret::SecretString::new("open sesame".into()))
        }
    }
    let test = "locked_key_files_of_age_open_here";
    let Some(age) = peer("PLOMB_AGE", test) else { return };
    let folder = age.parent().unwrap();
    if !folder.join("age-plugin-batchpass").exists() {
        skipped(test, "age-plugin-batchpass is not beside age");
        return;
    }
    let (text, recipient) = generate_hybrid(&mut OsRandom::new());
    for armor in [None, Some("-a")] {
        let mut command = Command::new(&age);
        command.args(["-e", "-j", "batchpass"]).args(armor).env("PATH", folder);
        command.env("AGE_PASSPHRASE", "open sesame").env("AGE_PASSPHRASE_WORK_FACTOR", "12");
        let locked = run(&mut command, text.expose().as_bytes());
        let access = Access::new(std::sync::Arc::new(Answer), []);
        let identity = parse_key_file(&locked, "keys.age", &access).unwrap().remove(0);
        let key = data_key(32);
        let enc = parse_recipient(&recipient).unwrap().wrap(&key).unwrap();
        assert!(identity.unwrap(&enc).unwrap().unwrap() == key);
    }
}

/// In a file of sops, our wrapping of its data key takes the place of its own.
#[test]
fn sops_opens_a_data_key_that_we_wrapped() {
    let test = "sops_opens_a_data_key_that_we_wrapped";
    let Some(sops) = peer("PLOMB_SOPS", test) else { return };
    let folder = scratch(test);
    let sops = |arguments: &[&str], key: &str, input: &[u8]| {
        let mut command = Command::new(&sops);
        command.args(["--input-type", "json", "--output-type", "json"]).args(arguments).arg("/dev/stdin");
        command.env("HOME", &folder).env("SOPS_DISABLE_VERSION_CHECK", "1").env("SOPS_AGE_KEY", key);
        run(&mut command, input)
    };
    for (text, recipient) in [generate_x25519(&mut OsRandom::new()), generate_hybrid(&mut OsRandom::new())] {
        let file = String::from_utf8(sops(&["-e", "--age", &recipient], "", b"{\"a\": \"secret\"}")).unwrap();
        let start = file.find("-----BEGIN").unwrap();
        let enc = &file[start..start + file[start..].find('"').unwrap()];
        let identity = parse_identity(text.expose(), &Access::none()).unwrap();
        let key = identity.unwrap(&enc.replace("\\n", "\n")).unwrap().unwrap();
        assert_eq!(key.len(), 32);
        let ours = parse_recipient(&recipient).unwrap().wrap(&key).unwrap();
        let file = file.replace(enc, &ours.replace('\n', "\\n"));
        let opened = String::from_utf8(sops(&["-d"], text.expose(), file.as_bytes())).unwrap();
        assert!(opened.contains("\"a\": \"secret\""));
    }
}
