//! Two domains whose caches nobody keeps coherent: each side sees payload only after the other's clean and
//! its own invalidate, and any line may be written back or fetched again at any moment.
//!
//! A side is a mapping of its own: the control words are shared memory, and the payload is private to the
//! side, its cache. Cleaning and invalidating copy lines between that and the machine's memory.
#![cfg(target_os = "linux")]

use std::ffi::c_void;
use std::fs::File;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};
use strait_core::format::participants::{self, Card};
use strait_core::{
    Attachment, BroadcastStart, BroadcastTryRecvError, Channel, ChannelError, Plan, Reading, TryRecvError,
    format::{AttachError, Contents, Header, initialise},
    port::{Cache, Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint},
};

const LINE: u32 = 64;
const PAGE: u32 = 4096;
/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(300);

type Block = [u64; 5];

const CHANNELS: &[Channel<'_>] = &[
    Channel::compact::<[u8; 12]>("down", 16).domains(0, 1),
    Channel::compact::<Block>("up", 8).domains(1, 0),
    Channel::latest::<Block>("angle").domains(0, 1),
    Channel::latest_bytes("text", 300).buffers(4).domains(1, 0),
    Channel::compact::<u32>("home", 4),
    Channel::broadcast::<Block>("state", 8).domains(0, 1),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(LINE).participants(4).split_payload(PAGE);

/// The hooks that ports carry out.
#[derive(Clone, Copy)]
struct Hooks {
    clean: bool,
    invalidate: bool,
}

const BOTH: Hooks = Hooks { clean: true, invalidate: true };

/// The memory behind the caches.
struct Machine {
    control: File,
    payload: Mutex<Vec<u8>>,
    hooks: Hooks,
}

/// One domain's view: control words shared, payload in its cache.
struct Side {
    base: NonNull<c_void>,
    mem: Mem,
    /// The payload's lines as they were in memory when last fetched or written back: a line that
    /// differs is dirty.
    clean: Mutex<Vec<u8>>,
    machine: Arc<Machine>,
}

// SAFETY: the memory is reached through `Mem` alone.
unsafe impl Send for Side {}
// SAFETY: as above.
unsafe impl Sync for Side {}

fn len() -> usize {
    PLAN.size().next_multiple_of(PAGE as usize)
}

fn start() -> u32 {
    PLAN.payload_start() as u32
}

impl Machine {
    fn new(hooks: Hooks) -> Arc<Self> {
        let control = File::from(memfd_create("incoherent", MFdFlags::MFD_CLOEXEC).expect("memory"));
        control.set_len(u64::from(start())).expect("memory");
        // The old content; nobody may rely on zeros.
        let payload = Mutex::new(vec![0xEE; PLAN.size() - start() as usize]);
        let machine = Arc::new(Self { control, payload, hooks });
        initialise(&Side::new(&machine).mem, &PLAN, 1, Contents::Unknown).expect("the plan works");
        machine
    }
}

impl Side {
    fn new(machine: &Arc<Machine>) -> Self {
        let size = NonZeroUsize::new(len()).expect("not empty");
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping, wherever there is room.
        let base = unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_PRIVATE) }.expect("memory");
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        let (at, pages) = (NonZeroUsize::new(base.as_ptr().addr()), NonZeroUsize::new(start() as usize));
        // SAFETY: it replaces the first pages of the mapping above, which nobody uses yet.
        unsafe { mmap(at, pages.expect("not empty"), access, flags, &machine.control, 0) }.expect("memory");
        // SAFETY: mapped until this value is dropped, which every port keeps.
        let mem = unsafe { Mem::from_raw(base.cast(), PLAN.size() as u32) };
        // An empty cache: the first fetch of every line.
        let memory = machine.payload.lock().unwrap().clone();
        mem.span(start(), memory.len() as u32).unwrap().write(0, &memory);
        Self { base, mem, clean: Mutex::new(memory), machine: machine.clone() }
    }

    /// Does `each` to every line that the range touches: with its place in the payload, the cache's bytes,
    /// those that were clean, and memory's.
    fn lines(&self, offset: u32, len: u32, each: impl Fn(&mut [u8], &mut [u8], &mut [u8])) {
        assert!(offset >= start() && offset + len <= PLAN.size() as u32, "payload alone is cached");
        let (from, to) = (offset / LINE * LINE, (offset + len).next_multiple_of(LINE));
        let (mut memory, mut clean) = (self.machine.payload.lock().unwrap(), self.clean.lock().unwrap());
        for line in (from..to.min(PLAN.size() as u32)).step_by(LINE as usize) {
            let bytes = (PLAN.size() as u32 - line).min(LINE);
            let (span, at) = (self.mem.span(line, bytes).unwrap(), (line - start()) as usize);
            let mut cached = [0; LINE as usize];
            let cached = &mut cached[..bytes as usize];
            span.read(0, cached);
            let before = cached.to_vec();
            each(cached, &mut clean[at..at + bytes as usize], &mut memory[at..at + bytes as usize]);
            if *cached != *before {
                span.write(0, cached);
            }
        }
    }

    fn write_back(&self, offset: u32, len: u32) {
        self.lines(offset, len, |cached, clean, memory| {
            if cached != clean {
                memory.copy_from_slice(cached);
                clean.copy_from_slice(cached);
            }
        });
    }

    fn drop_lines(&self, offset: u32, len: u32) {
        self.lines(offset, len, |cached, clean, memory| {
            assert_eq!(cached, clean, "dropping this line loses what this side has written");
            cached.copy_from_slice(memory);
            clean.copy_from_slice(memory);
        });
    }

    /// A step that a cache may take at any moment: write a dirty line back, fetch a clean one again.
    fn weather(&self, line: u32) {
        let lines = (PLAN.size() as u32 - start()) / LINE;
        let at = start() + line % lines * LINE;
        self.lines(at, 1, |cached, clean, memory| {
            if cached == clean {
                cached.copy_from_slice(memory);
            } else {
                memory.copy_from_slice(cached);
            }
            clean.copy_from_slice(cached);
        });
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, and every port that reaches it keeps it alive.
        unsafe { munmap(self.base, len()) }.expect("it is mapped");
    }
}

