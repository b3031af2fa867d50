//! The life of a cluster's own keys on a real API server: why none is made, made, pinned, renewed, rewrapped to, revoked,
//! lost and restored; and the same for a post-quantum key. What is published is read with kubectl, as people do.

use crate::controller::{
    Controller, OWN, SOON, add_key, events, put, put_at, recipient, sealed, secret, wait_ready, wait_reason,
};
use crate::installation::{install, objects};
use crate::limits::wait_reason_of_deep;
use crate::make::Workshop;
use serde_json::{Value, json};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, Outcome, Peer, fixtures, peer};

/// The label that tells the state of a key.
const KEY_LABEL: &str = "plomb.dev/key";
/// Both kinds of cluster are called so.
const CLUSTER: &str = "truenas";

/// A cluster with its people: k1 is the owner, k2 the recovery key.
pub(crate) struct Life {
    pub(crate) server: ApiServer,
    pub(crate) workshop: Workshop,
    pub(crate) space: String,
}

#[test]
fn a_key_is_made_renewed_revoked_lost_and_restored() {
    let test = "keys-life";
    if peer::require(test, [Peer::Controller, Peer::Plomb, Peer::Sops]).is_none() {
        return;
    }
    let Some(life) = Life::begin(test) else { return };
    life.nothing_is_made_without_asking();
    let first = life.made_and_pinned();
    let second = life.renewed(&first);
    life.asked_to_rewrap(&first, &second);
    life.not_made_while_one_cannot_be_read(&second);
    let third = life.revoked(&second);
    life.lost_and_restored(&third);
    life.renewed_while_one_is_missing(&first);
    peer::peer_test_ran(test);
}

impl Life {
    pub(crate) fn begin(test: &str) -> Option<Self> {
        let server = ApiServer::start(test)?;
        install(&server, "overlays/cluster");
        let space = server.namespace("life");
        Some(Self { server, workshop: Workshop::new(test), space })
    }

    pub(crate) fn start(&self, name: &str, args: &[&str]) -> Controller {
        let recovery = format!("--recovery-recipient={}", recipient("k2"));
        let args = [&["--cluster-name", CLUSTER, &recovery], args].concat();
        Controller::start(&self.server, name, &args).leading()
    }

    /// Runs a controller for a moment, until the condition `Ready` of its `ClusterRecipient` has this reason.
    fn told(&self, reason: &str, args: &[&str]) {
        let controller = self.start(reason, args);
        self.wait("Ready", reason);
        let said = || events(&self.server, OWN, "plomb-recipients").into_iter().find(|(_, of, _)| of == reason);
        assert!(eventually(SOON, said).is_some_and(|(type_, ..)| type_ == "Warning"), "{reason}: no event");
        controller.stop();
    }

    /// Waits until a condition of the `ClusterRecipient` has this reason; gives back its status.
    pub(crate) fn wait(&self, type_: &str, reason: &str) -> Value {
        let path = format!("/apis/plomb.dev/v1alpha1/clusterrecipients/{CLUSTER}");
        let status = || self.server.get(&path).json()["status"].clone();
        let is = |it: &&Value| it["type"] == type_ && it["reason"] == reason;
        let found = eventually(SOON, || {
            let status = status();
            status["conditions"].as_array()?.iter().find(is)?;
            Some(status)
        });
        found.unwrap_or_else(|| panic!("{type_} is never {reason}: {}", status()))
    }

    /// The key Secrets: name, state and recipient, oldest first.
    pub(crate) fn keys(&self) -> Vec<(String, String, String)> {
        let all = self.server.get(&format!("{}?labelSelector={KEY_LABEL}", secret(OWN, ""))).json();
        let mut keys: Vec<_> = all["items"].as_array().into_iter().flatten().collect();
        keys.sort_by_key(|key| key["metadata"]["annotations"]["plomb.dev/number"].to_string());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of = |key: &&Value| {
            let file = String::from_utf8(decode(&key["data"]["identity.agekey"])).unwrap();
            let recipient = file.lines().find_map(|line| line.split("public key: ").nth(1)).unwrap_or_default();
            (text(&key["metadata"]["name"]), text(&key["metadata"]["labels"][KEY_LABEL]), recipient.to_owned())
        };
        keys.iter().map(of).collect()
    }

    pub(crate) fn change_key(&self, name: &str, patch: &Value) {
        let reply = self.server.merge(&secret(OWN, name), patch);
        assert!(reply.ok(), "{}", reply.message());
    }

