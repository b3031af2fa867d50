//! 200 MB of source text from a pipe.

use std::io::Write as _;
use std::path::Path;

use super::{best, fingerprints, peer, row};
use crate::bench::Field;
use crate::bench::launcher::measure;
use crate::shell::{Result, say};

/// Length of the stream, in bytes.
const LENGTH: u64 = 200_000_000;

/// Joins the sources of a tree to one stream. Ours is read twice, as a stream and as a file: both must find the same.
pub(super) fn rows(field: &Field, tree: &Path) -> Result {
    let stream = field.scratch.work().join("stream.txt");
    let length = join(tree, &stream).map_err(|error| format!("{}: {error}", stream.display()))?;
    let case = format!("stdin, {} MB of sources", length / 1_000_000);
    let report = |name: &str| field.scratch.work().join(name);
    let shell = |verb: &str, report: &Path| {
        let program = field.plomb.display();
        let line = format!("'{program}' scan {verb} --exit-code 0 --no-guard -f json -r '{}'", report.display());
        ["-c".to_owned(), line]
    };
    let text = stream.display().to_string();
    let (piped, read) = (report("piped.json"), report("read.json"));
    let mut words = shell("stdin", &piped);
    words[1] += &format!(" < '{text}'");
    let us = best(field, Path::new("sh"), &words)?;
    measure(field, Path::new("/dev/null"), Path::new("sh"), &shell(&format!("dir '{text}'"), &read))?;
    let (piped, read) = (fingerprints(&piped).len(), fingerprints(&read).len());
    row(&case, "us, own rules", &us, &us, Some(piped));
    if piped != read {
        say(&format!("NOT EQUAL: {piped} findings in the stream, {read} in the same bytes as a file"));
    }
    let theirs = report("theirs.json").display().to_string();
    let betterleaks = format!("stdin --confidence medium --exit-code 0 --no-banner -o '{theirs}' < '{text}'");
    peer(field, &case, ("betterleaks", "PLOMB_BETTERLEAKS"), &betterleaks, &us)?;
    let kingfisher = format!("scan -n --no-update-check '{text}' --max-file-size 1000 --format json -o '{theirs}'");
    peer(field, &format!("{case} (a file for kingfisher)"), ("kingfisher", "PLOMB_KINGFISHER"), &kingfisher, &us)
}

/// Rust sources in the order of their paths, until there are enough of them, again and again if there are too few.
fn join(tree: &Path, stream: &Path) -> std::io::Result<u64> {
    let mut sources = Vec::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() && !path.is_symlink() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => sources.push(path),
                false => {}
            }
        }
    }
    sources.sort();
    let mut out = std::io::BufWriter::new(std::fs::File::create(stream)?);
    let mut length = 0;
    for source in sources.iter().cycle().take(sources.len() * 8) {
        if length >= LENGTH {
            break;
        }
        let text = std::fs::read(source)?;
        length += text.len() as u64;
        out.write_all(&text)?;
    }
    out.flush()?;
    Ok(length)
}
