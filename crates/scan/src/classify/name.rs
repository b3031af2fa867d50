//! What a name says about its value: `DB_PASSWORD`, `clientSecret`, `x-api-key`, `passwordHash`, `tokenTtl`.

/// What kind of secret a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Typed by people: any text.
    Password,
    /// A token or a key that grants access.
    Secret,
    /// A key of unknown use.
    Key,
    /// Credentials of a header or registry.
    Auth,
    /// Something that is a secret now and then.
    Weak,
}

/// A name's words in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    words: Vec<String>,
}

/// Words at the end that change nothing.
#[rustfmt::skip]
const NEUTRAL: &[&str] = &[
    "value", "val", "string", "str", "text", "plain", "plaintext", "cleartext", "clear", "raw", "base64", "b64",
    "hex", "env", "prod", "production", "dev", "development", "stage", "staging", "live", "old", "new", "current",
    "previous", "main", "backup", "local", "confirm", "confirmation", "again", "base", "data", "content",
    "literal", "bytes", "test", "testing", "qa", "uat", "eu", "us", "default", "next", "rw", "ro", "x", "set",
    "here", "is", "var", "const", "v", "primary", "secondary",
];

/// Words at the end that make the name one of something else.
#[rustfmt::skip]
const OTHER: &[&str] = &[
    "id", "ids", "name", "names", "path", "paths", "file", "files", "filename", "dir", "url", "uri", "urls",
    "endpoint", "host", "type", "types", "kind", "length", "len", "size", "count", "ttl", "policy", "field",
    "fields", "label", "arn", "ref", "reference", "version", "expiry", "expires", "expiration", "expire", "age",
    "timeout", "duration", "interval", "lifetime", "min", "max", "limit", "enabled", "disabled", "required",
    "hint", "placeholder", "prompt", "title", "description", "message", "error", "format", "pattern", "regex",
    "prefix", "suffix", "header", "param", "parameter", "input", "form", "class", "provider", "manager", "service",
    "store", "storage", "location", "mode", "method", "algorithm", "alg", "scheme", "issuer", "audience", "scope",
    "scopes", "status", "state", "index", "column", "hash", "digest", "checksum", "fingerprint", "thumbprint",
    "integrity", "signature", "commit", "rev", "revision", "sha", "sha1", "sha256", "md5", "etag", "uuid", "guid",
    "user", "username", "email", "account", "bucket", "region", "zone", "engine", "helper", "command", "cmd",
    "script", "factory", "handler", "reset", "strength", "complexity", "rotation", "encoder", "validator",
    "generator", "link", "page", "key_id", "kid", "alias", "namespace", "group", "role", "date", "at", "time",
    "days", "hours", "minutes", "seconds", "ms", "bits", "curve", "usage", "source", "template", "public", "pub",
    "recipient", "recipients", "options", "config", "settings", "binding", "code", "icon", "color", "button",
    "tag", "tags", "image", "digests", "list", "map", "server",
];

/// Qualifiers of `key` that make it a secret.
#[rustfmt::skip]
const SECRET_KEYS: &[&str] = &[
    "api", "access", "secret", "private", "encryption", "encrypt", "encrypting", "decryption", "crypt", "crypto",
    "cipher", "signing", "sign", "signature", "master", "auth", "authorization", "authentication", "account",
    "storage", "shared", "service", "session", "cookie", "jwt", "hmac", "aes", "aes256", "app", "application",
    "client", "consumer", "admin", "deploy", "deployment", "webhook", "function", "functions", "license",
    "licence", "subscription", "write", "ingest", "ingestion", "integration", "rest", "sas", "kek", "dek",
    "wallet", "root", "seed", "symmetric", "tls", "ssl", "ssh", "rsa", "ec", "backup", "restic", "security",
    "user", "bot", "project", "vault", "unseal", "recovery", "pre-shared", "preshared", "psk", "password", "token",
    "credential", "credentials", "login", "passwd", "ssl", "merchant", "payment", "signing_secret", "transfer",
    "trading", "exchange",
];

/// Qualifiers of `key` that make it none.
#[rustfmt::skip]
const OPEN_KEYS: &[&str] = &[
    "public", "pub", "publishable", "publish", "foreign", "cache", "sort", "partition", "row", "object", "map",
    "dict", "translation", "i18n", "message", "idempotency", "dedup", "lookup", "hash", "index", "group", "site",
    "sitekey", "verify", "verification", "verifying", "validation", "host", "registry", "shortcut", "hot", "arrow",
    "anon", "shard", "routing", "json", "yaml", "column", "field", "property", "metadata", "label", "tag", "query",
    "param", "s3", "image", "trusted", "known", "authorized", "gpg", "pgp", "signed", "pressed", "last", "first",
    "prev", "parent", "child", "node", "item", "sub", "super", "unique", "composite", "natural", "surrogate",
    "identity", "peer", "remote", "recipient", "age", "websocket", "statement",
];