    /// What kubectl shows, for the command line to read.
    fn show(&self, what: &[&str]) -> String {
        let shown = self.server.kubectl(what.iter().copied().chain(["-o", "yaml"]));
        assert!(shown.ok(), "{}", shown.errors());
        shown.text()
    }

    pub(crate) fn published(&self) -> String {
        self.show(&["get", "clusterrecipient"])
    }

    pub(crate) fn pin(&self, published: &str, more: &[&str]) -> Outcome {
        let words = [&["cluster", "recipients", "pin", "-"], more].concat();
        self.workshop.try_plomb(&words, published.to_owned())
    }

    /// A resource for these readers.
    pub(crate) fn seal(&self, name: &str, readers: &[&str]) -> Value {
        let workshop = Workshop::sealing_to(&format!("{name}-readers"), &readers.join(","));
        workshop.resource(&self.space, name, &[("password", name)])
    }

    pub(crate) fn put_ready(&self, name: &str, readers: &[&str]) -> Value {
        let made = self.seal(name, readers);
        put(&self.server, &made);
        wait_ready(&self.server, &sealed(&self.space, name));
        made
    }

    fn condition(&self, name: &str, type_: &str) -> Value {
        let object = self.server.get(&sealed(&self.space, name)).json();
        let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|it| it["type"] == type_).unwrap_or_default()
    }

    pub(crate) fn wait_rewrap_needed(&self, name: &str, wanted: &str) {
        let is = || (self.condition(name, "RewrapNeeded")["status"] == wanted).then_some(());
        assert!(eventually(SOON, is).is_some(), "{name}: {}", self.server.get(&sealed(&self.space, name)).text());
    }

    fn version(&self, name: &str) -> Value {
        self.server.get(&secret(&self.space, name)).json()["metadata"]["resourceVersion"].clone()
    }

    // ---- The story ----

    fn nothing_is_made_without_asking(&self) {
        self.told("WaitingForKey", &["--bootstrap=wait"]);
        let stranger = self.seal("stranger", &[&recipient("k3")]);
        put(&self.server, &stranger);
        self.told("UnknownRecipients", &[]);
        wait_reason(&self.server, &sealed(&self.space, "stranger"), "KeyNotFound");
        assert!(self.server.delete(&sealed(&self.space, "stranger")).ok());
        let maps = resource_path("v1", "configmaps", OWN, "");
        let broken = json!({"metadata": {"name": "plomb-recipients"}, "data": {"recipients.yaml": "nonsense: ["}});
        assert!(self.server.create(&maps, &broken).ok());
        self.told("PublishedUnreadable", &[]);
        assert!(self.server.delete(&format!("{maps}/plomb-recipients")).ok());
        assert_eq!(self.keys(), [], "none of this made a key");
    }

    fn made_and_pinned(&self) -> String {
        let args = ["--cluster-name", CLUSTER];
        let unsafe_one = Controller::start(&self.server, "no-recovery", &args).leading();
        self.wait("Escrowed", "NoRecoveryRecipients");
        unsafe_one.stop();
        let controller = self.start("made", &[]);
        let status = self.wait("Escrowed", "Escrowed");
        self.wait("Ready", "Published");
        let first = status["recipient"].as_str().unwrap().to_owned();
        assert!(matches!(self.keys().as_slice(), [(_, state, own)] if state == "active" && *own == first));
        // The list that kubectl shows, and the ConfigMap for those who may not see the other, say the same.
        let pinned = self.pin(&self.published(), &[]);
        assert!(pinned.ok() && pinned.text().trim() == first, "{} {}", pinned.text(), pinned.errors());
        assert!(pinned.errors().contains(status["fingerprint"].as_str().unwrap()), "{}", pinned.errors());
        let map = self.show(&["get", "configmap", "--namespace", OWN, "plomb-recipients"]);
        let again = self.pin(&map, &["--check"]);
        assert!(again.ok(), "{}", again.errors());
        let one = self.show(&["get", "clusterrecipient", CLUSTER]);
        assert!(self.pin(&one, &["--check"]).ok());
        // Somebody on the way put his own recipient in.
        let swapped = one.replace(&first, &recipient("k3"));
        let refused = self.pin(&swapped, &["--check"]);
        assert_eq!(refused.code, Some(1), "{} {}", refused.text(), refused.errors());
        self.put_ready("db", &[&recipient("k1"), &first]);
        self.put_ready("only-first", &[&first]);
        self.wait_rewrap_needed("db", "False");
        controller.stop();
        first
    }

    /// 90 days later.
    fn renewed(&self, first: &str) -> String {
        let name = self.keys()[0].0.clone();
        self.change_key(&name, &json!({"metadata": {"annotations": {"plomb.dev/created": "2026-01-01T00:00:00Z"}}}));
        let before = (self.version("db"), self.version("only-first"));
        let controller = self.start("renewed", &[]);
        let both = || Some(self.keys()).filter(|keys| keys.len() == 2 && keys[0].1 == "decrypt-only");
        let keys = eventually(SOON, both).unwrap_or_else(|| panic!("{}", controller.daemon.said()));
        let second = keys[1].2.clone();
        assert!(keys[1].1 == "active" && keys[0].2 == first && second != first, "{keys:?}");
        for name in ["db", "only-first"] {
            self.wait_rewrap_needed(name, "True");
            wait_ready(&self.server, &sealed(&self.space, name));
        }
        assert_eq!((self.version("db"), self.version("only-first")), before, "the Secrets are as they were");
        let published = || Some(self.wait("Ready", "Published")).filter(|status| status["recipient"] == json!(second));
        let status = eventually(SOON, published).expect("the new recipient is published");
        assert_eq!((&status["number"], status["statements"].as_array().map(Vec::len)), (&json!(2), Some(2)));
        let used = |at: usize| status["keys"][at]["usedBy"].clone();
        assert_eq!((used(0), used(1)), (json!(0), json!(2)), "{}", status["keys"]);
        self.told_event("KeyReplaced", "");
        // CI sees that something is new; a person takes it.
        let check = self.pin(&self.published(), &["--check"]);
        assert_eq!(check.code, Some(1), "{}", check.errors());
        let pinned = self.pin(&self.published(), &[]);
        assert!(pinned.ok() && pinned.text().trim() == second, "{}", pinned.errors());
        controller.stop();
        second
    }

    fn told_event(&self, reason: &str, part: &str) {
        let all = || events(&self.server, OWN, "plomb-recipients");
        let found = eventually(SOON, || all().into_iter().find(|(_, of, note)| of == reason && note.contains(part)));
        assert!(found.is_some(), "no event {reason} {part}: {:?}", all());
    }

    fn asked_to_rewrap(&self, first: &str, second: &str) {
        let controller = self.start("rewrapper", &[]);
        let before = self.server.get(&sealed(&self.space, "db")).json();
        let status = self.request("by-name", &self.space, &json!({"name": "db"}));
        assert_eq!(status["conditions"][0]["reason"], "Rewrapped", "{status}");
        let entries = status["age"].as_array().unwrap();
        let readers: Vec<_> = entries.iter().map(|entry| entry["recipient"].as_str().unwrap()).collect();
        assert_eq!(readers, [recipient("k1").as_str(), second], "the owner and the cluster, and nobody else");
        assert_eq!(entries[0], before["sops"]["age"][0], "an entry of people stays byte for byte");
        // A bot puts the entries into the file. Its owner, with the real sops too, and the cluster open it.
        let mut file = self.server.get(&sealed(&self.space, "db")).json();
        file["sops"]["age"] = status["age"].clone();
        self.opens_for_people(&file);
        self.put_back(&file);
        self.wait_rewrap_needed("db", "False");
        let again = self.request("again", &self.space, &json!({"name": "db"}));
        assert_eq!(again["conditions"][0]["reason"], "Current", "{again}");
        // A file that is not applied, only the old key opens it; nobody is added.
        let alone = self.seal("alone", &[first]);
        let status = self.request("by-file", &self.space, &json!({"object": alone}));
        let readers: Vec<_> = status["age"].as_array().unwrap().iter().map(|entry| &entry["recipient"]).collect();
        assert_eq!(readers, [second]);
        self.refused_requests(&file);
        controller.stop();
    }

    fn refused_requests(&self, file: &Value) {
        let elsewhere = self.server.namespace("elsewhere");
        let mut moved = file.clone();
        moved["metadata"]["namespace"] = json!(elsewhere);
        let mut swapped = file.clone();
        swapped["spec"]["binding"] = json!("");
        let cases = [
            ("other-place", elsewhere.as_str(), json!({"object": file}), "BindingMismatch"),
            ("moved", &elsewhere, json!({"object": moved}), "BindingMismatch"),
            ("unbound", &self.space, json!({"object": swapped}), "BindingMismatch"),
            ("nobody", &elsewhere, json!({"name": "db"}), "InvalidFormat"),
        ];
        for (name, space, spec, reason) in cases {
            let status = self.request(name, space, &spec);
            assert_eq!(status["conditions"][0]["reason"], reason, "{name}: {status}");
            assert_eq!((&status["conditions"][0]["status"], &status["age"]), (&json!("False"), &json!(null)), "{name}");
        }
        // One that nobody can read keeps no other from being answered.
        self.ask("deep", &self.space, &json!({"object": (0..600).fold(json!(1), |inner, _| json!({ "d": inner }))}));
        wait_reason_of_deep(&self.server, "rewraprequest", &self.space, "deep", "InvalidFormat");
        let status = self.request("after-deep", &self.space, &json!({"name": "db"}));
        assert_eq!(status["conditions"][0]["reason"], "Current", "{status}");
        // There is no field for a recipient; and one of the two that there are is needed.
        let path = resource_path("plomb.dev/v1alpha1", "rewraprequests", &self.space, "");
        let cases = [
            (json!({"name": "db", "recipient": recipient("k3")}), "recipient"),
            (json!({}), "either"),
            (json!({"name": ""}), "spec.name"),
            (json!({"name": "../other/db"}), "spec.name"),
            (json!({"name": "db?x=y"}), "spec.name"),
        ];
        for (spec, said) in cases {
            let request = json!({
                "apiVersion": "plomb.dev/v1alpha1", "kind": "RewrapRequest", "metadata": {"name": "odd"}, "spec": spec,
            });
            let reply = self.server.create(&format!("{path}?fieldValidation=Strict"), &request);
            assert!(!reply.ok() && reply.message().contains(said), "{}", reply.message());
        }
    }

    /// A RewrapRequest's status once it is answered.
    fn request(&self, name: &str, space: &str, spec: &Value) -> Value {
        self.ask(name, space, spec);
        let path = resource_path("plomb.dev/v1alpha1", "rewraprequests", space, name);
        let done = || Some(self.server.get(&path).json()["status"].clone()).filter(|it| it["conditions"].is_array());
        eventually(SOON, done).unwrap_or_else(|| panic!("{name} is not answered: {}", self.server.get(&path).text()))
    }

    fn ask(&self, name: &str, space: &str, spec: &Value) {
        put_at(
            &self.server,
            "rewraprequests",
            &json!({
                "apiVersion": "plomb.dev/v1alpha1", "kind": "RewrapRequest",
                "metadata": {"name": name, "namespace": space}, "spec": spec,
            }),
        );
    }

    fn opens_for_people(&self, file: &Value) {
        let path = self.workshop.scratch.write("rewrapped.json", file.to_string());
        let path = path.to_str().unwrap();
        let key = fixtures::folder("keys/identities/k1.txt");
        let sops = Peer::Sops.find().expect("the test asked for it");
        let run = self.workshop.scratch.command(sops).args(["decrypt", path]).env("SOPS_AGE_KEY_FILE", key).run();
        for shown in [run.text(), self.workshop.plomb(&["decrypt", path], String::new())] {
            let opened: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown} {}", run.errors()));
            assert_eq!(opened["spec"]["secrets"]["db"]["stringData"]["password"], "db");
        }
    }

    /// As Git would have it: without what the API server adds.
    fn put_back(&self, file: &Value) {
        let mut object = file.clone();
        object["metadata"] = json!({"name": file["metadata"]["name"], "namespace": file["metadata"]["namespace"]});
        object.as_object_mut().unwrap().remove("status");
        put(&self.server, &object);
        wait_ready(&self.server, &sealed(&self.space, file["metadata"]["name"].as_str().unwrap()));
    }

    fn not_made_while_one_cannot_be_read(&self, second: &str) {
        let broken = json!({"metadata": {"name": "broken", "labels": {KEY_LABEL: "decrypt-only"}},
                            "stringData": {"identity.agekey": "no key"}});
        assert!(self.server.create(&secret(OWN, ""), &broken).ok());
        self.told("KeyUnreadable", &[]);
        assert!(self.server.delete(&secret(OWN, "broken")).ok());
        let active = self.keys().into_iter().find(|(_, _, own)| own == second).unwrap().0;
        self.change_key(&active, &json!({"metadata": {"labels": {KEY_LABEL: "decrypt-only"}}}));
        self.told("NoActiveKey", &[]);
        self.change_key(&active, &json!({"metadata": {"labels": {KEY_LABEL: "active"}}}));
        assert_eq!(self.keys().len(), 2);
    }

    fn revoked(&self, second: &str) -> String {
        let controller = self.start("before-revocation", &[]);
        self.put_ready("only-second", &[second]);
        controller.stop();
        let name = self.keys().into_iter().find(|(_, _, own)| own == second).unwrap().0;
        self.change_key(&name, &json!({"metadata": {"annotations": {"plomb.dev/revoke": "true"}}}));
        let before = (self.version("db"), self.version("only-second"));
        let controller = self.start("revoked", &[]);
        let done = || Some(self.keys()).filter(|keys| keys.len() == 3 && keys[1].1 == "revoked");
        let keys = eventually(SOON, done).unwrap_or_else(|| panic!("{:?} {}", self.keys(), controller.daemon.said()));
        let third = keys[2].2.clone();
        assert_eq!(keys[2].1, "active", "a successor first");
        for loser in ["db", "only-second"] {
            self.told_event("KeyRevoked", &format!("{}/{loser}", self.space));
            let state = wait_reason(&self.server, &sealed(&self.space, loser), "KeyRevoked");
            assert_eq!(state["status"], "False", "{state}");
            assert_eq!(self.server.get(&sealed(&self.space, loser)).json()["status"]["stale"], true, "{loser}");
        }
        wait_ready(&self.server, &sealed(&self.space, "only-first"));
        assert_eq!((self.version("db"), self.version("only-second")), before, "what is there stays");
        // The owner rewraps the file in Git: it syncs again.
        let file = self.workshop.scratch.write("db.json", self.server.get(&sealed(&self.space, "db")).text());
        let owner = fixtures::folder("keys/identities/k1.txt");
        let words = ["rewrap", "--from", owner.to_str().unwrap(), "--to", &third, "--drop", second];
        self.workshop.plomb(&[&words[..], &[file.to_str().unwrap()]].concat(), String::new());
        self.put_back(&serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap());
        // A new statement key is taken only by whoever says that it is right.
        let published = self.published();
        let refused = self.pin(&published, &[]);
        assert_eq!(refused.code, Some(1), "{}", refused.errors());
        let print = self.wait("Ready", "Published")["fingerprint"].as_str().unwrap().to_owned();
        assert!(refused.errors().contains(&print), "{}", refused.errors());
        let taken = self.pin(&published, &["--accept-key", &print]);
        assert!(taken.ok() && taken.text().trim() == third, "{} {}", taken.text(), taken.errors());
        controller.stop();
        third
    }

    fn lost_and_restored(&self, third: &str) {
        let escrow = self.workshop.scratch.write("published.yaml", self.show(&["get", "clusterrecipient", CLUSTER]));
        let controller = self.start("lost", &[]);
        let before = self.version("db");
        let name = self.keys().into_iter().find(|(_, _, own)| own == third).unwrap().0;
        assert!(self.server.delete(&secret(OWN, &name)).ok());
        self.wait("Ready", "KeyDeleted");
        self.told_event("KeyDeleted", "");
        // Who needs it waits; what is there stays, and no key is made in its place.
        put(&self.server, &self.seal("late", &[third]));
        wait_reason(&self.server, &sealed(&self.space, "late"), "KeyNotFound");
        assert_eq!((self.keys().len(), self.version("db")), (2, before));
        let identity = fixtures::folder("keys/identities/k2.txt");
        let words = ["keys", "restore", "--escrow", escrow.to_str().unwrap(), "--identity", identity.to_str().unwrap()];
        let keys = self.workshop.plomb(&words, String::new());
        assert_eq!(objects(&keys).len(), 3, "every key of the cluster");
        self.server.apply(keys);
        wait_ready(&self.server, &sealed(&self.space, "late"));
        self.wait("Ready", "Published");
        assert!(self.pin(&self.published(), &["--check"]).ok(), "the same cluster as before");
        controller.stop();
    }

    /// Somebody still needs a key that is gone: that holds up neither renewal nor backup, and its only copy stays.
    fn renewed_while_one_is_missing(&self, first: &str) {
        let keys = self.keys();
        let (gone, due) = (keys.iter().find(|(_, _, own)| own == first).unwrap(), keys.last().unwrap());
        assert!(self.server.delete(&secret(OWN, &gone.0)).ok());
        self.change_key(&due.0, &json!({"metadata": {"annotations": {"plomb.dev/created": "2026-01-01T00:00:00Z"}}}));
        let controller = self.start("renewed-again", &[]);
        self.told_event("KeyMissing", &format!("{}/only-first", self.space));
        let path = format!("/apis/plomb.dev/v1alpha1/clusterrecipients/{CLUSTER}");
        let done = || {
            let status = self.server.get(&path).json()["status"].clone();
            let is_new = status["recipient"] != json!(due.2)
                && status["escrowNote"]["keys"].to_string().contains(status["recipient"].as_str()?);
            is_new.then_some(status)
        };
        let status = eventually(SOON, done).unwrap_or_else(|| panic!("{}", controller.daemon.said()));
        let made = self.keys().into_iter().find(|(.., own)| status["recipient"] == json!(own));
        let newest = made.expect("it is there").0;
        self.wait("Escrowed", "Escrowed");
        let ready = self.wait("Ready", "Published")["conditions"].to_string();
        assert!(ready.contains("only-first"), "{ready}");
        let map = self.show(&["get", "configmap", "--namespace", OWN, "plomb-recipients"]);
        for held in [self.show(&["get", "clusterrecipient", CLUSTER]), map] {
            let path = self.workshop.scratch.write("held.yaml", held);
            let identity = fixtures::folder("keys/identities/k2.txt");
            let words =
                ["keys", "restore", "--escrow", path.to_str().unwrap(), "--identity", identity.to_str().unwrap()];
            let restored = self.workshop.plomb(&words, String::new());
            for name in [&gone.0, &newest] {
                assert!(restored.contains(name.as_str()), "{name} is in no backup");
            }
        }
        controller.stop();
    }
}

