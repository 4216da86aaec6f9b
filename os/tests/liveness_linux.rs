//! Forks, namespaces and descriptors: what must not pass for life or death on Linux. Numbers are those of the fault list.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{
    Helper, Name, PLAN, Scratch, eventually, hear, hold, ident, in_pid_namespace, own_mounts, path_of, probe,
    role_for_a_while, say, skip, stay, told_file,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{ForkResult, Pid, fork};
use strait_core::port::{Ident, Liveness, Port, Probe};
use strait_os::{RegionFile, RegionOptions, SealedRegion};

#[test]
fn starting_is_not_dead() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &RegionOptions::new()).expect("create");
    let other = name.region().open(&RegionOptions::new()).expect("open");
    let unpublished = Ident::new(17, 3).expect("an identity");
    assert_eq!(probe(&ours, unpublished), Probe::Dead, "nobody has it");
    // SAFETY: released below, and published by nobody.
    unsafe { other.port().acquire(unpublished) }.expect("free");
    assert_eq!(probe(&ours, unpublished), Probe::Alive, "token taken, nothing published");
    // SAFETY: nobody was opened as it.
    unsafe { other.port().release(unpublished) };
    assert_eq!(probe(&ours, unpublished), Probe::Dead);
}

/// Takes the shared lock on so many bytes, as a description that may only read can.
#[cfg(target_pointer_width = "64")]
fn lock_as_reader(reader: &std::fs::File, start: i64, len: i64) {
    use nix::fcntl::{FcntlArg, fcntl};
    let mut lock = nix::libc::flock { l_type: 0, l_whence: 0, l_start: start, l_len: len, l_pid: 0 };
    lock.l_type = nix::libc::F_RDLCK as _;
    fcntl(reader, FcntlArg::F_OFD_SETLK(&lock)).expect("the lock");
}

#[test]
#[cfg(target_pointer_width = "64")]
fn fault_130_a_lock_of_a_reader_is_no_sign_of_life() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("hold", path_of(&region));
    let theirs = helper.hear_ident();
    helper.kill();
    let reader = std::fs::File::open(path_of(&region)).expect("for reading");
    lock_as_reader(&reader, (1 << 40) + i64::from(theirs.word()), 1);
    assert_eq!(probe(&ours, theirs), Probe::Dead);
    assert_eq!(probe(&ours, ident(&ours)), Probe::Alive);
    // It can keep others out, which is why a mode that lets others only read has to be allowed: see `regions_unix`. The
    // error says what is in the way.
    lock_as_reader(&reader, 1 << 41, 1 << 41);
    let error = region.open(&RegionOptions::new()).err().expect("refused").to_string();
    assert!(error.contains("another process has locked"), "{error}");
    drop(reader);
    region.open(&RegionOptions::new()).expect("open");
}

#[test]
fn siblings_that_come_and_go_never_read_each_other_as_dead() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let sibling = region.open(&RegionOptions::new()).expect("open");
                    assert_eq!(probe(&ours, ident(&sibling)), Probe::Alive);
                    assert_eq!(probe(&sibling, ident(&sibling)), Probe::Alive, "itself");
                    assert_eq!(probe(&sibling, ident(&ours)), Probe::Alive);
                }
            });
        }
    });
}

#[test]
fn fault_09_a_stopped_process_is_alive_and_goes_on() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("hold", path_of(&region));
    let theirs = helper.hear_ident();
    helper.signal(Signal::SIGSTOP);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(probe(&ours, theirs), Probe::Alive);
    helper.signal(Signal::SIGCONT);
    assert_eq!(probe(&ours, theirs), Probe::Alive);
}

#[test]
fn fault_10_a_forked_child_does_not_pass_for_its_parent() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("fork", path_of(&region));
    let parent = helper.hear_ident();
    let child = Pid::from_raw(helper.hear().parse().expect("a number"));
    assert_eq!(helper.hear(), "forked: true, somebody: false, refused: true, parent: Alive");
    assert_eq!(helper.hear(), "handle dropped, region opened anew");
    let anew = helper.hear_ident();
    assert_eq!(probe(&ours, parent), Probe::Alive, "the child's drop is not the parent's");
    assert_eq!(probe(&ours, anew), Probe::Alive);
    helper.kill();
    assert_eq!(probe(&ours, parent), Probe::Dead);
    assert!(kill(child, None).is_ok(), "the child has outlived its parent");
    assert_eq!(probe(&ours, anew), Probe::Alive, "and is somebody of its own");
    kill(child, Signal::SIGKILL).expect("it is there");
    assert!(eventually(|| probe(&ours, anew) == Probe::Dead));
}

