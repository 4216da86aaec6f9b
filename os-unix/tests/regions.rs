//! Regions by name and by path: what appears, what is refused. Numbers are those of the fault list.

mod common;

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Attached, Helper, Name, PLAN, Scratch, hear, hold, ident, role, say};
use strait_core::{AttachError, FormatError, Plan, Port};
use strait_os_unix::{CreateError, NameError, OpenError, OpenOrCreateError, Options, Region};

/// In the first channel's frames.
const OFFSET: u32 = 4096;

fn create(region: &Region) -> Attached {
    region.create(&PLAN, &Options::new()).expect("create")
}

fn open_error(region: &Region) -> OpenError {
    region.open(&Options::new()).err().expect("refused")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn a_region_is_created_opened_listed_and_removed_by_name() {
    let name = Name::new();
    let region = name.region();
    assert_eq!(open_error(&region), OpenError::NotFound);
    let ours = create(&region);
    let theirs = region.open(&Options::new()).expect("open");
    assert_eq!(theirs.header(), ours.header());
    assert_ne!(ident(&theirs), ident(&ours));
    assert!(Region::list().expect("names").contains(&name.0));
    region.remove().expect("remove");
    assert!(!Region::list().expect("names").contains(&name.0));
    assert_eq!(region.remove(), Err(OpenError::NotFound));
    assert_eq!(Region::named("a/b"), Err(NameError::Forbidden));
}

#[test]
fn frames_cross_between_two_handles() {
    let name = Name::new();
    let mut tx = create(&name.region()).producer("commands").expect("the role");
    let mut rx = name.region().open(&Options::new()).expect("open").consumer("commands").expect("the role");
    tx.try_send(7, b"motor on").expect("space");
    let mut buffer = [0; 256];
    assert_eq!(rx.try_recv(&mut buffer).expect("a frame").tag, 7);
    assert_eq!(&buffer[..8], b"motor on");
}

#[test]
fn a_plan_that_cannot_work_is_refused_and_nothing_appears() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    let bad = Plan::new(&[]).participants(0);
    let error = region.create(&bad, &Options::new()).err().expect("refused");
    assert!(matches!(error, CreateError::Format(FormatError::Plan(_))), "{error}");
    for mode in [0o400, 0o700, 0o4600, 0] {
        let error = region.create(&PLAN, &Options::new().mode(mode)).err();
        assert_eq!(error, Some(CreateError::Mode { mode }));
    }
    let error = region.create(&PLAN, &Options::new().read_only(true)).err();
    assert_eq!(error, Some(CreateError::ReadOnly));
    assert_eq!(fs::read_dir(&scratch.0).expect("the directory").count(), 0);
    let error = Region::at(scratch.path("none/region")).create(&PLAN, &Options::new()).err();
    assert_eq!(error, Some(CreateError::NoDirectory));
}

#[test]
fn whoever_comes_first_creates_and_all_get_the_same_region() {
    let name = Name::new();
    let mut helpers: Vec<_> = (0..6).map(|_| Helper::start("open-or-create", name.region().path())).collect();
    for helper in &mut helpers {
        assert_eq!(helper.hear(), "ready");
    }
    for helper in &mut helpers {
        helper.tell("go");
    }
    let instances: BTreeSet<_> = helpers.iter_mut().map(Helper::hear).collect();
    assert_eq!(instances.len(), 1, "{instances:?}");
}

#[test]
fn fault_25_a_creator_that_dies_leaves_a_complete_region_or_none() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    for round in 0..30 {
        let mut helper = Helper::start("create-and-remove", region.path());
        assert_eq!(helper.hear(), "ready");
        std::thread::sleep(Duration::from_micros(round * 100));
        helper.kill();
        match region.open(&Options::new()) {
            Ok(_) => region.remove().expect("remove"),
            Err(error) => assert_eq!(error, OpenError::NotFound, "round {round}"),
        }
        drop(create(&region));
        region.remove().expect("remove");
    }
    let left: Vec<_> = fs::read_dir(&scratch.0).expect("the directory").collect();
    // Where a file needs a name, one that was never finished keeps its private one.
    assert!(left.is_empty() || !cfg!(target_os = "linux"), "{left:?}");
}

#[test]
fn fault_27_removal_races_an_open() {
    let name = Name::new();
    let region = name.region();
    let mut helper = Helper::start("create-and-remove", region.path());
    assert_eq!(helper.hear(), "ready");
    let (mut opened, mut missed) = (0, 0);
    let start = Instant::now();
    while (opened < 100 || missed < 100) && start.elapsed() < Duration::from_secs(5) {
        match region.open(&Options::new()) {
            Ok(attached) => opened += usize::from(attached.port().ident().is_some()),
            Err(error) => {
                assert_eq!(error, OpenError::NotFound);
                missed += 1;
            }
        }
    }
    helper.kill();
    assert!(opened > 0 && missed > 0, "opened {opened} times, missed {missed} times: no race");
}

