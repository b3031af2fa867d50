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
const NEUTRAL: &[&str] = &[
    "value",
    "val",
    "string",
    "str",
    "text",
    "plain",
    "plaintext",
    "cleartext",
    "clear",
    "raw",
    "base64",
    "b64",
    "hex",
    "env",
    "prod",
    "production",
    "dev",
    "development",
    "stage",
    "staging",
    "live",
    "old",
    "new",
    "current",
    "previous",
    "main",
    "backup",
    "local",
    "confirm",
    "confirmation",
    "again",
    "base",
    "data",
    "content",
    "literal",
    "bytes",
    "test",
    "testing",
    "qa",
    "uat",
    "eu",
    "us",
    "default",
    "next",
    "rw",
    "ro",
    "x",
    "set",
    "here",
    "is",
    "var",
    "const",
    "v",
    "primary",
    "secondary",
];

/// Words at the end that make the name one of something else.
const OTHER: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "dir",
    "url",
    "uri",
    "urls",
    "endpoint",
    "host",
    "type",
    "types",
    "kind",
    "length",
    "len",
    "size",
    "count",
    "ttl",
    "policy",
    "field",
    "fields",
    "label",
    "arn",
    "ref",
    "reference",
    "version",
    "expiry",
    "expires",
    "expiration",
    "expire",
    "age",
    "timeout",
    "duration",
    "interval",
    "lifetime",
    "min",
    "max",
    "limit",
    "enabled",
    "disabled",
    "required",
    "hint",
    "placeholder",
    "prompt",
    "title",
    "description",
    "message",
    "error",
    "format",
    "pattern",
    "regex",
    "prefix",
    "suffix",
    "header",
    "param",
    "parameter",
    "input",
    "form",
    "class",
    "provider",
    "manager",
    "service",
    "store",
    "storage",
    "location",
    "mode",
    "method",
    "algorithm",
    "alg",
    "scheme",
    "issuer",
    "audience",
    "scope",
    "scopes",
    "status",
    "state",
    "index",
    "column",
    "hash",
    "digest",
    "checksum",
    "fingerprint",
    "thumbprint",
    "integrity",
    "signature",
    "commit",
    "rev",
    "revision",
    "sha",
    "sha1",
    "sha256",
    "md5",
    "etag",
    "uuid",
    "guid",
    "user",
    "username",
    "email",
    "account",
    "bucket",
    "region",
    "zone",
    "engine",
    "helper",
    "command",
    "cmd",
    "script",
    "factory",
    "handler",
    "reset",
    "strength",
    "complexity",
    "rotation",
    "encoder",
    "validator",
    "generator",
    "link",
    "page",
    "key_id",
    "kid",
    "alias",
    "namespace",
    "group",
    "role",
    "date",
    "at",
    "time",
    "days",
    "hours",
    "minutes",
    "seconds",
    "ms",
    "bits",
    "curve",
    "usage",
    "source",
    "template",
    "public",
    "pub",
    "recipient",
    "recipients",
    "options",
    "config",
    "settings",
    "binding",
    "code",
    "icon",
    "color",
    "button",
    "tag",
    "tags",
    "image",
    "digests",
    "list",
    "map",
    "server",
];

/// Qualifiers of `key` that make it a secret.
const SECRET_KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "encryption",
    "encrypt",
    "encrypting",
    "decryption",
    "crypt",
    "crypto",
    "cipher",
    "signing",
    "sign",
    "signature",
    "master",
    "auth",
    "authorization",
    "authentication",
    "account",
    "storage",
    "shared",
    "service",
    "session",
    "cookie",
    "jwt",
    "hmac",
    "aes",
    "aes256",
    "app",
    "application",
    "client",
    "consumer",
    "admin",
    "deploy",
    "deployment",
    "webhook",
    "function",
    "functions",
    "license",
    "licence",
    "subscription",
    "write",
    "ingest",
    "ingestion",
    "integration",
    "rest",
    "sas",
    "kek",
    "dek",
    "wallet",
    "root",
    "seed",
    "symmetric",
    "tls",
    "ssl",
    "ssh",
    "rsa",
    "ec",
    "backup",
    "restic",
    "security",
    "user",
    "bot",
    "project",
    "vault",
    "unseal",
    "recovery",
    "pre-shared",
    "preshared",
    "psk",
    "password",
    "token",
    "credential",
    "credentials",
    "login",
    "passwd",
    "ssl",
    "merchant",
    "payment",
    "signing_secret",
    "transfer",
    "trading",
    "exchange",
];

/// Qualifiers of `key` that make it none.
const OPEN_KEYS: &[&str] = &[
    "public",
    "pub",
    "publishable",
    "publish",
    "foreign",
    "cache",
    "sort",
    "partition",
    "row",
    "object",
    "map",
    "dict",
    "translation",
    "i18n",
    "message",
    "idempotency",
    "dedup",
    "lookup",
    "hash",
    "index",
    "group",
    "site",
    "sitekey",
    "verify",
    "verification",
    "verifying",
    "validation",
    "host",
    "registry",
    "shortcut",
    "hot",
    "arrow",
    "anon",
    "shard",
    "routing",
    "json",
    "yaml",
    "column",
    "field",
    "property",
    "metadata",
    "label",
    "tag",
    "query",
    "param",
    "s3",
    "image",
    "trusted",
    "known",
    "authorized",
    "gpg",
    "pgp",
    "signed",
    "pressed",
    "last",
    "first",
    "prev",
    "parent",
    "child",
    "node",
    "item",
    "sub",
    "super",
    "unique",
    "composite",
    "natural",
    "surrogate",
    "identity",
    "peer",
    "remote",
    "recipient",
    "age",
];

