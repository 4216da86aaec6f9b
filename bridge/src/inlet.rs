//! From Zenoh into the region: one channel, on a thread of its own.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use strait::format::{Entry, Kind};
use zenoh::pubsub::Publisher;
use zenoh::qos::CongestionControl;
use zenoh::sample::{Locality, Sample, SampleKind};
use zenoh::{Session, Wait};

use crate::order::{MOST as MOST_SOURCES, Sources, Turn};
use crate::outlet::{REFRESH, TURN};
use crate::say::say;
use crate::session::{NEXT, TAKEN, key};
use crate::sink::{Sink, Written};
use crate::stamp::Stamp;
use crate::tally::{Count, Tally};
use crate::window::AHEAD;

/// Messages that wait here for the region's queue: of senders that bound themselves, more never come.
const ROOM: usize = 4 * AHEAD as usize;

/// A sender is told how far this side is after so many messages.
const TELL: u64 = AHEAD / 8;

/// Runs and types that are remembered; beyond that all are forgotten.
const MOST: usize = 64;

/// What has come.
enum Event {
    /// Under the channel's key.
    Sample(Sample),
    /// Under the key of marks.
    Mark(Stamp),
}

/// A channel on its way in.
pub struct Inlet {
    name: String,
    hash: u64,
    is_latest: bool,
    is_strict: bool,
    sink: Sink,
    events: Receiver<Event>,
    taken: Option<Publisher<'static>>,
    tally: Arc<Tally>,
    sources: Sources,
    /// Run and number of the mark that came last of a source, until a message of it comes.
    marked: HashMap<u64, (u64, u32)>,
    /// The stamp to tell a run's sender of: this side as the source, and the order that it waits for.
    runs: HashMap<u64, Stamp>,
    /// Messages since this was told.
    untold: u64,
    me: u64,
    said: HashSet<u64>,
}

impl Inlet {
    /// Declares the channel's keys.
    ///
    /// # Errors
    ///
    /// What Zenoh refuses.
    pub fn declare(
        (session, prefix): (&Session, &str),
        entry: &Entry,
        sink: Sink,
        is_strict: bool,
        me: u64,
        tally: Arc<Tally>,
    ) -> Result<Self, String> {
        let name = entry.name().unwrap_or_default().to_owned();
        let failed = |error: zenoh::Error| format!("{name}: {error}");
        let (sender, events) = sync_channel(ROOM);
        let here = key(prefix, &[&name])?;
        let (samples, marks, counts) = (sender.clone(), sender.clone(), Arc::clone(&tally));
        session
            .declare_subscriber(here.clone())
            .allowed_origin(Locality::Remote)
            .callback(move |sample| offer(&samples, Event::Sample(sample), &counts))
            .background()
            .wait()
            .map_err(failed)?;
        session
            .declare_subscriber(key(prefix, &[&name, NEXT])?)
            .allowed_origin(Locality::Remote)
            .callback(move |sample| {
                if let Some(stamp) = Stamp::from_bytes(&sample.payload().to_bytes()) {
                    // Another one comes soon.
                    let _ = marks.try_send(Event::Mark(stamp));
                }
            })
            .background()
            .wait()
            .map_err(failed)?;
        let is_latest = entry.kind == Kind::Latest;
        let taken = if entry.kind.is_queue() {
            let publisher = session
                .declare_publisher(key(prefix, &[&name, TAKEN])?)
                .congestion_control(CongestionControl::Drop)
                .allowed_destination(Locality::Remote)
                .express(true);
            Some(publisher.wait().map_err(failed)?)
        } else {
            None
        };
        if is_latest {
            let counts = Arc::clone(&tally);
            session
                .get(here)
                .allowed_destination(Locality::Remote)
                .callback(move |reply| {
                    if let Ok(sample) = reply.into_result() {
                        offer(&sender, Event::Sample(sample), &counts);
                    }
                })
                .wait()
                .map_err(failed)?;
        }
        Ok(Self {
            name,
            hash: entry.type_hash,
            is_latest,
            is_strict,
            sink,
            events,
            taken,
            tally,
            sources: Sources::default(),
            marked: HashMap::new(),
            runs: HashMap::new(),
            untold: 0,
            me,
            said: HashSet::new(),
        })
    }

    /// Carries messages until the bridge is to end.
    ///
    /// # Errors
    ///
    /// The channel is damaged.
    pub fn run(mut self, is_over: &AtomicBool) -> Result<(), String> {
        let mut told = Instant::now();
        self.tell();
        while !is_over.load(Ordering::Relaxed) {
            match self.events.recv_timeout(TURN) {
                Ok(Event::Sample(sample)) => self.take(&sample, is_over)?,
                Ok(Event::Mark(stamp)) => self.mark(stamp),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(format!("{}: Zenoh is gone", self.name)),
            }
            if self.untold >= TELL || told.elapsed() >= REFRESH {
                told = Instant::now();
                self.tell();
            }
        }
        Ok(())
    }

