//! Who is alive, and what must not pass for life or death. Numbers are those of the fault list.
#![cfg(target_os = "linux")]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{
    Helper, Name, PLAN, Scratch, eventually, hear, hold, ident, in_pid_namespace, is_root,
    own_mounts, probe, role, say, skip,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{ForkResult, Pid, fork, pause};
use strait_core::{Ident, Liveness, Port, Probe};
use strait_unix::{Options, Region};

#[test]
fn a_process_is_alive_until_it_is_killed_and_dead_at_once_after() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("hold", region.path());
    let theirs = helper.hear_ident();
    assert_eq!(probe(&ours, theirs), Probe::Alive);
    helper.kill();
    assert_eq!(probe(&ours, theirs), Probe::Dead, "its end has been waited for");
}

#[test]
fn a_handle_that_is_dropped_is_dead_and_its_seat_is_free() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    let other = name.region().open(&Options::new()).expect("open");
    let first = ident(&other);
    let clone = other.port().clone();
    drop(other);
    assert_eq!(probe(&ours, first), Probe::Alive, "a clone is left");
    drop(clone);
    assert_eq!(probe(&ours, first), Probe::Dead);
    let second = ident(&name.region().open(&Options::new()).expect("open"));
    assert_eq!(second.slot(), first.slot());
    assert_eq!(second.epoch(), first.epoch() + 1);
}

#[test]
fn starting_is_not_dead() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    let other = name.region().open(&Options::new()).expect("open");
    let unpublished = Ident::new(17, 3).expect("an identity");
    assert_eq!(probe(&ours, unpublished), Probe::Dead, "nobody has it");
    other.port().acquire(unpublished).expect("free");
    assert_eq!(probe(&ours, unpublished), Probe::Alive, "token taken, nothing published");
    other.port().release(unpublished);
    assert_eq!(probe(&ours, unpublished), Probe::Dead);
}

#[test]
fn a_token_is_held_once_and_given_back_by_its_holder_alone() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    let other = name.region().open(&Options::new()).expect("open");
    let me = ident(&ours);
    assert!(ours.port().acquire(me).is_err(), "by the same handle");
    assert!(other.port().acquire(me).is_err(), "by another handle of this process");
    other.port().release(me);
    assert_eq!(probe(&other, me), Probe::Alive, "not his to give back");
    assert_eq!(probe(&ours, me), Probe::Alive);
}

#[test]
fn siblings_in_one_process_never_read_each_other_as_dead() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let sibling = region.open(&Options::new()).expect("open");
                    assert_eq!(probe(&ours, ident(&sibling)), Probe::Alive);
                    assert_eq!(probe(&sibling, ident(&sibling)), Probe::Alive, "itself");
                    assert_eq!(probe(&sibling, ident(&ours)), Probe::Alive);
                }
            });
        }
    });
}

#[test]
fn a_read_only_handle_probes_and_is_nobody() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    let looking = name.region().open(&Options::new().read_only(true)).expect("open");
    assert_eq!(looking.port().ident(), None);
    assert!(looking.port().acquire(Ident::new(9, 9).expect("an identity")).is_err());
    let me = ident(&ours);
    assert_eq!(probe(&looking, me), Probe::Alive);
    drop(ours);
    assert_eq!(probe(&looking, me), Probe::Dead);
}

#[test]
fn fault_09_a_stopped_process_is_alive() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("hold", region.path());
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
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("fork", region.path());
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
    let attached = Region::at(path).open(&Options::new()).expect("the region");
    let me = ident(&attached);
    say(&me.word().to_string());
    // SAFETY: the only other thread of this process waits for this one; the C library keeps its
    // allocator usable in the child.
    match unsafe { fork() }.expect("a child") {
        ForkResult::Parent { .. } => loop {
            pause();
        },
        ForkResult::Child => {
            let port = attached.port();
            say(&std::process::id().to_string());
            say(&format!(
                "forked: {}, somebody: {}, refused: {}, parent: {:?}",
                port.forked(),
                port.ident().is_some(),
                port.acquire(Ident::new(40, 1).expect("an identity")).is_err(),
                port.probe(me),
            ));
            drop(attached);
            let anew = Region::at(path).open(&Options::new()).expect("the region");
            say("handle dropped, region opened anew");
            say(&ident(&anew).word().to_string());
            loop {
                pause();
            }
        }
    }
}

