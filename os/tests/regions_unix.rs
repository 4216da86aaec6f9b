//! Regions as Unix has them: modes, links, and files that are no files. Numbers are those of the fault list.
#![cfg(unix)]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::common::{Helper, PLAN, Scratch, hear, path_of, role_for_a_while, say};
use strait_core::format::AttachError;
use strait_core::port::Port;
use strait_os::unix::RegionOptionsExt as _;
use strait_os::{
    CreateError, Exposure, OpenError, OpenOrCreateError, Region, RegionFile, RegionOptions, RegionPlace,
    SealedRegion,
};

fn create(region: &RegionPlace) -> Region {
    region.create(&PLAN, &RegionOptions::new()).expect("create")
}

fn open_error(region: &RegionPlace) -> OpenError {
    region.open(&RegionOptions::new()).err().expect("refused")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn a_mode_that_cannot_be_is_refused_and_nothing_appears() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    for mode in [0o400, 0o700, 0o4600, 0] {
        let error = region.create(&PLAN, &RegionOptions::new().mode(mode)).err();
        assert_eq!(error, Some(CreateError::Mode { mode }));
    }
    assert_eq!(fs::read_dir(&scratch.0).expect("the directory").count(), 0);
}

#[test]
fn fault_130_a_mode_by_which_others_only_read_is_refused_unless_allowed() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    for mode in [0o640, 0o604, 0o644, 0o664, 0o646, 0o624] {
        let error = region.create(&PLAN, &RegionOptions::new().mode(mode)).err();
        assert_eq!(error, Some(CreateError::ReadersMode { mode }));
        let sealed = SealedRegion::create(&PLAN, &RegionOptions::new().mode(mode)).err();
        let elsewhere = sealed == Some(CreateError::Unsupported);
        assert!(elsewhere || sealed == Some(CreateError::ReadersMode { mode }), "{sealed:?}");
    }
    assert_eq!(fs::read_dir(&scratch.0).expect("the directory").count(), 0);
    for mode in [0o600, 0o660, 0o666, 0o606, 0o620, 0o602] {
        drop(region.create(&PLAN, &RegionOptions::new().mode(mode)).expect("no reader but writers"));
        region.remove().expect("ours");
    }
    drop(region.create(&PLAN, &RegionOptions::new().mode(0o644).allow_readers(true)).expect("allowed"));
}

#[test]
fn fault_51_a_file_that_is_read_only_can_be_looked_at() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    drop(create(&region));
    set_mode(path_of(&region), 0o400);
    let looking = region.open(&RegionOptions::new().read_only(true)).expect("open");
    assert_eq!(looking.port().ident(), None);
}

#[test]
fn fault_52_neither_a_file_nor_a_dangling_link_is_replaced() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    let first = create(&region);
    let again = |region: &RegionPlace| region.create(&PLAN, &RegionOptions::new()).err();
    assert_eq!(again(&region), Some(CreateError::AlreadyExists));
    let opened = region.open(&RegionOptions::new()).expect("open");
    assert_eq!(opened.header().instance, first.header().instance);
    let other = RegionFile::new(scratch.path("other"));
    fs::write(path_of(&other), b"somebody's notes").expect("a file");
    assert_eq!(again(&other), Some(CreateError::AlreadyExists));
    symlink("nowhere", scratch.path("dangling")).expect("a link");
    assert_eq!(again(&RegionFile::new(scratch.path("dangling"))), Some(CreateError::AlreadyExists));
    assert_eq!(fs::read(path_of(&other)).expect("the file"), b"somebody's notes");
    assert_eq!(fs::read_dir(&scratch.0).expect("the directory").count(), 3);
}

