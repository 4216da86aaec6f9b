//! The port: memory that both cores share, boot counters by which they know each other's death, and a
//! lock register. This is what to supply for a part of your own.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use strait_core::format::participants::{self, Card};
use strait_core::{
    Attachment, Plan,
    format::{Contents, Header, initialise},
    port::{Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint},
};

/// Bytes kept for the region.
const LEN: usize = 16 << 10;
/// The participants that there can be.
const PLACES: usize = 8;

#[repr(C, align(128))]
struct Shared(UnsafeCell<[u8; LEN]>);

// SAFETY: the bytes are reached through `Mem` alone, whose accesses are atomic.
unsafe impl Sync for Shared {}

static REGION: Shared = Shared(UnsafeCell::new([0; LEN]));

/// How often each core has started. Each counts its own, before it joins.
static BOOTS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// The holder of each place of the participant table, as `Life` packs it; 0 is nobody.
static TOKENS: [AtomicU32; PLACES] = [const { AtomicU32::new(0) }; PLACES];

/// The lock register: its holder, as `Life` packs it without an epoch; 0 is nobody. A part's own would be
/// a hardware semaphore; this one is taken by an exclusive, on a word outside the region.
static REGISTER: AtomicU32 = AtomicU32::new(0);
/// How often it was taken from the dead.
static FREED: AtomicU32 = AtomicU32::new(0);

/// Looks at the lock register before it is given up: many times what its holder needs for three accesses.
const TRIES: u32 = 1_000_000;

fn mem() -> Mem {
    let base = NonNull::new(REGION.0.get().cast::<u8>()).unwrap_or(NonNull::dangling());
    // SAFETY: it lives as long as the program, and is reached through `Mem` alone.
    unsafe { Mem::from_raw(base, LEN as u32) }
}

/// Lays the region out, before anybody joins it.
pub fn create(plan: &Plan<'_>) {
    initialise(&mem(), plan, 1, Contents::Zeroed).expect("the plan fits the memory");
}

/// How often a core has started.
pub fn boots(core: usize) -> u32 {
    // What a core did before its restart precedes its increment of the count.
    BOOTS[core].load(Ordering::Acquire)
}

/// How often the lock register was taken from the dead.
pub fn freed() -> u32 {
    FREED.load(Ordering::Relaxed)
}

/// One core from one start to the next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Life {
    core: usize,
    boot: u32,
}

impl Life {
    /// Which start of its core it came with.
    pub fn boot(self) -> u32 {
        self.boot
    }

    /// The number of boots that can be distinguished.
    const BOOTS: u32 = 1 << 10;

    /// A new life of the core that calls this, which ends its last one.
    pub fn begin(core: usize) -> Self {
        let boot = BOOTS[core].load(Ordering::Relaxed).wrapping_add(1);
        // Everything that the last boot did precedes it.
        BOOTS[core].store(boot, Ordering::Release);
        Self { core, boot }
    }

    /// Two bits of the core, ten of the boot, twenty of an epoch.
    fn packed(self, epoch: u32) -> u32 {
        let (boot, core) = (self.boot % Self::BOOTS, self.core as u32 + 1);
        epoch << 12 | boot << 2 | core
    }

    /// Whether the life in this word is that of a core as it is now.
    fn is_over(word: u32) -> bool {
        match (word & 3).checked_sub(1) {
            Some(core @ 0..=1) => boots(core as usize) % Self::BOOTS != word >> 2 & (Self::BOOTS - 1),
            _ => true,
        }
    }
}

/// A participant.
pub struct Core {
    mem: Mem,
    life: Life,
    domain: u32,
    hardware_lock: bool,
    me: Option<Ident>,
}

impl Clone for Core {
    fn clone(&self) -> Self {
        Self { mem: mem(), ..*self }
    }
}

impl Core {
    /// Takes part in the region.
    pub fn join(life: Life, domain: u32, hardware_lock: bool) -> Attachment<Self> {
        let header = Header::check(&mem()).expect("the region is laid out");
        let looker = Self { mem: mem(), life, domain, hardware_lock, me: None };
        let card = Card { boot: life.boot, ..Card::default() };
        let me = participants::join(&looker.mem, &header, domain, &looker, card).expect("there is a place");
        Attachment::attach(Self { me: Some(me), ..looker }).expect("the region is laid out")
    }

    fn token(who: Ident) -> Option<&'static AtomicU32> {
        TOKENS.get(who.place() as usize - 1)
    }
}

/// Nobody sleeps: with an interrupt from one core to the other, sleep here and raise it there.
impl Wait for Core {
    fn wait(&self, _: WaitPoint<'_>, _: u32, _: Duration) {
        core::hint::spin_loop();
    }

    fn wake(&self, _: WaitPoint<'_>) {}
}

/// There is no clock; a waiter counts looks.
impl Clock for Core {
    fn now_ns(&self) -> u64 {
        u64::MAX
    }
}

// SAFETY: a place's token names the core and the boot that took it, before it was published. `Dead` is
// answered when it names another epoch, because then it was given back or taken from the dead; or when the
// core has started since, which it counts before it does anything else and after all that it did before.
unsafe impl Liveness for Core {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        let token = Self::token(who).ok_or(TokenRefused)?;
        let found = token.load(Ordering::Relaxed);
        if found != 0 && !Life::is_over(found) {
            return Err(TokenRefused);
        }
        let mine = self.life.packed(who.epoch());
        let taken = token.compare_exchange(found, mine, Ordering::AcqRel, Ordering::Relaxed);
        taken.map(|_| ()).map_err(|_| TokenRefused)
    }

    unsafe fn release(&self, who: Ident) {
        if let Some(token) = Self::token(who) {
            let mine = self.life.packed(who.epoch());
            // Everything done under the lock precedes it.
            let _ = token.compare_exchange(mine, 0, Ordering::Release, Ordering::Relaxed);
        }
    }

    fn probe(&self, who: Ident) -> Probe {
        let Some(token) = Self::token(who) else { return Probe::Unknown };
        let found = token.load(Ordering::Acquire);
        if found >> 12 == who.epoch() && !Life::is_over(found) { Probe::Alive } else { Probe::Dead }
    }
}

// SAFETY: the memory is a static; the identity is set once, before anybody else sees the port. The
// register has one holder at a time: by an exclusive from 0, or from one whose core has started since,
// with all that it did before.
unsafe impl Port for Core {
    // Nothing forks here.
    const CAN_FORK: bool = false;

    fn mem(&self) -> &Mem {
        &self.mem
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
        let mine = self.life.packed(0);
        for _ in 0..TRIES {
            match REGISTER.compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(holder) if Life::is_over(holder) => {
                    if REGISTER.compare_exchange(holder, 0, Ordering::Release, Ordering::Relaxed).is_ok() {
                        FREED.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(_) => core::hint::spin_loop(),
            }
        }
        false
    }

    fn hardware_unlock(&self) {
        REGISTER.store(0, Ordering::Release);
    }
}
