//! Windows of memory that is there already, with ordinary files that stand for a device's. Numbers are those of the
//! fault list.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use common::{Helper, Scratch, fork_and_tell, hear, ident, meets_no_child, probe, say};
use strait_core::format::AttachError;
use strait_core::port::{Port as _, Probe};
use strait_core::{Channel, ChannelError, Lock, Plan};
use strait_os::unix::{RegionWindow, WindowError};
use strait_os::{CreateError, OpenError, Region, RegionOptions};

/// Two machines, of which each has a lock for itself.
const PLAN: Plan<'static> = Plan::new(&[
    Channel::frames("down", 4096, 256).domains(0, 1),
    Channel::frames("up", 4096, 256).domains(1, 0),
    Channel::mutex::<u64>("ours").domains(0, 0),
    Channel::mutex::<u64>("theirs").domains(1, 1),
]);

/// Of every page that a system here has a multiple.
const PAGES: u64 = 1 << 18;

const OURS: RegionOptions = RegionOptions::new();

fn theirs() -> RegionOptions {
    OURS.domain(1)
}

/// A file of 1 MiB of zeros, as long as one machine gives another.
fn file(scratch: &Scratch) -> PathBuf {
    let path = scratch.path("memory");
    fs::write(&path, vec![0; 1 << 20]).expect("a file");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("its mode");
    path
}

fn error(result: Result<Region, WindowError>) -> WindowError {
    result.err().expect("refused")
}

/// Lengths that are no multiple of a word, and starts that are none of 16.
fn pass_frames(from: &Region, to: &Region, channel: &str) {
    let (mut producer, mut consumer) = (from.producer(channel).unwrap(), to.consumer(channel).unwrap());
    for len in (0..=256).chain([31, 33, 255]) {
        let sent: Vec<u8> = (0..len).map(|i| i as u8 ^ 0x5A).collect();
        producer.try_send(len, &sent).unwrap();
        let mut buf = [0; 256];
        let got = consumer.try_recv(&mut buf).unwrap();
        assert_eq!((got.tag, &buf[..got.len]), (len, &sent[..]));
    }
}

#[test]
fn two_machines_meet_in_a_part_of_a_file() {
    let scratch = Scratch::new();
    let path = file(&scratch);
    let window = RegionWindow::new(&path, PAGES);
    assert_eq!(window.to_string(), format!("{} at 0x40000", path.display()));
    let host = window.create(&PLAN, &OURS).expect("create");
    let guest = window.open(&theirs()).expect("open");
    pass_frames(&host, &guest, "down");
    pass_frames(&guest, &host, "up");
    assert!(host.port().is_current().expect("looked at"));
    let before = fs::read(&path).expect("the file");
    assert!(before[..PAGES as usize].iter().all(|&byte| byte == 0), "in front of the window");
}

/// Deaths on one machine are proven there, and nowhere else.
#[test]
fn fault_90_another_machine_is_never_taken_for_dead() {
    let scratch = Scratch::new();
    let window = RegionWindow::new(file(&scratch), 0);
    let host = window.create(&PLAN, &OURS).expect("create");
    let guest = window.open(&theirs()).expect("open");
    let (at_host, at_guest) = (ident(&host), ident(&guest));
    assert_eq!((probe(&host, at_guest), probe(&guest, at_host)), (Probe::Unknown, Probe::Unknown));
    let second = window.open(&theirs()).expect("open");
    let judged = probe(&second, at_guest);
    assert_ne!(judged, Probe::Dead);
    drop(guest);
    assert_eq!(probe(&host, at_guest), Probe::Unknown);
    if judged == Probe::Alive {
        assert_eq!(
            probe(&second, at_guest),
            Probe::Dead,
            "of its own domain, where the system proves deaths"
        );
    }
}

