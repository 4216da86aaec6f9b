//! `inspect` and `unlock` of locks, whose owners live, die by SIGKILL, or die at the wrong moment.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write, stdout};
use std::mem::forget;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::{LONG, Place, dump, os, run};
use serde_json::Value;
use strait::format::ENTRY_LEN;
use strait::format::HEADER_LEN;
use strait::{Channel, Lock, Plan, Region, RegionOptions, port::Port};

type Gains = [u64; 4];

/// A holder's task and place.
const TASK: &str = "STRAIT_TEST_HOLDER";

fn create(place: &Place) -> Region {
    let channels = [
        Channel::frames("commands", 1024, 100),
        Channel::mutex::<Gains>("gains"),
        Channel::semaphore("ticks", 1, 3),
        Channel::permits("cranes", 3),
    ];
    place.region().create(&Plan::new(&channels), &RegionOptions::new()).expect("a region")
}

/// The process that the other tests start: takes locks, says so, and stays.
#[test]
fn holder() {
    let Ok(task) = env::var(TASK) else { return };
    let (task, name) = task.split_once(' ').expect("a task and a region");
    let region =
        strait::RegionName::new(name).expect("a name").open(&RegionOptions::new()).expect("a region");
    let mut mutex = region.mutex::<Gains>("gains").expect("the mutex");
    let mut cranes = region.permits("cranes").expect("the permits");
    match (task, mutex.lock_timeout(LONG).expect("the lock")) {
        ("set", Lock::Held(mut guard)) => {
            guard.set(&[7; 4]);
            guard.update(|gains| {
                gains[0] = 8;
                stay();
            });
        }
        ("edit", Lock::Held(mut guard)) => guard.edit_in_place(|edit| {
            edit.write(0, &[0xFF; 8]);
            stay();
        }),
        ("repair", Lock::OwnerDied(_recovery)) => stay(),
        ("permit", Lock::Held(guard)) => {
            drop(guard);
            let _permit = cranes.try_acquire().expect("a permit");
            stay();
        }
        _ => panic!("not for this task"),
    }
}

fn stay() {
    println!("\nheld");
    stdout().flush().expect("a reader");
    std::thread::sleep(2 * LONG);
}

/// A holder at work.
struct Holder(Child);

