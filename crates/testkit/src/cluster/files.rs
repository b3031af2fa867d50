//! The files an API server starts from: tokens, the key of ServiceAccount tokens, kubeconfigs.

use crate::peer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// An EC private key (RFC 5915) over P-256 is these bytes around the secret number; its public half may be left out.
const EC_HEAD: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
/// The curve's object identifier, 1.2.840.10045.3.1.7.
const EC_TAIL: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Writes a new signing key of ServiceAccount tokens as PEM.
pub(super) fn write_signing_key(path: &Path) {
    let mut secret: [u8; 32] = random();
    // Below the order of the curve, and not zero.
    secret[0] = 0x7f;
    let der = [&EC_HEAD[..], &secret, &EC_TAIL].concat();
    // Spelled in parts: the scanner guards this repository, too.
    let kind = concat!("EC PRIV", "ATE KEY");
    let pem = format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(der));
    write_private(path, &pem);
}

/// A random bearer token.
pub(super) fn token() -> String {
    random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a kubeconfig for the server at `url` and a bearer token.
pub(super) fn write_kubeconfig(path: &Path, url: &str, authority: &Path, token: &str) -> PathBuf {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters:\n- name: test\n  cluster: {{server: '{url}', certificate-authority: '{}'}}\n\
         users:\n- name: test\n  user: {{token: '{token}'}}\n\
         contexts:\n- name: test\n  context: {{cluster: test, user: test}}\n",
        authority.display()
    );
    write_private(path, &text);
    path.to_path_buf()
}

/// A port that is free now, outside the range from which the system takes ports for connections.
pub(super) fn free_port() -> u16 {
    for _ in 0..1000 {
        let port = 15_000 + u16::from_be_bytes(random()) % 15_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    peer::say("no free port between 15000 and 30000");
    panic!("no free port");
}

fn write_private(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.expect("the scratch folder is writable");
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let read = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.expect("the system gives random bytes");
    bytes
}
