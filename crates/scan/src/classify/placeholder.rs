//! Texts that stand where a secret will stand: samples, fillers, references to where the secret really is.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memmem;

use super::random::{Counts, is_varied, spelling};

/// Words that say that a text is no secret, wherever they stand in it.
#[rustfmt::skip]
const FILLERS: &[&str] = &[
    "example", "dummy", "placeholder", "changeme", "change_me", "change-me", "changeit", "change_it", "replace",
    "redacted", "xxxx", "****", "....", "your_", "your-", "yourpass", "yoursecret", "yourtoken", "yourkey",
    "yourapi", "your_api", "foobar", "foo-bar", "foo_bar", "loremipsum", "lorem-ipsum", "notasecret",
    "not-a-secret", "not_a_secret", "notreal", "not-real", "not_real", "_here", "-here", "<", "todo:", "fixme",
    "deadbeef", "123456789", "abcdefgh", "qwertyuiop", "fake-", "fake_", "-fake", "_fake", "fakekey", "faketoken", "……", "•", "mysecret", "my-secret", "my_secret",
    "mytoken", "my-token", "my_token", "mypassword", "my-password", "my_password", "myapikey", "my-api", "my_api",
    "somesecret", "some-secret", "some_secret", "supersecret", "super-secret", "super_secret", "topsecret",
    "top-secret", "top_secret", "sometoken", "some-token", "some_token", "somepassword", "some_password",
    "testtoken", "test-token", "test_token", "testsecret", "test-secret", "test_secret", "testpass", "test-pass",
    "test_pass", "testkey", "test-key", "test_key_", "insecure",
];

/// Beginnings of the tokens that the OAuth and OpenID standards show (RFC 6749, 6750, 7009, 7662), copied everywhere.
#[rustfmt::skip]
const PUBLISHED: &[&str] = &[
    "2YotnFZFEj", "tGzv3JOkF0", "czZCaGRSa3", "SlAV32hkKG", "mF_9.B5f-4", "h480djs93h", "45ghiukldj", "7Fjfp0ZBr1",
    "gX1fBat3bV", "n0esc3NRze", "SplxlOBeZQ", "8xLOxBtZp8", "wJalrXUtnF", "je7MtGbClw", "rVyFAYTzYm",
];

/// Words that say the same of a short value that somebody typed, when they make up most of it.
#[rustfmt::skip]
const TYPED: &[&str] = &[
    "test", "fake", "mock", "demo", "sample", "default", "none", "null", "nil", "undefined", "empty", "unset", "unknown",
    "todo", "tbd", "secret", "password", "passwd", "passw0rd", "p@ssw0rd", "pass", "token", "admin", "root",
    "user", "guest", "letmein", "qwerty", "hunter2", "foo", "bar", "baz", "quux", "abc", "123", "asdf", "hello",
    "world", "welcome", "string", "value", "apikey", "key", "true", "false", "hidden", "masked", "postgres",
    "mysql", "redis", "rabbitmq", "guest", "temp", "invalid", "wrong", "correct", "good", "bad", "old", "new",
    "minioadmin", "s3cr3t", "s3cret", "monkey", "dragon", "master", "alice", "bob", "opensesame", "sesame",
    "ssword", "sword", "open", "pwd", "my", "super", "the", "a",
];

/// [`FILLERS`], [`PUBLISHED`] and [`TYPED`], each searched for at once: values may be many and long.
static ANY_FILLER: LazyLock<AhoCorasick> = LazyLock::new(|| words(FILLERS, true));
static ANY_PUBLISHED: LazyLock<AhoCorasick> = LazyLock::new(|| words(PUBLISHED, false));
static ALL_TYPED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let long: Vec<&str> = TYPED.iter().copied().filter(|word| word.len() > 1).collect();
    words(&long, true)
});

fn words(words: &[&str], any_case: bool) -> AhoCorasick {
    let built = AhoCorasick::builder().ascii_case_insensitive(any_case).build(words);
    built.expect("a few short words are no large automaton")
}

/// Whether a value is a filler: a sample's word, one character over and over, a row.
pub(crate) fn is_placeholder(value: &[u8]) -> bool {
    value.is_empty()
        || ANY_PUBLISHED.is_match(value)
        || ANY_FILLER.is_match(value)
        || value.ends_with(b"...")
        || value.len() >= 6 && !is_varied(value)
}

