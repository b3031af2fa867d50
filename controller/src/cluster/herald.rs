//! Events go out beside the work, one after the other, and step back while there is other work: a thousand resources
//! that come at once must not wait for a thousand courtesies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;

use super::fault::Fault;
use super::lanes::Lanes;
use super::metrics::Metrics;

/// Events that may wait. What comes on top is lost and counted; log and conditions tell it all the same.
const WAITING: usize = 10_000;
/// Between two events while every slot for looks is taken.
const BUSY: Duration = Duration::from_millis(100);
/// Between two events at other times.
const IDLE: Duration = Duration::from_millis(2);
/// How long one event may take.
const TELLING: Duration = Duration::from_secs(30);
/// Events after which the recorder is made anew: it keeps each for minutes, to count what is said again.
const RECORDED: usize = 500;
/// Longest note that the API server takes.
const NOTE_LIMIT: usize = 1024;

/// Something to be announced about an object.
struct News {
    about: ObjectReference,
    event: Event,
}

/// Who announces.
#[derive(Clone)]
pub(crate) struct Herald {
    to: mpsc::Sender<News>,
    /// Events that were not published yet.
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

impl Herald {
    /// Starts one that speaks as `reporter`. It steps back while all places are taken.
    pub(crate) fn start(client: Client, reporter: Reporter, metrics: Arc<Metrics>, lanes: Lanes) -> Self {
        let (to, from) = mpsc::channel(WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        tokio::spawn(announce(client, reporter, from, lanes, waiting.clone()));
        Self { to, waiting, metrics }
    }

    /// Will publish an event about an object. Events are a courtesy: one that cannot be written is logged and left.
    pub(crate) fn tell(&self, about: ObjectReference, type_: EventType, reason: &str, note: &str) {
        let note = Some(shortened(note));
        let event = Event { type_, reason: reason.to_owned(), note, action: "Reconcile".to_owned(), secondary: None };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.to.try_send(News { about, event }).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.metrics.event_lost();
        }
    }

    /// Waits until everything was told, or `limit` is over.
    pub(crate) async fn finish(&self, limit: Duration) {
        let told = async {
            while self.waiting.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(limit, told).await;
    }
}

async fn announce(
    client: Client,
    reporter: Reporter,
    mut from: mpsc::Receiver<News>,
    lanes: Lanes,
    waiting: Arc<AtomicUsize>,
) {
    let (mut recorder, mut told) = (Recorder::new(client.clone(), reporter.clone()), 0);
    while let Some(News { about, event }) = from.recv().await {
        if told >= RECORDED {
            (recorder, told) = (Recorder::new(client.clone(), reporter.clone()), 0);
        }
        told += 1;
        let published = tokio::time::timeout(TELLING, recorder.publish(&event, &about)).await;
        match published {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %Fault::of("publish an event", &error), "event lost"),
            Err(_) => tracing::warn!(error = "no answer in time", "event lost"),
        }
        waiting.fetch_sub(1, Ordering::Relaxed);
        tokio::time::sleep(if lanes.is_full() { BUSY } else { IDLE }).await;
    }
}

fn shortened(note: &str) -> String {
    if note.len() <= NOTE_LIMIT {
        return note.to_owned();
    }
    let end = (0..=NOTE_LIMIT - 3).rev().find(|at| note.is_char_boundary(*at)).unwrap_or_default();
    format!("{}…", &note[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"ä".repeat(1000));
        assert!(long.len() <= NOTE_LIMIT && long.ends_with('…'), "{}", long.len());
    }
}
