//! `edit -s`: the metadata in the editor, over the built binary. The test is the editor: it takes what is shown, and
//! gives back what it made of it.

use testkit::{Outcome, Run, Scratch, fixtures};

const YAML: &str = "user: ann   # inline\npassword: 'pw'\n\nlist: [1,  two]\n# last\n";

/// A scratch world with three people; the first one's key is at hand.
struct World {
    scratch: Scratch,
    people: Vec<String>,
}

impl World {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let person = |number: usize| {
            let (identity, recipient) = keys::generate_x25519(&mut secret::OsRandom::new());
            scratch.write(&format!("../key{number}.txt"), identity.expose());
            recipient
        };
        let people = (0..3).map(person).collect();
        Self { scratch, people }
    }

    fn run_as(&self, person: usize, args: &[&str]) -> Run {
        let command = self.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(args.iter().copied());
        command.env("SOPS_AGE_KEY_FILE", self.scratch.root().join(format!("key{person}.txt")))
    }

    fn plomb(&self, args: &[&str]) -> Outcome {
        self.run_as(0, args).run()
    }

    fn encrypted(&self, name: &str, plain: &str, people: &[usize]) -> String {
        self.scratch.write(name, plain);
        let names: Vec<&str> = people.iter().map(|person| self.people[*person].as_str()).collect();
        let done = self.plomb(&["encrypt", "--age", &names.join(","), "--in-place", name]);
        assert_eq!(done.code, Some(0), "{}", done.errors());
        self.text(name)
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.scratch.path(file)).expect("it is there")
    }

    fn decrypted_by(&self, person: usize, file: &str) -> Option<String> {
        let done = self.run_as(person, &["decrypt", file]).run();
        done.ok().then(|| done.text())
    }

    /// What the editor shows.
    fn shown(&self, words: &[&str], file: &str) -> String {
        let script = self.scratch.root().join("look.sh");
        if !script.exists() {
            self.scratch.script("look.sh", "#!/bin/sh\ncp \"$1\" \"$SEEN\"; exit 1\n");
        }
        let seen = self.scratch.root().join("seen");
        let run = self.plomb_with(words, file).env("EDITOR", script).env("SEEN", &seen);
        let done = run.run();
        assert_eq!(done.code, Some(201), "{}", done.errors());
        std::fs::read_to_string(seen).expect("the editor ran")
    }

    fn plomb_with(&self, words: &[&str], file: &str) -> Run {
        self.run_as(0, &[words, &[file]].concat())
    }

    /// Leaves `text` in the editor.
    fn leave(&self, words: &[&str], file: &str, text: &str) -> Outcome {
        let script = self.scratch.root().join("leave.sh");
        if !script.exists() {
            self.scratch.script("leave.sh", "#!/bin/sh\ncat \"$LEFT\" > \"$1\"\n");
        }
        let left = self.scratch.root().join("left");
        std::fs::write(&left, text).expect("the scratch folder can be written");
        self.plomb_with(words, file).env("EDITOR", script).env("LEFT", left).run()
    }

    /// Edits with `change` under `words`.
    fn edit(&self, words: &[&str], file: &str, change: impl FnOnce(String) -> String) -> Outcome {
        let shown = self.shown(words, file);
        let text = change(shown.clone());
        assert_ne!(shown, text, "the change hits nothing");
        self.leave(words, file, &text)
    }
}

const EDIT: [&str; 2] = ["edit", "-s"];

fn block_of(text: &str) -> &str {
    &text[text.find("sops:").expect("there is a block")..]
}

fn tokens(text: &str) -> Vec<&str> {
    let values = text.split("\nsops:").next().expect("a split has a first part");
    values.split("ENC[").skip(1).collect()
}

/// Adds a line of the block's list of recipients.
fn with_recipient(text: &str, recipient: &str) -> String {
    text.replacen("    age:\n", &format!("    age:\n        - recipient: {recipient}\n"), 1)
}

#[test]
fn the_block_is_shown_as_it_stands_and_nothing_changes_by_looking() {
    let world = World::new("edit-s-look");
    let file = world.encrypted("s.yaml", YAML, &[0]);
    let shown = world.shown(&EDIT, "s.yaml");
    assert_eq!(shown, format!("{YAML}{}", block_of(&file)));
    for words in [&EDIT as &[&str], &["edit", "--show-master-keys"], &["sops", "edit", "-s"], &["sops", "-s"], &["-s"]]
    {
        let done = world.leave(words, "s.yaml", &shown);
        assert_eq!(done.code, Some(200), "{words:?} {}", done.errors());
    }
    assert_eq!(world.text("s.yaml"), file);
}

