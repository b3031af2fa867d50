//! The rule catalogue, a page for people: what each of our own rules finds, how sure it is, and where that is documented.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use scan::Rule;
use scan::builtin::{About, about, builtin};

/// The files of `rules/`, and what their chapters are called.
const CHAPTERS: [(&str, &str); 11] = [
    ("keys", "Keys and identities"),
    ("structural", "Known by their place: addresses, headers, manifests, files with a grammar"),
    ("generic", "Known by their name: passwords and tokens of no known kind"),
    ("source-hosting", "Source hosting"),
    ("ci", "Continuous integration and deployment"),
    ("registries", "Package and image registries"),
    ("cloud", "Clouds and infrastructure"),
    ("ai", "Language models and machine learning"),
    ("messaging", "Messaging and mail"),
    ("payments", "Payments and shops"),
    ("saas", "Other services"),
];

const HEAD: &str = "\
# The rules

Made by `cargo xtask gen` from `crates/scan/rules/*.toml`; a test fails when it is stale. `plomb rules list` prints the same
for the program at hand, `plomb rules show ID` one rule with its pattern.

- **Severity**: how bad it is if the value is real. **Confidence**: how sure the rule is; `plomb scan` reports `medium` and
  above unless `--confidence` says otherwise. `varies`: each finding is judged, the word beside it is the usual case.
- **Verified**: what is proved offline beyond the pattern. A value whose checksum or structure is wrong is no finding. `–`: the
  pattern, and how random the value is.
- **Source**: where the format is documented.

**What to do with a finding that is none.** One value: `plomb allow FINGERPRINT --reason WHY`, or the comment `plomb:allow` on
its line. One rule:

```toml
# .gitleaks.toml
[extend]
useDefault = true
disabledRules = [\"RULE\"]
```

One rule in some files: `[[allowlists]]` with `targetRules = [\"RULE\"]` and `paths`. Private keys and identities that were ever
pushed cannot be allowed away: they must be replaced.
";

/// The whole page.
pub(super) fn page() -> String {
    let rules = builtin().rules;
    let mut groups: BTreeMap<&str, Vec<(&Rule, About)>> = BTreeMap::new();
    for rule in &rules {
        let about = about(&rule.id).expect("every rule of ours has a record");
        groups.entry(about.group).or_default().push((rule, about));
    }
    let mut page = format!("{HEAD}\n{} rules:\n\n", rules.len());
    for (group, title) in CHAPTERS {
        let count = groups.get(group).map_or(0, Vec::len);
        writeln!(page, "- [{title}](#{}) ({count})", anchor(title)).expect("a string takes all");
    }
    for (group, title) in CHAPTERS {
        let rows = groups.remove(group).unwrap_or_default();
        write!(page, "\n## {title}\n\n| rule | finds | severity | confidence | verified | source |\n")
            .expect("a string");
        page.push_str("|---|---|---|---|---|---|\n");
        rows.iter().for_each(|(rule, about)| page.push_str(&row(rule, about)));
    }
    assert!(groups.is_empty(), "files of rules/ without a chapter: {:?}", groups.keys());
    page
}

fn row(rule: &Rule, about: &About) -> String {
    let varies = if about.varies { ", varies" } else { "" };
    format!(
        "| `{}` | {} | {} | {}{varies} | {} | [{}]({}) |\n",
        rule.id,
        rule.description.replace('|', "\\|"),
        rule.severity.name(),
        rule.confidence.name(),
        about.verified.unwrap_or("–"),
        host(about.source),
        about.source,
    )
}

/// The name of the site.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).trim_start_matches("www.")
}

/// How renderers name a heading's place: lower case, blanks as hyphens, no other signs.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
}