/// Whether a short typed value is made of the words that samples are made of.
pub(crate) fn is_typed_sample(value: &[u8]) -> bool {
    let mut covered = vec![false; value.len()];
    for word in ALL_TYPED.find_overlapping_iter(value) {
        covered[word.range()].fill(true);
    }
    let letters = value.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    let named = value.iter().zip(&covered).filter(|(byte, covered)| **covered && byte.is_ascii_alphanumeric()).count();
    let trailing_digits = value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    named * 10 >= letters.saturating_sub(trailing_digits.min(4)) * 7 && named > 0
}

/// Beginnings of values that say where a secret is, or that are public by nature.
#[rustfmt::skip]
const REFERENCES: &[&str] = &[
    "op://", "vault:", "vault/", "vault://", "ssm:", "ssm/", "ssm://", "secretsmanager:", "arn:", "sm://",
    "gcpsm:", "awssm:", "akv://", "keyvault:", "@microsoft.keyvault", "enc[", "enc(", "env:", "env(", "env.",
    "file:", "file(", "ref+", "ref:", "secret:", "secret/", "secret://", "secrets.", "secrets/", "bws:",
    "doppler:", "kms:", "k8s:", "lastpass:", "keychain:", "sops:", "infisical:", "sha1:", "sha1-", "sha256:",
    "sha256-", "sha384:", "sha384-", "sha512:", "sha512-", "md5:", "md5-", "h1:", "ssh-", "ecdsa-sha2-", "sk-ssh-",
    "sk-ecdsa-", "age1", "pk_live_", "pk_test_", "sb_publishable_", "phc_", "gtm-", "ua-", "urn:", "data:", "did:",
    "-----begin certificate", "-----begin public", "-----begin rsa public", "$ansible_vault", "!vault", "!ref",
    "!sub", "!getatt", "!secret", "process.env", "os.environ", "os.getenv", "system.getenv", "getenv",
    "import.meta", "var.", "local.", "data.", "module.", "each.", "self.", "this.", "projects/", "keys/",
    "resource:", "classpath:", "base64:${", "age-plugin", "recipient:", "vault_", "lookup(", "aws_secretsmanager",
    "azurerm_", "google_secret", "random_password", "kubernetes_secret", "credentials(", "config.", "settings.",
    "cfg.", "conf.", "ctx.", "context.", "req.", "request.", "props.", "options.", "opts.", "args.", "params.",
    "values.",
];

/// Whether a value refers to a secret kept elsewhere, or is of a public kind.
pub(crate) fn is_reference(value: &[u8]) -> bool {
    let head: Vec<u8> = value.iter().take(40).map(u8::to_ascii_lowercase).collect();
    REFERENCES.iter().any(|start| head.starts_with(start.as_bytes()) && !is_base64_like(value, start))
        || is_template(value)
        || is_captcha_site(value)
        || is_browser_token(value)
        || is_sealed(value)
}

/// A drawn value may begin with letters that a reference begins with, if these end in no sign.
fn is_base64_like(value: &[u8], start: &str) -> bool {
    start.bytes().all(|byte| byte.is_ascii_alphanumeric()) && value.len() > 80 && start != "age1"
        || start.ends_with('/')
            && value.len() >= 32
            && value.iter().filter(|byte| **byte == b'/').count() <= 2
            && Counts::of(value).turns > 6
}

/// `${X}`, `$X`, `$(x)`, `{{ x }}`, `<x>`, `%X%`, `@X@`, `#{x}`, `%s`, `{0}` and their kin.
pub(crate) fn is_template(value: &[u8]) -> bool {
    if !value.iter().any(|byte| b"${}#<%_[(\\@!".contains(byte)) {
        return false;
    }
    let find = |text: &str| memmem::find(value, text.as_bytes()).is_some();
    let framed = |open: u8, close: u8| value.len() > 2 && value[0] == open && value[value.len() - 1] == close;
    let inner_is_name =
        || value[1..value.len() - 1].iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.- :".contains(byte));
    ["${", "$(", "{{", "}}", "#{", "<%", "%{", "$[[", "__"]
        .iter()
        .any(|mark| find(mark) && !(*mark == "__" && !(value.starts_with(b"__") && value.ends_with(b"__"))))
        || find("%s") && Counts::of(value).turns < 8
        || find("%d") && value.len() < 8
        || find("%v") && value.len() < 8
        || find("%w") && value.len() < 8
        || find("{}")
        || (framed(b'{', b'}')
            || framed(b'[', b']')
            || framed(b'<', b'>')
            || framed(b'%', b'%')
            || framed(b'@', b'@')
            || framed(b'(', b')'))
            && inner_is_name()
        || framed(b'{', b'}') && !value.contains(&b' ')
        || ["[0-9", "a-z", "A-Z", "\\d", "\\w", "(?:", "[^"].iter().any(|class| find(class))
            && value.iter().any(|byte| b"[(\\".contains(byte))
        || find("%(") && find(")s")
        || has_braced_name(value)
        || value.first() == Some(&b'$') && is_shell_name(&value[1..])
        || value.first() == Some(&b'!')
            && value[1..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count() > 2
            && find(" ")
}

/// `{name}` within a text, as format strings have it.
fn has_braced_name(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(open) = memchr::memchr(b'{', rest) {
        rest = &rest[open + 1..];
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.:?!#-".contains(byte)).count();
        if name > 0 && name < 40 && rest.get(name) == Some(&b'}') {
            return true;
        }
    }
    false
}

/// A variable's name: one case, or as camel case as a word.
fn is_shell_name(name: &[u8]) -> bool {
    let word = name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_:->[].\"'".contains(byte));
    let upper = name.iter().all(|byte| !byte.is_ascii_lowercase());
    let lower = name.iter().all(|byte| !byte.is_ascii_uppercase() && !byte.is_ascii_digit());
    word && !name.is_empty() && (upper || lower || spelling(name) > 0.0)
}

