//! Configurations, usable and not.

use std::collections::HashMap;
use std::sync::Arc;

use pattern::Pattern;

use super::{Level, Remark, World, lint, read};
use crate::allowlist::{Condition, Target};
use crate::finding::{Confidence, Severity};
use crate::rule::Rule;
use crate::ruleset::RuleSet;

/// Files by name, and one rule of our own.
#[derive(Default)]
struct Files(HashMap<&'static str, &'static str>);

impl World for Files {
    fn default_rules(&mut self) -> RuleSet {
        let rule = Rule {
            id: Arc::from("own-token"),
            description: Arc::from("Own."),
            regex: Some(Pattern::new("own_([a-z]+)").unwrap()),
            path: None,
            secret_group: 1,
            entropy: 2.0,
            keywords: vec!["own_".into()],
            tags: vec!["base".into()],
            skip_report: false,
            required: Vec::new(),
            allowlists: Vec::new(),
            severity: Severity::Critical,
            confidence: Confidence::High,
            check: None,
        };
        RuleSet { rules: vec![rule], allowlists: Vec::new(), structural: true }
    }

    fn open(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(|| "there is no such file".into())
    }
}

fn rules(config: &str, files: &[(&'static str, &'static str)]) -> (RuleSet, Vec<Remark>) {
    let loaded = read(config.as_bytes(), &mut Files(files.iter().copied().collect()));
    let loaded = loaded.unwrap_or_else(|error| panic!("{config}\n{error:?}"));
    (loaded.rules, loaded.warnings)
}

fn error(config: &[u8]) -> Remark {
    read(config, &mut Files::default()).map(|_| ()).expect_err(&String::from_utf8_lossy(config))
}

/// Smallest rule for configurations that are about something else.
const RULE: &str = "[[rules]]\nid='a'\nregex='x(y)'\n";

#[test]
fn every_field_is_read() {
    let (set, warnings) = rules(
        r#"
title = "t"
minVersion = "v8.25.0"
[[rules]]
id = "two"
description = "Two."
regex = '''(?i)tok_([a-z]{2})'''
path = '''\.py$'''
secretGroup = 1
entropy = 3.5
keywords = ["TOK_", "x"]
tags = ["t1", "t2"]
skipReport = true
[[rules.required]]
id = "generic-one"
withinLines = 3
withinColumns = 7
[[rules.allowlists]]
description = "why"
condition = "&&"
commits = ["ABCDEF0123456789ABCDEF0123456789ABCDEF01"]
paths = ['''a$''', '''b$''']
regexTarget = "line"
regexes = ['''c''']
stopwords = ["Sample"]
[[rules]]
id = "generic-one"
path = '''\.p12$'''
[allowlist]
paths = ['''vendor''']
"#,
        &[],
    );
    assert_eq!(warnings, []);
    let [one, two] = set.rules.as_slice() else { panic!("{:?}", set.rules) };
    assert_eq!((&*one.id, one.confidence, one.severity), ("generic-one", Confidence::Medium, Severity::High));
    assert!(one.regex.is_none() && one.path.is_some());
    assert_eq!((&*two.description, two.secret_group, two.entropy, two.skip_report), ("Two.", 1, 3.5, true));
    assert_eq!((two.keywords.join(","), two.tags.join(",")), ("tok_,x".into(), "t1,t2".into()));
    assert_eq!((two.required[0].within_lines, two.required[0].within_columns), (Some(3), Some(7)));
    let list = &two.allowlists[0];
    assert_eq!((list.condition, list.target), (Condition::And, Target::Line));
    assert_eq!(list.commits, ["abcdef0123456789abcdef0123456789abcdef01"]);
    assert_eq!((list.stopwords.join(","), list.paths.len()), ("sample".into(), 1));
    assert!(list.paths[0].is_match(b"xb") && !list.paths[0].is_match(b"bx"));
    assert_eq!((set.allowlists.len(), set.structural), (1, false));
}

#[test]
fn typing_is_as_loose_as_gitleaks() {
    let (set, warnings) = rules(
        "TITLE='t'\n[[RULES]]\nID=5\nRegex='(a)'\nKEYWORDS='A,b'\nsecretgroup='1'\nEntropy='3.5'\ntags='x'\nskipReport='true'\n[allowlist]\n",
        &[],
    );
    let rule = &set.rules[0];
    assert_eq!((&*rule.id, rule.secret_group, rule.entropy, rule.skip_report), ("5", 1, 3.5, true));
    assert_eq!((rule.keywords.join("|"), rule.tags.join("|")), ("a|b".into(), "x".into()));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(set.allowlists.is_empty());
}

