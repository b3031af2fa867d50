//! `/metrics`, `/healthz` and `/readyz` over plain HTTP, for the kubelet and the monitoring.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::metrics::Metrics;

/// How old the last sign of life may be before the kubelet is asked to start us anew.
const SILENCE_SECONDS: i64 = 120;

/// What the probes tell.
#[derive(Default)]
pub(crate) struct Health {
    ready: AtomicBool,
    beat: AtomicI64,
}

impl Health {
    /// Whether watches have been read, or another replica leads and this one stands by.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// The main loop turns.
    pub(crate) fn beat(&self) {
        self.beat.store(seconds(), Ordering::Relaxed);
    }

    fn is_alive(&self) -> bool {
        let beat = self.beat.load(Ordering::Relaxed);
        beat == 0 || seconds() - beat < SILENCE_SECONDS
    }
}

fn seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

type Shared = Arc<(Arc<Metrics>, Arc<Health>)>;

/// Listens and answers until the process ends.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn listen(address: SocketAddr, metrics: Arc<Metrics>, health: Arc<Health>) -> Result<(), String> {
    let bad = |error: std::io::Error| format!("--metrics-listen {address}: {error}");
    let listener = tokio::net::TcpListener::bind(address).await.map_err(bad)?;
    let router = Router::new()
        .route("/metrics", get(print))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .with_state(Arc::new((metrics, health)));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the metrics listener ended");
        }
    });
    Ok(())
}

async fn print(State(shared): State<Shared>) -> impl IntoResponse {
    let content = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content)], shared.0.text())
}

async fn alive(State(shared): State<Shared>) -> impl IntoResponse {
    answer(shared.1.is_alive())
}

async fn ready(State(shared): State<Shared>) -> impl IntoResponse {
    let (code, word) = answer(shared.1.ready.load(Ordering::Relaxed));
    let unread = shared.0.unread_places();
    (code, unread.iter().fold(word.to_owned(), |body, (place, why)| format!("{body}cannot read {place}: {why}\n")))
}

fn answer(good: bool) -> (StatusCode, &'static str) {
    if good { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not yet\n") }
}
