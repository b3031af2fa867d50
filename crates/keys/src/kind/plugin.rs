//! Keys behind a plugin (`age-plugin-NAME`): `age1name1…` and `AGE-PLUGIN-NAME-1…`.
//!
//! A plugin is a program. Which one runs must not be for a file or a recipient's text to say, so only plugins that
//! the caller allows are ever started; others are kept as text and refused when they would be needed.

use std::{fmt, sync::Arc};

use age::{EncryptError, plugin as age_plugin};
use secret::SecretBytes;

use super::{KeyKind, plugin_name_in};
use crate::{Access, Effort, Identity, KeyError, Prompt, Recipient, WrappedKey, age_file, short_recipient};

const NAME: &str = "plugin";
const IDENTITY_PREFIX: &str = "AGE-PLUGIN-";
const PROGRAM_PREFIX: &str = "age-plugin-";
const MAX_MESSAGE_LEN: usize = 500;

/// Keys behind a plugin.
pub(super) struct Plugin;

impl KeyKind for Plugin {
    fn recipient(&self, text: &str, access: &Access) -> Option<Result<Box<dyn Recipient>, KeyError>> {
        let name = plugin_name_in(text)?;
        Some(PluginRecipient::parse(text, name, access).map(|recipient| Box::new(recipient) as _))
    }

    fn identity(&self, text: &str, access: &Access) -> Option<Result<Box<dyn Identity>, KeyError>> {
        text.starts_with(IDENTITY_PREFIX).then(|| Ok(Box::new(PluginIdentity::parse(text, access)?) as _))
    }
}

/// A name becomes part of a program's name, so it must never be able to be a path.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed)
}

struct PluginRecipient {
    text: String,
    name: String,
    key: age_plugin::Recipient,
    access: Access,
}

impl PluginRecipient {
    fn parse(text: &str, name: &str, access: &Access) -> Result<Self, KeyError> {
        let refuse = |why| KeyError::Recipient { recipient: short_recipient(text), why };
        if !is_name(name) {
            return Err(refuse("not a valid plugin name"));
        }
        let key = text.parse().map_err(|_| refuse("not a valid plugin recipient (mistyped or cut off?)"))?;
        Ok(Self { text: text.into(), name: name.into(), key, access: access.clone() })
    }
}

impl Recipient for PluginRecipient {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn id(&self) -> &str {
        &self.text
    }

    fn wrap(&self, key: &SecretBytes) -> Result<String, KeyError> {
        let bridge = Bridge::to(&self.name, &self.access)?;
        let plugin = age_plugin::RecipientPluginV1::new(&self.name, std::slice::from_ref(&self.key), &[], bridge)
            .map_err(|_| not_found(&self.name))?;
        age_file::seal(&plugin, key).map_err(|error| {
            let message = match error {
                EncryptError::Plugin(errors) => first_of(&errors),
                _ => "it failed".into(),
            };
            KeyError::Plugin { name: self.name.clone(), message }
        })
    }
}

impl fmt::Debug for PluginRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}({})", short_recipient(&self.text))
    }
}

struct PluginIdentity {
    name: String,
    key: age_plugin::Identity,
    access: Access,
}

impl PluginIdentity {
    fn parse(text: &str, access: &Access) -> Result<Self, KeyError> {
        let key: age_plugin::Identity =
            text.parse().map_err(|_| KeyError::Identity("not a valid plugin identity (mistyped or cut off?)"))?;
        let name = key.plugin().to_owned();
        if !is_name(&name) {
            return Err(KeyError::Identity("not a valid plugin name"));
        }
        Ok(Self { name, key, access: access.clone() })
    }
}

impl PluginIdentity {
    /// An error with the plugin's name in it.
    fn named(&self, error: KeyError) -> KeyError {
        match error {
            KeyError::Plugin { message, .. } => KeyError::Plugin { name: self.name.clone(), message },
            other => other,
        }
    }
}

impl Identity for PluginIdentity {
    fn kind(&self) -> &'static str {
        NAME
    }

    /// Only the plugin knows.
    fn recipient(&self) -> Option<String> {
        None
    }

    fn effort(&self) -> Effort {
        Effort::Plugin
    }

    fn open(&self, wrapped: &WrappedKey) -> Option<Result<SecretBytes, KeyError>> {
        let bridge = match Bridge::to(&self.name, &self.access) {
            Ok(bridge) => bridge,
            Err(error) => return Some(Err(error)),
        };
        match age_plugin::IdentityPluginV1::new(&self.name, std::slice::from_ref(&self.key), bridge) {
            Ok(plugin) => wrapped.open(&plugin).map(|opened| opened.map_err(|error| self.named(error))),
            Err(_) => Some(Err(not_found(&self.name))),
        }
    }
}

fn not_found(name: &str) -> KeyError {
    KeyError::Plugin { name: name.into(), message: "this program is not on the PATH".into() }
}

/// What a plugin said went wrong while opening. Which plugin it was, the identity that started it fills in.
pub(crate) fn plugin_error(error: &age::DecryptError) -> KeyError {
    let message = match error {
        age::DecryptError::Plugin(errors) => first_of(errors),
        _ => "it could not be started".into(),
    };
    KeyError::Plugin { name: String::new(), message }
}

fn first_of(errors: &[impl fmt::Display]) -> String {
    errors.first().map_or_else(|| "it failed".into(), |error| clean(&error.to_string()))
}

/// A plugin's text without what could deceive on a terminal: control characters and marks of writing direction.
fn clean(text: &str) -> String {
    let harmless = |c: &char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(harmless).take(MAX_MESSAGE_LEN).collect()
}

/// Lets a plugin ask through the caller's prompt, always naming itself.
#[derive(Clone)]
struct Bridge {
    plugin: String,
    prompt: Arc<dyn Prompt>,
}

impl Bridge {
    /// A bridge to an allowed plugin.
    fn to(name: &str, access: &Access) -> Result<Self, KeyError> {
        match access.allows_plugin(name) {
            true => Ok(Self { plugin: name.into(), prompt: Arc::clone(access.prompt()) }),
            false => Err(KeyError::PluginNotAllowed(name.into())),
        }
    }

    fn signed(&self, text: &str) -> String {
        format!("{PROGRAM_PREFIX}{}: {}", self.plugin, clean(text))
    }
}

impl age::Callbacks for Bridge {
    fn display_message(&self, message: &str) {
        self.prompt.message(&self.signed(message));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        self.prompt.confirm(&self.signed(message), &clean(yes), no.map(clean).as_deref())
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.prompt.answer(&self.signed(description))
    }

    fn request_passphrase(&self, description: &str) -> Option<age::secrecy::SecretString> {
        let answer = self.prompt.passphrase(&self.signed(description))?;
        Some(age::secrecy::SecretString::from(answer.expose()))
    }
}

#[cfg(test)]
mod tests;