#[test]
fn mistakes_are_errors_with_a_place() {
    let long = format!("{RULE}[[rules]]\nid='b'\nregex='''\n(a{{1000}}){{1000}}'''\n");
    let cases: &[(&str, usize, usize, &str)] = &[
        ("", 1, 1, "no rule"),
        ("title='x'\n", 1, 1, "no rule"),
        ("[[rules]]\nregex='''a'''\n", 1, 1, "without `id`"),
        ("[[rules]]\nid=' '\nregex='''a'''\n", 1, 1, "without `id`"),
        ("[[rules]]\nid='a'\nregex='x'\nentropy='high'\n", 4, 9, "`entropy` must be a number"),
        ("[[rules]]\nid='a'\nregex='x'\nentropy=nan\n", 4, 9, "number"),
        ("[[rules]]\nid='a'\nregex='''(a{1000}){1000}'''\n", 3, 19, "the regex of rule `a` is no valid"),
        (&long, 7, 10, "too large"),
        ("[[rules]]\nid='a'\nregex=\"\\\\d(\"\n", 3, 11, "not closed"),
        ("[[rules]]\nid='a'\npath='x['\n", 3, 8, "the path of rule `a`"),
        ("[[rules]]\nid='a'\n", 1, 1, "neither"),
        ("[[rules]]\nid='a'\nregex='x(y)'\nsecretGroup=2\n", 4, 13, "its regex has 1"),
        ("[[rules]]\nid='a'\nregex='x'\nsecretGroup='one'\n", 4, 13, "whole number"),
        ("[[rules]]\nid='a'\nregex='x'\n[[rules.required]]\nid='b'\n", 4, 1, "requires `b`"),
        ("[[rules]]\nid='a'\nregex='x'\n[[rules.required]]\nwithinLines=3\n", 4, 1, "no `id`"),
        ("[[rules]]\nid='a'\nregex='x'\n[rules.allowlist]\nregexes=['(']\n", 5, 11, "`regexes`"),
        ("[[rules]]\nid='a'\nregex='x'\n[rules.allowlist]\ndescription='d'\n", 4, 1, "allows nothing"),
        ("[[rules]]\nid='a'\nregex='x'\n[allowlist]\nstopwords=['a']\ncondition='XOR'\n", 6, 11, "condition"),
        ("[[rules]]\nid='a'\nregex='x'\n[allowlist]\nstopwords=['a']\nregexTarget='all'\n", 6, 13, "regexTarget"),
        ("[[rules]]\nid='a'\nregex='x'\n[allowlist]\nstopwords=['a']\n[[allowlists]]\npaths=['x']\n", 4, 1, "together"),
        ("[[rules]]\nid='a'\nregex='x'\n[[allowlists]]\npaths=['x']\ntargetRules=['b']\n", 6, 14, "names `b`"),
        ("[extend]\npath='nosuch.toml'\n", 2, 6, "nosuch.toml"),
        ("[extend]\npath='x'\nuseDefault=true\n", 1, 1, "together"),
        ("extend=3\n[[rules]]\nid='a'\nregex='x'\n", 1, 8, "one table"),
        ("rules='x'\n", 1, 7, "list of tables"),
        ("rules=[1]\n", 1, 8, "each of"),
        ("a = = 1\n", 1, 5, "not valid TOML"),
        ("a = 1\na = 2\n", 2, 1, "not valid TOML"),
        ("\u{feff}[[rules]]\nid='a'\nregex='\u{e9}('\n", 3, 9, "not closed"),
    ];
    for (config, line, column, what) in cases {
        let error = error(config.as_bytes());
        assert_eq!((error.line, error.column), (*line, *column), "{config}\n{error:?}");
        assert!(error.what.contains(what), "{config}\n{error:?}");
    }
    assert_eq!(error(b"title='\xff'\n").line, 1);
    assert_eq!((error(b"a=1\n\nb='\xff'").line, error(b"a=1\n\nb='\xff'").column), (3, 4));
    assert!(error(&[b"[".repeat(100_000), b"]".repeat(100_000)].concat()).what.contains("TOML"));
}

