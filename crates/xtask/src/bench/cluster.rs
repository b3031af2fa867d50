//! The controller over thousands of resources on a real API server of its own: first sync, restart, memory beside
//! foreign Secrets, and the way back after a wipe. Each figure stands beside what the API server itself took.

mod crowd;
mod ruler;

use std::path::PathBuf;
use std::time::Duration;

use e2e::cluster::{Controller, install};
use testkit::cluster::eventually;
use testkit::{ApiServer, Peer, Scratch};

use self::crowd::Crowd;
use self::ruler::{Costs, Ruler};
use super::report;
use crate::shell::{self, Result, command, say};
use crate::{peers, suite};

/// No step takes this long on a machine that works.
const LIMIT: Duration = Duration::from_secs(1800);

/// How many resources and foreign Secrets.
struct Sizes {
    first: usize,
    more: usize,
    foreign: usize,
}

/// Measures the controller. `quick` takes a tenth of everything.
pub(super) fn run(quick: bool) -> Result {
    let sizes = if quick {
        Sizes { first: 200, more: 800, foreign: 2_000 }
    } else {
        Sizes { first: 1_000, more: 9_000, foreign: 20_000 }
    };
    let found = peers::install()?;
    let bench = Bench::new(&found)?;
    say(&format!("cores: {}", std::thread::available_parallelism().map_or(0, usize::from)));
    say(&format!("load at the start: {:.2}; the programs measured are all there is to be of it", report::load()));
    say("3 values and 3 recipients each; etcd without fsync; CPU is user + system, per resource\n");
    say(
        "| case | resources | wall s | per s | CPU ms us | CPU ms API server | CPU ms etcd | decrypts | Secret writes | peak MB us |",
    );
    say("|---|---|---|---|---|---|---|---|---|---|");
    bench.ceiling(sizes.first);
    let one = bench.first_sync("first sync", "bench-a", sizes.first, 0)?;
    let other = bench.first_sync("first sync of more", "bench-b", sizes.more, sizes.first)?;
    let all = sizes.first + sizes.more;
    bench.foreign(sizes.foreign);
    bench.restart(&format!("restart beside {} foreign Secrets", sizes.foreign), all)?;
    bench.wiped(sizes.first)?;
    let growth =
        (other.wall.as_secs_f64() / one.wall.as_secs_f64()).ln() / (sizes.more as f64 / sizes.first as f64).ln();
    say(&format!("\ngrowth of the first sync, {} to {}: exponent {growth:.2}", sizes.first, sizes.more));
    Ok(())
}

struct Bench {
    server: ApiServer,
    crowd: Crowd,
    controller: PathBuf,
}

