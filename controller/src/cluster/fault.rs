//! What an API server refused, or why it did not answer: one reason per case, and never a value.

use std::fmt;

use kube::core::Status;
use kube::runtime::watcher;

/// A failure that has nothing to do with the content of the resource, so that trying again helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The word for the condition; docs/cluster.md explains each.
    pub(crate) reason: &'static str,
    /// One sentence.
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl Fault {
    pub(crate) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Somebody changed the object since it was read: look again at once.
    pub(crate) fn is_race(&self) -> bool {
        self.reason == "Conflict"
    }

    /// What became of a request; `doing` says what was tried, such as `write Secret db`.
    pub(crate) fn of(doing: &str, error: &kube::Error) -> Self {
        let kube::Error::Api(status) = error else {
            // The chain of a connection error names addresses and causes, and no content.
            return Self::new("ApiUnavailable", format!("cannot {doing}: {}", chain(error)));
        };
        Self::new(reason(status), format!("cannot {doing}: {}", words(status)))
    }
}

/// What an API server said, or why it did not, without the structure around it. Not for answers to what holds values.
pub(crate) fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => said_by(status),
        other => chain(other),
    }
}

/// The same of a watch.
pub(crate) fn watch_said(error: &watcher::Error) -> String {
    use watcher::Error as E;
    match error {
        E::InitialListFailed(error) => format!("cannot list: {}", said(error)),
        E::WatchStartFailed(error) => format!("cannot watch: {}", said(error)),
        E::WatchFailed(error) => format!("the watch failed: {}", said(error)),
        E::WatchError(status) => format!("the watch ended: {}", said_by(status)),
        E::NoResourceVersion => "the list has no resource version".to_owned(),
    }
}

fn said_by(status: &Status) -> String {
    format!("{} ({})", status.message.trim(), status.code)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

fn has_cause(status: &Status, reason: &str) -> bool {
    status.details.as_ref().is_some_and(|details| details.causes.iter().any(|cause| cause.reason == reason))
}

fn reason(status: &Status) -> &'static str {
    match status.code {
        _ if denier(status).is_some() => "AdmissionDenied",
        403 if has_cause(status, "NamespaceTerminating") => "NamespaceTerminating",
        403 if status.message.contains("exceeded quota") => "QuotaExceeded",
        401 | 403 => "Forbidden",
        404 => "NamespaceNotFound",
        409 => "Conflict",
        400 | 413 | 422 => "InvalidSecret",
        _ => "ApiUnavailable",
    }
}

/// What the names of those who may refuse a request follow and end with, in the words of an API server.
const DENIERS: [(&str, &str, char); 3] = [
    ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicy '", '\''),
    ("MutatingAdmissionPolicy", "MutatingAdmissionPolicy '", '\''),
    ("admission webhook", "admission webhook \"", '"'),
];

/// The policy or webhook that refused a request. What it says itself may quote the Secret: only its name counts, and the
/// first one, since that is what the API server wrote.
fn denier(status: &Status) -> Option<String> {
    let said = &status.message;
    let is_name = |name: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
        (1..=253).contains(&name.len()) && name.bytes().all(inner)
    };
    let of = |(kind, before, end): (&str, &str, char)| {
        let (ahead, rest) = said.split_once(before)?;
        let (name, more) = rest.split_once(end)?;
        let denied = is_name(name) && more.contains(" denied ") && more.contains("request");
        denied.then(|| (ahead.len(), format!("{kind} {name}")))
    };
    DENIERS.into_iter().filter_map(of).min().map(|(_, name)| name)
}