#[test]
fn what_gitleaks_passes_over_is_a_warning() {
    for (rest, line, what, hint) in [
        ("secretGroup=-1\n", 4, "below 0", ""),
        ("entrpy=3\n", 4, "`entrpy` is unknown", "`entropy`"),
        ("[[rules]]\nid='a'\nregex='z'\n", 4, "there twice", ""),
        ("keywords=['']\n", 4, "empty keyword", ""),
        ("[allowlist]\nregexes=['''.*''']\n", 5, "allows everything", ""),
        ("[allowlist]\nregexes=['(?i)a','b']\n", 5, "after it too", "(?i:"),
        ("[allowlist]\ncommits=['abc']\n", 5, "commit", ""),
        ("[allowlist]\nstopwords=['','x']\n", 5, "empty stopword", ""),
        ("[allowlist]\npaths='a,b'\n", 5, "commas", ""),
        ("[extend]\nurl='https://x'\n", 5, "not supported", ""),
        ("[[rules]]\nid='b'\nregex='a{2000}'\n", 6, "gitleaks stops", ""),
        ("[extend]\nuseDefault=true\ndisabledRules=['own-tokn']\n", 6, "to disable", "`own-token`"),
        ("[[rules]]\nid='github-pat'\nentropy=4\n[extend]\nuseDefault=true\n", 4, "neither", ""),
        ("[extend]\nuseDefault=true\n[[allowlists]]\ntargetRules=['x-y-z']\nregexes=['q']\n", 7, "x-y-z", ""),
        ("[extend]\nuseDefault=true\n[[rules]]\nid='own-token'\nskipReport=true\n", 6, "do not count", ""),
    ] {
        let (_, warnings) = rules(&format!("{RULE}{rest}"), &[]);
        let [warning] = warnings.as_slice() else { panic!("{rest}: {warnings:?}") };
        assert_eq!((warning.line, warning.level), (line, Level::Warning), "{warning:?}");
        assert!(warning.what.contains(what), "{warning:?}");
        assert!(warning.hint.as_deref().unwrap_or_default().contains(hint), "{warning:?}");
    }
    let (_, warnings) = rules(&format!("minVersion='v9.0.0'\n{RULE}"), &[]);
    assert!(warnings[0].what.contains("newer"));
}

#[test]
fn an_extended_set_is_changed_field_by_field() {
    let (set, warnings) = rules(
        "[extend]\nuseDefault=true\n[[rules]]\nid='own-token'\nentropy=4\nkeywords=['K']\ntags=['t']\n[[rules.allowlists]]\nstopwords=['q']\n[[rules]]\nid='new'\nregex='n'\n",
        &[],
    );
    assert_eq!(warnings, []);
    let [new, own] = set.rules.as_slice() else { panic!() };
    assert_eq!((&*new.id, &*own.description, own.entropy, own.severity), ("new", "Own.", 4.0, Severity::Critical));
    assert_eq!(
        (own.keywords.join(","), own.tags.join(","), own.allowlists.len()),
        ("own_,k".into(), "base,t".into(), 1)
    );
    assert!(own.regex.is_some() && set.structural);

    let (set, _) = rules("[extend]\nuseDefault=true\ndisabledRules=['own-token']\n[[rules]]\nid='n'\nregex='n'\n", &[]);
    assert_eq!(set.rules.len(), 1);
    assert!(error(b"[extend]\nuseDefault=true\ndisabledRules=['own-token']\n").what.contains("no rule"));
}

#[test]
fn files_extend_files_two_deep_and_never_themselves() {
    let first = "[extend]\npath='b'\n[[allowlists]]\npaths=['first']\n";
    let b = "[extend]\npath='c'\n[[rules]]\nid='b'\nregex='b'\n[[allowlists]]\npaths=['second']\n[[allowlists]]\ntargetRules=['c']\nregexes=['q']\n";
    let c = "[extend]\npath='d'\n[[rules]]\nid='c'\nregex='c'\n";
    let (set, warnings) = rules(first, &[("b", b), ("c", c)]);
    assert_eq!(set.rules.iter().map(|rule| &*rule.id).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(set.rules[1].allowlists.len(), 1);
    assert!(set.allowlists[0].paths[0].is_match(b"first"));
    assert_eq!((warnings.len(), warnings[0].file.as_deref(), warnings[0].line), (1, Some("c"), 2));

    for other in [first, "[extend]\npath='a'\n"] {
        let files = [("a", first), ("b", other)];
        let error = read(first.as_bytes(), &mut Files(files.into_iter().collect())).map(|_| ()).unwrap_err();
        assert!(error.what.contains("extends itself"), "{error:?}");
    }
    let broken = [("b", "[[rules]]\nid='b'\nregex='('\n")];
    let error = read(first.as_bytes(), &mut Files(broken.into_iter().collect())).map(|_| ()).unwrap_err();
    assert_eq!((error.file.as_deref(), error.line, error.column), (Some("b"), 3, 8));
}

#[test]
fn lint_names_everything_at_once() {
    let config = b"[[rules]]\nid='a'\nregex='('\nentrpy=1\n[[rules]]\nregex='x'\n[[rules]]\nid='c'\nregex='x'\n";
    let remarks = lint(config, &mut Files::default());
    let levels: Vec<_> = remarks.iter().map(|remark| (remark.line, remark.level)).collect();
    let expected = [(1, Level::Advice), (1, Level::Advice), (3, Level::Error), (4, Level::Warning), (5, Level::Error)];
    assert_eq!(levels, expected, "{remarks:?}");
}
