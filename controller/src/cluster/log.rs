//! Logs: one JSON object per line on standard error, without any value of a Secret.

use tracing_subscriber::EnvFilter;

/// Starts logging. `level` is `error`, `warn`, `info`, `debug` or `trace`, or a filter per module.
///
/// # Errors
/// When `level` is neither.
pub(crate) fn start(level: &str) -> Result<(), String> {
    // The filter takes a word that is no level for the name of a module, and would say nothing at all.
    let is_module = level.contains(['=', ',', ':']);
    if !is_module && level.parse::<tracing_subscriber::filter::LevelFilter>().is_err() {
        return Err(format!("--log-level: {level:?} is none of error, warn, info, debug, trace, off"));
    }
    // The client's own words may hold whole answers: a list of key Secrets that it could not parse, for one.
    let filter = EnvFilter::try_new(format!("{level},hyper=warn,rustls=warn,tower=warn,kube_client=error"));
    let filter = filter.map_err(|error| format!("--log-level: {error}"))?;
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_target(true);
    format.with_env_filter(filter).with_writer(|| Deaf(std::io::stderr())).init();
    Ok(())
}

/// Standard error that may be closed at its other end: who no longer listens must not end the controller.
struct Deaf<W>(W);

impl<W: std::io::Write> std::io::Write for Deaf<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, Write};

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(Error::from(std::io::ErrorKind::BrokenPipe))
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(Error::from(std::io::ErrorKind::BrokenPipe))
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let mut deaf = Deaf(Closed);
        assert_eq!(deaf.write(b"line").unwrap(), 4);
        deaf.flush().unwrap();
    }
}
