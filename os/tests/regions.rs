//! Regions by name and in files: what appears, what is refused. Numbers are those of the fault list.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use crate::common::{
    BREATH, Helper, KILL_STEP, KILLS, LENGTHS_STEP, PATIENCE, PLAN, Place, RACES, Scratch, died_of_access,
    everywhere, hear, hold, ident, role_for_a_while, say,
};
use strait_core::{
    Plan,
    format::{AttachError, FormatError},
    port::Port,
};
use strait_os::{CreateError, NameError, OpenError, RegionFile, RegionName, RegionOptions, RegionPlace};

/// In the first channel's frames.
const OFFSET: u32 = 4096;
/// How often the names are listed.
const LISTS: u32 = 50;

fn open_error(region: &RegionPlace) -> OpenError {
    region.open(&RegionOptions::new()).err().expect("refused")
}

fn create_error(region: &RegionPlace) -> CreateError {
    region.create(&PLAN, &RegionOptions::new()).err().expect("refused")
}

#[test]
fn a_region_is_created_opened_and_removed() {
    everywhere(|place| {
        let region = place.region();
        assert_eq!(open_error(&region), OpenError::NotFound);
        let ours = place.create();
        let theirs = place.open();
        assert_eq!(theirs.header(), ours.header());
        assert_ne!(ident(&theirs), ident(&ours));
        region.remove().expect("remove");
        assert_eq!(open_error(&region), OpenError::NotFound);
        assert_eq!(region.remove(), Err(OpenError::NotFound));
    });
    for name in ["a/b", "Global\\b"] {
        assert_eq!(RegionName::new(name), Err(NameError::Forbidden));
    }
}

#[test]
fn named_regions_are_listed_until_they_are_removed() {
    let place = Place::local();
    let listed = || RegionName::list().expect("names").contains(&place.what().to_string());
    assert!(!listed());
    let _ours = place.create();
    assert!(listed());
    place.region().remove().expect("remove");
    assert!(!listed());
}

/// Whatever comes and goes meanwhile, one that stays is in every list, and once.
#[test]
fn fault_137_a_list_is_whole_while_other_regions_come_and_go() {
    let stays = Place::local();
    let _region = stays.create();
    let over = AtomicBool::new(false);
    let lists: Vec<_> = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    let others = [Place::local(), Place::local(), Place::local()];
                    let _regions = others.each_ref().map(Place::create);
                    others.iter().for_each(|other| other.region().remove().expect("remove"));
                }
            });
        }
        let lists = (0..LISTS).map(|_| RegionName::list()).collect();
        over.store(true, Relaxed);
        lists
    });
    for names in lists {
        let names = names.expect("names");
        assert_eq!(names.iter().filter(|name| *name == stays.what()).count(), 1, "{names:?}");
    }
}

#[test]
fn frames_cross_between_two_handles() {
    everywhere(|place| {
        let mut tx = place.create().producer("commands").expect("the role");
        let mut rx = place.open().consumer("commands").expect("the role");
        tx.try_send(7, b"motor on").expect("space");
        let mut buffer = [0; 256];
        assert_eq!(rx.try_recv(&mut buffer).expect("a frame").tag, 7);
        assert_eq!(&buffer[..8], b"motor on");
    });
}

#[test]
fn a_plan_that_cannot_work_is_refused_and_nothing_appears() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    let bad = Plan::new(&[]).participants(0);
    let error = region.create(&bad, &RegionOptions::new()).err().expect("refused");
    assert!(matches!(error, CreateError::Format(FormatError::Plan(_))), "{error}");
    let error = region.create(&PLAN, &RegionOptions::new().read_only(true)).err();
    assert_eq!(error, Some(CreateError::ReadOnly));
    assert_eq!(scratch.names(), [""; 0]);
    let error = create_error(&RegionFile::new(scratch.path("none/region")));
    assert_eq!(error, CreateError::NoDirectory);
}

#[test]
fn whoever_comes_first_creates_and_all_get_the_same_region() {
    everywhere(|place| {
        let mut helpers: Vec<_> = (0..6).map(|_| Helper::start("open-or-create", place)).collect();
        for helper in &mut helpers {
            assert_eq!(helper.hear(), "ready");
        }
        for helper in &mut helpers {
            helper.tell("go");
        }
        let instances: BTreeSet<_> = helpers.iter_mut().map(Helper::hear).collect();
        assert_eq!(instances.len(), 1, "{}: {instances:?}", place.text);
    });
}

