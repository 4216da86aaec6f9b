//! A channel whose words no honest peer writes is made as new, where nobody else takes part in the region.

use std::mem::forget;

use crate::common::{Region, TestPort};
use strait_core::format::inspect::{LockState, lock_state};
use strait_core::format::{MutexState, ResetError, participants};
use strait_core::ground::entry::at;
use strait_core::{
    Attachment, Channel, ChannelError, Lock, LockError, Plan, Reading, SemaphoreError, TryRecvError,
    Violation,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("f", 256, 32),
    Channel::slots::<u32>("q", 4),
    Channel::compact::<u32>("c", 4),
    Channel::latest::<u32>("l"),
    Channel::mutex::<u32>("m"),
    Channel::semaphore("s", 2, 3),
    Channel::permits("p", 3),
    Channel::slots::<u32>("far", 4).domains(0, 1),
    Channel::calls::<u32, u32>("calls", 2),
    Channel::broadcast::<u32>("b", 4),
])
.line(4)
.participants(4);

/// A mutex whose word is `1 << 31` alone is at fault for ever.
#[test]
fn a_mutex_in_an_impossible_state_is_reset() {
    for word in [1 << 31, 1 << 29, 5, 7 << 29 | 5] {
        let region = Region::new(&PLAN);
        let member = region.join();
        let mut mutex = member.mutex::<u32>("m").unwrap();
        let Ok(Lock::Held(mut guard)) = mutex.try_lock() else { panic!("it is free") };
        guard.set(&7);
        drop(guard);
        let entry = region.entry("m");
        region.poke(entry.block_c, word);
        region.poke(entry.block_c + at::TAKEOVERS, 41);
        assert_eq!(mutex.try_lock().err(), Some(LockError::Fault(Violation::State)), "{word:#x}");
        member.reset_channel("m").unwrap();
        let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is as new") };
        assert_eq!(guard.get(), 0);
        let Some(LockState::Mutex { takeovers, version, .. }) = lock_state(region.mem(), 4, &entry) else {
            panic!("a mutex")
        };
        assert_eq!((takeovers, version), (42, 3), "what counts goes on");
    }
}

/// The faults that either side has told in the region are those of what was there before.
#[test]
fn faults_are_forgotten() {
    let region = Region::new(&PLAN);
    let member = region.join();
    for (name, has_two) in
        [("f", true), ("q", true), ("c", true), ("calls", true), ("l", false), ("b", false)]
    {
        let entry = region.entry(name);
        let blocks = entry.blocks(4).unwrap();
        let roles = [0, blocks.role_b].map(|role| entry.block_c + role + at::FAULT);
        let roles = if has_two { &roles[..] } else { &roles[..1] };
        roles.iter().for_each(|&fault| region.poke(fault, Violation::Index as u32));
        member.reset_channel(name).unwrap();
        assert!(roles.iter().all(|&fault| region.peek(fault) == 0), "{name}");
    }
}

/// A queue whose head is impossible faults whenever it is opened.
#[test]
fn a_faulted_queue_is_reset() {
    let region = Region::new(&PLAN);
    let member = region.join();
    for name in ["f", "q", "c"] {
        let entry = region.entry(name);
        let send = |member: &Attachment<TestPort>| match name {
            "f" => member.producer("f").map(|mut tx| tx.try_send(1, b"new")),
            name => member.typed_producer::<u32>(name).map(|mut tx| tx.try_send(&1)),
        };
        send(&member).unwrap().unwrap();
        region.poke(entry.block_b + at::HEAD, 0x1234_5670);
        region.poke(entry.block_c + at::FAULT, 3);
        assert!(!matches!(send(&member), Ok(Ok(()))), "{name} is damaged");
        member.reset_channel(name).unwrap();
        assert_eq!(region.peek(entry.block_c + at::FAULT), 0);
        (0..20).for_each(|_| {
            send(&member).unwrap().unwrap();
            match name {
                "f" => assert_eq!(member.consumer("f").unwrap().try_recv(&mut [0; 32]).unwrap().len, 3),
                name => assert_eq!(member.typed_consumer::<u32>(name).unwrap().try_recv(), Ok(1)),
            }
        });
    }
}