/// As a window was before its machine died, its next run takes up the roles.
#[test]
fn a_machines_next_run_succeeds_the_last() {
    if !cfg!(target_os = "linux") {
        return; // No other system proves a death.
    }
    let scratch = Scratch::new();
    let path = file(&scratch);
    let host = RegionWindow::new(&path, 0).create(&PLAN, &OURS).expect("create");
    let mut guest = Helper::start("guest", &path);
    assert_eq!(guest.hear(), "sent");
    guest.kill();
    let mut buf = [0; 256];
    let mut up = host.consumer("up").unwrap();
    assert_eq!(up.try_recv(&mut buf).unwrap().tag, 1);
    let next = RegionWindow::new(&path, 0).open(&theirs()).expect("open");
    next.producer("up").expect("the role of a dead one").try_send(2, b"again").unwrap();
    assert_eq!(up.try_recv(&mut buf).unwrap().tag, 2);
    let mut lock = next.mutex::<u64>("theirs").expect("a lock");
    assert!(matches!(lock.try_lock(), Ok(Lock::OwnerDied(_))));
}

#[test]
fn helper() {
    let Some((role, path)) = common::role() else { return };
    common::end_in_a_while();
    match role.as_str() {
        "guest" => guest(&path),
        "fork" => fork_and_tell(RegionWindow::new(path, PAGES).open(&theirs()).expect("open")),
        other => panic!("no role {other}"),
    }
}

fn guest(path: &str) {
    let region = RegionWindow::new(path, 0).open(&theirs()).expect("open");
    let mut up = region.producer("up").unwrap();
    let mut lock = region.mutex::<u64>("theirs").unwrap();
    let _guard = lock.try_lock().unwrap();
    up.try_send(1, b"here").unwrap();
    say("sent");
    hear();
}

/// A forked child has its parent's window, and not the file's start, as a copy of its own.
#[test]
fn a_forked_child_has_a_copy_of_the_window() {
    if !cfg!(target_os = "linux") {
        return; // Elsewhere a child must not touch what it inherits.
    }
    let scratch = Scratch::new();
    let path = file(&scratch);
    let host = RegionWindow::new(&path, PAGES).create(&PLAN, &OURS).expect("create");
    let mut helper = Helper::start("fork", &path);
    meets_no_child(&host, &mut helper);
}

#[test]
fn two_regions_in_one_file_are_apart() {
    let scratch = Scratch::new();
    let path = file(&scratch);
    let (first, second) = (RegionWindow::new(&path, 0), RegionWindow::new(&path, PAGES));
    let a = first.len(PAGES as u32).create(&PLAN, &OURS).expect("create");
    let b = second.create(&PLAN, &OURS).expect("create: no token of it is taken in the other");
    assert_eq!(ident(&a), ident(&b), "of the same number");
    let who = ident(&b);
    drop(b);
    assert_ne!(probe(&a, who), Probe::Dead, "it is this one's number too");
}

#[test]
fn what_cannot_be_a_window_is_refused() {
    let scratch = Scratch::new();
    let path = file(&scratch);
    let refused = |window: RegionWindow| error(window.create(&PLAN, &OURS));
    assert!(matches!(
        refused(RegionWindow::new(&path, 8)),
        WindowError::Unaligned { offset: 8, page } if page >= 4096
    ));
    let end = WindowError::OutOfRange { end: PAGES + (1 << 20), len: 1 << 20 };
    assert_eq!(refused(RegionWindow::new(&path, PAGES).len(1 << 20)), end);
    let none = WindowError::Open(OpenError::TooShort { len: 0 });
    assert_eq!(refused(RegionWindow::new(&path, 1 << 20)), none);
    let short = refused(RegionWindow::new(&path, 0).len(4096));
    assert!(matches!(short, WindowError::Create(CreateError::Format(_))), "{short}");
    assert_eq!(refused(RegionWindow::new(scratch.path("no"), 0)), WindowError::Open(OpenError::NotFound));
    let folder = WindowError::Open(OpenError::NotAFile { kind: "directory" });
    assert_eq!(refused(RegionWindow::new(&scratch.0, 0)), folder);
    assert_eq!(
        error(RegionWindow::new(&path, 0).create(&PLAN, &OURS.read_only(true))),
        WindowError::Create(CreateError::ReadOnly)
    );
    assert_eq!(
        error(RegionWindow::new(&path, 0).create(&PLAN, &OURS.domain(7))),
        WindowError::Create(CreateError::Domain)
    );
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("its mode");
    assert!(matches!(refused(RegionWindow::new(&path, 0)), WindowError::Open(OpenError::TooOpen(_))));
    assert_eq!(
        RegionWindow::pci(0xFFFF, 0xFFFE, 2),
        Err(WindowError::NoPciDevice { vendor: 0xFFFF, device: 0xFFFE })
    );
    assert_eq!(RegionWindow::uio(4_000_000, 1), Err(WindowError::NoUioDevice { number: 4_000_000 }));
}

