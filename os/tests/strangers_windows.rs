//! Names that belong to another user or object, and the users that are let in. Numbers are those of the fault
//! list.
#![cfg(windows)]

use std::fs::File;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use crate::common::{PLAN, Place, Scratch, is_wine, skip};
use strait_core::{format::AttachError, port::Port};
use strait_os::windows::{RegionOptionsExt as _, Sddl, SddlError, Sid};
use strait_os::{CreateError, OpenError, RegionOptions};
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION, SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::System::Memory::{CreateFileMappingW, FILE_MAP_WRITE, MapViewOfFile, PAGE_READWRITE};
use windows_sys::Win32::System::Threading::{CreateEventW, CreateMutexW};

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Takes a new handle into possession.
fn owned(handle: HANDLE) -> OwnedHandle {
    assert!(!handle.is_null());
    // SAFETY: the callers have just made it, and nobody else knows it.
    unsafe { OwnedHandle::from_raw_handle(handle.cast()) }
}

/// A section under any name, and its start.
fn section(name: &str, len: u32) -> (OwnedHandle, *mut u32) {
    let name = wide(name);
    // Made by this user for this user alone. (Under wine an object has no owner unless it is given one.)
    let own = Sid::own().expect("a user");
    let security = wide(&format!("O:{own}D:P(A;;GA;;;{own})"));
    let mut descriptor = null_mut();
    // SAFETY: the text ends in a zero, and the pointer is a local's.
    let parsed = unsafe {
        let (text, into) = (security.as_ptr(), &raw mut descriptor);
        ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, into, null_mut())
    };
    assert_ne!(parsed, 0);
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: descriptor,
        bInheritHandle: 0,
    };
    // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
    let handle = owned(unsafe {
        let (none, name) = (INVALID_HANDLE_VALUE, name.as_ptr());
        CreateFileMappingW(none, &raw const attributes, PAGE_READWRITE, 0, len, name)
    });
    // SAFETY: the system allocated it for us.
    unsafe { LocalFree(descriptor) };
    // SAFETY: the handle is open, and the system chooses the place.
    let view = unsafe { MapViewOfFile(handle.as_raw_handle(), FILE_MAP_WRITE, 0, 0, 0) };
    assert!(!view.Value.is_null());
    (handle, view.Value.cast())
}

fn name_of(place: &Place) -> String {
    format!("Local\\strait.{}", place.what())
}

fn memory_of(instance: u64) -> String {
    format!("Local\\strait-{instance:016x}.memory.0")
}

/// A sign as a region's name has it.
fn sign(place: &Place, instance: u64) -> OwnedHandle {
    let (handle, start) = section(&name_of(place), 4096);
    let words = [u32::from_le_bytes(*b"SIGN"), 0, instance as u32, (instance >> 32) as u32];
    put(start, &words);
    handle
}

/// Writes words at the start of a section.
fn put(start: *mut u32, words: &[u32]) {
    assert!(words.len() <= 1024, "a page");
    // SAFETY: the page is mapped, and nobody uses it at the same time.
    unsafe { start.copy_from_nonoverlapping(words.as_ptr(), words.len()) };
}

fn open_error(place: &Place, options: &RegionOptions) -> OpenError {
    place.region().open(options).err().expect("refused")
}

fn create_error(place: &Place) -> CreateError {
    place.region().create(&PLAN, &RegionOptions::new()).err().expect("refused")
}

#[test]
fn fault_59_a_squatted_smaller_section_is_refused() {
    let place = Place::local();
    let real = Place::local().create();
    // Somebody's section with a region's own header, shorter than the header says.
    let (instance, header) = (real.header().instance ^ 1, real.port().mem());
    let _sign = sign(&place, instance);
    let (_memory, start) = section(&memory_of(instance), 4096);
    let words: Vec<u32> = (0..32).map(|at| header.setup_read(4 * at)).collect();
    put(start, &words);
    let error = open_error(&place, &RegionOptions::new());
    assert!(matches!(error, OpenError::Attach(AttachError::TooShort { found: 4096, .. })), "{error}");
    let squatted = create_error(&place);
    assert_eq!(squatted, CreateError::AlreadyExists);
}

#[test]
fn fault_59_a_section_that_is_not_straits_is_refused_and_left_as_it_is() {
    let place = Place::local();
    let (_handle, start) = section(&name_of(&place), 4096);
    put(start, &[0x0BAD_CAFE]);
    assert_eq!(open_error(&place, &RegionOptions::new()), OpenError::NameTaken);
    assert_eq!(create_error(&place), CreateError::NameTaken);
    assert_eq!(place.region().remove(), Err(OpenError::NameTaken));
    // SAFETY: as above.
    assert_eq!(unsafe { start.read_volatile() }, 0x0BAD_CAFE);
}

#[test]
fn fault_60_a_name_of_another_kind_of_object_is_a_distinct_error() {
    for kind in ["event", "mutex"] {
        let place = Place::local();
        let name = wide(&name_of(&place));
        let _object = owned(match kind {
            // SAFETY: the name ends in a zero, and no attributes are given.
            "event" => unsafe { CreateEventW(null(), 0, 0, name.as_ptr()) },
            // SAFETY: as above.
            _ => unsafe { CreateMutexW(null(), 0, name.as_ptr()) },
        });
        assert_eq!(open_error(&place, &RegionOptions::new()), OpenError::NameTaken, "{kind}");
        assert_eq!(create_error(&place), CreateError::NameTaken, "{kind}");
    }
}

