//! `strait record`: the messages of regions into an MCAP file.

mod plot;
mod schema;
mod series;
mod topic;

use std::fs::{self, OpenOptions};
use std::io::BufWriter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use mcap::{WriteOptions, Writer};
use serde_json::json;

use crate::args::Record;
use crate::error::{Error, Result, reason};
use crate::os;
use crate::print;
use crate::see::Scene;
use crate::text::printable;
use crate::transfer::output::Output;

use plot::Plot;
use topic::{File, Topic};

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
    check_plot(wanted)?;
    let is_over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&is_over);
    ctrlc::set_handler(move || ended.store(true, Ordering::Relaxed))
        .map_err(|error| Error::at("the handler of signals", error))?;
    let path = printable(&wanted.out.display().to_string());
    let failed = |error: mcap::McapError| {
        Error::failed(match error {
            mcap::McapError::Io(error) => format!("{path}: {}", reason(&error)),
            error => format!("{path}: {error}"),
        })
    };
    let is_stream = print::is_stream(&wanted.out);
    let file = match is_stream {
        true => os::standard_output(),
        false => OpenOptions::new().write(true).create_new(true).open(&wanted.out),
    };
    let file = file.map_err(|error| {
        Error::failed(match error.kind() {
            std::io::ErrorKind::AlreadyExists => format!("{path}: is there already; give another name"),
            _ => format!("{path}: {}", reason(&error)),
        })
    })?;
    // A chunk is written as a whole: a recorder that is killed leaves no half of one but the last.
    let options = WriteOptions::new()
        .compression(None)
        .disable_seeking(true)
        .profile("")
        .library(concat!("strait ", env!("CARGO_PKG_VERSION")));
    let mut file: File = Writer::with_options(BufWriter::new(file), options).map_err(failed)?;
    let mut topics = Vec::new();
    for scene in &scenes {
        for entry in scene.entries() {
            let followed = scene.follow(&entry, wanted.oldest)?;
            topics.push(Topic::new(&mut file, scene, followed, wanted.raw).map_err(failed)?);
        }
    }
    let mut plot = plot_of(wanted, &topics).inspect_err(|_| {
        if !is_stream {
            let _ = fs::remove_file(&wanted.out); // It holds nothing yet.
        }
    })?;
    // The topics are in the file before any message is.
    file.flush().map_err(failed)?;
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
            came += topic.take(&mut file, now, also).map_err(|error| match error {
                topic::Failed::File(error) => failed(error),
                topic::Failed::Tool(error) => error,
            })?;
        }
        if is_last || came == 0 && is_still {
            break;
        }
        if flushed.elapsed() >= FLUSH {
            for topic in &mut topics {
                topic.tell_missed(&mut file, now()).map_err(failed)?;
            }
            file.flush().map_err(failed)?;
            flushed = Instant::now();
        }
        if checked.elapsed() >= CHECK {
            is_still |= scenes.iter().all(|scene| scene.is_still || !scene.is_current());
            checked = Instant::now();
        }
        if came == 0 {
            thread::sleep(PAUSE);
        }
    }
    for topic in &mut topics {
        topic.tell_missed(&mut file, now()).map_err(failed)?;
    }
    file.finish().map_err(failed)?;
    if let (Some(path), Some(plot)) = (&wanted.plot, &plot) {
        let names: Vec<String> = wanted.regions.iter().map(ToString::to_string).collect();
        Output::put(path, &plot.draw(&format!("{}, recorded by strait", names.join(", "))))?;
    }
    let (seen, missed) =
        topics.iter().fold((0, 0), |(seen, missed), topic| (seen + topic.seen, missed + topic.missed()));
    let told = match wanted.json {
        true => {
            json!({ "recorded": seen, "missed": missed, "channels": topics.len(), "file": path }).to_string()
                + "\n"
        }
        false => {
            format!("recorded {seen} messages of {} channels, missed {missed}: {path}\n", topics.len())
        }
    };
    print::result(&told, is_stream || wanted.plot.as_deref().is_some_and(print::is_stream))
}

/// Checks that the drawing can be written, if one is wanted, before anything else is.
fn check_plot(wanted: &Record) -> Result<()> {
    let Some(path) = &wanted.plot else { return Ok(()) };
    if print::is_stream(path) && print::is_stream(&wanted.out) {
        return Err(Error::usage(
            "only one of --out and --plot can be standard output; give a file for the other",
        ));
    }
    Output::check(path)
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
