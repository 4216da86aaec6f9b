//! A kernel or a sandbox that refuses the futex: waiting works, and does not burn the processor that the peer may
//! need. (Kernels of 32 bits without the old call, and memory of devices, are like that.)
#![cfg(all(target_os = "linux", target_endian = "little"))]

mod common;

use std::time::{Duration, Instant};

use common::{Helper, Name, role_for_a_while, say, skip};
use nix::libc::{self, sock_filter, sock_fprog};
use nix::time::{ClockId, clock_gettime};
use strait_core::{Channel, Plan};
use strait_os::{RegionName, RegionOptions};

const BLOCKING: Plan = Plan::new(&[Channel::frames("commands", 4096, 256).consumer_may_block()]);
const WAIT: Duration = Duration::from_millis(500);

#[test]
fn waiting_without_a_futex_sleeps() {
    let name = Name::new();
    let mut helper = Helper::start("wait", &name.0);
    let said = helper.hear();
    if said.starts_with("no filter") {
        return skip("waiting_without_a_futex_sleeps", &said);
    }
    assert_eq!(said, "waited: true, slept: true");
    assert_eq!(helper.hear(), "received: true");
}

/// From here on the kernel refuses FUTEX_WAIT and FUTEX_WAKE; the standard library uses others.
fn refuse_futex() -> std::io::Result<()> {
    let op = |code: u32, k: u32, jt: u8, jf: u8| sock_filter { code: code as u16, jt, jf, k };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let mut filter = [
        op(load, 0, 0, 0), // The call's number.
        op(equal, libc::SYS_futex as u32, 0, 4),
        op(load, 24, 0, 0), // The low half of its second argument.
        op(equal, libc::FUTEX_WAIT as u32, 1, 0),
        op(equal, libc::FUTEX_WAKE as u32, 0, 1),
        op(answer, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32, 0, 0),
        op(answer, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the calls take numbers, and a program that is a local.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as above. It is of this thread, and of those that it starts.
    if unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a clock").into()
}

#[test]
fn helper() {
    let Some((_, name)) = role_for_a_while() else { return };
    if let Err(why) = refuse_futex() {
        return say(&format!("no filter: {why}"));
    }
    let name = RegionName::new(&name).expect("a name");
    let region = name.create(&BLOCKING, &RegionOptions::new()).expect("create");
    let mut producer = region.producer("commands").expect("the role");
    let mut consumer = region.consumer("commands").expect("the role");
    let (start, before) = (Instant::now(), processor_time());
    let empty = consumer.recv_timeout(&mut [0; 256], WAIT).is_err();
    let slept = processor_time() - before < WAIT / 4;
    say(&format!("waited: {}, slept: {slept}", empty && start.elapsed() >= WAIT));
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        producer.try_send(1, b"awake").expect("room");
    });
    say(&format!("received: {}", consumer.recv_timeout(&mut [0; 256], 10 * WAIT).is_ok()));
}
