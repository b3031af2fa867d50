//! What the cluster shows of its keys: a ConfigMap, which also is the memory of the chain, and the file that people
//! pin in their repository. The status of `ClusterRecipient` says the same once more.

use std::collections::BTreeMap;

use document::Map;
use secret::SecretBytes;
use serde_json::{Value, json};

use super::chain::Chain;
use super::cluster_recipient::ClusterRecipientStatus;
use super::escrow::EscrowFile;
use super::statement::{ChainFault, Statement};
use crate::manifest::{self, ManifestError};
use crate::tree;

/// Entry of the ConfigMap: the current recipient, and nothing else.
pub const RECIPIENT_ENTRY: &str = "recipient";
/// Entry of the ConfigMap: the chain, as the file that people pin.
pub const CHAIN_ENTRY: &str = "recipients.yaml";
/// Entry of the ConfigMap: the escrow file.
pub const ESCROW_ENTRY: &str = "escrow.age";
/// Entry of the ConfigMap: what is in the escrow file, signed.
pub const NOTE_ENTRY: &str = "escrow.json";

/// What is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The statements, oldest first; not checked yet.
    pub statements: Vec<Statement>,
    /// The backup.
    pub escrow: Option<EscrowFile>,
    /// Earlier backups that alone hold keys which resources need, by digest.
    pub older: Vec<EscrowFile>,
    /// There is something that cannot be read: not the same as nothing.
    pub damaged: bool,
}

impl Published {
    /// Name of the ConfigMap.
    pub fn config_map_name(name: &str) -> String {
        format!("{name}-recipients")
    }

    /// Reads the ConfigMap's data. Without one, the status of the ClusterRecipient counts. Never fails: what cannot be
    /// read is noted as damaged and written anew from the key Secrets.
    pub fn read(config_map: Option<&BTreeMap<String, String>>, status: Option<&ClusterRecipientStatus>) -> Self {
        match (config_map, status) {
            (Some(data), _) => Self::from_config_map(data),
            (None, Some(status)) => Self {
                statements: status.statements.clone(),
                escrow: status.escrow.clone().zip(status.escrow_note.clone()).map(EscrowFile::from),
                older: status.older_escrows.clone(),
                damaged: false,
            },
            (None, None) => Self::default(),
        }
    }

    fn from_config_map(data: &BTreeMap<String, String>) -> Self {
        let statements = data.get(CHAIN_ENTRY).map(|text| statements_in(SecretBytes::from(text.as_str())));
        let note = data.get(NOTE_ENTRY).map(|text| serde_json::from_str(text));
        let older: Vec<_> = older_in(data).collect();
        let is_broken = older.iter().any(Option::is_none);
        let damaged = matches!(statements, Some(Err(_))) || matches!(note, Some(Err(_))) || is_broken;
        let escrow = data.get(ESCROW_ENTRY).cloned().zip(note.and_then(Result::ok));
        Self {
            statements: statements.and_then(Result::ok).unwrap_or_default(),
            escrow: escrow.map(EscrowFile::from),
            older: older.into_iter().flatten().collect(),
            damaged,
        }
    }

    /// The ConfigMap's data.
    pub fn to_config_map(&self) -> BTreeMap<String, String> {
        let mut data = BTreeMap::new();
        let mut put = |entry: &str, text: String| data.insert(entry.to_owned(), text);
        if let Some(newest) = self.statements.last() {
            put(RECIPIENT_ENTRY, format!("{}\n", newest.recipient));
            put(CHAIN_ENTRY, file_of(&self.statements));
        }
        if let Some(escrow) = &self.escrow {
            put(ESCROW_ENTRY, escrow.file.clone());
            put(NOTE_ENTRY, escrow.note.to_json());
        }
        for older in &self.older {
            let id = older.id();
            put(&format!("{OLDER}{id}{FILE}"), older.file.clone());
            put(&format!("{OLDER}{id}{NOTE}"), older.note.to_json());
        }
        data
    }

    /// The recipients of all keys that were published or are in a backup.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let said = self.statements.iter().map(|statement| &statement.recipient);
        let escrowed = self.escrow.iter().chain(&self.older).flat_map(|escrow| &escrow.note.keys);
        said.chain(escrowed).map(String::as_str)
    }

    /// The recipient that files are to be wrapped to.
    pub fn recipient(&self) -> Option<&str> {
        self.statements.last().map(|newest| newest.recipient.as_str())
    }
}

/// What names the entries of an earlier backup.
const OLDER: &str = "escrow-";
const FILE: &str = ".age";
const NOTE: &str = ".json";

/// The earlier backups in the ConfigMap's data; `None` for one whose note cannot be read.
fn older_in(data: &BTreeMap<String, String>) -> impl Iterator<Item = Option<EscrowFile>> {
    data.iter().filter_map(|(entry, file)| {
        let id = entry.strip_prefix(OLDER)?.strip_suffix(FILE)?;
        let note = data.get(&format!("{OLDER}{id}{NOTE}")).and_then(|text| serde_json::from_str(text).ok());
        Some(note.map(|note| EscrowFile { file: file.clone(), note }))
    })
}

impl From<(String, super::EscrowNote)> for EscrowFile {
    fn from((file, note): (String, super::EscrowNote)) -> Self {
        Self { file, note }
    }
}

/// The file that people keep in their repository: `recipients/<cluster>.yaml`. The fields before the statements are
/// for the eye; what counts are the statements.
pub fn file_of(statements: &[Statement]) -> String {
    let Some(newest) = statements.last() else { return String::new() };
    let file = json!({
        "cluster": newest.cluster,
        "clusterUid": newest.cluster_uid,
        "recipient": newest.recipient,
        "fingerprint": newest.fingerprint(),
        "statements": statements,
    });
    let document::Value::Map(root) = tree::from_json(&file) else { unreachable!("an object becomes a map") };
    let text = manifest::yaml(root).expect("a file of texts is always YAML");
    text.expose_str().expect("YAML is text").to_owned()
}

