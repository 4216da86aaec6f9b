//! The events that sleepers on Windows make.
#![cfg(windows)]

use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::time::Duration;

use crate::common::Place;
use strait_core::port::{Port, Wait, WaitPoint};
use strait_os::Region;
use windows_sys::Win32::System::Threading::{OpenEventW, SYNCHRONIZATION_SYNCHRONIZE};

/// A word of the region that the plan gives to nobody: in the first channel's frames.
const OFFSET: u32 = 4096;

fn with_point<R>(attached: &Region, f: impl FnOnce(WaitPoint<'_>) -> R) -> R {
    let word = attached.port().mem().word(OFFSET).expect("inside");
    f(WaitPoint { word, instance: attached.header().instance, offset: OFFSET })
}

/// Whether there is an event for the word at `OFFSET`.
fn has_event(attached: &Region) -> bool {
    let name = format!("Local\\strait-{:016x}.wait.{OFFSET:x}", attached.header().instance);
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    // SAFETY: the name ends in a zero.
    let event = unsafe { OpenEventW(SYNCHRONIZATION_SYNCHRONIZE, 0, name.as_ptr()) };
    if event.is_null() {
        return false;
    }
    // SAFETY: the call made the handle, and nobody else knows it.
    drop(unsafe { OwnedHandle::from_raw_handle(event.cast()) });
    true
}

#[test]
fn an_event_is_made_by_the_first_sleeper_and_goes_with_the_last_who_has_it_open() {
    let place = Place::local();
    let (ours, theirs) = (place.create(), place.open());
    assert!(!has_event(&ours));
    with_point(&ours, |point| ours.port().wake(point));
    assert!(!has_event(&ours), "a waker makes none");
    with_point(&theirs, |point| theirs.port().wait(point, 0, Duration::from_millis(10)));
    assert!(has_event(&ours));
    drop(theirs);
    assert!(!has_event(&ours));
}