/// Words anywhere that make a name one of a sample or of something shown to all.
#[rustfmt::skip]
const ANYWHERE: &[&str] = &[
    "public", "publishable", "pubkey", "anon", "nonce", "fake", "dummy", "example", "sample", "mock",
    "placeholder", "integrity", "checksum", "digest", "fingerprint", "thumbprint", "commit", "sha256", "sha1",
    "sha512", "md5", "etag", "recaptcha_site", "invalid", "wrong", "bad", "label", "i18n", "pagination", "cursor",
    "continuation", "cancellation", "hashed", "encrypted", "sealed", "ciphertext",
];

/// Words that promise a password.
#[rustfmt::skip]
const PASSWORDS: &[&str] = &[
    "password", "passwords", "passwd", "pwd", "passphrase", "pass", "passcode", "passwort", "kennwort", "senha",
    "contrasena", "contraseña", "parola", "wachtwoord", "haslo", "mdp", "motdepasse", "psw", "userpass", "pw",
    "psk", "masterauth", "requirepass",
];

/// Qualifiers of `token` that make it a place in a text or a list.
#[rustfmt::skip]
const OPEN_TOKENS: &[&str] = &[
    "page", "next", "sync", "continuation", "continue", "cancel", "cancellation", "request", "resume", "design",
    "stop", "start", "end", "trace", "eos", "bos", "pad", "unk", "sep", "eof", "upload", "idempotency", "mapbox", "csrf",
    "xsrf", "antiforgery", "authenticity", "forgery", "action",
];

/// Ends of words that promise a secret.
#[rustfmt::skip]
const SECRET_ENDINGS: &[&str] = &[
    "secret", "apikey", "secretkey", "accesskey", "authtoken", "accesstoken", "privatekey", "appkey", "authkey",
    "masterkey", "signingkey", "encryptionkey", "passkey", "sharedkey", "servicekey", "licensekey", "sessionkey",
    "accountkey", "hmackey", "aeskey", "storagekey", "adminkey",
];

/// Whose `pass` is a password.
#[rustfmt::skip]
const OWNERS: &[&str] = &[
    "db", "smtp", "user", "mail", "admin", "root", "mysql", "pg", "postgres", "redis", "auth", "ssh", "my",
    "login", "ftp", "bind", "ldap", "proxy", "http", "key", "store", "keystore", "mongo", "sql", "email", "imap",
    "dst", "src", "wifi", "wp", "rabbit", "ansible", "sudo", "become", "client", "server", "host", "cert", "ca",
];

impl Name {
    /// Splits at anything but letters and digits, where case changes, and before trailing digits.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let mut end = |word: &mut String| {
            if !word.is_empty() {
                words.push(std::mem::take(word));
            }
        };
        for (at, byte) in text.iter().enumerate() {
            if !byte.is_ascii_alphanumeric() && byte.is_ascii() {
                end(&mut word);
                continue;
            }
            let before = at.checked_sub(1).map(|before| text[before]);
            let after = text.get(at + 1);
            let starts = byte.is_ascii_uppercase()
                && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                    || before.is_some_and(|before| before.is_ascii_uppercase())
                        && after.is_some_and(|after| after.is_ascii_lowercase()));
            if starts {
                end(&mut word);
            }
            word.push(byte.to_ascii_lowercase() as char);
        }
        end(&mut word);
        Self { words }
    }

    /// The words without neutral ones and numbers at the end.
    fn core(&self) -> &[String] {
        let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let neutral = |word: &String| {
            NEUTRAL.contains(&&**word) || number(word) || word.len() == 1 || word.strip_prefix('v').is_some_and(number)
        };
        let kept = self.words.iter().rposition(|word| !neutral(word)).map_or(0, |at| at + 1);
        &self.words[..kept]
    }

    /// Whether the name is of a property of the secret, or of something public.
    pub(crate) fn is_of_something_else(&self) -> bool {
        let ends = self.core().last().is_none_or(|word| OTHER.contains(&&**word));
        ends || self.words.iter().any(|word| ANYWHERE.contains(&&**word))
    }

    /// Whether the name is this one word.
    pub(crate) fn is_just(&self, word: &str) -> bool {
        matches!(&self.words[..], [only] if only == word)
    }

    /// Whether the name is one word, but for what stands at its end and changes nothing: `TOKEN`, `secret_value`.
    pub(crate) fn is_one_word(&self) -> bool {
        self.core().len() == 1
    }

    /// Whether the name is of what opens a door, and can hardly be of anything else: `API_KEY`, `secretKey`.
    pub(crate) fn is_of_access(&self) -> bool {
        match self.core() {
            [.., before, last] if last == "key" => {
                matches!(&**before, "api" | "secret" | "access" | "private" | "signing")
            }
            [.., before, last] if last == "token" => matches!(&**before, "api" | "access" | "auth" | "secret"),
            [.., before, last] if last == "secret" => matches!(&**before, "client" | "api" | "app" | "jwt" | "session"),
            [.., last] => matches!(&**last, "apikey" | "secretkey" | "accesskey"),
            [] => false,
        }
    }

    /// Whether the name says nothing of what it names: no secret, nor anything that is none.
    pub(crate) fn says_nothing(&self) -> bool {
        self.kind().is_none() && (self.core().is_empty() || !self.is_of_something_else())
    }

    /// Whether the name is `routing_key`.
    pub(crate) fn is_routing_key(&self) -> bool {
        matches!(self.core(), [.., before, last] if before == "routing" && last == "key")
    }

    /// Whether the name is of several secrets, which follow as a list or a map: `api_keys`, `tokens`.
    pub(crate) fn is_of_many(&self) -> bool {
        let many = |word: &String| matches!(&**word, "tokens" | "keys" | "secrets" | "passwords" | "apikeys");
        self.core().last().is_some_and(many)
    }

    /// Whether the name ends in `credential` or `credentials`.
    pub(crate) fn ends_in_credential(&self) -> bool {
        self.words.last().is_some_and(|word| word.starts_with("credential"))
    }

    /// Whether the name is of a wallet's word list.
    pub(crate) fn is_mnemonic(&self) -> bool {
        let core = self.core();
        let phrase =
            |word: &String| matches!(&**word, "seed" | "recovery" | "mnemonic" | "wallet" | "backup" | "secret");
        match core {
            [.., before, last] if last == "phrase" => phrase(before),
            [.., last] => matches!(&**last, "mnemonic" | "seed" | "mnemonics" | "seedphrase"),
            [] => false,
        }
    }

    /// What the name promises, if anything.
    pub(crate) fn kind(&self) -> Option<Kind> {
        // Terraform's github_actions_secret.
        if self.words == ["plaintext", "value"] {
            return Some(Kind::Secret);
        }
        let core = self.core();
        let word = core.last()?.trim_end_matches(|letter: char| letter.is_ascii_digit());
        if self.words.iter().any(|word| ANYWHERE.contains(&&**word)) {
            return None;
        }
        let before = core.len().checked_sub(2).map_or("", |at| &core[at]);
        match word {
            _ if PASSWORDS.contains(&word) => Some(Kind::Password),
            "token" | "tokens" if OPEN_TOKENS.contains(&before) => None,
            "secret" | "secrets" | "token" | "tokens" | "pat" | "jwt" => Some(Kind::Secret),
            "credential" | "credentials" | "creds" | "cred" => Some(Kind::Secret),
            "salt" | "pepper" => Some(if core.len() > 1 { Kind::Secret } else { Kind::Weak }),
            // The key of a Pusher app, and that of Algolia's that only searches, are in every page that uses them.
            "key" | "keys" if self.is_for_pages() => None,
            "key" | "keys" => key_of(before),
            "auth" | "authorization" | "bearer" => Some(Kind::Auth),
            _ => compound(word),
        }
    }
}

