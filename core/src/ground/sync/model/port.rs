//! A model region and its ports.

extern crate std;

use core::task::Waker;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use std::vec::Vec;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Condvar, Mutex};

use super::memory::{Use, Words};
use super::shim::Mem;
use crate::endpoint::Attachment;
use crate::endpoint::participants::{self, Card};
use crate::ground::entry::{Entry, GRANULE, Kind};
use crate::ground::header::{self, Contents, Header, format};
use crate::ground::ident::Ident;
use crate::ground::plan::Plan;
use crate::ground::port::{self, Clock, Liveness, Probe, TokenRefused, Wait, WaitPoint};
use crate::ground::tasks::{AsyncWait, Sleeper, Wakers};

/// A region for one run of a model. Make it inside the closure that is checked, before the threads
/// start; keep the plan small (a line of 4, two or three participants, few slots), for every shared
/// word costs.
#[derive(Clone)]
pub struct Region(Arc<Shared>);

struct Shared {
    mem: Mem,
    /// By slot and epoch: the state of the liveness token.
    tokens: Vec<[AtomicU32; EPOCHS]>,
    /// By the offsets of the words that have been slept on.
    beds: std::sync::Mutex<Vec<(u32, Arc<Bed>)>>,
    /// Who has the hardware lock, or 0.
    hardware: AtomicU32,
    wakers: Mutex<Wakers<TASKS>>,
    time_passes: bool,
}

/// So many incarnations a slot can have in a model.
const EPOCHS: usize = 4;

/// So many tasks can wait at once in a model.
const TASKS: usize = 4;

/// A token that nobody has taken yet.
const UNTAKEN: u32 = 0;
/// A token that is held.
const HELD: u32 = 1;
/// A token that was given back.
const GONE: u32 = 2;

/// Where a kernel keeps those who sleep on one word.
struct Bed {
    lock: Mutex<()>,
    alarm: Condvar,
}

impl Region {
    /// A formatted region.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn new(plan: &Plan<'_>) -> Self {
        Self::laid_out(plan, false, true)
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
        Self::laid_out(plan, true, true)
    }

    /// Memory of zeros, long enough for the plan, which is to be formatted while the model runs:
    /// pass [`mem`](Self::mem) to [`format`](crate::format). Nobody can join before.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn unformatted(plan: &Plan<'_>) -> Self {
        Self::laid_out(plan, false, false)
    }

    fn laid_out(plan: &Plan<'_>, time_passes: bool, formatted: bool) -> Self {
        let words = plan.size() / 4;
        let setup = Mem(Arc::new(Words::new(core::iter::repeat_n(0, words), |_| Use::default())));
        format(&setup, plan, 1, Contents::Zeroed).expect("the plan was checked");
        let header = Header::check(&setup).expect("the region was formatted");
        let mut uses = uses(&setup, &header);
        let mut other = Use::default();
        if !formatted {
            uses.insert(header::at::MAGIC, Use { shared: true, plain: false });
            other.plain = true;
        }
        let values = setup.0.0.iter().map(|word| if formatted { word.plain() } else { 0 });
        let mem = Words::new(values, |offset| uses.get(&offset).copied().unwrap_or(other));
        let token = || core::array::from_fn(|_| AtomicU32::new(UNTAKEN));
        Self(Arc::new(Shared {
            mem: Mem(Arc::new(mem)),
            tokens: (0..header.participant_count).map(|_| token()).collect(),
            beds: std::sync::Mutex::default(),
            hardware: AtomicU32::new(0),
            wakers: Mutex::new(Wakers::new()),
            time_passes,
        }))
    }

    /// The region's memory.
    #[must_use]
    pub fn mem(&self) -> &Mem {
        &self.0.mem
    }

    /// A port that takes no part in the region.
    #[must_use]
    pub fn port(&self) -> Port {
        let (held, clock) = (Arc::default(), Arc::default());
        Port { region: self.0.clone(), me: None, domain: 0, hardware_lock: false, held, clock }
    }

    /// Joins the region as a new participant of domain 0.
    ///
    /// # Panics
    ///
    /// If the participant table is full.
    #[must_use]
    pub fn join(&self) -> Attachment<Port> {
        self.join_as(self.port())
    }

    /// Joins the region as a new participant of `domain`, with a hardware lock where the region is to
    /// have one.
    ///
    /// # Panics
    ///
    /// If the domain's places are taken, or it has none.
    #[must_use]
    pub fn join_domain(&self, domain: u32, hardware_lock: bool) -> Attachment<Port> {
        self.join_as(Port { domain, hardware_lock, ..self.port() })
    }

    fn join_as(&self, looker: Port) -> Attachment<Port> {
        let header = Header::check(&self.0.mem).expect("the region was formatted");
        let me = participants::join(&self.0.mem, &header, looker.domain, &looker, Card::default())
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
        Attachment::attach(self.port()).expect("the region was formatted")
    }
}

