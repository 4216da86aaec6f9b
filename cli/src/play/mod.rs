//! `strait play`: the messages of a recording once more, and a controller's answers compared with those it gave then.

mod check;
mod expect;
mod input;
mod reader;
mod track;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::args::Play;
use crate::error::{Error, Result};
use crate::print;
use crate::record::end_by_signal;

use reader::{Event, Reader};
use track::{Sending, Tracks};

/// How long to sleep when there is nothing to do but wait for others.
const PAUSE: Duration = Duration::from_micros(200);
/// The longest sleep before the next message: answers are looked for in between.
const STEP: Duration = Duration::from_millis(2);

/// Plays the files, one after the other, until they are at their end, an answer differs, or it is told to end.
pub fn run(wanted: &Play) -> Result<()> {
    let is_over = end_by_signal()?;
    let mut player = Player {
        wanted,
        is_over: &is_over,
        tracks: Tracks::new(wanted),
        started: None,
        played: 0,
        is_complete: true,
        begun: Instant::now(),
    };
    for path in &wanted.files {
        let mut reader = Reader::open(path, &is_over)?;
        player.tracks.next_file();
        while !player.is_over() {
            match reader.next() {
                Ok(Some(event)) => player.take(event).map_err(|error| reader.at(error))?,
                Ok(None) => break,
                Err(_) if player.is_over() => break,
                Err(error) => {
                    player.is_complete = false;
                    if player.played > 0 {
                        player.tell();
                    }
                    return Err(error);
                }
            }
        }
        if !reader.is_complete() && !player.is_over() {
            player.is_complete = false;
            print::note(&format!(
                "{}: was not completed, as if its recorder was killed; all that is in it was played",
                reader.name()
            ));
        }
    }
    if player.is_over() {
        return Err(player.interrupted());
    }
    player.tracks.check_names()?;
    if player.tracks.is_empty() {
        return Err(Error::failed(
            "the recording has no channels of a region; give one that this version of `strait record` made",
        ));
    }
    player.end()?;
    if player.is_over() {
        return Err(player.interrupted());
    }
    player.tell();
    if wanted.json { Ok(()) } else { player.tracks.tell_compared() }
}

struct Player<'a> {
    wanted: &'a Play,
    is_over: &'a AtomicBool,
    tracks: Tracks<'a>,
    /// When the first message was recorded, and when it was played.
    started: Option<(u64, Instant)>,
    played: u64,
    /// Whether all recordings were, as far as is known.
    is_complete: bool,
    begun: Instant,
}

impl Player<'_> {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn tell(&self) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let told = match self.wanted.json {
            true => json!({
                "played": self.played,
                "seconds": seconds,
                "complete": self.is_complete,
                "checked": self.tracks.compared(),
            })
            .to_string(),
            false => format!("played {} messages in {seconds:.1} s", self.played),
        };
        // A reader that has closed its end is no error, and any other is found by what follows.
        let _ = print::line(&told);
    }

    /// Tells what was done before a signal ended it. That is no success: not all was played, and not all was compared.
    fn interrupted(&mut self) -> Error {
        self.is_complete = false;
        self.tell();
        let compared = if self.wanted.check.is_empty() { "" } else { ", and not all answers were compared" };
        Error::failed(format!("ended by a signal before the end of the recording{compared}"))
    }

    fn take(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Region(region) => self.tracks.region(region),
            Event::Channel(channel) => self.tracks.channel(&channel),
            Event::Message { header, data } => {
                let time = header.log_time;
                let Some(sending) = self.tracks.message(&header, data)? else { return Ok(()) };
                self.send(sending, time)
            }
        }
    }

    /// Sends a message when its time has come and there is space.
    fn send(&mut self, sending: Sending, time: u64) -> Result<()> {
        if sending.is_checked() {
            // Its own time does not matter: it is compared as soon as its turn comes.
            return self.until(|tracks| tracks.expect(&sending));
        }
        self.wait_for(time)?;
        let mut is_sent = false;
        self.until(|tracks| {
            let tried = tracks.send(&sending)?;
            is_sent = matches!(tried, Tried::Done);
            Ok(tried)
        })?;
        self.played += u64::from(is_sent);
        Ok(())
    }

    /// Waits until it is time for a message.
    fn wait_for(&mut self, time: u64) -> Result<()> {
        let (first, begin) = *self.started.get_or_insert_with(|| (time, Instant::now()));
        if self.wanted.fast {
            return self.tracks.look().map(|_| ());
        }
        let due = Duration::from_nanos(time.saturating_sub(first));
        while !self.is_over() {
            self.tracks.look()?;
            match due.checked_sub(begin.elapsed()) {
                None | Some(Duration::ZERO) => break,
                Some(left) => thread::sleep(left.min(STEP)),
            }
        }
        Ok(())
    }

    /// Tries until it is done, or nothing has happened for so long that nothing will.
    fn until(&mut self, mut done: impl FnMut(&mut Tracks<'_>) -> Result<Tried>) -> Result<()> {
        let mut since = Instant::now();
        while !self.is_over() {
            let stuck = match done(&mut self.tracks)? {
                Tried::Done => return Ok(()),
                Tried::Not(why) => why,
            };
            if self.tracks.look()? > 0 {
                since = Instant::now();
            } else if since.elapsed() >= self.wanted.timeout {
                let limit = self.wanted.timeout.as_secs_f64();
                return Err(Error::failed(format!("{stuck} for {limit} s")));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Waits for the answers that are still to come.
    fn end(&mut self) -> Result<()> {
        self.until(|tracks| tracks.is_settled())?;
        self.tracks.look()?;
        self.tracks.check_surplus()
    }
}

/// The outcome of one try.
enum Tried {
    Done,
    /// What has not happened, for a line that goes on with how long.
    Not(String),
}
