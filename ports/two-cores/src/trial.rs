//! The work of both cores: messages both ways, a value of the second core's, and totals under a lock. First
//! undisturbed; then the second core is started anew at random moments, and goes on where it was.

use core::sync::atomic::{AtomicU32, Ordering};

use semihosting::{println, process};
use strait_core::{
    Attachment, Channel, ChannelError, Consumer, LatestReader, Lock, LockError, Mutex, Plan, Producer,
    Reading, TryRecvError,
};

use crate::board;
use crate::port::{self, Core, Life};

/// The cores as one domain, or as two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They compare and swap one word.
    OneDomain,
    /// They do not.
    TwoDomains,
}

const fn channels(second: u32) -> [Channel<'static>; 4] {
    [
        Channel::frames("down", 1024, 40).domains(0, second),
        Channel::frames("up", 1024, 40).domains(second, 0),
        Channel::latest::<[u32; 6]>("position").domains(second, 0),
        Channel::mutex::<Totals>("totals").domains(0, second),
    ]
}

impl Kind {
    fn plan(self) -> Plan<'static> {
        const ONE: &[Channel<'_>] = &channels(0);
        const TWO: &[Channel<'_>] = &channels(1);
        let channels = if self == Self::OneDomain { ONE } else { TWO };
        Plan::new(channels).line(32).participants(4)
    }

    /// The domain of the second core.
    fn second(self) -> u32 {
        u32::from(self == Self::TwoDomains)
    }
}

/// The total that each core has added, and the sum of both: `[first's, second's, sum]`.
type Totals = [u32; 3];

/// Times that each core locks, undisturbed.
const ROUNDS: u32 = 20_000;
/// Times that the second core is started anew.
const RESETS: u32 = 400;
/// Looks at something that must happen, before it is given up.
const PATIENCE: u32 = 200_000_000;

/// Locks that the first core must have taken over from the second one by then.
const RECOVERIES: u32 = 50;

/// Spins of the second core under the lock, when it is to die there.
const WORK: u32 = 500;

/// The second core's task: its rounds undisturbed, then go on while it is started anew, then end.
static PHASE: AtomicU32 = AtomicU32::new(CALM);
const CALM: u32 = 0;
const STORM: u32 = 1;
const OVER: u32 = 2;

/// How far the second core has got.
static DONE: AtomicU32 = AtomicU32::new(0);
const ROUNDS_DONE: u32 = 1;
const ALL_DONE: u32 = 2;

/// How often the first core has locked.
static TURNS: AtomicU32 = AtomicU32::new(0);
/// The second core's domain, for itself.
static DOMAIN: AtomicU32 = AtomicU32::new(0);
/// The number of the next frame down that no life of the second core has seen.
static NEXT_DOWN: AtomicU32 = AtomicU32::new(0);
/// How many frames up all of its lives have sent.
static SENT_UP: AtomicU32 = AtomicU32::new(0);

fn payload(number: u32) -> [u8; 40] {
    core::array::from_fn(|i| number.rotate_left(i as u32) as u8)
}

/// A core's endpoints, and its state.
struct Side {
    tx: Producer<Core>,
    rx: Consumer<Core>,
    totals: Mutex<Totals, Core>,
    /// Which of the totals is its own.
    own: usize,
    /// Spins under the lock.
    work: u32,
    /// Locks taken over from the dead.
    recovered: u32,
}

impl Side {
    fn open(region: &Attachment<Core>, [tx, rx]: [&str; 2], own: usize) -> Self {
        Self {
            tx: region.producer(tx).expect("the role is free, or its owner dead"),
            rx: region.consumer(rx).expect("the role is free, or its owner dead"),
            totals: region.mutex("totals").expect("the lock can be shared"),
            own,
            work: 0,
            recovered: 0,
        }
    }

