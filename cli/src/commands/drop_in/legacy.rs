//! The old style without commands: `sops -e FILE`, `sops -d FILE`, `sops FILE`.

use super::flags::Line;
use super::{Call, crypt};
use crate::failure::{Exit, Failure, Outcome};
use crate::ui;

/// Runs an old command line. Where several of `-e -d -r --set` are given the last of this order counts.
pub(super) fn run(global: &Line) -> Outcome {
    let mut asked: Vec<_> = ["encrypt", "decrypt", "rotate"].into_iter().filter(|name| global.is_on(name)).collect();
    asked.extend(global.raw("set").map(|_| "set"));
    if global.rest.is_empty() {
        return Err(Failure::new(Exit::NoFile, "no file specified"));
    }
    if asked.len() > 1 {
        let last = asked[asked.len() - 1];
        ui::note(&format!("warning: more than one of --encrypt, --decrypt, --rotate, --set: only --{last} is done"));
    }
    let command = asked.last().copied().unwrap_or("edit");
    let call = Call { old_style: true, ..Call::new(command, global.clone(), global) };
    if asked.len() > 1 && asked[0] == "encrypt" {
        crypt::check_policy(&call)?;
    }
    call.run()
}
