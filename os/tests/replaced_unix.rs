//! A region that was removed, or made anew, while somebody waits in the old one. Numbers are those of the fault list.
#![cfg(unix)]

use std::time::{Duration, Instant};

use crate::common::{PLAN, Place, Scratch, everywhere};
use strait_core::{
    BroadcastStart, Channel, LockError, Plan, RecvError, SemaphoreError, SendError, Stamp, TimeOrder,
    WaitAnyError, WaitPolicy, message, wait_any, wait_ready,
};
use strait_os::{Region, RegionOptions, SealedRegion};

const LONG: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(300);

/// Runs `wait` while the region is removed and, if so, made anew; returns what it returned, which is soon.
fn meanwhile<R: Send>(place: &Place, anew: bool, wait: impl FnOnce() -> R + Send) -> R {
    let started = Instant::now();
    let result = std::thread::scope(|scope| {
        let waiter = scope.spawn(wait);
        std::thread::sleep(Duration::from_millis(50));
        place.region().remove().expect("remove");
        let _new = anew.then(|| place.create());
        waiter.join().expect("no panic")
    });
    assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
    result
}

#[test]
fn fault_57_a_consumer_that_waits_in_a_region_made_anew_is_told() {
    for anew in [false, true] {
        everywhere(|place| {
            let old = place.create();
            let mut rx = old.consumer("commands").expect("the role");
            let got = meanwhile(place, anew, move || rx.recv_timeout(&mut [0; 256], LONG));
            assert_eq!(got, Err(RecvError::Replaced), "{}", place.text);
        });
    }
}

#[test]
fn fault_57_a_producer_that_waits_for_space_in_a_region_made_anew_is_told() {
    for anew in [false, true] {
        everywhere(|place| {
            let old = place.create();
            let mut tx = old.producer("commands").expect("the role");
            while tx.try_send(1, &[0; 256]).is_ok() {}
            let sent = meanwhile(place, anew, move || tx.send_timeout(1, &[0; 256], LONG));
            assert_eq!(sent, Err(SendError::Replaced), "{}", place.text);
        });
    }
}

/// What is there is received first; and as long as the other side is there, nothing is lost, so nothing is said.
#[test]
fn fault_57_who_has_a_peer_in_the_old_region_goes_on() {
    everywhere(|place| {
        let (old, other) = (place.create(), place.open());
        let mut rx = old.consumer("commands").expect("the role");
        let mut tx = other.producer("commands").expect("the role");
        place.region().remove().expect("remove");
        assert_eq!(rx.recv_timeout(&mut [0; 256], SOON), Err(RecvError::TimedOut), "the producer is there");
        tx.try_send(1, b"the last").expect("space");
        drop((tx, other));
        assert_eq!(rx.recv_timeout(&mut [0; 256], LONG).map(|got| got.tag), Ok(1));
        assert_eq!(rx.recv_timeout(&mut [0; 256], LONG), Err(RecvError::Replaced));
        // No wait, no system call, and so no word of it.
        assert_eq!(rx.recv_timeout(&mut [0; 256], Duration::ZERO), Err(RecvError::TimedOut));
    });
}

#[test]
fn a_region_that_is_where_it_was_is_waited_in_to_the_end() {
    everywhere(|place| {
        let region = place.create();
        let mut rx = region.consumer("commands").expect("the role");
        assert_eq!(rx.recv_timeout(&mut [0; 256], SOON), Err(RecvError::TimedOut));
    });
}

const ALL: Plan = Plan::new(&[
    Channel::frames("frames", 1024, 64).producers(2).consumer_may_block(),
    Channel::slots::<Stamped>("values", 4).producers(2).consumer_may_block(),
    Channel::slots::<u32>("fan-out", 4).consumers(2).consumer_may_block(),
    Channel::calls::<u32, u32>("calls", 2),
    Channel::calls::<u32, u32>("calls of several", 2).clients(2),
    Channel::streams::<u32, u32>("streams", 2),
    Channel::parts::<u32>("streams.parts", 16),
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::broadcast::<u32>("broadcast", 4).consumer_may_block(),
    Channel::event("event").consumer_may_block(),
    Channel::mutex::<u32>("mutex").consumer_may_block(),
    Channel::semaphore("semaphore", 0, 4),
    Channel::permits("permits", 1).consumer_may_block(),
    Channel::slots::<u32>("other", 4).consumer_may_block(),
])
.participants(4);