#[test]
fn a_recipient_in_the_block_gets_the_data_key() {
    for words in [&EDIT as &[&str], &["sops", "edit", "-s"]] {
        let world = World::new("edit-s-add");
        let file = world.encrypted("s.yaml", YAML, &[0]);
        let done = world.edit(words, "s.yaml", |text| with_recipient(&text.replace("ann", "bob"), &world.people[1]));
        assert_eq!(done.code, Some(0), "{}", done.errors());
        let after = world.text("s.yaml");
        for person in [0, 1] {
            assert_eq!(world.decrypted_by(person, "s.yaml").as_deref(), Some(YAML.replace("ann", "bob").as_str()));
        }
        assert_eq!(tokens(&file)[2..], tokens(&after)[2..], "an unchanged value got another ciphertext");
        let entry = &file[file.find("        - enc:").unwrap()..file.find("    lastmodified").unwrap()];
        assert!(after.contains(entry), "the entry of a reader who stays was made anew");
        // It counts as accepted now: the data key may be wrapped to it again.
        assert!(world.plomb(&["rotate", "-i", "s.yaml"]).ok());
        assert!(world.decrypted_by(1, "s.yaml").is_some());
    }
}

#[test]
fn who_leaves_the_block_leaves_the_file() {
    let world = World::new("edit-s-remove");
    let file = world.encrypted("s.yaml", YAML, &[0, 1]);
    let without = |text: String| {
        let at = text.rfind("        - enc:").expect("the second entry");
        format!("{}{}", &text[..at], &text[text.find("    lastmodified").expect("a block")..])
    };
    let done = world.edit(&EDIT, "s.yaml", without);
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert!(done.errors().contains("new data key"), "{}", done.errors());
    assert_eq!(world.decrypted_by(0, "s.yaml").as_deref(), Some(YAML));
    assert_eq!(world.decrypted_by(1, "s.yaml"), None);
    let after = world.text("s.yaml");
    assert!(tokens(&file).iter().all(|token| !after.contains(token)), "a ciphertext under the old key stayed");
}

#[test]
fn the_selector_in_the_block_says_what_is_encrypted() {
    let world = World::new("edit-s-selector");
    let file = world.encrypted("s.yaml", YAML, &[0]);
    let select = |text: String| text.replace("    unencrypted_suffix: _unencrypted\n", "    encrypted_regex: ^pass\n");
    let done = world.edit(&EDIT, "s.yaml", select);
    assert_eq!(done.code, Some(0), "{}", done.errors());
    let after = world.text("s.yaml");
    assert!(after.starts_with("user: ann   # inline\npassword: 'ENC["), "{after}");
    let password = |text: &str| text.lines().nth(1).map(str::to_owned);
    assert_eq!(password(&file), password(&after), "an unchanged value got another ciphertext");
    assert_eq!(world.decrypted_by(0, "s.yaml").as_deref(), Some(YAML));
    let again = world.edit(&EDIT, "s.yaml", |text| format!("{text}    mac_only_encrypted: true\n    future: kept\n"));
    assert_eq!(again.code, Some(0), "{}", again.errors());
    assert!(world.text("s.yaml").contains("mac_only_encrypted: true") && world.text("s.yaml").contains("future: kept"));
    assert_eq!(world.decrypted_by(0, "s.yaml").as_deref(), Some(YAML));
}

