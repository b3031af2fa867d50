//! The `sops` block: who can open the file, what is encrypted, and the MAC.
//!
//! What we do not know (other key kinds, future fields) is carried through as it was read.

use document::Map;

use crate::error::SopsError;
use crate::field::{Field, Fields, is_time};
use crate::selector::{SELECTOR_FIELDS, Selector};
use crate::timestamp::Timestamp;

/// The SOPS version whose format we write.
pub const SOPS_VERSION: &str = "3.13.3";

/// The field of our own in the block; SOPS ignores it on reading and drops it on writing.
pub(crate) const LAYOUT_FIELD: &str = "plomb_layout";

/// Key lists of other kinds than age that SOPS 3.13 knows.
const FOREIGN_KINDS: [&str; 6] = ["azure_kv", "gcp_kms", "hc_vault", "hckms", "kms", "pgp"];

/// A data key, or a share of it, wrapped to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The recipient as the file names it. A label only: anyone can write anything here.
    pub recipient: String,
    /// ASCII armor of an age file.
    pub enc: String,
}

/// One key group: any of its keys opens its share.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The age entries, in file order.
    pub age: Vec<WrappedKey>,
    /// Key lists of other kinds, untouched.
    foreign: Fields,
}

impl Group {
    /// A group of age entries only.
    pub fn of(age: Vec<WrappedKey>) -> Self {
        Self { age, foreign: Fields::default() }
    }

    /// The entries of other kinds, as `kind: identifier`, for messages.
    pub fn foreign(&self) -> Vec<String> {
        let lists = self.foreign.0.iter();
        lists
            .flat_map(|(kind, field)| field.as_list().unwrap_or(&[]).iter().map(move |item| foreign_name(kind, item)))
            .collect()
    }

    /// Removes the entries of other kinds that `name` means: a whole name as [`Group::foreign`] gives it, or
    /// only the kind or only the identifier of one. How many were removed.
    pub fn drop_entries(&mut self, name: &str) -> usize {
        let mut dropped = 0;
        for (kind, field) in &mut self.foreign.0 {
            let Field::List(items) = field else { continue };
            let before = items.len();
            items.retain(|item| {
                let full = foreign_name(kind, item);
                full != name && kind != name && full.split_once(": ").is_none_or(|(_, id)| id != name)
            });
            dropped += before - items.len();
        }
        dropped
    }

    /// The first entry of another kind that `known` has not, as [`Group::foreign`] names it.
    pub(crate) fn foreign_beyond(&self, known: Option<&Self>) -> Option<String> {
        let has = |kind: &str, item: &Field| {
            let items = known.and_then(|known| known.foreign.get(kind)).and_then(Field::as_list);
            items.is_some_and(|items| items.contains(item))
        };
        self.foreign.0.iter().find_map(|(kind, field)| {
            let new = field.as_list().unwrap_or(&[]).iter().find(|item| !has(kind, item));
            new.map(|item| foreign_name(kind, item))
        })
    }

    /// Takes over the entries of other kinds of another group.
    pub(crate) fn foreign_from(&mut self, other: &Self) {
        self.foreign = other.foreign.clone();
    }

    /// Removes the entries of other kinds.
    pub fn drop_foreign(&mut self) {
        self.foreign.0.clear();
    }

    fn parse(fields: &Fields) -> Result<Self, SopsError> {
        let mut group = Self::default();
        for (name, field) in &fields.0 {
            match name.as_str() {
                "age" => group.age = age_entries(field)?,
                _ => group.foreign.0.push((name.clone(), field.clone())),
            }
        }
        Ok(group)
    }

    fn age_field(&self) -> Field {
        let entry = |key: &WrappedKey| {
            let enc = ("enc".to_owned(), Field::Text(key.enc.clone()));
            Field::Map(Fields(vec![enc, ("recipient".to_owned(), Field::Text(key.recipient.clone()))]))
        };
        Field::List(self.age.iter().map(entry).collect())
    }

    fn to_field(&self) -> Field {
        let mut fields = self.foreign.clone();
        fields.set("age", self.age_field());
        if fields.get("hc_vault").is_none() {
            fields.set("hc_vault", Field::List(Vec::new()));
        }
        Field::Map(fields)
    }
}

