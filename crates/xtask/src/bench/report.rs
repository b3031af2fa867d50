//! What a reader needs to believe the figures, and the table.

use super::crypto::Row;
use super::others::QUIET;
use super::{Field, others};
use crate::shell::{output, say};
use std::path::Path;
use std::process::Command;

/// Versions, machine, load.
pub(super) fn head(field: &Field) {
    say(&format!("us: {}", version(&field.plomb)));
    say(&format!("peer: {}", version(&field.sops)));
    say(&format!("cores: {}", std::thread::available_parallelism().map_or(0, usize::from)));
    say(&format!("load at the start: {:.2}", load()));
    say("Runs are interleaved; figures are medians; CPU is user + system; peak is ru_maxrss. `above start` is CPU");
    say(&format!(
        "minus that of `--version`. Each ratio is sops / us. A row during which others used more than {QUIET} cores is\nnot quotable.\n"
    ));
}

fn version(program: &Path) -> String {
    let run = Command::new(program).arg("--version").env("SOPS_DISABLE_VERSION_CHECK", "1").output();
    let text = run.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// The load average of the last minute; 0 where the system does not tell.
pub(super) fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// The first half of a file's SHA-256, by the tool of the machine.
pub(super) fn digest(path: &Path) -> String {
    let text = output(&["sha256sum", &path.display().to_string()]).unwrap_or_default();
    text.get(..16).unwrap_or("unknown").to_owned()
}

/// All rows as a Markdown table, and how each program grows.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| case | CPU ms us | CPU ms sops | ratio | above start | wall ms us | wall ms sops | ratio | peak MB us \
         | peak MB sops | runs | others | input | outputs |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let start = rows.first().map_or((0.0, 0.0), |row| (row.us.cpu_ms, row.sops.cpu_ms));
    for row in rows {
        let above = (row.sops.cpu_ms - start.1) / (row.us.cpu_ms - start.0).max(0.1);
        let above = if row.name == "process start" { "–".to_owned() } else { format!("{above:.1}") };
        let others = others::told(row.others);
        text.push_str(&format!(
            "| {} | {:.1} | {:.1} | {:.1} | {above} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {} | {others} | {} | {} |\n",
            row.name,
            row.us.cpu_ms,
            row.sops.cpu_ms,
            row.sops.cpu_ms / row.us.cpu_ms.max(0.01),
            row.us.wall_ms,
            row.sops.wall_ms,
            row.sops.wall_ms / row.us.wall_ms.max(0.01),
            row.us.peak_mb,
            row.sops.peak_mb,
            row.runs,
            row.input,
            row.outputs,
        ));
    }
    text.push_str(&growth(rows, start));
    text
}

/// The exponent of CPU above start between 5,000 and 50,000 values: 1 is linear.
fn growth(rows: &[Row], start: (f64, f64)) -> String {
    let mut text = String::new();
    for kind in ["encrypt yaml", "decrypt yaml", "encrypt json", "decrypt json"] {
        let find = |count: &str| rows.iter().find(|row| row.name == format!("{kind} {count} values"));
        if let (Some(small), Some(large)) = (find("5000"), find("50000")) {
            let exponent = |large: f64, small: f64, start: f64| ((large - start) / (small - start).max(0.01)).log10();
            let us = exponent(large.us.cpu_ms, small.us.cpu_ms, start.0);
            let sops = exponent(large.sops.cpu_ms, small.sops.cpu_ms, start.1);
            text.push_str(&format!("\ngrowth of {kind}, 5,000 to 50,000: exponent us {us:.2}, sops {sops:.2}"));
        }
    }
    text
}
