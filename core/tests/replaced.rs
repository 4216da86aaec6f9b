//! A region that was removed, or made anew, while somebody waits in the old one: what is asked for that, in what order, and
//! how a wait ends. The port of the tests has no name; this one has a name that the test takes away.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::common::{Member, Region, TestPort};
use strait_core::port::{
    AsyncWait, Clock, Ident, Liveness, Mem, Port, Probe, TokenRefused, Wait, WaitPoint, WaiterId,
};
use strait_core::{Attachment, BroadcastStart, Channel, Plan, WaitAnyError, WaitPolicy, ready, wait_any};

/// What a port was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Whether its name still leads to the region.
    Name,
    /// Whether a participant lives.
    Peer,
}

/// A port whose region has a name.
#[derive(Clone)]
struct Named {
    port: TestPort,
    is_gone: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Named {
    fn of(member: &Member) -> Attachment<Self> {
        let port = member.port().clone();
        let named = Self { port, is_gone: Arc::default(), asked: Arc::default() };
        Attachment::attach(named).expect("the region is sound")
    }

    fn note(&self, what: Asked) {
        self.asked.lock().expect("no panic").push(what);
    }

    /// What was asked since the last call.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

impl Wait for Named {
    fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        self.port.wait(point, expected, timeout);
    }

    fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        self.port.wait_any(points, timeout);
    }

    fn wake(&self, point: WaitPoint<'_>) {
        self.port.wake(point);
    }

    fn pause(&self, how_long: Duration) {
        self.port.pause(how_long);
    }
}

impl AsyncWait for Named {
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration) {
        self.port.keep(who, point, waker, timeout);
    }

    fn forget(&self, who: WaiterId) {
        self.port.forget(who);
    }
}

impl Clock for Named {
    fn now_ns(&self) -> u64 {
        self.port.now_ns()
    }
}

// SAFETY: as the port of the tests, which it asks.
unsafe impl Liveness for Named {
    unsafe fn acquire(&self, who: Ident) -> Result<(), TokenRefused> {
        // SAFETY: the caller's promise.
        unsafe { self.port.acquire(who) }
    }

    unsafe fn release(&self, who: Ident) {
        // SAFETY: the caller's promise.
        unsafe { self.port.release(who) }
    }

    fn probe(&self, who: Ident) -> Probe {
        self.note(Asked::Peer);
        self.port.probe(who)
    }
}

// SAFETY: as the port of the tests, whose memory and identity it has.
unsafe impl Port for Named {
    const CAN_BE_REPLACED: bool = true;

    fn mem(&self) -> &Mem {
        self.port.mem()
    }

    fn ident(&self) -> Option<Ident> {
        self.port.ident()
    }

    fn is_current(&self) -> Option<bool> {
        self.note(Asked::Name);
        Some(!self.is_gone.load(Relaxed))
    }
}

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
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::event("event").consumer_may_block(),
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
