//! The command line.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::error::Result;
use crate::job::Job;

const HELP: &str = "\
Needs two cores, which it takes for itself as far as it is let: the processes that measure go before
all others where this user may do that. Without --quick it takes about a quarter of an hour.

Names for --only are metrics (floors, latency, stream, local, lock, latest, wake, tail, attach, scale) and
contenders (strait-slots, rtrb, ...); a wrong one is answered with the list.

Examples:
  cargo xtask bench --quick
  cargo xtask bench --only latency,strait-slots,rtrb --out /tmp/report";

/// In the repository, wherever the user is.
const DEFAULT_OUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench-report");

/// Where strait stands: floors of this machine, strait and its peers, side by side.
#[derive(Parser)]
#[command(name = "cargo xtask bench", after_help = HELP, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    run: Wanted,
    #[command(subcommand)]
    child: Option<Hidden>,
}

#[derive(Subcommand)]
enum Hidden {
    /// Measure one thing
    #[command(hide = true)]
    Child(Job),
}

/// How to run.
#[derive(Args, Clone, Debug)]
pub struct Wanted {
    /// Three rounds at fewer sizes, in little more than a minute
    #[arg(long)]
    pub quick: bool,
    /// Every contender once, for a millisecond: are the sums right?
    #[arg(long, hide = true, conflicts_with = "quick")]
    pub smoke: bool,
    /// Where the report goes [default: target/bench-report]
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT, hide_default_value = true)]
    pub out: PathBuf,
    /// Only these metrics and contenders; floors are always there
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub only: Vec<String>,
}

/// The command.
pub enum Command {
    /// Print this text.
    Help(String),
    /// Measure everything.
    Run(Wanted),
    /// Measure one thing.
    Child(Job),
}

/// Reads the command line; an error is one line.
pub fn parse() -> Result<Command> {
    match Cli::try_parse() {
        Ok(Cli { child: Some(Hidden::Child(job)), .. }) => Ok(Command::Child(job)),
        Ok(Cli { run, child: None }) => Ok(Command::Run(run)),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(Command::Help(error.to_string())),
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Err(format!("{line}; see --help"))
        }
    }
}