#[test]
fn fault_25_a_creator_that_dies_leaves_a_complete_region_or_none() {
    let scratch = Scratch::new();
    for place in [Place::local(), Place::file(&scratch)] {
        let region = place.region();
        for round in 0..KILLS {
            let mut helper = Helper::start("create-and-remove", &place);
            assert_eq!(helper.hear(), "ready");
            std::thread::sleep(KILL_STEP * round);
            helper.kill();
            match region.open(&RegionOptions::new()) {
                Ok(_) => region.remove().expect("remove"),
                Err(error) => assert_eq!(error, OpenError::NotFound, "round {round}"),
            }
            let ours = place.create();
            region.remove().expect("remove");
            drop(ours);
        }
    }
    // The remains of a creator that died were deleted by the next, or were never there. Only where a file needs
    // a name, and the system deletes nothing, one that was never finished keeps its private one.
    assert!(scratch.names().is_empty() || !cfg!(any(target_os = "linux", windows)), "{:?}", scratch.names());
}

#[test]
fn fault_25_a_file_that_was_never_initialised_says_so_and_is_reclaimed() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    drop(place.create());
    let file = File::options().write(true).open(place.what()).expect("the file");
    file.set_len(0).expect("its length");
    file.set_len(65_536).expect("its length");
    drop(file);
    assert_eq!(open_error(&place.region()), OpenError::Attach(AttachError::Uninitialised));
    assert_eq!(create_error(&place.region()), CreateError::AlreadyExists);
    place.region().remove().expect("remove");
    place.create();
}

#[test]
fn fault_27_removal_races_an_open() {
    everywhere(|place| {
        let region = place.region();
        let mut helper = Helper::start("create-and-remove", place);
        assert_eq!(helper.hear(), "ready");
        let (mut opened, mut missed) = (0, 0);
        let start = Instant::now();
        while (opened < RACES || missed < RACES) && start.elapsed() < PATIENCE {
            match region.open(&RegionOptions::new()) {
                Ok(attached) => opened += usize::from(attached.port().ident().is_some()),
                Err(error) => {
                    assert_eq!(error, OpenError::NotFound, "{}", place.text);
                    missed += 1;
                }
            }
        }
        helper.kill();
        assert!(opened > 0 && missed > 0, "opened {opened} times, missed {missed} times: no race");
    });
}

#[test]
fn fault_44_random_bytes_are_refused() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    drop(place.create());
    for len in (0..600).step_by(LENGTHS_STEP).chain([4096, 65_536, 1 << 20]) {
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random as u8
            })
            .collect();
        // Written over the region, so that it keeps its owner's rights.
        fs::write(place.what(), bytes).expect("a file");
        let error = open_error(&place.region());
        let short = matches!(error, OpenError::TooShort { .. });
        assert!(short == (len < 128) && matches!(error, OpenError::TooShort { .. } | OpenError::Attach(_)));
    }
}

#[test]
fn fault_45_a_short_or_empty_or_huge_file_is_refused() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    drop(place.create());
    let file = File::options().write(true).open(place.what()).expect("the file");
    for len in [0, 1, 127] {
        file.set_len(len).expect("its length");
        assert_eq!(open_error(&place.region()), OpenError::TooShort { len });
    }
    file.set_len(1 << 31).expect("its length");
    assert_eq!(open_error(&place.region()), OpenError::TooLong { len: 1 << 31 });
    drop(file);
    place.region().remove().expect("remove");
    drop(place.create());
    let file = File::options().write(true).open(place.what()).expect("the file");
    file.set_len(4096).expect("its length");
    let error = open_error(&place.region());
    assert!(matches!(error, OpenError::Attach(AttachError::TooShort { found: 4096, .. })), "{error}");
    file.set_len(0).expect("its length");
    file.set_len(4096).expect("its length");
    assert_eq!(open_error(&place.region()), OpenError::Attach(AttachError::Uninitialised));
}

#[test]
fn fault_51_a_read_only_handle_reads_and_takes_no_role() {
    everywhere(|place| {
        let ours = place.create();
        let mem = ours.port().mem();
        mem.setup_write(OFFSET, 0x1234_5678);
        let looking = place.region().open(&RegionOptions::new().read_only(true)).expect("open");
        assert_eq!(looking.port().mem().setup_read(OFFSET), 0x1234_5678);
        assert!(looking.producer("commands").is_err());
        let mut helper = Helper::start("store-read-only", place);
        assert_eq!(helper.hear(), "storing");
        assert_eq!(helper.try_hear(), None, "the store must not come back");
        let status = helper.wait();
        assert!(died_of_access(status), "{status}");
        assert_eq!(mem.setup_read(OFFSET), 0x1234_5678);
    });
}

