//! `strait record`: the messages of regions into an MCAP file, or several.

mod output;
pub mod plan;
mod plot;
mod series;
mod topic;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::args::Record;
use crate::error::{Error, Result};
use crate::print;
use crate::see::Scene;
use crate::text::printable;
use crate::transfer::output::Output as Drawing;

use output::{Output, Split};
use plot::Plot;
use topic::{Failed, Topic};

/// How long to sleep when nothing has come.
const PAUSE: Duration = Duration::from_millis(1);
/// How long what was seen may stay out of the file.
const FLUSH: Duration = Duration::from_millis(500);
/// How often to look whether the regions are still there.
const CHECK: Duration = Duration::from_millis(500);

/// Records until it is told to end, or nothing can come any more.
pub fn run(wanted: &Record) -> Result<()> {
    let scenes: Vec<Scene> = wanted.regions.iter().map(Scene::open).collect::<Result<_>>()?;
    if scenes.iter().all(|scene| scene.entries().is_empty()) {
        return Err(Error::failed(
            "the regions have no channels to record: no queue, latest value or broadcast",
        ));
    }
    for (n, scene) in scenes.iter().enumerate() {
        let name = topic::region_name(&scene.arg);
        if scenes[..n].iter().any(|other| topic::region_name(&other.arg) == name) {
            return Err(Error::failed(format!(
                "{}: two regions of the name '{}' would be one topic; record each into a file of its own",
                scene.arg,
                printable(&name)
            )));
        }
    }
    check(wanted)?;
    let is_over = end_by_signal()?;
    let mut topics = Vec::new();
    for scene in &scenes {
        for entry in scene.entries() {
            topics.push(Topic::new(scene, scene.follow(&entry, wanted.oldest)?, wanted.raw));
        }
    }
    // A wrong wish leaves no file behind.
    let mut plot = plot_of(wanted, &topics)?;
    let split = Split { size: wanted.split_size, time: wanted.split_time };
    let mut out = Output::create(&wanted.out, split)?;
    begin(&mut out, &scenes, &mut topics)?;
    let (started, mut flushed, mut checked) = (Instant::now(), Instant::now(), Instant::now());
    let mut is_still = scenes.iter().all(|scene| scene.is_still);
    loop {
        let is_last = is_over.load(Ordering::Relaxed)
            || wanted.seconds.is_some_and(|seconds| started.elapsed() >= seconds);
        let mut came = 0;
        for (n, topic) in topics.iter_mut().enumerate() {
            let now = now();
            let also = |bytes: &[u8]| {
                if let Some(plot) = &mut plot {
                    plot.add(n, bytes, now);
                }
            };
            came += topic.take(out.file(), now, also).map_err(|error| match error {
                Failed::File(error) => out.failed(error),
                Failed::Tool(error) => error,
            })?;
        }
        if is_last || came == 0 && is_still {
            break;
        }
        let is_full = out.is_full();
        if is_full || flushed.elapsed() >= FLUSH {
            tell_missed(&mut out, &mut topics)?;
            out.flush()?;
            flushed = Instant::now();
        }
        if is_full {
            out.next()?;
            begin(&mut out, &scenes, &mut topics)?;
        }
        if checked.elapsed() >= CHECK {
            is_still |= scenes.iter().all(|scene| scene.is_still || !scene.is_current());
            checked = Instant::now();
        }
        if came == 0 {
            thread::sleep(PAUSE);
        }
    }
    tell_missed(&mut out, &mut topics)?;
    out.finish()?;
    if let (Some(path), Some(plot)) = (&wanted.plot, &plot) {
        let names: Vec<String> = wanted.regions.iter().map(ToString::to_string).collect();
        Drawing::put(path, &plot.draw(&format!("{}, recorded by strait", names.join(", "))))?;
    }
    let (seen, missed) =
        topics.iter().fold((0, 0), |(seen, missed), topic| (seen + topic.seen, missed + topic.missed()));
    let count = topics.len();
    let told = match wanted.json {
        true => {
            json!({
                "recorded": seen,
                "missed": missed,
                "channels": count,
                "file": out.path(),
                "files": out.count(),
            })
            .to_string()
                + "\n"
        }
        false => format!("recorded {seen} messages of {count} channels, missed {missed}: {}\n", out.told()),
    };
    print::result(&told, out.is_stream() || wanted.plot.as_deref().is_some_and(print::is_stream))
}

/// A flag that Ctrl-C and an end by the system set.
pub fn end_by_signal() -> Result<Arc<AtomicBool>> {
    let is_over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&is_over);
    ctrlc::set_handler(move || ended.store(true, Ordering::Relaxed))
        .map_err(|error| Error::at("the handler of signals", error))?;
    Ok(is_over)
}

/// Writes what a file begins with: the regions and the topics, before any message.
fn begin(out: &mut Output, scenes: &[Scene], topics: &mut [Topic]) -> Result<()> {
    for scene in scenes {
        let region = plan::of(scene, &topic::region_name(&scene.arg));
        out.file().write_metadata(&region).map_err(|error| out.failed(error))?;
    }
    for topic in topics {
        topic.begin(out.file()).map_err(|error| out.failed(error))?;
    }
    out.flush()
}

fn tell_missed(out: &mut Output, topics: &mut [Topic]) -> Result<()> {
    for topic in topics {
        topic.tell_missed(out.file(), now()).map_err(|error| out.failed(error))?;
    }
    Ok(())
}

/// Checks that what is wanted can be written together, and the drawing at all, before anything else is.
fn check(wanted: &Record) -> Result<()> {
    let is_stream = print::is_stream(&wanted.out);
    if is_stream && (wanted.split_size.is_some() || wanted.split_time.is_some()) {
        return Err(Error::usage("standard output cannot be split; give a file to --out"));
    }
    let Some(path) = &wanted.plot else { return Ok(()) };
    if print::is_stream(path) && is_stream {
        return Err(Error::usage(
            "only one of --out and --plot can be standard output; give a file for the other",
        ));
    }
    Drawing::check(path)
}

/// The drawing that the user wants, if one.
fn plot_of(wanted: &Record, topics: &[Topic]) -> Result<Option<Plot>> {
    if wanted.plot.is_none() {
        return Ok(None);
    }
    let title = |topic: &Topic| match wanted.regions.len() {
        1 => topic.followed().title(),
        _ => topic.name().to_owned(),
    };
    let channels: Vec<_> = topics.iter().map(|topic| (title(topic), topic.followed())).collect();
    let plot = Plot::new(&channels, &wanted.fields)?;
    if plot.left_out > 0 {
        print::note(&format!(
            "{} fields have no room in the drawing; choose some with --field",
            plot.left_out
        ));
    }
    Ok(Some(plot))
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
