//! Where strait stands: floors of this machine, strait and its peers, measured side by side.
//!
//! One process runs the show ([`run`]); every figure comes from a fresh child process ([`child`]),
//! which is this same program with a hidden subcommand. Rounds are shuffled, both sides pinned.

#[cfg(not(target_os = "linux"))]
compile_error!("the bench needs Linux: it pins threads, sleeps on futexes and reads /proc");

mod args;
mod child;
mod contenders;
mod cores;
mod drive;
mod ends;
mod error;
mod floors;
mod goals;
mod job;
mod machine;
mod many;
mod payload;
mod plan;
mod report;
mod results;
mod run;
mod scale;
mod sides;
mod slices;
mod stats;
mod sys;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse().and_then(|command| match command {
        args::Command::Help(text) => {
            print!("{text}");
            Ok(())
        }
        args::Command::Run(wanted) => run::run(&wanted),
        args::Command::Child(job) => child::run(&job),
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("error: {line}");
            ExitCode::FAILURE
        }
    }
}
