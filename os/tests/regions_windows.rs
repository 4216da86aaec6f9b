//! Regions as Windows alone has them: namespaces, and files that cannot be cut short. Numbers are those of the
//! fault list.
#![cfg(windows)]

use std::fs::{self, File};

use crate::common::{PLAN, Place, Scratch, everywhere, is_wine, skip};
use strait_core::port::Port;
use strait_os::{OpenError, RegionFile, RegionName, RegionOptions, RegionPlace};

/// In the first channel's frames.
const OFFSET: u32 = 4096;

fn open_error(region: &RegionPlace) -> OpenError {
    region.open(&RegionOptions::new()).err().expect("refused")
}

#[test]
fn named_regions_are_listed_as_long_as_they_are_there() {
    let place = Place::local();
    let listed = || RegionName::list().expect("names").contains(&place.what().to_string());
    let ours = place.create();
    assert!(listed());
    place.region().remove().expect("remove");
    assert!(!listed());
    let again = place.create();
    assert!(listed());
    drop(again);
    assert!(!listed(), "it went with the last process that had it open");
    assert_eq!(open_error(&place.region()), OpenError::NotFound);
    drop(ours);
    drop(place.create());
}

#[test]
fn the_session_and_the_machine_have_names_of_their_own() {
    let local = Place::local();
    let global = RegionName::global(local.what()).expect("a name");
    let _ours = local.create();
    assert_eq!(open_error(&global), OpenError::NotFound);
    assert_eq!(local.region().to_string(), format!("Local\\{}", local.what()));
    assert_eq!(global.to_string(), format!("Global\\{}", local.what()));
}

#[test]
fn a_file_that_is_mapped_cannot_be_cut_short() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    let _ours = place.create();
    let file = File::options().write(true).open(place.what()).expect("the file");
    let cut = file.set_len(100);
    if is_wine() {
        return skip("a_file_that_is_mapped_cannot_be_cut_short", &format!("wine does cut it: {cut:?}"));
    }
    assert!(cut.is_err());
}

#[test]
fn fault_53_a_directory_and_a_device_are_refused() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let error = open_error(&RegionFile::new(scratch.path("dir")));
    assert_eq!(error, OpenError::NotAFile { kind: "directory" });
    assert_eq!(open_error(&RegionFile::new("NUL")), OpenError::NotAFile { kind: "device or pipe" });
}

#[test]
fn memory_is_locked_and_prefaulted() {
    everywhere(|place| {
        let locked = RegionOptions::new().prefault(true).lock(true);
        let ours = place.region().create(&PLAN, &locked).expect("create");
        ours.port().mem().setup_write(OFFSET, 1);
        place.region().open(&locked.read_only(true)).expect("open");
    });
}
