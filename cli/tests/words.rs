//! What is told about a file besides its result: values that SOPS reads otherwise, values in clear, places of results.

#[path = "shared/world.rs"]
mod world;

use testkit::Outcome;
use world::World;

impl World {
    fn encrypt(&self, name: &str, plain: &str) -> Outcome {
        self.scratch.write(name, plain);
        self.plomb(["encrypt", "--age", &self.recipient, "--in-place", name])
    }
}

#[test]
fn digits_beyond_64_bits_are_the_same_wherever_they_are_asked_for() {
    let world = World::bare("words-digits");
    let done = world.encrypt("u.yaml", "id: 18446744073709551615\nsmall: 7\n");
    assert!(done.ok() && done.errors().contains("u.yaml:1:5: SOPS rounds an integer"), "{}", done.errors());
    let said = world.plomb(["decrypt", "--extract", "[\"id\"]", "u.yaml"]);
    assert_eq!(said.text(), "18446744073709551615");
    let said = world.plomb(["exec-env", "u.yaml", "echo $id $small"]);
    assert_eq!(said.text(), "18446744073709551615 7\n");
    for value in ["18446744073709551615", "[1, {\"a\": -123456789012345678901234}]"] {
        let done = world.run(["set", "u.yaml", "[\"new\"]", "--value-stdin"]).stdin(value).run();
        assert_eq!(done.code, Some(7), "{value}");
        assert!(done.errors().contains("would lose digits") && !done.errors().contains("1234"), "{}", done.errors());
    }
    for value in ["\"18446744073709551615\"", "1.8446744073709552e19", "9223372036854775807"] {
        let done = world.run(["set", "u.yaml", "[\"new\"]", "--value-stdin"]).stdin(value).run();
        assert!(done.ok(), "{value}: {}", done.errors());
    }
}

#[test]
fn what_sops_reads_otherwise_is_told_or_refused() {
    let world = World::bare("words-misread");
    let done = world.encrypt("l.yaml", "l:\n- x\n#\n- y\n# words\n- z\n");
    assert!(done.ok() && done.errors().contains("l.yaml:3:2: SOPS reads an empty element"), "{}", done.errors());
    assert_eq!(done.errors().matches("warning").count(), 1, "{}", done.errors());
    for (text, place) in
        [("#\n# Banner\n#\n[s]\na=1\n", "1:2"), ("[s]\n;\n# a\nx=1\n", "2:2"), ("[s]\nx=1\n#\n# b\n[t]\n", "3:2")]
    {
        let done = world.encrypt("b.ini", text);
        assert_eq!(done.code, Some(23), "{text:?}");
        assert!(done.errors().contains(&format!("b.ini:{place}: ")), "{}", done.errors());
        assert_eq!(std::fs::read_to_string(world.scratch.path("b.ini")).unwrap(), text);
    }
    for text in ["; c\n;\nx=1\n", "# a\n;\n; b\nx=1\n", "#\nx=1\n", "x=1\n#\n# end\n"] {
        assert!(world.encrypt("b.ini", text).ok(), "{text:?}");
        assert_eq!(world.plomb(["decrypt", "b.ini"]).text(), text);
    }
}

#[test]
fn a_value_that_stays_in_clear_is_worth_a_word() {
    let world = World::bare("words-clear");
    world.scratch.write("k.yaml", "data: {p: x}\n");
    let encrypt = ["encrypt", "--age", &world.recipient, "-i", "--encrypted-regex", "^data$", "k.yaml"];
    assert!(world.plomb(encrypt).ok());
    let set = |path: &str| {
        let done = world.run(["set", "k.yaml", path, "--value-stdin", "--string"]).stdin("canary-4711").run();
        assert!(done.ok() && !done.errors().contains("canary"), "{}", done.errors());
        done.errors()
    };
    assert_eq!(set("[\"data\"][\"p\"]"), "");
    let told = set("[\"stringDta\"]");
    assert!(told.contains("k.yaml: the new value stands in clear: encrypted_regex ^data$ does not cover it"), "{told}");
}

#[test]
fn results_go_where_they_are_sent() {
    let world = World::bare("words-output");
    assert!(world.encrypt("x.yaml", "a: 1\n").ok());
    for name in ["-", "/dev/stdout", "/dev/fd/1"] {
        let done = world.plomb(["decrypt", "--output", name, "x.yaml"]);
        assert_eq!((done.text(), done.code), ("a: 1\n".to_owned(), Some(0)), "{name}: {}", done.errors());
    }
    assert!(!world.scratch.path("-").exists());
    let text = std::fs::read_to_string(world.scratch.path("x.yaml")).unwrap();
    let done = world.run(["decrypt"]).stdin(text).run();
    assert!(done.errors().contains("hint: say what it is with --input-type"), "{}", done.errors());
    std::fs::hard_link(world.scratch.path("x.yaml"), world.scratch.path("y.yaml")).unwrap();
    let done = world.plomb(["rotate", "-i", "x.yaml"]);
    assert!(done.ok() && done.errors().contains("its other names (hard links) keep the old content"));
}

#[test]
fn a_configuration_that_is_not_read_is_named() {
    let world = World::bare("words-config");
    world.scratch.write(".git/HEAD", "ref: refs/heads/main\n");
    world.scratch.write(".sops.yaml", format!("creation_rules:\n- age: {}\n", world.recipient));
    world.scratch.write("sub/.git/HEAD", "ref: refs/heads/main\n");
    world.scratch.write("sub/in/x.yaml", "a: 1\n");
    let done = world.plomb(["encrypt", "sub/in/x.yaml"]);
    assert!(done.errors().contains(".sops.yaml is not read, since the search ends before it"), "{}", done.errors());
    world.scratch.write("sub/.sops.yml", "creation_rules: []\n");
    let done = world.plomb(["encrypt", "sub/in/x.yaml"]);
    assert!(done.errors().contains("sub/.sops.yml is not read: its name must be .sops.yaml"), "{}", done.errors());
}

#[test]
fn what_a_rule_drops_is_told() {
    let world = World::bare("words-rules");
    let other = keys::generate_x25519(&mut secret::OsRandom::new()).1;
    let own = &world.recipient;
    let rules = format!("creation_rules:\n- age: {other}\n  key_groups:\n  - age: [{own}]\n---\nmore: 1\n");
    world.scratch.write(".sops.yaml", &rules);
    let said = world.plomb(["config", "check", ".sops.yaml"]).text();
    assert!(said.contains("only the first of its YAML documents counts"), "{said}");
    assert!(said.contains("beside key_groups its `age` has no effect") && said.contains("gets nothing"), "{said}");
    world.scratch.write(".sops.yaml", "stores:\n  yaml:\n    indnt: 2\n");
    let done = world.plomb(["config", "check", ".sops.yaml"]);
    assert!(!done.ok() && done.errors().contains("did you mean indent?"), "{}", done.errors());
}
