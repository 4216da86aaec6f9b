//! A participant's handle on a mutex: its words, and the methods that every use of them needs.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::{ChannelError, WrongSize};
use crate::endpoint::lock_word::{CasMode, LockWord};
use crate::endpoint::park_word::ParkWord;
use crate::endpoint::role::NotSync;
use crate::endpoint::spans::{DAMAGED, Spans};
use crate::endpoint::wait::Waiting;
use crate::endpoint::wait_policy::WaitPolicy;
use crate::ground::entry::Entry;
use crate::ground::ident::Ident;
use crate::ground::kind::Kind;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::slots::Slots;
use crate::ground::sync::WordRef;
use crate::ground::sync::order::RELAXED;
use crate::protocol::mutex::{self, State};

/// Whoever locks unlocks: the port has raised that thread's priority.
pub(super) type NotSend = PhantomData<*const ()>;

/// A value of type `T` under a lock (a [`Message`](crate::Message), or `[u8]` for a type that is known
/// only at run time). Each participant has a handle of its own; each is used by one thread at a time.
///
/// # States
///
/// | state | next |
/// |---|---|
/// | free | held, by one compare-and-swap |
/// | held | free, by its owner's one compare-and-swap; `OwnerDied` for the next owner, with proof of death |
/// | `OwnerDied` | held, once [repaired](crate::Recovery); poisoned, if the recovery is dropped |
/// | poisoned | held, by [`reinitialise`](Self::reinitialise) |
///
/// If the repairer dies, the lock is `OwnerDied` again; a fourth death in a row poisons it. If the
/// participant that re-initialises it dies before the new value is whole, it is poisoned again.
///
/// # Two domains
///
/// They share no compare-and-swap, so the channel is refused ([`NoCommonAtomics`](ChannelError)) unless
/// the port has a [hardware lock](Port::hardware_lock). With one, each compare-and-swap named here is a
/// load and a store under it; an attempt that does not get the hardware lock counts as one that found the
/// mutex held.
///
/// # If the owner dies
///
/// With proof of its death (see [`Port`]) the next participant to lock gets the lock and
/// [`OwnerDied`](crate::Lock::OwnerDied); a participant that sleeps for the lock gets it after the [probe
/// period](WaitPolicy::probe) at most. An owner that is stopped, slow, or cannot be proven dead keeps its
/// lock for ever. A change by [`Guard::set`](crate::Guard::set) or
/// [`Guard::update`](crate::Guard::update) is complete or not there at all.
///
/// # Order of waiters
///
/// Unlocking wakes the first sleeper, and no other. On Linux that is the one of the highest real-time priority, and of
/// equal ones the one that has slept longest. Where the system does not order them (Windows, polling), all are woken
/// and race.
///
/// The lock is not handed over, so a participant that is not asleep may be faster than the one that was woken: one that
/// comes fresh, one that spins, the owner if it locks again at once, and a sleeper that looks by itself at that moment,
/// as each does once a [probe period](WaitPolicy::probe). The one that was woken then sleeps again. On Linux
/// `strait::linux::PiMutex` is handed over. A sleeper that dies when it was woken costs the next one a probe period at
/// most.
///
/// # If a peer misbehaves
///
/// A participant that can write to the region can unlock, lock and change the value at will; it cannot
/// make a call panic, hang beyond its deadline, or touch anything outside. An owner that lost its lock in
/// this way gets `NotOwner` when it unlocks, and [`takeovers`](crate::Guard::takeovers) distinguishes new
/// owners from old ones.
///
/// How it works: the table of states and the invariants are in `core/src/protocol/mutex.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, LockError, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::mutex::<[f32; 2]>("gains")]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let mut one = REGION.create(&PLAN, 1, &NoSystem).unwrap().mutex::<[f32; 2]>("gains").unwrap();
/// let mut other = REGION.attach(&NoSystem).unwrap().mutex::<[f32; 2]>("gains").unwrap();
///
/// // If the last owner died with the lock, this goes on with the value it committed last.
/// let mut guard = one.try_lock().unwrap().or_roll_back().ok().unwrap();
/// guard.set(&[1.5, 0.1]);
/// assert_eq!(other.try_lock().err(), Some(LockError::Busy));
/// guard.unlock().unwrap();
///
/// let guard = other.try_lock().unwrap().or_roll_back().ok().unwrap();
/// assert_eq!(guard.get(), [1.5, 0.1]);
/// ```
///
/// [`Recovery`](crate::Recovery) shows what to do if an owner has died.
pub struct Mutex<T: Value + ?Sized, P: Port> {
    /// The lock's word: 0, or its owner and bits of state. All participants compare and swap it.
    pub(super) lock: ParkWord,
    /// How often the lock was taken over from the dead or its value set anew, modulo 2^32. Written by its owner.
    pub(super) takeovers: WordRef,
    /// How often the value was changed, modulo 2^32; its last bit names the buffer that holds it. Written
    /// by the lock's owner.
    pub(super) version: WordRef,
    /// 1 while the lock's owner edits the value in place, else 0. Written by it.
    pub(super) in_place: WordRef,
    /// The word on which participants sleep until a change, if the plan lets them.
    pub(super) changed: Option<ParkWord>,
    /// The two buffers: the owner writes the one that the version does not name.
    pub(super) values: Slots<T>,
    /// This participant, as the lock's word names it.
    pub(super) me: Ident,
    /// How it waits, with the learnt number of looks before a sleep.
    pub(super) waiting: Waiting,
    /// The value that the port returned when it raised the priority; used while the lock is held.
    pub(super) raised: Cell<u32>,
    /// The port, through which a lock of two domains is changed as well.
    pub(super) port: P,
    not_sync: NotSync,
}