/// Nobody's memory is laid out over: neither a region that is there, nor what is none.
#[test]
fn fault_91_what_is_in_a_window_is_not_replaced() {
    let scratch = Scratch::new();
    let path = file(&scratch);
    let window = RegionWindow::new(&path, 0);
    let empty = WindowError::Open(OpenError::Attach(AttachError::Uninitialised));
    assert_eq!(error(window.open(&OURS)), empty);
    let first = window.create(&PLAN, &OURS).expect("create").header().instance;
    assert_eq!(error(window.create(&PLAN, &OURS)), WindowError::AlreadyExists);
    assert_eq!(window.open(&OURS).expect("open").header().instance, first);
    window.erase(&OURS).expect("erase");
    assert_eq!(error(window.open(&OURS)), empty);
    assert_ne!(window.create(&PLAN, &OURS).expect("create").header().instance, first);
    fs::write(&path, vec![7; 1 << 20]).expect("another's memory");
    assert_eq!(error(window.create(&PLAN, &OURS)), WindowError::Occupied);
    window.erase(&OURS).expect("erase");
    let region = window.create(&PLAN, &OURS).expect("create: zeroed first");
    assert!(region.mutex::<u64>("ours").expect("a lock").try_lock().is_ok());
}

/// FAULT 110. Memory in which somebody lives is not laid out anew, and a call that fails leaves no region behind.
#[test]
fn fault_110_a_window_in_use_is_not_erased_and_a_failed_one_leaves_nothing() {
    let scratch = Scratch::new();
    let window = RegionWindow::new(file(&scratch), 0);
    assert_eq!(error(window.create(&PLAN, &OURS.domain(7))), WindowError::Create(CreateError::Domain));
    let host = window.create(&PLAN, &OURS).expect("nothing was left");
    let who = host.port().ident().expect("a participant");
    assert_eq!(window.erase(&OURS), Err(WindowError::InUse { who }));
    let guest = window.open(&theirs()).expect("open");
    drop(host);
    let in_use = window.erase(&theirs());
    assert_eq!(in_use, Err(WindowError::InUse { who: guest.port().ident().expect("a participant") }));
    // To the first machine it may be dead, and is in nobody's way.
    window.erase(&OURS).expect("nobody is known to live");
    drop(guest);
    // Beyond what numbers count.
    let end = RegionWindow::new(window.path().expect("a path"), u64::MAX - (PAGES - 1)).len(1 << 20);
    assert_eq!(error(end.open(&OURS)), WindowError::OutOfRange { end: u64::MAX, len: 1 << 20 });
    let nothing = RegionWindow::new(scratch.path("no"), 0).open(&OURS).err().expect("refused");
    assert!(nothing.to_string().contains("no such file or device"), "{nothing}");
}

/// Where a processor need not compare and swap in a device's memory, there are no locks.
#[test]
fn fault_92_locks_in_a_devices_memory_are_refused_where_they_may_not_work() {
    let scratch = Scratch::new();
    let window = RegionWindow::new(file(&scratch), 0).device(true);
    let region = window.create(&PLAN, &OURS).expect("create");
    let works = cfg!(any(target_arch = "x86", target_arch = "x86_64"));
    assert_eq!(region.port().has_compare_and_swap(), works);
    let refused = (!works).then_some(ChannelError::NoCommonAtomics);
    assert_eq!(region.mutex::<u64>("ours").err(), refused);
    let ordinary = window.device(false).open(&OURS).expect("open");
    assert!(ordinary.mutex::<u64>("ours").is_ok());
}

/// `/dev/zero` maps memory of one's own, as a device maps its.
#[test]
fn a_device_needs_a_length() {
    let any = OURS.any_owner(true);
    let window = RegionWindow::new("/dev/zero", 0);
    assert_eq!(error(window.create(&PLAN, &any)), WindowError::LengthUnknown);
    if cfg!(target_os = "linux") {
        let region = window.len(1 << 20).create(&PLAN, &any).expect("create");
        let works = cfg!(any(target_arch = "x86", target_arch = "x86_64"));
        assert_eq!(region.port().has_compare_and_swap(), works, "it is taken for a device's memory");
    }
}
