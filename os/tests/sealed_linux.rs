//! Sealed memory over a socket: what is taken, and what is refused before it is mapped.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use common::{Helper, PLAN, Scratch, command, hear, ident, path_of, probe, role_for_a_while, say};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use strait_core::{
    format::{AttachError, Contents, initialise},
    port::{Mem, Port, Probe},
};
use strait_os::unix::RegionOptionsExt as _;
use strait_os::{OpenError, ReceiveError, Region, RegionFile, RegionOptions, SealedRegion, ShareError};

const MARK: &[u8] = b"strait/0";
const ALL: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW).union(SealFlag::F_SEAL_SEAL);

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().expect("sockets")
}

/// Sends these descriptors as a peer would that does not use this crate.
fn send_raw(socket: &UnixStream, mark: &[u8], fds: &[RawFd]) {
    let rights = [ControlMessage::ScmRights(fds)];
    let rights = if fds.is_empty() { &[][..] } else { &rights[..] };
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(mark)], rights, MsgFlags::empty(), None).expect("sent");
}

/// The outcome of receiving that.
fn receive_raw(mark: &[u8], fds: &[RawFd]) -> Result<Region, ReceiveError> {
    let (ours, theirs) = pair();
    send_raw(&ours, mark, fds);
    SealedRegion::receive(&theirs, &RegionOptions::new())
}

/// The image of a region.
fn image() -> Vec<u8> {
    let mut bytes = vec![0_u64; PLAN.size() / 8 + 32];
    let start = bytes.as_mut_ptr().align_offset(128);
    let base = std::ptr::NonNull::new(bytes[start..].as_mut_ptr()).expect("not null").cast();
    // SAFETY: the bytes are the vector's, aligned, and used through this handle alone for now.
    let mem = unsafe { Mem::from_raw(base, PLAN.size() as u32) };
    initialise(&mem, &PLAN, 7, Contents::Zeroed).expect("a region");
    bytes[start..].iter().flat_map(|word| word.to_ne_bytes()).take(PLAN.size()).collect()
}

fn memory(contents: &[u8], seals: SealFlag) -> File {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file = File::from(memfd_create("other", flags).expect("memory"));
    file.write_all(contents).expect("written");
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).expect("sealed");
    file
}

/// Memory in huge pages obeys the same seals, but a peer can take a page back by a hole, and where the system
/// has no other, the next access ends in SIGBUS. No pool is needed here: the pages are never touched.
#[test]
fn sealed_memory_in_huge_pages_is_refused() {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING | MFdFlags::MFD_HUGETLB;
    let Ok(memory) = memfd_create("huge", flags) else {
        return common::skip("sealed_memory_in_huge_pages_is_refused", "this kernel has no huge pages");
    };
    let memory = File::from(memory);
    let page = memory.metadata().expect("its page size").blksize();
    memory.set_len(page).expect("a length");
    fcntl(&memory, FcntlArg::F_ADD_SEALS(ALL)).expect("sealed");
    assert_eq!(receive_raw(MARK, &[memory.as_raw_fd()]).err(), Some(ReceiveError::NotARegion));
}

#[test]
fn a_sealed_region_crosses_a_socket_and_both_sides_are_somebody() {
    let (to_helper, for_helper) = pair();
    let mut command = command("receive", "");
    command.stdin(Stdio::from(OwnedFd::from(for_helper)));
    let mut helper = Helper::from_command(command);
    let ours = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed");
    assert!(ours.port().is_sealed());
    ours.port().share(&to_helper).expect("shared");
    assert_eq!(helper.hear(), ours.header().instance.to_string());
    let theirs = helper.hear_ident();
    assert_ne!(theirs, ident(&ours));
    assert_eq!(helper.hear(), "Alive", "we, seen from there");
    assert_eq!(probe(&ours, theirs), Probe::Alive);
    helper.kill();
    assert_eq!(probe(&ours, theirs), Probe::Dead);
}

fn receive_role() {
    let attached = SealedRegion::receive(std::io::stdin(), &RegionOptions::new()).expect("a region");
    say(&attached.header().instance.to_string());
    say(&ident(&attached).word().to_string());
    let creator = strait_core::port::Ident::new(1, 1).expect("an identity");
    say(&format!("{:?}", probe(&attached, creator)));
    common::stay();
}

