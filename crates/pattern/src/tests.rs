//! Go's dialect, row by row.

use crate::Pattern;

/// The first match, in bytes.
fn find(pattern: &str, text: &[u8]) -> Option<std::ops::Range<usize>> {
    Pattern::parse(pattern).unwrap().regex().find(text).map(|found| found.range())
}

fn found(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).unwrap().is_match(text.as_bytes())
}

#[test]
fn what_go_spells_differently_is_understood() {
    for (pattern, yes, no) in [
        (r"^data\z", "data", "data\n"),
        (r"\Qa.b\E$", "xa.b", "aXb"),
        (r"\Qa.b", "a.b", "aXb"),
        (r"^\d$", "7", "\u{0663}"),
        (r"[\w-]+x", "a-x", "\u{e9}x "),
        (r"^[]x]$", "]", "["),
        (r"^[^]]$", "x", "]"),
        (r"^[[a]$", "[", "b"),
        (r"^[^[]$", "]", "["),
        (r"[[:alpha:]]", "q", "1"),
        (r"^[[:^alpha:]]$", "1", "q"),
        (r"^[[:word:]]$", "_", "-"),
        (r"^(data|stringData)$", "stringData", "xdata"),
        (r"^[a&&b]$", "&", "c"),
        (r"^[+--z]$", ",", "y"),
        (r"^[a~~b]$", "~", "c"),
        (r"\$?{{[^}]+}}", "${{x}}", "{x}"),
        (r"^a{,3}$", "a{,3}", "aa"),
        (r"^a{2,1$", "a{2,1", "aa"),
        (r"\<a\>", "<a>", "a"),
        (r"^\012\060\07\x41\x{42}$", "\n0\x07AB", "\n0\x07AC"),
        (r"^\s$", "\x0c", "\x0b"),
        (r"^\S$", "\x0b", " "),
        (r"\bZED\b", "\u{e9}ZED\u{e9}", "aZED"),
        (r"^(?i)kis$", "\u{212a}I\u{17f}", "kix"),
        (r"^(?i)\w$", "\u{17f}", "\u{e9}"),
        (r"(?i:a)b", "Ab", "AB"),
        (r"^é{2}$", "éé", "é"),
        (r"^\x{10FFFF}$", "\u{10ffff}", "a"),
        (r"^\pL\p{Greek}\P{Greek}\p{^Greek}$", "éαbc", "éαβc"),
        (r"(?m)^b$", "a\nb\nc", "a\nbc"),
        (r"^b", "b", "a\nb"),
        (r"(?s)^a.b$", "a\nb", "a\n\nb"),
        (r"^a.b$", "aéb", "a\nb"),
        (r"^(?P<n>a)(?<m>b)$", "ab", "a"),
        (r"^(?P<n>a)(?P<n>b)$", "ab", "a"),
        (r"^\'\%\#\/\_\-$", "'%#/_-", "x"),
        (r"^(a|)+$", "aa", "b"),
    ] {
        assert!(found(pattern, yes), "{pattern} is in {yes:?}");
        assert!(!found(pattern, no), "{pattern} is not in {no:?}");
    }
}

#[test]
fn wildcards_take_code_points_or_one_invalid_byte() {
    assert_eq!(find(r"x.", "xé".as_bytes()), Some(0..3));
    assert_eq!(find(r"x..y", "xéßy".as_bytes()), Some(0..6));
    assert_eq!(find(r"x[^a]{2}", "xéßy".as_bytes()), Some(0..5));
    assert_eq!(find(r"x\W", b"x\xe9y"), Some(0..2));
    assert_eq!(find("x\u{fffd}y", b"x\xffy"), Some(0..3));
    assert_eq!(find(r"x\pLy", b"x\xe9y"), None);
    assert_eq!(find(r"(?U)x.+", b"xaa"), Some(0..2));
    assert_eq!(find(r"(?U)x.+?", b"xaa"), Some(0..3));
}

#[test]
fn a_mistake_is_named_with_its_place() {
    for (pattern, offset, why) in [
        ("a(b", 1, "not closed"),
        ("ab)", 2, "closes nothing"),
        ("a[b", 1, "not closed"),
        ("[]", 0, "not closed"),
        ("a\\", 1, "backslash"),
        ("ab\\h", 2, "unknown"),
        ("\\Z", 0, "unknown"),
        ("[a\\d-\\w]x\\1", 9, "back-ref"),
        ("[a-\\d]", 3, "unknown"),
        ("x(?=a)", 1, "look-ahead"),
        ("x(?<!a)", 1, "look-behind"),
        ("(?>a)", 0, "atomic"),
        ("(?x) a", 0, "flag x"),
        ("(?P<a-b>x)", 0, "name"),
        ("*a", 0, "nothing to repeat"),
        ("a|*", 2, "nothing to repeat"),
        ("x{2,1}", 1, "least count"),
        ("(a{1000}){1000}", 9, "too large"),
        ("((((a{99}){99}){99}){99})", 15, "too large"),
        ("\\p{Klingon}", 0, "Unicode class"),
        ("[[:nope:]]", 1, "named class"),
        ("[b-a]", 1, "upside down"),
        ("\\x{110000}", 0, "hexadecimal"),
    ] {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert_eq!(error.offset, offset, "{pattern}: {error}");
        assert!(error.reason.contains(why), "{pattern}: {error}");
        assert!(Pattern::new(pattern).is_err());
    }
}

