//! Space, prefault, locks, owners and descriptors on Linux. Numbers are those of the fault list.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use crate::common::{Helper, Name, PLAN, Scratch, is_root, own_mounts, path_of, role_for_a_while, say, skip};
use nix::mount::{MsFlags, mount};
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::unistd::{Uid, setuid};
use strait_core::{Channel, Plan, port::Port};
use strait_os::unix::RegionOptionsExt as _;
use strait_os::{CreateError, OpenError, OpenOrCreateError, Region, RegionFile, RegionOptions, SealedRegion};

/// About a megabyte.
const LARGE: Plan<'static> = Plan::new(&[Channel::frames("large", 1 << 20, 256)]);

/// A user id that nobody has.
const OTHER: u32 = 65_534;

#[test]
fn fault_50_a_full_tmpfs_is_an_error_at_creation() {
    let scratch = Scratch::new();
    let mut helper = Helper::start("small-tmpfs", &scratch.0);
    match helper.hear().as_str() {
        "ready" => {}
        why => return skip("fault_50_a_full_tmpfs_is_an_error_at_creation", why),
    }
    assert_eq!(helper.hear(), "too large: NoSpace, left: 0");
    assert_eq!(helper.hear(), "small: created, and every page written");
    assert_eq!(helper.hear(), "holes: NoSpace");
}

fn small_tmpfs_role(dir: &str) {
    let mounted = own_mounts().and_then(|()| {
        mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), Some("size=256k"))
            .map_err(|error| format!("no tmpfs of our own: {error}"))
    });
    if let Err(why) = mounted {
        return say(&why);
    }
    say("ready");
    let dir = Path::new(dir);
    let region = RegionFile::new(dir.join("region"));
    let error = region.create(&LARGE, &RegionOptions::new()).err().expect("no space");
    let left = fs::read_dir(dir).expect("the directory").count();
    say(&format!("too large: {error:?}, left: {left}"));
    let attached = region.create(&PLAN, &RegionOptions::new()).expect("space for this");
    // The rest of the file system is filled up by somebody else.
    let _ = fs::write(dir.join("filler"), vec![1; 1 << 20]);
    let mem = attached.port().mem();
    for offset in (8192..mem.len()).step_by(4096) {
        mem.setup_write(offset, 1);
    }
    say("small: created, and every page written");
    let sparse = RegionFile::new(dir.join("sparse"));
    fs::File::create_new(path_of(&sparse)).and_then(|file| file.set_len(1 << 20)).expect("a file of holes");
    fs::set_permissions(path_of(&sparse), fs::Permissions::from_mode(0o600)).expect("its mode");
    say(&format!("holes: {:?}", sparse.open(&RegionOptions::new()).err().expect("no space")));
}

/// Page faults of this thread while it writes to every page.
fn faults(attached: &Region) -> nix::libc::c_long {
    let count = || getrusage(UsageWho::RUSAGE_THREAD).expect("counters").minor_page_faults();
    let mem = attached.port().mem();
    mem.setup_write(8192, 0); // The code itself.
    let before = count();
    for offset in (8192..mem.len()).step_by(4096) {
        mem.setup_write(offset, 1);
    }
    count() - before
}

#[test]
fn prefaulted_and_locked_regions_do_not_fault() {
    let name = Name::new();
    let created = name.region().create(&LARGE, &RegionOptions::new().prefault(true)).expect("create");
    assert_eq!(faults(&created), 0, "created");
    let plain = name.region().open(&RegionOptions::new()).expect("open");
    assert!(faults(&plain) > 0, "or the count means nothing");
    let opened = name.region().open(&RegionOptions::new().prefault(true)).expect("open");
    assert_eq!(faults(&opened), 0, "opened");
    match name.region().open(&RegionOptions::new().lock(true)) {
        Ok(locked) => assert_eq!(faults(&locked), 0, "locked"),
        Err(error) => skip("a locked region", &error.to_string()),
    }
    let sealed = SealedRegion::create(&LARGE, &RegionOptions::new().prefault(true)).expect("sealed");
    assert_eq!(faults(&sealed), 0, "sealed");
    name.region().open(&RegionOptions::new().prefault(true).read_only(true)).expect("for reading");
}

#[test]
fn memory_that_may_not_be_locked_is_a_clear_error() {
    let test = "memory_that_may_not_be_locked_is_a_clear_error";
    let scratch = Scratch::new();
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o777)).expect("its mode");
    let mut helper = Helper::start("lock-nothing", &scratch.0);
    match helper.hear().as_str() {
        "ready" => {}
        why => return skip(test, why),
    }
    assert_eq!(helper.hear(), "refused: true, advice: true, left: 0");
}

