//! Locks: a mutex has one owner and the value that was set last, also after its owner's death; a semaphore
//! counts; permits come back from the dead.

use strait_core::{
    Channel, Guard, Lock, LockError, Mutex, Permits, Plan, Recovery, Semaphore, SemaphoreError, UnlockError,
    format::{RecoverError, Recovered},
};

use super::MOST;
use crate::input::Input;
use crate::world::{FuzzPort, Member, POLICY, Region, SOON};

type Value = [u32; 4];

const MOST_COUNT: u32 = 5;
const PERMITS: u32 = 3;
/// Participants that take part at once.
const MEMBERS: usize = 3;

/// The model of the mutex.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Free,
    /// Its owner died with it, perhaps while it was editing in place; the number of deaths since the data were
    /// whole.
    Orphaned {
        in_place: bool,
        deaths: u32,
    },
    Poisoned,
}

/// After this many deaths without a repair between them, a mutex is given up.
const MOST_DEATHS: u32 = 4;

/// The expected state of all of it.
struct Model {
    state: State,
    value: Value,
    version: u32,
    takeovers: u32,
    count: u32,
    /// Permits that living ones hold, by their word.
    permits: [Option<u32>; PERMITS as usize],
}

struct Hands<'r> {
    mutex: Mutex<Value, FuzzPort<'r>>,
    semaphore: Semaphore<FuzzPort<'r>>,
    permits: Permits<FuzzPort<'r>>,
}

fn hands<'r>(member: &Member<'r>) -> Hands<'r> {
    let mut hands = Hands {
        mutex: member.mutex("m").expect("a mutex"),
        semaphore: member.semaphore("s").expect("a semaphore"),
        permits: member.permits("p").expect("permits"),
    };
    hands.mutex.set_wait_policy(POLICY);
    hands.semaphore.set_wait_policy(POLICY);
    hands.permits.set_wait_policy(POLICY);
    hands
}

/// Takes the lock over from a dead owner; `None` if it is not held afterwards. The flag says whether this
/// owner dies as well.
fn take_over<'m, 'r>(
    recovery: Recovery<'m, Value, FuzzPort<'r>>,
    (in_place, deaths): (bool, u32),
    model: &mut Model,
    input: &mut Input<'_>,
) -> (Option<Guard<'m, Value, FuzzPort<'r>>>, bool) {
    model.takeovers = model.takeovers.wrapping_add(1);
    assert_eq!(recovery.was_in_place(), in_place);
    if !in_place {
        assert_eq!(recovery.get(), model.value);
    }
    let value = [input.edge(); 4];
    let guard = match input.below(5) {
        0 => match recovery.roll_back() {
            Ok(guard) => {
                assert!(!in_place, "there is nothing to roll back to");
                Some(guard)
            }
            Err(recovery) => {
                assert!(in_place);
                drop(recovery);
                None
            }
        },
        1 => {
            let guard = recovery.repair(|found| *found = value).expect("it is ours");
            model.value = value;
            Some(guard)
        }
        2 => {
            let guard = recovery.mark_consistent().expect("it is ours");
            if in_place {
                model.value = guard.get();
            }
            Some(guard)
        }
        3 => {
            std::mem::forget(recovery);
            model.state = State::Orphaned { in_place, deaths: deaths + 1 };
            return (None, true);
        }
        _ => {
            drop(recovery);
            None
        }
    };
    match &guard {
        Some(guard) => model.version = guard.version(),
        None => model.state = State::Poisoned,
    }
    (guard, false)
}

/// Locks, changes the value, and unlocks or dies; `true` if the owner died with the lock.
fn lock(hands: &mut Hands<'_>, region: &Region, model: &mut Model, input: &mut Input<'_>) -> bool {
    let locked = if input.flag() { hands.mutex.lock_timeout(SOON) } else { hands.mutex.try_lock() };
    let guard = match (locked, model.state) {
        (Ok(Lock::Held(guard)), State::Free) => guard,
        (Ok(Lock::OwnerDied(recovery)), State::Orphaned { in_place, deaths }) if deaths < MOST_DEATHS => {
            match take_over(recovery, (in_place, deaths), model, input) {
                (Some(guard), _) => guard,
                (None, dies) => return dies,
            }
        }
        (Err(LockError::Poisoned), State::Orphaned { deaths: MOST_DEATHS, .. } | State::Poisoned) => {
            model.state = State::Poisoned;
            return false;
        }
        (Ok(Lock::Held(_)), state) => panic!("locked, where it should be {state:?}"),
        (Ok(Lock::OwnerDied(_)), state) => panic!("taken over, where it should be {state:?}"),
        (Err(error), state) => panic!("{error}, where it should be {state:?}"),
    };
    model.state = State::Free;
    use_lock(guard, region, model, input)
}

fn reinitialise(hands: &mut Hands<'_>, region: &Region, model: &mut Model, input: &mut Input<'_>) -> bool {
    let value = [input.edge(); 4];
    let Some(guard) = hands.mutex.reinitialise(&value) else {
        assert_ne!(model.state, State::Poisoned, "it was given up");
        return false;
    };
    assert_eq!(model.state, State::Poisoned, "it was not given up");
    model.state = State::Free;
    (model.value, model.version) = (value, guard.version());
    // So that who gave the lock up has another fencing token than who makes it anew.
    model.takeovers = model.takeovers.wrapping_add(1);
    use_lock(guard, region, model, input)
}

