//! The repository's own commands, run as `cargo xtask`.
//!
//! `cargo xtask test` is the one test command: [`steps`] lists what it runs, [`lanes`], [`sanitize`],
//! [`firmware`], [`mod@guest`], [`mod@linuxcnc`], [`python`], [`mod@bridge`], [`mod@csharp`], [`mod@runtimes`], [`mod@see`], [`mod@windows`] and
//! [`mod@capi`] hold the steps that need more than cargo and this workspace, [`report`] runs them and sums up.
//! [`mod@examples`] runs what users would run. `cargo xtask bench` is [`mod@bench`], `cargo xtask fuzz`
//! [`mod@fuzz`], `cargo xtask install` [`mod@install`].
#![forbid(unsafe_code)]

mod api;
mod apt;
mod args;
mod bare_root;
mod bench;
mod bridge;
mod cache;
mod capi;
mod clock;
mod corpus;
mod crates;
mod csharp;
mod deny;
mod examples;
mod firmware;
mod fuzz;
mod guest;
mod install;
mod lanes;
mod linuxcnc;
mod musl;
mod native;
mod package;
mod parts;
mod passed;
mod peers;
mod python;
mod report;
mod run;
mod runtimes;
mod sanitize;
mod say;
mod see;
mod steps;
mod sysroot;
mod windows;
mod words;

use std::path::Path;
use std::process::ExitCode;

use args::Command;
use steps::Extent;

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

const HELP: &str = "\
The commands of this repository.

    cargo xtask test            what needs cargo alone, in a few minutes
    cargo xtask test --all      that in full, and the lanes that need system packages
    cargo xtask test --nightly  that, and the lanes that take longest
    cargo xtask test NAME...    only these steps or lanes, in full
    cargo xtask test --list     the names
    cargo xtask bench ...       the bench, with its own options
    cargo xtask fuzz [--seconds N] [TARGET...]
                                the fuzz targets, 30 seconds each; needs a nightly toolchain
    cargo xtask fuzz --keep [TARGET...]
                                of what was found, keeps in fuzz/corpus what covers most
    cargo xtask install --prefix DIR [--libdir NAME]
                                the C interface: headers, libraries, and what pkg-config, CMake and man
                                read; below DESTDIR if that is set. NAME is by default lib
    cargo xtask help            this text

Without --all, most models are searched with fewer preemptions. With --all, models that passed before are not searched
again until something changes of which they are made; with --nightly, or by name, they are.
`test` goes on after a failure and shows all of them; with --fail-fast it stops at the first.
With --all (or a lane by name), missing packages are installed with apt-get, which needs root; where
that is impossible the lane is skipped, or fails if CI=true. What lanes build is kept in STRAIT_CACHE, by default
~/.cache/strait.
Exit status: 0 if nothing failed, 1 if a step failed, 2 for a wrong command line.";

fn main() -> ExitCode {
    let steps = steps::all(Extent::Quick);
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let command = match args::parse(&words, &names) {
        Ok(command) => command,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(USAGE);
        }
    };
    match command {
        Command::Help => println!("{HELP}"),
        Command::List => print!("{}", steps::listing(&steps)),
        Command::Bench(words) => {
            if let run::Outcome::Failed(why) = bench::run(&words) {
                eprintln!("error: the bench: {why}");
                return ExitCode::from(FAILURE);
            }
        }
        Command::Fuzz(choice) => {
            if !enter_top() {
                return ExitCode::from(FAILURE);
            }
            match fuzz::run(&choice) {
                run::Outcome::Passed => {}
                run::Outcome::Skipped(why) => println!("skipped: {why}"),
                run::Outcome::Failed(why) => {
                    eprintln!("error: fuzzing: {why}");
                    return ExitCode::from(FAILURE);
                }
            }
        }
        Command::Install(choice) => {
            if !enter_top() {
                return ExitCode::from(FAILURE);
            }
            if let run::Outcome::Failed(why) = install::run(&choice) {
                eprintln!("error: nothing more is installed: {why}");
                return ExitCode::from(FAILURE);
            }
        }
        Command::Test(choice) => {
            if !enter_top() {
                return ExitCode::from(FAILURE);
            }
            if choice.extent() != Extent::Quick {
                cache::make_room();
            }
            steps::choose(choice.extent());
            let steps = steps::all(choice.extent());
            let chosen = steps.iter().filter(|step| choice.takes(step.name, step.when)).collect::<Vec<_>>();
            if !report::run(&chosen, choice.fail_fast) {
                return ExitCode::from(FAILURE);
            }
        }
    }
    ExitCode::SUCCESS
}

/// Goes to the top of the repository, which every path is relative to; says why if it cannot.
fn enter_top() -> bool {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entered = std::env::set_current_dir(&top);
    if let Err(error) = &entered {
        eprintln!("error: cannot enter {}: {error}", top.display());
    }
    entered.is_ok()
}
