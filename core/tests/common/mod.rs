//! What the tests share: a region on the heap with several participants in one process, whose deaths
//! are staged, and whose memory can be looked at, changed and copied.
#![allow(dead_code, reason = "each test file uses its own part of this")]

pub mod faulty;
pub mod guarded;
pub mod images;
pub mod listing;
pub mod model;
pub mod raw;
pub mod rng;
pub mod seed;
pub mod stream;
pub mod words;

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use strait_core::ground::sync::order::RELAXED;
use strait_core::participants::{self, Card};
use strait_core::{
    AsyncWait, Attachment, Clock, Entry, Header, Ident, Liveness, Mem, Plan, Port, Probe, Sleeper,
    TokenRefused, Wait, WaitPoint, Wakers, ground::format::Contents,
};

use guarded::Guarded;

/// The instance id of every region that these tests make.
pub const INSTANCE: u64 = 0x0123_4567_89AB_CDEF;

/// One process's share of the machine: memory, who is alive, and a place to sleep.
pub struct World {
    memory: Guarded,
    mem: Mem,
    /// Who was ever alive here; `false` once dead. Whoever is not in it holds no token: dead too.
    tokens: Mutex<HashMap<u32, bool>>,
    gate: Mutex<()>,
    bell: Condvar,
    started: Instant,
    /// Wakes are lost from now on.
    pub deaf: AtomicBool,
    /// Nobody sleeps any more: every wait returns at once, as under a storm of wakes.
    pub storm: AtomicBool,
    /// Parked words are cleared as soon as somebody sleeps on them, without a wake.
    pub thief: AtomicBool,
    pub wakes: AtomicU32,
    /// How often the priority is raised now.
    pub raised: AtomicU32,
    pub sleeps: AtomicU32,
    pub hardware: HardwareLock,
    /// What happens when somebody looks at the clock, the first of it at the first look.
    pub on_clock: Mutex<VecDeque<Option<Hook>>>,
    /// What happens when somebody wakes others, before they are woken.
    pub on_wake: Mutex<Option<Hook>>,
    /// What happens when a task's waker is about to be kept.
    pub on_keep: Mutex<Option<Hook>>,
    /// How long tasks were to sleep, and whether at a word.
    pub naps: Mutex<Vec<(bool, Duration)>>,
    wakers: Mutex<Wakers<4>>,
}

/// A lock register that names its holder.
#[derive(Default)]
pub struct HardwareLock {
    /// Whether the machine has one.
    pub built_in: AtomicBool,
    /// The holder's identity, or 0.
    pub holder: AtomicU32,
    /// How often it is not to be had from now on.
    pub refusals: AtomicU32,
    pub taken: AtomicU32,
}

impl HardwareLock {
    /// How often one tries that finds it held.
    const TRIES: u32 = 1_000_000;

    fn take(&self, me: u32, is_dead: impl Fn(u32) -> bool) -> bool {
        let less = |left: u32| left.checked_sub(1);
        if self.refusals.fetch_update(Relaxed, Relaxed, less).is_ok() {
            return false;
        }
        for _ in 0..Self::TRIES {
            let found = self.holder.compare_exchange(0, me, Acquire, Relaxed);
            match found {
                Ok(_) => {
                    self.taken.fetch_add(1, Relaxed);
                    return true;
                }
                // It names its holder, so what a dead one held can be freed.
                Err(holder) if is_dead(holder) => {
                    let _ = self.holder.compare_exchange(holder, 0, Release, Relaxed);
                }
                Err(_) => std::thread::yield_now(),
            }
        }
        false
    }

    fn give(&self, me: u32) {
        assert_eq!(self.holder.swap(0, Release), me, "it is given back by its holder");
    }
}

/// What a port answers that has raised the priority.
const RAISED: u32 = 77;

/// Something that happens once.
pub type Hook = Box<dyn FnOnce() + Send>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A region, shared by everything that is made from it.
#[derive(Clone)]
pub struct Region(Arc<World>);

