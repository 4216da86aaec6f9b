//! A lock's owner dies at a chosen point, is stopped, or a peer forges its word: FAULTS 1 to 9, 12, 14,
//! 41 and 43 for locks, with deaths staged in one process. (15, 16 and 24 are in `locks.rs`; 10, 11 and
//! 13 need processes, see `tests/locks.rs` of the facade and `liveness.rs` of the Unix port, and each
//! step of each operation is in the models.)

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::port::RELAXED;
use strait_core::protocol::mutex::{self, State};
use strait_core::{Channel, Deadline, Lock, LockError, Mutex, Plan, SemaphoreError, WaitPolicy};

type Gains = [u64; 4];
type Table = Mutex<Gains, TestPort>;

const PLAN: Plan = Plan::new(&[
    Channel::mutex::<Gains>("gains"),
    Channel::semaphore("ticks", 0, 8),
    Channel::permits("cranes", 2),
])
.participants(8);

/// Bit 31 of a lock's word: somebody sleeps.
const WAITERS: u32 = 1 << 31;
/// One death, in a mutex's word.
const DEATH: u32 = 1 << 29;
/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);
/// Much shorter than `LONG`, much longer than a probe period.
const SOON: Duration = Duration::from_secs(20);

/// Sleeps at once, so long at a time.
fn asleep(probe: Duration) -> WaitPolicy {
    WaitPolicy { spin: 0, probe, ..WaitPolicy::parking() }
}

struct Setup {
    region: Region,
    survivor: Member,
    mutex: Table,
}

/// A region with a survivor that has a handle on the lock.
fn setup() -> Setup {
    let region = Region::new(&PLAN);
    let survivor = region.join();
    let mutex = gains(&survivor);
    Setup { region, survivor, mutex }
}

fn gains(member: &Member) -> Table {
    member.mutex("gains").unwrap()
}

impl Setup {
    fn word(&self) -> u32 {
        self.region.entry("gains").block_c + at::OWNER
    }

    /// What the next owner finds: how it got the lock, and the value.
    fn next(&mut self) -> (&'static str, Gains) {
        match self.mutex.try_lock().unwrap() {
            Lock::Held(guard) => ("held", guard.get()),
            Lock::OwnerDied(recovery) => {
                let guard = recovery.roll_back().ok().unwrap();
                ("died", guard.get())
            }
        }
    }

    /// Somebody sleeps for the lock; returns its result after `act`, and how long it took.
    fn while_asleep<R: Send>(
        &mut self,
        probe: Duration,
        answer: impl FnOnce(Result<Lock<'_, Gains, TestPort>, LockError>) -> R + Send,
        act: impl FnOnce(),
    ) -> (R, Duration) {
        let slept = self.region.counts.sleeps.load(Relaxed);
        let (region, mutex) = (&self.region, &mut self.mutex);
        mutex.set_wait_policy(asleep(probe));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| answer(mutex.lock_timeout(LONG)));
            while region.counts.sleeps.load(Relaxed) == slept {
                std::thread::yield_now();
            }
            let started = Instant::now();
            act();
            let answer = waiter.join().unwrap();
            (answer, started.elapsed())
        })
    }
}

fn is_owner_died(lock: Result<Lock<'_, Gains, TestPort>, LockError>) -> bool {
    matches!(lock, Ok(Lock::OwnerDied(_)))
}

fn is_held(lock: Result<Lock<'_, Gains, TestPort>, LockError>) -> bool {
    matches!(lock, Ok(Lock::Held(_)))
}

#[test]
fn fault_01_dead_before_the_lock_is_nothing() {
    let mut setup = setup();
    let member = setup.region.join();
    let dying = gains(&member);
    member.die(dying);
    assert_eq!(setup.next(), ("held", [0; 4]));
}

#[test]
fn fault_02_dead_right_after_the_compare_and_swap() {
    let mut setup = setup();
    let member = setup.region.join();
    let word = member.ident().word();
    member.die(());
    setup.region.poke(setup.word(), word);
    assert_eq!(setup.next(), ("died", [0; 4]));
    assert_eq!(setup.next(), ("held", [0; 4]));
}