/// A participant of one domain.
#[derive(Clone)]
struct CachedPort {
    side: Arc<Side>,
    domain: u32,
    me: Option<Ident>,
    cache: Option<Cache>,
}

impl Wait for CachedPort {
    fn wait(&self, _: WaitPoint<'_>, _: u32, _: Duration) {}

    fn wake(&self, _: WaitPoint<'_>) {}
}

impl Clock for CachedPort {
    fn now_ns(&self) -> u64 {
        u64::MAX
    }
}

// SAFETY: never answers `Dead`.
unsafe impl Liveness for CachedPort {
    unsafe fn acquire(&self, _: Ident) -> Result<(), TokenRefused> {
        Ok(())
    }

    unsafe fn release(&self, _: Ident) {}

    fn probe(&self, _: Ident) -> Probe {
        Probe::Unknown
    }
}

// SAFETY: every clone keeps the side, and with it the mapping; the identity never changes.
unsafe impl Port for CachedPort {
    fn mem(&self) -> &Mem {
        &self.side.mem
    }

    fn ident(&self) -> Option<Ident> {
        self.me
    }

    fn domain(&self) -> u32 {
        self.domain
    }

    fn cache(&self) -> Option<Cache> {
        self.cache
    }

    fn clean(&self, offset: u32, len: u32) {
        assert!(len > 0, "a port is not asked to clean nothing");
        // The other side runs at the same time, and would find what is published too early.
        std::thread::yield_now();
        if self.side.machine.hooks.clean {
            self.side.write_back(offset, len);
        }
    }

    fn invalidate(&self, offset: u32, len: u32) {
        assert!(len > 0, "a port is not asked to drop nothing");
        if self.side.machine.hooks.invalidate {
            self.side.drop_lines(offset, len);
        }
        std::thread::yield_now();
    }
}

const CACHE: Cache = Cache { line: LINE, from: PLAN.payload_start() as u32 };

type Region = Attachment<CachedPort>;

fn join(side: &Arc<Side>, domain: u32) -> Region {
    let port = CachedPort { side: side.clone(), domain, me: None, cache: Some(CACHE) };
    let header = Header::check(&side.mem).expect("it was formatted");
    let me = participants::join(&side.mem, &header, domain, &port, Card::default()).expect("there is room");
    Attachment::attach(CachedPort { me: Some(me), ..port }).expect("it is laid out for this cache")
}

fn two(machine: &Arc<Machine>) -> [(Arc<Side>, Region); 2] {
    [0, 1].map(|domain| {
        let side = Arc::new(Side::new(machine));
        let attached = join(&side, domain);
        (side, attached)
    })
}

/// A plain generator; the seed is printed on failure.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as u32 % n
    }
}

