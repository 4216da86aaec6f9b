//! C++ programs over strait.hpp: every class under the sanitizers, and deaths between C++ and Rust.
#![cfg(all(target_os = "linux", feature = "os"))]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use strait::{Channel, ChannelError, Lock, Plan, Region, RegionName, RegionOptions};

const SANITIZED: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn runs(compiler: &str, flags: &[&str], name: &str) {
    if crate::program::compiler(compiler).is_none() {
        return;
    }
    let built = crate::program::build(compiler, flags, "classes.cpp", name);
    let place = format!("capi-{name}-{}", std::process::id());
    let ended = Command::new(built).arg(&place).status().expect("the program starts");
    let _ = RegionName::new(&place).map(|name| name.remove());
    assert!(ended.success(), "{ended}");
}

#[test]
fn every_class_is_used_under_the_sanitizers() {
    runs("g++", &[&["-std=c++17"], SANITIZED].concat(), "classes-17");
}

#[test]
fn every_class_is_used_with_exceptions_and_spans() {
    runs("g++", &[&["-std=c++20", "-DSTRAIT_EXCEPTIONS"], SANITIZED].concat(), "classes-20");
}

#[test]
fn every_class_is_used_where_there_are_no_exceptions() {
    runs("clang++", &["-std=c++17", "-fno-exceptions", "-fno-rtti"], "classes-clang");
}

/// Each mistake in `tests/c/mistakes.cpp`, and what the compiler must say.
const MISTAKES: &[(&str, &str)] = &[
    ("MISSING", "list every field, and make padding a field"),
    ("ORDER", "list the fields in their order"),
    ("PADDED", "list every field, and make padding a field"),
    ("FLAG", "not a message: use"),
    ("POINTER", "not a message: use"),
    ("VIRTUAL", "a message is plain data"),
];

#[test]
fn a_wrong_message_is_refused_by_the_compiler() {
    if crate::program::compiler("g++").is_none() {
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiled = |flag: &str| {
        let mut compiler = Command::new("g++");
        compiler.args(["-std=c++17", "-fsyntax-only", flag, "-I"]).arg(here.join("include"));
        compiler.arg(here.join("tests/c/mistakes.cpp")).output().expect("the compiler runs")
    };
    let sound = compiled("-DNONE");
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stderr));
    for (mistake, sign) in MISTAKES {
        let refused = compiled(&format!("-D{mistake}"));
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains(sign), "{mistake}: {said}");
    }
}

strait::message! {
    struct State { code: i32, flags: [u8; 4] }
    struct Entry { number: u64, weights: [f32; 2], state: State }
}

const PLAN: Plan = Plan::new(&[
    Channel::slots::<Entry>("entries", 8).consumer_may_block().producer_may_block(),
    Channel::mutex::<Entry>("last"),
]);
const COUNT: u64 = 3;
/// How long anything may take before the test fails: long, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// The variable that tells a Rust child its region.
const REGION: &str = "STRAIT_TEST_CPP_REGION";

/// Entry `number`, as `tests/c/heir.cpp` makes it.
fn entry(number: u64) -> Entry {
    Entry { number, weights: [0.5, -1.5], state: State { code: -(number as i32), flags: [1, 2, 3, 4] } }
}

/// Claims a role; that of a killed owner as soon as the kernel proves its death.
fn claim<T>(mut claim: impl FnMut() -> Result<T, ChannelError>) -> T {
    loop {
        match claim() {
            Ok(role) => return role,
            Err(ChannelError::Busy) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
}

fn open(name: &str) -> Region {
    let place = RegionName::new(name).expect("a legal name");
    place.open(&RegionOptions::new()).expect("the test made the region")
}

/// The Rust holder's part; a test of its own only by name.
#[test]
fn holder() {
    let Ok(name) = env::var(REGION) else { return };
    let region = open(&name);
    let mut tx = claim(|| region.typed_producer::<Entry>("entries"));
    let mut mutex = region.mutex::<Entry>("last").expect("it is there");
    let Ok(Lock::Held(mut guard)) = mutex.lock_timeout(PATIENCE) else { panic!("nobody died") };
    for number in 1..=COUNT {
        tx.send_timeout(&entry(number), PATIENCE).expect("there is space");
        guard.update(|last| *last = entry(number));
    }
    println!("\n>ready");
    std::io::stdout().flush().expect("the parent listens");
    loop {
        std::thread::park();
    }
}

/// Starts a holder and kills it once it has everything.
fn kill_a_holder(command: &mut Command) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let ready = lines.map_while(Result::ok).any(|line| line == ">ready");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert!(ready, "the holder ended by itself");
}

/// A region that is this test's alone, and the C++ program that takes part in it.
fn set_up(test: &str) -> Option<(String, Region, PathBuf)> {
    crate::program::compiler("g++")?;
    let program = crate::program::build(
        "g++",
        &[&["-std=c++17"], SANITIZED].concat(),
        "heir.cpp",
        &format!("heir-{test}"),
    );
    let name = format!("capi-heir-{test}-{}", std::process::id());
    let place = RegionName::new(&name).expect("a legal name");
    Some((name, place.create(&PLAN, &RegionOptions::new()).expect("the name is free"), program))
}

fn remove(name: &str) {
    RegionName::new(name).expect("a legal name").remove().expect("it is there");
}

#[test]
fn a_cpp_program_succeeds_a_killed_rust_program() {
    let Some((name, _region, program)) = set_up("of-rust") else { return };
    let mut holder = Command::new(env::current_exe().expect("this program has a path"));
    holder.args(["--exact", "cpp::holder", "--nocapture", "--test-threads=1"]);
    kill_a_holder(holder.env(REGION, &name));
    let ended = Command::new(program).args([&name, "take"]).status().expect("the program starts");
    remove(&name);
    assert!(ended.success(), "{ended}; the numbers are in heir.cpp");
}

#[test]
fn a_rust_program_succeeds_a_killed_cpp_program() {
    let Some((name, region, program)) = set_up("of-cpp") else { return };
    kill_a_holder(Command::new(program).args([&name, "hold"]));
    let mut rx = claim(|| region.typed_consumer::<Entry>("entries"));
    for number in 1..=COUNT {
        assert_eq!(rx.recv_timeout(PATIENCE).expect("it was committed"), entry(number));
    }
    let mut mutex = region.mutex::<Entry>("last").expect("it is there");
    let lock = mutex.lock_timeout(PATIENCE).expect("the owner is dead");
    assert!(matches!(lock, Lock::OwnerDied(_)), "the lock was not taken over");
    let Ok(guard) = lock.or_roll_back() else { panic!("nobody edits in place") };
    assert_eq!(guard.get(), entry(COUNT));
    remove(&name);
}
