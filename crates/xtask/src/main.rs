//! `cargo xtask`: everything that is done to this repository rather than by it.

mod bench;
mod clean;
mod cluster;
mod generate;
mod layers;
mod network;
mod peers;
mod record;
mod seeds;
mod shell;
mod static_program;
mod suite;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND
  test [--bless]   install what the tests need, run all checks and tests; --bless rewrites fixtures/expected-tests.txt
  gen [--check]    write docs/rules.md from the rules' records; --check refuses one that is stale
  clean-code [--bless]     scan the sources of every crate in Cargo.lock, compare with docs/clean-code.md
  check-layers     refuse a dependency between our crates that the architecture does not draw
  check-network    refuse a crate that can open a connection in the tree of the command line
  tidy             file heads, open ends, origin notes of fixtures, machine paths
  peers            install the real tools and print the variables that name them
  static           build plomb-controller as one static file (development profile) and print where it is
  record-cli       ask the real sops for its answers to fixtures/sops-cli/cases.txt
  fuzz-seeds       copy fixtures to where the fuzz targets look for seeds
  bench crypto [--quick]   time and memory of us ($PLOMB_BIN, else a release build) beside the real sops
  bench scan [--quick]     the same beside gitleaks, and betterleaks and kingfisher if variables name them
  bench cluster [--quick]  the controller over 10,000 resources on a real API server";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test"] => suite::run(false),
        ["test", "--bless"] => suite::run(true),
        ["gen"] => generate::run(),
        ["gen", "--check"] => generate::check(),
        ["clean-code"] => clean::run(false),
        ["clean-code", "--bless"] => clean::run(true),
        ["check-layers"] => layers::check(),
        ["check-network"] => network::check(),
        ["tidy"] => tidy::check(),
        ["peers"] => peers::print(),
        ["static"] => static_program::build().map(|path| shell::say(&path.display().to_string())),
        ["bench", "crypto"] => bench::crypto(false),
        ["bench", "crypto", "--quick"] => bench::crypto(true),
        ["bench", "scan"] => bench::scan(false),
        ["bench", "scan", "--quick"] => bench::scan(true),
        ["bench", "cluster"] => bench::cluster(false),
        ["bench", "cluster", "--quick"] => bench::cluster(true),
        ["fuzz-seeds"] => seeds::copy(),
        ["record-cli"] => record::command_lines(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            shell::say(&why);
            ExitCode::FAILURE
        }
    }
}
