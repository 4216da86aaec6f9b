//! The command-line tool of strait: `strait demo`, `send`, `recv`, `inspect`, `top`, `watch`, `record`, `play`, `serve`,
//! `unlock`, `reset`, `doctor`, `bridge`, `ls`, `rm`, `completions`, `man`.
//!
//! Results go to standard output, everything else to standard error. Exit status: 0 if all went
//! well, 1 if something failed, 2 for a wrong command line; an error is one line.
#![forbid(unsafe_code)]

mod args;
mod bridge;
mod demo;
mod doctor;
mod error;
mod inspect;
mod locks;
mod ls;
mod manual;
mod observe;
mod os;
mod plant;
#[cfg(feature = "record")]
mod play;
mod print;
#[cfg(feature = "record")]
mod record;
mod recv_value;
mod region_arg;
mod reset;
mod rm;
mod see;
mod send_value;
#[cfg(feature = "serve")]
mod serve;
mod svg;
mod text;
#[cfg(feature = "top")]
mod top;
mod transfer;
mod unlock;
mod watch;

use std::process::ExitCode;

use args::Command;
use error::Result;

fn main() -> ExitCode {
    os::no_signal_for_long_files();
    match args::parse().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => print::report(&error),
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Help(text) => print::out(&text),
        Command::Demo(wanted) if wanted.plant => plant::run(&wanted),
        Command::Demo(wanted) => demo::run(&wanted),
        Command::DemoPart(part) => demo::play(&part),
        Command::PlantPart(part) => plant::play(&part),
        Command::Send(wanted) => match (&wanted.value, &wanted.file) {
            (Some(words), _) => send_value::run(&wanted, words),
            (None, Some(file)) => transfer::send::run(&wanted.transfer, file),
            (None, None) => Ok(()),
        },
        Command::Recv(wanted) => match &wanted.out {
            Some(file) => transfer::recv::run(&wanted.transfer, file),
            None => recv_value::run(&wanted),
        },
        Command::CleanUp(wanted) => {
            transfer::janitor::run(&wanted);
            Ok(())
        }
        Command::Inspect(wanted) => inspect::run(&wanted),
        #[cfg(feature = "record")]
        Command::Record(wanted) => record::run(&wanted),
        #[cfg(feature = "record")]
        Command::Play(wanted) => play::run(&wanted),
        #[cfg(feature = "serve")]
        Command::Serve(wanted) => serve::run(&wanted),
        #[cfg(feature = "top")]
        Command::Top(wanted) => top::run(&wanted),
        Command::Watch(wanted) => watch::run(&wanted),
        Command::Unlock(wanted) => unlock::run(&wanted),
        Command::Reset(wanted) => reset::run(&wanted),
        Command::Doctor(wanted) => doctor::run(&wanted),
        Command::Bridge(wanted) => bridge::run(&wanted),
        Command::Ls(wanted) => ls::run(&wanted),
        Command::Rm(wanted) => rm::run(&wanted),
        Command::Completions(wanted) => manual::completions(&wanted),
        Command::Man(wanted) => manual::pages(&wanted),
    }
}
