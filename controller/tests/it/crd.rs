//! The committed CustomResourceDefinition is the one that the types give.

use testkit::Scratch;

#[test]
fn the_committed_definition_is_not_stale() {
    let scratch = Scratch::new("crd");
    let printed = scratch.command(env!("CARGO_BIN_EXE_plomb-controller")).args(["crd"]).run();
    let path = testkit::fixtures::workspace().join("controller/deploy/crd/crd.yaml");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(printed.text() == committed, "run `plomb-controller crd > controller/deploy/crd/crd.yaml`");
}
