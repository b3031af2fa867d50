//! What an API server keeps: key Secrets with versions, a ConfigMap with a version, and resources.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealed::custody::{
    Chain, Cluster, KeyRecord, KeyState, Published, RecordError, Settings, Step, Usage, WaitReason, World, decide,
    make, patch, publish,
};
use sealed::{DesiredSecret, LiveSecret};
use secret::SecretBytes;
use serde_json::Value;
use sops::Timestamp;
use testkit::FixedRandom;

use crate::made::Person;

/// One stored Secret.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub(crate) version: u64,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) data: BTreeMap<String, Vec<u8>>,
}

/// The cluster.
pub(crate) struct Stage {
    pub(crate) cluster: Cluster,
    pub(crate) settings: Settings,
    pub(crate) secrets: BTreeMap<String, Stored>,
    pub(crate) config_map: Option<BTreeMap<String, String>>,
    pub(crate) config_map_version: u64,
    pub(crate) resources: Vec<(String, Vec<String>)>,
    pub(crate) now: i64,
    random: FixedRandom,
    versions: u64,
}

/// What a leader read at one moment.
pub(crate) struct Seen {
    records: Vec<KeyRecord>,
    unreadable: Vec<RecordError>,
    published: Published,
    config_map_version: u64,
    usage: Usage,
    now: i64,
}

impl Stage {
    pub(crate) fn new(recovery: &[&Person]) -> Self {
        let names = recovery.iter().map(|person| person.recipient.as_str());
        let recovery = sealed::custody::Recovery::parse(names).unwrap();
        Self {
            cluster: Cluster { name: "prod".into(), uid: "uid-1".into() },
            settings: Settings { recovery, ..Settings::default() },
            secrets: BTreeMap::new(),
            config_map: None,
            config_map_version: 0,
            resources: Vec::new(),
            now: crate::made::NOW.0,
            random: FixedRandom::new(7),
            versions: 0,
        }
    }