/// The parent's side and the child's side of the test above.
fn fork_role(path: &str) {
    let attached = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
    let me = ident(&attached);
    say(&me.word().to_string());
    // SAFETY: the only other thread of this process waits for this one; the C library keeps its
    // allocator usable in the child.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { .. } => stay(),
        ForkResult::Child => {
            let port = attached.port();
            // SAFETY: it is refused.
            let acquired = unsafe { port.acquire(Ident::new(40, 1).expect("an identity")) };
            say(&std::process::id().to_string());
            say(&format!(
                "forked: {}, somebody: {}, refused: {}, parent: {:?}",
                port.forked(),
                port.ident().is_some(),
                acquired.is_err(),
                port.probe(me),
            ));
            drop(attached);
            let anew = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
            say("handle dropped, region opened anew");
            say(&ident(&anew).word().to_string());
            stay()
        }
    }
}

#[test]
fn fault_10_a_forked_child_cannot_disturb_its_parents_roles() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("fork-producer", path_of(&region));
    assert_eq!(helper.hear(), "child: sent, stored, dropped");
    assert!(ours.producer("commands").is_err(), "the parent still has the role");
    helper.tell("go");
    assert_eq!(helper.hear(), "parent: sent");
    let mut rx = ours.consumer("commands").expect("the role");
    let mut buffer = [0; 256];
    let got: Vec<_> = std::iter::from_fn(|| rx.try_recv(&mut buffer).ok()).collect();
    let tags: Vec<_> = got.iter().map(|frame| (frame.tag, frame.sequence)).collect();
    assert_eq!(tags, [(1, 0), (2, 1)], "nothing of the child's");
    assert_eq!(ours.port().mem().setup_read(4096), 0);
}

fn fork_producer_role(path: &str) {
    let attached = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
    let mut tx = attached.producer("commands").expect("the role");
    tx.try_send(1, b"before").expect("space");
    // SAFETY: as in the role above.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("its end");
            hear();
            tx.try_send(2, b"after").expect("space");
            say("parent: sent");
            hear();
        }
        ForkResult::Child => {
            let _ = tx.try_send(99, b"of the child");
            attached.port().mem().setup_write(4096, 99);
            drop(tx);
            drop(attached);
            say("child: sent, stored, dropped");
            std::process::exit(0);
        }
    }
}

#[test]
fn children_made_while_regions_are_being_opened_keep_none_of_them_alive() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN.participants(HANDLES + 1), &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("fork-storm", path_of(&region));
    let children: Vec<Pid> =
        (0..CHILDREN).map(|_| Pid::from_raw(helper.hear().parse().expect("a number"))).collect();
    assert_eq!(helper.hear(), "opened");
    let alive = || {
        let others = (1..=HANDLES + 1).filter_map(|slot| Ident::new(slot, 1));
        others.filter(|&who| who != ident(&ours) && probe(&ours, who) == Probe::Alive).count()
    };
    assert_eq!(alive(), HANDLES as usize);
    helper.kill();
    // A child gives the tokens up before `fork` returns in it, which may be after the parent's end.
    let all_dead = eventually(|| alive() == 0);
    for child in children {
        kill(child, Signal::SIGKILL).expect("it is there");
    }
    assert!(all_dead, "tokens that only the children could hold");
}

const HANDLES: u32 = 200;
const CHILDREN: usize = 20;

fn fork_storm_role(path: &str) {
    let region = RegionFile::new(path);
    let opener = std::thread::spawn(move || {
        let open = |_| region.open(&RegionOptions::new()).expect("the region");
        (0..HANDLES).map(open).collect::<Vec<_>>()
    });
    for _ in 0..CHILDREN {
        // SAFETY: the child makes system calls alone.
        match unsafe { fork() }.expect("a child") {
            ForkResult::Child => stay(),
            ForkResult::Parent { child } => say(&child.to_string()),
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    let handles = opener.join().expect("all of them");
    say("opened");
    hear();
    drop(handles);
}

#[test]
fn fault_10_a_program_started_by_a_dead_process_does_not_keep_it_alive() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("start-sleep", path_of(&region));
    let theirs = helper.hear_ident();
    let sleeper = Pid::from_raw(helper.hear().parse().expect("a number"));
    helper.kill();
    // A new program's descriptors are closed just after its start is reported.
    assert!(eventually(|| probe(&ours, theirs) == Probe::Dead));
    assert!(kill(sleeper, None).is_ok(), "it has outlived the process that started it");
    kill(sleeper, Signal::SIGKILL).expect("it is there");
}

#[test]
fn a_process_that_executes_another_program_is_dead() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("become-sleep", path_of(&region));
    let theirs = helper.hear_ident();
    assert_eq!(probe(&ours, theirs), Probe::Alive);
    helper.tell("go");
    assert!(eventually(|| probe(&ours, theirs) == Probe::Dead));
    assert!(kill(helper.pid(), None).is_ok(), "the process is still there, as another program");
}