/// What the words are used for while the region is in use, by their offsets: shared are all of its
/// channels' words but payload, and the states of participants.
fn uses(mem: &Mem, header: &Header) -> HashMap<u32, Use> {
    const SHARED: Use = Use { shared: true, plain: false };
    let states = (1..=header.participant_count).filter_map(|slot| header.participant(slot));
    let mut uses: HashMap<u32, Use> = states.map(|offset| (offset, SHARED)).collect();
    let entries: Vec<_> = header.channels(mem).collect();
    let blocks = |entry: &Entry| entry.blocks(header.line).expect("the plan was checked");
    for entry in &entries {
        let blocks = blocks(entry);
        let a = range(entry.block_a, blocks.data);
        let b = range(entry.block_b, blocks.len_b);
        let c = range(entry.block_c, blocks.len_c);
        let bells = [entry.wait_a, entry.wait_b].into_iter().filter(|&offset| offset != 0);
        let all = a.chain(b).chain(c).chain(bells);
        uses.extend(all.map(|offset| (offset, SHARED)));
    }
    // After that, for block C as it is measured here can reach into the next channel's data.
    for entry in &entries {
        let blocks = blocks(entry);
        let data = range(entry.data, blocks.len_data);
        uses.extend(data.map(|offset| (offset, data_use(entry, offset - entry.data))));
    }
    uses
}

fn range(start: u32, len: u32) -> impl Iterator<Item = u32> {
    (start..start + len).step_by(4)
}

/// What the word `at` bytes into a channel's data is used for.
fn data_use(entry: &Entry, at: u32) -> Use {
    match entry.kind {
        // Commit words can come to lie on any granule.
        Kind::Frames => Use { shared: at.is_multiple_of(GRANULE), plain: true },
        Kind::Slots if at % entry.stride == entry.stride - 4 => Use { shared: true, plain: false },
        Kind::Slots | Kind::Compact | Kind::Mutex => Use { shared: false, plain: true },
        // There are no data.
        Kind::Semaphore | Kind::Permits => Use { shared: false, plain: false },
        // A reader may be overtaken by the writer: every word of a value is read as it changes.
        Kind::Latest => Use { shared: true, plain: false },
    }
}

/// A participant of a model region.
#[derive(Clone)]
pub struct Port {
    region: Arc<Shared>,
    me: Option<Ident>,
    domain: u32,
    hardware_lock: bool,
    /// The tokens held through this port.
    held: Arc<std::sync::Mutex<Vec<Ident>>>,
    clock: Arc<std::sync::atomic::AtomicU64>,
}

impl Port {
    /// The participant's end: its liveness token is given back, as the kernel does with a process
    /// that is gone, and the hardware lock if it had it. [`Death::run`](super::Death::run) calls it for
    /// one that is killed.
    pub fn end(&self) {
        if self.hardware_lock {
            // What the dead did lies before it, for the next holder need not ask for a proof of death.
            let _ =
                self.region.hardware.compare_exchange(self.word(), 0, Ordering::Release, Ordering::Relaxed);
        }
        let held = core::mem::take(&mut *self.held());
        held.into_iter().for_each(|who| self.release(who));
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Ident>> {
        self.held.lock().expect("nobody dies in here")
    }
}

impl Port {
    fn word(&self) -> u32 {
        self.me.map_or(0, Ident::word)
    }

