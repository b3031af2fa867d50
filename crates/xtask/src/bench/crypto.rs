//! The cases: process start, small to large files, many keys side by side, many files, one large binary.

use super::launcher::{Figures, measure};
use super::others::Watch;
use super::{Field, inputs, report};
use crate::shell::{Result, say};
use e2e::subject::recipient;
use std::path::{Path, PathBuf};

/// One measured case.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) us: Figures,
    pub(super) sops: Figures,
    pub(super) runs: usize,
    /// Cores that others used meanwhile.
    pub(super) others: f64,
    pub(super) input: String,
    pub(super) outputs: &'static str,
}

/// All cases, one after the other; each is said when done, since the large ones take minutes.
pub(super) fn rows(field: &Field) -> Result<Vec<Row>> {
    let version = ["--version".to_owned()];
    let mut rows = vec![compare(field, "process start", (&version, &version), runs(field, 21), "–".to_owned())?];
    let sizes: &[usize] = if field.quick { &[10, 500] } else { &[10, 500, 5000, 50_000] };
    for &size in sizes {
        let count = if size > 1000 { 5 } else { 15 };
        let yaml = field.scratch.write(&format!("n{size}.yaml"), inputs::nested_yaml(size));
        rows.extend(both_ways(field, &format!("yaml {size} values"), &yaml, runs(field, count))?);
        let json = field.scratch.write(&format!("n{size}.json"), inputs::nested_json(size));
        rows.extend(both_ways(field, &format!("json {size} values"), &json, runs(field, count))?);
    }
    rows.push(many_files(field)?);
    if !field.quick {
        let flat = field.scratch.write("flat.yaml", inputs::flat_yaml(50_000));
        rows.extend(both_ways(field, "yaml 50000 keys side by side", &flat, 1)?);
        let binary = field.scratch.write("large.bin", inputs::binary(100_000_000));
        rows.extend(both_ways(field, "binary 100 MB", &binary, 3)?);
    }
    Ok(rows)
}

fn runs(field: &Field, count: usize) -> usize {
    if field.quick { 3 } else { count }
}

/// Encrypts a plain file, and decrypts what sops made of it.
fn both_ways(field: &Field, name: &str, plain: &Path, runs: usize) -> Result<Vec<Row>> {
    let (input, name_of) = (report::digest(plain), |path: &Path| path.display().to_string());
    let encrypt: Vec<String> = ["encrypt", "--age", &recipient("k1"), &name_of(plain)].map(str::to_owned).to_vec();
    let mut first = compare(field, &format!("encrypt {name}"), (&encrypt, &encrypt), runs, input.clone())?;
    first.outputs = same_meaning(field, plain)?;
    let encrypted = plain.with_file_name(format!("enc-{}", plain.file_name().unwrap_or_default().to_string_lossy()));
    std::fs::copy(output_of(field, "sops"), &encrypted).map_err(|error| error.to_string())?;
    let decrypt = ["decrypt".to_owned(), name_of(&encrypted)];
    let mut second = compare(field, &format!("decrypt {name}"), (&decrypt, &decrypt), runs, input)?;
    second.outputs = if same_bytes(&output_of(field, "us"), &output_of(field, "sops")) { "equal" } else { "DIFFERENT" };
    Ok(vec![first, second])
}

/// Both files just encrypted must say the same to sops.
fn same_meaning(field: &Field, plain: &Path) -> Result<&'static str> {
    let extension = plain.extension().unwrap_or_default().to_string_lossy().into_owned();
    let mut read = Vec::new();
    for who in ["us", "sops"] {
        let copy = field.scratch.path(&format!("check-{who}.{extension}"));
        std::fs::copy(output_of(field, who), &copy).map_err(|error| error.to_string())?;
        let seen = field.scratch.path(&format!("seen-{who}"));
        measure(field, &seen, &field.sops, &["decrypt".to_owned(), copy.display().to_string()])?;
        read.push(seen);
    }
    Ok(if same_bytes(&read[0], &read[1]) { "equal to sops" } else { "DIFFERENT" })
}

/// A thousand small files: one call of ours against a loop of theirs, encrypting in place.
fn many_files(field: &Field) -> Result<Row> {
    let count = if field.quick { 50 } else { 1000 };
    let text = inputs::nested_yaml(10);
    let input = report::digest(&field.scratch.write("small.yaml", &text));
    let (mut figures, watch) = (Vec::new(), Watch::begin());
    let age = recipient("k1");
    for who in ["us", "sops"] {
        let files: Vec<_> =
            (0..count).map(|number| field.scratch.write(&format!("{who}/f{number}.yaml"), &text)).collect();
        let folder = field.scratch.path(who).display().to_string();
        let line = match who {
            "us" => format!("exec '{}' encrypt -i --age {age} {folder}/*.yaml", field.plomb.display()),
            _ => format!("for f in {folder}/*.yaml; do '{}' encrypt -i --age {age} $f; done", field.sops.display()),
        };
        let args = ["-c".to_owned(), line];
        figures.push(measure(field, &output_of(field, who), Path::new("sh"), &args)?);
        let done = files
            .iter()
            .filter(|file| std::fs::read(file).is_ok_and(|now| now.starts_with(b"service_00000:\n    key_0: ENC[")));
        if done.count() != count {
            return Err(format!("{who} did not encrypt all {count} files"));
        }
    }
    let name = format!("encrypt {count} files of 10 values, one call against a loop");
    let row = Row {
        name,
        us: figures[0],
        sops: figures[1],
        runs: 1,
        others: watch.others(),
        input,
        outputs: "all encrypted",
    };
    told(row)
}

/// Runs both programs in turn; their arguments may differ.
fn compare(field: &Field, name: &str, args: (&[String], &[String]), runs: usize, input: String) -> Result<Row> {
    let (mut us, mut sops) = (Vec::new(), Vec::new());
    let watch = Watch::begin();
    for _ in 0..runs {
        us.push(measure(field, &output_of(field, "us"), &field.plomb, args.0)?);
        sops.push(measure(field, &output_of(field, "sops"), &field.sops, args.1)?);
    }
    let row = Row {
        name: name.to_owned(),
        us: median(&us),
        sops: median(&sops),
        runs,
        others: watch.others(),
        input,
        outputs: "–",
    };
    told(row)
}

fn told(row: Row) -> Result<Row> {
    say(&format!("{}: CPU {:.1} ms us, {:.1} ms sops", row.name, row.us.cpu_ms, row.sops.cpu_ms));
    Ok(row)
}

fn output_of(field: &Field, who: &str) -> PathBuf {
    field.scratch.root().join(format!("{who}.out"))
}

fn same_bytes(one: &Path, two: &Path) -> bool {
    matches!((std::fs::read(one), std::fs::read(two)), (Ok(one), Ok(two)) if one == two)
}

fn median(runs: &[Figures]) -> Figures {
    let middle = |read: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(read).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figures { wall_ms: middle(|f| f.wall_ms), cpu_ms: middle(|f| f.cpu_ms), peak_mb: middle(|f| f.peak_mb) }
}
