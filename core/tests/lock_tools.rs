//! What tools do with locks: looking at them, and freeing a mutex whose owner is dead.

use std::mem::forget;
use std::sync::atomic::Ordering::Relaxed;

use crate::common::{Member, Region, TestPort};
use strait_core::format::inspect::{LockState, PermitState, channel_state, lock_state, permits};
use strait_core::ground::entry::at;
use strait_core::protocol::mutex::State;
use strait_core::{
    Channel, ChannelError, Lock, LockError, Mutex, Plan, Violation,
    format::{Kind, RecoverError, Recovered},
    port::{Ident, Probe},
};

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<[u64; 4]>("gains").consumer_may_block(),
    Channel::semaphore("ticks", 1, 3),
    Channel::permits("cranes", 3),
    Channel::latest::<u32>("angle"),
])
.participants(8);

type Table = Mutex<[u64; 4], TestPort>;

fn gains(member: &Member) -> Table {
    member.mutex("gains").unwrap()
}

fn look(region: &Region, name: &str) -> Option<LockState> {
    lock_state(region.mem(), 128, &region.entry(name))
}

/// Sets the table to `value`, then locks it and dies, in the middle of an edit if asked for.
fn die_locked(region: &Region, value: u64, editing: bool) -> Ident {
    let member = region.join();
    let who = member.ident();
    let mut mutex = gains(&member);
    match mutex.try_lock().unwrap() {
        Lock::Held(mut guard) => {
            guard.set(&[value; 4]);
            if editing {
                // As a death in the middle leaves it.
                region.poke(region.entry("gains").block_a + at::IN_PLACE, 1);
            }
            forget(guard);
        }
        Lock::OwnerDied(recovery) => forget(recovery),
    }
    member.die(mutex);
    who
}

#[test]
fn a_mutex_is_seen_as_it_is() {
    let region = Region::new(&PLAN);
    let state = |state, takeovers, version, in_place| {
        Some(LockState::Mutex { state, waiters: false, takeovers, version, in_place })
    };
    assert_eq!(look(&region, "gains"), state(State::Free, 0, 0, false));
    let who = die_locked(&region, 5, true);
    assert_eq!(look(&region, "gains"), state(State::Held { owner: who, deaths: 0 }, 0, 1, true));
    let who = die_locked(&region, 5, false);
    assert_eq!(look(&region, "gains"), state(State::Held { owner: who, deaths: 1 }, 1, 1, true));
    let word = region.entry("gains").block_c;
    region.poke(word, 3 << 29 | 1 << 31);
    let Some(LockState::Mutex { state: State::Poisoned, waiters: true, .. }) = look(&region, "gains") else {
        panic!("{:?}", look(&region, "gains"));
    };
    assert_eq!(channel_state(region.mem(), 128, &region.entry("gains")).producer, None);
    assert_eq!(look(&region, "angle"), None);
}

#[test]
fn a_semaphore_and_permits_are_seen_as_they_are() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut ticks = member.semaphore("ticks").unwrap();
    let count = |count| Some(LockState::Semaphore { count, most: 3, waiters: false });
    assert_eq!(look(&region, "ticks"), count(Some(1)));
    ticks.release(2).unwrap();
    assert_eq!(look(&region, "ticks"), count(Some(3)));
    region.poke(region.entry("ticks").block_c, 77);
    assert_eq!(look(&region, "ticks"), count(None));

    let free = |free| Some(LockState::Permits { free, count: 3, waiters: false });
    assert_eq!(look(&region, "cranes"), free(3));
    let mut cranes = member.permits("cranes").unwrap();
    let permit = cranes.try_acquire().unwrap();
    assert_eq!(look(&region, "cranes"), free(2));
    let all: Vec<PermitState> = permits(region.mem(), 128, &region.entry("cranes")).collect();
    assert_eq!(all[permit.index() as usize], PermitState::Taken(member.ident()));
    assert_eq!(permits(region.mem(), 128, &region.entry("ticks")).count(), 0);
}

