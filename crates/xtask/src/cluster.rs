//! etcd, the API server and its companions for the cluster tests: found where a variable says, else among the
//! programs of envtest (`KUBEBUILDER_ASSETS`), else in the cache, else built from the small Go modules in `go/`.
//!
//! The modules name exact versions and their `go.sum` verifies every source, so a build gives the same programs on
//! each machine. Building in place: `-mod=readonly` writes nothing into the tree.

use crate::shell::{Result, command, run, say};
use std::path::{Path, PathBuf};
use std::time::Instant;
use testkit::{Peer, fixtures};

/// A folder below `go/`, and what is built from it in one go (packages share most of their dependencies).
struct Module {
    source: &'static str,
    /// Name and version: the folder in the cache.
    folder: &'static str,
    /// Peer, file name, package of the module.
    programs: &'static [(Peer, &'static str, &'static str)],
    /// What the linker writes into the programs beside leaving out their symbols.
    stamp: &'static str,
    /// How long it takes cold on two idle cores.
    minutes: &'static str,
}

const MODULES: [Module; 3] = [
    Module {
        source: "etcd",
        folder: "etcd-3.6.6",
        programs: &[(Peer::Etcd, "etcd", ".")],
        stamp: "",
        minutes: "half a minute",
    },
    Module {
        source: "kubernetes",
        folder: "kubernetes-1.35.4",
        programs: &[
            (Peer::KubeApiserver, "kube-apiserver", "./kube-apiserver"),
            (Peer::KubeControllerManager, "kube-controller-manager", "./kube-controller-manager"),
            (Peer::Kubectl, "kubectl", "./kubectl"),
            (Peer::Kustomize, "kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
        ],
        stamp: concat!(
            " -X k8s.io/component-base/version.gitVersion=v1.35.4",
            " -X k8s.io/component-base/version.gitMajor=1",
            " -X k8s.io/component-base/version.gitMinor=35",
        ),
        minutes: "5 to 7 minutes",
    },
    Module {
        source: "helm",
        folder: "helm-3.20.2",
        programs: &[(Peer::Helm, "helm", "helm.sh/helm/v3/cmd/helm")],
        stamp: "",
        minutes: "1 to 2 minutes",
    },
];

/// Variables that name the programs. `cache` is the folder of all peers.
pub(crate) fn install(cache: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut found = Vec::new();
    for module in &MODULES {
        found.extend(module.install(&cache.join(module.folder))?);
    }
    Ok(found)
}

impl Module {
    fn install(&self, folder: &Path) -> Result<Vec<(&'static str, PathBuf)>> {
        let place = |(peer, name, _): &(Peer, &str, &str)| {
            peer.find().or_else(|| of_envtest(name)).unwrap_or_else(|| folder.join(name))
        };
        let is_missing = |program: &&(Peer, &str, &str)| !place(program).is_file();
        let missing: Vec<_> = self.programs.iter().filter(is_missing).collect();
        if !missing.is_empty() {
            self.build(folder, &missing)?;
        }
        if let Some((_, name, _)) = self.programs.iter().find(is_missing) {
            return Err(format!("{} is not there after go build", folder.join(name).display()));
        }
        Ok(self.programs.iter().map(|program| (program.0.variable(), place(program))).collect())
    }

    /// Builds into a folder beside the cache's and moves each program there whole: what lies in the cache is complete.
    fn build(&self, folder: &Path, missing: &[&(Peer, &str, &str)]) -> Result {
        let names: Vec<_> = missing.iter().map(|(_, name, _)| *name).collect();
        say(&format!("building {} for {} with go build ({})", names.join(", "), self.folder, self.minutes));
        let started = Instant::now();
        let part = folder.with_extension(format!("part-{}", std::process::id()));
        create(&part)?;
        create(folder)?;
        let flags = format!("-s -w{}", self.stamp);
        let mut go = command(&["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", &flags]);
        // The slash says that it is a folder, even for a single program.
        go.arg("-o").arg(part.join("")).args(missing.iter().map(|(_, _, package)| package));
        go.current_dir(fixtures::workspace().join("crates/xtask/go").join(self.source));
        run(go.env("CGO_ENABLED", "0").env_remove("GOFLAGS"))?;
        for name in names {
            let moved = std::fs::rename(part.join(name), folder.join(name));
            moved.map_err(|error| format!("{}: {error}", part.join(name).display()))?;
        }
        let _ = std::fs::remove_dir_all(&part);
        say(&format!("built {} in {:.0} s", self.folder, started.elapsed().as_secs_f64()));
        Ok(())
    }
}

/// A program of the folder that controller-runtime's envtest uses.
fn of_envtest(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("KUBEBUILDER_ASSETS")?).join(name);
    path.is_file().then_some(path)
}

fn create(folder: &Path) -> Result {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}