#[test]
fn a_child_made_while_handles_come_and_go_keeps_none_of_them_alive() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("fork-storm", region.path());
    let children: Vec<Pid> =
        (0..20).map(|_| Pid::from_raw(helper.hear().parse().expect("a number"))).collect();
    helper.kill();
    let occupied = |ours: &common::Attached| {
        let (first, last) = (ident(ours).slot() + 1, ours.header().participant_count);
        (first..=last)
            .flat_map(|slot| (1..2_000).filter_map(move |epoch| Ident::new(slot, epoch)))
            .filter(|&who| probe(ours, who) != Probe::Dead)
            .count()
    };
    let left = occupied(&ours);
    for child in children {
        kill(child, Signal::SIGKILL).expect("it is there");
    }
    assert_eq!(left, 0, "tokens that only the children could hold");
}

fn fork_storm_role(path: &str) {
    let region = Region::at(path);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                drop(region.open(&Options::new()).expect("the region"));
            }
        });
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(3));
            // SAFETY: the child makes system calls alone.
            match unsafe { fork() }.expect("a child") {
                ForkResult::Child => loop {
                    pause();
                },
                ForkResult::Parent { child } => say(&child.to_string()),
            }
        }
    });
}

#[test]
fn fault_10_a_program_started_by_a_dead_process_does_not_keep_it_alive() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("start-sleep", region.path());
    let theirs = helper.hear_ident();
    let sleeper = Pid::from_raw(helper.hear().parse().expect("a number"));
    helper.kill();
    assert!(kill(sleeper, None).is_ok(), "it has outlived the process that started it");
    assert_eq!(probe(&ours, theirs), Probe::Dead);
    kill(sleeper, Signal::SIGKILL).expect("it is there");
}

#[test]
fn a_process_that_executes_another_program_is_dead() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("become-sleep", region.path());
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
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let watcher = region.open(&Options::new().read_only(true)).expect("open");
    drop(std::fs::File::open(region.path()).expect("the file"));
    drop(std::fs::File::options().write(true).open(region.path()).expect("the file"));
    drop(region.open(&Options::new()).expect("open"));
    assert_eq!(probe(&watcher, ident(&ours)), Probe::Alive);
}

#[test]
fn fault_12_and_13_process_ids_and_their_namespaces_do_not_matter() {
    let test = "fault_12_and_13_process_ids_and_their_namespaces_do_not_matter";
    if !is_root() {
        return skip(test, "only root may make a PID namespace here");
    }
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut first = in_pid_namespace("hold-and-say-pid", region.path());
    let mut second = in_pid_namespace("hold-and-say-pid", region.path());
    let Some(pid) = first.try_hear() else {
        return skip(test, "a PID namespace cannot be made here");
    };
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
    let attached = Region::at(path).open(&Options::new()).expect("the region");
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
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut helper = Helper::start("no-proc", region.path());
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
        nix::mount::umount2("/proc", detach).map_err(|error| format!("/proc stays: {error}"))
    });
    if let Err(why) = hidden {
        return say(&why);
    }
    say("ready");
    let attached = Region::at(path).open(&Options::new()).expect("the region");
    say(&ident(&attached).word().to_string());
    let who = Ident::from_word(hear().parse().expect("a number")).expect("an identity");
    say(&format!("{:?}", probe(&attached, who)));
    let scratch = Scratch::new();
    let created = Region::at(scratch.path("region")).create(&PLAN, &Options::new());
    let names = std::fs::read_dir(&scratch.0).expect("the directory").count();
    let sealed = Region::sealed(&PLAN, &Options::new());
    say(&format!("created: {}, sealed: {}", created.is_ok() && names == 1, sealed.is_ok()));
    drop(scratch);
    hear();
}

#[test]
fn helper() {
    let Some((role, path)) = role() else { return };
    match role.as_str() {
        "hold" => hold(&path),
        "fork" => fork_role(&path),
        "fork-storm" => fork_storm_role(&path),
        "hold-and-say-pid" => hold_and_say_pid(&path),
        "no-proc" => no_proc_role(&path),
        "start-sleep" => {
            let attached = Region::at(path).open(&Options::new()).expect("the region");
            say(&ident(&attached).word().to_string());
            let mut sleep = Command::new("sleep");
            let sleep = sleep.arg("60").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = sleep.spawn().expect("sleep");
            say(&child.id().to_string());
            let _ = child.wait();
        }
        "become-sleep" => {
            let attached = Region::at(path).open(&Options::new()).expect("the region");
            say(&ident(&attached).word().to_string());
            hear();
            let error = std::os::unix::process::CommandExt::exec(Command::new("sleep").arg("60"));
            panic!("sleep did not start: {error}");
        }
        other => panic!("no such role: {other}"),
    }
}