#[test]
fn fault_11_closing_another_descriptor_of_the_file_changes_nothing() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let watcher = region.open(&RegionOptions::new().read_only(true)).expect("open");
    drop(std::fs::File::open(path_of(&region)).expect("the file"));
    drop(std::fs::File::options().write(true).open(path_of(&region)).expect("the file"));
    drop(region.open(&RegionOptions::new()).expect("open"));
    assert_eq!(probe(&watcher, ident(&ours)), Probe::Alive);
}

#[test]
fn fault_12_and_13_process_ids_and_their_namespaces_do_not_matter() {
    let test = "fault_12_and_13_process_ids_and_their_namespaces_do_not_matter";
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut first = Helper::start("pid-namespace", path_of(&region));
    let mut second = Helper::start("pid-namespace", path_of(&region));
    let pid = first.hear();
    if pid != "1" {
        return skip(test, &pid);
    }
    assert_eq!(pid, second.hear(), "both are the first process of their namespace");
    let (one, two) = (first.hear_ident(), second.hear_ident());
    assert_eq!((probe(&ours, one), probe(&ours, two)), (Probe::Alive, Probe::Alive));
    first.kill();
    assert!(eventually(|| probe(&ours, one) == Probe::Dead));
    assert_eq!(probe(&ours, two), Probe::Alive, "the namesake of a dead process");
    second.tell(&one.word().to_string());
    second.tell(&ident(&ours).word().to_string());
    assert_eq!(second.hear(), "Dead");
    assert_eq!(second.hear(), "Alive", "seen from another namespace");
}

fn hold_and_say_pid(path: &str) {
    say(&std::process::id().to_string());
    let attached = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
    say(&ident(&attached).word().to_string());
    loop {
        let who = Ident::from_word(hear().parse().expect("a number")).expect("an identity");
        say(&format!("{:?}", probe(&attached, who)));
    }
}

#[test]
fn without_proc_nobody_alive_is_taken_for_dead() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("no-proc", path_of(&region));
    let ready = helper.hear();
    if ready != "ready" {
        return skip("without_proc_nobody_alive_is_taken_for_dead", &ready);
    }
    let theirs = helper.hear_ident();
    assert_eq!(probe(&ours, theirs), Probe::Alive, "seen from a process that has /proc");
    helper.tell(&ident(&ours).word().to_string());
    assert_ne!(helper.hear(), "Dead", "seen from the one that has not");
    assert_eq!(helper.hear(), "created: true, sealed: false");
    helper.kill();
    assert_eq!(probe(&ours, theirs), Probe::Dead);
}

fn no_proc_role(path: &str) {
    let hidden = own_mounts().and_then(|()| {
        let detach = nix::mount::MntFlags::MNT_DETACH;
        nix::mount::umount2("/proc", detach).map_err(|error| format!("/proc stays: {error}"))?;
        // In a PID namespace of its own another one may be beneath.
        while nix::mount::umount2("/proc", detach).is_ok() {}
        Ok(())
    });
    if let Err(why) = hidden {
        return say(&why);
    }
    say("ready");
    let attached = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
    say(&ident(&attached).word().to_string());
    let who = Ident::from_word(hear().parse().expect("a number")).expect("an identity");
    say(&format!("{:?}", probe(&attached, who)));
    let scratch = Scratch::new();
    let created = RegionFile::new(scratch.path("region")).create(&PLAN, &RegionOptions::new());
    let names = std::fs::read_dir(&scratch.0).expect("the directory").count();
    let sealed = SealedRegion::create(&PLAN, &RegionOptions::new());
    say(&format!("created: {}, sealed: {}", created.is_ok() && names == 1, sealed.is_ok()));
    drop(scratch);
    hear();
}

#[test]
fn helper() {
    let Some((role, path)) = role_for_a_while() else { return };
    match role.as_str() {
        "hold" => hold(&told_file(&path)),
        "fork" => fork_role(&path),
        "fork-producer" => fork_producer_role(&path),
        "fork-storm" => fork_storm_role(&path),
        "pid-namespace" => in_pid_namespace("hold-and-say-pid", &path).unwrap_or_else(|why| say(&why)),
        "hold-and-say-pid" => hold_and_say_pid(&path),
        "no-proc" => no_proc_role(&path),
        "start-sleep" => {
            let attached = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
            say(&ident(&attached).word().to_string());
            let mut sleep = Command::new("sleep");
            let sleep = sleep.arg("60").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = sleep.spawn().expect("sleep");
            say(&child.id().to_string());
            let _ = child.wait();
        }
        "become-sleep" => {
            let attached = RegionFile::new(path).open(&RegionOptions::new()).expect("the region");
            say(&ident(&attached).word().to_string());
            hear();
            let error = std::os::unix::process::CommandExt::exec(Command::new("sleep").arg("60"));
            panic!("sleep did not start: {error}");
        }
        other => panic!("no such role: {other}"),
    }
}
