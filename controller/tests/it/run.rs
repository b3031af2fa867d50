//! Settings of `run` that no controller should start with.

use std::process::Command;

#[test]
fn settings_that_mean_nothing_are_refused_at_once() {
    let cases: [(&[&str], i32, &str); 12] = [
        (&["--log-level=silly"], 64, "--log-level"),
        (&["--namespace=Bad Name"], 64, "--namespace"),
        (&["--name=Bad Name!"], 64, "--name"),
        (&["--cluster-name=../../x"], 64, "--cluster-name"),
        (&["--watch-namespace="], 64, "--watch-namespace"),
        (&["--watch-namespace=a,b"], 64, "--watch-namespace"),
        (&["--identity-name="], 64, "--identity-name"),
        (&["--key-renewal=90s"], 64, "one hour at least"),
        (&["--key-renewal=59m"], 64, "one hour at least"),
        (&["--key-renewal=1h"], 2, "not in a cluster"),
        (&["--identity=/nonexistent"], 2, "/nonexistent: cannot read the identities"),
        // All is well until there turns out to be no cluster.
        (&["--log-level=kube=debug,info", "--cluster-name=prod.eu"], 2, "not in a cluster"),
    ];
    for (args, code, said) in cases {
        let mut run = Command::new(env!("CARGO_BIN_EXE_plomb-controller"));
        let run = run.arg("run").args(args).env_clear().output().unwrap();
        let errors = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.code() == Some(code) && errors.contains(said), "{args:?}: {:?} {errors}", run.status);
    }
    let mut empty = Command::new(env!("CARGO_BIN_EXE_plomb-controller"));
    let empty = empty.arg("run").env_clear().env("POD_NAMESPACE", "").output().unwrap();
    assert_eq!(empty.status.code(), Some(64), "{}", String::from_utf8_lossy(&empty.stderr));
}
