//! Every record's examples are found, and its counter-examples are not. Token-shaped text never stands in the
//! repository: samples are recipes (`{an:30}`, `{crc}` …) that a seeded generator expands here.

use bstr::BString;
use regex_automata::meta::Regex;

use super::{RECORDS, builtin};
use crate::anchor::anchors;
use crate::detect::{DETECTORS, Detected, Look, Place, Scope};
use crate::entropy::shannon;
use crate::finding::Confidence;
use crate::rule::{Rule, Suspect, Verdict};

mod recipe;

include!(concat!(env!("OUT_DIR"), "/samples.rs"));

struct Sample {
    rule: &'static str,
    examples: &'static [&'static str],
    counter_examples: &'static [&'static str],
}

/// Whether `rule` finds anything in `text`.
fn found(rule: &Rule, text: &[u8], path: Option<&str>) -> bool {
    match &rule.regex {
        Some(regex) => by_regex(rule, regex.regex(), text),
        None => by_detectors(text, path)
            .iter()
            .any(|found| found.rule == &*rule.id && found.confidence >= rule.confidence.min(Confidence::Medium)),
    }
}

fn by_regex(rule: &Rule, regex: &Regex, text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    let keyword = rule.keywords.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some());
    keyword
        && regex.captures_iter(text).any(|groups| {
            let matched = groups.get_match().unwrap().range();
            let secret = &text[groups.get_group(rule.secret_group).unwrap().range()];
            let suspect = Suspect { secret, matched: &text[matched.clone()] };
            (rule.entropy == 0.0 || shannon(secret) > rule.entropy)
                && match rule.check.map(|check| check(&suspect)) {
                    Some(Verdict::No) => false,
                    Some(Verdict::As(confidence, _)) => confidence >= Confidence::Medium,
                    Some(Verdict::Yes) | None => true,
                }
        })
}

/// What all detectors say, lines apart for those that see lines.
pub(crate) fn by_detectors(text: &[u8], path: Option<&str>) -> Vec<Detected> {
    let paths: Vec<BString> = path.into_iter().map(BString::from).collect();
    let mut out = Vec::new();
    for detector in DETECTORS {
        let parts: Vec<(usize, &[u8])> = match detector.scope {
            Scope::Whole => vec![(0, text)],
            Scope::Line => lines(text),
        };
        for (start, bytes) in parts {
            let hits = hits(bytes, detector.keywords);
            if hits.is_empty() && !detector.keywords.is_empty() {
                continue;
            }
            let before = out.len();
            (detector.run)(&Look { bytes, paths: &paths, place: Place::of(&paths), hits: &hits }, &mut out);
            for found in &mut out[before..] {
                assert!(found.secret.start >= found.matched.start && found.secret.end <= found.matched.end);
                assert!(found.matched.end <= bytes.len());
                found.matched = found.matched.start + start..found.matched.end + start;
                found.secret = found.secret.start + start..found.secret.end + start;
            }
        }
    }
    out
}

fn lines(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut start = 0;
    text.split(|byte| *byte == b'\n')
        .map(|line| {
            let here = start;
            start += line.len() + 1;
            (here, line.strip_suffix(b"\r").unwrap_or(line))
        })
        .collect()
}

fn hits(text: &[u8], keywords: &[&str]) -> Vec<usize> {
    let lower = text.to_ascii_lowercase();
    let mut hits: Vec<usize> = keywords
        .iter()
        .flat_map(|word| memchr::memmem::find_iter(&lower, word.as_bytes()).collect::<Vec<_>>())
        .collect();
    hits.sort_unstable();
    hits.dedup();
    hits
}

#[test]
fn examples_are_found_and_counter_examples_are_not() {
    let rules = builtin().rules;
    let mut wrong = Vec::new();
    for sample in SAMPLES {
        let rule = rules.iter().find(|rule| &*rule.id == sample.rule).unwrap();
        let wanted = [(sample.examples, true), (sample.counter_examples, false)];
        for (recipes, want) in wanted {
            for (number, recipe) in recipes.iter().enumerate() {
                for round in 0..3 {
                    let (path, text) = recipe::expand(recipe, &format!("{} {number} {round}", sample.rule));
                    if found(rule, &text, path.as_deref()) != want {
                        wrong.push(format!("{}: {recipe:?} (round {round}) found: {}", sample.rule, !want));
                        break;
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_pattern_compiles() {
    let mut wrong = Vec::new();
    for record in RECORDS {
        for source in record.regex.iter().chain(record.path.iter()) {
            if let Err(error) = pattern::Pattern::new(source) {
                wrong.push(format!("{}: {error}", record.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_detector_has_its_records_and_every_record_its_detector() {
    for record in RECORDS {
        let Some(id) = record.detector else { continue };
        assert!(DETECTORS.iter().any(|detector| detector.id == id), "{}: no detector {id}", record.id);
    }
    for detector in DETECTORS {
        assert!(RECORDS.iter().any(|record| record.detector == Some(detector.id)), "{}", detector.id);
    }
}

/// A rule whose keyword is no sure part of its matches is searched over whole contents: slow.
#[test]
fn every_rule_is_anchored_at_its_keywords() {
    let rules = builtin().rules;
    let patterns = rules.iter().filter_map(|rule| Some((rule, rule.regex.as_ref()?)));
    let whole: Vec<_> = patterns
        .filter(|(rule, regex)| anchors(regex.hir(), &rule.keywords).is_empty())
        .map(|(rule, _)| &rule.id)
        .collect();
    assert!(whole.is_empty(), "{whole:?}");
}

/// Cut and bent texts: what comes out does not matter, that something comes out does.
#[test]
fn no_text_makes_a_detector_or_check_panic() {
    let rules = builtin().rules;
    for sample in SAMPLES {
        let rule = rules.iter().find(|rule| &*rule.id == sample.rule).unwrap();
        let recipes = sample.examples.iter().chain(sample.counter_examples).take(2);
        for recipe in recipes {
            let (path, text) = recipe::expand(recipe, sample.rule);
            let step = 1 + text.len() / 24;
            for cut in (0..text.len()).step_by(step) {
                found(rule, &text[..cut], path.as_deref());
                found(rule, &text[cut..], path.as_deref());
                let mut bent = text.clone();
                bent[cut] = [b'"', b'\\', 0xff, b'{', b':', b' '][cut % 6];
                found(rule, &bent, path.as_deref());
            }
        }
    }
}

/// One line of a megabyte that is nothing but names and quotes.
#[test]
fn a_hostile_line_takes_no_longer_than_its_length() {
    for unit in [
        "key='",
        "\"password\":\"",
        "token=a;",
        "http://a:b",
        "-----BEGIN PRIVATE KEY-----",
        "{\"kind\":\"Secret\",",
        "auth(\"",
        "machine x login y password z ",
    ] {
        let started = std::time::Instant::now();
        by_detectors(unit.repeat((1 << 18) / unit.len()).as_bytes(), Some("a.yaml"));
        assert!(started.elapsed().as_secs() < 20, "{unit}: {:?}", started.elapsed());
    }
}