#[test]
fn what_only_go_refuses_is_read_with_a_warning() {
    for (pattern, text) in
        [("^a{1500}$", "a".repeat(1500)), ("^(a{100}){12}$", "a".repeat(1200)), ("^a**$", "aa".into())]
    {
        let read = Pattern::parse(pattern).unwrap();
        assert_eq!(read.warnings().len(), 1, "{pattern}");
        assert!(read.is_match(text.as_bytes()), "{pattern}");
        assert!(Pattern::new(pattern).is_err(), "{pattern}");
    }
    assert!(Pattern::parse("^(a{100}){10}$").unwrap().warnings().is_empty());
}

#[test]
fn nothing_hostile_takes_the_memory_or_the_stack() {
    let deep = "(".repeat(200_000);
    assert!(Pattern::parse(&"[".repeat(200_000)).is_err());
    assert!(Pattern::parse(&"[[:".repeat(80_000)).is_err());
    assert!(Pattern::parse(&"{".repeat(200_000)).is_ok());
    assert!(Pattern::parse(&"a|".repeat(100_000)).is_ok());
    assert!(Pattern::parse(&"\\pL".repeat(50_000)).is_err());
    assert!(Pattern::parse(&deep).unwrap_err().reason.contains("nested"));
    assert!(Pattern::parse(&"a".repeat(300_000)).unwrap_err().reason.contains("longer"));
    assert!(Pattern::parse("(?i)\\pL{1000}").unwrap_err().reason.contains("too large"));
    for largest in ["[^a]{900}.{900}.{900}.{900}", r"(?i)(?:[\w-]{0,1000}x){1}", r"\pL{350}", "(a+)+$", "((a*)*)*b"] {
        let pattern = Pattern::parse(largest).unwrap();
        assert!(!pattern.is_compiled());
        assert!(!pattern.is_match(b"b2".repeat(50).as_slice()) || largest.contains("[^a]") || largest.contains('b'));
        assert!(pattern.regex().memory_usage() < 64 << 20, "{largest}: {}", pattern.regex().memory_usage());
    }
    let nested = format!("{}a{}", "(".repeat(250), ")".repeat(250));
    assert!(Pattern::parse(&nested).unwrap().is_match(b"a"));
}

#[test]
fn clones_share_what_was_compiled_and_groups_are_counted_as_go_does() {
    let pattern = Pattern::new("(a){0}(?P<name>b)(?:c)").unwrap();
    let clone = pattern.clone();
    assert!(pattern.is_match(b"bc"));
    assert!(clone.is_compiled());
    assert_eq!((pattern.group_count(), pattern.captures_len()), (2, 3));
    let mut captures = pattern.regex().create_captures();
    pattern.regex().captures(b"bc", &mut captures);
    assert_eq!(captures.get_group(2).map(|span| span.range()), Some(0..1));
    assert_eq!(captures.get_group(1), None);
}

#[test]
fn joined_patterns_leak_flags_as_gitleaks_lets_them() {
    let items = ["(?i)^true", "false", "null$"].map(|source| Pattern::new(source).unwrap());
    assert!(items[0].leaks_flags() && !items[1].leaks_flags());
    let joined = Pattern::any_of(&items).unwrap();
    assert!(joined.is_match(b"xFALSEx"));
    assert!(!joined.is_match(b"xtrue"));
    assert!(Pattern::any_of(&items[1..2]).unwrap() == items[1]);
}

#[test]
fn several_patterns_are_searched_at_once() {
    let read = |sources: &[&str]| sources.iter().map(|source| Pattern::new(source).unwrap()).collect::<Vec<_>>();
    let any = crate::AnyOf::new(&read(&["(?i)^vendor/", r"\.(lock|sum)$", "node_modules"]));
    let cases =
        [("VENDOR/a", true), ("go.sum", true), ("go.SUM", false), ("a/node_modules/b", true), ("src/vendor/x", false)];
    for (path, expected) in cases {
        assert_eq!(any.is_match(path.as_bytes()), expected, "{path}");
    }
    assert!(!crate::AnyOf::new(&[]).is_match(b"") && crate::AnyOf::new(&read(&[""])).is_match(b""));
    let large = crate::AnyOf::new(&read(&[r"\pL{300}", r"\pL{301}", "b$"]));
    assert!(large.is_match("ä".repeat(300).as_bytes()) && large.is_match(b"ab") && !large.is_match(b"ba"));
}
