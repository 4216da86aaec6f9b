//! What `recv` promises of storage and limits, and whose process ids the tool shows.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::common::{LONG, Place, Running, eventually, run, start, strait};
use strait::{Channel, Plan, RegionOptions};

/// A library that is loaded before the system's, in which the fsync of a directory fails.
fn failing_fsync(place: &Place) -> Option<PathBuf> {
    const SOURCE: &str = "
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <sys/stat.h>
        int fsync(int fd) {
            struct stat found;
            if (fstat(fd, &found) == 0 && S_ISDIR(found.st_mode)) { errno = EIO; return -1; }
            return ((int (*)(int))dlsym(RTLD_NEXT, \"fsync\"))(fd);
        }";
    let (source, library) = (place.dir.join("fsync.c"), place.dir.join("fsync.so"));
    std::fs::write(&source, SOURCE).expect("a file");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    let built = compiler.status().is_ok_and(|status| status.success());
    if !built {
        println!("SKIPPED the fsync that fails: there is no C compiler");
    }
    built.then_some(library)
}

/// The sender may delete its file when it is told that it has come. That is so once the name is on storage too.
#[test]
fn a_file_is_received_once_its_name_is_on_storage() {
    let place = Place::new();
    let Some(library) = failing_fsync(&place) else { return };
    let file = place.file("in", 100_000);
    let sender = start(&["send", &place.name, "files", "--file", &file, "--timeout", "30"]);
    let mut receiver = strait(&["recv", &place.name, "files", "--out", &place.path("out")]);
    let receiver = Running::of(receiver.env("LD_PRELOAD", library).spawn().expect("the tool"));
    let line = receiver.end(LONG).refused(1);
    assert!(line.contains("Input/output error") || line.contains("input/output error"), "{line}");
    assert_ne!(sender.end(LONG).code, Some(0), "it was told that the file has come");
}

/// Runs the tool under a limit on the length of its files, in blocks of 1024 bytes.
fn limited(blocks: u32, args: &[&str]) -> Running {
    Running::of(limited_command(blocks, args).spawn().expect("bash"))
}

fn limited_command(blocks: u32, args: &[&str]) -> Command {
    let mut shell = Command::new("bash");
    shell
        .arg("-c")
        .arg(format!("ulimit -f {blocks}; exec \"$@\""))
        .arg("bash")
        .arg(env!("CARGO_BIN_EXE_strait"));
    shell.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

#[test]
fn a_file_beyond_the_limit_is_an_error_and_no_signal() {
    let place = Place::new();
    // The region is made by the sender, and so fits whatever the limit.
    let file = place.file("in", 1 << 20);
    let sender = start(&["send", &place.name, "files", "--file", &file, "--timeout", "30"]);
    assert!(eventually(|| place.has_region()), "no region");
    let receiver = limited(512, &["recv", &place.name, "files", "--out", &place.path("out")]);
    let line = receiver.end(LONG).refused(1);
    assert!(line.contains("524288 bytes") && line.contains("ulimit -f"), "{line}");
    let left = place.others(&["in"]);
    assert!(left.is_empty(), "left: {left:?}");
    assert_ne!(sender.end(LONG).code, Some(0));
    // And what fits is carried.
    let sender = start(&["send", &place.name, "files", "--file", &place.file("small", 1 << 19)]);
    let receiver = limited(512, &["recv", &place.name, "files", "--out", &place.path("out")]);
    receiver.end(LONG).ok();
    sender.end(LONG).ok();
}

/// FAULT 108. The tool's other files, and what it prints into one.
#[test]
fn fault_108_no_file_that_is_written_ends_the_tool_by_a_signal() {
    const PLAN: Plan = Plan::new(&[Channel::frames("log", 4096, 64)]);
    let place = Place::new();
    let _region = place.region().create(&PLAN, &RegionOptions::new()).expect("a region");
    let out = place.path("run.mcap");
    let line = limited(0, &["record", &place.name, "-o", &out, "--seconds", "0.1"]).end(LONG).refused(1);
    assert!(line.contains(&out) && line.contains("ulimit -f") && line.contains("is kept"), "{line}");
    let mut inspect = limited_command(0, &["inspect", &place.name]);
    inspect.stdout(std::fs::File::create(place.path("printed")).expect("a file"));
    let line = Running::of(inspect.spawn().expect("bash")).end(LONG).refused(1);
    assert!(line.contains("standard output") && line.contains("ulimit -f"), "{line}");
}

/// A process id means another process, or none, outside its namespace: nobody is told to end that one.
#[test]
fn a_process_id_of_another_namespace_is_marked() {
    let place = Place::new();
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child"]).arg(env!("CARGO_BIN_EXE_strait"));
    unshare.args(["recv", &place.name, "files", "--out", &place.path("out"), "--timeout", "50"]);
    unshare.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(child) = unshare.spawn() else { return println!("SKIPPED another namespace: no unshare") };
    let mut other = Running::of(child);
    if !eventually(|| place.has_region() || !other.is_running()) || !other.is_running() {
        return println!("SKIPPED another namespace: this user may not make one");
    }
    let one = |shown: &serde_json::Value| shown["participants"][0].clone();
    let mut shown = one(&run(&["inspect", &place.name, "--json"]).json());
    assert!(
        eventually(|| {
            shown = one(&run(&["inspect", &place.name, "--json"]).json());
            shown["pid"] == 1
        }),
        "{shown}"
    );
    assert_eq!(shown["pid_is_of_this_namespace"], false);
    assert!(run(&["inspect", &place.name]).ok().contains("1 in another PID namespace"));
    let line = run(&["rm", &place.name]).refused(1);
    assert!(line.contains("(pid 1 in another PID namespace)"), "{line}");
    other.kill();
    // One of here is not marked.
    let mut here = start(&["recv", &place.name, "files", "--out", &place.path("out")]);
    let pid = here.pid();
    let own = || {
        let shown = run(&["inspect", &place.name, "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap_or_default();
        let all = shown["participants"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one["pid"] == pid)
    };
    assert!(eventually(|| own().is_some()), "it takes part");
    assert_eq!(own().map(|one| one["pid_is_of_this_namespace"] == true), Some(true));
    here.kill();
}
