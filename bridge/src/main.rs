//! `strait-bridge`: the channels of a region, carried beyond one machine over Zenoh.
//!
//! Bytes are copied out of the region and into it; Zenoh never sees shared memory. Each channel has a thread of its own,
//! so one that waits keeps no other one. What is lost is counted at the end where that is known.
#![forbid(unsafe_code)]

mod about;
mod answer;
mod args;
mod ask;
mod inlet;
mod order;
mod outlet;
mod plan;
mod say;
mod session;
mod sink;
mod source;
mod stamp;
mod tally;
mod window;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use strait::format::{Entry, Kind};
use strait::{Region, RegionOptions};
use zenoh::{Session, Wait};

use answer::Answerer;
use args::Wanted;
use ask::Asker;
use inlet::Inlet;
use outlet::{Origin, Outlet};
use plan::Ways;
use say::say;
use sink::Sink;
use source::Source;
use tally::Tally;

/// How often to look whether the region is still there.
const CHECK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let wanted = match Wanted::try_parse() {
        Ok(wanted) => wanted,
        Err(error) => error.exit(),
    };
    zenoh::init_log_from_env_or("error");
    match run(&wanted) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// A channel's thread.
type Carrier = JoinHandle<Result<(), String>>;

/// Carries until it is told to end; returns whether nothing was found damaged.
fn run(wanted: &Wanted) -> Result<bool, String> {
    let is_over = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&is_over))
            .map_err(|error| format!("the handler of signals: {error}"))?;
    }
    let called = wanted.region.to_string_lossy();
    let at = |error: &dyn std::fmt::Display| format!("region '{called}': {error}");
    let only_looks = wanted.observe && wanted.ins.is_empty() && !wanted.outs.is_empty();
    let options = RegionOptions::new().read_only(only_looks);
    let region = wanted.place()?.open(&options).map_err(|error| at(&error))?;
    let ways = plan::ways(&region, &wanted.outs, &wanted.ins).map_err(|error| at(&error))?;
    if !ways.neither.is_empty() {
        let names = ways.neither.join(", ");
        say(&format!(
            "left out, for their roles do not say which way they go: {names}; name them with --out or --in"
        ));
    }
    if ways.outs.is_empty() && ways.ins.is_empty() {
        return Err(at(&"there is no channel to carry; name some with --out and --in"));
    }
    let session = session::open(wanted)?;
    let (carriers, tallies) = start(wanted, &session, &region, &ways, &is_over)?;
    about::declare((&session, &wanted.key), &region, &ways, &tallies)?;
    say(&format!("carries {} channels out and {} in under {}", ways.outs.len(), ways.ins.len(), wanted.key));
    watch(wanted, &region, &carriers, &tallies, &is_over);
    is_over.store(true, Ordering::Relaxed);
    let mut is_well = true;
    for carrier in carriers {
        // A panic has been reported already.
        if let Err(why) = carrier.join().unwrap_or_else(|_| Err("a thread has panicked".into())) {
            say(&why);
            is_well = false;
        }
    }
    if let Err(error) = session.close().wait() {
        say(&format!("the Zenoh session did not close: {error}"));
    }
    tallies.iter().for_each(|tally| say(&tally.to_string()));
    Ok(is_well)
}

/// Prints what is worth it until the bridge is to end.
fn watch(
    wanted: &Wanted,
    region: &Region,
    carriers: &[Carrier],
    tallies: &[Arc<Tally>],
    is_over: &AtomicBool,
) {
    let (mut checked, mut reported) = (Instant::now(), Instant::now());
    while !is_over.load(Ordering::Relaxed) && !carriers.iter().all(JoinHandle::is_finished) {
        thread::sleep(outlet::TURN);
        let is_due = wanted.report.is_some_and(|every| reported.elapsed() >= every);
        for tally in tallies.iter().filter(|tally| tally.has_news() || is_due) {
            say(&tally.to_string());
        }
        if is_due {
            reported = Instant::now();
        }
        if checked.elapsed() >= CHECK {
            checked = Instant::now();
            if !region.port().is_current().unwrap_or(true) {
                return say("the region is removed");
            }
        }
    }
}

/// Takes the roles, declares the keys, and starts a thread for each channel.
fn start(
    wanted: &Wanted,
    session: &Session,
    region: &Region,
    ways: &Ways,
    is_over: &Arc<AtomicBool>,
) -> Result<(Vec<Carrier>, Vec<Arc<Tally>>), String> {
    let here = (session, wanted.key.as_str());
    let origin = Origin {
        ahead: wanted.ahead,
        instance: region.header().instance,
        run: stamp::now_ns() ^ u64::from(std::process::id()) << 48,
    };
    let (mut carriers, mut tallies) = (Vec::new(), Vec::new());
    let mut begin = |entry: &Entry, way, tally: &Arc<Tally>| {
        let carrier = carry(wanted, here, region, entry, way, origin, Arc::clone(tally))?;
        let is_over = Arc::clone(is_over);
        carriers.push(thread::spawn(move || carrier(&is_over)));
        Ok::<(), String>(())
    };
    let all = ways.outs.iter().map(|entry| (entry, "out")).chain(ways.ins.iter().map(|entry| (entry, "in")));
    for (entry, way) in all {
        let tally = Arc::new(Tally::new(entry.name().unwrap_or_default(), way));
        begin(entry, way, &tally)?;
        tallies.push(tally);
    }
    Ok((carriers, tallies))
}

/// What carries one channel, ready to run.
type Carry = Box<dyn FnOnce(&AtomicBool) -> Result<(), String> + Send>;

fn carry(
    wanted: &Wanted,
    here: (&Session, &str),
    region: &Region,
    entry: &Entry,
    way: &str,
    origin: Origin,
    tally: Arc<Tally>,
) -> Result<Carry, String> {
    let name = entry.name().unwrap_or_default();
    let taken = |error: strait::ChannelError| match error {
        strait::ChannelError::Busy if way == "out" && entry.kind.is_queue() => {
            format!("{name}: {error}; --observe reads it without a role")
        }
        error => format!("{name}: {error}"),
    };
    Ok(match (way, entry.kind) {
        ("out", Kind::Calls) => {
            let asker = Asker::open(here, region, entry, wanted.patience, origin, tally)?;
            Box::new(move |is_over| asker.run(is_over))
        }
        (_, Kind::Calls) => {
            let how = (wanted.patience, wanted.strict);
            let answerer = Answerer::open(here, region, entry, how, origin, tally)?;
            Box::new(move |is_over| answerer.run(is_over))
        }
        ("out", _) => {
            let source = Source::open(region, entry, wanted.observe).map_err(taken)?;
            let is_held = entry.kind.is_queue() && !wanted.observe;
            let outlet = Outlet::declare(here, entry, source, is_held, origin, tally)?;
            Box::new(move |is_over| outlet.run(is_over))
        }
        _ => {
            let sink = Sink::open(region, entry).map_err(taken)?;
            let inlet = Inlet::declare(here, entry, sink, wanted.strict, origin.run, tally)?;
            Box::new(move |is_over| inlet.run(is_over))
        }
    })
}
