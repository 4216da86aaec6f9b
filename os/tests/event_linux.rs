//! Tasks and eventfds: no ring is lost, and what bounds one that was never rung.
#![cfg(target_os = "linux")]

use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use crate::common::Name;
use strait_core::format::ValueType;
use strait_core::{Attachment, Channel, ConsumerOptions, Plan, RecvError, WaitPolicy};
use strait_os::RegionOptions;
use strait_os::linux::{EventPort, doorbell};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u64>("there", 2).producer_may_block().consumer_may_block(),
    Channel::compact::<u64>("back", 2).producer_may_block().consumer_may_block(),
    Channel::latest::<u64>("latest").consumer_may_block(),
]);

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// No probe period heals anything.
const NEVER: WaitPolicy = WaitPolicy { probe: Duration::from_secs(3600), ..WaitPolicy::parking() };

type Attached = Attachment<EventPort>;

/// A participant with this doorbell, which rings that one.
fn join(name: &Name, own: &OwnedFd, peer: Option<&OwnedFd>) -> Attached {
    let region = name.region().open_or_create(&PLAN, &RegionOptions::new()).unwrap();
    let peers = peer.map(|peer| peer.try_clone().unwrap()).into_iter().collect();
    Attachment::attach(EventPort::new(region.port().clone(), own.try_clone().unwrap(), peers)).unwrap()
}

#[derive(Default)]
struct Flag {
    set: AtomicBool,
    times: AtomicU32,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.set.store(true, Relaxed);
        self.times.fetch_add(1, Relaxed);
    }
}

/// Runs a task to its end on this thread, or answers `None` after so long.
fn run<T>(port: &EventPort, within: Duration, task: impl Future<Output = T>) -> Option<T> {
    let flag = Arc::new(Flag::default());
    let (waker, mut task, start) = (Waker::from(flag.clone()), pin!(task), Instant::now());
    loop {
        if let Poll::Ready(done) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(done);
        }
        while !flag.set.swap(false, Relaxed) {
            let left = within.checked_sub(start.elapsed())?;
            port.turn(left);
        }
    }
}

/// Two threads with a doorbell each await both space and messages, 20,000 times.
#[test]
fn no_ring_is_lost() {
    const COUNT: u64 = 20_000;
    let (name, here, there) = (Name::new(), doorbell().unwrap(), doorbell().unwrap());
    let (a, b) = (join(&name, &here, Some(&there)), join(&name, &there, Some(&here)));
    let (mut tx, mut back) =
        (a.typed_producer::<u64>("there").unwrap(), a.typed_consumer::<u64>("back").unwrap());
    let (mut rx, mut answer) =
        (b.typed_consumer::<u64>("there").unwrap(), b.typed_producer::<u64>("back").unwrap());
    tx.set_wait_policy(NEVER);
    back.set_wait_policy(NEVER);
    rx.set_wait_policy(NEVER);
    answer.set_wait_policy(NEVER);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run(b.port(), LONG, async {
                for _ in 0..COUNT {
                    let value = rx.recv().await.unwrap();
                    answer.send(&(value + 1)).await.unwrap();
                }
            })
            .expect("a ring was lost, or this machine is very slow");
        });
        run(a.port(), LONG, async {
            for value in 0..COUNT {
                tx.send(&value).await.unwrap();
                // Every other one waits for space, too.
                if value % 2 == 1 {
                    assert_eq!(back.recv().await, Ok(value));
                    assert_eq!(back.recv().await, Ok(value + 1));
                }
            }
        })
        .expect("a ring was lost, or this machine is very slow");
    });
}

/// A sender that never rings, as one that died before it could, costs the probe period.
#[test]
fn a_ring_that_never_comes_costs_the_probe_period() {
    let (name, bell) = (Name::new(), doorbell().unwrap());
    let a = name.region().open_or_create(&PLAN, &RegionOptions::new()).unwrap();
    let b = join(&name, &bell, None);
    let mut writer = a.latest_writer::<u64>("latest").unwrap();
    let mut reader = b.latest_reader::<u64>("latest").unwrap();
    for (policy, found) in [(NEVER, None), (WaitPolicy::parking(), Some(7))] {
        reader.set_wait_policy(policy);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(60));
                writer.publish(&7);
            });
            let within = if found.is_some() { LONG } else { Duration::from_millis(300) };
            assert_eq!(run(b.port(), within, reader.changed()), found.map(Ok));
        });
    }
}

/// The same participant's tasks need no eventfd; and dropped futures leave no waker.
#[test]
fn tasks_of_one_port_wake_each_other() {
    let (name, bell) = (Name::new(), doorbell().unwrap());
    let at = join(&name, &bell, None);
    let (mut tx, mut rx) =
        (at.typed_producer::<u64>("there").unwrap(), at.typed_consumer::<u64>("there").unwrap());
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(flag.clone());
    let mut context = Context::from_waker(&waker);
    {
        let mut future = pin!(rx.recv());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert_eq!(Arc::strong_count(&flag), 3);
        tx.try_send(&1).unwrap();
        assert_eq!((flag.times.load(Relaxed), Arc::strong_count(&flag)), (1, 2));
        assert_eq!(future.poll(&mut context), Poll::Ready(Ok(1)));
    }
    assert!(pin!(rx.recv()).poll(&mut context).is_pending());
    assert_eq!(Arc::strong_count(&flag), 2, "forgotten with its future");
}