/// reCAPTCHA's keys begin with 6L; the site's is shown to everybody.
fn is_captcha_site(value: &[u8]) -> bool {
    value.len() == 40 && value.starts_with(b"6L")
}

/// Datadog's token for browsers, which is in every page that uses it.
fn is_browser_token(value: &[u8]) -> bool {
    value.strip_prefix(b"pub").is_some_and(|rest| rest.len() == 32 && rest.iter().all(u8::is_ascii_hexdigit))
}

/// A password's hash, as crypt(3) and its kin write it: `$6$salt$…`, `$2y$10$…`, `{SSHA}…`, `pbkdf2_sha256$…`.
pub(crate) fn is_crypt_hash(value: &[u8]) -> bool {
    let modular = || {
        let mut parts = value[1..].split(|byte| *byte == b'$');
        let scheme =
            |part: &[u8]| part.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
        let known = parts.next().is_some_and(|part| (1..=14).contains(&part.len()) && scheme(part));
        known && parts.clone().count() >= 2 && parts.next_back().is_some_and(|last| last.len() >= 20)
    };
    let named = || {
        let head = value[..value.len().min(16)].to_ascii_lowercase();
        [&b"{ssha"[..], b"{sha", b"{crypt}", b"{pbkdf2", b"pbkdf2", b"argon2", b"bcrypt$", b"scrypt:", b"scrypt$"]
            .iter()
            .any(|start| head.starts_with(start))
    };
    value.len() >= 24 && (value[0] == b'$' && modular() || named())
}

/// The ciphertext of a SealedSecret (its key's length in two bytes, then what is drawn), or of AWS KMS.
fn is_sealed(value: &[u8]) -> bool {
    if value.len() >= 160 && (value.starts_with(b"AQICAH") || value.starts_with(b"AQECAH")) {
        return true;
    }
    value.len() > 200 && value.starts_with(b"Ag") && value.get(2).is_some_and(|byte| matches!(byte, b'A'..=b'D'))
}

/// Whether a value is a path, an address, a class or module, an option's name: something that names.
pub(crate) fn is_name_of_something(value: &[u8]) -> bool {
    is_path(value) || is_dotted(value) || is_all_caps(value) || memmem::find(value, b"://").is_some() || is_email(value)
}

fn is_email(value: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'@', value) else { return false };
    let host = &value[at + 1..];
    at > 0
        && host.contains(&b'.')
        && host.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(byte))
        && value[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(byte))
        && host
            .rsplit(|byte| *byte == b'.')
            .next()
            .is_some_and(|end| end.len() >= 2 && end.iter().all(u8::is_ascii_alphabetic))
}

/// A folder, a name and an extension: `img/4f….png`.
pub(crate) fn is_file(value: &[u8]) -> bool {
    let dot = value.iter().rposition(|byte| *byte == b'.');
    value.contains(&b'/') && dot.is_some_and(|dot| EXTENSIONS.contains(&&value[dot + 1..]))
}

