//! Wall time, and the CPU time of each process that took part, between two moments.

use std::time::{Duration, Instant};

use testkit::ApiServer;
use testkit::cluster::Daemon;

/// What something took.
pub(super) struct Costs {
    pub(super) wall: Duration,
    pub(super) us: Duration,
    pub(super) server: Duration,
    pub(super) etcd: Duration,
}

/// The moment from which on is measured.
pub(super) struct Ruler<'a> {
    of: &'a ApiServer,
    started: Instant,
    us: Duration,
    server: Duration,
    etcd: Duration,
}

impl<'a> Ruler<'a> {
    /// Starts now. `controller`: one that runs already; what it used before does not count.
    pub(super) fn start(of: &'a ApiServer, controller: Option<&Daemon>) -> Self {
        let (server, etcd) = of.cpu_time();
        let us = controller.and_then(Daemon::cpu_time).unwrap_or_default();
        Self { of, started: Instant::now(), us, server, etcd }
    }

    /// What was taken without a controller.
    pub(super) fn read(&self) -> Costs {
        let (server, etcd) = self.of.cpu_time();
        let (server, etcd) = (server - self.server, etcd - self.etcd);
        Costs { wall: self.started.elapsed(), us: Duration::ZERO, server, etcd }
    }

    /// What was taken with this controller.
    pub(super) fn read_with(&self, controller: &Daemon) -> Costs {
        let us = controller.cpu_time().unwrap_or_default().saturating_sub(self.us);
        Costs { us, ..self.read() }
    }
}
