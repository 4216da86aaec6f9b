//! Sleeping, waking and the clock, between processes.

use std::time::{Duration, Instant};

use crate::common::{
    ASLEEP, Helper, Place, SHORTEST_PAUSE, SHORTEST_SLEEP, everywhere, hear, role_for_a_while, say,
};
use strait_core::port::RELAXED;
use strait_core::port::{Clock, Port, Wait, WaitPoint};
use strait_os::Region;

/// A word of the region that the plan gives to nobody: in the first channel's frames.
const OFFSET: u32 = 4096;
const LONG: Duration = Duration::from_secs(20);

fn with_point<R>(attached: &Region, f: impl FnOnce(WaitPoint<'_>) -> R) -> R {
    let word = attached.port().mem().word(OFFSET).expect("inside");
    f(WaitPoint { word, instance: attached.header().instance, offset: OFFSET })
}

fn set(attached: &Region, value: u32) {
    with_point(attached, |point| point.word.store(value, RELAXED));
}

fn wait(attached: &Region, expected: u32, timeout: Duration) -> Duration {
    let start = Instant::now();
    with_point(attached, |point| attached.port().wait(point, expected, timeout));
    start.elapsed()
}

#[test]
fn another_process_wakes_sleepers_long_before_their_time() {
    everywhere(|place| {
        let ours = place.create();
        let mut sleepers: Vec<_> = (0..3).map(|_| Helper::start("sleep", place)).collect();
        for sleeper in &mut sleepers {
            assert_eq!(sleeper.hear(), "going to sleep");
        }
        std::thread::sleep(ASLEEP);
        set(&ours, 1);
        with_point(&ours, |point| ours.port().wake(point));
        for sleeper in &mut sleepers {
            assert_eq!(sleeper.hear(), "awake in time: true", "{}", place.text);
        }
    });
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

#[test]
fn a_word_that_differs_already_is_not_slept_on() {
    let place = Place::local();
    let ours = place.create();
    set(&ours, 1);
    assert!(wait(&ours, 0, LONG) < LONG / 2);
}

#[test]
fn a_sleep_ends_with_its_time() {
    let place = Place::local();
    let ours = place.create();
    let slept = wait(&ours, 0, Duration::from_millis(100));
    // One that ends early would be allowed, but not every time.
    let slept = slept.max(wait(&ours, 0, Duration::from_millis(100)));
    assert!(slept >= SHORTEST_SLEEP, "{slept:?}");
    assert!(slept < LONG);
    assert!(wait(&ours, 0, Duration::ZERO) < LONG);
    set(&ours, 1);
    assert!(wait(&ours, 0, Duration::MAX) < LONG, "no overflow");
}

#[test]
fn a_pause_is_about_as_long_as_asked() {
    let place = Place::local();
    let ours = place.create();
    let start = Instant::now();
    ours.port().pause(Duration::from_millis(50));
    assert!(start.elapsed() >= SHORTEST_PAUSE);
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
    let Some((role, place)) = role_for_a_while() else { return };
    let place = Place::told(&place);
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