#[test]
fn a_descriptor_that_was_passed_on_does_not_keep_its_sender_alive() {
    let (ours, for_helper) = pair();
    let mut command = command("share-twice", "");
    command.stdin(Stdio::from(OwnedFd::from(for_helper)));
    let mut helper = Helper::from_command(command);
    let theirs = helper.hear_ident();
    let kept = keep_what_comes(&ours);
    let attached = SealedRegion::receive(&ours, &RegionOptions::new()).expect("a region");
    assert_eq!(probe(&attached, theirs), Probe::Alive);
    helper.kill();
    assert_eq!(probe(&attached, theirs), Probe::Dead, "with its description in our hands");
    drop(kept);
}

/// Takes descriptors off the socket and just keeps them.
fn keep_what_comes(socket: &UnixStream) -> Vec<OwnedFd> {
    let mut mark = [0; 8];
    let mut data = [std::io::IoSliceMut::new(&mut mark)];
    let mut space = nix::cmsg_space!([RawFd; 4]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut data, Some(&mut space), flags).expect("a message");
    let mut kept = Vec::new();
    for part in message.cmsgs().expect("all of it") {
        if let ControlMessageOwned::ScmRights(fds) = part {
            use std::os::fd::FromRawFd;
            // SAFETY: the kernel has just made these for us, and each is taken once.
            kept.extend(fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    assert_eq!(kept.len(), 1);
    kept
}

fn share_twice_role() {
    let attached = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed");
    say(&ident(&attached).word().to_string());
    attached.port().share(std::io::stdin()).expect("shared");
    attached.port().share(std::io::stdin()).expect("shared again");
    common::stay();
}

#[test]
fn fault_48_a_sealed_region_cannot_be_cut_short_or_unsealed() {
    let (ours, theirs) = pair();
    let region = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed");
    region.port().share(&ours).expect("shared");
    let file = File::from(keep_what_comes(&theirs).pop().expect("one"));
    let len = file.metadata().expect("its length").len();
    for new in [0, len - 1, len + 1] {
        let error = file.set_len(new).expect_err("sealed");
        assert_eq!(error.raw_os_error(), Some(Errno::EPERM as i32));
    }
    assert_eq!(fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE)), Err(Errno::EPERM));
}

#[test]
fn fault_48_an_unsealed_region_is_refused() {
    let image = image();
    let missing = [
        SealFlag::empty(),
        ALL.difference(SealFlag::F_SEAL_SHRINK),
        ALL.difference(SealFlag::F_SEAL_GROW),
        ALL.difference(SealFlag::F_SEAL_SEAL),
    ];
    for seals in missing {
        let file = memory(&image, seals);
        let error = receive_raw(MARK, &[file.as_raw_fd()]).err();
        assert_eq!(error, Some(ReceiveError::Unsealed), "{seals:?}");
    }
    let file = memory(&image, ALL);
    receive_raw(MARK, &[file.as_raw_fd()]).expect("with all three it is taken");
}

#[test]
fn fault_49_a_descriptor_of_something_else_is_refused() {
    let scratch = Scratch::new();
    let region = RegionFile::new(scratch.path("region"));
    let attached = region.create(&PLAN, &RegionOptions::new()).expect("create");
    let file = File::open(path_of(&region)).expect("the file");
    assert_eq!(receive_raw(MARK, &[file.as_raw_fd()]).err(), Some(ReceiveError::Unsealed));
    let (socket, _other) = pair();
    assert_eq!(receive_raw(MARK, &[socket.as_raw_fd()]).err(), Some(ReceiveError::NotARegion));
    let (sending, _receiving) = pair();
    assert_eq!(attached.port().share(&sending), Err(ShareError::NotSealed));
}

#[test]
fn fault_49_a_wrong_size_is_refused() {
    let mut long = image();
    long.extend([0; 4096]);
    let error = receive_raw(MARK, &[memory(&long, ALL).as_raw_fd()]).err();
    let (header, found) = (PLAN.size() as u32, long.len() as u32);
    assert_eq!(error, Some(ReceiveError::WrongSize { header, found }));
    let short = &image()[..1024];
    let error = receive_raw(MARK, &[memory(short, ALL).as_raw_fd()]).err();
    assert_eq!(error, Some(ReceiveError::WrongSize { header, found: 1024 }));
    let error = receive_raw(MARK, &[memory(&[0; 100], ALL).as_raw_fd()]).err();
    assert_eq!(error, Some(ReceiveError::Open(OpenError::TooShort { len: 100 })));
    let error = receive_raw(MARK, &[memory(&[0xA5; 8192], ALL).as_raw_fd()]).err();
    assert_eq!(error, Some(ReceiveError::Open(OpenError::Attach(AttachError::NotARegion))));
}

/// In a later version the length may be elsewhere, so it is the version that is wrong.
#[test]
fn sealed_memory_of_a_later_version_is_refused_by_its_version() {
    let mut later = image();
    later[4] = 2;
    later[16..20].fill(0x5A);
    let error = receive_raw(MARK, &[memory(&later, ALL).as_raw_fd()]).err();
    assert_eq!(error, Some(ReceiveError::Open(OpenError::Attach(AttachError::Version { found: 2 }))));
}

#[test]
fn a_message_that_is_no_region_is_refused_and_leaves_no_descriptor() {
    // The kernel's list of a process's descriptors changes with other tests, so this looks at
    // the processes that still have the file open.
    let file = memory(&image(), ALL);
    let fd = file.as_raw_fd();
    let inode = file.metadata().expect("its number").ino();
    let open = || {
        let entries = std::fs::read_dir("/proc/self/fd").expect("our descriptors");
        let inodes = entries.filter_map(|entry| Some(std::fs::metadata(entry.ok()?.path()).ok()?.ino()));
        inodes.filter(|&found| found == inode).count()
    };
    assert_eq!(open(), 1);
    assert_eq!(receive_raw(MARK, &[]).err(), Some(ReceiveError::NotARegion));
    assert_eq!(receive_raw(b"strange!", &[fd]).err(), Some(ReceiveError::NotARegion));
    assert_eq!(receive_raw(b"short", &[fd]).err(), Some(ReceiveError::NotARegion));
    assert_eq!(receive_raw(MARK, &[fd, fd]).err(), Some(ReceiveError::NotARegion));
    assert_eq!(receive_raw(MARK, &[fd; 253]).err(), Some(ReceiveError::NotARegion));
    let (closed, theirs) = pair();
    drop(closed);
    assert_eq!(SealedRegion::receive(&theirs, &RegionOptions::new()).err(), Some(ReceiveError::Closed));
    assert_eq!(open(), 1);
    let attached = receive_raw(MARK, &[fd]).expect("a region");
    drop(attached);
    assert_eq!(open(), 1);
}

#[test]
fn a_region_is_not_shared_with_one_who_is_gone() {
    let (ours, theirs) = pair();
    drop(theirs);
    let region = SealedRegion::create(&PLAN, &RegionOptions::new()).expect("sealed");
    assert_eq!(region.port().share(&ours), Err(ShareError::Closed));
}

#[test]
fn a_sealed_region_can_be_looked_at_and_has_the_mode_asked_for() {
    let (ours, theirs) = pair();
    let region =
        SealedRegion::create(&PLAN, &RegionOptions::new().mode(0o640).allow_readers(true)).expect("sealed");
    region.port().share(&ours).expect("shared");
    region.port().share(&ours).expect("shared");
    let looking = SealedRegion::receive(&theirs, &RegionOptions::new().read_only(true)).expect("received");
    assert_eq!(looking.port().ident(), None);
    assert_eq!(probe(&looking, ident(&region)), Probe::Alive);
    let file = File::from(keep_what_comes(&theirs).pop().expect("one"));
    assert_eq!(file.metadata().expect("its mode").mode() & 0o7777, 0o640);
    let flags = fcntl(&file, FcntlArg::F_GETFD).expect("its flags");
    assert!(FdFlag::from_bits_retain(flags).contains(FdFlag::FD_CLOEXEC));
    let mut magic = [0; 4];
    file.read_exact_at(&mut magic, 0).expect("its start");
    assert_eq!(&magic, b"STRT");
}

#[test]
fn helper() {
    let Some((role, _)) = role_for_a_while() else { return };
    match role.as_str() {
        "receive" => receive_role(),
        "share-twice" => share_twice_role(),
        other => panic!("no such role: {other}, {}", hear()),
    }
}
