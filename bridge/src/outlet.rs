//! From the region into Zenoh: one channel, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use strait::format::{Entry, Kind};
use zenoh::pubsub::Publisher;
use zenoh::qos::CongestionControl;
use zenoh::query::Query;
use zenoh::sample::Locality;
use zenoh::{Session, Wait};

use crate::say::say;
use crate::session::{NEXT, TAKEN, key};
use crate::source::{Item, Look, Source};
use crate::stamp::{LEN, Stamp, flags_of_ahead, now_ns};
use crate::tally::{Count, Tally};
use crate::window::Window;

/// How often a channel that is quiet tells how far it is, and a latest value is put again.
pub const REFRESH: Duration = Duration::from_secs(1);

/// How long a thread sleeps before it looks whether the bridge is to end.
pub const TURN: Duration = Duration::from_millis(50);

/// Messages between two looks at the clock.
const BATCH: u32 = 64;

/// A message as it was put last.
type Newest = Arc<Mutex<Option<([u8; LEN], Vec<u8>)>>>;

/// A channel on its way out.
pub struct Outlet {
    name: String,
    source: Source,
    publisher: Publisher<'static>,
    marks: Publisher<'static>,
    /// Of a queue whose consumer this bridge is: it waits for receivers.
    window: Option<Arc<Window>>,
    newest: Option<Newest>,
    tally: Arc<Tally>,
    buffer: Vec<u8>,
    /// What all of its stamps have in common.
    stamp: Stamp,
    instance: u64,
    /// The stamps of the messages that come next, by lane.
    next: Vec<Option<Stamp>>,
}

/// What of the region and of this bridge goes into stamps.
#[derive(Clone, Copy)]
pub struct Origin {
    /// How many messages of a queue may be ahead of a receiving bridge.
    pub ahead: u32,
    /// The region's instance.
    pub instance: u64,
    /// This start of this bridge.
    pub run: u64,
}

impl Outlet {
    /// Declares the channel's keys.
    ///
    /// # Errors
    ///
    /// What Zenoh refuses.
    pub fn declare(
        (session, prefix): (&Session, &str),
        entry: &Entry,
        source: Source,
        is_held: bool,
        origin: Origin,
        tally: Arc<Tally>,
    ) -> Result<Self, String> {
        let name = entry.name().unwrap_or_default().to_owned();
        let congestion = if is_held { CongestionControl::Block } else { CongestionControl::Drop };
        let here = key(prefix, &[&name])?;
        let publisher = |key, congestion| {
            session
                .declare_publisher(key)
                .congestion_control(congestion)
                .allowed_destination(Locality::Remote)
                .wait()
                .map_err(|error| format!("{name}: {error}"))
        };
        let (publisher, marks) = (
            publisher(here.clone(), congestion)?,
            publisher(key(prefix, &[&name, NEXT])?, CongestionControl::Drop)?,
        );
        let window = if is_held { Some(watch(session, prefix, &name, &publisher, origin)?) } else { None };
        let newest = match entry.kind {
            Kind::Latest => {
                let newest = Newest::default();
                let shown = Arc::clone(&newest);
                session
                    .declare_queryable(here)
                    .allowed_origin(Locality::Remote)
                    .callback(move |query| reply(&query, &shown))
                    .background()
                    .wait()
                    .map_err(|error| format!("{name}: {error}"))?;
                Some(newest)
            }
            _ => None,
        };
        let stamp = Stamp {
            flags: source.flags | flags_of_ahead(origin.ahead),
            hash: entry.type_hash,
            run: origin.run,
            ..Stamp::default()
        };
        let buffer = vec![0; entry.max_len as usize];
        let (instance, next) = (origin.instance, Vec::new());
        Ok(Self { name, source, publisher, marks, window, newest, tally, buffer, stamp, instance, next })
    }

    /// Carries messages until the bridge is to end.
    ///
    /// # Errors
    ///
    /// The channel is damaged.
    pub fn run(mut self, is_over: &AtomicBool) -> Result<(), String> {
        let (mut refreshed, mut order) = (Instant::now(), 0);
        while !is_over.load(Ordering::Relaxed) {
            if self.stamp.order != order {
                (refreshed, order) = (Instant::now(), self.stamp.order);
            } else if refreshed.elapsed() >= REFRESH {
                refreshed = Instant::now();
                self.refresh();
            }
            self.carry()?;
        }
        // What was put stays put: Zenoh sends it while its session closes.
        self.source.flush();
        self.refresh();
        Ok(())
    }