/// A file's metadata.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Key groups; one means that every key opens the whole data key.
    pub groups: Vec<Group>,
    /// How many groups must open, as stored. Without effect for one group.
    pub threshold: Option<usize>,
    /// Which values are encrypted.
    pub selector: Selector,
    /// Whether the selector stands in the file (else it is the default).
    pub selector_written: bool,
    /// Whether the MAC covers encrypted values only.
    pub mac_only_encrypted: bool,
    /// Time of the last change of a value; the MAC's additional data.
    pub lastmodified: Timestamp,
    /// The encrypted MAC.
    pub mac: Option<String>,
    /// SOPS version that wrote the file.
    pub version: String,
    /// Our encrypted layout field: present means that we wrote the file.
    pub(crate) layout: Option<String>,
    /// The block as read: order and unknown fields.
    raw: Fields,
}

impl Metadata {
    /// Metadata of a file about to be encrypted.
    pub fn new(groups: Vec<Group>, threshold: Option<usize>, selector: Selector, mac_only_encrypted: bool) -> Self {
        Self {
            groups,
            threshold,
            selector,
            selector_written: true,
            mac_only_encrypted,
            lastmodified: Timestamp(0),
            mac: None,
            version: SOPS_VERSION.to_owned(),
            layout: None,
            raw: Fields::default(),
        }
    }

    /// Reads the block.
    ///
    /// # Errors
    /// [`SopsError::Metadata`] and friends, naming the field.
    pub fn parse(map: &Map) -> Result<Self, SopsError> {
        if is_time(map, "lastmodified") {
            return Err(broken("lastmodified must be quoted"));
        }
        let raw = Fields::from_map(map);
        let version = raw.text("version").filter(|text| !text.is_empty());
        let version = version.ok_or_else(|| broken("version string is empty"))?;
        if !is_semver(&version) {
            return Err(broken("version is not of the form X.Y.Z"));
        }
        let lastmodified = raw.text("lastmodified").unwrap_or_default();
        let lastmodified = Timestamp::parse(&lastmodified).ok_or_else(|| broken("lastmodified is not a time"))?;
        let (selector, selector_written) = selector(&raw)?;
        let groups = groups(&raw)?;
        Ok(Self {
            threshold: threshold(&raw)?,
            mac_only_encrypted: flag(&raw, "mac_only_encrypted")?,
            mac: raw.text("mac").filter(|text| !text.is_empty()),
            layout: raw.text(LAYOUT_FIELD).filter(|text| !text.is_empty()),
            groups,
            selector,
            selector_written,
            lastmodified,
            version,
            raw,
        })
    }

    /// The block, to be written: known fields as they are now, unknown ones as they were.
    pub(crate) fn to_map(&self) -> Map {
        let mut fields = self.raw.clone();
        let mut put = |name: &str, field: Field| {
            if !field.is_empty() {
                fields.set(name, field);
            } else if !fields.get(name).is_some_and(Field::is_empty) {
                fields.remove(name);
            }
        };
        let single = matches!(self.groups.as_slice(), [_]);
        let first = self.groups.first().cloned().unwrap_or_default();
        put("age", if single { first.age_field() } else { Field::Null });
        for kind in FOREIGN_KINDS {
            put(kind, single.then(|| first.foreign.get(kind).cloned()).flatten().unwrap_or(Field::Null));
        }
        let groups = self.groups.iter().map(Group::to_field).collect();
        put("key_groups", if single { Field::Null } else { Field::List(groups) });
        put("shamir_threshold", Field::Int(self.threshold.unwrap_or(0) as i64));
        put("lastmodified", Field::Text(self.lastmodified.to_string()));
        put("mac", Field::Text(self.mac.clone().unwrap_or_default()));
        put("mac_only_encrypted", Field::Bool(self.mac_only_encrypted));
        put(LAYOUT_FIELD, Field::Text(self.layout.clone().unwrap_or_default()));
        put("version", Field::Text(self.version.clone()));
        let (name, text) = self.selector.field();
        for field in SELECTOR_FIELDS {
            let written = self.selector_written && field == name;
            put(field, if written { Field::Text(text.to_owned()) } else { Field::Null });
        }
        fields.to_map()
    }