fn small(i: u32) -> [u8; 12] {
    let mut value = [i as u8; 12];
    value[..4].copy_from_slice(&i.to_le_bytes());
    value
}

/// Never the memory's old content.
fn letter(i: u64) -> u8 {
    i as u8 & 0x7F
}

fn block(i: u64) -> Block {
    [i, !i, i, !i, i]
}

/// Everything at once, by random steps, with or without the caches' own doings. Answers how many
/// messages and values came as they were sent, and how many did not.
fn run(hooks: Hooks, weather: bool, seed: u64) -> (u32, u32) {
    let machine = Machine::new(hooks);
    let [(here, a), (there, b)] = two(&machine);
    let (mut down, mut at_there) =
        (a.typed_producer("down").unwrap(), b.typed_consumer::<[u8; 12]>("down").unwrap());
    let (mut up, mut at_here) = (b.typed_producer("up").unwrap(), a.typed_consumer::<Block>("up").unwrap());
    let (mut angle, mut reader) =
        (a.latest_writer("angle").unwrap(), b.latest_reader::<Block>("angle").unwrap());
    let (mut text, mut lines) =
        (b.latest_writer::<[u8]>("text").unwrap(), a.latest_reader::<[u8]>("text").unwrap());
    let (mut sent, mut got, mut published, mut random) = ([0; 2], [0; 2], [0; 2], Random(seed | 1));
    let (mut right, mut wrong) = (0, 0);
    let mut count = |good: bool| if good { right += 1 } else { wrong += 1 };
    for _ in 0..6_000 {
        match random.below(if weather { 12 } else { 8 }) {
            0 => {
                let values = [0, 1, 2].map(|more| small(sent[0] + more));
                sent[0] += down.try_send_batch(values).map_or(0, |count| count as u32);
            }
            1 => {
                let some = at_there.recv_batch(5, |value| {
                    count(value == small(got[0]));
                    got[0] += 1;
                });
                if let Err(error) = some {
                    assert_eq!((error, got[0]), (TryRecvError::Empty, sent[0]));
                }
            }
            2 => sent[1] += u32::from(up.try_send(&block(u64::from(sent[1]))).is_ok()),
            3 => match at_here.try_recv() {
                Ok(value) => {
                    count(value == block(u64::from(got[1])));
                    got[1] += 1;
                }
                Err(error) => assert_eq!((error, got[1]), (TryRecvError::Empty, sent[1])),
            },
            4 => {
                published[0] += 1;
                angle.publish(&block(published[0]));
            }
            5 => match reader.read() {
                Reading::Fresh(value) | Reading::Stale(value) => count(value == block(published[0])),
                other => assert_eq!((other, published[0]), (Reading::Empty, 0)),
            },
            6 => {
                published[1] += 1;
                let value = [letter(published[1]); 300];
                text.publish_from(7, &value[..published[1] as usize % 300 + 1]).unwrap();
            }
            7 => {
                let mut value = [0; 300];
                if let Some(info) = lines.read_into(&mut value).value() {
                    let len = published[1] as usize % 300 + 1;
                    count(
                        (info.tag, info.len) == (7, len) && value[..len] == vec![letter(published[1]); len],
                    );
                }
            }
            step => [&here, &there][step as usize % 2].weather(random.below(1 << 20)),
        }
    }
    (right, wrong)
}

#[test]
fn what_is_sent_arrives() {
    for seed in 1..4 {
        for weather in [false, true] {
            let (right, wrong) = run(BOTH, weather, seed << 32 | 0x7F4A_7C15);
            assert!(right > 1000 && wrong == 0, "seed {seed}, weather {weather}: {right} and {wrong}");
        }
    }
}

/// The control: without either hook nothing arrives as it was sent, for all that the control words say.
#[test]
fn without_the_hooks_it_does_not() {
    for (clean, invalidate) in [(false, false), (true, false), (false, true)] {
        let (right, wrong) = run(Hooks { clean, invalidate }, false, 0x9E37_79B9_7F4A_7C15);
        assert!(right == 0 && wrong > 1000, "{clean} {invalidate}: {right} and {wrong}");
    }
}