message! {
    struct Stamped {
        at: u64,
    }
}

/// A wait, which returns how it ended.
type Wait = Box<dyn FnOnce(Duration) -> String + Send>;

/// Opens what waits.
type MakeWait = fn(&Region) -> Wait;

/// Each wait whose other side never came, and how it ends when the region is replaced.
const WAITS: &[(&str, MakeWait, &str)] = &[
    (
        "frames of lanes",
        |region| {
            let mut rx = region.lanes_consumer::<2>("frames").expect("the role");
            Box::new(move |time| format!("{:?}", rx.recv_timeout(&mut [0; 64], time).err()))
        },
        "Some(Replaced)",
    ),
    (
        "values of lanes",
        |region| {
            let mut rx = region.typed_lanes_consumer::<Stamped, 2>("values").expect("the role");
            Box::new(move |time| format!("{:?}", rx.recv_timeout(time).err()))
        },
        "Some(Replaced)",
    ),
    (
        "values of lanes by time",
        |region| {
            let mut rx = region.typed_lanes_consumer::<Stamped, 2>("values").expect("the role");
            let mut order = TimeOrder::<2>::new(Stamp::field::<Stamped>("at")).hold(Duration::from_millis(1));
            Box::new(move |time| format!("{:?}", rx.recv_by_time_timeout(&mut order, time).err()))
        },
        "Some(Replaced)",
    ),
    (
        "a consumer of several",
        |region| {
            let mut rx = region.fanout_consumer::<u32>("fan-out", 0).expect("the role");
            Box::new(move |time| format!("{:?}", rx.recv_timeout(time)))
        },
        "Err(Replaced)",
    ),
    (
        "a call",
        |region| {
            let mut client = region.call_client::<u32, u32>("calls").expect("the role");
            Box::new(move |time| format!("{:?}, out: {}", client.call_timeout(&1, time), client.calls_out()))
        },
        "Err(Replaced { ran: No }), out: 0",
    ),
    (
        "a place for a call",
        |region| {
            let mut client = region.call_client::<u32, u32>("calls").expect("the role");
            while client.post(&1).is_ok() {}
            Box::new(move |time| format!("{:?}, out: {}", client.call_timeout(&1, time), client.calls_out()))
        },
        "Err(Replaced { ran: No }), out: 0",
    ),
    (
        "a call with a stream",
        |region| {
            let mut client = region.stream_client::<u32, u32>("streams", "streams.parts").expect("the role");
            client.start(&1).expect("a place");
            Box::new(move |time| format!("{:?}", client.next_timeout(time).err()))
        },
        "Some(Replaced { ran: No })",
    ),
    (
        "a server",
        |region| {
            let mut server = region.call_server::<u32, u32>("calls").expect("the role");
            Box::new(move |time| format!("{:?}", server.next_timeout(time).err()))
        },
        "Some(Replaced)",
    ),
    (
        "a server of several",
        |region| {
            let mut server = region.lanes_call_server::<u32, u32, 2>("calls of several").expect("the role");
            Box::new(move |time| format!("{:?}", server.next_timeout(time).err()))
        },
        "Some(Replaced)",
    ),
    (
        "a latest value",
        |region| {
            let mut reader = region.latest_reader::<u32>("latest").expect("there");
            Box::new(move |time| {
                format!("{:?}, replaced: {}", reader.wait_for_change(time), reader.is_replaced())
            })
        },
        "Empty, replaced: true",
    ),
    (
        "a broadcast",
        |region| {
            let mut reader =
                region.broadcast_reader::<u32>("broadcast", BroadcastStart::Newest).expect("there");
            Box::new(move |time| format!("{:?}", reader.recv_timeout(time)))
        },
        "Err(Replaced)",
    ),
    (
        "an event",
        |region| {
            let mut listener = region.listener("event").expect("there");
            Box::new(move |time| {
                format!("{:?}, replaced: {}", listener.wait_timeout(time), listener.is_replaced())
            })
        },
        "None, replaced: true",
    ),
    (
        "a change under a lock",
        |region| {
            let mut mutex = region.mutex::<u32>("mutex").expect("there");
            Box::new(move |time| format!("{:?}", mutex.wait_for_change(0, time).err()))
        },
        "Some(Replaced)",
    ),
    (
        "a count",
        |region| {
            let mut semaphore = region.semaphore("semaphore").expect("there");
            Box::new(move |time| format!("{:?}", semaphore.acquire_timeout(time)))
        },
        "Err(Replaced)",
    ),
    (
        "any of several",
        |region| {
            let (port, mut one) =
                (region.port().clone(), region.typed_consumer::<u32>("other").expect("the role"));
            let mut two = region.latest_reader::<u32>("latest").expect("there");
            Box::new(move |time| {
                format!("{:?}", wait_any(&port, &mut [&mut one, &mut two], WaitPolicy::parking(), time))
            })
        },
        "Err(Replaced { index: 0 })",
    ),
    (
        "any of several that end with their peers",
        |region| {
            let (port, mut one) =
                (region.port().clone(), region.typed_consumer::<u32>("other").expect("the role"));
            one.end_with_peer(true);
            Box::new(move |time| {
                format!("{:?}", wait_ready(&port, &mut [&mut one], WaitPolicy::parking(), time))
            })
        },
        "Err(Replaced { index: 0 })",
    ),
    (
        "any of several calls",
        |region| {
            let (port, mut client) =
                (region.port().clone(), region.call_client::<u32, u32>("calls").expect("the role"));
            client.try_call(&1).expect("a place");
            Box::new(move |time| {
                format!("{:?}", wait_any(&port, &mut [&mut client], WaitPolicy::parking(), time))
            })
        },
        "Err(Replaced { index: 0 })",
    ),
];

