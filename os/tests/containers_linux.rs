//! Participants in namespaces as containers have them: a /dev/shm of their own, and users of their own.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{
    Helper, Name, PLAN, Scratch, command, eventually, own_mounts, path_of, role_for_a_while, say, skip, stay,
};
use nix::mount::{MsFlags, mount};
use strait_core::PeerStatus;
use strait_os::{OpenError, Region, RegionFile, RegionName, RegionOptions};

const LONG: Duration = Duration::from_secs(30);

/// Receives what the helper sends from its namespace, kills it, and has proof of its death.
fn meets(attached: &Region, helper: &mut Helper) {
    let mut commands = attached.consumer("commands").expect("a free role");
    let mut frame = [0; 256];
    let received = commands.recv_timeout(&mut frame, LONG).expect("sent from there");
    assert_eq!(&frame[..received.len], b"from a container");
    assert_eq!(commands.peer(), PeerStatus::Present);
    helper.kill();
    assert!(eventually(|| commands.peer() == PeerStatus::Dead), "its death is proven here");
    let successor = attached.producer("commands").expect("the role is free again");
    assert!(successor.taken_over_from().is_some());
}

#[test]
fn a_container_with_its_own_dev_shm_meets_others_in_a_file_alone() {
    let test = "a_container_with_its_own_dev_shm_meets_others_in_a_file_alone";
    let (name, scratch) = (Name::new(), Scratch::new());
    let _named = name.region().create(&PLAN, &RegionOptions::new()).expect("create");
    let file = RegionFile::new(scratch.path(&name.0));
    let attached = file.create(&PLAN, &RegionOptions::new()).expect("create");
    let mut helper = Helper::start("own-shm", path_of(&file));
    match helper.hear().as_str() {
        "ready" => {}
        why => return skip(test, why),
    }
    assert_eq!(helper.hear(), format!("by name: {:?}", OpenError::NotFound));
    meets(&attached, &mut helper);
}

fn own_shm_role(path: &str) {
    let mounted = own_mounts().and_then(|()| {
        mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), MsFlags::empty(), Some("size=64m"))
            .map_err(|error| format!("no tmpfs of our own: {error}"))
    });
    if let Err(why) = mounted {
        return say(&why);
    }
    say("ready");
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).expect("the parent's name");
    let by_name = RegionName::new(name).expect("a legal name").open(&RegionOptions::new());
    say(&format!("by name: {:?}", by_name.err().expect("it is not there")));
    send(path)
}

/// Sends a frame, and stays until it is killed.
fn send(path: &str) -> ! {
    let region = RegionFile::new(path).open(&RegionOptions::new()).expect("the parent made it");
    let mut commands = region.producer("commands").expect("a free role");
    commands.try_send(1, b"from a container").expect("there is space");
    stay()
}

#[test]
fn a_container_with_users_of_its_own_takes_part() {
    let test = "a_container_with_users_of_its_own_takes_part";
    let tried = Command::new("unshare").args(["--user", "--map-root-user", "true"]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        return skip(test, "no user namespace, or no program `unshare`");
    }
    let scratch = Scratch::new();
    let file = RegionFile::new(scratch.path("region"));
    let attached = file.create(&PLAN, &RegionOptions::new()).expect("create");
    let plain = command("send", path_of(&file));
    let mut within = Command::new("unshare");
    within.args(["--user", "--map-root-user"]).arg(plain.get_program()).args(plain.get_args());
    within.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            within.env(name, value);
        }
    }
    meets(&attached, &mut Helper::from_command(within));
}

#[test]
fn helper() {
    let Some((role, path)) = role_for_a_while() else { return };
    match role.as_str() {
        "own-shm" => own_shm_role(&path),
        "send" => send(&path),
        other => panic!("no such role: {other}"),
    }
}
