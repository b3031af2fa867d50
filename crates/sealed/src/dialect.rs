//! The kinds of sealed resources, one file each, behind one trait; [`DIALECTS`] is the only list of them.

use crate::binding::Scope;
use crate::desired::DesiredSecret;
use crate::keys::Keys;
use crate::manifest::Manifest;
use crate::reason::Refusal;
use crate::resource::Policy;
use crate::status::Status;

#[cfg(feature = "bitnami")]
pub mod bitnami;
pub(crate) mod native;
pub(crate) mod sops_secret;

/// Every kind, ours first. Adding one is a file and a line here.
pub static DIALECTS: &[&dyn Dialect] = &[
    &native::EncryptedSecret,
    #[cfg(feature = "bitnami")]
    &bitnami::SealedSecret,
    &sops_secret::SopsSecret,
];

/// One kind of sealed resource.
pub trait Dialect: Sync {
    /// Such as `plomb.dev`.
    fn group(&self) -> &'static str;

    /// Such as `EncryptedSecret`.
    fn kind(&self) -> &'static str;

    /// The version that is watched in a cluster.
    fn version(&self) -> &'static str;

    /// The plural that stands in the API server's paths.
    fn plural(&self) -> &'static str;

    /// How often its Secrets are compared even if nothing happened, in seconds.
    fn interval_seconds(&self, _resource: &Manifest) -> u64 {
        3600
    }

    /// When a resource that is suspended wants to go on by itself.
    fn suspended_until(&self, _resource: &Manifest) -> Option<sops::Timestamp> {
        None
    }

    /// The status that people and tools expect of this kind, made of ours. Where it says the same as the one in
    /// `resource`, it is the same, so that nothing needs to be written.
    fn status(&self, next: &Status, resource: &Manifest, now: sops::Timestamp) -> serde_json::Value;

    /// Whether its status holds what [`Status`] remembers. Kinds of others cannot.
    fn remembers(&self) -> bool {
        false
    }

    /// Whether the resource asks to be left alone at `now`.
    ///
    /// # Errors
    /// When it does not say so in the declared form.
    fn is_suspended(&self, resource: &Manifest, now: sops::Timestamp) -> Result<bool, Refusal>;

    /// Opens a resource: every check that needs no live Secret is made here.
    ///
    /// # Errors
    /// With the reason; then there is no Secret, not even a part of one.
    fn open(&self, resource: &Manifest, keys: &Keys) -> Result<Opened, Refusal>;
}

/// An opened resource: what is wanted.
#[derive(Debug, Default)]
pub struct Opened {
    /// The Secrets, sorted by name.
    pub secrets: Vec<DesiredSecret>,
    /// What to do when the live ones are not as expected.
    pub policy: Policy,
    /// Who may take over which Secrets, by annotations of the live ones.
    pub takeover: Takeover,
    /// Last 8 characters of the recipient whose key opened it.
    pub key_id: Option<String>,
    /// HMAC of the content under the file's data key.
    pub content_hash: Option<String>,
    /// Scope of the binding.
    pub scope: Option<Scope>,
    /// Why the file should be wrapped to the current key.
    pub rewrap: Option<String>,
    /// When the file was last changed, as its MAC vouches for.
    pub modified: Option<sops::Timestamp>,
}

/// Annotations (with the value `true`) on a live Secret that let a foreign dialect have it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Takeover {
    /// It may be replaced.
    pub adopt_if: Option<&'static str>,
    /// It may be added to.
    pub merge_if: Option<&'static str>,
    /// No owner reference is to be set.
    pub without_owner: bool,
}

/// The dialect of an object, if it is a sealed resource. Any version of the group is read.
pub fn for_kind(api_version: &str, kind: &str) -> Option<&'static dyn Dialect> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    DIALECTS.iter().copied().find(|dialect| dialect.group() == group && dialect.kind() == kind)
}
