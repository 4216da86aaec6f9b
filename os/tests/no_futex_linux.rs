//! A kernel or a sandbox that refuses calls of the futex: waiting works, and does not burn the processor that the peer may
//! need. (Kernels of 32 bits without the old call, older profiles of containers, and memory of devices are like that.)
#![cfg(all(target_os = "linux", target_endian = "little"))]

mod common;

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Helper, Name, role_for_a_while, say, skip};
use nix::libc::{self, sock_filter, sock_fprog};
use nix::time::{ClockId, clock_gettime};
use strait_core::{Channel, Plan, WaitPolicy, wait_any};
use strait_os::linux::PiMutex;
use strait_os::{Region, RegionName, RegionOptions};

const PLAN: Plan = Plan::new(&[
    Channel::frames("commands", 4096, 256).consumer_may_block(),
    Channel::slots::<u32>("steps", 4).consumer_may_block(),
    Channel::latest::<u32>("angle").consumer_may_block(),
    Channel::semaphore("ticks", 0, 4),
    Channel::permits("buses", 1).consumer_may_block(),
    Channel::mutex::<u32>("state"),
]);
const WAIT: Duration = Duration::from_millis(400);

/// The call with times of 64 bits, of machines of 32 bits; no call elsewhere.
const FUTEX_TIME64: u32 = 422;
/// The call for several words.
const FUTEX_WAITV: u32 = 449;

/// What is refused: calls, operations of the first two of them, and how.
struct Refusal {
    name: &'static str,
    calls: &'static [u32],
    operations: &'static [i32],
    error: i32,
}

const SLEEPS: &[i32] = &[libc::FUTEX_WAIT, libc::FUTEX_WAKE];
const ALL: &[i32] = &[
    libc::FUTEX_WAIT,
    libc::FUTEX_WAKE,
    libc::FUTEX_LOCK_PI,
    libc::FUTEX_LOCK_PI2,
    libc::FUTEX_TRYLOCK_PI,
    libc::FUTEX_UNLOCK_PI,
];
const FUTEX: u32 = libc::SYS_futex as u32;

/// The standard library uses other operations of the futex, so it goes on. On machines of 64 bits there is one call for one
/// word, and so the rows of the two are alike.
const REFUSALS: &[Refusal] = &[
    Refusal { name: "old", calls: &[FUTEX], operations: SLEEPS, error: libc::ENOSYS },
    Refusal { name: "new", calls: &[FUTEX_TIME64], operations: SLEEPS, error: libc::ENOSYS },
    Refusal { name: "both", calls: &[FUTEX, FUTEX_TIME64], operations: SLEEPS, error: libc::ENOSYS },
    Refusal { name: "both-eperm", calls: &[FUTEX, FUTEX_TIME64], operations: SLEEPS, error: libc::EPERM },
    Refusal { name: "several", calls: &[FUTEX_WAITV], operations: &[], error: libc::ENOSYS },
    Refusal { name: "several-eperm", calls: &[FUTEX_WAITV], operations: &[], error: libc::EPERM },
    Refusal { name: "all", calls: &[FUTEX, FUTEX_TIME64, FUTEX_WAITV], operations: ALL, error: libc::ENOSYS },
    Refusal {
        name: "all-eperm",
        calls: &[FUTEX, FUTEX_TIME64, FUTEX_WAITV],
        operations: ALL,
        error: libc::EPERM,
    },
];

/// The waits, by the names of which a helper tells how they went.
const WAITS: [&str; 7] = ["queue", "latest", "any", "semaphore", "permits", "mutex", "PiMutex"];

#[test]
fn waiting_without_a_futex_sleeps() {
    // Beside each other, for the time is that of their processors.
    let start = |refusal: &'static Refusal| {
        let name = Name::new();
        let helper = Helper::start(refusal.name, &name.0);
        (refusal, name, helper)
    };
    let mut all: Vec<_> = REFUSALS.iter().map(start).collect();
    for (refusal, _, helper) in &mut all {
        for wait in WAITS {
            let said = helper.hear();
            if said.starts_with("no filter") {
                return skip("waiting_without_a_futex_sleeps", &said);
            }
            assert_eq!(said, format!("{wait}: waited: true, slept: true, woken: true"), "{}", refusal.name);
        }
    }
}

/// From here on the kernel refuses that.
fn refuse(refusal: &Refusal) -> std::io::Result<()> {
    let op = |code: u32, k: u32, jt: usize, jf: usize| sock_filter {
        code: code as u16,
        jt: jt as u8,
        jf: jf as u8,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let (calls, operations) = (refusal.calls.len(), refusal.operations.len());
    let mut filter = vec![op(load, 0, 0, 0)]; // The call's number.
    for (i, &call) in refusal.calls.iter().enumerate() {
        // To the operations, which are behind the other calls and what lets the rest through; or past them too.
        let rest = calls - i - 1;
        let to_refusal = if call == FUTEX_WAITV { operations + 2 } else { 0 };
        filter.push(op(equal, call, rest + 1 + to_refusal, 0));
    }
    filter.push(op(answer, libc::SECCOMP_RET_ALLOW, 0, 0));
    filter.push(op(load, 24, 0, 0)); // The low half of its second argument.
    for (i, &operation) in refusal.operations.iter().enumerate() {
        filter.push(op(equal, operation as u32, operations - i, 0));
    }
    filter.push(op(answer, libc::SECCOMP_RET_ALLOW, 0, 0));
    filter.push(op(answer, libc::SECCOMP_RET_ERRNO | refusal.error as u32, 0, 0));
    let program = sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the calls take numbers, and a program that is a local.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as above. It is of this thread, and of those that it starts.
    if unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    for &call in refusal.calls {
        let word = 0_u32;
        let operation = refusal.operations.first().copied().unwrap_or(0);
        // SAFETY: if it were not refused it would return at once, for the word is another one, and the waiters are none.
        let result = unsafe { libc::syscall(call as libc::c_long, &raw const word, operation, 1, 0, 0) };
        let error = std::io::Error::last_os_error().raw_os_error();
        assert_eq!((result, error), (-1, Some(refusal.error)), "{}: call {call}", refusal.name);
    }
    Ok(())
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a clock").into()
}

/// Waits in vain, and then for what `wake` does a while later; tells how that went.
fn tell(what: &str, mut wait: impl FnMut(Duration) -> bool, wake: impl FnOnce() + Send) {
    let (start, before) = (Instant::now(), processor_time());
    let in_vain = !wait(WAIT);
    let (waited, used) = (start.elapsed(), processor_time() - before);
    let woken = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            wake();
        });
        wait(10 * WAIT)
    });
    let (waited, slept) = (in_vain && waited >= WAIT, used < WAIT / 4);
    say(&format!("{what}: waited: {waited}, slept: {slept}, woken: {woken}"));
}