impl<P: Port> Attachment<P> {
    /// Opens a handle on a value under a lock. Nothing is claimed: any number of participants may have one.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn mutex<T: Message>(&self, name: &str) -> Result<Mutex<T, P>, ChannelError> {
        Mutex::open(self, &self.of_type(name, Kind::Mutex, ValueType::of::<T>())?)
    }

    /// As [`mutex`](Self::mutex), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn mutex_of(&self, name: &str, value: ValueType) -> Result<Mutex<[u8], P>, ChannelError> {
        Mutex::open(self, &self.of_type(name, Kind::Mutex, value)?)
    }
}

impl<T: Value + ?Sized, P: Port> Mutex<T, P> {
    fn open(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let port = attachment.port().clone();
        let me = port.ident().ok_or(ChannelError::ReadOnly)?;
        let means = CasMode::of(&port, entry)?;
        let spans = Spans::of(attachment, entry)?;
        let instance = attachment.header().instance;
        let word = |offset| port.mem().word_ref(entry.block_c + offset).ok_or(DAMAGED);
        Ok(Self {
            lock: ParkWord::of_lock(&port, entry.block_c + offset::OWNER, instance, means).ok_or(DAMAGED)?,
            takeovers: word(offset::TAKEOVERS)?,
            version: spans.a.word(offset::VERSION).ok_or(DAMAGED)?,
            in_place: spans.a.word(offset::IN_PLACE).ok_or(DAMAGED)?,
            changed: ParkWord::of_lock(&port, entry.wait_b, instance, means),
            values: Slots::new(spans.data.clone(), entry.capacity, entry.stride, entry.max_len)
                .ok_or(DAMAGED)?,
            me,
            waiting: Waiting::new(WaitPolicy::parking()),
            raised: Cell::new(0),
            port,
            not_sync: PhantomData,
        })
    }

    /// Sets how the waiting methods wait.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.waiting = Waiting::new(policy);
    }

    /// The state of the lock now. One load.
    #[must_use]
    pub fn state(&self) -> State {
        mutex::state(self.lock.word.load(RELAXED)) // ORDERING: Relaxed; a snapshot.
    }

    pub(super) fn check_size(&self, value: &T) -> Result<(), WrongSize> {
        if self.values.takes(value) { Ok(()) } else { Err(WrongSize { needed: self.values.size() }) }
    }

    /// The lock changes hands otherwise than by its unlocking: the new owner's fencing token is another one.
    pub(super) fn count_takeover(&self) {
        // ORDERING: Relaxed; under the lock.
        self.takeovers.store(self.takeovers.load(RELAXED).wrapping_add(1), RELAXED);
    }

    /// Lowers the priority, after the lock was given back.
    #[inline(always)]
    pub(super) fn lower(&self) {
        self.port.lower(self.raised.get());
    }

    /// The lock's word, as it is changed.
    #[inline(always)]
    pub(super) fn word(&self) -> LockWord<'_, P> {
        self.lock.shared(&self.port)
    }

    /// Wakes the first sleeper for the lock, which is free.
    #[cold]
    pub(super) fn wake_next(&self) {
        self.lock.wake_next(&self.port);
    }

    /// Wakes all sleepers for the lock, which was given up.
    #[cold]
    pub(super) fn wake_waiters(&self) {
        self.lock.wake_waiters(&self.port);
    }
}
