//! How much a creation rule means by matching a path: a rule for everything does not say which files are secrets.

use bstr::ByteSlice as _;
use document::format::for_path;
use scan::Confidence;
use sops::CreationRule;

/// What kind of pattern a rule has, seen from one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// It matches ordinary files anywhere: no pattern, `.*`, `\.yaml$`.
    Wide,
    /// It matches ordinary files in this file's folder: `^clusters/prod/.*\.yaml$`.
    Folder,
    /// It picks out files by name.
    Named,
}

/// Whether a path says that its file is to be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It does.
    Yes(Confidence),
    /// Only together with what is in the file.
    Content,
}

/// Files that repositories have and nobody encrypts. A pattern that matches two of them was not made for one file.
const ORDINARY: [&str; 14] = [
    "README.md",
    "Makefile",
    ".gitignore",
    "main.go",
    "index.js",
    "package.json",
    "tsconfig.json",
    "kustomization.yaml",
    "Chart.yaml",
    "mkdocs.yml",
    "codecov.yml",
    "tox.ini",
    "pytest.ini",
    "LICENSE",
];

/// Files that steer Git or us, whatever a rule says.
const NEVER: [&str; 6] = [".sops.yaml", ".sops.yml", ".gitignore", ".gitattributes", ".gitmodules", ".gitkeep"];

/// Names of files, besides the ordinary ones, that only describe others.
const DESCRIBING: [&str; 12] = [
    "readme",
    "license",
    "licence",
    "changelog",
    "dockerfile",
    "codeowners",
    "kustomization.yml",
    "chart.lock",
    "helmfile.yaml",
    "docker-compose.yml",
    "docker-compose.yaml",
    ".editorconfig",
];

/// Ends of source code and prose: encrypted only where the pattern names the very end.
const PROSE: [&str; 28] = [
    "md", "rst", "adoc", "html", "css", "rs", "go", "py", "js", "ts", "tsx", "jsx", "java", "kt", "c", "h", "cpp",
    "cs", "rb", "php", "sh", "bash", "tf", "nix", "lock", "pub", "proto", "sql",
];

/// Words in a path that say what is inside.
const TELLING: [&str; 12] = [
    "secret",
    "secrets",
    "sops",
    "enc",
    "encrypted",
    "credential",
    "credentials",
    "creds",
    "password",
    "passwords",
    "passwd",
    "vault",
];

/// Words that say that a file only shows what the real one looks like.
const SAMPLE: [&str; 9] = ["example", "examples", "sample", "samples", "template", "tmpl", "tpl", "dist", "schema"];

/// The reach of `rule`, which matches `path` (as the rule sees it).
pub(crate) fn reach(rule: &CreationRule, path: &str) -> Reach {
    let matches_two = |folder: &str| {
        let hits = ORDINARY.iter().filter(|name| rule.matches(&format!("{folder}{name}")));
        hits.take(2).count() == 2
    };
    let folder = path.rfind('/').map_or("", |at| &path[..=at]);
    if rule.path_regex.is_none() || matches_two("") || matches_two("x/y/") {
        Reach::Wide
    } else if matches_two(folder) || ignores_prose_end(rule, path) {
        Reach::Folder
    } else {
        Reach::Named
    }
}

/// Whether the pattern matches source code or prose only because it does not look at the end: `secret` matches
/// `src/secrets.rs`.
fn ignores_prose_end(rule: &CreationRule, path: &str) -> bool {
    let Some((stem, end)) = path.rsplit_once('.') else { return false };
    PROSE.contains(&end) && rule.matches(&format!("{stem}.qqq"))
}

/// What the path says under a rule of this reach; `None` if the file is not meant, whatever is in it.
pub(crate) fn by_path(reach: Reach, path: &[u8]) -> Option<Asked> {
    let name = crate::rules::name_of(path).to_str_lossy().to_ascii_lowercase();
    if NEVER.contains(&name.as_str()) {
        return None;
    }
    let sample = words(&name).any(|word| SAMPLE.contains(&word));
    let structured = for_path(path).edits_in_place();
    match reach {
        Reach::Named if sample => Some(Asked::Yes(Confidence::Low)),
        Reach::Named => Some(Asked::Yes(Confidence::High)),
        _ if sample || is_describing(&name) => None,
        Reach::Folder if is_prose(&name) => None,
        Reach::Folder if is_telling(path) => Some(Asked::Yes(Confidence::High)),
        Reach::Folder => structured.then_some(Asked::Yes(Confidence::Medium)),
        Reach::Wide if is_env(&name) => Some(Asked::Yes(Confidence::Medium)),
        Reach::Wide if structured && (is_telling(name.as_bytes()) || lies_among_secrets(path)) => {
            Some(Asked::Yes(Confidence::Medium))
        }
        Reach::Wide => structured.then_some(Asked::Content),
    }
}

