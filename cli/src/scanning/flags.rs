//! The flags of every scan: gitleaks' own, and what we add. `plomb scan` and the gitleaks drop-in share them.

use std::path::PathBuf;

use clap::ValueEnum;
use scan::{Confidence, Redaction};

/// Flags that gitleaks has, with its names and meanings.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Flags {
    /// Findings of this older report are known and not reported again
    #[arg(short, long, value_name = "FILE")]
    pub(crate) baseline_path: Option<PathBuf>,
    /// Exit with this code if something was found
    #[arg(long, value_name = "CODE", default_value_t = 1, hide_default_value = true)]
    pub(crate) exit_code: u8,
    /// Write the report to FILE; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) report_path: Option<PathBuf>,
    /// Format of the report; without it the report's file name decides
    #[arg(short = 'f', long, value_name = "FORMAT")]
    pub(crate) report_format: Option<String>,
    /// A Go text/template for the report
    #[arg(long, value_name = "FILE")]
    pub(crate) report_template: Option<PathBuf>,
    /// How much of a secret is hidden, in percent; 0 shows everything
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true, default_missing_value = "100",
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) redact: Option<u8>,
    /// Only these rules
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) enable_rule: Vec<String>,
    /// A .gitleaksignore, or the folder it is in
    #[arg(short = 'i', long, value_name = "PATH", default_value = ".", hide_default_value = true)]
    pub(crate) gitleaks_ignore_path: PathBuf,
    /// Report what `gitleaks:allow` and its kin allow, too
    #[arg(long)]
    pub(crate) ignore_gitleaks_allow: bool,
    /// How many layers of encoding are undone; 0 = none
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) max_decode_depth: usize,
    /// How many archives inside of archives are opened; 0 = no archive at all
    #[arg(long, value_name = "N")]
    pub(crate) max_archive_depth: Option<usize>,
    /// Leave out files larger than this (megabytes of 1,000,000 bytes; 0 = no limit)
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) max_target_megabytes: u64,
    /// Give up after so many seconds; 0 = never
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub(crate) timeout: u64,
    /// No colours
    #[arg(long)]
    pub(crate) no_color: bool,
    /// Taken for scripts' sake: there is no banner
    #[arg(long, hide = true)]
    pub(crate) no_banner: bool,
    /// Taken for scripts' sake: messages are few
    #[arg(short, long, value_name = "LEVEL", default_value = "info", hide = true)]
    pub(crate) log_level: String,
    /// Taken for scripts' sake, without effect
    #[arg(long, value_name = "KINDS", hide = true)]
    pub(crate) diagnostics: Option<String>,
    /// Taken for scripts' sake, without effect
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub(crate) diagnostics_dir: Option<PathBuf>,
}

impl Flags {
    /// How much may be shown: nothing, unless asked for.
    pub(crate) fn redaction(&self) -> Redaction {
        match self.redact {
            None | Some(100) => Redaction::Full,
            Some(0) => Redaction::Off,
            Some(percent) => Redaction::Percent(percent),
        }
    }
}

/// Flags that only we have.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct OwnFlags {
    /// Rules to use: a gitleaks.toml; else .gitleaks.toml beside what is scanned, else our own
    #[arg(short = 'c', long = "rules", value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Take .gitleaks.toml, .sops.yaml and the ignore files from this commit, not from the change under test; comments
    /// that allow a line count where this commit has them
    #[arg(long, value_name = "REF")]
    pub(crate) config_from: Option<String>,
    /// The least sure finding that is reported
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t)]
    pub(crate) confidence: Level,
    /// Do not ask .sops.yaml which files must be encrypted
    #[arg(long)]
    pub(crate) no_guard: bool,
    /// Columns as gitleaks counts them (bytes, one more after the first line)
    #[arg(long)]
    pub(crate) compat: bool,
    /// The `.sops.yaml` that judges in place of the repository's own: the command's own `--config`
    #[arg(skip)]
    pub(crate) creation_rules: Option<PathBuf>,
    /// Report as JSON on standard output
    #[arg(long, conflicts_with_all = ["report_path", "report_format"])]
    pub(crate) json: bool,
}

/// How sure a finding must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    /// Guesses too.
    Low,
    /// Shapes and names that seldom mislead.
    #[default]
    Medium,
    /// Only formats with a prefix, a checksum or a structure.
    High,
}

impl From<Level> for Confidence {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
        }
    }
}