#[test]
fn fault_02_a_sleeper_learns_of_the_death_within_the_probe_period() {
    let mut setup = setup();
    let member = setup.region.join();
    let mut dying = gains(&member);
    std::mem::forget(dying.try_lock().unwrap());
    let (died, took) = setup.while_asleep(Duration::from_millis(20), is_owner_died, || member.die(dying));
    assert!(died && took < SOON, "{took:?}");
}

#[test]
fn fault_03_dead_in_the_middle_leaves_the_old_value_or_the_new() {
    let mut setup = setup();
    setup.mutex.try_lock().unwrap().or_roll_back().ok().unwrap().set(&[1; 4]);
    // Each prefix of the bytes of the copy beside, and then the store that commits it.
    let entry = setup.region.entry("gains");
    let beside = [2_u64; 4].map(u64::to_le_bytes).concat();
    for written in (0..=beside.len()).step_by(4) {
        let member = setup.region.join();
        let word = member.ident().word();
        member.die(());
        setup.region.poke(setup.word(), word);
        setup.region.write(entry.data, &beside[..written]);
        assert_eq!(setup.next(), ("died", [1; 4]), "{written} bytes");
    }
    let member = setup.region.join();
    let word = member.ident().word();
    member.die(());
    setup.region.poke(setup.word(), word);
    setup.region.poke(entry.block_a + at::VERSION, 2);
    assert_eq!(setup.next(), ("died", [2; 4]));
}

#[test]
fn fault_04_dead_after_the_repair_and_before_it_counts() {
    let mut setup = setup();
    let entry = setup.region.entry("gains");
    let member = setup.region.join();
    let word = member.ident().word();
    member.die(());
    // It had taken the lock over from a dead owner, and written a repaired value.
    setup.region.write(entry.data + entry.stride, &[7; 32]);
    setup.region.poke(entry.block_a + at::VERSION, 1);
    setup.region.poke(setup.word(), word | DEATH);
    let Lock::OwnerDied(recovery) = setup.mutex.try_lock().unwrap() else { panic!("it died in its repair") };
    assert_eq!(recovery.get(), [u64::from_le_bytes([7; 8]); 4]);
    drop(recovery.mark_consistent().unwrap());
    assert_eq!(setup.mutex.state(), State::Free);
}

#[test]
fn fault_05_three_repairers_die_and_the_lock_is_poisoned_for_all() {
    let mut setup = setup();
    for deaths in 0..4 {
        let member = setup.region.join();
        let mut dying = gains(&member);
        let lock = dying.try_lock().unwrap();
        assert_eq!(matches!(lock, Lock::OwnerDied(_)), deaths > 0);
        std::mem::forget(lock);
        member.die(dying);
    }
    assert_eq!(setup.mutex.try_lock().err(), Some(LockError::Poisoned));
    assert_eq!(setup.mutex.lock_timeout(LONG).err(), Some(LockError::Poisoned), "at once");
    let other = setup.region.join();
    assert_eq!(gains(&other).try_lock().err(), Some(LockError::Poisoned));
    setup.mutex.reinitialise(&[3; 4]).unwrap().unlock().unwrap();
    assert_eq!(setup.next(), ("held", [3; 4]));
}

/// A repair that succeeds starts the count anew.
#[test]
fn fault_05_only_deaths_in_a_row_count() {
    let mut setup = setup();
    for _ in 0..6 {
        let member = setup.region.join();
        let mut dying = gains(&member);
        std::mem::forget(dying.try_lock().unwrap());
        member.die(dying);
        assert_eq!(setup.next(), ("died", [0; 4]));
    }
    assert_eq!(setup.mutex.try_lock().unwrap().or_roll_back().ok().unwrap().takeovers(), 6);
}