/// More tasks than the port keeps wakers of are polled on, and none is forgotten.
#[test]
fn tasks_beyond_the_table_poll() {
    const TASKS: usize = 70;
    let (name, bell) = (Name::new(), doorbell().unwrap());
    let at = join(&name, &bell, None);
    let mut writer = at.latest_writer::<u64>("latest").unwrap();
    let mut readers: Vec<_> = (0..TASKS).map(|_| at.latest_reader::<u64>("latest").unwrap()).collect();
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(flag.clone());
    let mut context = Context::from_waker(&waker);
    let mut futures: Vec<_> = readers.iter_mut().map(|reader| Box::pin(reader.changed())).collect();
    assert!(futures.iter_mut().all(|future| future.as_mut().poll(&mut context).is_pending()));
    let at_once = flag.times.load(Relaxed);
    assert_eq!(at_once as usize, TASKS - 64);
    writer.publish(&3);
    assert_eq!(flag.times.load(Relaxed) - at_once, 64);
    assert!(futures.iter_mut().all(|future| future.as_mut().poll(&mut context) == Poll::Ready(Ok(3))));
}

/// A value of a type that is known at run time comes as bytes; a future that is dropped has received nothing.
#[test]
fn values_of_a_type_that_is_known_at_run_time_are_awaited_as_bytes() {
    let (name, here, there) = (Name::new(), doorbell().unwrap(), doorbell().unwrap());
    let (a, b) = (join(&name, &here, Some(&there)), join(&name, &there, None));
    let mut tx = a.typed_producer::<u64>("there").unwrap();
    let mut rx = b.typed_consumer_of("there", ValueType::of::<u64>(), ConsumerOptions::new()).unwrap();
    rx.set_wait_policy(NEVER);
    let mut bytes = [0; 8];
    assert!(run(b.port(), Duration::from_millis(20), rx.recv_into(&mut bytes[..])).is_none());
    tx.try_send(&7).unwrap();
    run(b.port(), LONG, rx.recv_into(&mut bytes[..])).expect("it is there").unwrap();
    assert_eq!(u64::from_le_bytes(bytes), 7);
    tx.try_send(&8).unwrap();
    let wrong = run(b.port(), LONG, rx.recv_into(&mut [0; 7][..])).expect("that is an error at once");
    assert_eq!(wrong, Err(RecvError::WrongSize { needed: 8 }));
    run(b.port(), LONG, rx.recv_into(&mut bytes[..])).expect("it is there").unwrap();
    assert_eq!(u64::from_le_bytes(bytes), 8);
}

const CALLED: Plan<'_> = Plan::new(&[
    Channel::slots::<u64>("questions", 16).consumer_may_block().domains(0, 1),
    Channel::calls::<u64, u64>("calls", 4).domains(0, 1),
])
.participants(2);

/// A server in another domain, which sleeps on a queue and its calls at once, and is woken by nothing but its doorbell.
#[test]
fn a_call_rings_a_server_of_another_domain() {
    let name = Name::new();
    let (ours, theirs) = (doorbell().unwrap(), doorbell().unwrap());
    let here = name.region().create(&CALLED, &RegionOptions::new()).unwrap();
    let there = name.region().open(&RegionOptions::new().domain(1)).unwrap();
    let port = EventPort::new(there.port().clone(), theirs.try_clone().unwrap(), vec![]);
    let server = std::thread::spawn(move || {
        let at = Attachment::attach(port).unwrap();
        let mut questions = at.typed_consumer::<u64>("questions").unwrap();
        let mut calls = at.call_server::<u64, u64>("calls").unwrap();
        let mut asked = 0;
        loop {
            if questions.try_recv().is_ok() {
                asked += 1;
            } else if let Ok((request, reply)) = calls.try_next() {
                reply.answer(&(request + asked));
                if request == 0 {
                    return;
                }
            } else {
                at.port()
                    .wait_ready_or_readable(&mut [&mut questions, &mut calls], &[], NEVER, LONG)
                    .unwrap();
            }
        }
    });
    let at = Attachment::attach(EventPort::new(here.port().clone(), ours, vec![theirs])).unwrap();
    let mut questions = at.typed_producer::<u64>("questions").unwrap();
    let mut calls = at.call_client::<u64, u64>("calls").unwrap();
    for round in [5, 4, 3, 2, 1, 0] {
        questions.try_send(&round).unwrap();
        std::thread::sleep(Duration::from_millis(20)); // It sleeps again.
        let ticket = calls.try_call(&round).unwrap();
        assert_eq!(calls.wait_timeout(ticket, LONG).unwrap(), 6);
    }
    server.join().unwrap();
}