#[test]
fn fault_53_a_link_a_fifo_a_directory_and_a_socket_are_refused() {
    let scratch = Scratch::new();
    let real = RegionFile::new(scratch.path("real"));
    drop(create(&real));
    symlink(path_of(&real), scratch.path("link")).expect("a link");
    nix::unistd::mkfifo(&scratch.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let _listener = UnixListener::bind(scratch.path("socket")).expect("a socket");
    for (name, kind) in
        [("link", "symbolic link"), ("fifo", "FIFO"), ("dir", "directory"), ("socket", "socket")]
    {
        let region = RegionFile::new(scratch.path(name));
        assert_eq!(open_error(&region), OpenError::NotAFile { kind });
        let error = region.open(&RegionOptions::new().read_only(true)).err();
        assert_eq!(error, Some(OpenError::NotAFile { kind }));
        let error = region.open_or_create(&PLAN, &RegionOptions::new()).err();
        assert_eq!(error, Some(OpenOrCreateError::Open(OpenError::NotAFile { kind })));
    }
    assert_eq!(open_error(&RegionFile::new("/dev/null")), OpenError::NotAFile { kind: "device" });
}

#[test]
fn fault_53_a_private_name_that_was_left_is_taken_away() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    drop(create(&region));
    fs::hard_link(path_of(&region), scratch.path("second")).expect("a link");
    assert_eq!(open_error(&region), OpenError::Linked { links: 2 });
    fs::remove_file(scratch.path("second")).expect("removed");
    region.open(&RegionOptions::new()).expect("with one name it is taken");
    let private = scratch.path(".strait.0123456789abcdef");
    fs::hard_link(path_of(&region), &private).expect("a link");
    region.open(&RegionOptions::new()).expect("as left by a creator that died where files need a name");
    assert!(!private.exists());
}

#[test]
fn fault_54_a_mode_that_lets_others_in_is_refused_unless_allowed() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    drop(create(&region));
    for found in [0o666, 0o640, 0o602, 0o4600] {
        set_mode(path_of(&region), found);
        assert_eq!(open_error(&region), OpenError::TooOpen(Exposure { found, allowed: 0o600 }));
    }
    set_mode(path_of(&region), 0o640);
    region.open(&RegionOptions::new().mode(0o660)).expect("allowed");
}

#[test]
fn fault_55_the_mode_is_exactly_the_one_asked_for() {
    let scratch = Scratch::new();
    for umask in ["777", "000", "022"] {
        let path = scratch.path(umask);
        let mut helper = Helper::start("umask", &path);
        assert_eq!(helper.hear(), "ready");
        helper.tell(umask);
        assert_eq!(helper.hear(), "done");
        for mode in [0o600, 0o640, 0o666] {
            let found = fs::metadata(path.with_extension(mode.to_string())).expect("the file");
            assert_eq!(found.permissions().mode() & 0o7777, mode, "umask {umask}");
        }
    }
}

fn umask_role(path: &str) {
    say("ready");
    let umask = u32::from_str_radix(&hear(), 8).expect("a number");
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(umask as _));
    for mode in [0o600, 0o640, 0o666] {
        let region = RegionFile::new(Path::new(path).with_extension(mode.to_string()));
        let options = RegionOptions::new().mode(mode).allow_readers(true);
        region.create(&PLAN, &options).expect("create");
        region.open(&options).expect("open");
    }
    say("done");
}

#[test]
fn a_path_without_a_directory_is_in_the_working_directory() {
    let scratch = Scratch::new();
    let mut helper = Helper::start("relative", &scratch.0);
    assert_eq!(helper.hear(), "created and synced");
    assert!(scratch.path("here").exists());
}

#[test]
fn a_file_with_holes_is_filled_up_when_it_is_opened() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    let ours = create(&region);
    let image = fs::read(path_of(&region)).expect("its bytes");
    drop(ours);
    let copy = RegionFile::new(scratch.path("copy"));
    let file = File::create_new(path_of(&copy)).expect("a file");
    file.write_all_at(&image[..256], 0).expect("its header");
    file.set_len(image.len() as u64).expect("its length");
    drop(file);
    set_mode(path_of(&copy), 0o600);
    copy.open(&RegionOptions::new()).expect("open");
    let blocks = std::os::unix::fs::MetadataExt::blocks(&fs::metadata(path_of(&copy)).expect("the file"));
    if cfg!(target_os = "linux") {
        assert!(blocks * 512 >= image.len() as u64, "{blocks} blocks");
    }
}

/// A tool that looks at another user's file must not be ended by what its owner does to it.
#[test]
fn a_file_that_is_cut_short_does_not_end_who_just_looks() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    drop(create(&region));
    let mut helper = Helper::start("look", path_of(&region));
    assert_eq!(helper.hear(), "1 channels");
    File::options().write(true).open(path_of(&region)).expect("ours").set_len(0).expect("cut");
    helper.tell("look again");
    assert_eq!(helper.hear(), "1 channels");
    let looking = region.open(&RegionOptions::new().read_only(true).any_owner(true));
    assert_eq!(looking.err(), Some(OpenError::TooShort { len: 0 }));
}

