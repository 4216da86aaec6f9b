//! The command line: what can be asked for.

mod parse;
mod see;
mod values;

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand};

use crate::region_arg::RegionArg;

pub use parse::{parse, shown};
#[cfg(feature = "serve")]
pub use see::Serve;
#[cfg(feature = "top")]
pub use see::Top;
pub use see::Watch;
#[cfg(feature = "record")]
pub use see::{Play, Record};
pub use values::STATION_COUNT;
use values::{capacity, channel, cpus, demo_seconds, kill_every, named, station, timeout};

const EXAMPLES: &str = "\
REGION is the name of a region, or the path of one if it holds a slash. Names are in the directory that the
variable STRAIT_DIR names, if it is set; on Linux in /dev/shm otherwise.

Examples:
  strait demo                                   four processes balance a pendulum for 5 s
  strait demo --seconds 60 --rate 2000 --json   the same, for scripts
  strait demo --plant --kill-every 250          ten processes, one of them killed again and again
  strait recv work files --out copy.bin &       one side of a transfer ...
  strait send work files --file data.bin        ... and the other
  strait ls                                     which regions there are
  strait inspect work                           what is in one
  strait top                                    what goes on in all of them, live
  strait watch work                             what is sent in one, as it comes
  strait record work -o run.mcap                the same, into a file
  strait play run.mcap                          and out of it into the region again
  strait serve                                  all of them in a browser
  strait unlock work gains                      frees a lock whose owner is dead
  strait reset work commands                    makes a channel as new, once nobody uses the region
  strait bridge work --zenoh plant --listen tcp/0.0.0.0:7447   its channels beyond this machine
  strait doctor                                 what on this machine is in the way of real time

Exit status: 0 if all went well, 1 if something failed, 2 for a wrong command line.";

/// Looks at, records, replays and tidies up regions of shared memory, and shows strait at work.
#[derive(Parser)]
#[command(name = "strait", version, after_help = EXAMPLES, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The command line's arguments.
#[derive(Subcommand)]
pub enum Command {
    /// Balance a simulated pendulum across four processes
    #[command(after_help = DEMO_HELP)]
    Demo(Demo),
    /// Send a file through a queue of frames, or one message
    #[command(after_help = SEND_HELP)]
    Send(Send),
    /// Receive a file through a queue of frames, or messages
    #[command(after_help = RECV_HELP)]
    Recv(Recv),
    /// Show a region's header, participants and channels
    #[command(after_help = INSPECT_HELP)]
    Inspect(Inspect),
    /// Show regions live: rates, fill, lag, locks, calls, the late and the dead
    #[cfg(feature = "top")]
    #[command(after_help = see::TOP_HELP)]
    Top(Top),
    /// Print the messages of channels as they come
    #[command(after_help = see::WATCH_HELP)]
    Watch(Watch),
    /// Record the messages of regions into an MCAP file
    #[cfg(feature = "record")]
    #[command(after_help = see::RECORD_HELP)]
    Record(Record),
    /// Send the messages of a recording once more
    #[cfg(feature = "record")]
    #[command(after_help = see::PLAY_HELP)]
    Play(Play),
    /// Show the messages of regions in a browser, in Foxglove and in PlotJuggler
    #[cfg(feature = "serve")]
    #[command(after_help = see::SERVE_HELP)]
    Serve(Serve),
    /// Free a lock whose owner is dead
    #[command(after_help = UNLOCK_HELP)]
    Unlock(Unlock),
    /// Make a channel as new where nobody uses the region
    #[command(after_help = RESET_HELP)]
    Reset(Reset),
    /// Say what on this machine stands in the way of strait and of real time
    #[command(after_help = DOCTOR_HELP)]
    Doctor(Doctor),
    /// Carry channels beyond this machine, over Zenoh
    #[command(disable_help_flag = true)]
    Bridge(Bridge),
    /// List the named regions
    Ls(Ls),
    /// Remove regions
    #[command(after_help = RM_HELP)]
    Rm(Rm),
    /// Print what a shell needs to complete this tool's command lines
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Completions),
    /// Write this tool's manual pages into a directory
    Man(ManPages),
    /// One of the demo's processes
    #[command(hide = true)]
    DemoPart(Part),
    /// One of the plant's processes
    #[command(hide = true)]
    PlantPart(PlantPart),
    /// The process that cleans up after one side of a transfer
    #[command(hide = true)]
    CleanUp(CleanUp),
    /// A text that was asked for in place of a command.
    #[command(skip)]
    Help(String),
}

