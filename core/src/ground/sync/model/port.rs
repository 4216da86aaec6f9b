//! A model region and its ports.

extern crate std;

use core::time::Duration;
use std::collections::HashSet;
use std::sync::Arc;
use std::vec::Vec;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};

use super::memory::Words;
use super::shim::Mem;
use crate::endpoint::Attachment;
use crate::endpoint::participants::{self, Card};
use crate::ground::entry::{Entry, GRANULE, Kind};
use crate::ground::header::{Contents, Header, format};
use crate::ground::ident::Ident;
use crate::ground::plan::Plan;
use crate::ground::port::{self, Clock, Liveness, Probe, TokenRefused, Wait, WaitPoint};

/// A region for one run of a model. Make it inside the closure that is checked, before the threads
/// start; keep the plan small (a line of 4, two or three participants, few slots), for every shared
/// word costs.
#[derive(Clone)]
pub struct Region(Arc<Shared>);

struct Shared {
    mem: Mem,
    /// By slot: the epoch whose token is held, 0 for none.
    tokens: Vec<AtomicU32>,
    bed: Mutex<()>,
    alarm: Condvar,
    time_passes: bool,
}

impl Region {
    /// A formatted region.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn new(plan: &Plan<'_>) -> Self {
        Self::with_time(plan, false)
    }

    /// A formatted region in which every wait may also run out: time passes whenever somebody
    /// sleeps. Without it a wait ends only when it is woken, so that a lost wake is found as a
    /// deadlock.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn time_passes(plan: &Plan<'_>) -> Self {
        Self::with_time(plan, true)
    }

    fn with_time(plan: &Plan<'_>, time_passes: bool) -> Self {
        let words = plan.size() / 4;
        let setup = Mem(Arc::new(Words::new(core::iter::repeat_n(0, words), |_| false)));
        format(&setup, plan, 1, Contents::Zeroed).expect("the plan was checked");
        let header = Header::check(&setup).expect("the region was formatted");
        let shared = shared_words(&setup, &header);
        let values = setup.0.0.iter().map(|word| word.plain());
        let mem = Mem(Arc::new(Words::new(values, |offset| shared.contains(&offset))));
        let tokens = (0..=header.participant_count).map(|_| AtomicU32::new(0)).collect();
        Self(Arc::new(Shared { mem, tokens, bed: Mutex::new(()), alarm: Condvar::new(), time_passes }))
    }

    /// Joins the region as a new participant.
    ///
    /// # Panics
    ///
    /// If the participant table is full.
    #[must_use]
    pub fn join(&self) -> Attachment<Port> {
        let looker = Port { region: self.0.clone(), me: None, clock: Arc::default() };
        let header = Header::check(&self.0.mem).expect("the region was formatted");
        let me = participants::join(&self.0.mem, &header, 0, &looker, Card::default())
            .expect("the plan has room for this participant");
        Attachment::attach(Port { me: Some(me), ..looker }).expect("the region was formatted")
    }

    /// Looks at the region without joining it, as a read-only mapping does.
    ///
    /// # Panics
    ///
    /// If the region has been damaged.
    #[must_use]
    pub fn look(&self) -> Attachment<Port> {
        let port = Port { region: self.0.clone(), me: None, clock: Arc::default() };
        Attachment::attach(port).expect("the region was formatted")
    }
}

/// The offsets of the words that are shared while the region is in use: all of its channels' words
/// but payload, and the states of participants.
fn shared_words(mem: &Mem, header: &Header) -> HashSet<u32> {
    let mut shared = HashSet::new();
    for slot in 1..=header.participant_count {
        shared.extend(header.participant(slot));
    }
    for entry in header.channels(mem) {
        let blocks = entry.blocks(header.line).expect("the plan was checked");
        let range = |start: u32, len: u32| (start..start + len).step_by(4);
        shared.extend(range(entry.block_a, blocks.data));
        shared.extend(range(entry.block_b, blocks.len_b));
        shared.extend(range(entry.block_c, blocks.len_c));
        shared.extend([entry.wait_a, entry.wait_b]);
        shared.extend(data_words(&entry));
    }
    shared
}

/// The shared words among a channel's data.
fn data_words(entry: &Entry) -> Vec<u32> {
    let slots = (0..entry.capacity).map(|i| entry.data + i * entry.stride);
    match entry.kind {
        // Commit words can come to lie on any granule.
        Kind::Frames => (0..entry.capacity).step_by(GRANULE as usize).map(|at| entry.data + at).collect(),
        Kind::Slots => slots.map(|slot| slot + entry.stride - 4).collect(),
        Kind::Compact => Vec::new(),
        // A reader may be overtaken by the writer: every word of a value is read as it changes.
        Kind::Latest => slots.flat_map(|slot| (slot..slot + entry.stride).step_by(4)).collect(),
    }
}

/// A participant of a model region.
#[derive(Clone)]
pub struct Port {
    region: Arc<Shared>,
    me: Option<Ident>,
    clock: Arc<std::sync::atomic::AtomicU64>,
}

impl Port {
    /// The participant's end: its liveness token is given back, as the kernel does with a process
    /// that is gone. [`Death::run`](super::Death::run) calls it for one that is killed.
    pub fn end(&self) {
        if let Some(me) = self.me {
            self.release(me);
        }
    }
}

impl Wait for Port {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        if self.region.time_passes {
            self.pause(timeout);
            return;
        }
        if !super::death::step() {
            return;
        }
        let bed = self.region.bed.lock().expect("nobody dies in the kernel");
        // As a kernel compares: under its own lock, and nobody is killed meanwhile.
        if point.word.kernel_load() == expected {
            drop(self.region.alarm.wait(bed).expect("nobody dies in the kernel"));
        }
    }

    fn wake(&self, _: WaitPoint<'_>) {
        if super::death::step() {
            let _bed = self.region.bed.lock().expect("nobody dies in the kernel");
            self.region.alarm.notify_all();
        }
    }

    fn pause(&self, how_long: Duration) {
        loom::thread::yield_now();
        if self.region.time_passes {
            let nanos = u64::try_from(how_long.as_nanos()).unwrap_or(u64::MAX);
            self.clock.fetch_add(nanos, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

// SAFETY: `Dead` is answered only once the token is gone, which `acquire` and `release` publish.
unsafe impl Liveness for Port {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let token = self.region.tokens.get(who.slot() as usize).ok_or(TokenRefused)?;
        token.store(who.epoch(), Ordering::Release);
        Ok(())
    }

    fn release(&self, who: Ident) {
        if let Some(token) = self.region.tokens.get(who.slot() as usize) {
            token.store(0, Ordering::Release);
        }
    }

    fn probe(&self, who: Ident) -> Probe {
        match self.region.tokens.get(who.slot() as usize) {
            Some(token) if token.load(Ordering::Acquire) == who.epoch() => Probe::Alive,
            _ => Probe::Dead,
        }
    }
}

impl Clock for Port {
    fn now_ns(&self) -> u64 {
        self.clock.load(std::sync::atomic::Ordering::Relaxed)
    }
}

// SAFETY: the memory is counted, and the identity never changes.
unsafe impl port::Port for Port {
    fn mem(&self) -> &Mem {
        &self.region.mem
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }
}