impl Holder {
    fn start(task: &str, place: &Place) -> Self {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "locks::holder", "--nocapture"])
            .env(TASK, format!("{task} {}", place.name))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a holder");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let held = lines.map_while(Result::ok).any(|line| line == "held");
        let holder = Self(child);
        assert!(held, "it did not get there");
        holder
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn kill(mut self) -> u32 {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("its end");
        self.pid()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn inspect(place: &Place, name: &str) -> (Value, String) {
    let shown = run(&["inspect", &place.name, "--json"]).json();
    let channels = shown["channels"].as_array().expect("channels");
    let channel = channels.iter().find(|channel| channel["name"] == name).expect("the channel").clone();
    let text = run(&["inspect", &place.name]).ok();
    let line = text.lines().find(|line| line.starts_with(name)).expect("a line").to_string();
    (channel, line)
}

fn unlock(place: &Place) -> crate::common::Done {
    run(&["unlock", &place.name, "gains"])
}

#[test]
fn a_mutex_is_shown_and_freed_only_from_the_dead() {
    let place = Place::new();
    let region = create(&place);
    let (json, line) = inspect(&place, "gains");
    assert_eq!((&json["kind"], &json["state"]), (&"mutex".into(), &"free".into()));
    assert_eq!(json["owner"], Value::Null);
    assert!(line.contains("free"), "{line}");
    assert_eq!(unlock(&place).ok(), "gains was free; nothing to do\n");

    let holder = Holder::start("set", &place);
    let pid = format!("pid {}", holder.pid());
    for stopped in [false, true] {
        // One that is stopped lives, too.
        os::signal(holder.pid(), if stopped { "STOP" } else { "CONT" });
        let (json, line) = inspect(&place, "gains");
        assert_eq!((&json["state"], &json["owner"]["state"]), (&"held".into(), &"alive".into()));
        assert_eq!((&json["owner"]["pid"], &json["version"]), (&holder.pid().into(), &1.into()));
        assert!(line.contains(&pid) && line.contains("held by") && line.contains("alive"), "{line}");
        let refused = unlock(&place).refused(1);
        assert!(refused.contains(&pid) && refused.contains("alive"), "{refused}");
    }
    holder.kill();
    let (json, line) = inspect(&place, "gains");
    assert_eq!(json["owner"]["state"], "dead");
    assert!(line.contains("dead"), "{line}");

    let said = unlock(&place).ok();
    assert!(said.contains(&pid) && said.contains("rolled back") && said.contains("version 1"), "{said}");
    assert_eq!(said.lines().count(), 1);
    let (json, _) = inspect(&place, "gains");
    assert_eq!((&json["state"], &json["takeovers"]), (&"free".into(), &1.into()));
    let mut mutex = region.mutex::<Gains>("gains").expect("the mutex");
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free and whole") };
    assert_eq!(guard.get(), [7; 4], "what was committed, and not what was begun");
}

#[test]
fn a_dead_repairers_lock_is_freed_too() {
    let place = Place::new();
    let region = create(&place);
    Holder::start("set", &place).kill();
    let pid = Holder::start("repair", &place).kill();
    let (json, line) = inspect(&place, "gains");
    assert_eq!((&json["state"], &json["deaths"]), (&"held for repair".into(), &1.into()));
    assert!(line.contains("held for repair after 1 death"), "{line}");
    assert!(unlock(&place).ok().contains(&format!("pid {pid}")));
    let mut mutex = region.mutex::<Gains>("gains").expect("the mutex");
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free and whole") };
    assert_eq!((guard.get(), guard.takeovers()), ([7; 4], 2));
}

#[test]
fn what_is_half_written_or_given_up_is_refused_with_advice() {
    let place = Place::new();
    let region = create(&place);
    let pid = Holder::start("edit", &place).kill();
    let (json, line) = inspect(&place, "gains");
    assert_eq!(json["in_place"], true);
    assert!(line.contains("edited in place"), "{line}");
    let refused = unlock(&place).refused(1);
    assert!(refused.contains(&format!("pid {pid}")) && refused.contains("must lock and repair"), "{refused}");
    let mut mutex = region.mutex::<Gains>("gains").expect("the mutex");
    let Ok(Lock::OwnerDied(recovery)) = mutex.try_lock() else { panic!("its owner is dead") };
    drop(recovery);
    assert_eq!(inspect(&place, "gains").0["state"], "poisoned");
    let refused = unlock(&place).refused(1);
    assert!(refused.contains("poisoned") && refused.contains("must re-initialise"), "{refused}");
    drop(mutex.reinitialise(&[1; 4]).expect("it was poisoned"));
    unlock(&place).ok();
}

#[test]
fn semaphores_and_permits_are_shown() {
    let place = Place::new();
    let region = create(&place);
    region.semaphore("ticks").expect("the semaphore").release(1).expect("room");
    let (json, line) = inspect(&place, "ticks");
    assert_eq!((&json["count"], &json["max"], &json["waiters"]), (&2.into(), &3.into(), &false.into()));
    assert!(line.contains("2 of 3"), "{line}");
    let mut sleeper = region.semaphore("ticks").expect("the semaphore");
    (0..2).for_each(|_| sleeper.try_acquire().expect("one"));
    sleeper.acquire_timeout(Duration::from_millis(30)).expect_err("nobody releases");
    assert_eq!(inspect(&place, "ticks").0["waiters"], true);

    let mut cranes = region.permits("cranes").expect("the permits");
    forget(cranes.try_acquire().expect("a permit"));
    let dead = Holder::start("permit", &place).kill();
    let (json, line) = inspect(&place, "cranes");
    assert_eq!((&json["free"], &json["taken"]), (&1.into(), &2.into()));
    assert_eq!(json["holders"].as_array().map(Vec::len), Some(2));
    for (pid, state) in [(std::process::id(), "alive"), (dead, "dead")] {
        let holders = json["holders"].as_array().expect("holders");
        let holder = holders.iter().find(|holder| holder["pid"] == pid).expect("the holder");
        assert_eq!((&holder["state"], &holder["permits"]), (&state.into(), &1.into()));
        assert!(line.contains(&format!("(pid {pid}, {state})")), "{line}");
    }
    assert!(line.contains("1 of 3 free"), "{line}");
}

#[test]
fn what_is_no_mutex_is_refused() {
    let place = Place::new();
    let refused = run(&["unlock", &place.name, "gains"]).refused(1);
    assert!(refused.contains("strait ls"), "{refused}");
    let region = create(&place);
    for (name, advice) in [
        ("commands", "is taken over"),
        ("ticks", "no owner"),
        ("cranes", "come back"),
        ("none", "no channel of that name"),
    ] {
        let refused = run(&["unlock", &place.name, name]).refused(1);
        assert!(refused.contains(advice), "{refused}");
    }
    drop(region);
}

#[test]
fn damaged_locks_are_an_error_or_sane() {
    let place = Place::new();
    let region = create(&place);
    let mut bytes = dump(&region);
    let (header, file) = (HEADER_LEN as usize, place.path("dump"));
    let entries = header + ENTRY_LEN as usize..header + 4 * ENTRY_LEN as usize;
    // The locks' entries, and their words.
    let words = region.channels().skip(1).flat_map(|entry| [entry.block_a, entry.block_c]);
    let places = entries.step_by(3).chain(words.flat_map(|at| at as usize..at as usize + 12));
    for at in places.step_by(os::SPARSE) {
        bytes[at] ^= 0x55;
        fs::write(&file, &bytes).expect("a file");
        let done = run(&["inspect", &file]);
        assert!(matches!(done.code, Some(0 | 1)), "byte {at}: {done:?}");
        assert!(done.stderr.lines().count() <= 1, "byte {at}: {done:?}");
        bytes[at] ^= 0x55;
    }
}

#[test]
fn a_channel_is_reset_only_where_nobody_else_takes_part() {
    let place = Place::new();
    let region = create(&place);
    let holder = Holder::start("set", &place);
    let entry = region.channel("gains").expect("the mutex");
    region.port().mem().word(entry.block_c).expect("a word").store(1 << 31, strait::port::RELAXED);
    let line = run(&["reset", &place.name, "gains"]).refused(1);
    assert!(line.contains("in use by") && line.contains("alive"), "{line}");
    drop(region);
    // Takes no part, and keeps the region there on systems where it goes with the last that has it open.
    let _kept = place.region().open(&RegionOptions::new().read_only(true)).expect("a look");
    let line = run(&["reset", &place.name, "gains"]).refused(1);
    assert!(line.contains(&format!("pid {}, alive", holder.pid())), "{line}");
    holder.kill();
    assert!(run(&["reset", &place.name, "gains"]).ok().contains("gains is as new"));
    let (gains, _) = inspect(&place, "gains");
    assert_eq!(gains["state"], "free");
    let line = run(&["reset", &place.name, "nothing"]).refused(1);
    assert!(line.contains("no channel of that name"), "{line}");
}
