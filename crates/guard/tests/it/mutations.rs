//! Damaged inputs: an answer, never a panic, and never a value in it.

use testkit::random::Dice;

use crate::repository::{Files, check, read};

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, dice.bits() as u8),
            2 if at < bytes.len() => bytes[at] = dice.bits() as u8,
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => {
                let end = (at + dice.below(60)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            _ => {
                let words: [&[u8]; 8] = [b"\n", b"sops:", b"ENC[", b"]", b": ", b"&a ", b"*a", b"\n---\n"];
                bytes.splice(at..at, dice.pick(&words).iter().copied());
            }
        }
    }
}

#[test]
fn any_bytes_get_an_answer() {
    let folder = testkit::fixtures::folder("guard");
    let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let cases: Vec<(Option<Files>, Files)> =
        names.map(|case| (read(&case.join("before")), read(&case.join("after")).unwrap())).collect();
    let mut dice = Dice::new(99);
    let started = std::time::Instant::now();
    let mut rounds = 0;
    while rounds < 400 && started.elapsed().as_secs() < 20 {
        let (before, after) = dice.pick(&cases);
        let (mut before, mut after) = (before.clone(), after.clone());
        after.values_mut().for_each(|bytes| damage(bytes, &mut dice));
        for bytes in before.iter_mut().flat_map(Files::values_mut) {
            if dice.chance(30) {
                damage(bytes, &mut dice);
            }
        }
        let found = format!("{:?}", check(before.as_ref(), &after));
        assert!(!found.contains("Tundra-Ember"), "{found}");
        rounds += 1;
    }
    assert!(rounds > 20, "{rounds}");
}
