//! What every command needs beside its own arguments: mode, configuration, identities, clock, randomness.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use document::{Document, EmitOptions, Format, FormatError, Problem};
use keys::{Access, Keyring};
use secret::{DataKey, SecretBytes};
use sops::config::Strictness;
use sops::{Encrypted, MacSkip, Plain, Timestamp, Unlocked};

use crate::config::{self, ConfigFile, Ruling};
use crate::failure::{Exit, Failure};
use crate::{files, identities, inspect, paths, ui};

/// Whose rules hold where ours and SOPS' differ (docs/drop-in.md has the table).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `plomb …`.
    Plomb,
    /// Called as `sops`, or `plomb sops …`.
    Sops,
}

/// What every command needs.
pub(crate) struct Context {
    pub(crate) mode: Mode,
    /// `--config` or `SOPS_CONFIG`.
    pub(crate) config: Option<PathBuf>,
    /// Whether it was `--config`.
    pub(crate) config_is_asked_for: bool,
    /// `-v`.
    pub(crate) verbose: bool,
    /// `--indent`.
    pub(crate) indent: Option<i64>,
    /// `--ignore-mac`.
    pub(crate) ignore_mac: bool,
    /// `--enable-local-keyservice=false`: no key may be used.
    pub(crate) without_keys: bool,
    /// The file was to be written in another format than it has: once there is something to write, that is refused.
    pub(crate) other_format: bool,
    keyring: OnceLock<Keyring>,
    /// Configurations that were read, so that many files under one are read with one reading of it.
    configs: Mutex<HashMap<(PathBuf, Strictness), Arc<ConfigFile>>>,
    /// The text of the configuration that the user named, read once: it may be a pipe.
    named_config: Mutex<Option<Arc<SecretBytes>>>,
    /// The nearest configuration of each folder that was looked from.
    nearest: Mutex<HashMap<PathBuf, Option<PathBuf>>>,
}

