//! Locks of two domains: refused, unless the port has a hardware lock; then their words change under it
//! alone, whichever participant dies, and whatever it holds.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::protocol::mutex::State;
use strait_core::{
    Channel, ChannelError, Lock, LockError, Mutex, Plan, SemaphoreError, UnlockError, WaitPolicy,
    format::Recovered,
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::mutex::<[u64; 2]>("m").domains(0, 7).consumer_may_block(),
    Channel::semaphore("s", 2, 4).domains(7, 0),
    Channel::permits("p", 2).domains(0, 7),
    Channel::mutex::<u32>("within"),
    Channel::frames("elsewhere", 64, 16).domains(9, 9),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(3);

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

/// A region on a machine with a hardware lock.
fn machine() -> Region {
    let region = Region::new(&PLAN);
    region.hardware.built_in.store(true, Relaxed);
    region
}

type Pair = Mutex<[u64; 2], TestPort>;

fn open(member: &Member) -> Pair {
    member.mutex("m").unwrap()
}

fn taken(region: &Region) -> u32 {
    region.hardware.taken.load(Relaxed)
}

/// In a device's memory the locks of one domain, too, take the hook, and are changed under it.
#[test]
fn fault_92_memory_without_compare_and_swap_takes_the_hook() {
    let region = Region::new(&PLAN);
    region.hardware.alone.store(true, Relaxed);
    let member = region.join();
    assert_eq!(member.mutex::<u32>("within").err(), Some(ChannelError::NoCommonAtomics));
    region.hardware.built_in.store(true, Relaxed);
    let before = taken(&region);
    let mut lock = member.mutex::<u32>("within").unwrap();
    drop(lock.try_lock().unwrap());
    assert!(taken(&region) > before, "under the hardware lock");
}

#[test]
fn it_takes_the_hook_and_one_of_the_two_domains() {
    let region = Region::new(&PLAN);
    let refused = Some(ChannelError::NoCommonAtomics);
    for member in [region.join(), region.join_domain(7), region.join_domain(9)] {
        assert_eq!(member.mutex::<[u64; 2]>("m").err(), refused);
        assert_eq!((member.semaphore("s").err(), member.permits("p").err()), (refused, refused));
        assert_eq!(member.recover_mutex("m").err(), refused.map(Into::into));
    }
    region.hardware.built_in.store(true, Relaxed);
    for member in [region.join(), region.join_domain(7)] {
        assert!(open(&member).try_lock().is_ok());
        assert!(member.semaphore("s").is_ok() && member.permits("p").is_ok());
    }
    let other = region.join_domain(9).mutex::<[u64; 2]>("m").err();
    assert_eq!(other, Some(ChannelError::Domain { planned: 0 }));
}

/// Every change of a word goes through it, and none of a lock within one domain.
#[test]
fn the_words_change_under_it_alone() {
    let region = machine();
    let here = region.join();
    let mut within = here.mutex::<u32>("within").unwrap();
    let Ok(Lock::Held(mut guard)) = within.try_lock() else { panic!("it is free") };
    guard.set(&1);
    guard.unlock().unwrap();
    assert_eq!(taken(&region), 0);
    let mut mutex = open(&here);
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free") };
    assert_eq!(taken(&region), 1);
    guard.unlock().unwrap();
    assert_eq!(taken(&region), 2);
    let mut semaphore = here.semaphore("s").unwrap();
    semaphore.try_acquire().unwrap();
    semaphore.release(1).unwrap();
    assert_eq!(taken(&region), 4);
    here.permits("p").unwrap().try_acquire().unwrap().release().unwrap();
    assert_eq!((taken(&region), region.hardware.holder.load(Relaxed)), (6, 0));
}

const ROUNDS: u64 = 2000;

/// Two of each domain at once.
#[test]
fn totals_are_exact() {
    let region = machine();
    let members = [0, 0, 7, 7].map(|domain| region.join_domain(domain));
    std::thread::scope(|scope| {
        for member in &members {
            scope.spawn(|| {
                let (mut mutex, mut permits) = (open(member), member.permits("p").unwrap());
                let mut semaphore = member.semaphore("s").unwrap();
                for _ in 0..ROUNDS {
                    let permit = permits.acquire_timeout(LONG).unwrap();
                    semaphore.acquire_timeout(LONG).unwrap();
                    let Ok(Lock::Held(mut guard)) = mutex.lock_timeout(LONG) else { panic!("nobody died") };
                    guard.update(|value| *value = [value[0] + 1, value[1] + 2]);
                    guard.unlock().unwrap();
                    semaphore.release(1).unwrap();
                    permit.release().unwrap();
                }
            });
        }
    });
    let mut mutex = open(&members[0]);
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free") };
    assert_eq!(guard.get(), [4 * ROUNDS, 8 * ROUNDS]);
    assert_eq!(members[0].semaphore("s").unwrap().count(), 2);
}

/// A survivor of the other domain takes over, with the value that was committed.
#[test]
fn an_owner_that_dies_is_succeeded_from_the_other_domain() {
    let region = machine();
    let (here, there) = (region.join(), region.join_domain(7));
    let (dead, mut theirs) = (there.ident(), open(&there));
    let Ok(Lock::Held(mut guard)) = theirs.try_lock() else { panic!("it is free") };
    guard.set(&[1, 2]);
    std::mem::forget(guard);
    let permit = there.permits("p").unwrap();
    let mut both = [permit, there.permits("p").unwrap()];
    both.iter_mut().for_each(|permits| std::mem::forget(permits.try_acquire().unwrap()));
    there.die((theirs, both));
    let mut mutex = open(&here);
    let Ok(Lock::OwnerDied(recovery)) = mutex.lock_timeout(LONG) else { panic!("its owner died") };
    assert_eq!((recovery.from(), recovery.get()), (dead, [1, 2]));
    recovery.roll_back().map_err(|_| ()).unwrap().unlock().unwrap();
    let mut permits = here.permits("p").unwrap();
    assert_eq!(permits.try_acquire().unwrap().from(), Some(dead));
    let third = region.join_domain(7);
    std::mem::forget(open(&third).try_lock());
    let dead = third.ident();
    third.die(());
    assert_eq!(here.recover_mutex("m"), Ok(Recovered::RolledBack { from: dead }));
}

/// A core is reset between taking the hardware lock and giving it back: the port frees it, for the
/// register names its holder.
#[test]
fn a_holder_of_the_hardware_lock_that_dies_blocks_nobody() {
    let region = machine();
    let (here, there) = (region.join(), region.join_domain(7));
    region.hardware.holder.store(there.ident().word(), Relaxed);
    there.die(());
    let mut mutex = open(&here);
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free") };
    guard.unlock().unwrap();
    assert_eq!(region.hardware.holder.load(Relaxed), 0);
}

/// While it is unavailable, nothing changes, nothing hangs, and every call returns an error.
#[test]
fn without_it_nothing_changes() {
    let region = machine();
    let here = region.join();
    let (mut mutex, mut semaphore) = (open(&here), here.semaphore("s").unwrap());
    let mut permits = here.permits("p").unwrap();
    let refuse = |count| region.hardware.refusals.store(count, Relaxed);
    refuse(u32::MAX);
    let before = region.bytes();
    assert_eq!(mutex.try_lock().err(), Some(LockError::Busy));
    assert_eq!(mutex.lock_timeout(Duration::from_millis(20)).err(), Some(LockError::TimedOut));
    assert_eq!(semaphore.try_acquire(), Err(SemaphoreError::Contended));
    assert_eq!(semaphore.release(1), Err(SemaphoreError::Contended));
    assert_eq!(permits.try_acquire().err(), Some(SemaphoreError::Empty));
    assert_eq!(region.bytes(), before);
    // It comes back in the middle of an operation.
    refuse(1);
    semaphore.try_acquire().unwrap();
    refuse(1);
    assert!(matches!(mutex.lock_timeout(LONG), Ok(Lock::Held(_))));
    assert_eq!(mutex.state(), State::Free);
}

/// An owner that cannot unlock gets an error, and keeps the lock until its end.
#[test]
fn who_cannot_unlock_is_told() {
    let region = machine();
    let (here, there) = (region.join(), region.join_domain(7));
    let refuse = |count| region.hardware.refusals.store(count, Relaxed);
    let (mut mutex, mut permits) = (open(&here), here.permits("p").unwrap());
    let (Ok(Lock::Held(guard)), permit) = (mutex.try_lock(), permits.try_acquire().unwrap()) else {
        panic!("it is free")
    };
    refuse(u32::MAX);
    assert_eq!(guard.unlock(), Err(UnlockError::HardwareLock));
    assert_eq!(permit.release(), Err(UnlockError::HardwareLock));
    refuse(0);
    assert_eq!(mutex.try_lock().err(), Some(LockError::Deadlock), "it is ours");
    let mut theirs = open(&there);
    theirs.set_wait_policy(WaitPolicy::polling());
    assert_eq!(theirs.try_lock().err(), Some(LockError::Busy));
    let word = region.entry("m").block_c + at::OWNER;
    assert_eq!(region.peek(word), here.ident().word());
    here.die(mutex);
    assert!(matches!(theirs.try_lock(), Ok(Lock::OwnerDied(_))));
}