#[test]
fn only_a_dead_owners_mutex_is_freed() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    assert_eq!(tool.recover_mutex("gains"), Ok(Recovered::WasFree));
    let other = region.join();
    let mut mutex = gains(&other);
    let guard = mutex.try_lock().unwrap();
    let held = RecoverError::Held { owner: other.ident(), probe: Probe::Alive };
    assert_eq!(tool.recover_mutex("gains"), Err(held));
    drop(guard);

    let who = die_locked(&region, 7, false);
    assert_eq!(tool.recover_mutex("gains"), Ok(Recovered::RolledBack { from: who }));
    let Lock::Held(guard) = mutex.try_lock().unwrap() else { panic!("it was repaired") };
    assert_eq!((guard.get(), guard.takeovers(), guard.version()), ([7; 4], 1, 1));
    drop(guard);

    // Not even its own one.
    let mut own = gains(&tool);
    forget(own.try_lock().unwrap());
    let held = RecoverError::Held { owner: tool.ident(), probe: Probe::Alive };
    assert_eq!(tool.recover_mutex("gains"), Err(held));
}

#[test]
fn whoever_sleeps_is_woken() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    let entry = region.entry("gains");
    let wakes = || region.counts.wakes.load(Relaxed);
    die_locked(&region, 1, false);
    let before = wakes();
    tool.recover_mutex("gains").unwrap();
    assert_eq!(wakes(), before, "nobody sleeps");
    // For the lock, and for a change of the value.
    let who = die_locked(&region, 2, false);
    region.poke(entry.block_c, who.word() | 1 << 31);
    region.poke(entry.wait_b, 1);
    let before = wakes();
    tool.recover_mutex("gains").unwrap();
    assert_eq!((wakes() - before, region.peek(entry.block_c), region.peek(entry.wait_b)), (2, 0, 2));
}

#[test]
fn a_repairers_death_is_recovered_from_too_and_a_fourth_is_not() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    let deaths: Vec<Ident> = (0..3).map(|_| die_locked(&region, 1, false)).collect();
    assert_eq!(tool.recover_mutex("gains"), Ok(Recovered::RolledBack { from: deaths[2] }));
    for _ in 0..4 {
        die_locked(&region, 1, false);
    }
    assert_eq!(tool.recover_mutex("gains"), Err(RecoverError::Poisoned));
    assert_eq!(gains(&tool).try_lock().err(), Some(LockError::Poisoned));
    assert_eq!(tool.recover_mutex("gains"), Err(RecoverError::Poisoned));
}

#[test]
fn what_needs_somebody_who_knows_the_value_is_left_to_them() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    let from = die_locked(&region, 3, true);
    let before = region.bytes();
    assert_eq!(tool.recover_mutex("gains"), Err(RecoverError::InPlace { from }));
    assert_eq!(region.bytes(), before, "nothing was changed");
    let mut mutex = gains(&tool);
    let Lock::OwnerDied(recovery) = mutex.try_lock().unwrap() else { panic!("its owner is dead") };
    assert!(recovery.was_in_place());
    drop(recovery.repair(|value| value.fill(9)).unwrap());
    assert_eq!(tool.recover_mutex("gains"), Ok(Recovered::WasFree));
}

#[test]
fn what_is_no_mutex_and_what_is_a_lie_is_refused() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    let kind = RecoverError::Channel(ChannelError::Kind { found: Kind::Semaphore });
    assert_eq!(tool.recover_mutex("ticks"), Err(kind));
    assert_eq!(tool.recover_mutex("none"), Err(RecoverError::Channel(ChannelError::NotFound)));
    assert_eq!(region.look().recover_mutex("gains"), Err(RecoverError::Channel(ChannelError::ReadOnly)));
    region.poke(region.entry("gains").block_c, 1 << 29);
    assert_eq!(tool.recover_mutex("gains"), Err(RecoverError::Fault(Violation::State)));
}