const DEMO_HELP: &str = "\
The plant simulates a cart with a pendulum on it and sends what its sensors see through one queue;
the controller returns forces through another, computed with a table of gains under a lock that the
tuner changes now and then; this process watches through a latest-value slot, and sums up. The
status is 1 if a frame was lost or the pendulum fell.

With --kill-every the controller is killed (SIGKILL) and another one takes over what it left, again
and again; now and then so is the tuner, while it has the lock in the middle of an update.

With --plant, ten processes run in place of the pendulum: a planner calls three drives in
turn, a controller broadcasts its state to two screens, there is an emergency stop, and all log into
one recorder. With --kill-every any one of them is killed, but not this process. The status is 1 if
a log line was lost, a call ended otherwise than the planner was told, or a screen's count is wrong.

Examples:
  strait demo --seconds 10 --rate 5000
  strait demo --rt 80 --cpus 0,1      real-time priority, plant on CPU 0, controller on CPU 1
  strait demo --seconds 20 --kill-every 250 --plot kills.svg
  strait demo --plant --seconds 60 --kill-every 250";

const SEND_HELP: &str = "\
With --file: whichever side comes first creates the region, with that one channel; the receiver removes
it at the end. A channel that is there already is used as it is.

With VALUE: one message goes into a channel that is there, if nobody alive has the sender's role. VALUE is
FIELD=VALUE for each field where the region describes the type of its messages, a number where they are
numbers, and otherwise 0x with two hexadecimal digits a byte. Another user's region is joined only with
--of-user: its owner could cut it short meanwhile, and that ends the process that has it open.

Examples:
  strait send work files --file data.bin
  tar c folder | strait send work files --file -
  strait send arm torque 'axis=2 newton_metres=0.5'
  strait send arm setpoint 0.25
  strait send arm commands --tag 7 0x0102";

const RECV_HELP: &str = "\
With --out: whichever side comes first creates the region, with that one channel; the receiver removes it
at the end. The file appears under its name only when it is complete; one that is there is replaced then.
Standard output has it as it comes, and the status says whether it is complete.

Without: one message is taken out of a queue that is there, if nobody alive has the receiver's role, and
printed as `strait watch` prints it, which takes none. With --follow, each that comes, until the sender has left,
the region is removed, or nobody reads them; --timeout is how long to wait for the first.

Examples:
  strait recv work files --out copy.bin
  strait recv work files --out - | tar x
  strait recv arm torque --follow --json";

const INSPECT_HELP: &str = "\
Examples:
  strait inspect work
  cp /dev/shm/strait.work dump && strait inspect ./dump --json";

const UNLOCK_HELP: &str = "\
The value goes back to what was committed last. A lock stays as it is if its owner lives or cannot be
proven dead, if it died while it was editing the value in place, or if the lock is poisoned: then a
program that knows the value must repair it.

Another user's region is joined only with --of-user: its owner could cut it short meanwhile, and that
ends the process that has it open.

Example:
  strait unlock work gains";

const RESET_HELP: &str = "\
The way back from a channel that reports a fault, or a lock in an impossible state: a queue is empty
then, a value unset (of a mutex: zeros), a lock free, a semaphore at its initial count. What the
channel held is lost. Nothing is changed while a process that is not proven dead has the region open.

Another user's region is joined only with --of-user: its owner could cut it short meanwhile, and that
ends the process that has it open.

Example:
  strait reset work commands";

const DOCTOR_HELP: &str = "\
Each line says what was found and where, and what to do about it. `late` is in the way of real time,
`BROKEN` of strait. At the end a thread runs, and then sleeps for a millisecond again and again, and
the lengths of its hiccups are drawn.

