//! Regions in memory that a program has a descriptor of: files and, on Linux, memfds, which have what a dma-buf lacks,
//! locks. What a dma-buf does is tried by the example `dma_buf`, and by the lane `guest` in a kernel that has some. Numbers
//! are those of the fault list.
#![cfg(unix)]

mod common;

use std::fs::{self, File, Permissions};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;

use common::{Helper, Scratch, fork_and_tell, hear, ident, meets_no_child, probe, say, skip};
use strait_core::port::{Port as _, Probe};
use strait_core::{Channel, Lock, Plan};
use strait_os::unix::{RegionWindow, WindowError};
use strait_os::{OpenError, Region, RegionOptions};

const PLAN: Plan<'static> = Plan::new(&[
    Channel::frames("down", 4096, 256),
    Channel::frames("up", 4096, 256),
    Channel::mutex::<u64>("lock"),
]);

const OURS: RegionOptions = RegionOptions::new();
const LEN: u64 = 1 << 20;
/// Of every page that a system here has a multiple.
const PAGES: u64 = 1 << 18;

fn file(scratch: &Scratch) -> File {
    let mut options = File::options();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(scratch.path("memory"));
    let file = file.expect("a file");
    file.set_len(LEN).expect("its length");
    file
}

fn window(file: &File) -> RegionWindow {
    RegionWindow::of_descriptor(file.try_clone().expect("a descriptor"), 0)
}

fn error(window: &RegionWindow) -> WindowError {
    window.create(&PLAN, &OURS).err().expect("refused")
}

fn pass(from: &Region, to: &Region, channel: &str) {
    let (mut producer, mut consumer) = (from.producer(channel).unwrap(), to.consumer(channel).unwrap());
    let mut buf = [0; 256];
    for len in [0, 1, 7, 64, 255, 256] {
        producer.try_send(len, &vec![0x5A; len as usize]).unwrap();
        let got = consumer.try_recv(&mut buf).unwrap();
        assert_eq!((got.tag, got.len), (len, len as usize));
    }
}

#[test]
fn two_windows_of_descriptors_meet() {
    let scratch = Scratch::new();
    let file = file(&scratch);
    let window = window(&file);
    let first = window.create(&PLAN, &OURS).expect("create");
    let second = window.clone().open(&OURS).expect("open by a copy");
    pass(&first, &second, "down");
    let by_path = RegionWindow::new(scratch.path("memory"), 0).open(&OURS).expect("open by its path");
    pass(&by_path, &first, "up");
    assert_eq!((window.path(), window.clone() == window), (None, true));
    assert_ne!(window, RegionWindow::of_descriptor(file.try_clone().expect("another"), 0));
    let shown = window.to_string();
    assert!(shown.starts_with("descriptor ") && shown.ends_with(" at 0x0"), "{shown}");
    assert!(first.port().is_current().expect("it has no name"));
    // The region has a descriptor of its own.
    drop((window, file));
    fs::remove_file(scratch.path("memory")).expect("removed");
    pass(&second, &first, "down");
    let third = second.port().join_again().expect("another participant");
    assert_ne!(ident(&first), ident(&third));
}

/// A memfd has an open file description for each process that opens it again, and so it proves deaths.
#[test]
fn a_killed_process_is_proven_dead_in_a_memfd() {
    if !cfg!(target_os = "linux") {
        return skip("a_killed_process_is_proven_dead_in_a_memfd", "no other system proves a death");
    }
    #[cfg(target_os = "linux")]
    {
        let memfd = File::from(memfd(nix::fcntl::SealFlag::F_SEAL_SHRINK));
        let region = window(&memfd).create(&PLAN, &OURS).expect("create");
        // Unlike the memfd, a plain duplicate is open in the program that is executed.
        let inherited = nix::unistd::dup(&memfd).expect("a duplicate");
        let mut helper = Helper::start("peer", inherited.as_raw_fd().to_string());
        let theirs = helper.hear_ident();
        assert_eq!(probe(&region, theirs), Probe::Alive);
        assert!(region.producer("up").is_err(), "it has the role");
        helper.kill();
        assert_eq!(probe(&region, theirs), Probe::Dead);
        let mut buf = [0; 256];
        assert_eq!(region.consumer("up").unwrap().try_recv(&mut buf).unwrap().tag, 1);
        region.producer("up").expect("the role of a dead one").try_send(2, b"again").unwrap();
        assert!(matches!(region.mutex::<u64>("lock").unwrap().try_lock(), Ok(Lock::OwnerDied(_))));
    }
}

#[cfg(target_os = "linux")]
fn memfd(seals: nix::fcntl::SealFlag) -> OwnedFd {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::sys::memfd::{MFdFlags, memfd_create};
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let memfd = File::from(memfd_create("descriptor", flags).expect("a memfd"));
    memfd.set_len(LEN).expect("its length");
    fcntl(&memfd, FcntlArg::F_ADD_SEALS(seals)).expect("sealed");
    memfd.into()
}

#[test]
fn helper() {
    let Some((role, number)) = common::role() else { return };
    common::end_in_a_while();
    // SAFETY: the test's descriptor for this process, which knows it from here alone.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number.parse().expect("a number")) };
    let region = RegionWindow::of_descriptor(descriptor, 0).open(&OURS).expect("open");
    match role.as_str() {
        "peer" => peer(&region),
        "fork" => fork_and_tell(region),
        other => panic!("no role {other}"),
    }
}