fn lock_nothing_role(dir: &str) {
    if let Err(error) = setrlimit(Resource::RLIMIT_MEMLOCK, 0, 0) {
        return say(&format!("the limit stays: {error}"));
    }
    if is_root()
        && let Err(error) = setuid(Uid::from_raw(OTHER))
    {
        return say(&format!("still root: {error}"));
    }
    say("ready");
    let error =
        RegionFile::new(Path::new(dir).join("region")).create(&PLAN, &RegionOptions::new().lock(true)).err();
    let error = error.expect("may not lock");
    say(&format!(
        "refused: {}, advice: {}, left: {}",
        matches!(error, CreateError::Lock(_)),
        error.to_string().contains("ulimit -l"),
        fs::read_dir(dir).expect("the directory").count(),
    ));
}

#[test]
fn fault_54_a_wrong_owner_is_refused_unless_trusted() {
    let test = "fault_54_a_wrong_owner_is_refused_unless_trusted";
    if !is_root() {
        return skip(test, "only root can give a file away");
    }
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    drop(region.create(&PLAN, &RegionOptions::new()).expect("create"));
    chown(path_of(&region), Some(OTHER), None).expect("given away");
    let error = region.open(&RegionOptions::new()).err();
    assert_eq!(error, Some(OpenError::WrongOwner { found: OTHER }));
    region.open(&RegionOptions::new().owner(OTHER)).expect("trusted");
    chown(path_of(&region), Some(0), None).expect("taken back");
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o755)).expect("its mode");
    for (mode, expected) in [("600", "NotPermitted { owner: Some(0) }"), ("666", "WrongOwner { found: 0 }")] {
        let number = u32::from_str_radix(mode, 8).expect("a number");
        fs::set_permissions(path_of(&region), fs::Permissions::from_mode(number)).expect("its mode");
        let mut helper = Helper::start("open-as-other", path_of(&region));
        assert_eq!(helper.hear(), expected, "root's file, seen by another user");
    }
}

/// `fs.protected_regular` lets nobody open another's file in a directory like this with `O_CREAT`.
/// This crate never does, so the outcome is the same whatever the setting; the setting is printed.
#[test]
fn fault_56_anothers_file_in_a_sticky_directory_is_a_clear_error() {
    let test = "fault_56_anothers_file_in_a_sticky_directory_is_a_clear_error";
    if !is_root() {
        return skip(test, "only root can give a file away");
    }
    let setting = fs::read_to_string("/proc/sys/fs/protected_regular").unwrap_or_default();
    println!("fs.protected_regular = {}", setting.trim());
    let scratch = Scratch::new();
    fs::set_permissions(&scratch.0, fs::Permissions::from_mode(0o1777)).expect("its mode");
    let region = RegionFile::new(scratch.path("region"));
    drop(region.create(&PLAN, &RegionOptions::new()).expect("create"));
    chown(path_of(&region), Some(OTHER), None).expect("given away");
    let wrong = OpenError::WrongOwner { found: OTHER };
    assert_eq!(region.create(&PLAN, &RegionOptions::new()).err(), Some(CreateError::AlreadyExists));
    assert_eq!(region.open(&RegionOptions::new()).err(), Some(wrong));
    let error = region.open_or_create(&PLAN, &RegionOptions::new()).err();
    assert_eq!(error, Some(OpenOrCreateError::Open(wrong)));
    assert!(wrong.to_string().contains("belongs to user 65534"), "{wrong}");
}

#[test]
fn fault_58_no_descriptor_survives_an_exec() {
    let name = Name::new();
    let attached = name.region().create(&PLAN, &RegionOptions::new()).expect("create");
    let sealed = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed");
    let opened = name.region().open(&RegionOptions::new()).expect("open");
    let own = |attached: &Region| format!("{:?}", attached.port());
    let listing = Command::new("ls").args(["-l", "/proc/self/fd"]).output().expect("ls");
    let listing = String::from_utf8_lossy(&listing.stdout);
    assert!(listing.contains("/proc/"), "a listing: {listing}");
    for mark in ["strait", "memfd"] {
        assert!(!listing.contains(mark), "{mark} in {listing}");
    }
    println!("{} {} {}", own(&attached), own(&sealed), own(&opened));
}

#[test]
fn helper() {
    let Some((role, path)) = role_for_a_while() else { return };
    match role.as_str() {
        "small-tmpfs" => small_tmpfs_role(&path),
        "lock-nothing" => lock_nothing_role(&path),
        "open-as-other" => {
            setuid(Uid::from_raw(OTHER)).expect("another user");
            say(&format!("{:?}", RegionFile::new(&path).open(&RegionOptions::new()).err().expect("refused")));
        }
        other => panic!("no such role: {other}"),
    }
}