    /// Sends a frame that follows from its number, if there is space.
    fn send(&mut self) {
        let number = self.tx.next_sequence();
        let _ = self.tx.try_send(number, &payload(number));
    }

    /// Receives a frame, if there is one, and returns its number.
    fn receive(&mut self) -> Option<u32> {
        let mut buffer = [0; 40];
        match self.rx.try_recv(&mut buffer) {
            Ok(frame) => {
                assert!(frame.tag == frame.sequence && frame.len == 40, "half a frame");
                assert!(buffer == payload(frame.sequence), "half a frame");
                Some(frame.sequence)
            }
            Err(error) => {
                assert_eq!(error, TryRecvError::Empty);
                None
            }
        }
    }

    /// Adds one to its own total and to the sum. Returns the totals. An owner that died with the lock left
    /// them whole.
    fn add(&mut self) -> Totals {
        for _ in 0..PATIENCE {
            match self.totals.try_lock() {
                Err(LockError::Busy) => continue,
                Err(error) => panic!("{error}"),
                Ok(lock) => {
                    self.recovered += u32::from(matches!(lock, Lock::OwnerDied(_)));
                    let Ok(mut guard) = lock.or_roll_back() else { panic!("the lock is lost") };
                    let (own, work) = (self.own, self.work);
                    let totals = guard.update(|totals| {
                        totals[own] += 1;
                        (0..work).for_each(|_| core::hint::spin_loop());
                        totals[2] += 1;
                        *totals
                    });
                    guard.unlock().expect("it is ours");
                    assert_eq!(totals[0] + totals[1], totals[2], "half a value");
                    return totals;
                }
            }
        }
        panic!("the lock was not acquired")
    }
}

/// Waits until the second core has got so far.
fn wait_for(done: u32) {
    for _ in 0..PATIENCE {
        if DONE.load(Ordering::Acquire) == done {
            return;
        }
        core::hint::spin_loop();
    }
    panic!("the second core does not answer")
}

/// Two domains share no lock without a lock register, and roles are those of the plan.
fn refusals(life: Life, domain: u32) {
    let region = Core::join(life, domain, false);
    assert_eq!(region.mutex::<Totals>("totals").err(), Some(ChannelError::NoCommonAtomics));
    let (elsewhere, planned) = if domain == 0 { ("up", 1) } else { ("down", 0) };
    assert_eq!(region.producer(elsewhere).err(), Some(ChannelError::Domain { planned }));
}

/// The second core's messages as the first one knows them.
struct Watch {
    position: LatestReader<[u32; 6], Core>,
    /// The newest position.
    newest: u32,
    /// The number of the next frame up.
    next: u32,
}

impl Watch {
    /// Sends, receives and reads once.
    fn turn(&mut self, side: &mut Side) {
        side.send();
        if let Some(number) = side.receive() {
            assert_eq!(number, self.next, "a frame was lost, or came twice");
            self.next += 1;
        }
        if let Reading::Fresh(value) = self.position.read() {
            assert!(value == [value[0]; 6] && value[0] > self.newest, "half a value, or an old one");
            self.newest = value[0];
        }
    }
}

/// The first core's part. Ends the program.
pub fn first(kind: Kind) -> ! {
    port::create(&kind.plan());
    DOMAIN.store(kind.second(), Ordering::Relaxed);
    let life = Life::begin(0);
    if kind == Kind::TwoDomains {
        refusals(life, 0);
    }
    let region = Core::join(life, 0, kind == Kind::TwoDomains);
    let mut side = Side::open(&region, ["down", "up"], 0);
    let position = region.latest_reader("position").expect("the channel");
    let mut watch = Watch { position, newest: 0, next: 0 };
    board::start_second();

    for _ in 0..ROUNDS {
        watch.turn(&mut side);
        side.add();
    }
    wait_for(ROUNDS_DONE);
    assert_eq!(side.add(), [ROUNDS + 1, ROUNDS, 2 * ROUNDS + 1], "an update was lost");

    PHASE.store(STORM, Ordering::Release);
    let mut own = ROUNDS + 1;
    while port::boots(1) < RESETS || side.recovered < RECOVERIES {
        assert!(port::boots(1) < 2 * RESETS, "it never died with the lock");
        watch.turn(&mut side);
        own += 1;
        assert_eq!(side.add()[0], own, "an update was lost");
        TURNS.store(own, Ordering::Relaxed);
    }
    PHASE.store(OVER, Ordering::Release);
    wait_for(ALL_DONE);
    // Messages that it committed before it died are there, and no others.
    while let Some(number) = side.receive() {
        assert_eq!(number, watch.next, "a frame was lost, or came twice");
        watch.next += 1;
    }
    assert_eq!(watch.next, SENT_UP.load(Ordering::Relaxed), "a frame was lost");
    report(kind, &side, &watch)
}

fn report(kind: Kind, side: &Side, watch: &Watch) -> ! {
    let (boots, recovered) = (port::boots(1), side.recovered);
    let down = NEXT_DOWN.load(Ordering::Relaxed);
    let what = match kind {
        Kind::OneDomain => "one domain:",
        Kind::TwoDomains => "two domains, the lock refused, and granted with a lock register:",
    };
    println!(
        "PASS {what} {ROUNDS} rounds each of a contended lock with exact totals; {boots} starts of the second \
         core, {recovered} locks recovered from it, {} lock registers; {down} frames down and {} up, none of them \
         lost or half, {} latest values whole",
        port::freed(),
        watch.next,
        watch.newest,
    );
    process::exit(0)
}

/// The second core's part, from each of its starts on.
pub fn second() -> ! {
    let life = Life::begin(1);
    board::bite_no_more();
    let phase = PHASE.load(Ordering::Acquire);
    if phase == STORM {
        // Parts take their time to boot; in that time the first core finds what this one held.
        let turns = TURNS.load(Ordering::Relaxed);
        while TURNS.load(Ordering::Relaxed).wrapping_sub(turns) < 2 && PHASE.load(Ordering::Relaxed) == STORM
        {
            core::hint::spin_loop();
        }
        board::bite_after(cycles(life));
    }
    let domain = DOMAIN.load(Ordering::Relaxed);
    if phase == CALM && domain != 0 {
        refusals(life, domain);
    }
    let region = Core::join(life, domain, domain != 0);
    let mut side = Side::open(&region, ["up", "down"], 1);
    let mut position =
        region.latest_writer::<[u32; 6]>("position").expect("the role is free, or its owner dead");
    let mut turn = |side: &mut Side| {
        side.send();
        if let Some(number) = side.receive() {
            let next = NEXT_DOWN.load(Ordering::Relaxed);
            assert!(number <= next, "a frame was lost");
            NEXT_DOWN.store(next.max(number + 1), Ordering::Relaxed);
        }
        position.publish(&[position.published() as u32 + 1; 6]);
        side.add();
    };
    if phase == CALM {
        (0..ROUNDS).for_each(|_| turn(&mut side));
        DONE.store(ROUNDS_DONE, Ordering::Release);
        while PHASE.load(Ordering::Acquire) == CALM {
            core::hint::spin_loop();
        }
        board::bite_after(cycles(life));
    }
    // Most of the time under the lock, so as to die there.
    side.work = WORK;
    while PHASE.load(Ordering::Acquire) == STORM {
        turn(&mut side);
    }
    board::bite_no_more();
    SENT_UP.store(side.tx.next_sequence(), Ordering::Relaxed);
    DONE.store(ALL_DONE, Ordering::Release);
    loop {
        core::hint::spin_loop();
    }
}

/// How long a life lasts: some milliseconds at the most, some too short to join.
fn cycles(life: Life) -> u32 {
    500 + life.boot().wrapping_mul(0x9E37_79B1) % 40_000
}
