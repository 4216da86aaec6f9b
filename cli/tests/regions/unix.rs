//! Named regions that nobody has open; files of any mode, and links.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::create;
use crate::common::{Place, dump, run};

#[test]
fn a_dump_is_shown_whatever_its_mode_and_through_a_link() {
    let place = Place::new();
    let region = create(&place);
    let live = run(&["inspect", &place.name, "--json"]).json();
    let path = place.path("dump");
    fs::write(&path, dump(&region)).expect("a file");
    drop(region);
    for mode in [0o600, 0o644, 0o444] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
        let shown = run(&["inspect", &path, "--json"]).json();
        assert_eq!(shown["instance"], live["instance"]);
        assert_eq!(shown["channels"].as_array().map(Vec::len), Some(3));
        assert_ne!(shown["participants"][0]["state"], "alive");
    }
    symlink(&path, place.path("link")).expect("a link");
    run(&["inspect", &place.path("link"), "--json"]).json();
}

#[test]
fn a_name_that_nobody_uses_is_removed() {
    let place = Place::new();
    drop(create(&place));
    run(&["rm", &place.name]).ok();
    assert!(!place.region().path().expect("a file").exists());
}