#[test]
fn fault_25_what_a_creator_left_half_made_is_in_nobodys_way() {
    // It has the name, and no more.
    let place = Place::local();
    let _name = section(&name_of(&place), 4096);
    assert_eq!(open_error(&place, &RegionOptions::new()), OpenError::NotFound);
    drop(place.create());

    // It put an empty region there, which no creator of ours does.
    let place = Place::local();
    let (_sign, _memory) = (sign(&place, 0x1234), section(&memory_of(0x1234), 65_536));
    assert_eq!(open_error(&place, &RegionOptions::new()), OpenError::Attach(AttachError::Uninitialised));
    assert_eq!(create_error(&place), CreateError::AlreadyExists);
    place.region().remove().expect("remove");
    drop(place.create());

    // Its region is gone, and its name is still open somewhere.
    let place = Place::local();
    let _sign = sign(&place, 0x5678);
    assert_eq!(open_error(&place, &RegionOptions::new()), OpenError::NotFound);
    let ours = place.create();
    assert_eq!(place.open().header().instance, ours.header().instance);
}

/// Owner and list of a file, in the system's own language.
fn security_of(path: &str) -> String {
    let file = File::open(path).expect("the file");
    let what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let (mut descriptor, mut text, mut len) = (null_mut(), null_mut(), 0);
    let none = null_mut;
    // SAFETY: the handle is open, and the pointers are a local's or say that nothing is wanted.
    let code = unsafe {
        let handle = file.as_raw_handle();
        GetSecurityInfo(
            handle,
            SE_FILE_OBJECT,
            what,
            none(),
            none(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    assert_eq!(code, 0);
    // SAFETY: the descriptor is valid, and the pointers are locals'.
    let converted = unsafe {
        let (into, len) = (&raw mut text, &raw mut len);
        ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1, what, into, len)
    };
    assert_ne!(converted, 0);
    // SAFETY: the call put that many units there, the last of them zero.
    let units = unsafe { std::slice::from_raw_parts(text, len as usize) };
    let shown = String::from_utf16_lossy(units).trim_end_matches('\0').to_string();
    // SAFETY: the system allocated both for us.
    unsafe { LocalFree(descriptor) };
    // SAFETY: as above.
    unsafe { LocalFree(text.cast()) };
    shown
}

#[test]
fn only_the_owner_is_let_in_unless_asked_otherwise() {
    let scratch = Scratch::new();
    let place = Place::file(&scratch);
    drop(place.create());
    let (own, found) = (Sid::own().expect("a user"), security_of(place.what()));
    assert!(found.starts_with(&format!("O:{own}")), "{found}");
    assert!(!found.contains(";;;WD)") && !found.contains(";;;BU)") && !found.contains(";;;AU)"), "{found}");
}

#[test]
fn fault_54_whoever_lets_others_in_is_refused_unless_allowed() {
    let scratch = Scratch::new();
    let everybody = RegionOptions::new().sddl(Sddl::new("D:P(A;;GA;;;WD)").expect("a descriptor"));
    for place in [Place::local(), Place::file(&scratch)] {
        let ours = place.region().create(&PLAN, &everybody).expect("create");
        let error = open_error(&place, &RegionOptions::new());
        assert!(matches!(error, OpenError::TooOpen { .. }), "{}: {error}", place.text);
        let error = open_error(&place, &RegionOptions::new().group(Sid::USERS));
        assert!(matches!(error, OpenError::TooOpen { .. }), "{}: {error}", place.text);
        place.region().open(&everybody).expect("allowed");
        place.region().open(&RegionOptions::new().any_owner(true)).expect("a tool looks at anything");
        drop(ours);
    }
}

#[test]
fn fault_54_somebody_elses_region_is_refused_unless_trusted() {
    let scratch = Scratch::new();
    for place in [Place::local(), Place::file(&scratch)] {
        let ours = place.create();
        let error = open_error(&place, &RegionOptions::new().owner(Sid::SYSTEM));
        assert_eq!(error, OpenError::WrongOwner { found: Sid::own().expect("a user") });
        assert!(error.to_string().contains("S-1-5-"), "{error}");
        place.region().open(&RegionOptions::new().owner(Sid::own().expect("a user"))).expect("trusted");
        drop(ours);
    }
}

#[test]
fn a_service_and_a_program_meet_through_each_preset() {
    let scratch = Scratch::new();
    // Here the service is this process's user, and so is the program.
    let options = RegionOptions::meeting(Sid::own().expect("a user"), Sid::INTERACTIVE);
    for place in [Place::global(), Place::file(&scratch)] {
        let ours = place.region().create(&PLAN, &options).expect("create");
        let theirs = place.region().open(&options).expect("open");
        assert_eq!(theirs.header().instance, ours.header().instance);
    }
}

#[test]
fn want_of_privilege_names_the_preset_that_needs_none() {
    let error = CreateError::NotPrivileged.to_string();
    assert!(error.contains("SeCreateGlobalPrivilege") && error.contains("RegionFile"), "{error}");
    if is_wine() {
        skip("want_of_privilege_names_the_preset_that_needs_none", "wine lets everybody create in Global");
    }
}

#[test]
fn a_text_that_is_no_descriptor_is_refused() {
    assert_eq!(Sddl::new(&"D:".repeat(300)).err(), Some(SddlError::TooLong));
    let error = Sddl::new("let everybody in").expect_err("malformed");
    assert!(matches!(error, SddlError::Malformed(_)) && error.to_string().contains("SDDL"), "{error}");
    assert_eq!(Sddl::new("D:P(A;;GA;;;SY)").expect("a descriptor").text(), "D:P(A;;GA;;;SY)");
}
