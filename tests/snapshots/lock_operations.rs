//! The operations of mutexes and semaphores.

use strait::{
    Channel, Guard, Lock, LockError, Mutex, Permits, Plan, Recovery, Region, RegionPlace, Semaphore,
    SystemPort, error::SemaphoreError, port::Port,
};
use strait_core::ground::entry::at;
use strait_core::protocol::park::WAITERS;

use super::operation::{Act, First, Kept, Operation, Past, Seen};
use super::queues::{SLEEPY, Value, WHILE, open, plan, value};

/// The one channel.
pub const NAME: &str = "lock";
/// Permits in all, and the most that a semaphore counts.
const PERMITS: u32 = 3;

/// A region with a mutex.
pub const MUTEX: Plan<'_> = plan(&[Channel::mutex::<Value>(NAME)]);
const PERMIT: Plan<'_> = plan(&[Channel::permits(NAME, PERMITS)]);
const COUNTING: Plan<'_> = plan(&[Channel::semaphore(NAME, 1, PERMITS)]);

/// The lock's last owner left it as one should, or nobody had it.
const FREE: u64 = 0;
/// Its last owner died.
pub const DIED: u64 = 1;
/// It was given up.
const POISONED: u64 = 2;

/// Every operation of locks.
pub fn all() -> Vec<Operation> {
    let mutex =
        |name, victim, before, after| Operation::new(name, MUTEX, victim, survive_mutex).sees(before, after);
    let taken = |name, victim, before, after| {
        Operation::new(name, PERMIT, victim, survive_taker).sees([before, 0], [after, 0])
    };
    vec![
        mutex("mutex-lock", lock, [1, FREE], [1, DIED]),
        mutex("mutex-lock-over-dead", lock_over_dead, [1, DIED], [1, DIED]).past(Past::Deaths(owner)),
        mutex("mutex-lock-fourth-death", lock_fourth, [1, POISONED], [1, POISONED])
            .past(Past::Deaths(fourth_owner)),
        mutex("mutex-lock-waits", lock_waits, [1, DIED], [1, DIED]),
        mutex("mutex-set-thrice", set_thrice, [1, DIED], [4, DIED]),
        mutex("mutex-update", update, [1, DIED], [2, DIED]),
        mutex("mutex-edit-in-place", edit_in_place, [1, DIED], [2, DIED]),
        Operation::new("mutex-unlock", MUTEX, unlock, survive_unlock).sees([1, 0], [1, 1]),
        Operation::new("mutex-unlock-wakes", MUTEX, unlock_wakes, survive_unlock).sees([1, 0], [1, 1]),
        Operation::new("mutex-update-unlock", MUTEX, update_unlock, survive_unlock).sees([1, 0], [2, 1]),
        mutex("mutex-roll-back", roll_back, [1, DIED], [1, DIED]).past(Past::Deaths(owner)),
        mutex("mutex-repair", repair, [1, DIED], [2, DIED]).past(Past::Deaths(owner)),
        mutex("mutex-give-up", give_up, [1, DIED], [1, POISONED]).past(Past::Deaths(owner)),
        Operation::new("mutex-reinitialise", MUTEX, reinitialise, survive_reinitialise)
            .past(Past::Deaths(fourth_owner))
            .sees([1, 0], [1, 1]),
        taken("permits-acquire", acquire_permit, 0, 1),
        taken("permits-acquire-over-dead", acquire_permit, PERMITS.into(), PERMITS.into())
            .past(Past::Deaths(|region| Box::new([(); PERMITS as usize].map(|()| permit(region))))),
        Operation::new("permits-release", PERMIT, release_permit, survive_giver).sees([0, 0], [1, 0]),
        Operation::new("semaphore-acquire", COUNTING, acquire, survive_counted).sees([0, 0], [1, 0]),
        Operation::new("semaphore-release", COUNTING, release, survive_count).sees([1, 0], [3, 0]),
    ]
}

/// A handle that lives as long as its process, so that what borrows it can be kept.
fn mutex(region: &Region) -> &'static mut Mutex<Value, SystemPort> {
    Box::leak(Box::new(region.mutex(NAME).expect("it is planned")))
}

/// The lock, with value 1 in it.
pub fn held(region: &Region) -> Guard<'static, Value, SystemPort> {
    let Ok(Lock::Held(mut guard)) = mutex(region).try_lock() else { panic!("nobody has it") };
    guard.set(&value(1));
    guard
}

/// The lock of a dead owner.
fn recovery(region: &RegionPlace) -> Recovery<'static, Value, SystemPort> {
    let Ok(Lock::OwnerDied(recovery)) = mutex(&open(region)).try_lock() else { panic!("its owner died") };
    recovery
}

/// Changes the lock's word.
fn with_word(region: &Region, change: impl FnOnce(u32) -> u32) {
    let at = region.channel(NAME).expect("it is planned").block_c + at::OWNER;
    let mem = region.port().mem();
    mem.setup_write(at, change(mem.setup_read(at)));
}