/// Two threads, so that a clean after the publication, or an invalidate before the look, shows.
#[test]
fn what_is_sent_arrives_while_it_is_sent() {
    let machine = Machine::new(BOTH);
    let [(_, a), (_, b)] = two(&machine);
    let mut down = a.typed_producer::<[u8; 12]>("down").unwrap();
    let mut at_there = b.typed_consumer::<[u8; 12]>("down").unwrap();
    let messages = 20_000;
    let started = Instant::now();
    let wait = move || {
        assert!(started.elapsed() < LONG, "the other side has given up");
        std::thread::yield_now();
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for i in 0..messages {
                while down.try_send(&small(i)).is_err() {
                    wait();
                }
            }
        });
        scope.spawn(move || {
            for i in 0..messages {
                let value = loop {
                    match at_there.try_recv() {
                        Ok(value) => break value,
                        Err(_) => wait(),
                    }
                };
                assert_eq!(value, small(i), "message {i}");
            }
        });
    });
}

/// A broadcast between the domains: what is received is whole, and with what was lost it adds up.
#[test]
fn a_broadcast_is_whole_or_its_loss_is_known() {
    let machine = Machine::new(BOTH);
    let [(_, a), (_, b)] = two(&machine);
    let mut writer = a.broadcast_writer::<Block>("state").unwrap();
    let mut reader = b.broadcast_reader::<Block>("state", BroadcastStart::Oldest).unwrap();
    let last = 5_000;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for i in 1..=last {
                writer.publish(&block(i));
                if i.is_multiple_of(4) {
                    std::thread::yield_now();
                }
            }
        });
        scope.spawn(move || {
            let (started, mut next) = (Instant::now(), 1);
            while next <= last {
                match reader.try_recv() {
                    Ok(value) => {
                        assert_eq!(value, block(next));
                        next += 1;
                    }
                    Err(BroadcastTryRecvError::Lagged { lost }) => next += lost,
                    Err(BroadcastTryRecvError::Empty | BroadcastTryRecvError::Contended) => {
                        assert!(started.elapsed() < LONG, "the other side has given up");
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        });
    });
}

/// A reader that is overtaken in the middle of its copy: two threads, and what is accepted is whole.
#[test]
fn a_value_that_is_accepted_is_whole() {
    let machine = Machine::new(BOTH);
    let [(_, a), (_, b)] = two(&machine);
    let mut writer = a.latest_writer::<Block>("angle").unwrap();
    let mut reader = b.latest_reader::<Block>("angle").unwrap();
    let last = 5_000;
    std::thread::scope(|scope| {
        scope.spawn(move || (1..=last).for_each(|i| writer.publish(&block(i))));
        scope.spawn(move || {
            let mut newest = 0;
            while newest < last {
                if let Some(value) = reader.read().value() {
                    assert!(value == block(value[0]) && value[0] >= newest, "{value:?} after {newest}");
                    newest = value[0];
                }
            }
        });
    });
}

/// Within one domain the cache is one: nothing is cleaned, and nothing that a neighbour in the same line
/// has just written is dropped.
#[test]
fn within_a_domain_nothing_is_cleaned_or_dropped() {
    let machine = Machine::new(BOTH);
    let side = Arc::new(Side::new(&machine));
    let (one, other) = (join(&side, 0), join(&side, 0));
    let before = machine.payload.lock().unwrap().clone();
    let (mut tx, mut rx) =
        (one.typed_producer("home").unwrap(), other.typed_consumer::<u32>("home").unwrap());
    for i in 0..100 {
        tx.try_send(&i).unwrap();
        assert_eq!(rx.try_recv(), Ok(i));
    }
    assert_eq!(*machine.payload.lock().unwrap(), before, "nothing went to memory");
    let mut angle = one.latest_writer::<Block>("angle").unwrap();
    angle.publish(&block(3));
    assert_eq!(other.latest_reader::<Block>("angle").unwrap().read(), Reading::Fresh(block(3)));
    assert_ne!(*machine.payload.lock().unwrap(), before, "its readers may be anywhere");
}

/// A cache is not asked to clean or to drop no bytes, which not every cache's instructions allow: [`CachedPort`] would
/// panic.
#[test]
fn a_value_of_no_bytes_crosses_without_the_cache() {
    let machine = Machine::new(BOTH);
    let [(_, a), (_, b)] = two(&machine);
    let mut writer = b.latest_writer::<[u8]>("text").unwrap();
    let mut reader = a.latest_reader::<[u8]>("text").unwrap();
    for len in [1, 0, 2, 0] {
        writer.publish_from(len as u32, &[7; 2][..len]).unwrap();
        let info = reader.read_into(&mut [0; 300]).value().unwrap();
        assert_eq!((info.tag, info.len), (len as u32, len));
    }
}