    /// Other keys than those of other stages.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.random = FixedRandom::new(seed);
    }

    pub(crate) fn look(&self) -> Seen {
        let read = self.secrets.iter().map(|(name, secret)| KeyRecord::of(&live(name, secret)));
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for record in read {
            match record {
                Ok(record) => records.push(record),
                Err(error) => unreadable.push(error),
            }
        }
        let resources = self.resources.iter().map(|(name, list)| (name.as_str(), list.iter().map(String::as_str)));
        let published = Published::read(self.config_map.as_ref(), None);
        let usage = Usage::of(&records, &published, resources);
        Seen { records, unreadable, published, usage, config_map_version: self.config_map_version, now: self.now }
    }

    pub(crate) fn world<'a>(&'a self, seen: &'a Seen) -> World<'a> {
        World {
            cluster: &self.cluster,
            settings: &self.settings,
            records: &seen.records,
            unreadable: &seen.unreadable,
            published: &seen.published,
            usage: &seen.usage,
            now: Timestamp(seen.now),
        }
    }

    pub(crate) fn decide(&self) -> Vec<Step> {
        let seen = self.look();
        decide(&self.world(&seen))
    }

    /// Takes a step that was decided about `seen`, which may be out of date. Whether it was written.
    pub(crate) fn take(&mut self, seen: &Seen, step: &Step) -> bool {
        let mut random = self.random.clone();
        match step {
            Step::Make { successor } => {
                let record = make(&self.world(seen), *successor, &mut random);
                self.random = random;
                self.create(&record.to_secret("plomb-system"));
                true
            }
            Step::Publish | Step::Escrow => {
                let data = publish(&self.world(seen)).to_config_map();
                if seen.config_map_version != self.config_map_version {
                    return false;
                }
                self.write_config_map(Some(data));
                true
            }
            step if step.is_write() => {
                let Some((name, change)) = patch(&self.world(seen), step) else { return false };
                self.merge(&name, &change)
            }
            _ => false,
        }
    }

    pub(crate) fn write_config_map(&mut self, data: Option<BTreeMap<String, String>>) {
        self.versions += 1;
        (self.config_map, self.config_map_version) = (data, self.versions);
    }

    pub(crate) fn create(&mut self, secret: &DesiredSecret) {
        self.versions += 1;
        let data = secret.data.iter().map(|(key, value)| (key.clone(), value.expose().to_vec()));
        let stored = Stored {
            version: self.versions,
            labels: secret.labels.clone(),
            annotations: secret.annotations.clone(),
            data: data.collect(),
        };
        assert!(self.secrets.insert(secret.name.clone(), stored).is_none(), "a key Secret is never overwritten");
    }

    fn merge(&mut self, name: &str, change: &Value) -> bool {
        let Some(stored) = self.secrets.get_mut(name) else { return false };
        let version = stored.version.to_string();
        let metadata = &change["metadata"];
        if metadata["resourceVersion"].as_str() != Some(&version) || metadata["uid"].as_str() != Some(name) {
            return false;
        }
        self.versions += 1;
        stored.version = self.versions;
        merge_texts(&mut stored.labels, &change["metadata"]["labels"]);
        merge_texts(&mut stored.annotations, &change["metadata"]["annotations"]);
        for (key, value) in change["data"].as_object().into_iter().flatten() {
            stored.data.insert(key.clone(), STANDARD.decode(value.as_str().unwrap()).unwrap());
        }
        true
    }

    /// Decides and writes until nothing is to be written; the last decision.
    pub(crate) fn settle(&mut self) -> Vec<Step> {
        for _ in 0..50 {
            let seen = self.look();
            let steps = decide(&self.world(&seen));
            if !steps.iter().any(Step::is_write) {
                return steps;
            }
            for step in &steps {
                self.take(&seen, step);
            }
        }
        panic!("it never comes to rest: {:?}", self.decide());
    }

    pub(crate) fn waits(&self) -> Option<WaitReason> {
        self.decide().into_iter().find_map(|step| match step {
            Step::Wait(reason) => Some(reason),
            _ => None,
        })
    }

    pub(crate) fn annotate(&mut self, name: &str, key: &str, value: &str) {
        self.touch(name).annotations.insert(key.to_owned(), value.to_owned());
    }

    pub(crate) fn label(&mut self, name: &str, state: &str) {
        self.touch(name).labels.insert(sealed::custody::KEY_LABEL.to_owned(), state.to_owned());
    }

    pub(crate) fn touch(&mut self, name: &str) -> &mut Stored {
        self.versions += 1;
        let stored = self.secrets.get_mut(name).unwrap();
        stored.version = self.versions;
        stored
    }

    pub(crate) fn records(&self) -> Vec<KeyRecord> {
        self.look().records
    }

    pub(crate) fn named(&self, state: KeyState) -> Vec<String> {
        self.records().iter().filter(|record| record.state == state).map(|record| record.name.clone()).collect()
    }

    pub(crate) fn active(&self) -> KeyRecord {
        let mut active: Vec<_> = self.records().into_iter().filter(|it| it.state == KeyState::Active).collect();
        assert_eq!(active.len(), 1, "{active:?}");
        active.remove(0)
    }

    pub(crate) fn published(&self) -> Published {
        Published::read(self.config_map.as_ref(), None)
    }

    pub(crate) fn chain(&self) -> Chain {
        Chain::verify(self.published().statements).unwrap()
    }

    /// A resource that lists these recipients.
    pub(crate) fn resource(&mut self, name: &str, recipients: &[&str]) {
        self.resources.push((name.to_owned(), recipients.iter().map(|it| (*it).to_owned()).collect()));
    }
}

pub(crate) fn live(name: &str, secret: &Stored) -> LiveSecret {
    let data = secret.data.iter().map(|(key, value)| (key.clone(), SecretBytes::new(value.clone())));
    LiveSecret {
        name: name.to_owned(),
        uid: name.to_owned(),
        resource_version: secret.version.to_string(),
        labels: secret.labels.clone(),
        annotations: secret.annotations.clone(),
        data: Some(data.collect()),
        ..LiveSecret::default()
    }
}

fn merge_texts(texts: &mut BTreeMap<String, String>, change: &Value) {
    for (key, value) in change.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(text) => texts.insert(key.clone(), text.to_owned()),
            None => texts.remove(key),
        };
    }
}
