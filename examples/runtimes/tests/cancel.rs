//! Endpoints under time-outs and in `select!`: a future that is dropped has received nothing and sent nothing.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use runtimes::{drive_in_async_io, drive_in_tokio};
use strait::linux::{EventPort, doorbell};
use strait::options::WaitPolicy;
use strait::{Attachment, Channel, Plan, RegionName, RegionOptions};
use tokio::time::{sleep, timeout};

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u64>("values", 4).producer_may_block().consumer_may_block(),
    Channel::slots::<u64>("silence", 4).producer_may_block().consumer_may_block(),
]);
const COUNT: u64 = 1000;
const LONG: Duration = Duration::from_secs(60);

/// Two participants, each with a doorbell that the other one rings.
fn pair() -> (Attachment<EventPort>, Attachment<EventPort>) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("runtimes-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let name = RegionName::new(&name).expect("a legal name");
    let (here, there) = (doorbell().expect("a descriptor"), doorbell().expect("a descriptor"));
    let copy = |bell: &std::os::fd::OwnedFd| bell.try_clone().expect("a descriptor");
    let peers = (vec![copy(&there)], vec![copy(&here)]);
    let join = |own, peers| {
        let region = name.open_or_create(&PLAN, &RegionOptions::new()).expect("the test's own region");
        Attachment::attach(EventPort::new(region.port().clone(), own, peers)).expect("it is whole")
    };
    let both = (join(here, peers.0), join(there, peers.1));
    name.remove().expect("it is there");
    both
}

/// No probe heals a ring that was lost.
fn never() -> WaitPolicy {
    WaitPolicy { probe: Duration::from_secs(3600), ..WaitPolicy::parking() }
}

/// Runs a test in tokio on one thread, with drivers of both ports.
fn in_tokio(a: &EventPort, b: &EventPort, test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there is a reactor");
    runtime.block_on(async {
        tokio::select! {
            ended = drive_in_tokio(a.clone()) => panic!("{ended:?}"),
            ended = drive_in_tokio(b.clone()) => panic!("{ended:?}"),
            ended = timeout(LONG, test) => ended.expect("a ring was lost, or this machine is very slow"),
        }
    });
}

#[test]
fn a_cancelled_receive_has_received_nothing() {
    let (a, b) = pair();
    let mut tx = a.typed_producer::<u64>("values").expect("a free role");
    let mut rx = b.typed_consumer::<u64>("values").expect("a free role");
    tx.set_wait_policy(never());
    rx.set_wait_policy(never());
    let send = async {
        for value in 0..COUNT {
            if value % 7 == 0 {
                sleep(Duration::from_millis(3)).await;
            }
            tx.send(&value).await.expect("an honest peer");
        }
    };
    let receive = async {
        let (mut next, mut cancelled) = (0, 0);
        while next < COUNT {
            // Nothing decides which is first, so a receive is dropped before, during and after the ring.
            tokio::select! {
                value = rx.recv() => {
                    assert_eq!(value, Ok(next));
                    next += 1;
                }
                () = sleep(Duration::from_micros(300)) => cancelled += 1,
            }
        }
        assert!(cancelled > 0, "no receive was cancelled");
    };
    in_tokio(a.port(), b.port(), async {
        tokio::join!(send, receive);
    });
}

#[test]
fn a_cancelled_send_has_sent_nothing() {
    let (a, b) = pair();
    let mut tx = a.typed_producer::<u64>("values").expect("a free role");
    let mut rx = b.typed_consumer::<u64>("values").expect("a free role");
    tx.set_wait_policy(never());
    rx.set_wait_policy(never());
    let send = async {
        let (mut next, mut cancelled) = (0, 0);
        while next < COUNT {
            match timeout(Duration::from_micros(300), tx.send(&next)).await {
                Ok(sent) => {
                    sent.expect("an honest peer");
                    next += 1;
                }
                Err(_) => cancelled += 1,
            }
        }
        assert!(cancelled > 0, "no send was cancelled");
    };
    let receive = async {
        for next in 0..COUNT {
            if next % 7 == 0 {
                sleep(Duration::from_millis(3)).await;
            }
            assert_eq!(rx.recv().await, Ok(next));
        }
    };
    in_tokio(a.port(), b.port(), async {
        tokio::join!(send, receive);
    });
}

/// The driver sleeps with nothing due when a task begins to wait for a peer that never rings.
#[test]
fn a_wait_that_begins_while_the_driver_sleeps_is_probed_in_time() {
    let (a, b) = pair();
    let mut silent = b.typed_consumer::<u64>("silence").expect("a free role");
    // A port without the doorbell: a sender that died before it could ring, for example.
    let plain = Attachment::attach(a.port().system().clone()).expect("it is whole");
    let mut mute = plain.typed_producer::<u64>("silence").expect("a free role");
    let start = Instant::now();
    in_tokio(a.port(), b.port(), async {
        sleep(Duration::from_millis(50)).await;
        let (received, ()) = tokio::join!(silent.recv(), async {
            sleep(Duration::from_millis(50)).await;
            mute.try_send(&1).expect("there is space");
        });
        assert_eq!(received, Ok(1));
    });
    assert!(start.elapsed() < LONG / 2, "it was found by a time-out and not by a probe");
}

#[test]
fn async_io_drives_a_port_too() {
    let (a, b) = pair();
    let mut tx = a.typed_producer::<u64>("values").expect("a free role");
    let mut rx = b.typed_consumer::<u64>("values").expect("a free role");
    tx.set_wait_policy(never());
    rx.set_wait_policy(never());
    let start = Instant::now();
    let sender = std::thread::spawn(move || {
        for value in 0..COUNT {
            if value % 7 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            tx.send_timeout(&value, LONG).expect("an honest peer");
        }
        drop(a);
    });
    let receive = async {
        for next in 0..COUNT {
            assert_eq!(rx.recv().await, Ok(next));
        }
    };
    async_io::block_on(futures_lite::future::or(receive, async {
        panic!("{:?}", drive_in_async_io(b.port().clone()).await)
    }));
    sender.join().expect("it sent everything");
    assert!(start.elapsed() < LONG);
}
