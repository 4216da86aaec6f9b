//! Errors that once blamed the wrong thing: the system's own word for what failed misled. Each is provoked in a
//! process of its own.
#![cfg(all(target_os = "linux", target_endian = "little"))]

use std::path::Path;

use crate::common::{Helper, PLAN, Scratch, is_root, own_mounts, role_for_a_while, say, skip, unique};
use nix::libc::{self, sock_filter, sock_fprog};
use nix::mount::{MsFlags, mount};
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Uid, setuid};
use strait_core::{Channel, Plan};
use strait_os::{CreateError, NamedSemaphore, OpenError, RegionFile, RegionName, RegionOptions};

/// A user id that nobody has.
const OTHER: u32 = 65_534;
/// The most regions that one process has open.
const MOST: usize = 1024;
/// As many as one region has places for.
const CROWD: Plan<'static> = Plan::new(&[Channel::latest::<u64>("value")]).participants(511);
/// More than the limit on locked memory of the test.
const HUGE: Plan<'static> = Plan::new(&[Channel::frames("large", 16 << 20, 256)]);

/// Starts a helper, and returns it unless it says why it cannot do its part.
fn start(test: &str, role: &str, arg: impl AsRef<Path>) -> Option<Helper> {
    let mut helper = Helper::start(role, arg);
    match helper.hear().as_str() {
        "ready" => Some(helper),
        why => {
            skip(test, why);
            None
        }
    }
}

#[test]
fn a_read_only_file_system_is_not_blamed_on_the_user() {
    let test = "a_read_only_file_system_is_not_blamed_on_the_user";
    let Some(mut helper) = start(test, "read-only", unique()) else { return };
    assert_eq!(helper.hear(), "Some(ReadOnlyFileSystem)");
}

fn read_only_role(name: &str) {
    let flags = MsFlags::MS_RDONLY;
    let mounted = own_mounts().and_then(|()| {
        mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), flags, None::<&str>).map_err(|e| e.to_string())
    });
    if let Err(why) = mounted {
        return say(&format!("no tmpfs of our own: {why}"));
    }
    say("ready");
    let region = RegionName::new(name).expect("a name");
    say(&format!("{:?}", region.create(&PLAN, &RegionOptions::new()).err()));
}

#[test]
fn a_missing_directory_of_names_is_named() {
    let test = "a_missing_directory_of_names_is_named";
    let Some(mut helper) = start(test, "no-shm", unique()) else { return };
    assert_eq!(helper.hear(), "Some(NoDirectory), named: true", "a region");
    assert_eq!(helper.hear(), "Some(NoDirectory), named: true", "a semaphore that is not there yet");
    assert_eq!(helper.hear(), "Some(NotFound)", "a semaphore that is opened");
    assert_eq!(helper.hear(), "named: true", "the list");
}

fn no_shm_role(name: &str) {
    let flags = MsFlags::empty();
    let mounted = own_mounts().and_then(|()| {
        mount(Some("tmpfs"), "/dev", Some("tmpfs"), flags, None::<&str>).map_err(|e| e.to_string())
    });
    if let Err(why) = mounted {
        return say(&format!("no tmpfs of our own: {why}"));
    }
    say("ready");
    let named = |error: &dyn ToString| error.to_string().contains("/dev/shm");
    let region = RegionName::new(name).expect("a name");
    let error = region.create(&PLAN, &RegionOptions::new()).err();
    say(&format!("{error:?}, named: {}", named(&error.expect("no directory"))));
    let error = NamedSemaphore::open_or_create(name, 1).err();
    say(&format!("{error:?}, named: {}", named(&error.expect("no directory"))));
    say(&format!("{:?}", NamedSemaphore::open(name).err()));
    say(&format!("named: {}", named(&RegionName::list().expect_err("no directory"))));
}

#[test]
fn the_table_of_open_regions_is_not_blamed_on_the_limit_of_files() {
    let test = "the_table_of_open_regions_is_not_blamed_on_the_limit_of_files";
    let scratch = Scratch::new();
    let Some(mut helper) = start(test, "many", &scratch.0) else { return };
    assert_eq!(
        helper.hear(),
        "this process has 1024 regions, mutexes and listeners' descriptors open, which is the most it can have; close one"
    );
    assert_eq!(helper.hear(), "after one was closed: true");
}

fn many_role(dir: &str) {
    if let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, 4096, 4096) {
        return say(&format!("the limit on files stays: {error}"));
    }
    say("ready");
    let options = RegionOptions::new();
    let mut open = Vec::new();
    let files: Vec<_> = (0..3).map(|i| RegionFile::new(Path::new(dir).join(i.to_string()))).collect();
    open.extend(files.iter().map(|file| file.create(&CROWD, &options).expect("create")));
    while open.len() < MOST {
        open.push(files[open.len() % files.len()].open(&options).expect("there is room"));
    }
    let error = files[0].open(&options).err().expect("the table is full");
    say(&error.to_string());
    open.pop();
    say(&format!("after one was closed: {}", files[0].open(&options).is_ok()));
}

