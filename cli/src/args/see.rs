//! The command line of what only looks on.

#[cfg(feature = "record")]
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::region_arg::RegionArg;

use super::values::every;
#[cfg(feature = "record")]
use super::values::{megabytes, timeout};

pub const WATCH_HELP: &str = "\
This process only looks: it takes no role, stores nothing, wakes nobody, and nobody waits for it. A
channel is shown by its fields where the region describes its types, and in hexadecimal where not. What
came too fast to be seen is counted. Of a copy of a region, or one in a file that nobody has open,
what is there is printed; otherwise it goes on until the region is removed.

Examples:
  strait watch arm
  strait watch arm torque.newton_metres state --changes
  strait watch arm torque --json --every 100 | head -5";

#[cfg(feature = "record")]
pub const RECORD_HELP: &str = "\
The file is MCAP, which Foxglove, PlotJuggler and the mcap tools open. Messages whose types the region
describes are JSON, with a JSON schema; others are their bytes, of the encoding `raw`. Each channel is
a topic, /REGION/CHANNEL. This process only looks, like `strait watch`: nobody waits for it. What it
missed stands in the topic /REGION/missed, and in its last line.

It records until Ctrl-C, until the time is up, or until all regions are removed. What it has seen is in
the file half a second later, so a recorder that is killed leaves a file that can be read up to there.

With --split-size or --split-time there are several files, run-000.mcap and so on, and each can be read
without the others.

Examples:
  strait record arm -o run.mcap
  strait record arm -o run.mcap --split-time 600
  strait record arm leg --seconds 60 --raw -o run.mcap
  strait record arm --seconds 10 -o run.mcap --plot run.svg --field torque.newton_metres --field load";

#[cfg(feature = "record")]
pub const PLAY_HELP: &str = "\
The messages go into the region they were recorded from, which is made if there is none, or into the one
that --into names. Only a sender's role that nobody alive has is taken; leave a channel out with --skip if
its sender is at work. Where a queue has no space, its receiver is waited for, so no message is lost. A type
that the region does not describe is played if it was recorded with --raw. A file that is damaged is
played up to there, and the status is 1; so it is after Ctrl-C.

With --check, the named channels are answers: they are not sent, but read from the region while the
others are played, and compared with the recorded ones in their order. The first difference ends it, with
status 1. Floats that are no number are alike; of a latest value, the one at the beginning counts too.
Where nobody receives the answers, they are received here.

Examples:
  strait play run.mcap
  strait play run-000.mcap run-001.mcap --fast --into test
  strait play run.mcap --check force          after the controller was started
  ssh robot strait record arm -o - | strait play - --into twin";

#[cfg(feature = "serve")]
pub const SERVE_HELP: &str = "\
One port, on this machine alone unless --listen names another address, has both: a page with the live
values of all channels, plots of chosen fields, pause, zoom, and export as PNG and CSV; and the WebSocket
protocol of Foxglove, so that Foxglove and PlotJuggler connect as they are. Without REGION all named
regions are shown; regions may come and go meanwhile.

This process only looks, like `strait watch`: nobody waits for it. A client that is too slow misses
messages, and is told how many. With --allow-send clients may also send messages, each into a sender's
role that nobody alive has, as `strait send` does.

Pages from other addresses are refused, but for Foxglove's and what --origin names. Nothing is encrypted:
over a network that you do not trust, use a tunnel, as `ssh -L 8765:localhost:8765 HOST` makes.

Examples:
  strait serve
  strait serve arm --port 8080 --allow-send
  strait serve --listen 0.0.0.0 --token $(openssl rand -hex 16)";

