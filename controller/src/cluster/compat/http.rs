//! What `kubeseal` asks a controller for. As there, whoever reaches the port may ask whether a SealedSecret opens, and
//! have it sealed to the newest key; no answer holds a value. Unlike there, both are limited in number and size.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sealed::{Manifest, bitnami, manifest, open};
use secret::{OsRandom, SecretBytes};
use tokio::sync::watch;

use crate::cluster::keyring::KeySet;
use crate::cluster::metrics::Metrics;

/// Largest SealedSecret that is looked at.
const BODY_LIMIT: usize = 2 << 20;
/// Questions at once, and how fast new ones are granted: RSA is slow.
const BURST: u32 = 2;
const EVERY: Duration = Duration::from_millis(500);

struct Desk {
    keys: watch::Receiver<Option<Arc<KeySet>>>,
    metrics: Arc<Metrics>,
    bucket: Mutex<(u32, Instant)>,
}

/// Listens and answers until the process ends.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn listen(
    address: SocketAddr,
    keys: watch::Receiver<Option<Arc<KeySet>>>,
    metrics: Arc<Metrics>,
) -> Result<(), String> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.map_err(|error| format!("--compat-http {address}: {error}"))?;
    let desk = Desk { keys, metrics, bucket: Mutex::new((BURST, Instant::now())) };
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/v1/cert.pem", get(certificate))
        .route("/v1/verify", post(verify))
        .route("/v1/rotate", post(rotate))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Arc::new(desk));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the listener for kubeseal ended");
        }
    });
    Ok(())
}

impl Desk {
    /// Whether one more question is granted now.
    fn grant(&self) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *bucket;
        let new = u32::try_from(since.elapsed().as_millis() / EVERY.as_millis()).unwrap_or(u32::MAX);
        let left = left.saturating_add(new).min(BURST);
        let since = if new > 0 { Instant::now() } else { since };
        *bucket = (left.saturating_sub(1), since);
        left > 0
    }

    fn keys(&self) -> Option<Arc<KeySet>> {
        self.keys.borrow().clone()
    }

    fn answer(&self, path: &'static str, method: &str, answer: impl IntoResponse) -> Response {
        let answer = answer.into_response();
        self.metrics.answered(path, method, answer.status().as_u16());
        answer
    }
}

async fn certificate(State(desk): State<Arc<Desk>>) -> Response {
    let newest = desk.keys().and_then(|keys| keys.newest_rsa.clone());
    let answer = match newest {
        Some(newest) => ([(header::CONTENT_TYPE, "application/x-pem-file")], newest.certificate).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no key of Sealed Secrets here\n").into_response(),
    };
    desk.answer("/v1/cert.pem", "get", answer)
}

async fn verify(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let answer = match asked(&desk, body) {
        Err(refused) => refused.into_response(),
        Ok((object, keys)) => {
            let opens = tokio::task::spawn_blocking(move || open(&object, &keys.keys).is_ok()).await;
            match opens {
                Ok(true) => (StatusCode::OK, "").into_response(),
                Ok(false) => (StatusCode::CONFLICT, "").into_response(),
                Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "").into_response(),
            }
        }
    };
    desk.answer("/v1/verify", "post", answer)
}

async fn rotate(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let answer = match asked(&desk, body) {
        Err(refused) => refused.into_response(),
        Ok((object, keys)) => {
            let resealed = tokio::task::spawn_blocking(move || {
                let newest = keys.newest_rsa.as_ref()?;
                let to = keys.keys.rsa().iter().find(|key| key.fingerprint() == newest.fingerprint)?;
                bitnami::reseal(&object, &keys.keys, to, &mut OsRandom::default()).ok()
            });
            match resealed.await {
                Ok(Some(object)) => ([(header::CONTENT_TYPE, "application/json")], object.to_string()).into_response(),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "it does not open here\n").into_response(),
            }
        }
    };
    desk.answer("/v1/rotate", "post", answer)
}

/// The only object of a text in JSON or YAML.
fn one_object(body: &Bytes) -> Option<Manifest> {
    let text = || SecretBytes::new(body.to_vec());
    Manifest::from_api(text()).ok().or_else(|| {
        let mut all = manifest::read(text(), "body.yaml", "").ok()?;
        (all.len() == 1 && all[0].documents == 1).then(|| all.remove(0))
    })
}

/// The SealedSecret that a question is about, and the keys.
fn asked(desk: &Desk, body: Bytes) -> Result<(Manifest, Arc<KeySet>), (StatusCode, &'static str)> {
    if !desk.grant() {
        return Err((StatusCode::TOO_MANY_REQUESTS, "too many questions\n"));
    }
    let bad = |why: &'static str| (StatusCode::INTERNAL_SERVER_ERROR, why);
    let object = one_object(&body).ok_or_else(|| bad("this is not one object in JSON or YAML\n"))?;
    if object.id.kind != "SealedSecret" || object.id.group() != "bitnami.com" {
        return Err(bad("this is no SealedSecret\n"));
    }
    let keys = desk.keys().ok_or_else(|| bad("the keys were not read yet\n"))?;
    Ok((object, keys))
}
