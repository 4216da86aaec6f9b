//! From Zenoh into the region: one channel.
//!
//! Zenoh's own thread writes what it brings into the region at once, for a thread in between would cost more than all the
//! rest. It never waits there, as it carries the other channels too: what finds the region's queue full is kept, and a
//! thread of the channel's own writes it when there is space.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
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
use crate::source::PAUSE;
use crate::stamp::Stamp;
use crate::tally::{Count, Tally};

/// Messages that are kept for the region's queue, in senders that bound themselves: more never come of so many.
const SENDERS: u64 = 4;

/// Messages ahead, while no sender has said.
const AHEAD: u64 = 512;

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
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Something is kept, or is wrong.
    news: Condvar,
}

/// What the threads of Zenoh's and the channel's own share.
struct State {
    name: String,
    hash: u64,
    is_latest: bool,
    is_strict: bool,
    /// None at the end.
    sink: Option<Sink>,
    taken: Option<Publisher<'static>>,
    tally: Arc<Tally>,
    sources: Sources,
    /// Run and number of the mark that came last of a source, until a message of it comes.
    marked: HashMap<u64, (u64, u32)>,
    /// The stamp to tell a run's sender of: this side as the source, and the order that it waits for.
    runs: Vec<Stamp>,
    /// Messages since this was told.
    untold: u64,
    /// Senders are told after so many: half of what the one with the fewest lets be ahead.
    tell: u64,
    /// Messages that are kept at most.
    room: usize,
    me: u64,
    said: HashSet<u64>,
    /// The message, with its tag, that has found the queue full.
    waiting: Option<(u32, Vec<u8>)>,
    /// What has come after it.
    kept: VecDeque<Event>,
    /// What is wrong with the channel.
    failed: Option<String>,
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
        let here = key(prefix, &[&name])?;
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
        let state = State {
            name: name.clone(),
            hash: entry.type_hash,
            is_latest,
            is_strict,
            sink: Some(sink),
            taken,
            tally,
            sources: Sources::default(),
            marked: HashMap::new(),
            runs: Vec::new(),
            untold: 0,
            tell: AHEAD / 2,
            room: (SENDERS * AHEAD) as usize,
            me,
            said: HashSet::new(),
            waiting: None,
            kept: VecDeque::new(),
            failed: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), news: Condvar::new() });
        let samples = Arc::clone(&shared);
        session
            .declare_subscriber(here.clone())
            .allowed_origin(Locality::Remote)
            .callback(move |sample| samples.offer(Event::Sample(sample)))
            .background()
            .wait()
            .map_err(failed)?;
        let marks = Arc::clone(&shared);
        session
            .declare_subscriber(key(prefix, &[&name, NEXT])?)
            .allowed_origin(Locality::Remote)
            .callback(move |sample| {
                if let Some(stamp) = Stamp::from_bytes(&sample.payload().to_bytes()) {
                    marks.offer(Event::Mark(stamp));
                }
            })
            .background()
            .wait()
            .map_err(failed)?;
        if is_latest {
            let replies = Arc::clone(&shared);
            session
                .get(here)
                .allowed_destination(Locality::Remote)
                .callback(move |reply| {
                    if let Ok(sample) = reply.into_result() {
                        replies.offer(Event::Sample(sample));
                    }
                })
                .wait()
                .map_err(failed)?;
        }
        Ok(Self { shared })
    }

    /// Writes what was kept, and tells senders how far this side is, until the bridge is to end.
    ///
    /// # Errors
    ///
    /// The channel is damaged.
    pub fn run(self, is_over: &AtomicBool) -> Result<(), String> {
        let mut told = Instant::now();
        let mut state = self.shared.lock();
        state.tell();
        while !is_over.load(Ordering::Relaxed) && state.failed.is_none() {
            state.write_kept();
            if told.elapsed() >= REFRESH {
                told = Instant::now();
                state.tell();
            }
            let time = if state.waiting.is_some() { PAUSE } else { TURN };
            state = self.shared.news.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0;
        }
        let left = state.kept.len() + usize::from(state.waiting.is_some());
        state.tally.add(Count::Dropped, left as u64);
        // Gives the role back.
        state.sink = None;
        state.failed.take().map_or(Ok(()), |why| Err(format!("{}: {why}", state.name)))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what Zenoh brings, without waiting for anybody.
    fn offer(&self, event: Event) {
        let mut state = self.lock();
        if state.waiting.is_none() && state.kept.is_empty() {
            state.handle(&event);
        } else if state.kept.len() < state.room {
            state.kept.push_back(event);
        } else if matches!(event, Event::Sample(_)) {
            state.tally.add(Count::Dropped, 1);
        }
        if state.waiting.is_some() || state.failed.is_some() {
            self.news.notify_one();
        }
    }
}

