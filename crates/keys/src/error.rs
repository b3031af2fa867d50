//! What can be wrong with a key. No variant holds secret text: a key that cannot be read is never echoed.

/// What can be wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text starts like none of the recipients we know. It is not echoed: it may be anything.
    #[error("not a recipient: expected age1…, ssh-ed25519 … or ssh-rsa …")]
    NotARecipient,

    /// A secret key was typed where a recipient belongs.
    #[error("this is a secret key, not a recipient; give the public key that belongs to it")]
    SecretAsRecipient,

    /// The text starts like a recipient but is not a valid one.
    #[error("recipient {recipient}: {why}")]
    Recipient {
        /// The recipient, shortened.
        recipient: String,
        /// What is wrong with it.
        why: &'static str,
    },

    /// The text starts like none of the identities we know.
    #[error("not an identity: expected AGE-SECRET-KEY-1…, AGE-SECRET-KEY-PQ-1… or AGE-PLUGIN-…")]
    NotAnIdentity,

    /// The text starts like an identity but is not a valid one.
    #[error("invalid identity: {0}")]
    Identity(&'static str),

    /// A line of a key file is not an identity.
    #[error("line {line}: {problem}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What is wrong with the line.
        problem: Box<KeyError>,
    },

    /// A key file without any identity.
    #[error("no identity in it")]
    NoIdentity,

    /// The ASCII armor around a wrapped key is damaged.
    #[error("damaged armor: {0}")]
    Armor(&'static str),

    /// The age header is damaged.
    #[error("damaged age header: {0}")]
    Header(&'static str),

    /// The header was changed after it was written.
    #[error("the age header was changed: its checksum does not match")]
    HeaderMac,

    /// The wrapped key itself is damaged.
    #[error("damaged age payload")]
    Payload,

    /// What came out is neither a data key nor a share of one.
    #[error("opened, but it holds no data key: {0} bytes instead of 32 or 33")]
    KeyLength(usize),

    /// The data key is wrapped for a passphrase, which SOPS files never are.
    #[error("wrapped for a passphrase; a file's data key is only ever wrapped for recipients")]
    PassphraseEntry,

    /// Key groups that cannot be made or joined.
    #[error("key groups: {0}")]
    Shares(&'static str),

    /// A recipient could not be encrypted to.
    #[error("cannot encrypt to {recipient}: {why}")]
    Encrypt {
        /// The recipient, shortened.
        recipient: String,
        /// What went wrong.
        why: &'static str,
    },

    /// A plugin is named that the caller did not allow to be started.
    #[error("plugin age-plugin-{0} is not on the list of allowed plugins")]
    PluginNotAllowed(String),

    /// A plugin failed.
    #[error("age-plugin-{name}: {message}")]
    Plugin {
        /// The plugin's name, without `age-plugin-`.
        name: String,
        /// The plugin's own message, without control characters.
        message: String,
    },

    /// A passphrase is needed and nobody could be asked.
    #[error("{0} needs a passphrase, and none was given")]
    NoPassphrase(String),

    /// The passphrase given opens nothing.
    #[error("wrong passphrase for {0}")]
    WrongPassphrase(String),

    /// The passphrase protection would take too much memory and time to undo.
    #[error("scrypt work factor {0} is over the limit of {limit}", limit = crate::kind::MAX_WORK_FACTOR)]
    WorkFactor(u8),
}

impl From<age::DecryptError> for KeyError {
    fn from(error: age::DecryptError) -> Self {
        use age::DecryptError as E;
        match error {
            E::InvalidMac => Self::HeaderMac,
            E::ExcessiveWork { required, .. } => Self::WorkFactor(required),
            E::UnknownFormat => Self::Header("unknown version"),
            E::KeyDecryptionFailed => Self::WrongPassphrase("the key".into()),
            #[cfg(feature = "plugin")]
            E::Plugin(_) | E::PluginResolve(_) => crate::kind::plugin_error(&error),
            E::DecryptionFailed => Self::Header("a stanza made for this key cannot be opened"),
            E::Io(_) => Self::Payload,
            _ => Self::Header("a recipient stanza is malformed"),
        }
    }
}