/// Why a text gives no chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no YAML or JSON.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// There are no statements where they are looked for.
    #[error("it holds no statements: neither a ClusterRecipient with a status, nor its ConfigMap, nor a pinned file")]
    Nothing,
    /// There is more than one cluster in it.
    #[error("it holds the statements of more than one cluster")]
    Several,
    /// A statement has not the fields of one.
    #[error("a statement in it has not the fields of one")]
    Form,
    /// What stands before the statements contradicts them.
    #[error("its field {0} says something else than its statements")]
    Contradiction(&'static str),
    /// The statements are not believed.
    #[error("{0}")]
    Chain(#[from] ChainFault),
}

/// Reads and checks a chain: out of a ClusterRecipient, its ConfigMap, a list of one of these, or a pinned file; in
/// YAML or JSON.
///
/// # Errors
/// When there is none, more than one, or it does not verify.
pub fn chain_in(text: SecretBytes) -> Result<Chain, ReadError> {
    Ok(Chain::verify(statements_in(text)?)?)
}

fn statements_in(text: SecretBytes) -> Result<Vec<Statement>, ReadError> {
    let is_json = text.expose().trim_ascii_start().starts_with(b"{");
    let format = manifest::format_of(if is_json { "x.json" } else { "x.yaml" });
    let doc = format.parse(text).map_err(ManifestError::from)?;
    let mut found = Vec::new();
    doc.branches.iter().try_for_each(|branch| collect(&branch.root, 0, &mut found))?;
    match found.len() {
        0 => Err(ReadError::Nothing),
        1 => Ok(found.remove(0)),
        _ => Err(ReadError::Several),
    }
}

fn collect(root: &Map, depth: usize, found: &mut Vec<Vec<Statement>>) -> Result<(), ReadError> {
    // A ConfigMap holds a file, a list holds objects: nothing is deeper.
    if depth > 2 {
        return Ok(());
    }
    if let Some(items) = root.get("items").and_then(|node| node.value.as_list()) {
        let maps = items.nodes().filter_map(|node| node.value.as_map());
        return maps.into_iter().try_for_each(|item| collect(item, depth + 1, found));
    }
    if let Some(file) = tree::map(root, "data").and_then(|data| tree::text(data, CHAIN_ENTRY)) {
        found.push(statements_in_file(file, depth)?);
        return Ok(());
    }
    let place = tree::map(root, "status").unwrap_or(root);
    if place.get("statements").is_some() {
        found.push(statements_of(place)?);
    }
    Ok(())
}

fn statements_in_file(text: &str, depth: usize) -> Result<Vec<Statement>, ReadError> {
    let doc = manifest::format_of("x.yaml").parse(SecretBytes::from(text)).map_err(ManifestError::from)?;
    let mut found = Vec::new();
    doc.branches.iter().try_for_each(|branch| collect(&branch.root, depth + 1, &mut found))?;
    found.pop().ok_or(ReadError::Nothing)
}

fn statements_of(place: &Map) -> Result<Vec<Statement>, ReadError> {
    let place = tree::to_json(place);
    let statements: Vec<Statement> =
        serde_json::from_value(place["statements"].clone()).map_err(|_| ReadError::Form)?;
    let Some(newest) = statements.last() else { return Ok(statements) };
    let says = |field: &str, wanted: &str| place.get(field).and_then(Value::as_str).is_none_or(|text| text == wanted);
    let fields = [
        ("cluster", newest.cluster.clone()),
        ("clusterUid", newest.cluster_uid.clone()),
        ("recipient", newest.recipient.clone()),
        ("fingerprint", newest.fingerprint()),
    ];
    match fields.into_iter().find(|(field, wanted)| !says(field, wanted)) {
        Some((field, _)) => Err(ReadError::Contradiction(field)),
        None => Ok(statements),
    }
}

/// The escrow files in a text: one as it stands there, or those in the ConfigMap or ClusterRecipient that was read from a
/// cluster. The one with the keys of today first; the others hold keys that it lacks.
pub fn escrows_in(text: SecretBytes) -> Vec<Vec<u8>> {
    let bytes = text.expose().trim_ascii_start();
    if bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE") {
        return vec![text.expose().to_vec()];
    }
    let name = if bytes.starts_with(b"{") { "x.json" } else { "x.yaml" };
    let objects = manifest::read(text, name, "").unwrap_or_default();
    let found = objects.iter().map(|object| {
        let (data, status) = (tree::map(&object.root, "data"), tree::map(&object.root, "status"));
        let first = data.and_then(|data| tree::text(data, ESCROW_ENTRY));
        let first = first.or_else(|| status.and_then(|status| tree::text(status, "escrow")));
        let entries = data.into_iter().flat_map(Map::entries).filter_map(|entry| {
            entry.key.strip_prefix(OLDER)?.strip_suffix(FILE)?;
            entry.value.value.as_str()
        });
        let listed = status.and_then(|status| status.get("olderEscrows")).and_then(|node| node.value.as_list());
        let listed = listed.into_iter().flat_map(|list| list.nodes()).filter_map(|node| node.value.as_map());
        let older = entries.chain(listed.filter_map(|older| tree::text(older, "file")));
        first.into_iter().chain(older).map(|file| file.as_bytes().to_vec()).collect::<Vec<_>>()
    });
    found.into_iter().find(|files| !files.is_empty()).unwrap_or_default()
}