    /// Puts the messages that are there, or waits for one.
    fn carry(&mut self) -> Result<(), String> {
        for count in 0..BATCH {
            if let Some(window) = &self.window
                && !window.is_open(self.stamp.order)
            {
                // Nothing is taken: the queue fills up.
                window.wait(self.stamp.order, TURN);
                return Ok(());
            }
            match self.source.look(&mut self.buffer) {
                Look::Seen(item) => self.put(item),
                Look::Nothing if count > 0 => return Ok(()),
                Look::Nothing => {
                    self.source.wait(TURN);
                    return Ok(());
                }
                Look::Damaged(why) => say(&format!("{}: {why}", self.name)),
                Look::Fault(why) => return Err(format!("{}: {why}", self.name)),
            }
        }
        Ok(())
    }

    fn put(&mut self, item: Item) {
        let bytes = &self.buffer[..item.len.min(self.buffer.len())];
        let source = self.instance.wrapping_add(u64::from(item.lane));
        let stamp = Stamp { tag: item.tag, sequence: item.sequence, source, sent_ns: now_ns(), ..self.stamp };
        let attachment = stamp.to_bytes();
        self.tally.add(Count::Missed, item.missed);
        let sent = self.publisher.put(bytes).attachment(attachment.as_slice()).wait();
        self.tally.add(if sent.is_ok() { Count::Sent } else { Count::Failed }, 1);
        self.stamp.order += 1;
        let lane = item.lane as usize;
        if lane >= self.next.len() {
            self.next.resize(lane + 1, None);
        }
        self.next[lane] = Some(Stamp { sequence: item.sequence.wrapping_add(1), ..stamp });
        if let Some(newest) = &self.newest {
            *newest.lock().unwrap_or_else(PoisonError::into_inner) = Some((attachment, bytes.to_vec()));
        }
    }

    /// Puts a latest value again; of other channels, tells which messages come next, so that what was lost at the end is
    /// known too.
    fn refresh(&mut self) {
        if let Some(window) = &self.window {
            window.expire();
        }
        let failed = if let Some(newest) = &self.newest {
            let newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
            let put = newest.as_ref().map(|(stamp, bytes)| {
                self.publisher.put(bytes.as_slice()).attachment(stamp.as_slice()).wait()
            });
            u64::from(put.is_some_and(|put| put.is_err()))
        } else {
            let order = self.stamp.order;
            let mark = |stamp: &Stamp| self.marks.put(Stamp { order, ..*stamp }.to_bytes().as_slice()).wait();
            self.next.iter().flatten().filter(|stamp| mark(stamp).is_err()).count() as u64
        };
        self.tally.add(Count::Failed, failed);
    }
}

/// Follows the receivers of a queue.
fn watch(
    session: &Session,
    prefix: &str,
    name: &str,
    publisher: &Publisher<'static>,
    origin: Origin,
) -> Result<Arc<Window>, String> {
    let failed = |error: zenoh::Error| format!("{name}: {error}");
    let window = Arc::new(Window::new(origin.ahead.into()));
    let told = Arc::clone(&window);
    session
        .declare_subscriber(key(prefix, &[name, TAKEN])?)
        .allowed_origin(Locality::Remote)
        .callback(move |sample| {
            if let Some(stamp) = Stamp::from_bytes(&sample.payload().to_bytes()) {
                told.told(origin.run, &stamp);
            }
        })
        .background()
        .wait()
        .map_err(failed)?;
    let matched = Arc::clone(&window);
    publisher
        .matching_listener()
        .callback(move |status| matched.set_matched(status.matching()))
        .background()
        .wait()
        .map_err(failed)?;
    window.set_matched(publisher.matching_status().wait().map_err(failed)?.matching());
    Ok(window)
}

/// Replies with the newest value, if there is one.
fn reply(query: &Query, newest: &Newest) {
    let newest = newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((stamp, bytes)) = newest {
        // The asker may be gone.
        let _ = query.reply(query.key_expr().clone(), bytes).attachment(stamp.as_slice()).wait();
    }
}