    fn take(&mut self, sample: &Sample, is_over: &AtomicBool) -> Result<(), String> {
        let bytes = sample.payload().to_bytes();
        let stamp = match sample.attachment() {
            _ if sample.kind() != SampleKind::Put => None,
            None if self.is_strict => None,
            // A peer without strait: its bytes must have the right length, and that is all that is known of them.
            None => Some(None),
            Some(attachment) => Stamp::from_bytes(&attachment.to_bytes()).map(Some),
        };
        let Some(stamp) = stamp else {
            self.tally.add(Count::Garbage, 1);
            return Ok(());
        };
        if let Some(stamp) = stamp {
            if stamp.hash != self.hash {
                self.refuse(stamp.hash);
                return Ok(());
            }
            if !self.sink.takes(bytes.len()) {
                self.tally.add(Count::Garbage, 1);
                return Ok(());
            }
            self.marked.remove(&stamp.source);
            self.note(&stamp);
            match self.sources.take(&stamp) {
                // A latest value comes again each second.
                Turn::Again if self.is_latest => return Ok(()),
                Turn::Again => {
                    self.tally.add(Count::Again, 1);
                    return Ok(());
                }
                Turn::Next { lost } => {
                    let what = if self.is_latest { Count::Missed } else { Count::Lost };
                    self.tally.add(what, lost.into());
                }
            }
        } else if !self.sink.takes(bytes.len()) {
            self.tally.add(Count::Garbage, 1);
            return Ok(());
        }
        let tag = stamp.map_or(0, |stamp| stamp.tag);
        let mut told = Instant::now();
        loop {
            match self.sink.write(tag, &bytes, TURN) {
                Written::Done => break self.tally.add(Count::Taken, 1),
                Written::Failed(why) => return Err(format!("{}: {why}", self.name)),
                Written::Full if is_over.load(Ordering::Relaxed) => break self.tally.add(Count::Dropped, 1),
                Written::Full => {}
            }
            if told.elapsed() >= REFRESH {
                told = Instant::now();
                self.tell();
            }
        }
        self.untold += 1;
        Ok(())
    }

    /// Notes how far a run is; its sender is told at once that there is a receiver.
    fn note(&mut self, stamp: &Stamp) {
        if self.taken.is_none() {
            return;
        }
        let is_new = !self.runs.contains_key(&stamp.run);
        if is_new && self.runs.len() >= MOST {
            self.runs.clear();
        }
        let order = stamp.order.wrapping_add(1);
        self.runs.insert(stamp.run, Stamp { source: self.me, run: stamp.run, order, ..Stamp::default() });
        if is_new {
            self.tell();
        }
    }

    /// Takes a mark, if it is the second one without a message since: one alone may have overtaken a message.
    fn mark(&mut self, stamp: Stamp) {
        if stamp.hash != self.hash {
            return;
        }
        if self.marked.len() >= MOST_SOURCES && !self.marked.contains_key(&stamp.source) {
            self.marked.clear();
        }
        let mark = (stamp.run, stamp.sequence);
        if self.marked.insert(stamp.source, mark) == Some(mark) {
            self.tally.add(Count::Lost, self.sources.mark(&stamp).into());
            // Of a run whose messages were all lost, its sender waits for this.
            self.note(&Stamp { order: stamp.order.wrapping_sub(1), ..stamp });
            self.untold += 1;
        }
    }

    /// Tells senders how far this side is.
    fn tell(&mut self) {
        self.untold = 0;
        let Some(taken) = &self.taken else { return };
        let hello = Stamp { source: self.me, ..Stamp::default() };
        let hello = self.runs.is_empty().then_some(&hello);
        for stamp in self.runs.values().chain(hello) {
            // Told again a second later.
            let _ = taken.put(stamp.to_bytes().as_slice()).wait();
        }
    }

    fn refuse(&mut self, hash: u64) {
        self.tally.add(Count::Refused, 1);
        if self.said.len() >= MOST {
            return;
        }
        if self.said.insert(hash) {
            say(&format!(
                "{}: refused a message of type {hash:016x}: this region's channel has type {:016x}; build both sides \
                 from one definition",
                self.name, self.hash
            ));
        }
    }
}

/// Passes on what has come, or counts it if there is no room: Zenoh's own threads must not wait here, for they carry the
/// other channels too.
fn offer(to: &SyncSender<Event>, event: Event, tally: &Tally) {
    if let Err(TrySendError::Full(_)) = to.try_send(event) {
        tally.add(Count::Dropped, 1);
    }
}