/// A participant that has the lock.
fn owner(region: &Region) -> Kept {
    Box::new(held(region))
}

/// A participant that has the lock of a third owner that died in the repair.
fn fourth_owner(region: &Region) -> Kept {
    let guard = held(region);
    with_word(region, |word| word | 3 << 29);
    Box::new(guard)
}

fn lock(region: &RegionPlace) -> Act {
    let region = open(region);
    drop(held(&region));
    let mutex = mutex(&region);
    Box::new(move || Box::new(mutex.try_lock().expect("it is free")))
}

fn lock_over_dead(region: &RegionPlace) -> Act {
    let mutex = mutex(&open(region));
    Box::new(move || Box::new(mutex.try_lock().expect("its owner is dead")))
}

fn lock_fourth(region: &RegionPlace) -> Act {
    let mutex = mutex(&open(region));
    Box::new(move || {
        assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
        Box::new(())
    })
}

fn lock_waits(region: &RegionPlace) -> Act {
    let guard = held(&open(region));
    let mutex = mutex(&open(region));
    mutex.set_wait_policy(SLEEPY);
    Box::new(move || {
        assert_eq!(mutex.lock_timeout(WHILE).err(), Some(LockError::TimedOut));
        Box::new(guard)
    })
}

fn set_thrice(region: &RegionPlace) -> Act {
    let mut guard = held(&open(region));
    Box::new(move || {
        (2..=4).for_each(|n| guard.set(&value(n)));
        Box::new(guard)
    })
}

fn update(region: &RegionPlace) -> Act {
    let mut guard = held(&open(region));
    Box::new(move || {
        guard.update(|inner| *inner = value(2));
        Box::new(guard)
    })
}

fn edit_in_place(region: &RegionPlace) -> Act {
    let mut guard = held(&open(region));
    Box::new(move || {
        guard.edit_in_place(|inner| {
            let parts = value(2).map(u64::to_le_bytes);
            parts.iter().enumerate().for_each(|(i, part)| assert_eq!(inner.write(8 * i, part), 8));
        });
        Box::new(guard)
    })
}

fn unlock(region: &RegionPlace) -> Act {
    let guard = held(&open(region));
    Box::new(move || {
        guard.unlock().expect("it is ours");
        Box::new(())
    })
}

fn unlock_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let guard = held(&region);
    with_word(&region, |word| word | WAITERS);
    Box::new(move || {
        guard.unlock().expect("it is ours");
        Box::new(())
    })
}

fn update_unlock(region: &RegionPlace) -> Act {
    let mut guard = held(&open(region));
    Box::new(move || {
        guard.update(|inner| *inner = value(2));
        guard.unlock().expect("it is ours");
        Box::new(())
    })
}

fn roll_back(region: &RegionPlace) -> Act {
    let recovery = recovery(region);
    Box::new(move || Box::new(recovery.roll_back().ok().expect("nothing was in place")))
}

fn repair(region: &RegionPlace) -> Act {
    let recovery = recovery(region);
    Box::new(move || Box::new(recovery.repair(|inner| *inner = value(2)).expect("it is ours")))
}

fn give_up(region: &RegionPlace) -> Act {
    let recovery = recovery(region);
    Box::new(move || {
        drop(recovery);
        Box::new(())
    })
}

fn reinitialise(region: &RegionPlace) -> Act {
    let mutex = mutex(&open(region));
    assert_eq!(mutex.try_lock().err(), Some(LockError::Poisoned));
    Box::new(move || Box::new(mutex.reinitialise(&value(1)).expect("it is poisoned")))
}

/// The survivors of a mutex: one locks it and repairs it if need be, and then two use it. They see the
/// number of the value, and what became of the lock.
pub fn survive_mutex(region: &RegionPlace, first: First) -> Seen {
    let (here, there) = (open(region), open(region));
    let mut mutex = here.mutex::<Value>(NAME).expect("it is planned");
    let mut other = there.mutex::<Value>(NAME).expect("it is planned");
    let (n, state) = match mutex.try_lock() {
        Ok(Lock::Held(guard)) => (number(guard.get()), FREE),
        Ok(Lock::OwnerDied(recovery)) => (number(recover(recovery, first).get()), DIED),
        Err(LockError::Poisoned) => (1, POISONED),
        Err(error) => panic!("no lock: {error}"),
    };
    if state == POISONED {
        drop(mutex.reinitialise(&value(n)).expect("it is poisoned"));
    }
    for n in n..n + 4 {
        let Ok(Lock::Held(mut guard)) = mutex.try_lock() else { panic!("it is free") };
        assert_eq!(guard.get(), value(n), "what was set last");
        assert_eq!(other.try_lock().err(), Some(LockError::Busy), "it has an owner");
        guard.update(|inner| *inner = value(n + 1));
        guard.unlock().expect("it is ours");
        let Ok(Lock::Held(guard)) = other.try_lock() else { panic!("it is free") };
        assert_eq!(guard.get(), value(n + 1), "what the other set");
    }
    [n.into(), state]
}