#[test]
fn fault_44_random_bytes_are_refused() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for len in (0..600).chain([4096, 65_536, 1 << 20]) {
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random as u8
            })
            .collect();
        fs::write(region.path(), bytes).expect("a file");
        set_mode(region.path(), 0o600);
        let error = open_error(&region);
        let short = matches!(error, OpenError::TooShort { .. });
        assert!(short == (len < 128) && matches!(error, OpenError::TooShort { .. } | OpenError::Attach(_)));
    }
}

#[test]
fn fault_45_a_short_or_empty_or_huge_file_is_refused() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    drop(create(&region));
    let file = File::options().write(true).open(region.path()).expect("the file");
    for len in [0, 1, 127] {
        file.set_len(len).expect("its length");
        assert_eq!(open_error(&region), OpenError::TooShort { len });
    }
    file.set_len(1 << 31).expect("its length");
    assert_eq!(open_error(&region), OpenError::TooLong { len: 1 << 31 });
    region.remove().expect("remove");
    drop(create(&region));
    let file = File::options().write(true).open(region.path()).expect("the file");
    file.set_len(4096).expect("its length");
    assert!(matches!(open_error(&region), OpenError::Attach(AttachError::TooShort { found: 4096, .. })));
    file.set_len(0).expect("its length");
    file.set_len(4096).expect("its length");
    assert_eq!(open_error(&region), OpenError::Attach(AttachError::Uninitialised));
}

#[test]
fn fault_51_a_read_only_handle_reads_and_takes_no_role() {
    let name = Name::new();
    let ours = create(&name.region());
    let mem = ours.port().mem();
    mem.setup_write(OFFSET, 0x1234_5678);
    let looking = name.region().open(&Options::new().read_only(true)).expect("open");
    assert_eq!(looking.port().mem().setup_read(OFFSET), 0x1234_5678);
    assert!(looking.producer("commands").is_err());
    let mut helper = Helper::start("store-read-only", name.region().path());
    assert_eq!(helper.hear(), "storing");
    assert_eq!(helper.try_hear(), None, "the store must not come back");
    let status = helper.wait();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert!(matches!(signal, Some(nix::libc::SIGSEGV | nix::libc::SIGBUS)), "{status}");
    assert_eq!(mem.setup_read(OFFSET), 0x1234_5678);
}

#[test]
fn fault_51_a_file_that_is_read_only_can_be_looked_at() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    drop(create(&region));
    set_mode(region.path(), 0o400);
    let looking = region.open(&Options::new().read_only(true)).expect("open");
    assert_eq!(looking.port().ident(), None);
}

#[test]
fn fault_52_what_exists_is_never_replaced_or_adopted() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    let first = create(&region);
    let again = |region: &Region| region.create(&PLAN, &Options::new()).err();
    assert_eq!(again(&region), Some(CreateError::AlreadyExists));
    let opened = region.open(&Options::new()).expect("open");
    assert_eq!(opened.header().instance, first.header().instance);
    let other = Region::at(scratch.path("other"));
    fs::write(other.path(), b"somebody's notes").expect("a file");
    assert_eq!(again(&other), Some(CreateError::AlreadyExists));
    symlink("nowhere", scratch.path("dangling")).expect("a link");
    assert_eq!(again(&Region::at(scratch.path("dangling"))), Some(CreateError::AlreadyExists));
    assert_eq!(fs::read(other.path()).expect("the file"), b"somebody's notes");
    assert_eq!(fs::read_dir(&scratch.0).expect("the directory").count(), 3);
}

#[test]
fn fault_53_a_link_a_fifo_a_directory_and_a_socket_are_refused() {
    let scratch = Scratch::new();
    let real = Region::at(scratch.path("real"));
    drop(create(&real));
    symlink(real.path(), scratch.path("link")).expect("a link");
    nix::unistd::mkfifo(&scratch.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let _listener = UnixListener::bind(scratch.path("socket")).expect("a socket");
    for (name, kind) in
        [("link", "symbolic link"), ("fifo", "FIFO"), ("dir", "directory"), ("socket", "socket")]
    {
        let region = Region::at(scratch.path(name));
        assert_eq!(open_error(&region), OpenError::NotAFile { kind });
        let error = region.open(&Options::new().read_only(true)).err();
        assert_eq!(error, Some(OpenError::NotAFile { kind }));
        let error = region.open_or_create(&PLAN, &Options::new()).err();
        assert_eq!(error, Some(OpenOrCreateError::Open(OpenError::NotAFile { kind })));
    }
    assert_eq!(open_error(&Region::at("/dev/null")), OpenError::NotAFile { kind: "device" });
}

#[test]
fn fault_53_a_second_name_is_refused() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    drop(create(&region));
    fs::hard_link(region.path(), scratch.path("second")).expect("a link");
    assert_eq!(open_error(&region), OpenError::Linked { links: 2 });
    fs::remove_file(scratch.path("second")).expect("removed");
    region.open(&Options::new()).expect("with one name it is taken");
    let private = scratch.path(".strait.0123456789abcdef");
    fs::hard_link(region.path(), &private).expect("a link");
    region.open(&Options::new()).expect("as left by a creator that died where files need a name");
    assert!(!private.exists());
}

