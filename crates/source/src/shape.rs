//! Whether a repository is made of files. Where Git keeps files, whoever wrote the repository may have put a pipe, which
//! is waited for forever, or a link to a device, which never ends.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;

use crate::files::open_through_links;
use crate::ignored::contents;

/// The files of a Git folder that are read, and how large each may be.
const FILES: [(&str, u64); 11] = [
    ("HEAD", SMALL),
    ("commondir", SMALL),
    ("gitdir", SMALL),
    ("config", 16 << 20),
    ("config.worktree", 16 << 20),
    ("shallow", 256 << 20),
    ("packed-refs", 4 << 30),
    ("objects/info/alternates", ALTERNATES),
    ("FETCH_HEAD", 256 << 20),
    ("ORIG_HEAD", SMALL),
    ("MERGE_HEAD", SMALL),
];
const SMALL: u64 = 64 << 10;
const ALTERNATES: u64 = 1 << 20;

/// More folders of alternates than this are an attack.
const MOST_ALTERNATES: usize = 256;

/// Deeper folders of refs cannot be named.
const DEEPEST_REF: usize = 256;

/// What is wrong with the repository whose work tree begins at `root` (or, without `work_tree`, that is this folder), in
/// words: what Git would wait for or read forever. To be asked before anything else opens it.
pub fn fault(root: &Path, work_tree: bool) -> Option<String> {
    let git = if work_tree { root.join(".git") } else { root.to_owned() };
    let folder = match pointed(&git) {
        Ok(folder) => folder,
        Err(why) => return Some(why),
    };
    file_fault(&folder, "commondir", SMALL).or_else(|| {
        let common = line(&folder.join("commondir")).map_or(folder.clone(), |common| folder.join(common));
        folder_fault(&folder)
            .or_else(|| if common == folder { None } else { folder_fault(&common) })
            .or_else(|| worktrees_fault(&common))
            .or_else(|| objects_fault(&common.join("objects"), &mut HashSet::new()))
    })
}

/// What is wrong with a folder of objects and those that it names in turn.
pub(crate) fn objects_fault(objects: &Path, seen: &mut HashSet<PathBuf>) -> Option<String> {
    let mut waiting = vec![objects.to_owned()];
    while let Some(objects) = waiting.pop() {
        let Ok(real) = objects.canonicalize() else { continue };
        if !seen.insert(real) {
            continue;
        }
        if seen.len() > MOST_ALTERNATES {
            return Some("it has too many alternates".to_owned());
        }
        let fault = file_fault(&objects, "info/alternates", ALTERNATES)
            .or_else(|| ["info", "pack"].iter().find_map(|folder| tree_fault(&objects.join(folder), 1)));
        if fault.is_some() {
            return fault;
        }
        let Some(text) = contents(open_through_links(&objects.join("info/alternates")), ALTERNATES) else { continue };
        let named = gix::odb::alternate::parse(&text).unwrap_or_default();
        waiting.extend(named.into_iter().map(|named| objects.join(named)));
    }
    None
}

/// The Git folder: what a `.git` file points to.
fn pointed(git: &Path) -> Result<PathBuf, String> {
    if git.is_dir() {
        return Ok(git.to_owned());
    }
    let name = git.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match open_through_links(git) {
        Ok(Some((_, size))) if size <= SMALL => {}
        _ => return Err(format!("{name} is neither a folder nor a file that points to one")),
    }
    let line = line(git).unwrap_or_default();
    let folder = line.strip_prefix("gitdir:").map(|folder| folder.trim_start_matches(' ').to_owned());
    Ok(folder.map_or(git.to_owned(), |folder| git.with_file_name(folder)))
}

fn line(file: &Path) -> Option<String> {
    let text = contents(open_through_links(file), SMALL)?;
    text.lines().next().and_then(|line| line.to_str().ok()).map(str::to_owned)
}

fn folder_fault(git: &Path) -> Option<String> {
    let fault = FILES.iter().find_map(|(name, limit)| file_fault(git, name, *limit));
    fault.or_else(|| tree_fault(&git.join("refs"), DEEPEST_REF))
}

/// Linked work trees have a HEAD each, which is read with the refs.
fn worktrees_fault(common: &Path) -> Option<String> {
    let trees = std::fs::read_dir(common.join("worktrees")).ok()?;
    trees.flatten().find_map(|tree| folder_fault(&tree.path()))
}

/// What is there is a regular file of a size that Git would write.
fn file_fault(folder: &Path, name: &str, limit: u64) -> Option<String> {
    let metadata = folder.join(name).metadata().ok()?;
    if !metadata.is_file() {
        return Some(format!("{name} is not a regular file"));
    }
    (metadata.len() > limit).then(|| format!("{name} is too large"))
}

/// Whether there is anything below but files and folders, or links to them.
fn tree_fault(folder: &Path, depth: usize) -> Option<String> {
    let mut waiting = vec![(folder.to_owned(), depth)];
    while let Some((folder, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(mut kind) = entry.file_type() else { continue };
            if kind.is_symlink() {
                let Ok(metadata) = entry.path().metadata() else { continue };
                kind = metadata.file_type();
            } else if kind.is_dir() && depth > 0 {
                waiting.push((entry.path(), depth - 1));
            }
            if !kind.is_file() && !kind.is_dir() {
                let within = folder.file_name().unwrap_or_default().to_string_lossy();
                return Some(format!("{within}/{} is not a regular file", entry.file_name().to_string_lossy()));
            }
        }
    }
    None
}