    fn bed(&self, point: WaitPoint<'_>) -> Arc<Bed> {
        let mut beds = self.region.beds.lock().expect("nobody dies in here");
        if let Some((_, bed)) = beds.iter().find(|(offset, _)| *offset == point.offset) {
            return bed.clone();
        }
        let bed = Arc::new(Bed { lock: Mutex::new(()), alarm: Condvar::new() });
        beds.push((point.offset, bed.clone()));
        bed
    }

    /// Whether no task's waker is kept: none waits, and none was left behind.
    #[must_use]
    pub fn keeps_no_waker(&self) -> bool {
        self.wakers(|wakers| wakers.is_empty())
    }

    fn wakers<R>(&self, act: impl FnOnce(&mut Wakers<TASKS>) -> R) -> R {
        act(&mut self.region.wakers.lock().expect("nobody dies in here"))
    }

    fn token(&self, who: Ident) -> Option<&AtomicU32> {
        let epoch = who.epoch() as usize - 1;
        assert!(epoch < EPOCHS, "a slot of a model region has {EPOCHS} incarnations at most");
        self.region.tokens.get(who.slot() as usize - 1).map(|slot| &slot[epoch])
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
        let bed = self.bed(point);
        let lock = bed.lock.lock().expect("nobody dies in the kernel");
        // As a kernel compares: under its own lock, and nobody is killed meanwhile.
        if point.word.kernel_load() == expected {
            drop(bed.alarm.wait(lock).expect("nobody dies in the kernel"));
        }
    }

    fn wake(&self, point: WaitPoint<'_>) {
        if super::death::step() {
            let bed = self.bed(point);
            let lock = bed.lock.lock().expect("nobody dies in the kernel");
            bed.alarm.notify_all();
            drop(lock);
            self.wakers(|wakers| wakers.take(point)).into_iter().flatten().for_each(Waker::wake);
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

/// Tasks of all ports are one program's here, so a wake reaches them all.
impl AsyncWait for Port {
    fn keep(&self, who: Sleeper, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        if self.region.time_passes || point.is_none() {
            self.pause(timeout);
            waker.wake_by_ref();
        } else if super::death::step() {
            let kept = self.wakers(|wakers| wakers.keep(who, point, waker.clone()));
            drop(kept.expect("so many tasks do not fit into a model"));
        }
    }

    fn forget(&self, who: Sleeper) {
        if super::death::step() {
            drop(self.wakers(|wakers| wakers.forget(who)));
        }
    }
}

// SAFETY: `Dead` is answered only for a token that is not held now, and an incarnation takes its
// token before it is published; what gave the token back synchronises with the answer.
unsafe impl Liveness for Port {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let token = self.token(who).ok_or(TokenRefused)?;
        match token.swap(HELD, Ordering::Relaxed) {
            HELD => Err(TokenRefused),
            _ => {
                self.held().push(who);
                Ok(())
            }
        }
    }

    fn release(&self, who: Ident) {
        self.held().retain(|&held| held != who);
        if let Some(token) = self.token(who) {
            token.swap(GONE, Ordering::Release);
        }
    }

    fn probe(&self, who: Ident) -> Probe {
        // A kernel answers by the present state, so this is no load, which may be late.
        match self.token(who).map(|token| token.fetch_or(0, Ordering::Acquire)) {
            Some(HELD) => Probe::Alive,
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

    fn domain(&self) -> u32 {
        self.domain
    }

    fn has_hardware_lock(&self) -> bool {
        self.hardware_lock
    }

    fn hardware_lock(&self) -> bool {
        if !super::death::step() {
            return false;
        }
        let word = &self.region.hardware;
        while word.compare_exchange(0, self.word(), Ordering::Acquire, Ordering::Relaxed).is_err() {
            loom::thread::yield_now();
        }
        true
    }

    fn hardware_unlock(&self) {
        if super::death::step() {
            self.region.hardware.store(0, Ordering::Release);
        }
    }
}