fn wait_everywhere(region: &Region, other: &Region) {
    let mut producer = region.producer("commands").expect("the role");
    let mut consumer = region.consumer("commands").expect("the role");
    let mut steps = region.typed_consumer::<u32>("steps").expect("the role");
    let mut angle = region.latest_reader::<u32>("angle").expect("there");
    let mut writer = other.latest_writer::<u32>("angle").expect("the role");
    let mut queue = |time| consumer.recv_timeout(&mut [0; 256], time).is_ok();
    tell("queue", &mut queue, || producer.try_send(1, b"awake").expect("room"));
    let mut latest = |time| angle.wait_for_change(time).value().is_some();
    tell("latest", &mut latest, || writer.publish(&1));
    let mut any = |time| {
        let receivers: &mut [&mut dyn strait_core::Waitable] = &mut [&mut steps, &mut consumer, &mut angle];
        wait_any(region.port(), receivers, WaitPolicy::parking(), time).is_ok()
    };
    tell("any", &mut any, || producer.try_send(1, b"awake").expect("room"));
    let mut semaphore = region.semaphore("ticks").expect("there");
    let mut theirs = other.semaphore("ticks").expect("there");
    tell("semaphore", |time| semaphore.acquire_timeout(time).is_ok(), || theirs.release(1).expect("room"));
}

/// Waits for what a thread of the other participant holds.
fn wait_for_holders(region: &Region, other: &Region) {
    let mut permits = region.permits("buses").expect("there");
    let mut mutex = region.mutex::<u32>("state").expect("there");
    std::thread::scope(|scope| {
        let (held, is_held) = channel();
        let (go, gone) = channel::<()>();
        scope.spawn(move || {
            let mut permits = other.permits("buses").expect("there");
            let permit = permits.try_acquire();
            held.send(permit.is_ok()).expect("heard");
            let _ = gone.recv();
        });
        assert!(is_held.recv().expect("said"));
        tell("permits", |time| permits.acquire_timeout(time).is_ok(), || drop(go));
    });
    std::thread::scope(|scope| {
        let (held, is_held) = channel();
        let (go, gone) = channel::<()>();
        scope.spawn(move || {
            let mut mutex = other.mutex::<u32>("state").expect("there");
            let guard = mutex.try_lock();
            held.send(guard.is_ok()).expect("heard");
            let _ = gone.recv();
        });
        assert!(is_held.recv().expect("said"));
        tell("mutex", |time| mutex.lock_timeout(time).is_ok(), || drop(go));
    });
}

/// A mutex of the kernel's, that was opened before the refusal. Where its own operations are refused it says so, soon or
/// in time, and does not burn the processor either.
fn wait_for_pi(mut ours: PiMutex, mut theirs: PiMutex, is_refused: bool) {
    std::thread::scope(|scope| {
        let (held, is_held) = channel();
        let (go, gone) = channel::<()>();
        scope.spawn(move || {
            let guard = theirs.try_lock();
            held.send(guard.is_ok()).expect("heard");
            let _ = gone.recv();
        });
        assert!(is_held.recv().expect("said"));
        if !is_refused {
            return tell("PiMutex", |time| ours.lock_timeout(time).is_ok(), || drop(go));
        }
        let before = processor_time();
        let refused = ours.lock_timeout(WAIT).is_err();
        let slept = processor_time() - before < WAIT / 4;
        say(&format!("PiMutex: waited: {refused}, slept: {slept}, woken: true"));
        drop(go);
    });
}

#[test]
fn helper() {
    let Some((role, name)) = role_for_a_while() else { return };
    let refusal = REFUSALS.iter().find(|refusal| refusal.name == role).expect("a refusal");
    let options = RegionOptions::new();
    let pi = format!("{name}-pi");
    let mutexes = [(); 2].map(|()| PiMutex::named(&pi, &options).expect("a mutex"));
    if let Err(why) = refuse(refusal) {
        return say(&format!("no filter: {why}"));
    }
    let name = RegionName::new(&name).expect("a name");
    let region = name.create(&PLAN, &options).expect("create");
    let other = name.open(&options).expect("open");
    wait_everywhere(&region, &other);
    wait_for_holders(&region, &other);
    let [ours, theirs] = mutexes;
    wait_for_pi(ours, theirs, refusal.operations.len() > SLEEPS.len());
    let _ = PiMutex::remove(&pi);
}
