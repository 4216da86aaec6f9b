//! A child inherits nothing on Windows that keeps its parent alive.
#![cfg(windows)]

use crate::common::{Helper, Place, everywhere, ident, probe, role_for_a_while, say};
use strait_core::port::Probe;

#[test]
fn a_child_keeps_no_dead_parent_alive() {
    everywhere(|place| {
        let ours = place.create();
        let mut parent = Helper::start("parent", place);
        let who = parent.hear_ident();
        assert_eq!(parent.hear(), "child is there");
        parent.kill();
        assert_eq!(probe(&ours, who), Probe::Dead);
    });
}

fn parent_role(place: &Place) {
    let attached = place.open();
    say(&ident(&attached).word().to_string());
    // It inherits what it may, and goes on when this process is killed, until its input ends.
    let mut child = std::process::Command::new("cmd").args(["/c", "pause"]).spawn().expect("a child");
    say("child is there");
    child.wait().expect("its end");
}

#[test]
fn helper() {
    let Some((role, place)) = role_for_a_while() else { return };
    match role.as_str() {
        "parent" => parent_role(&Place::told(&place)),
        other => panic!("no such role: {other}"),
    }
}
