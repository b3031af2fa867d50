//! The files that are measured: deterministic, in the shape of real secret files.

use testkit::Dice;

/// `count` values, ten in each map.
pub(super) fn nested_yaml(count: usize) -> String {
    let mut dice = Dice::new(1);
    let mut text = String::new();
    for number in 0..count {
        if number % 10 == 0 {
            text.push_str(&format!("service_{:05}:\n", number / 10));
        }
        text.push_str(&format!("    key_{}: x{}\n", number % 10, letters(&mut dice)));
    }
    text
}

/// The same as JSON, as SOPS prints it.
pub(super) fn nested_json(count: usize) -> String {
    let mut dice = Dice::new(1);
    let mut services = Vec::new();
    for service in 0..count.div_ceil(10) {
        let keys =
            (0..10.min(count - service * 10)).map(|key| format!("\t\t\"key_{key}\": \"x{}\"", letters(&mut dice)));
        services.push(format!("\t\"service_{service:05}\": {{\n{}\n\t}}", keys.collect::<Vec<_>>().join(",\n")));
    }
    format!("{{\n{}\n}}\n", services.join(",\n"))
}

/// `count` keys side by side in one map.
pub(super) fn flat_yaml(count: usize) -> String {
    let mut dice = Dice::new(2);
    (0..count).map(|number| format!("key_{number:05}: x{}\n", letters(&mut dice))).collect()
}

/// Bytes that no format knows.
pub(super) fn binary(length: usize) -> Vec<u8> {
    let mut dice = Dice::new(3);
    (0..length / 8).flat_map(|_| dice.bits().to_le_bytes()).collect()
}

fn letters(dice: &mut Dice) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let length = 20 + dice.below(21);
    (0..length).map(|_| char::from(*dice.pick(ALPHABET))).collect()
}