impl State {
    fn handle(&mut self, event: &Event) {
        match event {
            Event::Sample(sample) => self.take(sample),
            Event::Mark(stamp) => self.mark(*stamp),
        }
        if self.untold >= self.tell {
            self.tell();
        }
    }

    /// Writes what was kept, as far as there is space.
    fn write_kept(&mut self) {
        if let Some((tag, bytes)) = self.waiting.take() {
            self.write(tag, bytes.into());
        }
        while self.waiting.is_none()
            && let Some(event) = self.kept.pop_front()
        {
            self.handle(&event);
        }
    }

    fn write(&mut self, tag: u32, bytes: Cow<'_, [u8]>) {
        let Some(sink) = &mut self.sink else { return };
        match sink.write(tag, &bytes) {
            Written::Done => {
                self.tally.add(Count::Taken, 1);
                self.untold += 1;
            }
            Written::Full => self.waiting = Some((tag, bytes.into_owned())),
            Written::Failed(why) => self.failed = Some(why),
        }
    }

    fn take(&mut self, sample: &Sample) {
        let bytes = sample.payload().to_bytes();
        let stamp = match sample.attachment() {
            _ if sample.kind() != SampleKind::Put => None,
            None if self.is_strict => None,
            // A peer without strait: its bytes must have the right length, and that is all that is known of them.
            None => Some(None),
            Some(attachment) => Stamp::from_bytes(&attachment.to_bytes()).map(Some),
        };
        let other = stamp.flatten().map(|stamp| stamp.hash).filter(|hash| *hash != self.hash);
        if let Some(hash) = other {
            return self.refuse(hash);
        }
        let fits = self.sink.as_ref().is_some_and(|sink| sink.takes(bytes.len()));
        let Some(stamp) = stamp.filter(|_| fits) else { return self.tally.add(Count::Garbage, 1) };
        if let Some(stamp) = stamp {
            if !self.marked.is_empty() {
                self.marked.remove(&stamp.source);
            }
            self.note(&stamp);
            match self.sources.take(&stamp) {
                // A latest value comes again each second.
                Turn::Again if self.is_latest => return,
                Turn::Again => return self.tally.add(Count::Again, 1),
                Turn::Next { lost } => {
                    let what = if self.is_latest { Count::Missed } else { Count::Lost };
                    self.tally.add(what, lost.into());
                }
            }
        }
        self.write(stamp.map_or(0, |stamp| stamp.tag), bytes);
    }

    /// Notes how far a run is; its sender is told at once that there is a receiver.
    fn note(&mut self, stamp: &Stamp) {
        if self.taken.is_none() {
            return;
        }
        let order = stamp.order.wrapping_add(1);
        if let Some(known) = self.runs.iter_mut().find(|known| known.run == stamp.run) {
            known.order = order;
            return;
        }
        if self.runs.len() >= MOST {
            self.runs.clear();
        }
        let (source, run, flags) = (self.me, stamp.run, stamp.flags);
        self.runs.push(Stamp { source, run, flags, order, ..Stamp::default() });
        let aheads = || self.runs.iter().map(Stamp::ahead);
        self.tell = aheads().min().unwrap_or(AHEAD) / 2;
        self.room = (SENDERS * aheads().max().unwrap_or(AHEAD)) as usize;
        self.tell();
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
        for stamp in self.runs.iter().chain(hello) {
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