impl Deref for Region {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Region {
    /// Memory of zeros.
    pub fn zeroed(len: u32) -> Self {
        let memory = Guarded::new(len);
        Self(Arc::new(World {
            mem: memory.mem(),
            memory,
            tokens: Mutex::default(),
            gate: Mutex::default(),
            bell: Condvar::new(),
            started: Instant::now(),
            deaf: AtomicBool::new(false),
            storm: AtomicBool::new(false),
            thief: AtomicBool::new(false),
            wakes: AtomicU32::new(0),
            raised: AtomicU32::new(0),
            sleeps: AtomicU32::new(0),
            hardware: HardwareLock::default(),
            on_clock: Mutex::default(),
            on_wake: Mutex::default(),
            on_keep: Mutex::default(),
            naps: Mutex::new(Vec::with_capacity(8)),
            wakers: Mutex::default(),
        }))
    }

    /// A region formatted by `plan`.
    pub fn new(plan: &Plan<'_>) -> Self {
        let region = Self::zeroed(plan.try_size().expect("the plan works"));
        strait_core::format(&region.mem, plan, INSTANCE, Contents::Zeroed).expect("the plan was laid out");
        region
    }

    /// Memory with these bytes, in which nobody lives.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let region = Self::zeroed(bytes.len() as u32);
        region.write(0, bytes);
        region
    }

    /// A copy of the memory in which nobody lives: what is found after all have died at once.
    pub fn after_death_of_all(&self) -> Self {
        Self::from_bytes(&self.bytes())
    }

    /// Joins as a new participant of domain 0.
    pub fn join(&self) -> Member {
        self.join_domain(0)
    }

    /// Joins as a new participant of `domain`.
    pub fn join_domain(&self, domain: u32) -> Member {
        let header = Header::check(&self.mem).expect("the region is sound");
        let port = TestPort { region: self.clone(), me: None, domain };
        let me =
            participants::join(&self.mem, &header, domain, &port, Card::default()).expect("there is room");
        Member::new(TestPort { me: Some(me), ..port })
    }

    /// Joins without a place in the table, to look only.
    pub fn look(&self) -> Attachment<TestPort> {
        Attachment::attach(TestPort { region: self.clone(), me: None, domain: 0 })
            .expect("the region is sound")
    }

    /// The entry of a channel.
    pub fn entry(&self, name: &str) -> Entry {
        self.look().channel(name).expect("the channel exists")
    }

    pub fn peek(&self, offset: u32) -> u32 {
        self.mem.word(offset).expect("an offset inside").load(RELAXED)
    }

    pub fn poke(&self, offset: u32, value: u32) {
        self.mem.word(offset).expect("an offset inside").store(value, RELAXED);
    }

    pub fn read(&self, offset: u32, into: &mut [u8]) {
        self.mem.span(offset, into.len() as u32).expect("a range inside").read(0, into);
    }

    pub fn write(&self, offset: u32, bytes: &[u8]) {
        self.mem.span(offset, bytes.len() as u32).expect("a range inside").write(0, bytes);
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.mem.len() as usize];
        self.read(0, &mut bytes);
        bytes
    }
}

impl World {
    pub fn mem(&self) -> &Mem {
        &self.mem
    }

    /// Whether the memory before and after the region is as it was.
    pub fn is_intact(&self) -> bool {
        self.memory.is_intact()
    }

    /// How many tasks' wakers are kept.
    pub fn tasks(&self) -> usize {
        lock(&self.wakers).len()
    }

    fn declare_dead(&self, who: Ident) {
        lock(&self.tokens).insert(who.word(), false);
    }
}

/// One participant's view of a region.
#[derive(Clone)]
pub struct TestPort {
    region: Region,
    me: Option<Ident>,
    domain: u32,
}

impl TestPort {
    /// A port on a region that may be anything.
    pub fn looking_at(region: &Region, me: Option<Ident>) -> Self {
        Self { region: region.clone(), me, domain: 0 }
    }
}