fn decode(value: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap_or_default()).expect("it is base64")
}

#[test]
fn a_post_quantum_key_opens_files_and_is_escrowed_to_its_like_only() {
    let test = "keys-hybrid";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(life) = Life::begin(test) else { return };
    add_key(&life.server, "plomb-key-classic", "k3", "decrypt-only");
    let args = ["--key-kind=hybrid", "--bootstrap=new"];
    let controller = life.start("classic-recovery", &args);
    let status = life.wait("Escrowed", "NotPostQuantum");
    let own = status["recipient"].as_str().unwrap().to_owned();
    assert!(own.starts_with("age1pq1") && status["escrow"].is_null(), "{own}");
    let pinned = life.pin(&life.published(), &[]);
    assert!(pinned.ok() && pinned.text().trim() == own, "{}", pinned.errors());
    life.put_ready("db", &[&own]);
    life.put_ready("both", &[&recipient("k1"), &own]);
    assert_eq!(life.server.get(&secret(&life.space, "db")).json()["data"]["password"], "ZGI=");
    let id = life.server.get(&sealed(&life.space, "db")).json()["status"]["keyId"].clone();
    assert!(own.ends_with(id.as_str().unwrap()), "{id}");
    controller.stop();
    // With a recovery key of its kind it is escrowed to that one alone.
    let recovery = format!("--recovery-recipient={}", recipient("pq"));
    let controller = life.start("hybrid-recovery", &[&args[..], &[&recovery]].concat());
    let status = life.wait("Escrowed", "Escrowed");
    assert_eq!(status["escrowNote"]["recovery"], json!([recipient("pq")]), "{}", status["escrowNote"]);
    let escrow = life.workshop.scratch.write("published.yaml", life.published());
    let restore = |identity: &str| {
        let identity = fixtures::folder("keys/identities").join(format!("{identity}.txt"));
        let words = ["keys", "restore", "--escrow", escrow.to_str().unwrap(), "--identity", identity.to_str().unwrap()];
        life.workshop.try_plomb(&words, String::new())
    };
    assert!(!restore("k2").ok(), "a classic key must not open it");
    let keys = restore("pq");
    assert!(keys.ok(), "{}", keys.errors());
    let name = life.keys().into_iter().find(|(_, state, _)| state == "active").unwrap().0;
    assert!(life.server.delete(&secret(OWN, &name)).ok());
    put(&life.server, &life.seal("late", &[&own]));
    wait_reason(&life.server, &sealed(&life.space, "late"), "KeyNotFound");
    life.server.apply(keys.text());
    wait_ready(&life.server, &sealed(&life.space, "late"));
    controller.stop();
    peer::peer_test_ran(test);
}