/// What the API server said. Where it may quote content (a validation error, the words of a policy), only fields and names
/// are told.
fn words(status: &Status) -> String {
    if let Some(denier) = denier(status) {
        return format!("{denier} refuses it ({})", status.code);
    }
    if matches!(status.code, 400 | 413 | 422) {
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let named = causes.filter(|cause| !cause.field.is_empty());
        let fields: Vec<String> = named.map(|cause| format!("{} ({})", cause.field, cause.reason)).collect();
        return if fields.is_empty() { format!("it is refused ({})", status.code) } else { fields.join(", ") };
    }
    said_by(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(json: serde_json::Value) -> kube::Error {
        kube::Error::Api(Box::new(serde_json::from_value(json).unwrap()))
    }

    #[test]
    fn a_validation_error_names_fields_and_never_what_they_hold() {
        let error = api(serde_json::json!({"status": "Failure", "code": 422, "reason": "Invalid",
            "message": "Secret \"db\" is invalid: data[x]: Invalid value: \"hunter2\"",
            "details": {"causes": [{"reason": "FieldValueInvalid", "field": "data[x]", "message": "Invalid value: \"hunter2\""}]}}));
        let fault = Fault::of("write Secret db", &error);
        assert_eq!(fault.reason, "InvalidSecret");
        assert_eq!(fault.message, "cannot write Secret db: data[x] (FieldValueInvalid)");
    }

    #[test]
    fn who_refuses_is_named_and_not_what_he_says() {
        let of = |code: u16, message: &str| {
            let error = api(serde_json::json!({"status": "Failure", "code": code, "message": message, "reason": "",
                "details": {"causes": [{"message": message}]}}));
            Fault::of("create Secret app", &error).to_string()
        };
        let policy = "secrets \"app\" is forbidden: ValidatingAdmissionPolicy 'no-x.example' with binding 'b' denied \
            request: hunter2 said admission webhook \"w\" denied the request";
        let expected = "AdmissionDenied: cannot create Secret app: ValidatingAdmissionPolicy no-x.example refuses it";
        assert_eq!(of(422, policy), format!("{expected} (422)"));
        assert_eq!(of(403, policy), format!("{expected} (403)"));
        let webhook = "admission webhook \"check.example.org\" denied the request: hunter2";
        let expected =
            "AdmissionDenied: cannot create Secret app: admission webhook check.example.org refuses it (403)";
        assert_eq!(of(403, webhook), expected);
        // Others are no names, and a plain refusal says that it is one.
        assert_eq!(of(422, "hunter2"), "InvalidSecret: cannot create Secret app: it is refused (422)");
        let odd = of(422, "ValidatingAdmissionPolicy 'hunter2 is it' denied request");
        assert!(odd.starts_with("InvalidSecret") && !odd.contains("hunter2"), "{odd}");
    }

    #[test]
    fn people_read_sentences_and_no_structures() {
        let json = serde_json::json!({"status": "Failure", "code": 403, "message": "secrets is forbidden", "reason": "Forbidden"});
        let error = watcher::Error::InitialListFailed(api(json.clone()));
        assert_eq!(watch_said(&error), "cannot list: secrets is forbidden (403)");
        let error = watcher::Error::WatchError(Box::new(serde_json::from_value(json).unwrap()));
        assert_eq!(watch_said(&error), "the watch ended: secrets is forbidden (403)");
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let reason = |code: u16, message: &str, cause: &str| {
            let error = api(serde_json::json!({"status": "Failure", "code": code, "message": message, "reason": "",
                "details": {"causes": [{"reason": cause, "field": "", "message": ""}]}}));
            Fault::of("write", &error).reason
        };
        assert_eq!(reason(403, "namespace x is being terminated", "NamespaceTerminating"), "NamespaceTerminating");
        assert_eq!(reason(403, "secrets \"a\" is forbidden: exceeded quota: q", ""), "QuotaExceeded");
        assert_eq!(reason(403, "User cannot patch", ""), "Forbidden");
        assert_eq!(reason(404, "namespaces not found", ""), "NamespaceNotFound");
        assert_eq!(reason(409, "conflict", ""), "Conflict");
        assert_eq!(reason(429, "slow down", ""), "ApiUnavailable");
        assert_eq!(reason(503, "no", ""), "ApiUnavailable");
    }
}
