//! Logs: one JSON object per line on standard error, without any value of a Secret.

use tracing_subscriber::EnvFilter;

/// Starts logging. `level` is `error`, `warn`, `info`, `debug` or `trace`, or a filter per module.
///
/// # Errors
/// When `level` is neither.
pub(crate) fn start(level: &str) -> Result<(), String> {
    // The client's own words may hold whole answers: a list of key Secrets that it could not parse, for one.
    let filter = EnvFilter::try_new(format!("{level},hyper=warn,rustls=warn,tower=warn,kube_client=error"));
    let filter = filter.map_err(|error| format!("--log-level: {error}"))?;
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_target(true);
    format.with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}
