//! Participants that are taken for dead, and those that are not. Numbers are those of the fault list.
#![cfg(any(target_os = "linux", windows))]

use crate::common::{Helper, Place, hold, ident, probe, role_for_a_while};
use strait_core::format::participants::at;
use strait_core::ground::header::PARTICIPANT_LEN;
use strait_core::port::{Ident, Liveness, Port, Probe, TokenRefused};
use strait_os::{Region, RegionOptions};

/// Every kind of region in turn.
fn everywhere(test: impl Fn(&Place, Region)) {
    crate::common::everywhere(|place| test(place, place.create()));
}

#[test]
fn a_process_is_alive_until_it_is_killed_and_dead_at_once_after() {
    everywhere(|place, ours| {
        let mut helper = Helper::start("hold", place);
        let who = helper.hear_ident();
        assert_eq!(probe(&ours, who), Probe::Alive);
        helper.kill();
        assert_eq!(probe(&ours, who), Probe::Dead, "{}", place.text);
    });
}

#[test]
fn a_handle_that_is_dropped_is_dead_and_its_seat_is_free() {
    everywhere(|place, ours| {
        let other = place.open();
        let (slot, who) = (ident(&other).place(), ident(&other));
        assert_eq!(probe(&ours, who), Probe::Alive);
        let clone = other.port().clone();
        drop(other);
        assert_eq!(probe(&ours, who), Probe::Alive, "a clone is left");
        drop(clone);
        assert_eq!(probe(&ours, who), Probe::Dead);
        let next = ident(&place.open());
        assert_eq!((next.place(), next.epoch()), (slot, who.epoch() + 1));
    });
}

/// Takes a token by the port of an open region.
fn acquire(region: &Region, who: Ident) -> Result<(), TokenRefused> {
    // SAFETY: nobody was opened as `who`, or it is held and so refused.
    unsafe { region.port().acquire(who) }
}

/// Gives a token back by the port of an open region.
fn release(region: &Region, who: Ident) {
    // SAFETY: nobody was opened as `who`, or the token is not this port's.
    unsafe { region.port().release(who) };
}

#[test]
fn a_token_is_held_once_and_given_back_by_its_holder_alone() {
    everywhere(|place, ours| {
        let other = place.open();
        let who = Ident::new(7, 9).expect("an identity");
        assert_eq!(probe(&ours, who), Probe::Dead);
        assert_eq!(acquire(&ours, who), Ok(()));
        assert_eq!(acquire(&ours, who), Err(TokenRefused));
        assert_eq!(acquire(&other, who), Err(TokenRefused));
        release(&other, who);
        for attached in [&ours, &other] {
            assert_eq!(probe(attached, who), Probe::Alive);
        }
        release(&ours, who);
        assert_eq!(probe(&ours, who), Probe::Dead);
        assert_eq!(acquire(&other, who), Ok(()));
        release(&other, who);
        let me = ident(&ours);
        assert!(acquire(&ours, me).is_err(), "by the same handle");
        assert!(acquire(&other, me).is_err(), "by another handle of this process");
        release(&other, me);
        assert_eq!(probe(&other, me), Probe::Alive, "not the other's to give back");
        assert_eq!(probe(&ours, me), Probe::Alive);
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
        let looking = place.region().open(&RegionOptions::new().read_only(true)).expect("open");
        assert_eq!(looking.port().ident(), None);
        assert_eq!(probe(&looking, ident(&ours)), Probe::Alive);
        assert_eq!(acquire(&looking, Ident::new(1, 99).expect("an identity")), Err(TokenRefused));
        let me = ident(&ours);
        drop(ours);
        assert_eq!(probe(&looking, me), Probe::Dead);
    });
}

#[test]
fn fault_09_a_stopped_process_is_alive() {
    everywhere(|place, ours| {
        let mut helper = Helper::start("hold", place);
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
        let mut dead = Helper::start("hold", place);
        dead.hear_ident();
        let pid = dead.child.id();
        dead.kill();
        let mut living = Helper::start("hold", place);
        let who = living.hear_ident();
        // A liar writes into the living one's entry that he is a process which has ended.
        let entry = ours.header().participant(who.place()).expect("a slot");
        let mem = ours.port().mem();
        mem.setup_write(entry + at::PID, pid);
        mem.setup_write(entry + at::STARTED, 1);
        assert_eq!(probe(&ours, who), Probe::Alive);
        // And that a dead one is this process: a dead participant stays dead.
        living.kill();
        mem.setup_write(entry + at::PID, std::process::id());
        assert_eq!(probe(&ours, who), Probe::Dead);
        // Nobody ever was this one, whatever the table says.
        let nobody = Ident::new(who.place(), who.epoch() + 1).expect("an identity");
        (0..PARTICIPANT_LEN).step_by(4).for_each(|at| mem.setup_write(entry + at, nobody.word()));
        assert_eq!(probe(&ours, nobody), Probe::Dead);
        assert_eq!(probe(&ours, ident(&ours)), Probe::Alive);
    });
}

#[test]
fn helper() {
    let Some((role, place)) = role_for_a_while() else { return };
    match role.as_str() {
        "hold" => hold(&Place::told(&place)),
        other => panic!("no such role: {other}"),
    }
}
