//! Regions without a name, handed over as handles.
#![cfg(windows)]

use std::fs::File;
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::process::{Command, Stdio};

use crate::common::{Helper, PLAN, Place, ident, probe, role_for_a_while, say};
use strait_core::{format::AttachError, port::Probe};
use strait_os::{OpenError, ReceiveError, RegionOptions, SealedRegion, ShareError};
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Memory::{CreateFileMappingW, PAGE_READWRITE, SEC_RESERVE};

#[test]
fn a_region_without_a_name_is_handed_to_another_process() {
    let ours = SealedRegion::create(&PLAN, &RegionOptions::new().prefault(true)).expect("sealed");
    assert!(ours.port().is_sealed());
    assert_eq!(ours.port().is_current(), Ok(true));
    let mut tx = ours.producer("commands").expect("the role");
    let mut helper = Helper::start("receive", "");
    let handle = ours.port().share(&helper.child).expect("share");
    helper.tell(&handle.to_string());
    let who = helper.hear_ident();
    tx.try_send(7, b"motor on").expect("space");
    assert_eq!(helper.hear(), "7 [109, 111, 116, 111, 114, 32, 111, 110]");
    assert_eq!(probe(&ours, who), Probe::Alive);
    helper.kill();
    assert_eq!(probe(&ours, who), Probe::Dead);
}

fn receive_role() {
    let number: usize = crate::common::hear().parse().expect("a number");
    // SAFETY: the test put this handle into our process, for us alone.
    let handle = unsafe { OwnedHandle::from_raw_handle(number as _) };
    let region = SealedRegion::receive(handle, &RegionOptions::new()).expect("a region");
    let mut rx = region.consumer("commands").expect("the role");
    say(&ident(&region).word().to_string());
    let mut buffer = [0; 256];
    let frame = loop {
        match rx.try_recv(&mut buffer) {
            Ok(frame) => break frame,
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    };
    say(&format!("{} {:?}", frame.tag, &buffer[..frame.len]));
    crate::common::hear();
}

#[test]
fn only_a_region_without_a_name_is_shared() {
    let place = Place::local();
    let ours = place.create();
    let mut child = Command::new("cmd").args(["/c", "exit"]).stdin(Stdio::null()).spawn().expect("a child");
    assert_eq!(ours.port().share(&child), Err(ShareError::NotSealed));
    child.wait().expect("its end");
}

fn section(len: u32, flags: u32) -> OwnedHandle {
    let none = std::ptr::null();
    // SAFETY: neither attributes nor a name are given.
    let handle = unsafe {
        CreateFileMappingW(INVALID_HANDLE_VALUE, none, PAGE_READWRITE | flags, 0, len, std::ptr::null())
    };
    assert!(!handle.is_null());
    // SAFETY: the call made the handle, and nobody else knows it.
    unsafe { OwnedHandle::from_raw_handle(handle.cast()) }
}

fn refused(handle: OwnedHandle) -> ReceiveError {
    SealedRegion::receive(handle, &RegionOptions::new()).err().expect("refused")
}

#[test]
fn fault_49_what_is_no_region_is_refused() {
    let file = File::open(std::env::current_exe().expect("our path")).expect("a file");
    assert_eq!(refused(file.into()), ReceiveError::NotARegion);
    let blank = ReceiveError::Open(OpenError::Attach(AttachError::Uninitialised));
    assert_eq!(refused(section(65_536, 0)), blank);
    // Pages that are only reserved would end a process that touches them.
    let error = refused(section(65_536, SEC_RESERVE));
    let too_short = |error| {
        matches!(error, ReceiveError::Open(OpenError::Attach(AttachError::TooShort { found: 0, .. })))
    };
    assert!(too_short(error), "{error}");
}

#[test]
fn helper() {
    let Some((role, _)) = role_for_a_while() else { return };
    match role.as_str() {
        "receive" => receive_role(),
        other => panic!("no such role: {other}"),
    }
}