    /// Whether plomb wrote the file last: then its text is restored, else printed as SOPS prints it.
    pub fn has_layout(&self) -> bool {
        self.layout.is_some()
    }

    /// Groups that must open: all of them where nothing sensible is stored.
    pub fn needed_groups(&self) -> usize {
        match (self.groups.len(), self.threshold) {
            (0 | 1, _) => 1,
            (count, Some(threshold)) if threshold >= 2 => threshold.min(count),
            (count, _) => count,
        }
    }

    /// Every age recipient of every group, in file order.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| group.age.iter().map(|key| key.recipient.as_str()))
    }
}

/// `kind: identifier` of an entry of another kind.
fn foreign_name(kind: &str, field: &Field) -> String {
    let ids = ["fp", "arn", "resource_id", "vault_url", "vault_address", "key_id"];
    let id = field.as_map().and_then(|fields| ids.iter().find_map(|id| fields.text(id)));
    format!("{kind}: {}", id.unwrap_or_else(|| "entry".to_owned()))
}

/// Every sentence starts with the field it is about: [`Encrypted::new`](crate::Encrypted::new) finds the line so.
fn broken(what: &str) -> SopsError {
    SopsError::Metadata(what.to_owned())
}

fn is_semver(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or(text);
    let mut parts = core.split('.');
    let number =
        |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    number(parts.next()) && number(parts.next()) && number(parts.next()) && parts.next().is_none()
}

fn flag(raw: &Fields, name: &str) -> Result<bool, SopsError> {
    match raw.text(name).as_deref() {
        None | Some("") => Ok(false),
        Some(text) => crate::value::go_bool(text).ok_or_else(|| broken(&format!("{name} is not true or false"))),
    }
}

fn threshold(raw: &Fields) -> Result<Option<usize>, SopsError> {
    match raw.text("shamir_threshold").as_deref() {
        None | Some("" | "0") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| broken("shamir_threshold is not a number")),
    }
}

fn selector(raw: &Fields) -> Result<(Selector, bool), SopsError> {
    let given: Vec<_> = SELECTOR_FIELDS
        .iter()
        .filter_map(|field| raw.text(field).filter(|text| !text.is_empty()).map(|text| (*field, text)))
        .collect();
    match given.as_slice() {
        [] => Ok((Selector::default(), false)),
        [(field, text)] => {
            let selector = Selector::from_field(field, text);
            selector.map(|it| (it, true)).map_err(|why| SopsError::Selector { field: (*field).to_owned(), why })
        }
        _ => Err(broken("more than one of the selector fields is set")),
    }
}

fn groups(raw: &Fields) -> Result<Vec<Group>, SopsError> {
    let is_list = |name: &str| name == "age" || FOREIGN_KINDS.contains(&name);
    let top = Fields(raw.0.iter().filter(|(name, field)| is_list(name) && !field.is_empty()).cloned().collect());
    let groups = raw.get("key_groups").filter(|field| !field.is_empty());
    let list = groups.map(|field| field.as_list().ok_or_else(|| broken("key_groups is no list"))).transpose()?;
    let groups = list.unwrap_or(&[]);
    let group = |field: &Field| {
        field.as_map().ok_or_else(|| broken("key_groups holds something that is no map")).and_then(Group::parse)
    };
    if !top.0.is_empty() {
        return Ok(vec![Group::parse(&top)?]);
    }
    let groups = groups.iter().map(group).collect::<Result<Vec<_>, _>>()?;
    if groups.is_empty() { Err(SopsError::NoRecipients) } else { Ok(groups) }
}

fn age_entries(field: &Field) -> Result<Vec<WrappedKey>, SopsError> {
    let entry = |field: &Field| {
        let fields = field.as_map().ok_or_else(|| broken("age holds something that is no map"))?;
        let text = |name: &str| fields.text(name).unwrap_or_default();
        Ok(WrappedKey { recipient: text("recipient"), enc: text("enc") })
    };
    match field {
        Field::Null => Ok(Vec::new()),
        _ => field.as_list().ok_or_else(|| broken("age is no list"))?.iter().map(entry).collect(),
    }
}
