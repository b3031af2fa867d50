//! `plomb-controller run`: connects, stands for leader, leads, and stops in order.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::runtime::events::Reporter;
use sealed::custody::Settings;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::budget::Budget;
use super::compat;
use super::connect::{self, connect};
use super::custody::Custodian;
use super::elector::Elector;
use super::herald::Herald;
use super::keyring::{self, Source};
use super::lanes::Lanes;
use super::metrics::Metrics;
use super::probes::{self, Health};
use super::reconcile::Cluster;
use super::rewrap::{self, Rewraps};
use super::settings::{Args, Profile};
use super::watch::{Unit, bell, secrets};
use super::{FIELD_MANAGER, log};
use crate::outcome::{Exit, Failure};

/// How long running looks may take to finish when we are asked to stop.
const GRACE: Duration = Duration::from_secs(15);
/// How long events may take to be told after that.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// Most threads that talk to the API server: each has memory of its own, and what is computed has other threads.
const WORKERS: usize = 4;
/// Between two counts of all resources for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// Runs until it is told to stop.
///
/// # Errors
/// When it cannot start: a setting, the connection's configuration, or the address of the metrics.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    log::start(&args.log_level).map_err(Failure::usage)?;
    // A crash must not leave the keys in a file.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS))
        .max_blocking_threads(usize::from(args.concurrency) + 2)
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> Result<Exit, Failure> {
    let settings = Arc::new(args.custody().map_err(Failure::usage)?);
    for path in &args.identity {
        std::fs::File::open(path).map_err(|error| Failure::io(path, "read the identities", &error))?;
    }
    let stop = stop_signal()?;
    let client = connect(args.kubeconfig.as_deref(), connect::Default::Pod).await?.client;
    let (metrics, health) = (Arc::new(Metrics::new(args.compat_metrics)), Arc::new(Health::default()));
    probes::listen(args.metrics_listen, metrics.clone(), health.clone()).await.map_err(Failure::usage)?;
    let (to, keys) = watch::channel(None);
    let source = Source {
        client: client.clone(),
        namespace: args.namespace.clone(),
        files: args.identity.clone(),
        metrics: metrics.clone(),
    };
    tokio::spawn(keyring::follow(source, to));
    let lanes = Lanes::new(args.concurrency);
    if let Some(address) = args.compat_http {
        compat::listen(address, keys.clone(), metrics.clone()).await.map_err(Failure::usage)?;
    }
    let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(args.identity_name.clone()) };
    let cluster = Arc::new(Cluster {
        herald: Herald::start(client.clone(), reporter, metrics.clone(), lanes.clone()),
        client,
        keys,
        metrics,
        settled: watch::Sender::new(false),
        budget: Budget::new(),
        snapshots: watch::Sender::new(None),
        lanes,
    });
    tracing::info!(version = env!("CARGO_PKG_VERSION"), namespace = %args.namespace, "started");
    let turns = stand(&args, settings, &cluster, &health, stop.clone());
    turns.await;
    cluster.herald.finish(LAST_WORDS).await;
    tracing::info!("stopped");
    Ok(Exit::Ok)
}

/// Leads whenever it may, until `stop`.
async fn stand(
    args: &Args,
    settings: Arc<Settings>,
    cluster: &Arc<Cluster>,
    health: &Arc<Health>,
    stop: watch::Receiver<bool>,
) {
    let lease = format!("{}-controller", args.name);
    let (client, metrics) = (cluster.client.clone(), cluster.metrics.clone());
    let mut elector = Elector::new(client, metrics, &args.namespace, lease, args.identity_name.clone());
    let heart = beat(health.clone());
    let turns = async {
        loop {
            if args.no_leader_election {
                lead(args, &settings, cluster, health, told(stop.clone())).await;
                return;
            }
            tokio::select! {
                // A replica that stands by is ready: it does what it should. Where nobody leads, none is.
                () = elector.acquire(|stands_by| health.set_ready(stands_by)) => {}
                () = told(stop.clone()) => return,
            }
            tracing::info!("leading");
            let (done, lost) = watch::channel(false);
            let leading = lead(args, &settings, cluster, health, either(told(stop.clone()), told(lost)));
            tokio::select! {
                () = leading => {}
                () = elector.hold() => {
                    // What runs now is dropped: its writes carry preconditions, and another may lead in five seconds.
                    drop(done);
                    tracing::warn!("the lease is lost");
                }
            }
            cluster.metrics.leads(false);
            if *stop.borrow() {
                elector.release().await;
                return;
            }
        }
    };
    tokio::select! {
        () = turns => {}
        () = heart => {}
    }
}

