//! Sleeping, waking and the clock, between processes.
#![cfg(windows)]

mod common;

use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::time::{Duration, Instant};

use common::{Attached, Helper, Place, Scratch, hear, role, say};
use strait_core::ground::sync::order::RELAXED;
use strait_core::{Clock, Port, Wait, WaitPoint};
use windows_sys::Win32::System::Threading::{OpenEventW, SYNCHRONIZATION_SYNCHRONIZE};

/// A word of the region that the plan gives to nobody: in the first channel's frames.
const OFFSET: u32 = 4096;
const LONG: Duration = Duration::from_secs(20);

fn with_point<R>(attached: &Attached, f: impl FnOnce(WaitPoint<'_>) -> R) -> R {
    let word = attached.port().mem().word(OFFSET).expect("inside");
    f(WaitPoint { word: &word, instance: attached.header().instance, offset: OFFSET })
}

fn set(attached: &Attached, value: u32) {
    with_point(attached, |point| point.word.store(value, RELAXED));
}

fn wait(attached: &Attached, expected: u32, timeout: Duration) -> Duration {
    let start = Instant::now();
    with_point(attached, |point| attached.port().wait(point, expected, timeout));
    start.elapsed()
}

#[test]
fn another_process_wakes_sleepers_long_before_their_time() {
    let scratch = Scratch::new();
    for place in [Place::local(), Place::global(), Place::file(&scratch)] {
        let ours = place.create();
        let mut sleepers: Vec<_> = (0..3).map(|_| Helper::start("sleep", &place)).collect();
        for sleeper in &mut sleepers {
            assert_eq!(sleeper.hear(), "going to sleep");
        }
        std::thread::sleep(Duration::from_millis(300));
        set(&ours, 1);
        with_point(&ours, |point| ours.port().wake(point));
        for sleeper in &mut sleepers {
            assert_eq!(sleeper.hear(), "awake in time: true", "{}", place.0);
        }
    }
}

fn sleep_role(place: &Place) {
    let attached = place.open();
    say("going to sleep");
    let start = Instant::now();
    while with_point(&attached, |point| point.word.load(RELAXED)) == 0 {
        wait(&attached, 0, LONG);
    }
    say(&format!("awake in time: {}", start.elapsed() < LONG / 2));
}

#[test]
fn sleepers_are_woken_again_and_again() {
    let place = Place::local();
    let ours = place.create();
    let mut other = Helper::start("ping", &place);
    assert_eq!(other.hear(), "ready");
    let start = Instant::now();
    for round in (1..200).step_by(2) {
        set(&ours, round);
        with_point(&ours, |point| ours.port().wake(point));
        while with_point(&ours, |point| point.word.load(RELAXED)) == round {
            wait(&ours, round, LONG);
        }
    }
    // One that is missed costs the whole time.
    assert!(start.elapsed() < LONG);
}

fn ping_role(place: &Place) {
    let attached = place.open();
    say("ready");
    for round in (0..200).step_by(2) {
        while with_point(&attached, |point| point.word.load(RELAXED)) == round {
            wait(&attached, round, LONG);
        }
        set(&attached, round + 2);
        with_point(&attached, |point| attached.port().wake(point));
    }
}

/// Whether there is an event for the word at `OFFSET`.
fn has_event(attached: &Attached) -> bool {
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
    assert!(!has_event(&ours), "whoever wakes makes none");
    wait(&theirs, 0, Duration::from_millis(10));
    assert!(has_event(&ours));
    drop(theirs);
    assert!(!has_event(&ours));
}

#[test]
fn a_word_that_differs_already_is_not_slept_on() {
    let ours = Place::local().create();
    set(&ours, 1);
    assert!(wait(&ours, 0, LONG) < LONG / 2);
}

#[test]
fn a_sleep_ends_with_its_time() {
    let ours = Place::local().create();
    let slept = wait(&ours, 0, Duration::from_millis(100));
    // One that ends early would be allowed, but not every time.
    let slept = slept.max(wait(&ours, 0, Duration::from_millis(100)));
    assert!(slept >= Duration::from_millis(80), "{slept:?}");
    assert!(slept < LONG);
    assert!(wait(&ours, 0, Duration::ZERO) < LONG);
    set(&ours, 1);
    assert!(wait(&ours, 0, Duration::MAX) < LONG, "no overflow");
}

#[test]
fn a_pause_is_about_as_long_as_asked() {
    let ours = Place::local().create();
    let start = Instant::now();
    ours.port().pause(Duration::from_millis(50));
    assert!(start.elapsed() >= Duration::from_millis(35));
}

#[test]
fn fault_66_the_clock_is_monotonic_and_one_for_all_processes() {
    let place = Place::local();
    let ours = place.create();
    let mut other = Helper::start("clock", &place);
    let mut last = ours.port().now_ns();
    for _ in 0..100 {
        other.tell("now");
        let theirs = other.hear().parse().expect("a number");
        assert!(last <= theirs, "{last} was before {theirs}");
        last = ours.port().now_ns();
        assert!(theirs <= last, "{theirs} was before {last}");
    }
}

#[test]
fn helper() {
    let Some((role, place)) = role() else { return };
    match role.as_str() {
        "sleep" => sleep_role(&place),
        "ping" => ping_role(&place),
        "clock" => {
            let attached = place.open();
            loop {
                hear();
                say(&attached.port().now_ns().to_string());
            }
        }
        other => panic!("no such role: {other}"),
    }
}
