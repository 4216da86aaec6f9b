//! A region with several participants in one thread: their deaths are staged, a liar's stores happen
//! between the calls of the port, and time passes only where somebody looks at it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Deref;
use std::task::Waker;
use std::time::Duration;

use strait_core::format::participants::{self, Card};
use strait_core::port::RELAXED;
use strait_core::{
    Attachment, Plan, WaitPolicy,
    format::{Contents, Entry, Header, initialise},
    port::{
        AsyncWait, Cache, Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint, WaiterId,
    },
};

use crate::input::Input;
use crate::memory::Guarded;

/// How endpoints wait here: they sleep at once, and look for deaths often.
pub const POLICY: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: Duration::from_micros(20) };

/// A time-out that is over after a few looks at the clock.
pub const SOON: Duration = Duration::from_micros(50);

/// Calls of the port that one operation may make: more is taken for a hang.
const MOST_CALLS: u32 = 100_000;

/// How far the clock goes on with each look at it.
const TICK_NS: u64 = 1000;

/// A region, and what all its participants share.
pub struct Region {
    memory: Guarded,
    mem: Mem,
    /// Every identity that was ever alive, and whether it still is. Nobody else has a token.
    tokens: RefCell<Vec<(u32, bool)>>,
    now_ns: Cell<u64>,
    calls: Cell<u32>,
    raised: Cell<i32>,
    cache: Cell<Option<Cache>>,
    /// Stores that happen one by one, at the next calls of the port: an offset and a value.
    pending: RefCell<VecDeque<(u32, u32)>>,
}

impl Region {
    /// Memory with these bytes, in which nobody is alive.
    ///
    /// # Panics
    ///
    /// If there is no memory.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let region = Self::zeroed(bytes.len() as u32);
        region.put_back(bytes);
        region
    }

    /// Memory of zeros.
    #[must_use]
    pub fn zeroed(len: u32) -> Self {
        let memory = Guarded::new(len);
        Self {
            mem: memory.mem(),
            memory,
            tokens: RefCell::default(),
            now_ns: Cell::new(0),
            calls: Cell::new(0),
            raised: Cell::new(0),
            cache: Cell::new(None),
            pending: RefCell::default(),
        }
    }

    /// A region formatted by `plan`.
    ///
    /// # Panics
    ///
    /// If the plan does not work.
    #[must_use]
    pub fn new(plan: &Plan<'_>) -> Self {
        let region = Self::zeroed(plan.try_size().expect("the plan works"));
        initialise(region.mem(), plan, 0x0123_4567_89AB_CDEF, Contents::Zeroed)
            .expect("the plan was laid out");
        region
    }

    /// From here on the ports say that the payload is seen through a cache.
    pub fn set_cache(&self, cache: Cache) {
        self.cache.set(Some(cache));
    }

    /// The memory.
    #[must_use]
    pub fn mem(&self) -> &Mem {
        &self.mem
    }

    /// Joins as a new participant of domain 0; `None` if the region is not sound, or has no place.
    #[must_use]
    pub fn try_join(&self) -> Option<Member<'_>> {
        let header = Header::check(self.mem()).ok()?;
        let port = FuzzPort { region: self, me: None };
        let me = participants::join(self.mem(), &header, 0, &port, Card::default()).ok()?;
        let attachment = Attachment::attach(FuzzPort { me: Some(me), ..port }).ok()?;
        Some(Member { attachment, me })
    }

    /// Joins a sound region as a new participant of domain 0.
    ///
    /// # Panics
    ///
    /// If it is not sound, or has no place.
    #[must_use]
    pub fn join(&self) -> Member<'_> {
        self.try_join().expect("a sound region with a free place")
    }

    /// A port of nobody, or of a forged identity.
    #[must_use]
    pub fn port(&self, me: Option<Ident>) -> FuzzPort<'_> {
        FuzzPort { region: self, me }
    }

    /// The entry of a channel of a sound region.
    ///
    /// # Panics
    ///
    /// If there is no such channel.
    #[must_use]
    pub fn entry(&self, name: &str) -> Entry {
        let look = Attachment::attach(self.port(None)).expect("the region is sound");
        look.channel(name).expect("the channel exists")
    }

    /// Loads a word.
    ///
    /// # Panics
    ///
    /// If it is outside the region.
    #[must_use]
    pub fn peek(&self, offset: u32) -> u32 {
        self.mem().word(offset).expect("an offset inside").load(RELAXED)
    }

    /// Stores a word.
    ///
    /// # Panics
    ///
    /// If it is outside the region.
    pub fn poke(&self, offset: u32, value: u32) {
        self.mem().word(offset).expect("an offset inside").store(value, RELAXED);
    }

    /// A copy of the memory.
    ///
    /// # Panics
    ///
    /// Never: all of the memory is inside.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let len = self.mem().len();
        let mut bytes = vec![0; len as usize];
        self.mem().span(0, len).expect("all of it").read(0, &mut bytes);
        bytes
    }

    /// Puts back what [`bytes`](Self::bytes) gave: all that happened since then was not.
    ///
    /// # Panics
    ///
    /// If these are not as many bytes.
    pub fn put_back(&self, bytes: &[u8]) {
        self.mem().span(0, bytes.len() as u32).expect("all of it").write(0, bytes);
    }

    /// Some stores of a liar, from `from` on: some now, and some at the port's next calls.
    pub fn lie(&self, input: &mut Input<'_>, from: u32) {
        let words = (self.mem().len() - from) / 4;
        if words == 0 {
            return;
        }
        for _ in 0..=input.below(3) {
            let at = from + 4 * input.below(words as usize) as u32;
            let old = self.peek(at);
            let value = match input.below(8) {
                0 => old.wrapping_add(1),
                1 => old.wrapping_sub(1),
                2 => old ^ 1 << input.below(32),
                3 => old.wrapping_add(16),
                _ => input.edge(),
            };
            if input.flag() {
                self.pending.borrow_mut().push_back((at, value));
            } else {
                self.poke(at, value);
            }
        }
    }

    /// From now on `who` is dead.
    pub fn declare_dead(&self, who: Ident) {
        let mut tokens = self.tokens.borrow_mut();
        match tokens.iter_mut().find(|(token, _)| *token == who.word()) {
            Some((_, alive)) => *alive = false,
            None => tokens.push((who.word(), false)),
        }
    }

    /// Checks after each operation: it has not taken too long, the guards are whole. Everybody's
    /// priority is as it was, if nobody holds a lock.
    ///
    /// # Panics
    ///
    /// If not.
    pub fn check(&self) {
        self.calls.set(0);
        assert_eq!(self.raised.get(), 0, "a priority was raised and not lowered");
    }

    /// The same where locks may be held from one operation to the next.
    pub fn check_calls(&self) {
        self.calls.set(0);
    }

    /// A lock's owner has died, and its priority with it.
    pub fn dead_lower(&self) {
        self.raised.set(0);
    }

    /// How many are alive.
    #[must_use]
    pub fn living(&self) -> usize {
        self.tokens.borrow().iter().filter(|(_, alive)| *alive).count()
    }

    /// Where the memory starts.
    ///
    /// # Panics
    ///
    /// Never: all of the memory is inside.
    #[must_use]
    pub fn start(&self) -> *mut u8 {
        self.mem().span(0, 0).expect("the start").as_ptr(0, 0).as_ptr()
    }

    /// Panics if a guard has changed.
    ///
    /// # Panics
    ///
    /// See above.
    pub fn assert_intact(&self) {
        self.memory.assert_intact();
    }

    /// A call of the port: a moment at which others act.
    fn called(&self) {
        let calls = self.calls.get() + 1;
        assert!(calls < MOST_CALLS, "an operation makes calls without end");
        self.calls.set(calls);
        let lie = self.pending.borrow_mut().pop_front();
        if let Some((at, value)) = lie {
            self.poke(at, value);
        }
    }

    fn pass(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.now_ns.set(self.now_ns.get().saturating_add(nanos));
    }
}