impl Bench {
    fn new(found: &[(&'static str, PathBuf)]) -> Result<Self> {
        let peer = |wanted: Peer| {
            let of = |(variable, _): &&(&str, PathBuf)| *variable == wanted.variable();
            found.iter().find(of).map(|(_, path)| path.clone()).ok_or(format!("{} is missing", wanted.variable()))
        };
        let programs =
            [peer(Peer::Etcd)?, peer(Peer::KubeApiserver)?, peer(Peer::KubeControllerManager)?, peer(Peer::Kubectl)?];
        let server = ApiServer::start_programs("bench", programs);
        let crowd = Crowd::new(Scratch::new("bench-cluster"), built(Peer::Plomb, "plomb")?)?;
        Ok(Self { server, crowd, controller: built(Peer::Controller, "plomb-controller")? })
    }

    /// A fresh cluster with the shipped manifests, where the controller leads without asking and finds its key.
    fn prepare(&self) {
        install(&self.server, "overlays/cluster");
    }

    /// The same writes by the smallest client there is: what the API server and this machine allow.
    fn ceiling(&self, count: usize) {
        self.prepare();
        self.crowd.create(&self.server, "ceiling", count);
        let ruler = Ruler::start(&self.server, None);
        self.crowd.write_bare(&self.server, "ceiling", count);
        let costs = ruler.read();
        row("the same writes, bare", count, &costs, None);
        let done = self.server.delete(&crowd::resource("ceiling", ""));
        assert!(done.ok(), "{}", done.message());
        self.crowd.add_key(&self.server);
    }

    /// Resources that are there before the controller starts. `ready` resources of another namespace are done already.
    fn first_sync(&self, case: &str, space: &str, count: usize, ready: usize) -> Result<Costs> {
        self.crowd.create(&self.server, space, count);
        let ruler = Ruler::start(&self.server, None);
        let controller = self.start("first");
        let done = || (controller.metric(SYNCED) >= count as f64).then_some(());
        wait(case, &controller, done)?;
        let costs = ruler.read_with(&controller.daemon);
        let counted = self.crowd.ready(&self.server, space);
        if counted != count {
            return Err(format!("{case}: {counted} of {count} are Ready; {ready} were before"));
        }
        row(case, count, &costs, Some(&controller));
        controller.stop();
        Ok(costs)
    }

    fn foreign(&self, count: usize) {
        self.crowd.create_foreign(&self.server, count);
    }

    fn restart(&self, case: &str, count: usize) -> Result {
        let ruler = Ruler::start(&self.server, None);
        let controller = self.start("second");
        let done = || (controller.metric("plomb_reconcile_total") >= count as f64).then_some(());
        wait(case, &controller, done)?;
        row(case, count, &ruler.read_with(&controller.daemon), Some(&controller));
        controller.stop();
        Ok(())
    }

    /// A new etcd, the manifests and resources again, a controller that has no key; the clock runs from the key.
    fn wiped(&self, count: usize) -> Result {
        self.server.wipe();
        self.prepare();
        self.crowd.create(&self.server, "bench-a", count);
        let controller = self.start("third");
        let waiting = || (controller.metric(KEYLESS) >= count as f64).then_some(());
        wait("wiped", &controller, waiting)?;
        let ruler = Ruler::start(&self.server, Some(&controller.daemon));
        self.crowd.add_key(&self.server);
        let done = || (controller.metric(SYNCED) >= count as f64).then_some(());
        wait("wiped", &controller, done)?;
        row("after a wipe, from the key on", count, &ruler.read_with(&controller.daemon), Some(&controller));
        controller.stop();
        Ok(())
    }

    fn start(&self, name: &str) -> Controller {
        let words = ["--bootstrap", "wait", "--no-leader-election", "--kinds", "encryptedsecret"];
        Controller::start_program(&self.controller, &self.server, name, &words)
    }
}

const SYNCED: &str = r#"plomb_reconcile_total{kind="EncryptedSecret",result="Synced"}"#;
const KEYLESS: &str = r#"plomb_reconcile_total{kind="EncryptedSecret",result="KeyNotFound"}"#;

fn wait(case: &str, controller: &Controller, done: impl FnMut() -> Option<()>) -> Result {
    eventually(LIMIT, done).ok_or_else(|| format!("{case}: never done: {}", controller.get("/metrics")))
}

fn row(case: &str, count: usize, costs: &Costs, controller: Option<&Controller>) {
    let each = |time: Duration| time.as_secs_f64() * 1e3 / count as f64;
    let wall = costs.wall.as_secs_f64();
    let counted =
        |name: &str| controller.map_or("–".to_owned(), |controller| format!("{:.0}", controller.metric(name).abs()));
    let (decrypts, writes) = (counted("plomb_decrypt_total"), counted("plomb_secret_writes_total"));
    let peak = controller.and_then(|controller| controller.daemon.peak_memory());
    let peak = peak.map_or("–".to_owned(), |bytes| (bytes >> 20).to_string());
    say(&format!(
        "| {case} | {count} | {wall:.1} | {:.0} | {:.2} | {:.2} | {:.2} | {decrypts} | {writes} | {peak} |",
        count as f64 / wall,
        each(costs.us),
        each(costs.server),
        each(costs.etcd),
    ));
}

/// A program that a variable names, else a release build.
fn built(peer: Peer, name: &str) -> Result<PathBuf> {
    if let Some(path) = peer.find() {
        return Ok(path);
    }
    shell::run(&mut command(&["cargo", "build", "--release", "--package", name, "--locked"]))?;
    Ok(suite::binary("release", name))
}
