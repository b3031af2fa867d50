//! The command line has no network code: its dependency tree may hold no crate that opens a connection.

use crate::shell::{Result, none_of, output};

/// Crates that bring connections, transport security or an asynchronous runtime with them.
const BANNED: [&str; 20] = [
    "async-std",
    "attohttpc",
    "curl",
    "curl-sys",
    "h2",
    "hyper",
    "isahc",
    "kube",
    "kube-client",
    "mio",
    "native-tls",
    "openssl",
    "openssl-sys",
    "quinn",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
    "tungstenite",
    "ureq",
];

/// Looks through everything that can be linked into `plomb`, with all features.
pub(crate) fn check() -> Result {
    let tree = ["cargo", "tree", "--package", "plomb", "--edges", "normal,build", "--prefix", "none", "--all-features"];
    none_of(banned(&output(&tree)?))
}

fn banned(tree: &str) -> Vec<String> {
    let mut found: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    found.retain(|name| BANNED.contains(name));
    found.sort_unstable();
    found.dedup();
    found.iter().map(|name| format!("plomb depends on {name}: the command line has no network code")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_crate_is_seen_once() {
        assert_eq!(
            banned("plomb v0.1.0 (/w)\nage v0.12.1\nhyper v1.2.0\nhyper v1.2.0 (*)\nhyperfine v1.0.0\n").len(),
            1
        );
    }
}