#[test]
fn a_broken_block_is_told_with_its_place_and_leaves_the_file_alone() {
    let world = World::new("edit-s-broken");
    let file = world.encrypted("s.yaml", YAML, &[0]);
    let line = |text: &str, of: &str| text.lines().position(|line| line.contains(of)).expect("it is there") + 1;
    let shown = world.shown(&EDIT, "s.yaml");
    let suffix = "unencrypted_suffix: _unencrypted";
    let stranger = with_recipient(&shown, "age1nobody");
    let entry = shown.find("\n    age:").expect("a block")..shown.find("\n    lastmodified").expect("a block");
    let pgp = format!("{shown}    pgp:\n        - fp: ABC\n          enc: x\n");
    let wrapped = shown.lines().find(|line| line.contains("YWdl")).expect("a wrapped key").trim();
    let cases = [
        (shown.replace(block_of(&shown), ""), line(&shown, "# last") + 1, "it is not there any more"),
        (shown.replace(suffix, "encrypted_regex: ^(pass"), line(&shown, suffix), "encrypted_regex"),
        (shown.replace(suffix, "encrypted_regex: ^no-such-key$"), 0, "nothing would be encrypted"),
        (shown.replace("lastmodified: \"2", "lastmodified: \"x"), line(&shown, "lastmodified"), "is not a time"),
        (shown.replace("version: 3", "version: x"), line(&shown, "version"), "X.Y.Z"),
        (shown.replace(&shown[entry], ""), line(&shown, "sops:"), "it lists no keys"),
        (shown.replace("    age:", "    age: ["), line(&shown, "- enc:"), ""),
        (stranger.clone(), line(&stranger, "age1nobody"), "recipient"),
        (shown.replace(wrapped, "YWdl"), line(&shown, "recipient:"), "its `enc`"),
        (pgp, 0, "pgp: ABC"),
    ];
    for (number, (text, line, said)) in cases.into_iter().enumerate() {
        let done = world.leave(&EDIT, "s.yaml", &text);
        let (errors, place) = (done.errors(), format!("error: s.yaml:{line}:"));
        assert!(matches!(done.code, Some(1 | 2 | 23)), "{number} {:?} {errors}", done.code);
        assert!(errors.contains(said) && (line == 0 || errors.contains(&place)), "{number} {place} {said} in {errors}");
        assert_eq!(world.text("s.yaml"), file, "{number}");
    }
}

#[test]
fn a_recipient_whom_somebody_else_wrote_is_not_given_a_new_key() {
    let world = World::new("edit-s-injected");
    let file = world.encrypted("s.yaml", YAML, &[0]);
    let other = world.encrypted("other.yaml", YAML, &[2]);
    let entry =
        |text: &str| text[text.find("        - enc:").unwrap()..text.find("    lastmodified").unwrap()].to_owned();
    let injected = file.replace("    age:\n", &format!("    age:\n{}", entry(&other)));
    world.scratch.write("s.yaml", &injected);
    let add = |text: String| with_recipient(&text, &world.people[1]);
    let done = world.edit(&EDIT, "s.yaml", add);
    assert_eq!(done.code, Some(1), "{}", done.errors());
    assert!(done.errors().contains(&world.people[2]), "{}", done.errors());
    assert_eq!(world.text("s.yaml"), injected);
    // A change that wraps nothing is let through with a word on it, as without -s.
    let done = world.edit(&EDIT, "s.yaml", |text| text.replace("ann", "bob"));
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert!(done.errors().contains("nobody accepted"), "{}", done.errors());
    let words = ["edit", "-s", "--accept-recipient", &world.people[2]];
    let done = world.edit(&words, "s.yaml", add);
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert!(world.decrypted_by(1, "s.yaml").is_some());
}

#[test]
fn every_format_shows_its_block_and_takes_it_back() {
    let world = World::new("edit-s-formats");
    let two = &world.people[1];
    let cases = [
        ("a.yaml", "a: ann".to_owned()),
        ("b.yaml", "# only\n\na: |\n  ann\n".to_owned()),
        ("c.yaml", "a: ann\n---\nb: bob\n".to_owned()),
        ("d.yaml", "{a: ann}\n".to_owned()),
        ("a.json", "{\"a\": \"ann\"}".to_owned()),
        ("b.json", "{\n  \"a\": \"ann\",\n  \"b\": [1]\n}\n".to_owned()),
        ("a.env", "A=ann".to_owned()),
        ("b.env", "# x\nA=ann\n".to_owned()),
        ("a.ini", "[s]\na = ann".to_owned()),
        ("b.ini", "top = 1\n\n[s]\na = ann\n".to_owned()),
        ("a.txt", "ann, and \"others\"".to_owned()),
    ];
    for (name, plain) in cases {
        world.encrypted(name, &plain, &[0]);
        let add = |text: String| {
            let text = text.replacen("ann", "bob", 1);
            match name.rsplit_once('.').expect("a name with an end").1 {
                "yaml" if text.starts_with('{') => {
                    text.replacen("\"age\": [", &format!("\"age\": [{{recipient: {two}}}, "), 1)
                }
                "yaml" => with_recipient(&text, two),
                "json" | "txt" => {
                    let at = text.find("\"age\"").expect("a block");
                    let at = at + text[at..].find('[').expect("a list") + 1;
                    format!("{}{{\"recipient\": \"{two}\"}},{}", &text[..at], &text[at..])
                }
                "env" => format!("{}\nsops_age__list_1__map_recipient={two}\n", text.trim_end()),
                _ => format!("{}\nage__list_1__map_recipient = {two}\n", text.trim_end()),
            }
        };
        let done = world.edit(&EDIT, name, add);
        assert_eq!(done.code, Some(0), "{name} {}", done.errors());
        let expected = plain.replacen("ann", "bob", 1);
        for person in [0, 1] {
            assert_eq!(world.decrypted_by(person, name).as_deref(), Some(expected.as_str()), "{name} {person}");
        }
    }
}