fn is_describing(name: &str) -> bool {
    ORDINARY.iter().any(|ordinary| ordinary.eq_ignore_ascii_case(name))
        || DESCRIBING.contains(&name)
        || name.split('.').next().is_some_and(|stem| !stem.is_empty() && DESCRIBING.contains(&stem))
}

fn is_prose(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| PROSE.contains(&end))
}

/// `.env`, `.env.production`, `prod.env`.
fn is_env(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.") || name.ends_with(".env")
}

/// Whether a word of the path, or `secret` as a part of one, says that secrets are inside.
fn is_telling(path: &[u8]) -> bool {
    let path = path.to_str_lossy().to_ascii_lowercase();
    // Tools of these names hold none themselves.
    let path = path.replace("external-secret", "").replace("sealed-secret", "");
    words(&path).any(|word| TELLING.contains(&word) || word.contains("secret"))
}

/// Whether a folder on the way is called `secrets`.
fn lies_among_secrets(path: &[u8]) -> bool {
    crate::rules::folder_of(path).split(|byte| *byte == b'/').any(|folder| matches!(folder, b"secret" | b"secrets"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sops::Pattern;

    fn of(pattern: &str, path: &str) -> (Reach, Option<Asked>) {
        let rule = CreationRule { path_regex: Some(Pattern::new(pattern).unwrap()), ..CreationRule::default() };
        assert!(rule.matches(path), "{pattern} {path}");
        let reach = reach(&rule, path);
        (reach, by_path(reach, path.as_bytes()))
    }

    #[test]
    fn patterns_are_weighed_by_what_else_they_match() {
        let yes = |confidence| Some(Asked::Yes(confidence));
        let table = [
            (r".*\.enc\.yaml$", "a/b.enc.yaml", Reach::Named, yes(Confidence::High)),
            (r".*.secret.yaml$", "apps/db.secret.yaml", Reach::Named, yes(Confidence::High)),
            (r"^secrets/.*", "secrets/db.yaml", Reach::Folder, yes(Confidence::High)),
            (r"^secrets/.*", "secrets/id_rsa", Reach::Folder, yes(Confidence::High)),
            (r"^secrets/.*", "secrets/README.md", Reach::Folder, None),
            (r"^secrets/.*", "secrets/kustomization.yaml", Reach::Folder, None),
            (r"clusters/prod/.*\.yaml$", "clusters/prod/db.yaml", Reach::Folder, yes(Confidence::Medium)),
            (r"prod/.*", "prod/run.sh", Reach::Folder, None),
            (r"prod/.*", "prod/logo.png", Reach::Folder, None),
            (r".*", "main.go", Reach::Wide, None),
            (r".*", "README.md", Reach::Wide, None),
            (r"\.ya?ml$", "apps/deployment.yaml", Reach::Wide, Some(Asked::Content)),
            (r"\.ya?ml$", "apps/secret.yaml", Reach::Wide, yes(Confidence::Medium)),
            (r"\.ya?ml$", "infra/external-secrets.yaml", Reach::Wide, Some(Asked::Content)),
            (r"", "secrets/db.yaml", Reach::Wide, yes(Confidence::Medium)),
            (r"", ".env", Reach::Wide, yes(Confidence::Medium)),
            (r"", ".env.example", Reach::Wide, None),
            (r"\.env", ".env.example", Reach::Named, yes(Confidence::Low)),
            (r"\.env", ".env.production", Reach::Named, yes(Confidence::High)),
            (r"secret", "src/secrets.rs", Reach::Folder, None),
            (r"secret", "docs/secret-handling.md", Reach::Folder, None),
            (r"README\.md$", "README.md", Reach::Named, yes(Confidence::High)),
            (r"secret.*\.sh$", "secrets.sh", Reach::Named, yes(Confidence::High)),
            (r"", "a/.gitignore", Reach::Wide, None),
        ];
        for (pattern, path, reach, asked) in table {
            assert_eq!(of(pattern, path), (reach, asked), "{pattern} {path}");
        }
    }
}