async fn beat(health: Arc<Health>) {
    loop {
        health.beat();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Looks after everything until `stop`, then lets running looks finish.
async fn lead(
    args: &Args,
    settings: &Arc<Settings>,
    cluster: &Arc<Cluster>,
    health: &Arc<Health>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    cluster.metrics.leads(true);
    health.set_ready(false);
    let (stopping, stopped) = watch::channel(false);
    tokio::pin!(stop);
    let mut keys = cluster.keys.clone();
    tokio::select! {
        _ = keys.wait_for(Option::is_some) => {}
        () = &mut stop => return,
    }
    // Tasks end with this set, at the latest.
    let (mut watches, mut looks) = (JoinSet::new(), JoinSet::new());
    let scopes: Vec<Option<String>> = match args.watch_namespace.as_slice() {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    };
    let mut units = Vec::new();
    for scope in &scopes {
        let mut ears = Vec::new();
        let mut bells = Vec::new();
        for kind in &args.kinds {
            let (for_secrets, woken) = bell(*kind);
            ears.push((*kind, woken, for_secrets.another()));
            bells.push(for_secrets);
        }
        let store = match args.profile {
            Profile::NoWatch => None,
            Profile::Watch => Some(secrets(cluster, scope.as_deref(), bells, &mut watches)),
        };
        for (kind, woken, bell) in ears {
            let unit = Arc::new(Unit::new(cluster, kind, scope.clone(), store.clone()));
            looks.spawn(unit.clone().run(woken, bell, told(stopped.clone())));
            units.push(unit);
        }
    }
    let custodian = Arc::new(Custodian {
        cluster: cluster.clone(),
        settings: settings.clone(),
        cluster_name: args.cluster_name.clone(),
        cluster_wide: args.watch_namespace.is_empty(),
        units: units.clone(),
        said: Mutex::default(),
    });
    watches.spawn(custodian.run());
    if args.kinds.iter().any(|kind| kind.0.remembers()) {
        let turn = Arc::new(Semaphore::new(1));
        for scope in &scopes {
            let rewraps = Rewraps { cluster: cluster.clone(), settings: settings.clone(), turn: turn.clone() };
            watches.spawn(rewrap::run(Arc::new(rewraps), scope.clone(), told(stopped.clone())));
        }
    }
    watches.spawn(ready(health.clone(), units.clone()));
    watches.spawn(count(cluster.metrics.clone(), units));
    stop.await;
    let _ = stopping.send(true);
    finish(looks).await;
}

/// Ready once all was read that may be read.
async fn ready(health: Arc<Health>, units: Vec<Arc<Unit>>) {
    for unit in &units {
        unit.wait_until_listed().await;
    }
    health.set_ready(true);
}

/// Lets running looks end, within limits.
async fn finish(mut looks: JoinSet<()>) {
    tracing::info!("stopping");
    let finished = async { while looks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::warn!("looks that did not finish in time are dropped");
    }
}

/// Counts all resources for the metrics, again and again.
async fn count(metrics: Arc<Metrics>, units: Vec<Arc<Unit>>) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        metrics.recount();
        let mut by_kind: HashMap<&str, HashMap<(String, String), i64>> = HashMap::new();
        let mut conditions: HashMap<&str, Vec<(String, String, bool)>> = HashMap::new();
        for unit in &units {
            let states = by_kind.entry(unit.kind.0.kind()).or_default();
            for (state, count) in unit.memory.states() {
                *states.entry(state).or_default() += count;
            }
            conditions.entry(unit.kind.0.kind()).or_default().extend(unit.memory.conditions());
            unit.memory.key_use().into_iter().for_each(|(key, count)| metrics.key_use(key, count));
        }
        conditions.into_iter().for_each(|(kind, all)| metrics.conditions(kind, all));
        by_kind.into_iter().for_each(|(kind, states)| metrics.objects(kind, states));
    }
}

/// Comes back when the value turns true, or can no longer.
async fn told(mut flag: watch::Receiver<bool>) {
    let _ = flag.wait_for(|flag| *flag).await;
}

async fn either(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    tokio::select! {
        () = a => {}
        () = b => {}
    }
}

/// Turns true at SIGTERM or SIGINT.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let bad = |error: std::io::Error| Failure::new(format!("cannot listen for signals: {error}"));
    let mut term = signal(SignalKind::terminate()).map_err(bad)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(bad)?;
    let (to, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = to.send(true);
        // A second one, from somebody who does not want to wait.
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::abort();
    });
    Ok(stop)
}
