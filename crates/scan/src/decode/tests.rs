//! What is decoded, what is left, and that nothing can go wrong.

use std::io::Write;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::spare::Spare;
use super::{Layer, blocks};

/// Decodes the whole of a text.
fn layer(text: &[u8]) -> Option<Layer> {
    super::layer(text, std::slice::from_ref(&(0..text.len())), &[], &Spare::default())
}

const SECRET: &str = "token = \"Zq7-canary_Wp2/xK9+\"; user=admin";

/// The text after all passes.
fn decoded(text: &[u8], passes: usize) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..passes {
        let Some(next) = layer(&text) else { break };
        text = next.text;
    }
    text
}

fn kinds(text: &[u8]) -> Vec<&'static str> {
    layer(text).map(|layer| layer.segments.iter().map(|segment| segment.kind).collect()).unwrap_or_default()
}

#[track_caller]
fn reveals(text: &str, passes: usize, secret: &str) {
    let all = decoded(text.as_bytes(), passes);
    assert!(String::from_utf8_lossy(&all).contains(secret), "{text}\n{}", String::from_utf8_lossy(&all));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn wrapped(text: &str, width: usize, between: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    lines.join(between)
}

#[test]
fn every_encoding_of_a_text_is_found() {
    let s = SECRET.as_bytes();
    let percent: String = s.iter().map(|byte| format!("%{byte:02X}")).collect();
    let units: String = SECRET.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let points: Vec<String> = SECRET.chars().map(|c| format!("U+{:04X}", u32::from(c))).collect();
    let octal: String = s.iter().map(|byte| format!("\\{byte:03o}")).collect();
    let bytes: String = s.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let entities: String = s.iter().map(|byte| format!("&#{byte};")).collect();
    let hex_entities: String = s.iter().map(|byte| format!("&#x{byte:X};")).collect();
    let wide: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked: Vec<u8> = [b"\xff\xfe".as_slice(), &wide].concat();
    for (text, kind) in [
        (percent, "percent"),
        (units.clone(), "unicode"),
        (units.replace('\\', "\\\\"), "unicode"),
        (units.to_uppercase().replace("\\U", "\\u"), "unicode"),
        (points.join(" "), "unicode"),
        (points.join("\n"), "unicode"),
        (octal, "escape"),
        (bytes, "escape"),
        (entities, "html"),
        (hex_entities, "html"),
        (hex(s), "hex"),
        (hex(s).to_uppercase(), "hex"),
        (STANDARD.encode(s), "base64"),
        (STANDARD_NO_PAD.encode(s), "base64"),
        (URL_SAFE.encode(s), "base64"),
        (URL_SAFE_NO_PAD.encode(s), "base64"),
        (STANDARD.encode(wide), "base64"),
        (STANDARD.encode(marked), "base64"),
        (STANDARD.encode(gzip(s)), "base64"),
    ] {
        for (before, after) in [("", ""), ("x = \"", "\"\n"), ("a: ", "\nb: c\n"), ("é(", ")é")] {
            let whole = format!("{before}{text}{after}");
            assert_eq!(kinds(whole.as_bytes()), [kind], "{whole}");
            assert_eq!(decoded(whole.as_bytes(), 1), format!("{before}{SECRET}{after}").into_bytes(), "{whole}");
        }
    }
}

#[test]
fn text_beyond_ascii_is_text() {
    let text = "pässword=hünter2-Größe-日本";
    for encoded in [STANDARD.encode(text), hex(text.as_bytes()), text.bytes().map(|b| format!("%{b:02x}")).collect()] {
        reveals(&encoded, 1, text);
    }
    reveals("caf\\u00e9 \\ud83d\\ude00", 1, "café 😀");
    reveals("abc\\u{1F600}\\U0001F600", 1, "abc😀😀");
    reveals("abc\\ud83d!", 1, "abc\u{fffd}!");
}

#[test]
fn base64_may_be_glued_to_a_word() {
    let encoded = STANDARD.encode("the-password-is-Zq7Wp2xK9vT4");
    for glue in ["x", "key", "data", "Basic_", "k8s-secret-", "token/"] {
        reveals(&format!("{glue}{encoded}"), 1, "password-is-Zq7Wp2xK9vT4");
        reveals(&format!("{glue}{}", encoded.trim_end_matches('=')), 1, "password-is-Zq7Wp2xK9vT4");
    }
}

#[test]
fn wrapped_base64_is_one_text_and_each_line_keeps_its_place() {
    let content: String = (0..40).map(|number| format!("line {number}: value={}\n", number * 7919)).collect();
    let encoded = STANDARD.encode(&content);
    for width in [60, 64, 76, 77, 50] {
        for between in ["\n", "\r\n", "\n    "] {
            let text = format!("key: |\n    {}\nnext: 1\n", wrapped(&encoded, width, between));
            let layer = layer(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(&layer.text), format!("key: |\n    {content}\nnext: 1\n"));
            assert_eq!(layer.segments.len(), encoded.len().div_ceil(width));
            for segment in &layer.segments {
                let lines = text.as_bytes()[segment.original.clone()].iter().filter(|byte| **byte == b'\n').count();
                assert!(lines <= 1);
            }
        }
    }
    reveals(&format!("\"{}\"", wrapped(&encoded, 64, "\\n")), 2, "line 39: value=308841");
    let helm = STANDARD.encode(STANDARD.encode(gzip(content.as_bytes())));
    reveals(&format!("release: {helm}\n"), 2, &content);
    reveals(&wrapped(&STANDARD.encode(gzip(content.as_bytes())), 76, "\n"), 1, &content);
}

#[test]
fn a_list_of_encoded_texts_is_no_wrapped_text() {
    let items: Vec<_> =
        (10..20).map(|number| STANDARD.encode(format!("the secret number {number} is this one"))).collect();
    let all = decoded(items.join("\n").as_bytes(), 1);
    assert!(String::from_utf8_lossy(&all).contains("number 10 is this one\nthe secret number 11"));
}

#[test]
fn nested_encodings_come_apart_pass_by_pass() {
    let inner = STANDARD.encode(SECRET);
    reveals(&STANDARD.encode(&inner), 2, SECRET);
    reveals(&inner.replace('/', "\\/").replace('=', "%3D"), 2, SECRET);
    reveals(&hex(inner.as_bytes()), 2, SECRET);
    let padded = STANDARD.encode("exactly-this-secret-1").replace('=', "%3D");
    let first = layer(format!("{padded}%3D").as_bytes()).unwrap();
    assert!(first.segments.iter().all(|segment| segment.kind == "percent"), "the lower waits for the higher");
    let json = "{\\\"auths\\\": {\\\"ghcr.io\\\": {\\\"password\\\": \\\"hunter2-hunter2\\\"}}}";
    reveals(json, 1, "{\"password\": \"hunter2-hunter2\"}");
    reveals("\"\\nZq7canaryWp2xK9v\"", 1, "\nZq7canaryWp2xK9v");
    reveals("<a b=&quot;Zq7canary&quot;>", 1, "\"Zq7canary\"");
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "",
        "fn getApplicationContextFromServletRequest() { some_very_long_identifier_name(); }",
        "3b18e512dba79e4c8300dd08aeb37f8e728b8dad 6dcd4ce23d88e2ee9568ba546c007c63d9131c1b",
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "printf(\"%d %s %02x\\n\", a, b); re = /\\d+\\w\\s/; C:\\Users\\me\\Documents",
        "100% of %zz and %a; &nbsp; &copy; & so on; U+ U+12 U+12345",
        "00000000000000000000000000000000ffffffffffffffffffffffffffffffff",
        "src/main/java/com/example/application/service/UserAuthenticationServiceImpl.java",
    ] {
        assert_eq!(kinds(text.as_bytes()), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn a_bomb_is_cut() {
    let bomb = STANDARD.encode(gzip(&vec![b'a'; 50 << 20]));
    let text = [bomb.as_str(), bomb.as_str(), bomb.as_str()].join("\n");
    let layer = layer(text.as_bytes()).unwrap();
    assert!(layer.text.len() <= text.len() + super::INFLATED, "{}", layer.text.len());
    assert!(!layer.text.is_empty());
}

#[test]
fn floods_take_linear_time() {
    let valid = STANDARD.encode("abc def ".repeat(4000));
    for flood in [
        "%41".repeat(300_000),
        "%4".repeat(300_000),
        "x%41".repeat(200_000),
        "%".repeat(900_000),
        "\\".repeat(900_000),
        "\\n".repeat(300_000),
        "\\u".repeat(300_000),
        "\\u0041".repeat(100_000),
        "&".repeat(900_000),
        "&#".repeat(300_000),
        "&#65;".repeat(200_000),
        "U+".repeat(300_000),
        "U+0041 ".repeat(100_000),
        "4".repeat(900_000),
        "41".repeat(400_000),
        "A".repeat(900_000),
        "QUFB".repeat(200_000),
        format!("{}!", wrapped(&valid.repeat(20), 64, "\n")),
        wrapped(&valid.repeat(20), 41, "\n"),
        wrapped(&"QUFB".repeat(200_000), 44, "\n"),
        "=".repeat(900_000),
        "QUFBQUFBQUFBQUFBQUFB=".repeat(40_000),
    ] {
        let begun = Instant::now();
        check(flood.as_bytes());
        assert!(begun.elapsed().as_secs_f64() < 8.0, "{} took {:?}", &flood[..20], begun.elapsed());
    }
}

/// Segments are ascending, in range, and what lies between them is unchanged.
fn check(text: &[u8]) {
    let Some(Layer { text: new, segments, .. }) = layer(text) else { return };
    assert!(!segments.is_empty());
    let (mut old_at, mut new_at) = (0, 0);
    for segment in &segments {
        assert!(old_at <= segment.original.start && segment.original.start < segment.original.end);
        assert!(new_at <= segment.decoded.start && segment.decoded.start <= segment.decoded.end);
        assert_eq!(&text[old_at..segment.original.start], &new[new_at..segment.decoded.start]);
        (old_at, new_at) = (segment.original.end, segment.decoded.end);
    }
    assert_eq!(&text[old_at..], &new[new_at..]);
}

/// Once a text is decoded, there is nothing to decode again but in the blocks round what was.
fn check_blocks(text: &[u8]) {
    let mut last = layer(text);
    for _ in 0..3 {
        let Some(Layer { text, segments, .. }) = last else { return };
        let zones = blocks::around(&text, segments.iter().map(|segment| segment.decoded.clone()));
        let [some, all] = [super::layer(&text, &zones, &[], &Spare::default()), layer(&text)];
        assert_eq!(
            some.as_ref().map(|layer| (&layer.text, &layer.segments)),
            all.as_ref().map(|layer| (&layer.text, &layer.segments))
        );
        last = all;
    }
}

proptest! {
    #[test]
    fn any_bytes_make_a_sound_layer(parts in prop::collection::vec(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[;x%]?\n|\r\n|[A-Za-z;]{1,20}\n".prop_map(String::into_bytes),
        "[A-Za-z0-9+/=_-]{0,90}".prop_map(String::into_bytes),
        "(%[0-9A-F]{2}|\\\\u00[4-7][0-9]|&#[0-9]{2};|\\\\x4[0-9]|\\\\n|U\\+004[0-9] ?|[ \n]){0,12}".prop_map(String::into_bytes),
        prop::collection::vec(0x20_u8..0x7f, 0..60).prop_map(|bytes| STANDARD.encode(bytes).into_bytes()),
        prop::collection::vec(0x20_u8..0x7f, 60..300).prop_map(|bytes| wrapped(&STANDARD.encode(bytes), 64, "\n").into_bytes()),
    ], 0..14)) {
        check(&parts.concat());
        check_blocks(&parts.concat());
    }

    #[test]
    fn what_was_encoded_comes_back(bytes in prop::collection::vec(0x20_u8..0x7f, 24..200)) {
        let back = |encoded: String| decoded(format!("a \"{encoded}\" b").as_bytes(), 1);
        let whole = [b"a \"".as_slice(), &bytes, b"\" b"].concat();
        prop_assert_eq!(back(STANDARD.encode(&bytes)), whole.clone());
        prop_assert_eq!(back(URL_SAFE.encode(&bytes)), whole.clone());
        prop_assert_eq!(back(hex(&bytes)), whole);
    }
}

#[test]
fn base64_with_one_letter_in_percent_is_whole_after_two_passes() {
    let encoded = STANDARD.encode(SECRET);
    for at in [1, 8, 17, encoded.len() - 5] {
        let (head, tail) = encoded.split_at(at);
        for sign in ["%", "\\x"] {
            reveals(&format!("v = {head}{sign}{:02X}{}", tail.as_bytes()[0], &tail[1..]), 2, SECRET);
        }
    }
}