fn create(place: &Place) -> Region {
    place.region().create(&ALL, &RegionOptions::new()).expect("create")
}

#[test]
fn fault_57_every_wait_in_a_region_made_anew_is_told() {
    let scratch = Scratch::new();
    for anew in [false, true] {
        for (what, wait, expected) in WAITS {
            let place = Place::file(&scratch);
            let old = create(&place);
            let wait = wait(&old);
            let got = meanwhile(&place, anew, move || wait(LONG));
            assert_eq!(got, *expected, "{what}");
        }
    }
}

/// A participant that is left in the old region can open the other side at any time, so no wait ends.
#[test]
fn fault_57_who_is_left_in_the_old_region_may_yet_come() {
    let scratch = Scratch::new();
    for (what, wait, _) in WAITS {
        let place = Place::file(&scratch);
        let (old, _other) = (create(&place), place.open());
        let wait = wait(&old);
        place.region().remove().expect("remove");
        let got = wait(SOON / 3);
        assert!(!got.contains("Replaced") && !got.contains("replaced: true"), "{what}: {got}");
    }
}

/// A call that may not wait makes no system call, and so has no word of it.
#[test]
fn fault_57_what_does_not_wait_is_not_told() {
    let scratch = Scratch::new();
    for (what, wait, _) in WAITS {
        let place = Place::file(&scratch);
        let old = create(&place);
        let wait = wait(&old);
        place.region().remove().expect("remove");
        let got = wait(Duration::ZERO);
        assert!(!got.contains("Replaced"), "{what}: {got}");
    }
}