/// Words anywhere that make a name one of a sample or of something shown to all.
const ANYWHERE: &[&str] = &[
    "public",
    "publishable",
    "pubkey",
    "anon",
    "nonce",
    "fake",
    "dummy",
    "example",
    "sample",
    "mock",
    "placeholder",
    "integrity",
    "checksum",
    "digest",
    "fingerprint",
    "thumbprint",
    "commit",
    "sha256",
    "sha1",
    "sha512",
    "md5",
    "etag",
    "recaptcha_site",
    "invalid",
    "wrong",
    "bad",
    "label",
    "i18n",
    "pagination",
    "cursor",
    "continuation",
    "cancellation",
    "hashed",
    "encrypted",
    "sealed",
    "ciphertext",
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
        let neutral = |word: &String| {
            NEUTRAL.contains(&&**word) || word.bytes().all(|byte| byte.is_ascii_digit()) || word.len() == 1
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
        let core = self.core();
        let word = core.last()?.trim_end_matches(|letter: char| letter.is_ascii_digit());
        if self.words.iter().any(|word| ANYWHERE.contains(&&**word)) {
            return None;
        }
        let before = core.len().checked_sub(2).map_or("", |at| &core[at]);
        match word {
            "password" | "passwd" | "pwd" | "passphrase" | "pass" | "passcode" | "passwort" | "kennwort" | "senha"
            | "contrasena" | "contraseña" | "parola" | "wachtwoord" | "haslo" | "mdp" | "motdepasse" | "psw"
            | "passwords" | "userpass" | "pw" | "psk" => Some(Kind::Password),
            "secret" | "secrets" => Some(Kind::Secret),
            "token"
                if matches!(
                    before,
                    "page"
                        | "next"
                        | "sync"
                        | "continuation"
                        | "continue"
                        | "cancel"
                        | "cancellation"
                        | "request"
                        | "resume"
                        | "design"
                        | "stop"
                        | "start"
                        | "end"
                        | "eos"
                        | "bos"
                        | "pad"
                        | "unk"
                        | "sep"
                        | "eof"
                        | "upload"
                        | "idempotency"
                        | "mapbox"
                ) =>
            {
                None
            }
            "token" | "tokens" if matches!(before, "csrf" | "xsrf" | "antiforgery" | "authenticity" | "forgery") => {
                None
            }
            "masterauth" | "requirepass" => Some(Kind::Password),
            "token" | "tokens" | "pat" | "jwt" => Some(Kind::Secret),
            "credential" | "credentials" | "creds" | "cred" => Some(Kind::Secret),
            "salt" | "pepper" => Some(if core.len() > 1 { Kind::Secret } else { Kind::Weak }),
            "apikey" | "accesskey" | "secretkey" | "privatekey" | "authtoken" | "accesstoken" | "apitoken"
            | "clientsecret" | "apisecret" | "appsecret" | "appkey" | "authkey" | "masterkey" | "signingkey"
            | "encryptionkey" | "passkey" | "sharedkey" | "servicekey" | "licensekey" | "sessionkey"
            | "bearertoken" | "refreshtoken" | "secrettoken" | "accountkey" | "hmackey" | "cookiesecret" | "aeskey"
            | "sharedaccesskey" | "storagekey" | "adminkey" => Some(Kind::Secret),
            "key" | "keys" if before.is_empty() => Some(Kind::Weak),
            "key" | "keys" if SECRET_KEYS.contains(&before) => Some(Kind::Secret),
            "key" | "keys" if OPEN_KEYS.contains(&before) => None,
            "key" | "keys" => Some(Kind::Key),
            "auth" | "authorization" | "bearer" => Some(Kind::Auth),
            _ if word.ends_with("password")
                || word.ends_with("passwd")
                || word.ends_with("passphrase")
                || word.ends_with("pwd")
                || word.ends_with("passwort") =>
            {
                Some(Kind::Password)
            }
            _ if word.ends_with("pass")
                && !matches!(
                    word,
                    "bypass"
                        | "compass"
                        | "encompass"
                        | "surpass"
                        | "trespass"
                        | "overpass"
                        | "underpass"
                        | "onepass"
                        | "singlepass"
                        | "multipass"
                        | "renderpass"
                        | "webpass"
                        | "lastpass"
                        | "keepass"
                        | "subpass"
                        | "prepass"
                ) =>
            {
                Some(Kind::Password)
            }
            _ if word.ends_with("secret")
                || word.ends_with("apikey")
                || word.ends_with("secretkey")
                || word.ends_with("accesskey")
                || word.ends_with("authtoken")
                || word.ends_with("accesstoken")
                || word.ends_with("privatekey") =>
            {
                Some(Kind::Secret)
            }
            _ if word.ends_with("token") && word.len() > 7 => Some(Kind::Secret),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Name};

    #[test]
    fn names_promise_what_their_last_word_says() {
        let kind = |name: &str| Name::of(name.as_bytes()).kind();
        for name in ["DB_PASSWORD", "dbPassword", "spring.datasource.password", "userPwd2", "SMTP_PASS", "kennwort"] {
            assert_eq!(kind(name), Some(Kind::Password), "{name}");
        }
        for name in ["clientSecret", "x-api-key", "SECRET_KEY_BASE", "apiKey", "GITHUB_TOKEN", "aws.secret.access.key"]
        {
            assert_eq!(kind(name), Some(Kind::Secret), "{name}");
        }
        for name in [
            "passwordHash",
            "tokenTtl",
            "secret_name",
            "publicKey",
            "API_CLIENT_ID",
            "foreign_key",
            "bypass",
            "token_endpoint",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