#[test]
fn a_system_without_the_locks_that_prove_lives_is_named() {
    let test = "a_system_without_the_locks_that_prove_lives_is_named";
    let scratch = Scratch::new();
    let Some(mut helper) = start(test, "no-locks", scratch.path("region")) else { return };
    assert_eq!(helper.hear(), "locks: true, number: false", "create");
    assert_eq!(helper.hear(), "locks: true, number: false", "open");
    assert_eq!(helper.hear(), "read-only: true");
}

/// The call that such locks are made by: with a position of 64 bits, which machines of 32 bits have a call of its own for.
#[cfg(target_pointer_width = "32")]
const FCNTL: libc::c_long = libc::SYS_fcntl64;
#[cfg(not(target_pointer_width = "32"))]
const FCNTL: libc::c_long = libc::SYS_fcntl;

/// From here on the kernel knows no open-file-description locks.
fn refuse_ofd() -> std::io::Result<()> {
    let op = |code: u32, k: u32, jt: u8, jf: u8| sock_filter { code: code as u16, jt, jf, k };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let mut filter = [
        op(load, 0, 0, 0), // The call's number.
        op(equal, FCNTL as u32, 0, 5),
        op(load, 24, 0, 0), // The low half of its second argument.
        op(equal, libc::F_OFD_GETLK as u32, 2, 0),
        op(equal, libc::F_OFD_SETLK as u32, 1, 0),
        op(equal, libc::F_OFD_SETLKW as u32, 0, 1),
        op(answer, libc::SECCOMP_RET_ERRNO | libc::EINVAL as u32, 0, 0),
        op(answer, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the calls take numbers, and a program that is a local.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: as above. It is of this thread, and of those that it starts.
    if unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

fn no_locks_role(path: &str) {
    let options = RegionOptions::new();
    let there = RegionFile::new(format!("{path}-there"));
    drop(there.create(&PLAN, &options).expect("create"));
    if let Err(why) = refuse_ofd() {
        return say(&format!("no filter: {why}"));
    }
    say("ready");
    let told = |text: String| {
        let (locks, number) = (text.contains("open-file-description locks"), text.contains("os error"));
        say(&format!("locks: {locks}, number: {number}"));
    };
    told(RegionFile::new(path).create(&PLAN, &options).err().expect("no locks").to_string());
    told(there.open(&options).err().expect("no locks").to_string());
    say(&format!("read-only: {}", there.open(&options.read_only(true)).is_ok()));
}

#[test]
fn memory_beyond_the_limit_of_a_process_that_locks_all_is_named() {
    let test = "memory_beyond_the_limit_of_a_process_that_locks_all_is_named";
    let scratch = Scratch::new();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&scratch.0, mode).expect("its mode");
    let Some(mut helper) = start(test, "lock-all", &scratch.0) else { return };
    assert_eq!(helper.hear(), "small: true");
    assert_eq!(helper.hear(), "create: Lock, limit: true, left: 1");
    assert_eq!(helper.hear(), "open: Lock, limit: true");
    assert_eq!(helper.hear(), "a copy: Lock, limit: true");
}

fn lock_all_role(dir: &str) {
    let options = RegionOptions::new();
    let there = RegionFile::new(Path::new(dir).join("there"));
    // Of the system's type, which differs between machines.
    let limit = 4 << 20;
    if let Err(error) = setrlimit(Resource::RLIMIT_MEMLOCK, limit, limit) {
        return say(&format!("the limit stays: {error}"));
    }
    if is_root()
        && let Err(error) = setuid(Uid::from_raw(OTHER))
    {
        return say(&format!("still root: {error}"));
    }
    drop(there.create(&HUGE, &options).expect("create"));
    if let Err(error) = mlockall(MlockAllFlags::MCL_FUTURE) {
        return say(&format!("mlockall: {error}"));
    }
    say("ready");
    let small = RegionFile::new(Path::new(dir).join("small"));
    say(&format!("small: {}", small.create(&PLAN, &options).is_ok()));
    small.remove().expect("ours");
    let limit = |error: &dyn ToString| error.to_string().contains("RLIMIT_MEMLOCK");
    let error = RegionFile::new(Path::new(dir).join("new")).create(&HUGE, &options).err().expect("the limit");
    let kind = if matches!(error, CreateError::Lock(_)) { "Lock" } else { "another" };
    let left = std::fs::read_dir(dir).expect("the directory").count();
    say(&format!("create: {kind}, limit: {}, left: {left}", limit(&error)));
    for (what, options) in [("open", options), ("a copy", options.read_only(true).any_owner(true))] {
        let error = there.open(&options).err().expect("the limit");
        let kind = if matches!(error, OpenError::Lock(_)) { "Lock" } else { "another" };
        say(&format!("{what}: {kind}, limit: {}", limit(&error)));
    }
}

#[test]
fn helper() {
    let Some((role, arg)) = role_for_a_while() else { return };
    match role.as_str() {
        "read-only" => read_only_role(&arg),
        "no-shm" => no_shm_role(&arg),
        "many" => many_role(&arg),
        "no-locks" => no_locks_role(&arg),
        _ => lock_all_role(&arg),
    }
}
