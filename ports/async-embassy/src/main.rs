//! A timer interrupt sends, tasks of embassy's executor await: samples, the latest state, and space.
#![no_std]
#![no_main]
#![deny(unsafe_code)]

mod tasks;

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;

use cortex_m::Peripherals;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use embassy_executor::Spawner;
use semihosting::{println, process};
use strait_core::{
    Attachment, Channel, LatestReader, LatestWriter, Plan, StaticRegion, TypedConsumer, TypedProducer,
    port::LocalPort,
};

use tasks::Tasks;

const PLAN: Plan = Plan::new(&[
    Channel::compact::<u32>("samples", 4).consumer_may_block(),
    Channel::compact::<u32>("results", 2).producer_may_block().consumer_may_block(),
    Channel::latest::<u32>("ticks").consumer_may_block(),
])
.line(4)
.participants(2);
const SAMPLES: u32 = 1000;

static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
static TASKS: Tasks = Tasks::new();

type Port = LocalPort<'static, Tasks>;

/// The interrupt's endpoint.
struct Ends {
    samples: TypedProducer<u32, Port>,
    ticks: LatestWriter<u32, Port>,
    number: u32,
    count: u32,
}

impl Ends {
    fn open() -> Option<Self> {
        let at = REGION.attach(&TASKS).ok()?;
        let (samples, ticks) = (at.typed_producer("samples").ok()?, at.latest_writer("ticks").ok()?);
        Some(Self { samples, ticks, number: 0, count: 0 })
    }
}

#[exception]
fn SysTick() {
    // The runtime makes this the handler's own, so it needs no lock.
    static mut ENDS: Option<Ends> = None;

    if ENDS.is_none() {
        *ENDS = Ends::open();
    }
    let Some(ends) = ENDS else { return };
    // A sample that finds no space is sent again at the next tick.
    if ends.samples.try_send(&ends.number).is_ok() {
        ends.number += 1;
    }
    ends.count += 1;
    ends.ticks.publish(&ends.count);
}

/// Doubles each sample. Every tenth time it gives up waiting and waits anew, as a time-out would have it do.
#[embassy_executor::task]
async fn control(mut samples: TypedConsumer<u32, Port>, mut results: TypedProducer<u32, Port>) {
    let mut given_up = 0;
    for expected in 0..SAMPLES {
        let at_once = if expected % 10 == 0 { once(samples.recv()).await } else { None };
        let sample = match at_once {
            Some(sample) => sample,
            None => {
                given_up += u32::from(expected % 10 == 0);
                samples.recv().await
            }
        };
        assert_eq!(sample, Ok(expected), "a sample is missing, or came twice");
        results.send(&(expected * 2)).await.expect("the other side keeps to the protocol");
    }
    assert!(given_up > 0, "there was never a wait to give up");
}

/// The outcome of one poll of a future, which is dropped then.
async fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Takes results in, but only at every fourth tick: so the sender has to wait for space.
#[embassy_executor::task]
async fn log(mut results: TypedConsumer<u32, Port>, mut ticks: LatestReader<u32, Port>) {
    let (mut expected, mut last) = (0, 0);
    while expected < SAMPLES {
        // Nothing is replaced here.
        let Ok(tick) = ticks.changed().await else { continue };
        assert!(tick > last, "a tick was seen twice");
        last = tick;
        if tick % 4 != 0 {
            continue;
        }
        while let Ok(result) = results.try_recv() {
            assert_eq!(result, expected * 2, "a result is missing, or came twice");
            expected += 1;
        }
    }
    assert!(last > SAMPLES + SAMPLES / 4, "nobody waited for space");
    assert!(TASKS.is_empty(), "a waker was left behind");
    println!("PASS {SAMPLES} samples awaited in order in {last} ticks, no waker left behind");
    process::exit(0)
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let at: Attachment<Port> = REGION.create(&PLAN, 1, &TASKS).expect("the plan fits");
    let end = "the plan has it, and nobody else took it";
    spawner.spawn(
        control(at.typed_consumer("samples").expect(end), at.typed_producer("results").expect(end))
            .expect("it is spawned once"),
    );
    spawner.spawn(
        log(at.typed_consumer("results").expect(end), at.latest_reader("ticks").expect(end))
            .expect("it is spawned once"),
    );
    let mut timer = Peripherals::take().expect("nobody else takes them").SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(5_000); // 200 microseconds at 25 MHz.
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}
