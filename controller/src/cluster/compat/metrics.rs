//! The metric names of the Sealed Secrets controller.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Labels: name and value.
type Labels = Vec<(&'static str, String)>;

/// The instruments under their names there.
pub(crate) struct Names {
    registry: Registry,
    requests: Counter,
    errors: Family<Labels, Counter>,
    conditions: Family<Labels, Gauge>,
    answers: Family<Labels, Counter>,
}

impl Names {
    pub(crate) fn new() -> Self {
        let mut new = Self {
            registry: Registry::with_prefix("sealed_secrets_controller"),
            requests: Counter::default(),
            errors: Family::default(),
            conditions: Family::default(),
            answers: Family::default(),
        };
        let build: Family<Labels, Gauge> = Family::default();
        build.get_or_create(&vec![("revision", format!("plomb-{}", env!("CARGO_PKG_VERSION")))]).set(1);
        let to = &mut new.registry;
        to.register("build_info", "The program that answers", build);
        to.register("unseal_requests", "Looks at a SealedSecret that did something", new.requests.clone());
        to.register("unseal_errors", "Those that failed, by reason and namespace", new.errors.clone());
        to.register("condition_info", "1 where a condition holds, -1 where it does not", new.conditions.clone());
        to.register("http_requests", "Answers of the HTTP paths", new.answers.clone());
        new
    }

    /// One look that did something; `result` is our own word for how it ended.
    pub(crate) fn looked(&self, namespace: &str, result: &str) {
        self.requests.inc();
        if let Some(reason) = reason(result) {
            let labels = vec![("reason", reason.to_owned()), ("namespace", namespace.to_owned())];
            self.errors.get_or_create(&labels).inc();
        }
    }

    /// One answer.
    pub(crate) fn answered(&self, path: &'static str, method: &str, code: u16) {
        let labels = vec![("path", path.to_owned()), ("method", method.to_lowercase()), ("code", code.to_string())];
        self.answers.get_or_create(&labels).inc();
    }

    /// The condition `Synced` of all resources, counted anew: namespace, name, whether it holds.
    pub(crate) fn conditions(&self, all: impl IntoIterator<Item = (String, String, bool)>) {
        self.conditions.clear();
        for (namespace, name, holds) in all {
            let labels = vec![
                ("namespace", namespace),
                ("name", name),
                ("condition", "Synced".to_owned()),
                ("ss_app_kubernetes_io_instance", String::new()),
            ];
            self.conditions.get_or_create(&labels).set(if holds { 1 } else { -1 });
        }
    }

    /// Adds everything to a text of OpenMetrics, before its end mark.
    pub(crate) fn append(&self, text: &mut String) {
        let mut own = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut own, &self.registry);
        text.truncate(text.trim_end().trim_end_matches("# EOF").len());
        text.push_str(&own);
    }
}

/// The word there for a failure; none for a success.
fn reason(result: &str) -> Option<&'static str> {
    match result {
        "Synced" | "Unchanged" | "Suspended" => None,
        "OwnershipConflict" => Some("unmanaged"),
        "ApiUnavailable" => Some("fetch"),
        "Forbidden" | "Conflict" | "QuotaExceeded" | "NamespaceTerminating" | "NamespaceNotFound" => Some("update"),
        _ => Some("unseal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_make_one() {
        let names = Names::new();
        names.looked("prod", "KeyNotFound");
        names.looked("prod", "Synced");
        names.conditions([("prod".to_owned(), "db".to_owned(), false)]);
        let mut text = "a 1\n# EOF\n".to_owned();
        names.append(&mut text);
        assert_eq!(text.matches("# EOF").count(), 1, "{text}");
        assert!(text.starts_with("a 1\n") && text.ends_with("# EOF\n"), "{text}");
        assert!(text.contains("sealed_secrets_controller_unseal_requests_total 2\n"), "{text}");
        let errors = r#"sealed_secrets_controller_unseal_errors_total{reason="unseal",namespace="prod"} 1"#;
        assert!(text.contains(errors), "{text}");
        assert!(text.contains(r#"condition="Synced",ss_app_kubernetes_io_instance=""} -1"#), "{text}");
    }
}