/// A participant that sets a poisoned lock's value anew dies with it: the lock stays given up.
#[test]
fn fault_05_dead_while_it_reinitialises() {
    let mut setup = setup();
    let member = setup.region.join();
    let mut dying = gains(&member);
    std::mem::forget(dying.try_lock().unwrap());
    member.die(dying);
    let Lock::OwnerDied(recovery) = setup.mutex.try_lock().unwrap() else { panic!("it died") };
    drop(recovery);
    let member = setup.region.join();
    let word = member.ident().word();
    member.die(());
    // It held the lock, and had not set the value yet.
    setup.region.poke(setup.word(), word | (3 * DEATH));
    assert_eq!(setup.mutex.try_lock().err(), Some(LockError::Poisoned));
    // The word that it holds it by.
    let me = setup.region.join().ident();
    assert!(mutex::revive(setup.region.mem().word(setup.word()).unwrap(), me));
    assert_eq!(setup.region.peek(setup.word()), me.word() | (3 * DEATH));
}

#[test]
fn fault_06_dead_between_the_release_and_the_wake() {
    let mut setup = setup();
    let member = setup.region.join();
    let mut dying = gains(&member);
    let guard = dying.try_lock().unwrap();
    let region = setup.region.clone();
    let (had, took) = setup.while_asleep(Duration::from_millis(20), is_held, || {
        region.faults.deaf.store(true, Relaxed);
        drop(guard);
    });
    assert!(had && took < SOON, "{took:?}");
}

#[test]
fn fault_07_the_woken_waiter_dies_and_the_next_one_runs() {
    let mut setup = setup();
    let (owner, woken) = (setup.region.join(), setup.region.join());
    let mut first = gains(&owner);
    std::mem::forget(first.try_lock().unwrap());
    let (region, word) = (setup.region.clone(), setup.word());
    let (died, took) = setup.while_asleep(Duration::from_millis(20), is_owner_died, || {
        // The owner unlocked, and the first of the woken locked before the other came to it.
        region.poke(word, woken.ident().word() | WAITERS);
        woken.die(());
    });
    assert!(died && took < SOON, "{took:?}");
}

#[test]
fn fault_08_of_two_survivors_one_gets_the_lock() {
    let region = Region::new(&PLAN);
    let members = [region.join(), region.join(), region.join()];
    for round in 0..100 {
        let dead = region.join();
        let mut dying = gains(&dead);
        std::mem::forget(dying.try_lock().unwrap());
        dead.die(dying);
        let (turn, recoveries) = (std::sync::Barrier::new(members.len()), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for member in &members {
                scope.spawn(|| {
                    let mut mutex = gains(member);
                    turn.wait();
                    match mutex.lock_timeout(LONG).unwrap() {
                        Lock::Held(mut guard) => guard.update(|value| value[0] += 1),
                        Lock::OwnerDied(recovery) => {
                            recoveries.fetch_add(1, Relaxed);
                            recovery.roll_back().ok().unwrap().update(|value| value[0] += 1);
                        }
                    }
                });
            }
        });
        assert_eq!(recoveries.into_inner(), 1, "round {round}");
    }
    let mut mutex = gains(&members[0]);
    assert_eq!(mutex.try_lock().unwrap().or_roll_back().ok().unwrap().get()[0], 300);
}

/// A process that is stopped is not dead: its lock stays held, however long others wait.
#[test]
fn fault_09_the_lock_of_one_who_lives_is_never_taken() {
    let mut setup = setup();
    let slow = setup.region.join();
    let mut owner = gains(&slow);
    let Lock::Held(mut guard) = owner.try_lock().unwrap() else { panic!("nobody died") };
    for policy in [asleep(Duration::from_millis(1)), WaitPolicy::polling(), WaitPolicy::parking()] {
        setup.mutex.set_wait_policy(policy);
        let started = Instant::now();
        let lock = setup.mutex.lock_timeout(Duration::from_millis(60));
        assert_eq!(lock.err(), Some(LockError::TimedOut));
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(60) && took < SOON, "{took:?}");
    }
    guard.set(&[4; 4]);
    guard.unlock().unwrap();
    assert_eq!(setup.next(), ("held", [4; 4]));
}

