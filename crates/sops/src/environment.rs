//! A decrypted tree as environment variables, as SOPS' `exec-env` makes them.

use document::{Map, Value, number};
use secret::SecretBytes;

use crate::error::SopsError;

/// One variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name: the key.
    pub name: Box<str>,
    /// Its value.
    pub value: SecretBytes,
}

/// The entries of a document's top level, in order; `only` chooses some by key.
///
/// # Errors
/// [`SopsError::Path`] that names a key whose value is a map or list, that cannot be a variable's name, whose
/// value holds a NUL byte, or that was chosen and is not there.
pub fn variables(root: &Map, only: Option<&[String]>) -> Result<Vec<Variable>, SopsError> {
    let chosen = |key: &str| only.is_none_or(|only| only.iter().any(|name| name == key));
    if let Some(absent) = only.unwrap_or_default().iter().find(|name| root.get(name).is_none()) {
        return Err(SopsError::Path(format!("there is no key {absent:?}")));
    }
    root.entries().filter(|entry| chosen(&entry.key)).map(|entry| variable(&entry.key, &entry.value.value)).collect()
}

fn variable(key: &str, value: &Value) -> Result<Variable, SopsError> {
    let refuse = |what: &str| Err(SopsError::Path(format!("{what} cannot be used in the environment: key {key:?}")));
    if key.is_empty() || key.contains(['=', '\0']) {
        return refuse("such a name");
    }
    let Some(value) = text(value) else { return refuse("a map or list") };
    if value.expose().contains(&0) {
        return refuse("a value with a NUL byte");
    }
    Ok(Variable { name: key.into(), value })
}

/// A scalar as Go prints it.
fn text(value: &Value) -> Option<SecretBytes> {
    Some(match value {
        Value::Null => SecretBytes::from("<nil>"),
        Value::Bool(bool) => SecretBytes::from(if *bool { "true" } else { "false" }),
        Value::Int(int) => SecretBytes::from(int.to_string()),
        Value::Float(float) => SecretBytes::from(number::flat(*float)),
        Value::Str(bytes) => bytes.duplicate(),
        Value::Time(time) => SecretBytes::from(&**time),
        Value::Map(_) | Value::List(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Map {
        let mut map = Map::default();
        map.push("A", Value::str("x y"));
        map.push("B", Value::Float(3.0));
        map.push("C", Value::Null);
        map.push("D", Value::Bool(true));
        map
    }

    #[test]
    fn scalars_are_printed_as_sops_prints_them() {
        let all = variables(&tree(), None).unwrap();
        let shown: Vec<_> = all.iter().map(|it| format!("{}={}", it.name, it.value.expose_str().unwrap())).collect();
        assert_eq!(shown, ["A=x y", "B=3.0", "C=<nil>", "D=true"]);
    }

    #[test]
    fn what_cannot_be_a_variable_is_refused_by_its_key() {
        for (key, value) in [("m", Value::Map(Map::default())), ("a=b", Value::Null), ("n", Value::str("a\0b"))] {
            let mut map = tree();
            map.push(key, value);
            let error = variables(&map, None).unwrap_err().to_string();
            assert!(error.contains(&format!("{key:?}")), "{error}");
            assert!(variables(&map, Some(&["A".to_owned()])).is_ok());
        }
        assert!(variables(&tree(), Some(&["Z".to_owned()])).is_err());
    }
}
