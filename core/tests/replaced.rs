//! A region that was removed, or made anew, while somebody waits in the old one: what is asked for that, in what order, and
//! how a wait ends. The port of the tests has no name; this one has a name that the test takes away.

use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::common::Region;
use crate::common::named::{Asked, Named};
use strait_core::{
    Attachment, BroadcastStart, Channel, Plan, WaitAnyError, WaitPolicy, Waitable, ready, wait_any,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 256, 32).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("fan-out", 4).consumers(2).consumer_may_block(),
    Channel::calls::<u32, u32>("calls", 2),
    Channel::calls::<u32, u32>("calls of several", 2).clients(2),
    Channel::streams::<u32, u32>("streams", 2),
    Channel::parts::<u32>("streams.parts", 16),
    Channel::streams::<u32, u32>("lanes of streams", 2).clients(2),
    Channel::parts_for::<u32>("lanes of streams.parts", 16, 2),
    Channel::broadcast::<u32>("broadcast", 4).consumer_may_block(),
    Channel::slots::<u32>("a", 4).doorbell(1),
    Channel::slots::<u32>("b", 4).doorbell(1),
    Channel::frames("lanes", 256, 32).producers(3).doorbell(1),
    Channel::slots::<u32>("typed lanes", 4).producers(2).doorbell(1),
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::event("event").consumer_may_block(),
    Channel::semaphore("semaphore", 0, 1),
    Channel::mutex::<u32>("mutex").consumer_may_block(),
])
.participants(4);

const PROBE: Duration = Duration::from_millis(50);

/// Whoever waits for several receivers whose producers are there asks for the name alone, once a probe period whatever the
/// number of receivers; and asks about peers only when the name leads elsewhere.
#[test]
fn fault_57_a_wait_for_several_asks_the_region_first_and_once_a_probe_period() {
    let region = Region::new(&PLAN);
    let (there, member) = (region.join(), region.join());
    let here = Named::of(&member);
    let producers = (
        there.typed_producer::<u32>("a").unwrap(),
        there.typed_producer::<u32>("b").unwrap(),
        there.lane_producer("lanes", 0).unwrap(),
    );
    let mut a = here.typed_consumer::<u32>("a").unwrap();
    let mut b = here.typed_consumer::<u32>("b").unwrap();
    let mut lanes = here.lanes_consumer::<3>("lanes").unwrap();
    let policy = WaitPolicy { probe: PROBE, ..WaitPolicy::parking() };
    let mut wait = |timeout| {
        let _ = here.port().asked();
        let got = wait_any(here.port(), &mut [&mut a, &mut b, &mut lanes], policy, timeout);
        (got, here.port().asked())
    };

    let (got, asked) = wait(3 * PROBE + PROBE / 2);
    assert_eq!(got, Err(WaitAnyError::TimedOut));
    assert!(!asked.is_empty() && asked.len() <= 4 && !asked.contains(&Asked::Peer), "{asked:?}");
    assert_eq!(wait(Duration::ZERO), (Err(WaitAnyError::TimedOut), vec![]), "no wait, no question");

    here.port().is_gone.store(true, Relaxed);
    let (got, asked) = wait(2 * PROBE);
    assert_eq!(got, Err(WaitAnyError::TimedOut), "the producers are there");
    assert_eq!(asked.first(), Some(&Asked::Name), "{asked:?}");
    there.die(producers);
    assert_eq!(wait(100 * PROBE).0, Err(WaitAnyError::Replaced { index: 0 }));
}

/// A receiver on a port whose region has no name does not keep the others from the end of their wait.
#[test]
fn fault_57_a_receiver_of_a_region_without_a_name_hides_no_other() {
    let (unnamed, region) = (Region::new(&PLAN), Region::new(&PLAN));
    let (other, member) = (unnamed.join(), region.join());
    let here = Named::of(&member);
    here.port().is_gone.store(true, Relaxed);
    let mut first = other.typed_consumer::<u32>("a").unwrap();
    let mut second = here.typed_consumer::<u32>("a").unwrap();
    let policy = WaitPolicy { probe: PROBE, ..WaitPolicy::parking() };
    let got = wait_any(here.port(), &mut [&mut first, &mut second], policy, 100 * PROBE);
    assert_eq!(got, Err(WaitAnyError::Replaced { index: 1 }));
}

type Receiver = fn(&Attachment<Named>) -> Box<dyn Waitable>;