/// The number of a value, which must be whole.
fn number(found: Value) -> u32 {
    let n = (found[0] as u32).wrapping_sub(1);
    assert_eq!(found, value(n), "the value in the lock");
    n
}

/// Repairs a dead owner's value in one of the ways that there are.
fn recover(recovery: Recovery<'_, Value, SystemPort>, first: First) -> Guard<'_, Value, SystemPort> {
    if recovery.was_in_place() {
        // Whatever is there: it was being changed from value 1 to value 2.
        let refused = recovery.roll_back().err().expect("there is nothing to roll back to");
        return refused.repair(|inner| *inner = value(2)).expect("it is ours");
    }
    match first {
        First::Producer => recovery.roll_back().ok().expect("the old value is whole"),
        First::Consumer => recovery.repair(|inner| *inner = value(number(*inner))).expect("it is ours"),
    }
}

/// As [`survive_mutex`]; they see whether the lock is free.
fn survive_unlock(region: &RegionPlace, first: First) -> Seen {
    let [n, state] = survive_mutex(region, first);
    [n, (state == FREE).into()]
}

/// As [`survive_mutex`]; they see whether the lock is not poisoned any more.
fn survive_reinitialise(region: &RegionPlace, first: First) -> Seen {
    let [n, state] = survive_mutex(region, first);
    [n, (state != POISONED).into()]
}

/// A handle on permits that lives as long as its process.
fn permits(region: &Region) -> &'static mut Permits<SystemPort> {
    Box::leak(Box::new(region.permits(NAME).expect("it is planned")))
}

fn permit(region: &Region) -> strait::Permit<'static, SystemPort> {
    permits(region).try_acquire().expect("one is left")
}

fn acquire_permit(region: &RegionPlace) -> Act {
    let permits = permits(&open(region));
    Box::new(move || Box::new(permits.try_acquire().expect("one is left")))
}

fn release_permit(region: &RegionPlace) -> Act {
    let permit = permit(&open(region));
    Box::new(move || {
        permit.release().expect("it is ours");
        Box::new(())
    })
}

/// The survivors of a participant that took a permit: all are there, once each, and once more when given back. They
/// see how many came back from the dead.
fn survive_taker(region: &RegionPlace, _: First) -> Seen {
    let (here, there) = (open(region), open(region));
    let planned = |region: &Region| region.permits(NAME).expect("it is planned");
    let mut handles = [(); PERMITS as usize].map(|()| planned(&here));
    let mut back = 0;
    for _ in 0..2 {
        let all = handles.each_mut().map(|handle| handle.try_acquire().expect("one is left"));
        back += all.iter().filter(|permit| permit.from().is_some()).count();
        let mut indices = all.each_ref().map(strait::Permit::index);
        indices.sort_unstable();
        assert!(indices.into_iter().eq(0..PERMITS), "each once");
        let mut late = planned(&there);
        assert_eq!(late.try_acquire().err(), Some(SemaphoreError::Empty), "no more than there are");
    }
    [back as u64, 0]
}

/// As [`survive_taker`]; they see how many were given back by a participant that had one.
fn survive_giver(region: &RegionPlace, first: First) -> Seen {
    [1 - survive_taker(region, first)[0], 0]
}

fn semaphore(region: &RegionPlace) -> Semaphore<SystemPort> {
    open(region).semaphore(NAME).expect("it is planned")
}

fn acquire(region: &RegionPlace) -> Act {
    let mut semaphore = semaphore(region);
    Box::new(move || {
        semaphore.try_acquire().expect("it starts with one");
        Box::new(semaphore)
    })
}

fn release(region: &RegionPlace) -> Act {
    let mut semaphore = semaphore(region);
    Box::new(move || {
        semaphore.release(2).expect("there is room for two");
        Box::new(semaphore)
    })
}

/// The survivors of a counting semaphore, which gives nothing back: it counts from where it is. They see
/// its count.
fn survive_count(region: &RegionPlace, _: First) -> Seen {
    let mut semaphore = semaphore(region);
    let count = semaphore.count();
    semaphore.release(PERMITS - count).expect("up to the most");
    assert_eq!(semaphore.release(1), Err(SemaphoreError::Overflow));
    (0..PERMITS).for_each(|_| semaphore.try_acquire().expect("as many as were counted"));
    assert_eq!(semaphore.try_acquire(), Err(SemaphoreError::Empty));
    [count.into(), 0]
}

/// As [`survive_count`]; they see how many were taken.
fn survive_counted(region: &RegionPlace, first: First) -> Seen {
    [1 - survive_count(region, first)[0], 0]
}
