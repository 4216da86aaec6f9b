//! A native process and a Windows process under wine in one file-backed region. The lane `windows` builds
//! the other side, `examples/two_systems.rs`, and names it in a variable; without it nothing runs.
#![cfg(target_os = "linux")]

#[path = "../examples/two_systems.rs"]
#[allow(dead_code, missing_docs, reason = "the other side's program")]
mod two_systems;

use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use strait::{Lock, LockError, Region, RegionFile, RegionOptions, TryRecvError};

use two_systems::{COUNTS, FRAMES, PLAN, count, exchange};

/// The program of the other side, for Windows.
const OTHER: &str = "STRAIT_WINDOWS_SIDE";

/// A region in a file of its own; removed in the end.
struct Place(PathBuf);

impl Place {
    /// `None` where the other side is missing.
    fn new(test: &str) -> Option<(Self, Region)> {
        if std::env::var_os(OTHER).is_none() {
            println!("SKIPPED {test}: {OTHER} names no program; `cargo xtask test windows` sets it");
            return None;
        }
        let file = format!("strait-border-{test}-{}", std::process::id());
        let place = Self(std::env::temp_dir().join(file));
        let region = RegionFile::new(&place.0).create(&PLAN, &RegionOptions::new()).expect("create");
        Some((place, region))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = RegionFile::new(&self.0).remove();
    }
}

/// The other side at work; killed when dropped.
struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn start(side: &str, place: &Place) -> Self {
        let program = std::env::var_os(OTHER).expect("looked for before");
        let mut child = Command::new("wine")
            .arg(program)
            // Wine's name of the root of Linux.
            .args([side, &format!("Z:{}", place.0.display())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("wine");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    fn hear(&mut self) -> String {
        let line = self.lines.next().expect("it has something to say").expect("UTF-8");
        line.trim().to_string()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_hundred_thousand_frames_cross_each_way_and_none_is_lost() {
    let Some((place, region)) = Place::new("frames") else { return };
    let mut other = Other::start("exchange", &place);
    exchange(&region, "to-windows", "to-linux").expect("all frames");
    assert_eq!(other.hear(), "done");
    for name in ["to-windows", "to-linux"] {
        let mut rx = region.consumer(name).expect("nobody has the role any more");
        assert_eq!(rx.try_recv(&mut [0; 512]).err(), Some(TryRecvError::Empty), "nothing is left in {name}");
    }
    println!("{FRAMES} frames each way, none lost");
}

#[test]
fn one_lock_keeps_both_systems_apart() {
    let Some((place, region)) = Place::new("count") else { return };
    let mut other = Other::start("count", &place);
    let mut mutex = region.mutex::<u64>("count").expect("the lock");
    count(&mut mutex).expect("all counts");
    assert_eq!(other.hear(), "done");
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free") };
    assert_eq!((guard.get(), guard.takeovers()), (2 * COUNTS, 0));
}

#[test]
fn nothing_is_stolen_across_the_border() {
    let Some((place, region)) = Place::new("hold") else { return };
    let mut mutex = region.mutex::<u64>("count").expect("the lock");
    let mut other = Other::start("hold", &place);
    assert_eq!(other.hear(), "held");
    let wait = Duration::from_millis(500);
    assert_eq!(mutex.lock_timeout(wait).err(), Some(LockError::TimedOut), "Windows holds it");
    other.child.kill().expect("kill");
    other.child.wait().expect("its end");
    // Wine hands its locks to Linux, so that the death shows. Had it not, the lock would stay taken;
    // the result must never be that of a lock that nobody held.
    match mutex.lock_timeout(Duration::from_secs(5)) {
        Ok(Lock::OwnerDied(_)) => println!("the death of a Windows process was seen on Linux"),
        Err(LockError::TimedOut) => println!("the death of a Windows process was not seen on Linux"),
        Ok(Lock::Held(_)) => panic!("a killed owner unlocks nothing"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn nothing_of_a_living_linux_process_is_stolen_by_windows() {
    let Some((place, region)) = Place::new("wait") else { return };
    let mut mutex = region.mutex::<u64>("count").expect("the lock");
    let guard = mutex.try_lock().expect("it is free");
    let mut other = Other::start("wait", &place);
    assert_eq!(other.hear(), "timed out");
    drop(guard);
}