#[test]
fn a_binary_file_that_is_no_text_is_not_shown() {
    let world = World::new("edit-s-binary");
    world.scratch.write("s.bin", [0xff, 0, 1]);
    assert!(world.plomb(&["encrypt", "--age", &world.people[0], "-i", "s.bin"]).ok());
    let done = world.leave(&EDIT, "s.bin", "x");
    assert_eq!(done.code, Some(23), "{}", done.errors());
    assert!(done.errors().contains("no text"), "{}", done.errors());
}

#[test]
fn a_file_of_sops_keeps_its_style() {
    let world = World::new("edit-s-sops");
    let key = std::fs::read(e2e::subject::key_file("k1")).expect("it is part of the repository");
    world.scratch.write("../key0.txt", key);
    let folder = fixtures::folder("sops-cli/files");
    let squeezed = |text: &str| text[text.find("sops").expect("a block")..].replace(char::is_whitespace, "");
    for (name, old, new) in [
        ("enc.yaml", "user: admin", "user: bob"),
        ("enc.json", "\"admin\"", "\"bob\""),
        ("enc.env", "=admin", "=bob"),
        ("enc.ini", "= admin", "= bob"),
    ] {
        let file = std::fs::read_to_string(folder.join(name)).expect("it is part of the repository");
        world.scratch.write(name, &file);
        let shown = world.shown(&EDIT, name);
        assert_eq!(squeezed(&shown), squeezed(&file), "{name}");
        let done = world.leave(&EDIT, name, &shown.replacen(old, new, 1));
        assert_eq!(done.code, Some(0), "{name} {} {shown}", done.errors());
        assert!(!world.text(name).contains("plomb_layout"), "{name}");
        let changed = file.lines().zip(world.text(name).lines()).filter(|(before, after)| before != after).count();
        assert!(changed <= 3, "{name}: more than the value, the MAC and the time");
        assert!(world.decrypted_by(0, name).is_some_and(|text| text.contains(new)), "{name}");
    }
}

#[test]
fn a_new_file_is_shown_with_the_metadata_that_it_will_have() {
    let world = World::new("edit-s-new");
    let rule = format!("creation_rules:\n  - path_regex: \\.yaml$\n    age: {}\n", world.people[0]);
    world.scratch.write(".sops.yaml", rule);
    let shown = world.shown(&EDIT, "new.yaml");
    assert!(shown.starts_with("# Replace") && shown.contains(&world.people[0]), "{shown}");
    // Every run makes another data key, so one editor does it all.
    let editor =
        world.scratch.script("sed.sh", "#!/bin/sh\nsed \"$CHANGE\" \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n");
    let edit = |change: &str| world.plomb_with(&EDIT, "new.yaml").env("EDITOR", &editor).env("CHANGE", change).run();
    assert_eq!(edit("").code, Some(200));
    assert!(!world.scratch.path("new.yaml").exists());
    let add = format!("s/    age:/&\\n        - recipient: {}/", world.people[1]);
    let done = edit(&format!("s/hello: world/made: here/; s/_unencrypted$/_clear/; {add}"));
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert!(world.text("new.yaml").contains("unencrypted_suffix: _clear"));
    for person in [0, 1] {
        assert!(world.decrypted_by(person, "new.yaml").is_some_and(|text| text.ends_with("made: here\n")));
    }
}
