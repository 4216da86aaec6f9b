//! The command line.

use std::ffi::OsString;
use std::path::{PathBuf, is_separator};
use std::time::Duration;

use clap::{ArgGroup, Parser};
use strait::region::check_name;
use strait::{RegionFile, RegionName, RegionPlace};

use crate::window::{LEAST, MOST};

const HELP: &str = "\
REGION is the name of a region, or the path of one if it holds a slash. Each channel is one key,
KEY/CHANNEL. Messages leave the region through the channels of --out, and come into it through those
of --in; without either, a channel whose sender is there goes out, and one that only has a receiver
comes in. A channel of calls goes the way of its requests.

Without --config, Zenoh looks for nobody: it listens and connects only as --listen and --connect say.

Ask Zenoh for KEY/@types for the channels and their types, and for KEY/@stats for what was lost.

Examples:
  strait-bridge arm --zenoh plant/arm --listen tcp/0.0.0.0:7447 --out torque,state --in setpoint
  strait-bridge arm --zenoh plant/arm --connect tcp/10.0.0.1:7447 --in torque,state --out setpoint
  strait-bridge arm --zenoh plant/arm --config zenoh.json5 --observe --out state

Exit status: 0 if it was ended or the region removed, 1 if something failed, 2 for a wrong command line.";

/// Carries the channels of a region beyond this machine, over Zenoh.
#[derive(Parser)]
#[command(name = "strait-bridge", version, after_help = HELP)]
#[command(group = ArgGroup::new("reach").required(true).multiple(true).args(["config", "listen", "connect"]))]
pub struct Wanted {
    /// The region's name, or its path if it holds a slash
    #[arg(value_name = "REGION")]
    pub region: OsString,
    /// The key under which the channels are
    #[arg(long = "zenoh", value_name = "KEY")]
    pub key: String,
    /// Channels that go out
    #[arg(long = "out", value_name = "CHANNEL", value_delimiter = ',')]
    pub outs: Vec<String>,
    /// Channels that come in
    #[arg(long = "in", value_name = "CHANNEL", value_delimiter = ',')]
    pub ins: Vec<String>,
    /// Follow the queues that go out without a role in them; what is too fast to be seen is missed, and counted
    #[arg(long)]
    pub observe: bool,
    /// Zenoh's own configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where Zenoh listens
    #[arg(long, value_name = "ENDPOINT", value_delimiter = ',')]
    pub listen: Vec<String>,
    /// Where Zenoh connects to
    #[arg(long, value_name = "ENDPOINT", value_delimiter = ',')]
    pub connect: Vec<String>,
    /// Take only messages that say of what type they are
    #[arg(long)]
    pub strict: bool,
    /// How long a call waits for its answer
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub patience: Duration,
    /// How many messages of a queue that goes out may be ahead of its receiving bridge, a power of two: more are faster, and
    /// a link that is cut loses as many
    #[arg(long, value_name = "MESSAGES", default_value = "512", value_parser = ahead)]
    pub ahead: u32,
    /// Print the counts so often; otherwise at the end, and what went wrong when it does
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub report: Option<Duration>,
}

impl Wanted {
    /// Where the region is.
    ///
    /// # Errors
    ///
    /// The name is none.
    pub fn place(&self) -> Result<RegionPlace, String> {
        if self.region.to_string_lossy().contains(is_separator) {
            return Ok(RegionFile::new(PathBuf::from(&self.region)).into());
        }
        let name = self.region.to_str().ok_or("a region's name must be UTF-8")?;
        check_name(name).map_err(|error| error.to_string())?;
        Ok(RegionName::new(name).map_err(|error| error.to_string())?.into())
    }
}

/// A number of messages from the command line.
fn ahead(word: &str) -> Result<u32, String> {
    let range = 1 << LEAST..=1 << MOST;
    let number = word.parse().ok().filter(|number: &u32| number.is_power_of_two() && range.contains(number));
    number.ok_or_else(|| format!("give a power of two from {} to {}", range.start(), range.end()))
}

/// A time from the command line.
fn seconds(word: &str) -> Result<Duration, String> {
    let seconds: f64 = word.parse().map_err(|_| "give a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| *time >= Duration::from_millis(1) && *time <= Duration::from_secs(86_400))
        .ok_or_else(|| "give at least 0.001 and at most 86400 seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Wanted;

    #[test]
    fn the_command_line_is_sound_and_lists_have_commas() {
        Wanted::command().debug_assert();
        let words = [
            "strait-bridge",
            "arm",
            "--zenoh",
            "a/b",
            "--out",
            "x,y",
            "--in",
            "z",
            "--patience",
            "0.5",
            "--listen",
            "tcp/[::]:0",
        ];
        let wanted = Wanted::try_parse_from(words).expect("words");
        assert_eq!((wanted.outs.len(), wanted.ins.len(), wanted.patience.as_millis()), (2, 1, 500));
        assert_eq!(wanted.ahead, 512);
        for (word, is_good) in
            [("64", true), ("8192", true), ("32", false), ("16384", false), ("513", false), ("x", false)]
        {
            let words = ["strait-bridge", "arm", "--zenoh", "k", "--listen", "x", "--ahead", word];
            assert_eq!(Wanted::try_parse_from(words).is_ok(), is_good, "{word}");
        }
        assert!(
            Wanted::try_parse_from(["strait-bridge", "arm", "--zenoh", "k"]).is_err(),
            "it would reach nobody"
        );
        assert!(
            Wanted::try_parse_from([
                "strait-bridge",
                "arm",
                "--zenoh",
                "k",
                "--listen",
                "x",
                "--patience",
                "0"
            ])
            .is_err()
        );
    }
}