impl Context {
    /// A context of `mode` with everything else as the environment says.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            config: std::env::var_os("SOPS_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from),
            config_is_asked_for: false,
            verbose: false,
            indent: None,
            ignore_mac: false,
            without_keys: false,
            other_format: false,
            keyring: OnceLock::new(),
            configs: Mutex::default(),
            named_config: Mutex::default(),
            nearest: Mutex::default(),
        }
    }

    /// Tells a step in the line that SOPS writes for it with `--verbose`: scripts look for them. Plomb's own mode has
    /// nothing to tell there.
    pub(crate) fn tell(&self, part: &str, level: &str, what: &str, recipient: Option<&str>) {
        if !self.verbose || self.mode != Mode::Sops {
            return;
        }
        let recipient = recipient.map(paths::one_line).map(|name| match name.contains(' ') {
            true => format!(" recipient=\"{name}\""),
            false => format!(" recipient={name}"),
        });
        let (now, recipient) = (self.now(), recipient.unwrap_or_default());
        ui::say(&format!("[{part}]\t time=\"{now}\" level={level} msg=\"{what}\"{recipient}"));
    }

    /// Now, in whole seconds.
    pub(crate) fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp(since.map_or(0, |since| since.as_secs().cast_signed()))
    }

    /// The identities at hand, collected once.
    pub(crate) fn keyring(&self) -> &Keyring {
        self.keyring.get_or_init(|| identities::collect(&self.access()))
    }

    /// Uses the identities in `files`, and no others. To be called before any identity was needed.
    ///
    /// # Errors
    /// When a file cannot be read or holds no identity.
    pub(crate) fn use_identities(&mut self, files: &[PathBuf]) -> Result<(), Failure> {
        self.keyring = OnceLock::from(identities::from_files(files, &self.access())?);
        Ok(())
    }

    /// What keys may do: ask at the terminal, run the plugins that the user allows.
    pub(crate) fn access(&self) -> Access {
        identities::access()
    }

    /// The configuration for `file`, if there is one.
    ///
    /// # Errors
    /// When it is wrong. Unknown fields are errors where it decides about encryption (`Strict`), and always
    /// passed over in the drop-in mode when decrypting.
    pub(crate) fn config_for(&self, file: &Path, strictness: Strictness) -> Result<Option<Arc<ConfigFile>>, Failure> {
        let path = match (&self.config, self.mode) {
            (Some(path), _) => Some(path.clone()),
            (None, Mode::Sops) => config::above_current_folder(),
            (None, Mode::Plomb) => self.nearest_config(file)?,
        };
        path.map(|path| self.load_config(path, strictness)).transpose()
    }

    /// As [`config::nearest`], looked for once per folder and run.
    fn nearest_config(&self, file: &Path) -> Result<Option<PathBuf>, Failure> {
        let folder = paths::absolute(file).parent().map(Path::to_owned).unwrap_or_default();
        let known = |nearest: &HashMap<PathBuf, Option<PathBuf>>| nearest.get(&folder).cloned();
        if let Some(found) = known(&self.nearest.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let found = config::nearest(file)?;
        self.nearest.lock().unwrap_or_else(PoisonError::into_inner).insert(folder, found.clone());
        Ok(found)
    }

    /// The configuration at `path`, read once.
    ///
    /// # Errors
    /// When it is wrong.
    pub(crate) fn load_config(&self, path: PathBuf, strictness: Strictness) -> Result<Arc<ConfigFile>, Failure> {
        let key = (path, strictness);
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = configs.get(&key) {
            return Ok(known.clone());
        }
        let loaded = if self.config.as_ref() == Some(&key.0) {
            ConfigFile::parse(&key.0, &*self.named_config(&key.0)?, strictness)?
        } else {
            ConfigFile::load(&key.0, strictness)?
        };
        let loaded = Arc::new(loaded);
        configs.insert(key, loaded.clone());
        Ok(loaded)
    }

    fn named_config(&self, path: &Path) -> Result<Arc<SecretBytes>, Failure> {
        let mut known = self.named_config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = &*known {
            return Ok(text.clone());
        }
        let text = Arc::new(ConfigFile::named_text(path)?);
        *known = Some(text.clone());
        Ok(text)
    }

    /// How trees are printed in SOPS' own layout: `--indent`, else the configuration's `stores`.
    ///
    /// # Errors
    /// When the configuration is broken.
    pub(crate) fn emit_options(&self, file: &Path, format: &dyn Format) -> Result<EmitOptions, Failure> {
        if self.indent.is_some() {
            return Ok(EmitOptions { indent: self.indent });
        }
        let Some(found) = self.config_for(file, Strictness::StoresOnly)? else { return Ok(EmitOptions::default()) };
        let indent = match format.name() {
            "yaml" => found.config.yaml_indent,
            "json" => found.config.json_indent,
            "binary" => found.config.json_binary_indent,
            _ => None,
        };
        Ok(EmitOptions { indent })
    }

    /// The policy of the creation rule for `file`.
    ///
    /// # Errors
    /// When the configuration is wrong or has no rule for the file.
    pub(crate) fn policy_for(&self, file: &Path) -> Result<Option<Ruling>, Failure> {
        let Some(found) = self.config_for(file, Strictness::Strict)? else { return Ok(None) };
        Ok(found.rule_for(file)?.map(|(_, rule)| Ruling::new(rule, &found)))
    }

    /// The policy of the creation rule for `file`; a configuration without a rule for it counts as none.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub(crate) fn policy_if_any(&self, file: &Path) -> Result<Option<Ruling>, Failure> {
        let Some(found) = self.config_for(file, Strictness::Strict)? else { return Ok(None) };
        Ok(found.config.rule_for(&found.rule_path(file)).map(|(_, rule)| Ruling::new(rule, &found)))
    }

    /// The size limit for files of `format`.
    pub(crate) fn limit(format: &dyn Format) -> u64 {
        if format.edits_in_place() { files::STRUCTURED_LIMIT } else { files::BINARY_LIMIT }
    }

    /// Reads an encrypted text.
    ///
    /// # Errors
    /// When it is not one.
    pub(crate) fn encrypted(&self, text: SecretBytes, format: &'static dyn Format) -> Result<Encrypted, Failure> {
        let in_place = format.edits_in_place();
        let conflict = inspect::conflict(format, text.expose());
        let tokens = || memchr::memmem::find(text.expose(), b"ENC[AES256_GCM,data:").is_some();
        let stripped = in_place && !sops::has_block(format, text.expose()) && tokens();
        let unreadable = |error: FormatError| match error.problem {
            Problem::Empty => Failure::new(Exit::Generic, "sops metadata not found: the file is empty"),
            _ => Failure::from(error).exit(Exit::Generic),
        };
        let conflicting = |failure: Failure| match conflict {
            Some(conflict) => conflict.exit(failure.exit),
            None => failure,
        };
        let doc = format.parse_sealed(text).map_err(unreadable).map_err(conflicting)?;
        Encrypted::new(doc).map_err(|error| match error {
            sops::SopsError::NotEncrypted if stripped => inspect::stripped(),
            error => error.into(),
        })
    }

    /// The data key.
    ///
    /// # Errors
    /// When no identity opens it.
    pub(crate) fn data_key(&self, encrypted: &Encrypted) -> Result<DataKey, Failure> {
        if self.without_keys {
            let what = "without the local key service no key can be used: key services are not supported";
            return Err(Failure::new(Exit::NoKey, what));
        }
        let opened = encrypted.data_key(self.keyring());
        let told = if opened.is_ok() { "Decryption succeeded" } else { "Decryption failed" };
        self.tell("AGE", "info", told, None);
        let key = opened.map_err(|error| self.with_sources(error.into()))?;
        self.tell("SOPS", "info", "Data key recovered successfully", None);
        Ok(key)
    }

    /// Decrypts and verifies. `remember` keeps the tokens for a later encryption.
    ///
    /// # Errors
    /// When no identity opens it, a value is damaged, or the MAC does not fit.
    pub(crate) fn decrypt(&self, encrypted: Encrypted, remember: bool) -> Result<Plain, Failure> {
        let key = self.data_key(&encrypted)?;
        self.tell("SOPS", "debug", "Decrypting tree", None);
        self.verified(encrypted.unlock(key, remember)?)
    }

    /// Decrypts once more with the data key of the first time, for a later encryption.
    ///
    /// # Errors
    /// As [`Context::decrypt`].
    pub(crate) fn decrypt_with(&self, encrypted: Encrypted, key: SecretBytes) -> Result<Plain, Failure> {
        let key = DataKey::try_from(key).map_err(|_| Failure::new(Exit::NoKey, "the data key has a wrong length"))?;
        self.verified(encrypted.unlock(key, true)?)
    }

    fn verified(&self, unlocked: Unlocked) -> Result<Plain, Failure> {
        if self.ignore_mac {
            return Ok(unlocked.skip_mac(MacSkip::UserAsked));
        }
        Ok(unlocked.verify()?)
    }

    /// Adds to "no identity" where identities were looked for.
    fn with_sources(&self, failure: Failure) -> Failure {
        if failure.exit == Exit::NoKey && failure.hint.is_none() {
            failure.hint(identities::looked_for(self.keyring()))
        } else {
            failure
        }
    }

    /// Reads a plain text.
    ///
    /// # Errors
    /// When it cannot be read in its format.
    pub(crate) fn plain(&self, text: SecretBytes, format: &'static dyn Format) -> Result<Document, Failure> {
        let conflict = inspect::conflict(format, text.expose());
        format.parse(text).map_err(|error| match conflict {
            Some(conflict) => conflict.exit(Failure::from(error).exit),
            None => error.into(),
        })
    }
}
