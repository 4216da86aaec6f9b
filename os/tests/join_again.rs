//! A second participant from a region that is open, without its name.
#![cfg(any(target_os = "linux", windows))]

use std::time::Duration;

use strait_core::port::{Liveness, Port, Probe};
use strait_core::{Channel, Lock, LockError, PeerStatus, Plan};
use strait_os::{JoinError, Region, RegionName, RegionOptions, SealedRegion};

const PLAN: Plan =
    Plan::new(&[Channel::mutex::<u64>("count"), Channel::slots::<u32>("q", 4)]).participants(3);

const LONG: Duration = Duration::from_secs(30);

fn ident(region: &Region) -> u32 {
    region.port().ident().expect("a participant").place()
}

/// Two threads count under one mutex; each with its own participant.
fn two_count(region: Region, other: Region) {
    let count = |region: Region| {
        move || {
            let mut mutex = region.mutex::<u64>("count").expect("the mutex");
            for _ in 0..1000 {
                match mutex.lock_timeout(LONG).expect("in time") {
                    Lock::Held(mut guard) => guard.update(|count| *count += 1),
                    Lock::OwnerDied(_) => panic!("nobody has died"),
                }
            }
        }
    };
    let threads = [region.clone(), other].map(|region| std::thread::spawn(count(region)));
    threads.into_iter().for_each(|thread| thread.join().expect("it counted"));
    let mut mutex = region.mutex::<u64>("count").expect("the mutex");
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free") };
    assert_eq!(guard.get(), 2000);
}

#[test]
fn a_region_without_a_name_is_joined_again() {
    let name = RegionName::new(&format!("join-again-{}", std::process::id())).expect("a name");
    let region = name.create(&PLAN, &RegionOptions::new()).expect("a region");
    name.remove().expect("removed");
    let other = region.port().join_again().expect("a place");
    assert_eq!((ident(&region), ident(&other)), (1, 2));
    two_count(region, other);
}

#[cfg(target_os = "linux")]
#[test]
fn sealed_memory_is_joined_again() {
    let region = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("a region");
    let other = region.port().join_again().expect("a place");
    two_count(region, other);
}

/// Each lives and leaves by itself, and the mapping lasts as long as any.
#[test]
fn the_participants_are_two() {
    let region = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("a region");
    let other = region.port().join_again().expect("a place");
    let mut mutex = region.mutex::<u64>("count").expect("the mutex");
    let guard = mutex.try_lock().expect("free");
    let mut theirs = other.mutex::<u64>("count").expect("the mutex");
    assert_eq!(theirs.try_lock().err(), Some(LockError::Busy), "not a deadlock: another has it");
    drop(guard);
    let third = other.port().join_again().expect("a place");
    assert_eq!(third.port().join_again().err(), Some(JoinError::TableFull));
    let who = region.port().ident().expect("a participant");
    let mut tx = other.typed_producer::<u32>("q").expect("the role");
    let mut rx = third.typed_consumer::<u32>("q").expect("the role");
    drop((mutex, region));
    assert_eq!(third.port().probe(who), Probe::Dead, "it has left, with its token");
    tx.try_send(&5).expect("room");
    assert_eq!(rx.try_recv(), Ok(5));
    drop((theirs, tx, other));
    assert_eq!(rx.peer(), PeerStatus::Absent);
    assert_eq!(ident(&third.port().join_again().expect("a place")), 1, "the first place is free again");
}

#[test]
fn who_only_looks_does_not_join() {
    let name = RegionName::new(&format!("join-look-{}", std::process::id())).expect("a name");
    let _region = name.create(&PLAN, &RegionOptions::new()).expect("a region");
    let look = name.open(&RegionOptions::new().read_only(true)).expect("it is there");
    assert_eq!(look.port().join_again().err(), Some(JoinError::ReadOnly));
    name.remove().expect("removed");
}