The status is 1 if something is broken; with --strict, also if something is in the way of real time.

Examples:
  strait doctor
  strait doctor work --seconds 60
  strait doctor --no-measure --strict --json   for scripts";

const RM_HELP: &str = "\
A region that somebody alive has open stays, unless --force is given: then it loses its name, and
they go on in memory that newcomers never see.

Example:
  strait rm work ./old-region";

const COMPLETIONS_HELP: &str = "\
Examples:
  source <(strait completions bash)
  strait completions zsh > ~/.zfunc/_strait
  strait completions fish > ~/.config/fish/completions/strait.fish";

/// `strait demo`
#[derive(Args)]
pub struct Demo {
    /// How long to balance, in seconds of simulated time; with --plant, how long to run
    #[arg(long, value_name = "S", default_value = "5", allow_negative_numbers = true, value_parser = demo_seconds)]
    pub seconds: f64,
    /// Control steps a second
    #[arg(long, value_name = "HZ", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub rate: u32,
    /// Print the result as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Run plant and controller as SCHED_FIFO with this priority, and lock their memory
    #[arg(long, value_name = "PRIO", value_parser = clap::value_parser!(i32).range(1..=99))]
    pub rt: Option<i32>,
    /// Pin the plant to CPU A and the controller to CPU B
    #[arg(long, value_name = "A,B", value_parser = cpus)]
    pub cpus: Option<(usize, usize)>,
    /// Kill the controller every MS milliseconds, and the tuner now and then in mid-update; with --plant, any process
    #[arg(long, value_name = "MS", allow_negative_numbers = true, value_parser = kill_every)]
    pub kill_every: Option<Duration>,
    /// Draw angle and force over time into an SVG file; - is standard output
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Run a plant of ten processes in place of the pendulum
    #[arg(long, conflicts_with_all = ["rate", "rt", "cpus", "plot"])]
    pub plant: bool,
}

/// `strait demo-part`
#[derive(Args)]
pub struct Part {
    /// Which process this is
    #[arg(value_enum)]
    pub role: Role,
    /// The region's name
    #[arg(value_parser = named)]
    pub region: RegionArg,
    /// Control steps a second
    #[arg(long)]
    pub rate: NonZeroU32,
    /// How many steps
    #[arg(long)]
    pub steps: u64,
    /// The real-time priority
    #[arg(long)]
    pub rt: Option<i32>,
    /// The CPU
    #[arg(long)]
    pub cpu: Option<usize>,
    /// Which of the run's processes this is, counted from 0
    #[arg(long)]
    pub number: u64,
    /// The controller and the tuner are killed on purpose
    #[arg(long)]
    pub killed: bool,
    /// The gains that the controller begins with, one after the other
    #[arg(long = "gain", allow_negative_numbers = true)]
    pub gains: Vec<f64>,
    /// Once it has lived so long, the tuner stays in the middle of an update
    #[arg(long, value_parser = timeout)]
    pub stay_after: Option<Duration>,
    /// Report angle and force over time
    #[arg(long)]
    pub trace: bool,
}

/// `strait plant-part`
#[derive(Args)]
pub struct PlantPart {
    /// The region's name
    #[arg(value_parser = named)]
    pub region: RegionArg,
    /// Which station's process this is
    #[arg(long, value_parser = station)]
    pub station: usize,
    /// Which of the run's processes this is, counted from 0
    #[arg(long)]
    pub number: u64,
}

/// The demo's processes beside the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Simulates.
    Plant,
    /// Controls.
    Controller,
    /// Changes the controller's gains now and then.
    Tuner,
}

/// The arguments of both sides of a transfer.
#[derive(Args)]
pub struct Transfer {
    /// The region's name, or its path if it holds a slash
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: RegionArg,
    /// The channel's name
    #[arg(value_parser = channel)]
    pub channel: String,
    /// The ring of a channel that is created here, a power of two from 64 [default: 65536]
    #[arg(long, value_name = "BYTES", value_parser = capacity)]
    pub capacity: Option<u32>,
    /// The longest frame, from 16 up to half the ring less 16 [default: as long as the ring allows]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(16..))]
    pub frame: Option<u32>,
    /// How long to wait for the other side, at the start and whenever it does nothing
    #[arg(long, value_name = "SECONDS", default_value = "60", allow_negative_numbers = true, value_parser = timeout)]
    pub timeout: Duration,
}