/// Slashes between words.
fn is_path(value: &[u8]) -> bool {
    let starts =
        ["/", "./", "../", "~/", "C:\\", "c:\\", "\\\\"].iter().any(|start| value.starts_with(start.as_bytes()));
    let parts: Vec<&[u8]> = value.split(|byte| matches!(byte, b'/' | b'\\')).filter(|part| !part.is_empty()).collect();
    let signs = value.iter().any(|byte| b"+=!#%^&*?".contains(byte));
    let spelled = |part: &&[u8]| part.len() < 24 && Counts::of(part).turns <= 2 && spelling(part) > -1.0;
    let extension = value.len() < 100
        && value.iter().rposition(|byte| *byte == b'.').is_some_and(|dot| EXTENSIONS.contains(&&value[dot + 1..]));
    extension && !signs
        || !signs
            && parts.len() >= 2
            && parts.iter().filter(|part| spelled(part)).count() * 3 >= parts.len() * 2
            && (starts || parts.len() >= 2 && spelling(value) > 0.0)
}

#[rustfmt::skip]
const EXTENSIONS: &[&[u8]] = &[
    b"pem", b"key", b"crt", b"cer", b"json", b"yaml", b"yml", b"txt", b"p12", b"pfx", b"jks", b"toml", b"ini",
    b"conf", b"env", b"pub", b"js", b"ts", b"tsx", b"jsx", b"py", b"rb", b"go", b"rs", b"java", b"kt", b"php",
    b"html", b"css", b"md", b"xml", b"sh", b"properties", b"tpl", b"gpg", b"asc", b"enc", b"age", b"log", b"csv",
    b"svg", b"png", b"com", b"org", b"net", b"io", b"dev", b"internal", b"local", b"test", b"svc",
];

/// `com.acme.Thing`, `a::b::c`, `module.member`: at least two dots, or one between words of letters only.
fn is_dotted(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|byte| b".:".contains(byte)).filter(|part| !part.is_empty()).collect();
    let word = |part: &&[u8]| {
        (part[0].is_ascii_alphabetic() || part[0] == b'_')
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-$".contains(byte))
            && Counts::of(part).turns <= 2
            && (part.len() < 4 || spelling(part) > -0.7)
    };
    let drawn = parts.len() == 2 && Counts::of(value).digits >= 2;
    parts.len() >= 2 && !drawn && parts.iter().all(word)
}

/// `DB_PASSWORD`: the name of a variable.
fn is_all_caps(value: &[u8]) -> bool {
    let counts = Counts::of(value);
    let word = value.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    word && counts.symbols > 0 && counts.turns <= 3 && spelling(value) > -1.0
        || word && counts.digits == 0 && spelling(value) > -0.5
}

/// `8-4-4-4-12` hexadecimal digits.
pub(crate) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::{is_crypt_hash, is_name_of_something, is_placeholder, is_reference, is_typed_sample};

    #[test]
    fn hashes_of_passwords_are_told_from_passwords() {
        let salted = "5gXa0qLmP2".repeat(5);
        for start in [
            "$6$rounds=4096$abc$",
            "$y$j9T$abc$",
            "$2b$12$",
            "$argon2id$v=19$m=65536,t=3,p=4$abc$",
            "pbkdf2_sha256$1$a$",
        ] {
            assert!(is_crypt_hash(format!("{start}{salted}").as_bytes()), "{start}");
        }
        for text in
            ["$ecretF0rTheDoor$AndTheWindow", "$6$", "$6$short$hash", "pa$$w0rd$long$enough$5gXa0qLmP25gXa0qLmP2"]
        {
            assert!(!is_crypt_hash(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn fillers_samples_references_and_names_are_told() {
        for text in ["your-api-key", "xxxxxxxxxxxx", "changeme", "AAAAAAAAAAAAAAAA", "<token>", "0123456789"] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["admin123", "Test1234", "password1", "rootpass", "P@ssw0rd"] {
            assert!(is_typed_sample(text.as_bytes()), "{text}");
        }
        for text in
            ["${TOKEN}", "$TOKEN", "{{ .Values.x }}", "op://v/i/f", "%(pw)s", "ENC[AES256_GCM,data:x]", "sha256:00"]
        {
            assert!(is_reference(text.as_bytes()), "{text}");
        }
        for text in
            ["/etc/ssl/private/orders.key", "com.acme.Thing", "DB_PASSWORD", "https://a.b/c", "prod/orders/db-pass"]
        {
            assert!(is_name_of_something(text.as_bytes()), "{text}");
        }
        for text in ["Q1G!9hpFO3e%wfi", "Tundra-Ember095"] {
            assert!(
                !is_placeholder(text.as_bytes())
                    && !is_reference(text.as_bytes())
                    && !is_name_of_something(text.as_bytes())
            );
            assert!(!is_typed_sample(text.as_bytes()), "{text}");
        }
    }
}
