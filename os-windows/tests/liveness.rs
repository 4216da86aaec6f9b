//! Who is taken for dead, and who is not. Numbers are those of the fault list.
#![cfg(windows)]

mod common;

use common::{Attached, Helper, Place, Scratch, hold, ident, probe, role};
use strait_core::ground::header::PARTICIPANT_LEN;
use strait_core::participants::at;
use strait_core::{Ident, Liveness, Port, Probe, TokenRefused};
use strait_os_windows::Options;

/// Every kind of region in turn.
fn everywhere(test: impl Fn(Place, Attached)) {
    let scratch = Scratch::new();
    for place in [Place::local(), Place::global(), Place::file(&scratch)] {
        let ours = place.create();
        test(place, ours);
    }
}

#[test]
fn a_process_is_alive_until_it_is_killed_and_dead_at_once_after() {
    everywhere(|place, ours| {
        let mut helper = Helper::start("hold", &place);
        let who = helper.hear_ident();
        assert_eq!(probe(&ours, who), Probe::Alive);
        helper.kill();
        assert_eq!(probe(&ours, who), Probe::Dead, "{}", place.0);
    });
}

#[test]
fn a_handle_that_is_dropped_is_dead_and_its_seat_is_free() {
    everywhere(|place, ours| {
        let other = place.open();
        let (slot, who) = (ident(&other).slot(), ident(&other));
        assert_eq!(probe(&ours, who), Probe::Alive);
        drop(other);
        assert_eq!(probe(&ours, who), Probe::Dead);
        let next = ident(&place.open());
        assert_eq!((next.slot(), next.epoch()), (slot, who.epoch() + 1));
    });
}

#[test]
fn a_token_is_held_once_and_given_back_by_its_holder_alone() {
    everywhere(|place, ours| {
        let other = place.open();
        let who = Ident::new(7, 9).expect("an identity");
        assert_eq!(probe(&ours, who), Probe::Dead);
        assert_eq!(ours.port().acquire(who), Ok(()));
        assert_eq!(ours.port().acquire(who), Err(TokenRefused));
        assert_eq!(other.port().acquire(who), Err(TokenRefused));
        other.port().release(who);
        for attached in [&ours, &other] {
            assert_eq!(probe(attached, who), Probe::Alive);
        }
        ours.port().release(who);
        assert_eq!(probe(&ours, who), Probe::Dead);
        assert_eq!(other.port().acquire(who), Ok(()));
    });
}

#[test]
fn siblings_in_one_process_never_read_each_other_as_dead() {
    everywhere(|place, ours| {
        let siblings: Vec<_> = (0..4).map(|_| place.open()).collect();
        for _ in 0..20 {
            for one in siblings.iter().chain([&ours]) {
                for other in siblings.iter().chain([&ours]) {
                    // Another's question may be in the way, and then he counts as alive as well.
                    assert_eq!(probe(one, ident(other)), Probe::Alive);
                }
            }
        }
    });
}

#[test]
fn a_read_only_handle_probes_and_is_nobody() {
    everywhere(|place, ours| {
        let looking = place.region().open(&Options::new().read_only(true)).expect("open");
        assert_eq!(looking.port().ident(), None);
        assert_eq!(probe(&looking, ident(&ours)), Probe::Alive);
        assert_eq!(looking.port().acquire(Ident::new(1, 99).expect("an identity")), Err(TokenRefused));
    });
}

#[test]
fn fault_09_a_stopped_process_is_alive() {
    everywhere(|place, ours| {
        let mut helper = Helper::start("hold", &place);
        let who = helper.hear_ident();
        helper.stop();
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(probe(&ours, who), Probe::Alive);
        helper.kill();
        assert_eq!(probe(&ours, who), Probe::Dead);
    });
}

#[test]
fn fault_12_and_40_neither_a_process_id_nor_a_forged_table_matters() {
    everywhere(|place, ours| {
        let mut dead = Helper::start("hold", &place);
        dead.hear_ident();
        let pid = dead.child.id();
        dead.kill();
        let mut living = Helper::start("hold", &place);
        let who = living.hear_ident();
        // A liar writes into the living one's entry that he is a process which has ended.
        let entry = ours.header().participant(who.slot()).expect("a slot");
        let mem = ours.port().mem();
        mem.setup_write(entry + at::PID, pid);
        mem.setup_write(entry + at::STARTED, 1);
        assert_eq!(probe(&ours, who), Probe::Alive);
        // And that a dead one is this process: whoever is dead stays dead.
        living.kill();
        mem.setup_write(entry + at::PID, std::process::id());
        assert_eq!(probe(&ours, who), Probe::Dead);
        // Nobody ever was this one, whatever the table says.
        let nobody = Ident::new(who.slot(), who.epoch() + 1).expect("an identity");
        (0..PARTICIPANT_LEN).step_by(4).for_each(|at| mem.setup_write(entry + at, nobody.word()));
        assert_eq!(probe(&ours, nobody), Probe::Dead);
        assert_eq!(probe(&ours, ident(&ours)), Probe::Alive);
    });
}

#[test]
fn a_child_keeps_no_dead_parent_alive() {
    everywhere(|place, ours| {
        let mut parent = Helper::start("parent", &place);
        let who = parent.hear_ident();
        assert_eq!(parent.hear(), "child is there");
        parent.kill();
        assert_eq!(probe(&ours, who), Probe::Dead);
    });
}

fn parent_role(place: &Place) {
    let attached = place.open();
    common::say(&ident(&attached).word().to_string());
    // It inherits what it may, and goes on when this process is killed, until its input ends.
    let mut child = std::process::Command::new("cmd").args(["/c", "pause"]).spawn().expect("a child");
    common::say("child is there");
    child.wait().expect("its end");
}

#[test]
fn helper() {
    let Some((role, place)) = role() else { return };
    match role.as_str() {
        "hold" => hold(&place),
        "parent" => parent_role(&place),
        other => panic!("no such role: {other}"),
    }
}
