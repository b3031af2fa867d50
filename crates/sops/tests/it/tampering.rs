//! Changed files are refused with the right reason, and an old layout cannot be put back.

use sops::SopsError;

use crate::keys_at_hand::{Keys, seal, seal_with, text_of};

const TEXT: &str = "a: 0x1F\nb:\n  - one\n  - two\nc_unencrypted: open\n";

fn sealed(keys: &Keys) -> String {
    let text = seal(TEXT, "yaml", &keys.policy(None)).unwrap().text.into_whole();
    String::from_utf8(text.into_inner()).unwrap()
}

fn line<'t>(text: &'t str, start: &str) -> &'t str {
    text.lines().find(|line| line.trim_start().starts_with(start)).unwrap()
}

#[test]
fn changed_clear_values_break_the_mac() {
    let keys = Keys::new();
    let changed = sealed(&keys).replace("c_unencrypted: open", "c_unencrypted: shut");
    assert!(matches!(keys.open(changed.as_bytes(), "yaml"), Err(SopsError::MacMismatch)));
}

#[test]
fn a_changed_type_breaks_the_mac() {
    let keys = Keys::new();
    let text = sealed(&keys);
    let mac = line(&text, "mac: ");
    let changed = text.replace(mac, &mac.replace("type:str", "type:int"));
    assert!(matches!(keys.open(changed.as_bytes(), "yaml"), Err(SopsError::MacMismatch)));
    for (format, plain) in [("yaml", "# one\na: 1\n"), ("dotenv", "# one\nA=1\n"), ("ini", "; one\n[s]\na = 1\n")] {
        let text = seal(plain, format, &keys.policy(None)).unwrap().text.into_whole();
        let text = String::from_utf8(text.into_inner()).unwrap();
        assert!(text.contains("type:comment"), "{format}");
        let changed = text.replace("type:comment", "type:str");
        assert!(matches!(keys.open(changed.as_bytes(), format), Err(SopsError::MacMismatch)), "{format}");
    }
}

#[test]
fn a_removed_mac_is_named() {
    let keys = Keys::new();
    let text = sealed(&keys);
    let without = text.replace(&format!("{}\n", line(&text, "mac: ")), "");
    assert!(matches!(keys.open(without.as_bytes(), "yaml"), Err(SopsError::NoMac)));
}

#[test]
fn a_moved_value_is_named_with_its_place() {
    let keys = Keys::new();
    let moved = sealed(&keys).replacen("a: ENC", "z: ENC", 1);
    match keys.open(moved.as_bytes(), "yaml") {
        Err(SopsError::Value { place, .. }) => assert_eq!(place.at, Some((1, 4))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_old_layout_is_not_used() {
    let keys = Keys::new();
    let old = sealed(&keys);
    let mut plain = keys.open(old.as_bytes(), "yaml").unwrap();
    let memory = plain.take_memory();
    let metadata = plain.metadata().clone();
    let new_text = TEXT.replace("one", "three");
    let new = seal_with(&new_text, "yaml", plain.key(), metadata, memory).unwrap().text.into_whole();
    let new = String::from_utf8(new.into_inner()).unwrap();
    assert_eq!(text_of(&keys.open(new.as_bytes(), "yaml").unwrap()), new_text);
    let put_back = new.replace(line(&new, "plomb_layout: "), line(&old, "plomb_layout: "));
    let plain = keys.open(put_back.as_bytes(), "yaml").unwrap();
    assert!(plain.notices().contains(&sops::Notice::LayoutIgnored));
    assert_eq!(text_of(&plain), new_text.replace("0x1F", "31"));
}

#[test]
fn strangers_do_not_open_it() {
    let text = sealed(&Keys::new());
    assert!(matches!(Keys::new().open(text.as_bytes(), "yaml"), Err(SopsError::NoKey(_))));
}

#[test]
fn errors_and_debug_never_show_values() {
    let keys = Keys::new();
    let text = seal("k: Canary-4711\n", "yaml", &keys.policy(None)).unwrap().text.into_whole();
    let plain = keys.open(text.expose(), "yaml").unwrap();
    let broken = seal("k: Canary-4711\nn_unencrypted: &x Canary\n", "json", &keys.policy(None)).unwrap_err();
    let shown = format!("{plain:?} {:?} {broken} {broken:?}", plain.document());
    assert!(!shown.contains("Canary"), "{shown}");
}
