//! What Kubernetes accepts as names, and which names the selector makes impossible.

/// The keys whose values are encrypted, at any depth: no name in clear may be one of them.
pub const SEALED_KEYS: [&str; 3] = ["binding", "data", "stringData"];

/// Largest sum of the values of one Secret, in bytes.
pub const SECRET_LIMIT: usize = 1 << 20;

/// Largest sum of the values of all Secrets of one resource, in bytes. Four times what a file can hold: only templates
/// reach it.
pub const RESOURCE_LIMIT: usize = 4 << 20;

/// The type of Secrets that a controller of Kubernetes fills with a token of its own.
pub const FILLED_TYPE: &str = "kubernetes.io/service-account-token";

/// How the labels and annotations begin by which our controller tells whose a Secret is.
pub const OWN_PREFIX: &str = "plomb.dev/";
/// Those of other kinds that their controllers, and ours, act upon when they see them on a live Secret.
const FOREIGN_MARKS: [&str; 4] = [
    "sealedsecrets.bitnami.com/managed",
    "sealedsecrets.bitnami.com/patch",
    "sealedsecrets.bitnami.com/skip-set-owner-references",
    "sopssecret/managed",
];

/// Whether a label or annotation called `name` says whose a Secret is, to our controller or to that of another kind. No
/// EncryptedSecret may ask for one: it could make a Secret another's, or open it to another kind.
pub fn is_ownership_mark(name: &str) -> bool {
    name.starts_with(OWN_PREFIX) || FOREIGN_MARKS.contains(&name)
}

/// Whether `name` would be taken for a place of ciphertext.
pub fn is_reserved(name: &str) -> bool {
    SEALED_KEYS.contains(&name)
}

/// Whether `name` is a DNS subdomain (RFC 1123): names of Secrets and resources.
pub fn is_subdomain(name: &str) -> bool {
    (1..=253).contains(&name.len()) && name.split('.').all(is_label)
}

/// Whether `name` is a DNS label (RFC 1123): names of namespaces.
pub fn is_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
    let bytes = name.as_bytes();
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|byte| inner(*byte))
}

/// Whether `key` may be a key of a Secret's data.
pub fn is_data_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=253).contains(&key.len()) && key != "." && !key.starts_with("..") && key.bytes().all(allowed)
}

/// Whether `key` may be the key of a label or annotation: an optional DNS prefix and a name.
pub fn is_qualified(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, name)) if is_subdomain(prefix) => name,
        Some(_) => return false,
        None => key,
    };
    !name.is_empty() && is_label_value(name)
}

/// Whether `value` may be a label's value; an empty one may.
pub fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

/// Whether kubectl's YAML 1.1 would read the plain text `key` as something else than text. Such keys are quoted in
/// what we write; a name that nobody quotes later would change on its way to the API server.
pub fn is_misread(key: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let numeric =
        |text: &str| text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '.' | '-' | '+'));
    key.is_empty()
        || key == "~"
        || WORDS.contains(&key.to_ascii_lowercase().as_str())
        || (numeric(key) && is_number(key))
}

/// Generous: anything that some YAML 1.1 reader takes for a number, a time or a sexagesimal number.
fn is_number(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_hexdigit() || b"xXoO_.+-:eEinfaINFA".contains(&byte);
    key.bytes().any(|byte| byte.is_ascii_digit()) && key.bytes().all(allowed)
}

/// Keys that a Secret of a built-in type must have: all of them, or for basic-auth one of them.
pub fn missing_key(type_: &str, has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let all = |keys: &'static [&'static str]| keys.iter().copied().find(|key| !has(key));
    match type_ {
        "kubernetes.io/tls" => all(&["tls.crt", "tls.key"]),
        "kubernetes.io/dockerconfigjson" => all(&[".dockerconfigjson"]),
        "kubernetes.io/dockercfg" => all(&[".dockercfg"]),
        "kubernetes.io/ssh-auth" => all(&["ssh-privatekey"]),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => Some("username or password"),
        _ => None,
    }
}

/// The key whose value must be a JSON object in a Secret of that type.
pub fn json_key(type_: &str) -> Option<&'static str> {
    match type_ {
        "kubernetes.io/dockerconfigjson" => Some(".dockerconfigjson"),
        "kubernetes.io/dockercfg" => Some(".dockercfg"),
        _ => None,
    }
}

/// Whether an API server reads the value as a JSON object; `null` stands for an empty one.
pub fn is_json_object(value: &[u8]) -> bool {
    let starts = value.trim_ascii_start();
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(value).is_ok();
    is_json && (starts.starts_with(b"{") || starts.starts_with(b"null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_as_the_api_server_does() {
        for good in ["a", "a-b.c0", "0"] {
            assert!(is_subdomain(good), "{good}");
        }
        for mark in ["plomb.dev/source", "sealedsecrets.bitnami.com/managed", "sopssecret/managed"] {
            assert!(is_ownership_mark(mark), "{mark}");
        }
        assert!(!is_ownership_mark("app.kubernetes.io/managed-by") && !is_ownership_mark("plomb.dev.example.org/x"));
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", &"a".repeat(64), &format!("{}a", "a.".repeat(127))] {
            assert!(!is_subdomain(bad), "{bad}");
        }
        assert!(is_data_key(".dockerconfigjson") && is_data_key("A_b-1.c"));
        for bad in ["", ".", "..", "..a", "a b", "a:b", "ä", "${x}"] {
            assert!(!is_data_key(bad), "{bad}");
        }
        assert!(
            is_qualified("app.kubernetes.io/name")
                && is_qualified("app")
                && !is_qualified("a/b/c")
                && !is_qualified("/a")
        );
        assert!(is_label_value("") && is_label_value("a_b.C") && !is_label_value("a ") && !is_label_value("_a"));
    }

    #[test]
    fn the_configuration_of_docker_is_an_object() {
        for good in ["{}", " {\"auths\": {\"r.example\": {\"auth\": \"eA==\"}}}\n", "null"] {
            assert!(is_json_object(good.as_bytes()), "{good}");
        }
        for bad in ["", "nojson", "[]", "\"{}\"", "{", "{} {}", "1", "{\"a\":}"] {
            assert!(!is_json_object(bad.as_bytes()), "{bad}");
        }
        assert_eq!((json_key("kubernetes.io/dockercfg"), json_key("Opaque")), (Some(".dockercfg"), None));
    }

    #[test]
    fn keys_of_yaml_1_1_are_known() {
        for misread in [
            "n",
            "Y",
            "on",
            "OFF",
            "no",
            "true",
            "Null",
            "~",
            "",
            "1",
            "0x1F",
            "1e3",
            "-1",
            ".5",
            "1_000",
            "12:30",
            "2001-01-01",
        ] {
            assert!(is_misread(misread), "{misread}");
        }
        for fine in ["nn", "key", "tls.crt", "v1", "a1", "-x", "1password", ".env", "_"] {
            assert!(!is_misread(fine), "{fine}");
        }
    }
}
