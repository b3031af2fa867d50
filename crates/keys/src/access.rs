//! What keys may do beyond computing: ask a person, start a plugin. The caller decides; the default is nothing.

use std::{fmt, sync::Arc};

use secret::SecretString;

/// Asks a person. Every question may go unanswered: `None` where nobody can be asked.
pub trait Prompt: Send + Sync {
    /// Asks for the passphrase of `what`.
    fn passphrase(&self, what: &str) -> Option<SecretString>;

    /// Shows a plugin's message ("touch your key").
    fn message(&self, _text: &str) {}

    /// Asks a plugin's yes-or-no question.
    fn confirm(&self, _question: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    /// Asks a plugin's question whose answer is not secret.
    fn answer(&self, _question: &str) -> Option<String> {
        None
    }
}

/// Nobody to ask.
struct Nobody;

impl Prompt for Nobody {
    fn passphrase(&self, _what: &str) -> Option<SecretString> {
        None
    }
}

/// What keys may do beyond computing.
#[derive(Clone)]
pub struct Access {
    prompt: Arc<dyn Prompt>,
    plugins: Arc<[String]>,
}

impl Access {
    /// Asks through `prompt` and starts only the plugins named in `plugins` (without `age-plugin-`).
    pub fn new(prompt: Arc<dyn Prompt>, plugins: impl IntoIterator<Item = String>) -> Self {
        Self { prompt, plugins: plugins.into_iter().collect() }
    }

    /// Asks nobody and starts nothing.
    pub fn none() -> Self {
        Self::new(Arc::new(Nobody), [])
    }

    pub(crate) fn prompt(&self) -> &Arc<dyn Prompt> {
        &self.prompt
    }

    #[cfg(feature = "plugin")]
    pub(crate) fn allows_plugin(&self, name: &str) -> bool {
        self.plugins.iter().any(|allowed| allowed == name)
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::none()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("plugins", &self.plugins).finish_non_exhaustive()
    }
}