/// Uses a lock that is held; `true` if its owner dies with it.
fn use_lock(
    mut guard: Guard<'_, Value, FuzzPort<'_>>,
    region: &Region,
    model: &mut Model,
    input: &mut Input<'_>,
) -> bool {
    let value = [input.edge(); 4];
    assert_eq!((guard.get(), guard.version()), (model.value, model.version));
    assert_eq!(guard.takeovers(), model.takeovers);
    for _ in 0..input.below(3) {
        guard.set(&value);
        (model.value, model.version) = (value, model.version.wrapping_add(1));
        assert_eq!((guard.get(), guard.version()), (model.value, model.version));
    }
    if input.flag() {
        let changed = guard.update(|found| {
            found[0] ^= 1;
            *found
        });
        (model.value, model.version) = (changed, model.version.wrapping_add(1));
    }
    let mut during = None;
    if input.flag() {
        let (at, bytes) = (input.below(18), input.bytes(20));
        guard.edit_in_place(|edit| {
            let written = edit.write(at, bytes);
            assert_eq!(written, bytes.len().min(16_usize.saturating_sub(at)));
            during = Some(region.bytes());
        });
        assert_ne!(guard.version(), model.version, "an edit changes the version");
        (model.value, model.version) = (guard.get(), guard.version());
    }
    match input.below(4) {
        0 => assert_eq!(guard.unlock(), Ok::<(), UnlockError>(())),
        1 => drop(guard),
        2 => {
            std::mem::forget(guard);
            model.state = State::Orphaned { in_place: false, deaths: 1 };
            return true;
        }
        _ => {
            std::mem::forget(guard);
            // It died in the middle of the edit, if there was one: the memory is as it was then.
            if let Some(bytes) = &during {
                region.put_back(bytes);
            }
            model.state = State::Orphaned { in_place: during.is_some(), deaths: 1 };
            return true;
        }
    }
    false
}

fn count(hands: &mut Hands<'_>, model: &mut Model, input: &mut Input<'_>) {
    assert_eq!(hands.semaphore.count(), model.count);
    if input.flag() {
        let more = input.below(4) as u32;
        let fits = model.count + more <= MOST_COUNT;
        match hands.semaphore.release(more) {
            Ok(()) => assert!(fits),
            Err(error) => assert!(error == SemaphoreError::Overflow && !fits),
        }
        model.count += if fits { more } else { 0 };
    } else {
        let waits = input.flag();
        let result =
            if waits { hands.semaphore.acquire_timeout(SOON) } else { hands.semaphore.try_acquire() };
        let none = if waits { SemaphoreError::TimedOut } else { SemaphoreError::Empty };
        assert_eq!(result, if model.count > 0 { Ok(()) } else { Err(none) });
        model.count = model.count.saturating_sub(1);
    }
}

/// The work of a tool that frees locks of the dead.
fn recover(member: &Member<'_>, model: &mut Model) {
    match (member.recover_mutex("m"), model.state) {
        (Ok(Recovered::WasFree), State::Free)
        | (Err(RecoverError::Poisoned), State::Poisoned)
        | (Err(RecoverError::InPlace { .. }), State::Orphaned { in_place: true, .. }) => {}
        (Err(RecoverError::Poisoned), State::Orphaned { deaths: MOST_DEATHS, .. }) => {
            model.state = State::Poisoned;
        }
        (Ok(Recovered::RolledBack { .. }), State::Orphaned { in_place: false, deaths }) => {
            assert!(deaths < MOST_DEATHS);
            model.state = State::Free;
            model.takeovers = model.takeovers.wrapping_add(1);
        }
        (recovered, state) => panic!("{recovered:?} where it should be {state:?}"),
    }
}

/// Takes a permit, and gives it back, or keeps it until death.
fn permit(hands: &mut Hands<'_>, me: u32, model: &mut Model, input: &mut Input<'_>) {
    let keeps = input.flag();
    match hands.permits.try_acquire() {
        Ok(permit) => {
            let index = permit.index() as usize;
            assert_eq!(model.permits[index], None, "two have permit {index}");
            if keeps {
                std::mem::forget(permit);
                model.permits[index] = Some(me);
            } else {
                assert_eq!(permit.release(), Ok(()));
            }
        }
        Err(error) => {
            assert_eq!(error, SemaphoreError::Empty);
            assert!(model.permits.iter().all(Option::is_some), "a permit is free, or its holder dead");
        }
    }
}

/// One run.
pub(super) fn run(input: &mut Input<'_>) {
    let channels = [
        Channel::mutex::<Value>("m").consumer_may_block(),
        Channel::semaphore("s", 2, MOST_COUNT),
        Channel::permits("p", PERMITS),
    ];
    let region = Region::new(&Plan::new(&channels).line([4, 64][input.below(2)]).participants(4));
    let mut members: [Member<'_>; MEMBERS] = [(); MEMBERS].map(|()| region.join());
    let mut all = [0, 1, 2].map(|i| hands(&members[i]));
    let mut model = Model {
        state: State::Free,
        value: [0; 4],
        version: 0,
        takeovers: 0,
        count: 2,
        permits: [None; PERMITS as usize],
    };
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let who = input.below(MEMBERS);
        let mut dies = false;
        match input.below(8) {
            0 | 1 => dies = lock(&mut all[who], &region, &mut model, input),
            2 => dies = reinitialise(&mut all[who], &region, &mut model, input),
            3 => count(&mut all[who], &mut model, input),
            4 | 5 => permit(&mut all[who], members[who].ident().word(), &mut model, input),
            6 => recover(&members[who], &mut model),
            _ => dies = true,
        }
        if dies {
            let dead = std::mem::replace(&mut members[who], region.join());
            let word = dead.ident().word();
            let old = std::mem::replace(&mut all[who], hands(&members[who]));
            dead.die(old);
            for holder in &mut model.permits {
                if *holder == Some(word) {
                    *holder = None;
                }
            }
        }
        region.check();
    }
}
