//! How busy the machine was with something else. The load average counts the measured programs too, of which some use
//! every core.

use std::time::Instant;

/// Ticks in a second, in which Linux counts (`sysconf(_SC_CLK_TCK)`).
const TICKS: f64 = 100.0;

/// More than this, in cores, makes a figure one that nobody should quote.
pub(super) const QUIET: f64 = 0.1;

/// A stretch of time.
pub(super) struct Watch {
    since: Instant,
    busy: f64,
    own: f64,
}

impl Watch {
    /// Begins now.
    pub(super) fn begin() -> Self {
        Self { since: Instant::now(), busy: busy(), own: own() }
    }

    /// How many cores others used since then, on average; 0 where the system does not tell.
    pub(super) fn others(&self) -> f64 {
        let foreign = (busy() - self.busy) - (own() - self.own);
        (foreign / self.since.elapsed().as_secs_f64().max(0.01)).max(0.0)
    }
}

/// The figure as the tables show it.
pub(super) fn told(others: f64) -> String {
    if others > QUIET { format!("{others:.2} not quotable") } else { format!("{others:.2}") }
}

/// Seconds that all cores were busy: user, nice, system, interrupts and what a host took (proc_stat(5)).
fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let fields: Vec<f64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].iter().filter_map(|&at| fields.get(at)).sum::<f64>() / TICKS
}

/// Seconds that this program and what it waited for used (proc_pid_stat(5)).
fn own() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let fields: Vec<f64> = fields.map(|field| field.parse().unwrap_or(0.0)).collect();
    fields.get(11..15).map_or(0.0, |times| times.iter().sum::<f64>()) / TICKS
}