fn peer(region: &Region) {
    let mut up = region.producer("up").unwrap();
    let mut lock = region.mutex::<u64>("lock").unwrap();
    let _guard = lock.try_lock().unwrap();
    up.try_send(1, b"here").unwrap();
    say(&ident(region).word().to_string());
    hear();
}

#[test]
fn a_forked_child_has_a_copy_of_what_a_descriptor_is_of() {
    if !cfg!(target_os = "linux") {
        return; // Elsewhere a child must not touch what it inherits.
    }
    let scratch = Scratch::new();
    let file = file(&scratch);
    let region = window(&file).create(&PLAN, &OURS).expect("create");
    let inherited = nix::unistd::dup(&file).expect("a duplicate");
    let mut helper = Helper::start("fork", inherited.as_raw_fd().to_string());
    meets_no_child(&region, &mut helper);
}

#[test]
fn what_is_behind_a_descriptor_is_checked() {
    let scratch = Scratch::new();
    let file = file(&scratch);
    let path = scratch.path("memory");
    let at = |offset| RegionWindow::of_descriptor(file.try_clone().expect("a descriptor"), offset);
    assert!(matches!(error(&at(8)), WindowError::Unaligned { offset: 8, .. }));
    assert_eq!(error(&at(PAGES).len(1 << 20)), WindowError::OutOfRange { end: PAGES + LEN, len: LEN });
    assert_eq!(error(&at(LEN)), WindowError::Open(OpenError::TooShort { len: 0 }));
    assert!(matches!(error(&at(0).len(4096)), WindowError::Create(_)), "a page is too short for the plan");
    fs::write(&path, vec![7; 1 << 20]).expect("another's memory");
    assert_eq!(error(&at(0)), WindowError::Occupied);
    fs::write(&path, vec![0; 1 << 20]).expect("empty");

    let of = |opened: OwnedFd| error(&RegionWindow::of_descriptor(opened, 0));
    let kind = |kind| WindowError::Open(OpenError::NotAFile { kind });
    let (reader, writer) = std::io::pipe().expect("a pipe");
    assert_eq!((of(reader.into()), of(writer.into())), (kind("FIFO"), kind("FIFO")));
    assert_eq!(of(UnixStream::pair().expect("sockets").0.into()), kind("socket"));
    assert_eq!(of(File::open(&scratch.0).expect("a folder").into()), kind("directory"));

    let to_read = || File::open(&path).expect("open");
    assert_eq!(of(to_read().into()), WindowError::DescriptorAccess);
    let to_write = File::options().write(true).open(&path).expect("open");
    assert_eq!(of(to_write.into()), WindowError::DescriptorAccess);
    at(0).create(&PLAN, &OURS).expect("create");
    let just_looks = RegionWindow::of_descriptor(to_read(), 0).open(&OURS.read_only(true));
    assert!(just_looks.expect("to read takes no more").port().ident().is_none());

    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("its mode");
    assert!(matches!(at(0).open(&OURS), Err(WindowError::Open(OpenError::TooOpen(_)))));
    let any = OURS.any_owner(true);
    let zero = File::options().read(true).write(true).open("/dev/zero").expect("open");
    let device = RegionWindow::of_descriptor(zero, 0).create(&PLAN, &any);
    assert_eq!(device.err(), Some(WindowError::LengthUnknown));
}

/// Descriptors that only Linux has.
#[cfg(target_os = "linux")]
#[test]
fn what_linux_gives_descriptors_of_is_checked() {
    use nix::fcntl::SealFlag;
    let of = |opened: OwnedFd| error(&RegionWindow::of_descriptor(opened, 0).len(1 << 20));
    let event = nix::sys::eventfd::EventFd::new().expect("an eventfd");
    let event =
        OwnedFd::from(File::from(std::os::fd::AsFd::as_fd(&event).try_clone_to_owned().expect("a copy")));
    assert!(matches!(
        of(event),
        WindowError::OutOfRange { .. } | WindowError::Open(OpenError::NotAFile { .. })
    ));
    assert_eq!(of(memfd(SealFlag::F_SEAL_WRITE)), WindowError::DescriptorAccess);
    let scratch = Scratch::new();
    drop(file(&scratch));
    let by_name = File::options().read(true).custom_flags(nix::libc::O_PATH).open(scratch.path("memory"));
    assert_eq!(of(by_name.expect("a name").into()), WindowError::DescriptorAccess);
}

/// Another user's memfd is refused, unless nobody can cut it short.
#[cfg(target_os = "linux")]
#[test]
fn another_users_memfd_is_sealed_or_refused() {
    use nix::fcntl::SealFlag;
    use strait_os::unix::RegionOptionsExt as _;
    let stranger = OURS.owner(u32::MAX - 1);
    let create = |seals| RegionWindow::of_descriptor(memfd(seals), 0).create(&PLAN, &stranger);
    let refused = create(SealFlag::F_SEAL_GROW).err();
    assert!(matches!(refused, Some(WindowError::Open(OpenError::WrongOwner { .. }))), "{refused:?}");
    create(SealFlag::F_SEAL_SHRINK).expect("nobody can cut it short");
}