/// `strait watch`
#[derive(Args)]
pub struct Watch {
    /// The region's name, or the path of a region or of a copy of one
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: RegionArg,
    /// Channels, lanes such as log[3], or fields of their messages; all channels if there are none
    #[arg(value_name = "CHANNEL[.FIELD]")]
    pub channels: Vec<String>,
    /// Print at most one message of each channel in so many milliseconds: the newest
    #[arg(long, value_name = "MS", allow_negative_numbers = true, value_parser = every)]
    pub every: Option<Duration>,
    /// Print a message only if what is shown of it differs from the one printed before
    #[arg(long)]
    pub changes: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Start with what is in the queues already
    #[arg(long)]
    pub oldest: bool,
    /// End after so many lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// `strait record`
#[cfg(feature = "record")]
#[derive(Args)]
pub struct Record {
    /// Names of regions, or paths of regions or of copies of them
    #[arg(required = true, value_name = "REGION", value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub regions: Vec<RegionArg>,
    /// The file to write; one that is there is not replaced; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// End after so long
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = timeout)]
    pub seconds: Option<Duration>,
    /// Begin the next file after about so many megabytes
    #[arg(long, value_name = "MB", allow_negative_numbers = true, value_parser = megabytes)]
    pub split_size: Option<u64>,
    /// Begin the next file after so long
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = timeout)]
    pub split_time: Option<Duration>,
    /// Record the bytes of messages whose types are described, too, in topics that end in /raw
    #[arg(long)]
    pub raw: bool,
    /// Start with what is in the queues already
    #[arg(long)]
    pub oldest: bool,
    /// Draw fields over time into an SVG file at the end; - is standard output
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// A field to draw, or all of a channel; may be given again [default: the first twelve]
    #[arg(long = "field", value_name = "CHANNEL[.FIELD]", requires = "plot")]
    pub fields: Vec<String>,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

#[cfg(feature = "top")]
pub const TOP_HELP: &str = "\
A live view of each channel: how many messages a second, how full, how many were refused, how far the
consumer is behind, who is late, who is dead, who holds a lock, which calls are out. Press ? for the
keys and columns. It fits 80 x 24 characters and needs no colour; NO_COLOR turns colours off.

This process only looks, like `strait watch`. Without REGION it shows all named regions, also those that
come later. A region that is removed or replaced while it is watched is said to be.

With --once or --json it looks twice, with --every between, and prints what it has found.

Examples:
  strait top
  strait top arm ./dump
  strait top arm --json --every 200 | jq '.regions[].channels[] | select(.in_trouble)'";

/// `strait top`
#[cfg(feature = "top")]
#[derive(Args)]
pub struct Top {
    /// Names of regions, or paths of regions or of copies of them; all named regions if there are none
    #[arg(value_name = "REGION", value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub regions: Vec<RegionArg>,
    /// The time from one look to the next
    #[arg(long, value_name = "MS", default_value = "1000", allow_negative_numbers = true, value_parser = every)]
    pub every: Duration,
    /// Print one look as a table
    #[arg(long)]
    pub once: bool,
    /// Print one look as one JSON object
    #[arg(long, conflicts_with = "once")]
    pub json: bool,
}

/// `strait play`
#[cfg(feature = "record")]
#[derive(Args)]
pub struct Play {
    /// Recordings of `strait record`, to be played one after the other; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Play as fast as they can be read and received, and not by time
    #[arg(long)]
    pub fast: bool,
    /// The region to play into, in place of the recorded one: its name, or its path if it holds a slash
    #[arg(long, value_name = "REGION", value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub into: Option<RegionArg>,
    /// Compare the messages of these channels with the recorded ones
    #[arg(long, value_name = "CHANNEL", num_args = 1..)]
    pub check: Vec<String>,
    /// Leave these channels out
    #[arg(long, value_name = "CHANNEL", num_args = 1..)]
    pub skip: Vec<String>,
    /// How long to wait for a receiver, or for an answer
    #[arg(long, value_name = "S", default_value = "10", allow_negative_numbers = true, value_parser = timeout)]
    pub timeout: Duration,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `strait serve`
#[cfg(feature = "serve")]
#[derive(Args)]
pub struct Serve {
    /// Names of regions, or paths of regions or of copies of them; all named regions if there are none
    #[arg(value_name = "REGION", value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub regions: Vec<RegionArg>,
    /// The port; 0 for one that is free
    #[arg(long, default_value_t = 8765)]
    pub port: u16,
    /// The address to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: std::net::IpAddr,
    /// What clients must give in the address, as ?token=TOKEN
    #[arg(long)]
    pub token: Option<String>,
    /// Let a page from elsewhere connect, such as http://dashboard:3000
    #[arg(long, value_name = "ADDRESS")]
    pub origin: Vec<String>,
    /// Let clients send messages
    #[arg(long)]
    pub allow_send: bool,
    /// Print the addresses as one JSON object
    #[arg(long)]
    pub json: bool,
}
