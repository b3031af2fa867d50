//! How long wrapping and unwrapping take: `cargo run --release -p plomb-keys --example speed`.
#![expect(clippy::print_stdout, reason = "printing is this program's purpose")]

use std::time::Instant;

use keys::{Access, Keyring, generate_hybrid, generate_x25519, parse_identity, parse_recipient};
use secret::{OsRandom, SecretBytes};

const ROUNDS: u32 = 500;

fn measure(what: &str, mut work: impl FnMut()) {
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| work());
    println!("{what:<28} {:.3} ms", (start.elapsed() / ROUNDS).as_secs_f64() * 1000.0);
}

fn main() {
    let random = &mut OsRandom::new();
    for (kind, (text, recipient)) in [("x25519", generate_x25519(random)), ("hybrid", generate_hybrid(random))] {
        let key = SecretBytes::new(vec![7; 32]);
        measure(&format!("{kind}: parse identity"), || drop(parse_identity(text.expose(), &Access::none())));
        measure(&format!("{kind}: parse recipient"), || drop(parse_recipient(&recipient)));
        let to = parse_recipient(&recipient).expect("just generated");
        measure(&format!("{kind}: wrap"), || drop(to.wrap(&key)));
        let enc = to.wrap(&key).expect("just generated");
        let mut ring = Keyring::new();
        ring.add(parse_identity(text.expose(), &Access::none()).expect("just generated"), "here");
        measure(&format!("{kind}: unwrap"), || drop(ring.unwrap(&enc)));
        let mut other = Keyring::new();
        other.add(parse_identity(generate_x25519(random).0.expose(), &Access::none()).expect("just generated"), "");
        measure(&format!("{kind}: not mine (x25519)"), || drop(other.unwrap(&enc)));
    }
}
