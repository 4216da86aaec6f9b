//! The application under the model checker: in every order of its threads' steps, the stop is never
//! lost; and the checker finds the bug of the first draft.
//!
//! `RUSTFLAGS="--cfg strait_loom" cargo test --release`
#![cfg(strait_loom)]

use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use strait::model::{self, Death, Region, loom};
use verify_your_app::{Drive, PLAN, Panel, Stopped, seeded_bug};

type Loop = fn(&mut Drive<model::Port>) -> Stopped;

/// ```text
/// drive                      panel
/// look at stop and jobs      order a job
/// fall asleep                stop
/// ```
///
/// Time does not pass, so a drive that sleeps through the stop sleeps for ever: a deadlock. Searched
/// with three preemptions at the most (a thread that sleeps or ends is not preempted).
fn stops(run: Loop) {
    let mut search = loom::model::Builder::new();
    search.preemption_bound = Some(3);
    search.check(move || {
        let region = Region::new(&PLAN);
        let mut drive = Drive::open(&region.join()).unwrap();
        let mut panel = Panel::open(&region.join()).unwrap();
        let operator = loom::thread::spawn(move || {
            assert!(panel.order(1));
            panel.emergency_stop().unwrap();
            panel
        });
        assert_eq!(run(&mut drive), Stopped::ByOperator);
        drop(operator.join());
    });
}

#[test]
fn the_stop_is_never_lost() {
    stops(Drive::run);
}

#[test]
fn the_checker_finds_the_bug_of_the_first_draft() {
    let found = catch_unwind(|| stops(seeded_bug::run)).expect_err("the draft loses the stop");
    let message = found.downcast_ref::<String>().map_or("", String::as_str);
    assert!(message.contains("deadlock"), "the drive sleeps for ever: {message}");
}

/// The panel is killed before any of its accesses to the region. The drive stops in any case; and if
/// the stop had been sent, it is the operator's stop that stopped it.
///
/// Searched with two preemptions at the most, for each point at which death can strike.
#[test]
fn the_drive_stops_wherever_the_panel_dies() {
    let mut points = 0;
    loop {
        let death = Death::before(points);
        let this = death.clone();
        let mut search = loom::model::Builder::new();
        search.preemption_bound = Some(2);
        search.max_branches = 10_000;
        search.check(move || stops_without(this.clone()));
        if !death.has_struck() {
            break;
        }
        points += 1;
    }
    println!("{points} points of death, and the drive stopped each time");
    assert!(points > 5);
}

fn stops_without(death: Death) {
    // Time passes here: the drive notices a dead panel when it has waited long enough.
    let region = Region::time_passes(&PLAN);
    let mut drive = Drive::open(&region.join()).unwrap();
    let operator = region.join();
    let mut panel = Panel::open(&operator).unwrap();
    let sent = Arc::new(AtomicBool::new(false));
    let is_sent = sent.clone();
    let panel = loom::thread::spawn(move || {
        let stopping = death.run(operator.port(), || panel.emergency_stop().unwrap());
        is_sent.store(stopping.is_ok(), Ordering::Relaxed);
        // Killed or not, it ends here, and does not give its roles back.
        std::mem::forget(panel);
        operator.port().end();
    });
    let stopped = drive.run();
    panel.join().unwrap();
    if sent.load(Ordering::Relaxed) {
        assert_eq!(stopped, Stopped::ByOperator);
    } else {
        assert!(matches!(stopped, Stopped::ByOperator | Stopped::PanelDied));
    }
}