#[test]
fn the_other_kinds_are_as_new() {
    let region = Region::new(&PLAN);
    let member = region.join();
    member.latest_writer::<u32>("l").unwrap().publish(&5);
    (0..2).for_each(|_| member.semaphore("s").unwrap().try_acquire().unwrap());
    let permits = region.entry("p").block_c + region.entry("p").blocks(4).unwrap().permits;
    region.poke(permits + 4, u32::MAX);
    for name in ["l", "s", "p"] {
        member.reset_channel(name).unwrap();
    }
    assert_eq!(member.latest_reader::<u32>("l").unwrap().read(), Reading::Empty);
    let mut semaphore = member.semaphore("s").unwrap();
    assert_eq!(
        (0..3).map(|_| semaphore.try_acquire()).collect::<Vec<_>>(),
        [Ok(()), Ok(()), Err(SemaphoreError::Empty)]
    );
    let mut handles: Vec<_> = (0..3).map(|_| member.permits("p").unwrap()).collect();
    assert!(handles.iter_mut().all(|permits| permits.try_acquire().map(forget).is_ok()));
}

#[test]
fn nothing_is_reset_under_anybody_who_may_live() {
    let region = Region::new(&PLAN);
    let (tool, other) = (region.join(), region.join());
    other.typed_producer::<u32>("q").unwrap().try_send(&9).unwrap();
    let before = region.bytes();
    let who = other.ident();
    assert_eq!(tool.reset_channel("q"), Err(ResetError::InUse { place: 2, who: Some(who) }));
    // But for the epochs of the places that were free, which go on.
    let bytes = region.bytes();
    let table = tool.header().participants as usize;
    let behind = table + 64 * tool.header().participant_count as usize;
    assert!(bytes[..table] == before[..table] && bytes[behind..] == before[behind..]);
    other.die(());
    tool.reset_channel("q").unwrap();
    assert_eq!(tool.typed_consumer::<u32>("q").unwrap().try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn all_places_are_free_again_afterwards() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    tool.reset_channel("q").unwrap();
    assert_eq!(participants::list(region.mem(), tool.header(), tool.port()).count(), 1);
    let others: Vec<_> = (0..3).map(|_| region.join()).collect();
    assert_eq!(others.len(), 3);
}

/// The dead owner of a role is gone with the reset: nobody takes over from it.
#[test]
fn the_dead_are_forgotten() {
    let region = Region::new(&PLAN);
    let dead = region.join();
    let producer = dead.typed_producer::<u32>("q").unwrap();
    dead.die(producer);
    let tool = region.join();
    tool.reset_channel("q").unwrap();
    assert_eq!(tool.typed_producer::<u32>("q").unwrap().taken_over_from(), None);
}

#[test]
fn what_this_participant_holds_is_not_reset() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    let producer = tool.typed_producer::<u32>("q").unwrap();
    assert_eq!(tool.reset_channel("q"), Err(ResetError::Held));
    drop(producer);
    let mut mutex = tool.mutex::<u32>("m").unwrap();
    let guard = mutex.try_lock();
    assert_eq!(tool.reset_channel("m"), Err(ResetError::Held));
    drop(guard);
    assert_eq!(tool.reset_channel("m"), Ok(()));
    assert_eq!(region.look().reset_channel("m"), Err(ResetError::Channel(ChannelError::ReadOnly)));
    assert_eq!(tool.reset_channel("none"), Err(ResetError::Channel(ChannelError::NotFound)));
    let far = ResetError::Channel(ChannelError::Domain { planned: 1 });
    assert_eq!(tool.reset_channel("far"), Err(far), "this port cannot prove a death in domain 1");
}

/// A program that was killed amid a reset leaves the channel shut, not half new; and it is reset again.
#[test]
fn a_reset_that_was_broken_off_leaves_the_channel_shut() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    let (queue, mutex) = (region.entry("q"), region.entry("m"));
    let roles = [queue.block_c, queue.block_c + queue.blocks(4).unwrap().role_b];
    roles.iter().chain([&mutex.block_c]).for_each(|&word| region.poke(word, 1 << 31));
    tool.die(());
    let next = region.join();
    assert_eq!(next.typed_producer::<u32>("q").err(), Some(ChannelError::Busy));
    assert_eq!(next.typed_consumer::<u32>("q").err(), Some(ChannelError::Busy));
    let Some(LockState::Mutex { state, .. }) = lock_state(region.mem(), 4, &mutex) else { panic!("a mutex") };
    assert_eq!(state, MutexState::Impossible);
    next.reset_channel("q").unwrap();
    next.reset_channel("m").unwrap();
    assert!(next.typed_producer::<u32>("q").is_ok() && next.typed_consumer::<u32>("q").is_ok());
    assert!(next.mutex::<u32>("m").unwrap().try_lock().is_ok());
}