fn look_role(path: &str) {
    let options = RegionOptions::new().read_only(true).any_owner(true);
    let region = RegionFile::new(path).open(&options).expect("open");
    for _ in 0..2 {
        say(&format!("{} channels", region.channels().count()));
        hear();
    }
}

/// The kernel ends a process that goes beyond its limit by a signal, before the call returns an error.
#[test]
fn a_region_that_is_longer_than_files_may_be_is_an_error_and_no_signal() {
    let scratch = Scratch::new();
    let mut helper = Helper::start("limited", scratch.path("region"));
    let limit = 1024;
    for _ in 0..2 {
        assert_eq!(helper.hear(), format!("{:?}", Some(CreateError::FileSizeLimit { limit })));
    }
    assert_eq!(helper.hear(), "of the limit itself: None");
    assert_eq!(fs::read_dir(&scratch.0).expect("the directory").count(), 1);
}

fn limited_role(path: &str) {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).expect("a limit");
    let limit = |bytes| setrlimit(Resource::RLIMIT_FSIZE, bytes, hard).expect("a limit");
    let options = RegionOptions::new();
    let region = RegionFile::new(path);
    limit(1024);
    say(&format!("{:?}", region.create(&PLAN, &options).err()));
    say(&format!("{:?}", sealed(&options)));
    limit(PLAN.size().try_into().expect("a limit of 32 bits holds it"));
    say(&format!("of the limit itself: {:?}", region.create(&PLAN, &options).err()));
    hear();
}

#[cfg(target_os = "linux")]
fn sealed(options: &RegionOptions) -> Option<CreateError> {
    strait_os::SealedRegion::create(&PLAN, options).err()
}

/// There is none: as if it had been refused in the same way.
#[cfg(not(target_os = "linux"))]
fn sealed(_: &RegionOptions) -> Option<CreateError> {
    Some(CreateError::FileSizeLimit { limit: 1024 })
}

#[test]
fn what_is_no_region_is_not_removed() {
    let scratch = Scratch::new();
    let path = scratch.path("thesis");
    let region = RegionFile::new(&path);
    assert_eq!(region.remove(), Err(OpenError::NotFound));
    for content in ["my thesis", "", "str"] {
        fs::write(&path, content).expect("a file");
        assert_eq!(region.remove(), Err(OpenError::Attach(AttachError::NotARegion)), "{content:?}");
        assert_eq!(fs::read_to_string(&path).expect("still there"), content);
    }
    fs::remove_file(&path).expect("ours");
    let link = RegionFile::new(scratch.path("link"));
    symlink(&path, path_of(&link)).expect("a link");
    drop(create(&region));
    assert_eq!(link.remove(), Err(OpenError::NotAFile { kind: "symbolic link" }));
    nix::unistd::mkfifo(&scratch.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    let fifo = RegionFile::new(scratch.path("fifo"));
    assert_eq!(fifo.remove(), Err(OpenError::NotAFile { kind: "FIFO" }), "and it did not wait");
    // A damaged one may go.
    File::options().write(true).open(&path).expect("ours").write_all_at(&[0xFF; 64], 8).expect("damage");
    assert!(matches!(open_error(&region), OpenError::Attach(_)));
    region.remove().expect("it starts as a region does");
    assert!(!path.exists());
}

#[test]
fn helper() {
    let Some((role, path)) = role_for_a_while() else { return };
    match role.as_str() {
        "umask" => umask_role(&path),
        "relative" => {
            std::env::set_current_dir(&path).expect("the directory");
            let region = RegionFile::new("here");
            create(&region).port().sync().expect("sync");
            let opened = region.open(&RegionOptions::new()).expect("open");
            assert_eq!(opened.port().is_current(), Ok(true));
            std::env::set_current_dir("/").expect("a directory"); // As every daemon does.
            assert_eq!(opened.port().is_current(), Ok(true));
            opened.port().sync().expect("sync");
            region.open(&RegionOptions::new()).expect("it is where it was");
            say("created and synced");
        }
        "look" => look_role(&path),
        "limited" => limited_role(&path),
        other => panic!("no such role: {other}"),
    }
}
