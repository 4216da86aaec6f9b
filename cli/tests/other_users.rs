//! Another user's region, which its owner can cut short at any time: the tool has it open only where that user is named.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use crate::common::{Place, run, strait};
use strait::{Channel, Plan, RegionFile, RegionOptions};

const OTHER: u32 = 65534;

/// The commands that take part in a region, and a word of what each says when it may.
const COMMANDS: [(&[&str], &str); 3] = [
    (&["unlock", "REGION", "lock"], "nothing to do"),
    (&["reset", "REGION", "lock"], "as new"),
    (&["send", "REGION", "values", "0x0102030405060708"], "sent 8 bytes"),
];

fn words<'a>(command: &[&'a str], path: &'a str) -> Vec<&'a str> {
    command.iter().map(|&word| if word == "REGION" { path } else { word }).collect()
}

/// A region's file that belongs to this user, and that all may write to.
fn create(place: &Place) -> String {
    let path = place.path("region");
    let channels = [Channel::mutex::<u64>("lock"), Channel::latest::<u64>("values")];
    drop(RegionFile::new(&path).create(&Plan::new(&channels), &RegionOptions::new()).expect("a region"));
    fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("one's own file");
    path
}

/// Why another user cannot be tried, if that is so.
fn no_other(place: &Place) -> Option<String> {
    let uid = fs::metadata(&place.dir).expect("the directory").uid();
    if uid != 0 {
        return Some(format!("only root can act as another user, and this is {uid}"));
    }
    as_other(&mut strait(&["--version"]))
        .err()
        .map(|error| format!("user {OTHER} cannot start the tool: {error}"))
}

fn as_other(command: &mut Command) -> std::io::Result<Output> {
    command.uid(OTHER).gid(OTHER).output()
}

#[test]
fn ones_own_region_is_joined_whatever_its_mode() {
    let place = Place::new();
    let path = create(&place);
    for (command, said) in COMMANDS {
        let text = run(&words(command, &path)).ok();
        assert!(text.contains(said), "{command:?}: {text}");
    }
}

#[test]
fn another_users_region_is_joined_only_where_that_user_is_named() {
    let place = Place::new();
    if let Some(why) = no_other(&place) {
        println!("SKIPPED another_users_region_is_joined_only_where_that_user_is_named: {why}");
        return;
    }
    let path = create(&place);
    fs::set_permissions(&place.dir, Permissions::from_mode(0o755)).expect("one's own directory");
    // Another user at root's region.
    for (command, said) in COMMANDS {
        let words = words(command, &path);
        let ended = as_other(&mut strait(&words)).expect("the tool");
        let text = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{command:?}: {text}");
        assert!(text.contains("belongs to user 0") && text.contains("--of-user"), "{command:?}: {text}");
        let trusting = [&words[..], &["--of-user", "0"]].concat();
        let ended = as_other(&mut strait(&trusting)).expect("the tool");
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success() && text.contains(said), "{command:?}: {text}");
    }
    // Root at another user's.
    chown(&path, Some(OTHER), Some(OTHER)).expect("root may");
    for (command, said) in COMMANDS {
        let words = words(command, &path);
        let line = run(&words).refused(1);
        assert!(line.contains(&path) && line.contains("belongs to user 65534"), "{command:?}: {line}");
        let text = run(&[&words[..], &["--of-user", "65534"]].concat()).ok();
        assert!(text.contains(said), "{command:?}: {text}");
        // A user that it does not belong to.
        assert!(run(&[&words[..], &["--of-user", "65533"]].concat()).refused(1).contains("65534"));
    }
}
