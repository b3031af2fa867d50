//! Contents are scanned with redaction, and no report of what was found may hold a secret.

use std::sync::Arc;

use bstr::BString;
use proptest::prelude::*;

use super::example::{notes, run};
use super::template::Template;
use super::{Dialect, REPORTS, Report};
use crate::content::Content;
use crate::finding::{Confidence, Finding, Origin, Severity};
use crate::fingerprint::Fingerprints;
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::scanner::{Options, Redaction, Scanner};
use crate::visitor::Lines;

fn scanner() -> Scanner {
    let rule = Rule {
        id: "word".into(),
        description: "A word.".into(),
        regex: Some(pattern::Pattern::new(r#"word ?[=:] ?"([^"]+)""#).unwrap()),
        path: None,
        secret_group: 1,
        entropy: 0.0,
        keywords: vec!["word".to_owned()],
        tags: Vec::new(),
        skip_report: false,
        required: Vec::new(),
        allowlists: Vec::new(),
        severity: Severity::High,
        confidence: Confidence::High,
        check: None,
    };
    let rules = RuleSet { rules: vec![rule], ..RuleSet::default() };
    Scanner::new(Arc::new(rules), Options { redaction: Redaction::Full, ..Options::default() })
}

fn found(content: &str, path: &str) -> Vec<Finding> {
    let scanner = scanner();
    let paths = [BString::from(path)];
    let seen = scanner.scan(&Content { bytes: content.as_bytes(), paths: &paths, first_line: 1, base: None });
    let origin = Origin { path: path.into(), ..Origin::default() };
    scanner.judge(&seen, &origin, Lines::All)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_report_holds_a_secret(
        secrets in prop::collection::vec("[A-Za-z0-9+/!]{10,60}", 1..4),
        between in "[ a-z\n\t\"é\u{1b}]{0,40}",
        twice in any::<bool>(),
    ) {
        let mut content = String::new();
        for secret in &secrets {
            content.push('\n');
            content.push_str(&between);
            content.push_str(&format!("word = \"{secret}\""));
            if twice {
                content.push_str(&format!(" {secret} // {secret}"));
            }
        }
        let findings = found(&content, "a/b.txt");
        prop_assert!(!findings.is_empty());
        let (rules, prints) = (notes(&findings), Fingerprints::default());
        let template = Template::parse(
            "{{ range . }}{{ .Match }}{{ .Secret }}{{ .Line }}{{ .Fingerprint }}{{ .ValueFingerprint }}{{ toJson . }}{{ end }}",
        ).unwrap();
        let reports = REPORTS.iter().copied().chain([&template as &dyn Report]);
        for report in reports {
            for dialect in [Dialect::Plomb, Dialect::Gitleaks] {
                let mut out = Vec::new();
                report.write(&run(&findings, &rules, &prints, dialect), &mut out).unwrap();
                let text = String::from_utf8_lossy(&out);
                for secret in &secrets {
                    let escaped = secret.replace('/', "\\/");
                    prop_assert!(!text.contains(secret.as_str()) && !text.contains(&escaped), "{}", report.name());
                }
            }
        }
    }
}