/// `strait send`
#[derive(Args)]
#[command(group = ArgGroup::new("what").args(["value", "file"]).required(true))]
pub struct Send {
    #[command(flatten)]
    pub transfer: Transfer,
    /// The file to send; - is standard input
    #[arg(long, value_name = "F")]
    pub file: Option<PathBuf>,
    /// The message to send
    #[arg(value_name = "VALUE", allow_hyphen_values = true, conflicts_with_all = ["file", "capacity", "frame", "timeout"])]
    pub value: Option<String>,
    /// The message's tag, of a channel without a type
    #[arg(long, default_value_t = 0, requires = "value")]
    pub tag: u32,
    /// Print the result as one JSON object
    #[arg(long, requires = "value")]
    pub json: bool,
    /// Trust the region of this user: without, only one's own is joined
    #[arg(long, value_name = "UID", requires = "value")]
    pub of_user: Option<u32>,
}

/// `strait recv`
#[derive(Args)]
pub struct Recv {
    #[command(flatten)]
    pub transfer: Transfer,
    /// The file to write; - is standard output
    #[arg(long, value_name = "F")]
    pub out: Option<PathBuf>,
    /// Print message after message in place of one
    #[arg(long, conflicts_with = "out")]
    pub follow: bool,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "out")]
    pub json: bool,
}

/// `strait clean-up`
#[derive(Args)]
pub struct CleanUp {
    /// The region
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: RegionArg,
    /// The channel's name
    pub channel: String,
    /// The unfinished file
    pub part: Option<PathBuf>,
}

/// `strait inspect`
#[derive(Args)]
pub struct Inspect {
    /// The region's name, or the path of a region or of a copy of one
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: RegionArg,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `strait unlock`
#[derive(Args)]
pub struct Unlock {
    /// The region's name, or its path if it holds a slash
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: RegionArg,
    /// The lock's name
    #[arg(value_parser = channel)]
    pub lock: String,
    /// Trust the region of this user: without, only one's own is joined
    #[arg(long, value_name = "UID")]
    pub of_user: Option<u32>,
}

/// `strait reset`
#[derive(Args)]
pub struct Reset {
    /// The region's name, or its path if it holds a slash
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: RegionArg,
    /// The channel's name
    #[arg(value_parser = channel)]
    pub channel: String,
    /// Trust the region of this user: without, only one's own is joined
    #[arg(long, value_name = "UID")]
    pub of_user: Option<u32>,
}

/// `strait doctor`
#[derive(Args)]
pub struct Doctor {
    /// A region to look at too: its name, or its path if it holds a slash
    #[arg(value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub region: Option<RegionArg>,
    /// How long to measure hiccups
    #[arg(long, value_name = "S", default_value = "10", allow_negative_numbers = true, value_parser = timeout)]
    pub seconds: Duration,
    /// Measure nothing
    #[arg(long, conflicts_with = "seconds")]
    pub no_measure: bool,
    /// End with status 1 also if something is in the way of real time
    #[arg(long)]
    pub strict: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `strait bridge`
#[derive(Args)]
pub struct Bridge {
    /// Arguments of `strait-bridge`; with --help it lists them
    #[arg(value_name = "REGION --zenoh KEY", allow_hyphen_values = true, trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

/// `strait ls`
#[derive(Args)]
pub struct Ls {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `strait rm`
#[derive(Args)]
pub struct Rm {
    /// Names of regions, or paths
    #[arg(required = true, value_name = "REGION", value_parser = OsStringValueParser::new().try_map(RegionArg::parse))]
    pub regions: Vec<RegionArg>,
    /// Remove regions that are in use, too
    #[arg(long)]
    pub force: bool,
}

/// `strait completions`
#[derive(Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `strait man`
#[derive(Args)]
pub struct ManPages {
    /// The directory, which is made if it is missing
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