/// The place of a dead owner is taken by another incarnation: that one owns nothing, and can prove the
/// death as anybody can.
#[test]
fn fault_12_the_next_one_in_a_dead_owners_place_is_not_the_owner() {
    let region = Region::new(&PLAN.participants(1));
    let member = region.join();
    let mut dying = gains(&member);
    std::mem::forget(dying.try_lock().unwrap());
    let dead = member.ident();
    member.die(dying);
    let heir = region.join();
    assert_eq!((heir.ident().place(), heir.ident().epoch()), (dead.place(), dead.epoch() + 1));
    let mut mutex = gains(&heir);
    let Lock::OwnerDied(recovery) = mutex.try_lock().unwrap() else { panic!("another one died") };
    assert_eq!(recovery.from(), dead);
}

/// A thread that ends with the lock in a process that lives: the participant lives, and keeps it.
#[test]
fn fault_14_a_thread_that_ends_with_the_lock_keeps_it() {
    let mut setup = setup();
    let member = setup.region.join();
    std::thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(gains(&member).try_lock().unwrap()));
    });
    assert_eq!(setup.mutex.try_lock().err(), Some(LockError::Busy));
    assert_eq!(gains(&member).try_lock().err(), Some(LockError::Deadlock), "its own knows");
    member.die(());
    assert_eq!(setup.next(), ("died", [0; 4]));
}

/// A misbehaving peer keeps clearing the bit that asks for a wake. A sleeper looks again after the probe
/// period.
#[test]
fn fault_41_the_waiters_bit_is_cleared_for_ever() {
    let mut setup = setup();
    let member = setup.region.join();
    let mut owner = gains(&member);
    let guard = owner.try_lock().unwrap();
    let (region, word, done) = (setup.region.clone(), setup.word(), AtomicBool::new(false));
    let (had, took) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let word = region.mem().word(word).unwrap();
            while !done.load(Relaxed) {
                let seen = word.load(RELAXED);
                let _ = word.compare_exchange(seen, seen & !WAITERS, RELAXED);
                std::thread::yield_now();
            }
        });
        let outcome = setup.while_asleep(Duration::from_millis(20), is_held, || {
            std::thread::sleep(Duration::from_millis(30));
            drop(guard);
        });
        done.store(true, Relaxed);
        outcome
    });
    assert!(had && took < SOON, "{took:?}");
}

/// Every sleep ends at once: the deadlines hold.
#[test]
fn fault_43_endless_wakes_do_not_move_a_deadline() {
    let setup = setup();
    let member = setup.region.join();
    let (mut owner, mut handles) = (gains(&member), [(); 2].map(|()| member.permits("cranes").unwrap()));
    let _guard = owner.try_lock().unwrap();
    let _permits = handles.each_mut().map(|handle| handle.try_acquire().unwrap());
    let survivor = &setup.survivor;
    setup.region.faults.storm.store(true, Relaxed);
    let timeout = Duration::from_millis(50);
    let timed = |wait: &mut dyn FnMut()| {
        let started = Instant::now();
        wait();
        let took = started.elapsed();
        assert!(took >= timeout && took < SOON, "{took:?}");
    };
    let mut mutex = gains(survivor);
    mutex.set_wait_policy(asleep(LONG));
    timed(&mut || assert_eq!(mutex.lock_timeout(timeout).err(), Some(LockError::TimedOut)));
    let mut ticks = survivor.semaphore("ticks").unwrap();
    ticks.set_wait_policy(asleep(LONG));
    timed(&mut || assert_eq!(ticks.acquire_timeout(timeout), Err(SemaphoreError::TimedOut)));
    let mut cranes = survivor.permits("cranes").unwrap();
    cranes.set_wait_policy(asleep(LONG));
    timed(&mut || assert_eq!(cranes.acquire_timeout(timeout).err(), Some(SemaphoreError::TimedOut)));
    let until = || Deadline::after(survivor.port(), timeout);
    timed(&mut || assert_eq!(ticks.acquire_until(until()), Err(SemaphoreError::TimedOut)));
    timed(&mut || assert_eq!(mutex.lock_until(until()).err(), Some(LockError::TimedOut)));
}