/// A successor in the same domain goes on where the dead one was.
#[test]
fn a_consumer_that_comes_later_reads_memory() {
    let machine = Machine::new(BOTH);
    let [(_, a), (there, b)] = two(&machine);
    let mut down = a.typed_producer("down").unwrap();
    let mut first = b.typed_consumer::<[u8; 12]>("down").unwrap();
    (0..6).for_each(|i| down.try_send(&small(i)).unwrap());
    assert_eq!(first.try_recv(), Ok(small(0)));
    drop((first, b));
    down.try_send(&small(6)).unwrap();
    let mut second = join(&there, 1).typed_consumer::<[u8; 12]>("down").unwrap();
    (1..7).for_each(|i| assert_eq!(second.try_recv(), Ok(small(i))));
}

#[test]
fn a_region_and_a_cache_must_fit() {
    let machine = Machine::new(BOTH);
    let side = Arc::new(Side::new(&machine));
    let attach = |cache| {
        let port = CachedPort { side: side.clone(), domain: 0, me: None, cache };
        Attachment::attach(port).err()
    };
    assert_eq!(attach(Some(CACHE)), None);
    assert_eq!(attach(None), Some(AttachError::Apart));
    let (needed, found, payload) = (2 * LINE, LINE, start());
    assert_eq!(attach(Some(Cache { line: needed, ..CACHE })), Some(AttachError::Line { needed, found }));
    assert_eq!(attach(Some(Cache { line: LINE / 2, ..CACHE })), None, "a shorter line is no harm");
    let from = start() - PAGE;
    assert_eq!(attach(Some(Cache { from, ..CACHE })), Some(AttachError::Cached { from, payload }));
    assert_eq!(attach(Some(Cache { from: start() + PAGE, ..CACHE })), None, "payload need not be cached");
    // The same channels with payload among their control words.
    let mixed = Plan::new(&CHANNELS[..3]).line(LINE).participants(4);
    initialise(&side.mem, &mixed, 1, Contents::Unknown).unwrap();
    assert_eq!(attach(Some(CACHE)), Some(AttachError::Mixed));
    assert_eq!(attach(None), None);
}

/// What publishes in its payload, and what is locked, has no place there: not in a plan, and not in a
/// directory that somebody else has made.
#[test]
fn frames_slots_and_locks_are_refused() {
    use strait_core::ground::{crc, entry, header, plan::Fault};
    for channel in [
        Channel::frames("c", 64, 16),
        Channel::slots::<u32>("c", 4),
        Channel::mutex::<u32>("c"),
        Channel::semaphore("c", 0, 1),
        Channel::permits("c", 1),
    ] {
        let error = Plan::new(&[channel]).split_payload(PAGE).try_size().unwrap_err();
        assert_eq!((error.channel, error.fault), (Some(0), Fault::Apart), "{channel:?}");
    }
    for boundary in [0, 1, 4, 12, 1 << 21, u32::MAX] {
        let error = Plan::new(CHANNELS).split_payload(boundary).try_size().unwrap_err();
        assert_eq!((error.channel, error.fault), (None, Fault::Apart), "{boundary}");
    }
    let machine = Machine::new(BOTH);
    let side = Arc::new(Side::new(&machine));
    let attached = join(&side, 0);
    let home = header::HEADER_LEN + 4 * entry::ENTRY_LEN;
    // A semaphore instead of "home": no data, and a maximum of its own.
    for (at, word) in [(32, 6), (44, 1), (48, 0), (52, 1)] {
        attached.port().mem().setup_write(home + at, word);
    }
    let mut sum = crc::Crc::new().word(header::MAGIC);
    for at in (4..header::HEADER_LEN + CHANNELS.len() as u32 * entry::ENTRY_LEN).step_by(4) {
        sum = sum.word(if at == header::at::CRC { 0 } else { side.mem.setup_read(at) });
    }
    side.mem.setup_write(header::at::CRC, sum.finish());
    let port = CachedPort { me: None, ..attached.port().clone() };
    let forged = Attachment::attach(port).expect("the header is sound");
    assert_eq!(forged.semaphore("home").err(), Some(ChannelError::Damaged("geometry")));
}
