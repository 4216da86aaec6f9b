//! The operations of patterns whose code and steps COSTS.md lists: many to one, one to many, calls and events. A program
//! of its own, because what a program uses besides decides what its functions share.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m as _; // Its critical section.
use cortex_m_rt::entry;
use semihosting::{print, process};
use strait_core::{
    BroadcastReader, BroadcastStart, BroadcastWriter, CallClient, CallServer, Channel, FanoutConsumer,
    FanoutProducer, Listener, Notifier, Plan, StaticRegion, Ticket, TypedLanesConsumer, TypedProducer,
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
    lanes_send(tx: &mut TypedProducer<u32, Port>, value: &u32) -> bool { tx.try_send(value).is_ok() }
    lanes_recv(rx: &mut TypedLanesConsumer<u32, Port, 2>) -> Option<(u32, u32)> {
        rx.try_recv().ok().map(|from| (from.lane, from.message))
    }
    fanout_send(tx: &mut FanoutProducer<u32, Port>, value: &u32) -> bool { tx.try_send(value).is_ok() }
    fanout_recv(rx: &mut FanoutConsumer<u32, Port>) -> Option<u32> { rx.try_recv().ok() }
    broadcast_publish(tx: &mut BroadcastWriter<u64, Port>, value: &u64) -> () { tx.publish(value) }
    broadcast_recv(rx: &mut BroadcastReader<u64, Port>) -> Option<u64> { rx.try_recv().ok() }
    calls_call(client: &mut CallClient<u32, u64, Port>, request: &u32) -> Option<Ticket> {
        client.try_call(request).ok()
    }
    calls_poll(client: &mut CallClient<u32, u64, Port>, ticket: Ticket) -> Option<u64> {
        client.poll(ticket).ok().flatten()
    }
    calls_serve(server: &mut CallServer<u32, u64, Port>) -> bool {
        match server.try_next() {
            Ok((request, reply)) => {
                reply.answer(&u64::from(request));
                true
            }
            Err(_) => false,
        }
    }
    event_notify(notifier: &mut Notifier<Port>, code: u32) -> () { notifier.notify(code) }
    event_try_wait(listener: &mut Listener<Port>) -> Option<u64> {
        listener.try_wait().map(|notified| notified.count.get())
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u32>("lanes", 8).producers(2),
    Channel::slots::<u32>("fan-out", 8).consumers(2),
    Channel::broadcast::<u64>("broadcast", 8),
    Channel::calls::<u32, u64>("calls", 4),
    Channel::event("event"),
])
.line(4)
.participants(2);

static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();

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
    many().expect("the region");
    sizes();
    print!("PASS all operations were called\n");
    process::exit(0)
}

fn many() -> Option<()> {
    let region = REGION.create(&PLAN, 1, &NoSystem).ok()?;
    let mut lane = region.typed_lane_producer("lanes", 1).ok()?;
    let mut lanes = region.typed_lanes_consumer("lanes").ok()?;
    let mut fanout = region.fanout_producer("fan-out").ok()?;
    let mut consumers =
        [region.fanout_consumer("fan-out", 0).ok()?, region.fanout_consumer("fan-out", 1).ok()?];
    let mut writer = region.broadcast_writer("broadcast").ok()?;
    let mut reader = region.broadcast_reader("broadcast", BroadcastStart::Oldest).ok()?;
    let mut notifier = region.notifier("event").ok()?;
    let mut listener = region.listener("event").ok()?;
    for _ in 0..8 {
        while lanes_send(&mut lane, &1) {
            called("lanes send");
        }
        called("lanes send, full");
        while lanes_recv(&mut lanes).is_some() {
            called("lanes receive, of 2");
        }
        called("lanes receive, of 2, empty");
        while fanout_send(&mut fanout, &1) {
            called("fan-out send, to 2");
        }
        called("fan-out send, to 2, full");
        for consumer in &mut consumers {
            while fanout_recv(consumer).is_some() {
                called("fan-out receive");
            }
            called("fan-out receive, empty");
            consumer.flush();
        }
        for _ in 0..6 {
            broadcast_publish(&mut writer, &1);
            called("broadcast publish, 8 bytes");
            broadcast_recv(&mut reader)?;
            called("broadcast receive, 8 bytes");
        }
        assert_eq!(broadcast_recv(&mut reader), None);
        called("broadcast receive, empty");
        event_notify(&mut notifier, 1);
        called("event notify");
        event_try_wait(&mut listener)?;
        called("event look");
        assert_eq!(event_try_wait(&mut listener), None);
        called("event look, nothing");
    }
    let mut client = region.call_client("calls").ok()?;
    let mut server = region.call_server("calls").ok()?;
    for _ in 0..8 {
        let ticket = calls_call(&mut client, &1)?;
        called("calls call");
        assert_eq!(calls_poll(&mut client, ticket), None);
        called("calls poll, no answer");
        assert!(calls_serve(&mut server));
        called("calls serve");
        assert!(!calls_serve(&mut server));
        called("calls serve, nothing");
        calls_poll(&mut client, ticket)?;
        called("calls poll");
    }
    Some(())
}

/// The memory's content besides the values.
fn sizes() {
    for line in [4, 32, 64, 128] {
        let of = |channels: &[Channel]| Plan::new(channels).line(line).participants(2).size();
        let fixed = of(&[]);
        for (name, channel, payload) in [
            ("broadcast, 8 bytes x 8", Channel::broadcast::<u64>("c", 8), 64),
            ("calls, u32 to u64, 4 places", Channel::calls::<u32, u64>("c", 4), 48),
            ("event", Channel::event("c"), 4),
            ("fan-out to 2, u32 x 8", Channel::slots::<u32>("c", 8).consumers(2), 32),
            ("lanes, 2 of u32 x 8", Channel::slots::<u32>("c", 8).producers(2), 64),
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