impl Wait for TestPort {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.region.sleeps.fetch_add(1, Relaxed);
        let guard = lock(&self.region.gate);
        if self.region.storm.load(Relaxed) || point.word.load(RELAXED) != expected {
            return;
        }
        if self.region.thief.load(Relaxed) {
            point.word.store(0, RELAXED);
        }
        drop(self.region.bell.wait_timeout(guard, timeout));
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.region.wakes.fetch_add(1, Relaxed);
        let hook = lock(&self.region.on_wake).take();
        if let Some(hook) = hook {
            hook();
        }
        if !self.region.deaf.load(Relaxed) {
            drop(lock(&self.region.gate));
            self.region.bell.notify_all();
            let woken = lock(&self.region.wakers).take(point);
            woken.into_iter().flatten().for_each(Waker::wake);
        }
    }

    fn pause(&self, how_long: Duration) {
        std::thread::sleep(how_long);
    }
}

impl AsyncWait for TestPort {
    fn keep(&self, who: Sleeper, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        let hook = lock(&self.region.on_keep).take();
        if let Some(hook) = hook {
            hook();
        }
        let mut naps = lock(&self.region.naps);
        if naps.len() < naps.capacity() {
            naps.push((point.is_some(), timeout));
        }
        if let Err(waker) = lock(&self.region.wakers).keep(who, point, waker.clone()) {
            waker.wake();
        }
    }

    fn forget(&self, who: Sleeper) {
        drop(lock(&self.region.wakers).forget(who));
    }
}

impl Clock for TestPort {
    fn now_ns(&self) -> u64 {
        let hook = lock(&self.region.on_clock).pop_front().flatten();
        if let Some(hook) = hook {
            hook();
        }
        self.region.started.elapsed().as_nanos() as u64
    }
}

// SAFETY: `Dead` is answered of identities that never were, or whose endpoints the test has put out
// of reach; the mutex makes what they wrote visible.
unsafe impl Liveness for TestPort {
    fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        match lock(&self.region.tokens).insert(who.word(), true) {
            Some(true) => Err(TokenRefused),
            _ => Ok(()),
        }
    }

    fn release(&self, who: Ident) {
        self.region.declare_dead(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        match lock(&self.region.tokens).get(&who.word()) {
            Some(true) => Probe::Alive,
            _ => Probe::Dead,
        }
    }
}

// SAFETY: the memory lives as long as any clone of the region, which every port holds; the identity
// is set before the port is handed out and never changes.
unsafe impl Port for TestPort {
    fn mem(&self) -> &Mem {
        &self.region.0.mem
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }

    fn raise(&self) -> u32 {
        self.region.raised.fetch_add(1, Relaxed);
        RAISED
    }

    fn lower(&self, raised: u32) {
        assert_eq!(raised, RAISED, "what `raise` answered");
        self.region.raised.fetch_sub(1, Relaxed);
    }

    fn domain(&self) -> u32 {
        self.domain
    }

    fn has_hardware_lock(&self) -> bool {
        self.region.hardware.built_in.load(Relaxed)
    }

    fn hardware_lock(&self) -> bool {
        let is_dead = |word| Ident::from_word(word).is_some_and(|who| self.probe(who) == Probe::Dead);
        self.region.hardware.take(self.me.expect("a participant").word(), is_dead)
    }

    fn hardware_unlock(&self) {
        self.region.hardware.give(self.me.expect("a participant").word());
    }
}

/// A participant, alive until it leaves or is killed.
pub struct Member {
    pub attachment: Attachment<TestPort>,
}

impl Deref for Member {
    type Target = Attachment<TestPort>;

    fn deref(&self) -> &Self::Target {
        &self.attachment
    }
}

impl Member {
    fn new(port: TestPort) -> Self {
        Self { attachment: Attachment::attach(port).expect("the region is sound") }
    }

    pub fn ident(&self) -> Ident {
        self.port().ident().expect("a member has an identity")
    }

    /// Kills the participant: what it holds is never touched again, and its death is provable.
    pub fn die<E>(self, endpoints: E) {
        std::mem::forget(endpoints);
        self.port().region.declare_dead(self.ident());
    }

    /// Leaves in good order.
    pub fn leave(self) {
        let port = self.port();
        participants::leave(port.mem(), self.header(), self.ident());
        port.release(self.ident());
    }
}