#[test]
fn fault_54_a_mode_that_lets_others_in_is_refused_unless_allowed() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    drop(create(&region));
    for found in [0o666, 0o640, 0o602, 0o4600] {
        set_mode(region.path(), found);
        assert_eq!(open_error(&region), OpenError::TooOpen { found, allowed: 0o600 });
    }
    set_mode(region.path(), 0o640);
    region.open(&Options::new().mode(0o660)).expect("allowed");
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
        let region = Region::at(Path::new(path).with_extension(mode.to_string()));
        let options = Options::new().mode(mode);
        region.create(&PLAN, &options).expect("create");
        region.open(&options).expect("open");
    }
    say("done");
}

#[test]
fn fault_57_a_region_made_anew_is_another_and_the_old_one_lives_on() {
    let name = Name::new();
    let region = name.region();
    let old = create(&region);
    let mut tx = old.producer("commands").expect("the role");
    assert_eq!(old.port().is_current(), Ok(true));
    region.remove().expect("remove");
    assert_eq!(old.port().is_current(), Ok(false), "removed");
    let new = create(&region);
    assert_eq!(old.port().is_current(), Ok(false), "made anew");
    assert_eq!(new.port().is_current(), Ok(true));
    assert_ne!(new.header().instance, old.header().instance);
    tx.try_send(1, b"to the old one").expect("it still works");
    let mut rx = new.consumer("commands").expect("the role");
    assert!(rx.try_recv(&mut [0; 256]).is_err(), "nothing came into the new one");
}

#[test]
fn a_region_in_a_file_survives_all_its_processes() {
    let scratch = Scratch::new();
    let region = Region::at(scratch.path("region"));
    let mut helper = Helper::start("create-and-send", region.path());
    assert_eq!(helper.hear(), "sent and synced");
    helper.kill();
    let attached = region.open(&Options::new()).expect("open");
    let mut rx = attached.consumer("commands").expect("the role");
    let mut buffer = [0; 256];
    for tag in 0..5 {
        assert_eq!(rx.try_recv(&mut buffer).expect("a frame").tag, tag);
    }
    if cfg!(target_os = "linux") {
        let mut tx = attached.producer("commands").expect("a dead one's role");
        tx.try_send(5, b"after").expect("space");
        assert_eq!(rx.try_recv(&mut buffer).expect("a frame").sequence, 5);
    }
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
    let region = Region::at(scratch.path("region"));
    let ours = create(&region);
    let image = fs::read(region.path()).expect("its bytes");
    drop(ours);
    let copy = Region::at(scratch.path("copy"));
    let file = File::create_new(copy.path()).expect("a file");
    file.write_all_at(&image[..256], 0).expect("its header");
    file.set_len(image.len() as u64).expect("its length");
    drop(file);
    set_mode(copy.path(), 0o600);
    copy.open(&Options::new()).expect("open");
    let blocks = std::os::unix::fs::MetadataExt::blocks(&fs::metadata(copy.path()).expect("the file"));
    if cfg!(target_os = "linux") {
        assert!(blocks * 512 >= image.len() as u64, "{blocks} blocks");
    }
}

#[test]
fn helper() {
    let Some((role, path)) = role() else { return };
    let region = Region::at(&path);
    match role.as_str() {
        "hold" => hold(&path),
        "umask" => umask_role(&path),
        "open-or-create" => {
            say("ready");
            hear();
            let attached = region.open_or_create(&PLAN, &Options::new()).expect("one of the two");
            say(&attached.header().instance.to_string());
            hear();
        }
        "create-and-remove" => {
            say("ready");
            loop {
                let attached = create(&region);
                std::thread::sleep(Duration::from_micros(50));
                region.remove().expect("remove");
                drop(attached);
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        "store-read-only" => {
            let looking = region.open(&Options::new().read_only(true)).expect("open");
            say("storing");
            looking.port().mem().setup_write(OFFSET, 0);
            say("stored");
        }
        "create-and-send" => {
            let attached = create(&region);
            let mut tx = attached.producer("commands").expect("the role");
            for tag in 0..5 {
                tx.try_send(tag, b"before").expect("space");
            }
            attached.port().sync().expect("sync");
            say("sent and synced");
            hear();
        }
        "relative" => {
            std::env::set_current_dir(&path).expect("the directory");
            let region = Region::at("here");
            create(&region).port().sync().expect("sync");
            assert_eq!(region.open(&Options::new()).expect("open").port().is_current(), Ok(true));
            say("created and synced");
        }
        other => panic!("no such role: {other}"),
    }
}