/// And where it was not replaced, each lasts its time.
#[test]
fn every_wait_in_a_region_that_is_where_it_was_lasts_its_time() {
    let scratch = Scratch::new();
    for (what, wait, _) in WAITS {
        let place = Place::file(&scratch);
        let region = create(&place);
        let wait = wait(&region);
        let started = Instant::now();
        let got = wait(SOON / 3);
        assert!(!got.contains("Replaced") && !got.contains("replaced: true"), "{what}: {got}");
        assert!(started.elapsed() >= SOON / 3, "{what}");
    }
}

/// Whoever is in the old region may still release, notify or change the value, so these waits go on.
#[test]
fn fault_57_who_is_not_alone_in_the_old_region_goes_on() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    let (old, other) = (create(&place), place.open());
    let mut semaphore = old.semaphore("semaphore").expect("there");
    let mut theirs = other.semaphore("semaphore").expect("there");
    let (mut permits, mut their_permits) =
        (old.permits("permits").expect("there"), other.permits("permits").expect("there"));
    let (mut mutex, mut their_mutex) =
        (old.mutex::<u32>("mutex").expect("there"), other.mutex::<u32>("mutex").expect("there"));
    place.region().remove().expect("remove");
    assert_eq!(semaphore.acquire_timeout(SOON), Err(SemaphoreError::TimedOut));
    assert_eq!(mutex.wait_for_change(0, SOON).err(), Some(LockError::TimedOut));
    // What is taken has a holder that lives.
    let permit = their_permits.try_acquire().expect("free");
    assert_eq!(permits.acquire_timeout(SOON).err(), Some(SemaphoreError::TimedOut));
    let guard = their_mutex.try_lock();
    assert_eq!(mutex.lock_timeout(SOON).err(), Some(LockError::TimedOut));
    drop((permit, guard));
    theirs.release(1).expect("below the maximum");
    drop((theirs, their_permits, their_mutex, other));
    assert_eq!(semaphore.acquire_timeout(LONG), Ok(()), "what was left is there");
    assert_eq!(semaphore.acquire_timeout(LONG), Err(SemaphoreError::Replaced), "the other one has left");
}

/// One receiver with a peer keeps those of its region waiting; a region of its own does not.
#[test]
fn fault_57_a_wait_for_several_goes_on_as_long_as_a_region_has_a_peer() {
    let scratch = Scratch::new();
    let (place, second) = (Place::file(&scratch), Place::file(&scratch));
    let (old, other, apart) = (create(&place), place.open(), create(&second));
    let mut one = old.typed_consumer::<u32>("other").expect("the role");
    let mut two = old.latest_reader::<u32>("latest").expect("there");
    let mut three = apart.typed_consumer::<u32>("other").expect("the role");
    let mut tx = other.typed_producer::<u32>("other").expect("the role");
    place.region().remove().expect("remove");
    let mut wait =
        |time| wait_any(old.port(), &mut [&mut three, &mut two, &mut one], WaitPolicy::parking(), time);
    assert_eq!(wait(SOON), Err(WaitAnyError::TimedOut));
    tx.try_send(&1).expect("space");
    drop((tx, other));
    assert_eq!(wait(LONG), Ok(2), "what is there comes first");
    assert_eq!(one.try_recv(), Ok(1));
    let mut wait =
        |time| wait_any(old.port(), &mut [&mut three, &mut two, &mut one], WaitPolicy::parking(), time);
    assert_eq!(wait(LONG), Err(WaitAnyError::Replaced { index: 1 }));
}

/// Sealed memory has no name that could go.
#[test]
fn sealed_memory_is_not_replaced() {
    const PLAN_OF_ONE: Plan = Plan::new(&[Channel::slots::<u32>("steps", 4)]);
    if !cfg!(target_os = "linux") {
        return;
    }
    let sealed = SealedRegion::create(&PLAN_OF_ONE, &RegionOptions::new()).expect("create");
    let mut rx = sealed.typed_consumer::<u32>("steps").expect("the role");
    assert_eq!(rx.recv_timeout(SOON), Err(RecvError::TimedOut));
    assert!(PLAN.channels().len() == 1);
}
