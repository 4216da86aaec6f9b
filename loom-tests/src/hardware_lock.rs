//! Locks of two domains, whose words are changed by a load and a store under a hardware lock.
//!
//! The region's words have no compare-and-swap here, and no ordering of their own: both are the hardware
//! lock's.

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{Attachment, Channel, ChannelError, Lock, LockError, Plan, port::Port as _};

use crate::models;
use crate::mutex::{LONG, Pair, Table, count_up, died, held, open, whole};
use crate::search::{Search, up_to};

models! {
    "it_takes_the_lock" => it_takes_the_lock(),
    "totals/2_domains_2_rounds" => totals(up_to(3), 2),
    "tries/2_domains_2_rounds" => tries(up_to(4), 2),
    "owner_dies" => owner_dies(up_to(2)),
    "semaphore_one_at_a_time" => semaphore_one_at_a_time(up_to(3)),
}

const PLAN: Plan<'static> = Plan::new(&[
    Channel::mutex::<Pair>("m").domains(0, 1),
    Channel::semaphore("s", 1, 1).domains(0, 1),
    Channel::mutex::<Pair>("cell").domains(0, 1),
])
.line(4)
.participants(2);

fn two(region: &Region) -> [Attachment<Port>; 2] {
    [region.join_domain(0, true), region.join_domain(1, true)]
}

fn it_takes_the_lock() {
    up_to(0).check(|| {
        let region = Region::new(&PLAN);
        let here = region.join_domain(0, false);
        assert_eq!(here.mutex::<Pair>("m").err(), Some(ChannelError::NoCommonAtomics));
        assert_eq!(here.semaphore("s").err(), Some(ChannelError::NoCommonAtomics));
    });
}

fn all(turn: impl Fn(Table) + Clone + Send + 'static, total: u32) {
    let region = Region::new(&PLAN);
    let [here, there] = two(&region);
    let (mut mutex, mine, theirs) = (open(&here), open(&here), open(&there));
    let other = turn.clone();
    let thread = thread::spawn(move || other(theirs));
    turn(mine);
    thread.join().unwrap();
    let guard = held(mutex.try_lock());
    assert_eq!((whole(guard.get()), guard.version(), guard.takeovers()), (total, total, 0));
}

/// Sleeping for the lock, on its word. Up to three preemptions.
///
/// ```text
///   core of one domain                    core of the other
///   hardware lock                         hardware lock
///   word: 0? then me                      word: 0? no, the other: WAITERS too
///   hardware unlock                       hardware unlock, sleep
///   value + 1
///   hardware lock, word: 0, unlock, wake
/// ```
fn totals(search: Search, rounds: u32) {
    search.check(move || {
        all(
            move |mut mutex| {
                for _ in 0..rounds {
                    let mut guard = held(mutex.lock_timeout(LONG));
                    count_up(&mut guard);
                    guard.unlock().unwrap();
                }
            },
            2 * rounds,
        );
    });
}

/// The same without sleep. Up to four preemptions.
fn tries(search: Search, rounds: u32) {
    search.check(move || {
        all(
            move |mut mutex| {
                for _ in 0..rounds {
                    loop {
                        match mutex.try_lock() {
                            Ok(lock) => break assert!(count_up(&mut held(Ok(lock))) > 0),
                            Err(error) => assert_eq!(error, LockError::Busy),
                        }
                        thread::yield_now();
                    }
                }
            },
            2 * rounds,
        );
    });
}

/// Death at any access, those under the hardware lock included, which its end frees. Up to two
/// preemptions.
///
/// ```text
///   core that dies                        survivor of the other domain
///   hardware lock, word, unlock           hardware lock
///   value + 1                             word: the dead one's? then me, one death
///   hardware lock, word, unlock           hardware unlock
/// ```
fn owner_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&PLAN);
        let [here, there] = two(&region);
        let (port, mut mutex, mut survivor) = (there.port().clone(), open(&there), open(&here));
        let victim = thread::spawn(move || {
            let turn = || {
                let mut guard = held(mutex.lock_timeout(LONG));
                count_up(&mut guard);
                guard.unlock().unwrap();
            };
            death.run(&port, turn).is_err()
        });
        let mut survive = || match survivor.try_lock() {
            Ok(Lock::Held(guard)) => (false, Some(whole(guard.get()))),
            Err(error) => (false, error.ne(&LockError::Busy).then_some(u32::MAX)),
            died_with_it => {
                let guard = died(died_with_it).roll_back().map_err(|_| ());
                (true, Some(whole(guard.expect("nothing was edited in place").get())))
            }
        };
        // Once while the victim lives or dies, and once after.
        let (early, _) = survive();
        let dead = victim.join().unwrap();
        let (late, counted) = survive();
        assert!(counted == Some(1) || dead && counted == Some(0));
        assert!(dead || !early && !late);
    });
}

/// The work under a permit is done by one at a time, and seen by the next. Up to three preemptions.
fn semaphore_one_at_a_time(search: Search) {
    search.check(|| {
        let region = Region::new(&PLAN);
        let members = two(&region);
        let ends = members.map(|at| {
            let cell = at.channel("cell").expect("the plan has it").data;
            let cell = at.port().mem().span(cell, 4).expect("it is inside");
            (at.semaphore("s").expect("there is a hardware lock"), cell)
        });
        let threads = ends.map(|(mut semaphore, cell)| {
            thread::spawn(move || {
                semaphore.acquire_timeout(LONG).unwrap();
                let mut bytes = [0; 4];
                cell.read(0, &mut bytes);
                cell.write(0, &(u32::from_le_bytes(bytes) + 1).to_le_bytes());
                semaphore.release(1).unwrap();
                cell
            })
        });
        let [cell, _] = threads.map(|thread| thread.join().unwrap());
        let mut bytes = [0; 4];
        cell.read(0, &mut bytes);
        assert_eq!(u32::from_le_bytes(bytes), 2);
    });
}
