//! A region that was removed, or made anew, while somebody waits in the old one. Numbers are those of the fault list.
#![cfg(unix)]

mod common;

use std::time::{Duration, Instant};

use common::{PLAN, Place, everywhere};
use strait_core::{Channel, Plan, RecvError, SendError};
use strait_os::{RegionOptions, SealedRegion};

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
