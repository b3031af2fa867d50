//! What a path says about how its text is to be read.

use bstr::{BString, ByteSlice as _};

/// How values stand in a kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A programming language: what is not quoted is an expression.
    Code,
    /// `name = value` lines, shell, prose, logs, no name at all: a bare value is a value.
    Plain,
    /// Makefiles: what stands bare behind a sign is the value, but behind a colon alone a target's prerequisites.
    Make,
}

/// What is known of a content from its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// How to read it.
    pub manner: Manner,
    /// `.env.example` and its kin: nothing in it is meant to be real.
    pub is_sample: bool,
    /// Texts for people in many languages.
    pub is_translation: bool,
    /// Digests of packages.
    pub is_lock: bool,
}

#[rustfmt::skip]
const CODE: &[&str] = &[
    "rs", "py", "pyi", "js", "ts", "jsx", "tsx", "mjs", "cjs", "go", "java", "kt", "kts", "scala", "c", "h", "cc",
    "cpp", "cxx", "hpp", "hh", "cs", "php", "rb", "swift", "m", "mm", "dart", "lua", "pl", "pm", "ex", "exs",
    "erl", "hs", "ml", "clj", "vue", "svelte", "sql", "r", "groovy", "gradle", "vb", "fs", "proto", "sol", "zig",
    "nim", "css", "scss", "less", "json", "json5", "jsonc", "ipynb", "tf", "tfvars", "hcl", "toml", "jl", "d",
    "asm", "s", "inc", "rake", "gemspec", "erb", "jsp", "cshtml", "razor", "graphql", "gql", "tcl", "v", "sv",
    "pas", "f90", "map", "nix", "bzl", "star", "rst", "html", "htm", "xhtml", "el", "lisp", "scm", "vim", "rego",
    "cue", "dhall", "jsonnet", "libsonnet", "wat", "y", "l", "g4", "pest", "lalrpop", "cmake", "mk", "am", "ac",
    "in", "snap", "stderr", "stdout",
];

#[rustfmt::skip]
const LOCKS: &[&str] = &[
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "cargo.lock", "poetry.lock",
    "pipfile.lock", "go.sum", "composer.lock", "gemfile.lock", "podfile.lock", "packages.lock.json", "flake.lock",
    "mix.lock", "pubspec.lock", "uv.lock", "bun.lock", "deno.lock", "package.resolved", ".cargo_vcs_info.json",
    ".terraform.lock.hcl", ".cargo-checksum.json", "paket.lock", "gradle.lockfile", "conan.lock",
];

impl Place {
    /// Reads the paths; what holds of every one of them holds.
    pub(crate) fn of(paths: &[BString]) -> Self {
        let all =
            |test: fn(&[u8]) -> bool| !paths.is_empty() && paths.iter().all(|path| test(&path.to_ascii_lowercase()));
        let manner = match () {
            () if all(is_make) => Manner::Make,
            () if all(is_code) => Manner::Code,
            () => Manner::Plain,
        };
        Self { manner, is_sample: all(is_sample), is_translation: all(is_translation), is_lock: all(is_lock) }
    }
}

/// The last part of a path.
pub(super) fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| matches!(byte, b'/' | b'!')).next().unwrap_or(path)
}

fn extension(path: &[u8]) -> &[u8] {
    let base = base(path);
    base.rfind_byte(b'.').map_or(&base[base.len()..], |dot| &base[dot + 1..])
}

fn is_make(path: &[u8]) -> bool {
    let base = base(path);
    matches!(extension(path), b"mk" | b"mak")
        || ["makefile", "gnumakefile", "bsdmakefile"].iter().any(|name| {
            base.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
        })
}

fn is_code(path: &[u8]) -> bool {
    let base = base(path);
    let env = base.starts_with(b".env") || base.ends_with(b".env");
    !env && (CODE.iter().any(|code| extension(path) == code.as_bytes())
        || matches!(base, b"makefile" | b"gnumakefile" | b"jenkinsfile" | b"rakefile" | b"gemfile"))
}

fn is_sample(path: &[u8]) -> bool {
    let base = base(path);
    base.split(|byte| b".-_".contains(byte)).any(|part| {
        matches!(part, b"example" | b"examples" | b"sample" | b"template" | b"dist" | b"tmpl" | b"tpl" | b"defaults")
    })
}

fn is_translation(path: &[u8]) -> bool {
    path.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| {
        matches!(part, b"i18n" | b"l10n" | b"locale" | b"locales" | b"lang" | b"langs" | b"translations" | b"lproj")
            || part.ends_with(b".lproj")
            || part.starts_with(b"messages_")
            || part.starts_with(b"messages.")
    }) || matches!(extension(path), b"po" | b"pot" | b"strings" | b"xlf" | b"xliff" | b"resx" | b"arb")
}

fn is_lock(path: &[u8]) -> bool {
    LOCKS.iter().any(|lock| base(path) == lock.as_bytes())
}
