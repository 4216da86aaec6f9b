//! Sleeping, waking and the clock, between processes.

mod common;

use std::time::{Duration, Instant};

use common::{Attached, Helper, Name, PLAN, hear, ident, role, say};
use strait_core::ground::sync::order::RELAXED;
use strait_core::{Clock, Port, Wait, WaitPoint};
use strait_os_unix::{Options, Region};

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
fn another_process_wakes_a_sleeper_long_before_its_time() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut sleepers: Vec<_> = (0..3).map(|_| Helper::start("sleep", region.path())).collect();
    for sleeper in &mut sleepers {
        assert_eq!(sleeper.hear(), "going to sleep");
    }
    std::thread::sleep(Duration::from_millis(100));
    set(&ours, 1);
    with_point(&ours, |point| ours.port().wake(point));
    for sleeper in &mut sleepers {
        assert_eq!(sleeper.hear(), "awake in time: true");
    }
}

fn sleep_role(path: &str) {
    let attached = Region::at(path).open(&Options::new()).expect("the region");
    say("going to sleep");
    let start = Instant::now();
    while with_point(&attached, |point| point.word.load(RELAXED)) == 0 {
        wait(&attached, 0, LONG);
    }
    say(&format!("awake in time: {}", start.elapsed() < LONG / 2));
}

#[test]
fn a_word_that_differs_already_is_not_slept_on() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    set(&ours, 1);
    assert!(wait(&ours, 0, LONG) < LONG / 2);
}

#[test]
fn a_sleep_ends_with_its_time() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    let slept = wait(&ours, 0, Duration::from_millis(100));
    // One that ends early would be allowed, but not every time.
    let slept = slept.max(wait(&ours, 0, Duration::from_millis(100)));
    assert!(slept >= Duration::from_millis(90), "{slept:?}");
    assert!(slept < LONG);
    assert!(wait(&ours, 0, Duration::ZERO) < LONG);
    set(&ours, 1);
    assert!(wait(&ours, 0, Duration::MAX) < LONG, "no overflow");
}

#[test]
fn a_pause_is_about_as_long_as_asked() {
    let name = Name::new();
    let ours = name.region().create(&PLAN, &Options::new()).expect("create");
    let start = Instant::now();
    ours.port().pause(Duration::from_millis(50));
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[test]
fn fault_66_the_clock_is_monotonic_and_one_for_all_processes() {
    let name = Name::new();
    let region = name.region();
    let ours = region.create(&PLAN, &Options::new()).expect("create");
    let mut other = Helper::start("clock", region.path());
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
    let Some((role, path)) = role() else { return };
    match role.as_str() {
        "sleep" => sleep_role(&path),
        "clock" => {
            let attached = Region::at(path).open(&Options::new()).expect("the region");
            let _ = ident(&attached);
            loop {
                hear();
                say(&attached.port().now_ns().to_string());
            }
        }
        other => panic!("no such role: {other}"),
    }
}
