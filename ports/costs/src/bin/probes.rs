//! The operations whose code and steps COSTS.md lists, each as a function of its own, and each called
//! in the states that matter.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use heapless::spsc;
use semihosting::{print, process};
use strait_core::{
    Attachment, Channel, Consumer, LatestReader, LatestWriter, Mutex, Permits, Plan, Producer, Reading,
    Semaphore, StaticConsumer, StaticProducer, StaticQueue, StaticRegion, TypedConsumer, TypedProducer,
    port::{LocalPort, NoSystem},
};

type Port = LocalPort<'static, NoSystem>;

/// Functions that the measurement finds by name.
macro_rules! probes {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty { $body:expr })*) => {
        $(
            #[inline(never)]
            #[unsafe(no_mangle)]
            fn $name($($argument: $type),*) -> $answer {
                $body
            }
        )*
    };
}

probes! {
    heapless_enqueue(tx: &mut spsc::Producer<'static, u32>, value: u32) -> bool { tx.enqueue(value).is_ok() }
    heapless_dequeue(rx: &mut spsc::Consumer<'static, u32>) -> Option<u32> { rx.dequeue() }
    static_push(tx: &mut StaticProducer<'static, u32, 8>, value: u32) -> bool { tx.push(value).is_ok() }
    static_pop(rx: &mut StaticConsumer<'static, u32, 8>) -> Option<u32> { rx.pop() }
    typed_send(tx: &mut TypedProducer<u32, Port>, value: &u32) -> bool { tx.try_send(value).is_ok() }
    typed_recv(rx: &mut TypedConsumer<u32, Port>) -> Option<u32> { rx.try_recv().ok() }
    frames_send(tx: &mut Producer<Port>, payload: &[u8]) -> bool { tx.try_send(1, payload).is_ok() }
    frames_recv(rx: &mut Consumer<Port>, into: &mut [u8]) -> Option<usize> {
        rx.try_recv(into).ok().map(|frame| frame.len)
    }
    latest_publish(tx: &mut LatestWriter<u64, Port>, value: &u64) -> () { tx.publish(value) }
    latest_read(rx: &mut LatestReader<u64, Port>) -> Option<u64> {
        match rx.read() {
            Reading::Fresh(value) => Some(value),
            _ => None,
        }
    }
    mutex_lock_set_unlock(mutex: &mut Mutex<u32, Port>, value: &u32) -> bool {
        match mutex.try_lock().ok().and_then(|lock| lock.or_roll_back().ok()) {
            Some(mut guard) => {
                guard.set(value);
                guard.unlock().is_ok()
            }
            None => false,
        }
    }
    semaphore_release(semaphore: &mut Semaphore<Port>) -> bool { semaphore.release(1).is_ok() }
    semaphore_acquire(semaphore: &mut Semaphore<Port>) -> bool { semaphore.try_acquire().is_ok() }
    permits_acquire_release(permits: &mut Permits<Port>) -> bool {
        permits.try_acquire().ok().is_some_and(|permit| permit.release().is_ok())
    }
    region_create() -> Option<Attachment<Port>> { REGION.create(&PLAN, 1, &NoSystem).ok() }
    region_attach() -> Option<Attachment<Port>> { REGION.attach(&NoSystem).ok() }
    open_consumer(region: &Attachment<Port>) -> Option<Consumer<Port>> { region.consumer("frames").ok() }
}

const PLAN: Plan = Plan::new(&[
    Channel::compact::<u32>("compact", 8),
    Channel::slots::<u32>("slots", 8),
    Channel::frames("frames", 256, 32),
    Channel::latest::<u64>("latest"),
    Channel::mutex::<u32>("mutex"),
    Channel::semaphore("semaphore", 0, 8),
    Channel::permits("permits", 1),
])
.line(4)
.participants(2);

static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
static QUEUE: StaticQueue<u32, 8> = StaticQueue::new();

/// Names what was called just now; the measurement pairs the names with the calls.
fn called(scene: &str) {
    print!("scene ");
    print!("{}", scene);
    print!("\n");
}

/// Says what a thing takes of the memory.
fn ram(thing: &str, line: u32, bytes: usize) {
    semihosting::println!("ram {thing}|{line}|{bytes}");
}

#[entry]
fn main() -> ! {
    static mut HEAPLESS: spsc::Queue<u32, 8> = spsc::Queue::new();
    let (heapless_tx, heapless_rx) = HEAPLESS.split();
    stand_alone(heapless_tx, heapless_rx);
    regions().expect("the region");
    sizes();
    print!("PASS all operations were called\n");
    process::exit(0)
}

fn stand_alone(mut heapless_tx: spsc::Producer<'static, u32>, mut heapless_rx: spsc::Consumer<'static, u32>) {
    while heapless_enqueue(&mut heapless_tx, 1) {
        called("heapless enqueue");
    }
    called("heapless enqueue, full");
    while heapless_dequeue(&mut heapless_rx).is_some() {
        called("heapless dequeue");
    }
    called("heapless dequeue, empty");

    let mut tx = QUEUE.take_producer().expect("nobody has it");
    let mut rx = QUEUE.take_consumer().expect("nobody has it");
    for _ in 0..3 {
        while static_push(&mut tx, 1) {
            called("static push");
        }
        called("static push, full");
        while static_pop(&mut rx).is_some() {
            called("static pop");
        }
        called("static pop, empty");
    }
}

fn regions() -> Option<()> {
    let region = region_create()?;
    called("region create");
    let other = region_attach()?;
    called("region attach");
    let mut frames_rx = open_consumer(&other)?;
    called("open consumer");
    let (mut compact_tx, mut compact_rx) =
        (region.typed_producer("compact").ok()?, other.typed_consumer("compact").ok()?);
    let (mut slots_tx, mut slots_rx) =
        (region.typed_producer("slots").ok()?, other.typed_consumer("slots").ok()?);
    let mut frames_tx = region.producer("frames").ok()?;
    let (mut latest_tx, mut latest_rx) =
        (region.latest_writer("latest").ok()?, other.latest_reader("latest").ok()?);
    let mut buffer = [0; 32];
    for _ in 0..8 {
        while typed_send(&mut compact_tx, &1) {
            called("compact send");
        }
        called("compact send, full");
        while typed_recv(&mut compact_rx).is_some() {
            called("compact receive");
        }
        called("compact receive, empty");
        while typed_send(&mut slots_tx, &1) {
            called("slots send");
        }
        called("slots send, full");
        while typed_recv(&mut slots_rx).is_some() {
            called("slots receive");
        }
        called("slots receive, empty");
        while frames_send(&mut frames_tx, &[1; 8]) {
            called("frames send, 8 bytes");
        }
        called("frames send, full");
        while frames_recv(&mut frames_rx, &mut buffer).is_some() {
            called("frames receive, 8 bytes");
        }
        called("frames receive, empty");
        latest_publish(&mut latest_tx, &1);
        called("latest publish, 8 bytes");
        latest_read(&mut latest_rx)?;
        called("latest read, 8 bytes");
    }
    locks(&region)
}

fn locks(region: &Attachment<Port>) -> Option<()> {
    let mut mutex = region.mutex("mutex").ok()?;
    let mut semaphore = region.semaphore("semaphore").ok()?;
    let mut permits = region.permits("permits").ok()?;
    assert!(mutex_lock_set_unlock(&mut mutex, &1));
    called("mutex lock, set 4 bytes, unlock");
    assert!(semaphore_release(&mut semaphore));
    called("semaphore release");
    assert!(semaphore_acquire(&mut semaphore));
    called("semaphore acquire");
    assert!(permits_acquire_release(&mut permits));
    called("permits acquire and release, 1 permit");
    Some(())
}

/// The memory's content besides the values.
fn sizes() {
    ram("heapless spsc, u32 x 8: all of it", 0, size_of::<spsc::Queue<u32, 8>>());
    ram("heapless spsc, u32 x 8: a half", 0, size_of::<spsc::Producer<'static, u32>>());
    ram("static queue, u32 x 8: all of it", 0, size_of::<StaticQueue<u32, 8>>());
    ram("static queue, u32 x 8: a half", 0, size_of::<StaticProducer<'static, u32, 8>>());
    for line in [4, 32, 64, 128] {
        let of = |channels: &[Channel]| Plan::new(channels).line(line).participants(2).size();
        let fixed = of(&[]);
        ram("region with 2 participants", line, fixed);
        for (name, channel, payload) in [
            ("compact, u32 x 8", Channel::compact::<u32>("c", 8), 32),
            ("slots, u32 x 8", Channel::slots::<u32>("c", 8), 32),
            ("frames, ring of 256", Channel::frames("c", 256, 32), 256),
            ("latest, 8 bytes", Channel::latest::<u64>("c"), 8),
            ("mutex, 4 bytes", Channel::mutex::<u32>("c"), 4),
            ("semaphore", Channel::semaphore("c", 0, 8), 0),
            ("permits, 1", Channel::permits("c", 1), 0),
        ] {
            ram(name, line, of(&[channel]) - fixed - payload);
        }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    print!("panic\n");
    process::exit(2)
}