/// A receiver of each kind, for a wait for it alone.
const RECEIVERS: &[(&str, Receiver)] = &[
    ("frames", |here| Box::new(here.consumer("frames").unwrap())),
    ("values", |here| Box::new(here.typed_consumer::<u32>("a").unwrap())),
    ("lanes", |here| Box::new(here.lanes_consumer::<3>("lanes").unwrap())),
    ("typed lanes", |here| Box::new(here.typed_lanes_consumer::<u32, 2>("typed lanes").unwrap())),
    ("a consumer of several", |here| Box::new(here.fanout_consumer::<u32>("fan-out", 0).unwrap())),
    ("a broadcast", |here| {
        Box::new(here.broadcast_reader::<u32>("broadcast", BroadcastStart::Newest).unwrap())
    }),
    ("a latest value", |here| Box::new(here.latest_reader::<u32>("latest").unwrap())),
    ("an event", |here| Box::new(here.listener("event").unwrap())),
    ("a server", |here| Box::new(here.call_server::<u32, u32>("calls").unwrap())),
    ("a server of several", |here| {
        Box::new(here.lanes_call_server::<u32, u32, 2>("calls of several").unwrap())
    }),
    ("a client", |here| Box::new(here.call_client::<u32, u32>("calls").unwrap())),
    ("a client of streams", |here| {
        Box::new(here.stream_client::<u32, u32>("streams", "streams.parts").unwrap())
    }),
    ("a server of streams", |here| {
        Box::new(here.stream_server::<u32, u32>("streams", "streams.parts").unwrap())
    }),
    ("a server of streams of several", |here| {
        let names = ("lanes of streams", "lanes of streams.parts");
        Box::new(here.lanes_stream_server::<u32, u32, 2>(names.0, names.1).unwrap())
    }),
];

/// Each kind of receiver tells a wait by itself that its region was replaced.
#[test]
fn fault_57_a_wait_for_a_receiver_of_each_kind_ends() {
    for policy in
        [WaitPolicy::parking(), WaitPolicy::polling()].map(|policy| WaitPolicy { probe: PROBE, ..policy })
    {
        for (name, receiver) in RECEIVERS {
            let region = Region::new(&PLAN);
            let here = Named::of(&region.join());
            let mut receiver = receiver(&here);
            let mut wait = |time| wait_any(here.port(), &mut [&mut *receiver], policy, time);
            assert_eq!(wait(PROBE * 3 / 2), Err(WaitAnyError::TimedOut), "{name}: the name leads there");
            here.port().is_gone.store(true, Relaxed);
            assert_eq!(wait(100 * PROBE), Err(WaitAnyError::Replaced { index: 0 }), "{name}");
        }
    }
}

type WaitOnce = fn(&Attachment<Named>, WaitPolicy, Duration) -> String;

/// Each call that waits for another side that never came, and how that ends.
const WAITS: &[(&str, WaitOnce)] = &[
    ("frames", |here, policy, time| {
        let mut rx = here.consumer("frames").unwrap();
        rx.set_wait_policy(policy);
        format!("{:?}", rx.recv_timeout(&mut [0; 32], time))
    }),
    ("space", |here, policy, time| {
        let mut tx = here.producer("frames").unwrap();
        tx.set_wait_policy(policy);
        while tx.try_send(1, &[0; 32]).is_ok() {}
        format!("{:?}", tx.send_timeout(1, &[0; 32], time))
    }),
    ("values", |here, policy, time| {
        let mut rx = here.typed_consumer::<u32>("a").unwrap();
        rx.set_wait_policy(policy);
        format!("{:?}", rx.recv_timeout(time))
    }),
    ("lanes", |here, policy, time| {
        let mut rx = here.lanes_consumer::<3>("lanes").unwrap();
        rx.set_wait_policy(policy);
        format!("{:?}", rx.recv_timeout(&mut [0; 32], time).err())
    }),
    ("a consumer of several", |here, policy, time| {
        let mut rx = here.fanout_consumer::<u32>("fan-out", 0).unwrap();
        rx.set_wait_policy(policy);
        format!("{:?}", rx.recv_timeout(time))
    }),
    ("a broadcast", |here, policy, time| {
        let mut rx = here.broadcast_reader::<u32>("broadcast", BroadcastStart::Newest).unwrap();
        rx.set_wait_policy(policy);
        format!("{:?}", rx.recv_timeout(time))
    }),
    ("a call", |here, policy, time| {
        let mut client = here.call_client::<u32, u32>("calls").unwrap();
        client.set_wait_policy(policy);
        format!("{:?}", client.call_timeout(&1, time))
    }),
    ("a server", |here, policy, time| {
        let mut server = here.call_server::<u32, u32>("calls").unwrap();
        server.set_wait_policy(policy);
        format!("{:?}", server.next_timeout(time).err())
    }),
    ("a server of several", |here, policy, time| {
        let mut server = here.lanes_call_server::<u32, u32, 2>("calls of several").unwrap();
        server.set_wait_policy(policy);
        format!("{:?}", server.next_timeout(time).err())
    }),
    ("a stream", |here, policy, time| {
        let mut client = here.stream_client::<u32, u32>("streams", "streams.parts").unwrap();
        client.set_wait_policy(policy);
        client.start(&1).unwrap();
        format!("{:?}", client.next_timeout(time))
    }),
    ("a latest value", |here, policy, time| {
        let mut reader = here.latest_reader::<u32>("latest").unwrap();
        reader.set_wait_policy(policy);
        let started = Instant::now();
        let _ = reader.wait_for_change(time);
        // It ends as if the time were up.
        String::from(if started.elapsed() < time { "Replaced" } else { "TimedOut" })
    }),
    ("a semaphore", |here, policy, time| {
        let mut semaphore = here.semaphore("semaphore").unwrap();
        semaphore.set_wait_policy(policy);
        format!("{:?}", semaphore.acquire_timeout(time))
    }),
    ("a change under a mutex", |here, policy, time| {
        let mut mutex = here.mutex::<u32>("mutex").unwrap();
        mutex.set_wait_policy(policy);
        let version = mutex.try_lock().unwrap().or_roll_back().ok().unwrap().version();
        format!("{:?}", mutex.wait_for_change(version, time).err())
    }),
];