impl Name {
    /// Whether a key of this name is made to be shown to browsers.
    fn is_for_pages(&self) -> bool {
        let has = |wanted: &str| self.words.iter().any(|word| word == wanted);
        has("pusher") || has("algolia") && has("search") || has("docsearch")
    }
}

/// What a `key` of this qualifier is.
fn key_of(qualifier: &str) -> Option<Kind> {
    match qualifier {
        "" => Some(Kind::Weak),
        _ if SECRET_KEYS.contains(&qualifier) => Some(Kind::Secret),
        _ if OPEN_KEYS.contains(&qualifier) => None,
        _ => Some(Kind::Key),
    }
}

/// Words written as one: `dbpassword`, `clientsecret`, `authtoken`.
fn compound(word: &str) -> Option<Kind> {
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    if ends(&["password", "passwd", "passphrase", "pwd", "passwort"]) || is_pass_of(word) {
        return Some(Kind::Password);
    }
    let long_token = word.ends_with("token") && word.len() > 6;
    (long_token || ends(SECRET_ENDINGS)).then_some(Kind::Secret)
}

/// `dbpass`, `smtppass`; not `bypass`, `compass`.
fn is_pass_of(word: &str) -> bool {
    word.strip_suffix("pass").is_some_and(|owner| OWNERS.contains(&owner))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Name};

    #[test]
    fn names_promise_what_their_last_word_says() {
        let kind = |name: &str| Name::of(name.as_bytes()).kind();
        for name in
            ["DB_PASSWORD", "dbPassword", "spring.datasource.password", "ses_smtp_password_v4", "SMTP_PASS", "kennwort"]
        {
            assert_eq!(kind(name), Some(Kind::Password), "{name}");
        }
        for name in [
            "clientSecret",
            "x-api-key",
            "SECRET_KEY_BASE",
            "apiKey",
            "GITHUB_TOKEN",
            "aws.secret.access.key",
            "ALGOLIA_ADMIN_KEY",
            "BING_SEARCH_API_KEY",
        ] {
            assert_eq!(kind(name), Some(Kind::Secret), "{name}");
        }
        for name in [
            "passwordHash",
            "tokenTtl",
            "secret_name",
            "publicKey",
            "statementKey",
            "MIX_PUSHER_APP_KEY",
            "ALGOLIA_SEARCH_API_KEY",
            "algoliaSearchOnlyKey",
            "docsearch.apiKey",
            "routing_key",
            "API_CLIENT_ID",
            "foreign_key",
            "bypass",
            "token_endpoint",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