#[test]
fn fault_52_what_exists_is_never_replaced_or_adopted() {
    everywhere(|place| {
        let first = place.create();
        assert_eq!(create_error(&place.region()), CreateError::AlreadyExists);
        assert_eq!(place.open().header().instance, first.header().instance);
    });
    let scratch = Scratch::new();
    let other = Place::file(&scratch);
    fs::write(other.what(), b"somebody's notes").expect("a file");
    assert_eq!(create_error(&other.region()), CreateError::AlreadyExists);
    assert_eq!(fs::read(other.what()).expect("the file"), b"somebody's notes");
    assert_eq!(scratch.names().len(), 1);
}

#[test]
fn every_region_has_a_random_number() {
    let instances: BTreeSet<u64> =
        (0..8).map(|_| Place::file(&Scratch::new()).create().header().instance).collect();
    assert_eq!(instances.len(), 8, "{instances:?}");
    // Nearly every bit of random numbers varies.
    let varies = instances.iter().fold(0, |bits, number| bits | (number ^ instances.first().unwrap()));
    assert!(varies.count_ones() > 32, "{varies:064b}");
}

#[test]
fn fault_53_a_second_name_is_refused() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    drop(place.create());
    fs::hard_link(place.what(), scratch.path("second")).expect("a link");
    assert_eq!(open_error(&place.region()), OpenError::Linked { links: 2 });
    fs::remove_file(scratch.path("second")).expect("removed");
    place.open();
}

#[test]
fn fault_57_a_region_made_anew_is_another_and_the_old_one_lives_on() {
    everywhere(|place| {
        let region = place.region();
        let old = place.create();
        let mut tx = old.producer("commands").expect("the role");
        assert_eq!(old.port().is_current(), Ok(true));
        region.remove().expect("remove");
        assert_eq!(old.port().is_current(), Ok(false), "removed");
        let new = place.create();
        assert_eq!(old.port().is_current(), Ok(false), "made anew");
        assert_eq!(new.port().is_current(), Ok(true), "{}", place.text);
        assert_ne!(new.header().instance, old.header().instance);
        tx.try_send(1, b"to the old one").expect("it still works");
        let mut rx = new.consumer("commands").expect("the role");
        assert!(rx.try_recv(&mut [0; 256]).is_err(), "nothing came into the new one");
    });
}

#[test]
fn a_file_that_was_removed_goes_with_the_last_who_has_it_open() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    let (one, other) = (place.create(), place.open());
    place.region().remove().expect("remove");
    drop(one);
    drop(other);
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_region_in_a_file_survives_all_its_processes() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    let mut helper = Helper::start("create-and-send", &place);
    assert_eq!(helper.hear(), "sent and synced");
    helper.kill();
    let attached = place.open();
    let mut rx = attached.consumer("commands").expect("the role");
    let mut buffer = [0; 256];
    for tag in 0..5 {
        assert_eq!(rx.try_recv(&mut buffer).expect("a frame").tag, tag);
    }
    // Where a death can be proven.
    if cfg!(any(target_os = "linux", windows)) {
        let mut tx = attached.producer("commands").expect("a dead one's role");
        tx.try_send(5, b"after").expect("space");
        assert_eq!(rx.try_recv(&mut buffer).expect("a frame").sequence, 5);
    }
}

#[test]
fn helper() {
    let Some((role, place)) = role_for_a_while() else { return };
    let place = Place::told(&place);
    let region = place.region();
    match role.as_str() {
        "hold" => hold(&place),
        "open-or-create" => {
            say("ready");
            hear();
            let attached = region.open_or_create(&PLAN, &RegionOptions::new()).expect("one of the two");
            say(&attached.header().instance.to_string());
            hear();
        }
        "create-and-remove" => {
            say("ready");
            loop {
                let attached = place.create();
                std::thread::sleep(BREATH);
                region.remove().expect("remove");
                drop(attached);
                std::thread::sleep(BREATH);
            }
        }
        "store-read-only" => {
            let looking = region.open(&RegionOptions::new().read_only(true)).expect("open");
            say("storing");
            looking.port().mem().setup_write(OFFSET, 0);
            say("stored");
        }
        "create-and-send" => {
            let attached = place.create();
            let mut tx = attached.producer("commands").expect("the role");
            for tag in 0..5 {
                tx.try_send(tag, b"before").expect("space");
            }
            attached.port().sync().expect("sync");
            say("sent and synced");
            hear();
        }
        other => panic!("no such role: {other}"),
    }
}