/// A wait ends for that only when nobody else is left in a region that was replaced; and a call that may not wait asks for
/// nothing, as system calls are no part of a step that is bounded.
#[test]
fn fault_57_every_wait_asks_only_if_it_waits_and_ends_only_if_nobody_is_left() {
    for policy in
        [WaitPolicy::parking(), WaitPolicy::polling()].map(|policy| WaitPolicy { probe: PROBE, ..policy })
    {
        for (name, wait) in WAITS {
            let alone = Named::of(&Region::new(&PLAN).join());
            alone.port().is_gone.store(true, Relaxed);
            let _ = alone.port().asked();
            let end = wait(&alone, policy, Duration::ZERO);
            assert!(end.contains("TimedOut"), "{name}: {end}");
            assert!(!alone.port().asked().contains(&Asked::Name), "{name}: no wait, no question");

            let region = Region::new(&PLAN);
            let (there, member) = (region.join(), region.join());
            let here = Named::of(&member);
            let end = wait(&here, policy, PROBE * 3 / 2);
            assert!(end.contains("TimedOut"), "{name}: {end}");
            assert!(here.port().asked().contains(&Asked::Name), "{name}");
            here.port().is_gone.store(true, Relaxed);
            let end = wait(&here, policy, PROBE * 3 / 2);
            assert!(end.contains("TimedOut"), "{name}: somebody is left: {end}");
            there.leave();
            let end = wait(&alone, policy, 100 * PROBE);
            assert!(end.contains("Replaced"), "{name}: {end}");
        }
    }
}

type Task = Pin<Box<dyn Future<Output = String>>>;
type MakeTask = fn(&Attachment<Named>, WaitPolicy) -> Task;