/// One participant's view of a region.
#[derive(Clone, Copy)]
pub struct FuzzPort<'r> {
    region: &'r Region,
    me: Option<Ident>,
}

impl Wait for FuzzPort<'_> {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.region.called();
        if point.word.load(RELAXED) == expected {
            self.region.pass(timeout);
        }
    }

    fn wake(&self, _: WaitPoint<'_>) {
        self.region.called();
    }

    fn pause(&self, how_long: Duration) {
        self.region.called();
        self.region.pass(how_long);
    }
}

impl AsyncWait for FuzzPort<'_> {
    fn keep(&self, _: WaiterId, _: Option<WaitPoint<'_>>, _: &Waker, _: Duration) {
        self.region.called();
    }

    fn forget(&self, _: WaiterId) {
        self.region.called();
    }
}

impl Clock for FuzzPort<'_> {
    fn now_ns(&self) -> u64 {
        self.region.called();
        self.region.pass(Duration::from_nanos(TICK_NS));
        self.region.now_ns.get()
    }
}

// SAFETY: `Dead` is returned for identities that never were, and for those whose endpoints were put out of reach;
// all is in one thread.
unsafe impl Liveness for FuzzPort<'_> {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        self.region.called();
        let mut tokens = self.region.tokens.borrow_mut();
        match tokens.iter_mut().find(|(token, _)| *token == who.word()) {
            Some((_, true)) => return Err(TokenRefused),
            Some((_, alive)) => *alive = true,
            None => tokens.push((who.word(), true)),
        }
        Ok(())
    }

    unsafe fn release(&self, who: Ident) {
        self.region.declare_dead(who);
    }

    fn probe(&self, who: Ident) -> Probe {
        self.region.called();
        let tokens = self.region.tokens.borrow();
        let alive = tokens.iter().any(|&(token, alive)| alive && token == who.word());
        if alive { Probe::Alive } else { Probe::Dead }
    }
}

// SAFETY: the memory is valid as long as the region, which every port borrows; the identity is set
// before the port is handed out and never changes.
unsafe impl Port for FuzzPort<'_> {
    fn mem(&self) -> &Mem {
        self.region.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }

    fn cache(&self) -> Option<Cache> {
        self.region.cache.get()
    }

    fn raise(&self) -> u32 {
        self.region.raised.set(self.region.raised.get() + 1);
        77
    }

    fn lower(&self, raised: u32) {
        assert_eq!(raised, 77, "what `raise` returned");
        self.region.raised.set(self.region.raised.get() - 1);
    }
}

/// A participant, alive until it is killed.
pub struct Member<'r> {
    attachment: Attachment<FuzzPort<'r>>,
    me: Ident,
}

impl<'r> Deref for Member<'r> {
    type Target = Attachment<FuzzPort<'r>>;

    fn deref(&self) -> &Self::Target {
        &self.attachment
    }
}

impl Member<'_> {
    /// This participant's identity.
    #[must_use]
    pub fn ident(&self) -> Ident {
        self.me
    }

    /// Kills the participant: what it holds is never touched again, and its death is provable.
    pub fn die<E>(self, endpoints: E) {
        std::mem::forget(endpoints);
        let region = self.port().region;
        region.declare_dead(self.me);
        // Its priority ends with it.
        region.raised.set(0);
    }
}