/// Each task that waits for another side that never came, and how it ends when the region is replaced.
const TASKS: &[(&str, MakeTask, &str)] = &[
    (
        "frames",
        |here, policy| {
            let mut rx = here.consumer("frames").unwrap();
            rx.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", rx.recv(&mut [0; 32]).await) })
        },
        "Err(Replaced)",
    ),
    (
        "space",
        |here, policy| {
            let mut tx = here.producer("frames").unwrap();
            tx.set_wait_policy(policy);
            while tx.try_send(1, &[0; 32]).is_ok() {}
            Box::pin(async move { format!("{:?}", tx.send(1, &[0; 32]).await) })
        },
        "Err(Replaced)",
    ),
    (
        "values",
        |here, policy| {
            let mut rx = here.typed_consumer::<u32>("a").unwrap();
            rx.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", rx.recv().await) })
        },
        "Err(Replaced)",
    ),
    (
        "lanes",
        |here, policy| {
            let mut rx = here.lanes_consumer::<3>("lanes").unwrap();
            rx.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", rx.recv(&mut [0; 32]).await.err()) })
        },
        "Some(Replaced)",
    ),
    (
        "a consumer of several",
        |here, policy| {
            let mut rx = here.fanout_consumer::<u32>("fan-out", 0).unwrap();
            rx.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", rx.recv().await) })
        },
        "Err(Replaced)",
    ),
    (
        "a broadcast",
        |here, policy| {
            let mut rx = here.broadcast_reader::<u32>("broadcast", BroadcastStart::Newest).unwrap();
            rx.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", rx.recv().await) })
        },
        "Err(Replaced)",
    ),
    (
        "a call",
        |here, policy| {
            let mut client = here.call_client::<u32, u32>("calls").unwrap();
            client.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", client.call(&1).await) })
        },
        "Err(Replaced { ran: No })",
    ),
    (
        "a place for a call",
        |here, policy| {
            let mut client = here.call_client::<u32, u32>("calls").unwrap();
            client.set_wait_policy(policy);
            while client.post(&1).is_ok() {}
            Box::pin(async move { format!("{:?}", client.call(&1).await) })
        },
        "Err(Replaced { ran: No })",
    ),
    (
        "a server",
        |here, policy| {
            let mut server = here.call_server::<u32, u32>("calls").unwrap();
            server.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", server.next().await.err()) })
        },
        "Some(Replaced)",
    ),
    (
        "a server of several",
        |here, policy| {
            let mut server = here.lanes_call_server::<u32, u32, 2>("calls of several").unwrap();
            server.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", server.next().await.err()) })
        },
        "Some(Replaced)",
    ),
    (
        "a stream",
        |here, policy| {
            let mut client = here.stream_client::<u32, u32>("streams", "streams.parts").unwrap();
            client.set_wait_policy(policy);
            client.start(&1).unwrap();
            Box::pin(async move { format!("{:?}", client.next().await) })
        },
        "Err(Replaced { ran: No })",
    ),
    (
        "a server of streams",
        |here, policy| {
            let mut server = here.stream_server::<u32, u32>("streams", "streams.parts").unwrap();
            server.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", server.next().await.err()) })
        },
        "Some(Replaced)",
    ),
    (
        "a server of streams of several",
        |here, policy| {
            let names = ("lanes of streams", "lanes of streams.parts");
            let mut server = here.lanes_stream_server::<u32, u32, 2>(names.0, names.1).unwrap();
            server.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", server.next().await.err()) })
        },
        "Some(Replaced)",
    ),
    (
        "a latest value",
        |here, policy| {
            let mut reader = here.latest_reader::<u32>("latest").unwrap();
            reader.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", reader.changed().await) })
        },
        "Err(Replaced)",
    ),
    (
        "a latest value's bytes",
        |here, policy| {
            let mut reader = here.latest_reader::<u32>("latest").unwrap();
            reader.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", reader.changed_into(&mut 0).await) })
        },
        "Err(Replaced)",
    ),
    (
        "an event",
        |here, policy| {
            let mut listener = here.listener("event").unwrap();
            listener.set_wait_policy(policy);
            Box::pin(async move { format!("{:?}", listener.wait().await) })
        },
        "Err(Replaced)",
    ),
    (
        "any of several",
        |here, policy| {
            let (port, mut a) = (here.port().clone(), here.typed_consumer::<u32>("a").unwrap());
            let mut b = here.typed_consumer::<u32>("b").unwrap();
            Box::pin(async move { format!("{:?}", ready(&port, &mut [&mut a, &mut b], policy).await) })
        },
        "Err(Replaced { index: 0 })",
    ),
];

/// Polls for so long, or until it is ready.
fn polled(task: &mut Task, time: Duration) -> Option<String> {
    let started = Instant::now();
    loop {
        match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(end) => return Some(end),
            Poll::Pending if started.elapsed() > time => return None,
            Poll::Pending => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// A task's wait ends as a thread's: a probe period after the region was replaced, and not while somebody is left in it. Its
/// polls ask once a probe period.
#[test]
fn fault_57_every_task_in_a_region_made_anew_is_told() {
    let policy = WaitPolicy { probe: PROBE, ..WaitPolicy::parking() };
    for (name, make, end) in TASKS {
        let region = Region::new(&PLAN);
        let (there, member) = (region.join(), region.join());
        let here = Named::of(&member);
        let mut task = make(&here, policy);
        let started = Instant::now();
        let _ = here.port().asked();
        assert_eq!(polled(&mut task, PROBE * 3 / 2), None, "{name}");
        let names = here.port().asked().iter().filter(|&&what| what == Asked::Name).count();
        let periods = started.elapsed().as_nanos() / PROBE.as_nanos();
        assert!((1..=periods as usize).contains(&names), "{name}: {names} in {periods}");
        here.port().is_gone.store(true, Relaxed);
        assert_eq!(polled(&mut task, PROBE * 3 / 2), None, "{name}: somebody is left");
        there.die(());
        assert_eq!(polled(&mut task, 100 * PROBE).as_deref(), Some(*end), "{name}");
    }
}
