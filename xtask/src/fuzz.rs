//! `cargo xtask fuzz`: the coverage-guided targets of the folder `fuzz`, built for libFuzzer with
//! AddressSanitizer.
//!
//! Sanitizer and coverage are flags of the compiler that are not stable yet, so it is told to take them all the same.
//! Nothing but a C++ compiler is needed besides: a target is an ordinary program, whose `main` is libFuzzer's.

use std::env::consts::ARCH;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::lanes;
use crate::run::{Outcome, Run};
use crate::say::{self, say};

/// The targets: the programs in `fuzz/src/bin`.
pub const TARGETS: &[&str] =
    &["attach", "endpoints", "honest", "stream", "ring_pipe", "capi", "directory", "patterns"];

/// Seconds a target runs by default.
const SECONDS: u32 = 30;

/// The longest input, and how long a run may take and how much memory it may use before it counts as a crash.
const LIMITS: &[&str] = &["-max_len=4096", "-timeout=20", "-rss_limit_mb=2048", "-len_control=20"];

/// Where the programs, the inputs found and those that crash go.
const BUILT: &str = "target/fuzz";

/// Flags that make a program a target. The copies are done a word at a time, since the sanitizer does not see
/// into assembly.
const FLAGS: &str = "--cfg fuzzing --cfg strait_word_copies -Zsanitizer=address -Ccodegen-units=1 \
    -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0";

/// The arguments.
#[derive(Debug, PartialEq)]
pub struct Choice {
    seconds: u32,
    targets: Vec<&'static str>,
    /// Whether to keep the inputs found in the repository.
    keep: bool,
}

/// Reads the words after `cargo xtask fuzz`.
///
/// # Errors
///
/// One line for the user.
pub fn parse(words: &[String]) -> Result<Choice, String> {
    let mut choice = Choice { seconds: SECONDS, targets: Vec::new(), keep: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let number = words.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                choice.seconds = number.ok_or("--seconds needs a number from 1 on")?;
            }
            "--keep" => choice.keep = true,
            word => match TARGETS.iter().find(|target| **target == word) {
                Some(target) => choice.targets.push(target),
                None => {
                    let targets = TARGETS.join(", ");
                    return Err(format!(
                        "unknown word `{word}`; there are --seconds N, --keep, and the targets {targets}"
                    ));
                }
            },
        }
    }
    if choice.targets.is_empty() {
        choice.targets = TARGETS.to_vec();
    }
    Ok(choice)
}

/// `cargo xtask fuzz`, at the top of the repository.
pub fn run(choice: &Choice) -> Outcome {
    if let Err(outcome) = lanes::packages(&["g++"]) {
        return outcome;
    }
    let built = build();
    if built != Outcome::Passed {
        return built;
    }
    let mark = say::own_mark();
    let end = |target: &&'static str| {
        say::adopt(&mark);
        let ended = if choice.keep { keep(target) } else { one(target, choice.seconds) };
        (*target, ended)
    };
    // A target is one thread: two at a time, which is what a small machine has processors for.
    let mut ended = Vec::new();
    for pair in choice.targets.chunks(2) {
        thread::scope(|scope| {
            let running: Vec<_> = pair.iter().map(|target| scope.spawn(|| end(target))).collect();
            ended.extend(running.into_iter().map(|target| target.join().expect("it does not panic")));
        });
    }
    let mut failed = Vec::new();
    for (target, ended) in ended {
        let (Ok(line) | Err(line)) = &ended;
        say!("{line}");
        if ended.is_err() {
            failed.push(target);
        }
    }
    if failed.is_empty() { Outcome::Passed } else { Outcome::Failed(failed.join(", ")) }
}

/// The step of `cargo xtask test --all`: each target for half a minute.
pub fn step() -> Outcome {
    run(&Choice { seconds: SECONDS, targets: TARGETS.to_vec(), keep: false })
}

fn triple() -> String {
    format!("{ARCH}-unknown-linux-gnu")
}

fn build() -> Outcome {
    // The target is named so that the flags are not those of build scripts, which run here and now.
    Run::cargo(&format!("build --locked --bins --target {} --manifest-path fuzz/Cargo.toml", triple()))
        .with("CARGO_TARGET_DIR", BUILT)
        .with("RUSTC_BOOTSTRAP", "1")
        .with("RUSTFLAGS", FLAGS)
        .run()
}

/// A target's program, with its arguments, in the environment that it needs.
fn program(target: &str) -> Command {
    let mut command = Command::new(format!("{BUILT}/{}/debug/{target}", triple()));
    command
        .args(LIMITS)
        .stdin(Stdio::null())
        // The endpoints of the dead are forgotten, with the buffers that they hold.
        .env("ASAN_OPTIONS", "detect_leaks=0,external_symbolizer_path=/usr/bin/addr2line");
    command
}

/// Fuzzes one target, and gives the line that says what came of it.
fn one(target: &str, seconds: u32) -> Result<String, String> {
    let found = format!("{BUILT}/corpus/{target}");
    let crashes = format!("{BUILT}/crashes/{target}/");
    let log = format!("{BUILT}/{target}.log");
    let fault = |error: io::Error| format!("{target:<10} {error}");
    let kept = format!("fuzz/corpus/{target}");
    for folder in [&found, &crashes, &kept] {
        fs::create_dir_all(folder).map_err(fault)?;
    }
    say!("$ {BUILT}/{}/debug/{target} -max_total_time={seconds} {found} {kept}", triple());
    let status = program(target)
        .arg(format!("-max_total_time={seconds}"))
        .args(["-print_final_stats=1", &format!("-artifact_prefix={crashes}")])
        .args([&found, &kept])
        .stdout(Stdio::null())
        .stderr(File::create(&log).map_err(fault)?)
        .status()
        .map_err(fault)?;
    let said = Said::read(&log).map_err(fault)?;
    let line = said.line(target, !status.success());
    if status.success() {
        return Ok(line);
    }
    said.end.iter().for_each(|line| say!("{line}"));
    let input = said.crash.as_deref().unwrap_or("INPUT");
    Err(format!(
        "{line}\n    all it said: {log}\n    reproduce it: ASAN_OPTIONS=detect_leaks=0 \
         {BUILT}/{}/debug/{target} {input}",
        triple()
    ))
}

/// libFuzzer's report of a run.
#[derive(Debug, Default, PartialEq)]
struct Said {
    runs: u64,
    per_second: u64,
    covered: u64,
    new: u64,
    /// The input of a crash.
    crash: Option<String>,
    /// The lines from where a crash is reported.
    end: Vec<String>,
}

/// Lines of a crash's report that are shown.
const SHOWN: usize = 30;

impl Said {
    fn read(log: &str) -> io::Result<Self> {
        let mut said = Self::default();
        for line in BufReader::new(File::open(log)?).split(b'\n') {
            said.hear(&String::from_utf8_lossy(&line?));
        }
        Ok(said)
    }

    fn hear(&mut self, line: &str) {
        let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse().ok());
        let after = |name: &str| line.split_once(name).and_then(|(_, rest)| number(rest));
        let set = |value: &mut u64, found: Option<u64>| *value = found.unwrap_or(*value);
        if line.starts_with('#') {
            set(&mut self.covered, after(" cov: "));
        }
        set(&mut self.runs, after("stat::number_of_executed_units:"));
        set(&mut self.per_second, after("stat::average_exec_per_sec:"));
        set(&mut self.new, after("stat::new_units_added:"));
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.crash = Some(path.trim().to_owned());
        }
        let begins = line.contains("panicked at") || line.contains("ERROR: ");
        if (begins || !self.end.is_empty()) && self.end.len() < SHOWN {
            self.end.push(line.to_owned());
        }
    }

    fn line(&self, target: &str, crashed: bool) -> String {
        format!(
            "{target:<10} {:>9} executions {:>7}/s {:>6} points covered {:>5} new inputs {}",
            self.runs,
            self.per_second,
            self.covered,
            self.new,
            if crashed { "CRASHED" } else { "no crash" }
        )
    }
}

/// Keeps those inputs in the repository that cover most: see [`corpus`](crate::corpus).
fn keep(target: &str) -> Result<String, String> {
    let (kept, found) = (format!("fuzz/corpus/{target}"), format!("{BUILT}/corpus/{target}"));
    let control = format!("{BUILT}/{target}.merge");
    let merged = format!("{BUILT}/merged/{target}");
    let fault = |error: io::Error| format!("{target:<10} {error}");
    for folder in [&kept, &found, &merged] {
        fs::create_dir_all(folder).map_err(fault)?;
    }
    if Path::new(&control).exists() {
        fs::remove_file(&control).map_err(fault)?;
    }
    let status = program(target)
        .args(["-set_cover_merge=1", &format!("-merge_control_file={control}"), &merged, &kept, &found])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(fault)?;
    if !status.success() {
        return Err(format!("{target:<10} could not be measured: {status}"));
    }
    crate::corpus::keep(Path::new(&control), Path::new(&kept))
        .map(|count| format!("{target:<10} {count} inputs in {kept}"))
        .map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::{Choice, SECONDS, Said, TARGETS, parse};

    fn read(line: &str) -> Result<Choice, String> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        parse(&words)
    }

    #[test]
    fn without_a_name_all_targets_run() {
        let all = Choice { seconds: SECONDS, targets: TARGETS.to_vec(), keep: false };
        assert_eq!(read(""), Ok(all));
        let some = Choice { seconds: 5, targets: vec!["stream", "attach"], keep: false };
        assert_eq!(read("stream --seconds 5 attach"), Ok(some));
    }

    #[test]
    fn a_wrong_line_gets_one_line_that_says_what_to_do() {
        for (line, part) in [
            ("--seconds", "a number"),
            ("--seconds 0", "from 1 on"),
            ("--second 3", "--seconds N"),
            ("streams", "attach, endpoints"),
        ] {
            let message = read(line).expect_err(line);
            assert!(message.contains(part) && !message.contains('\n'), "{line}: {message}");
        }
    }

    #[test]
    fn each_target_has_a_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/src/bin");
        let files = std::fs::read_dir(folder).expect("the targets");
        let mut found: Vec<String> = files
            .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".rs", ""))
            .collect();
        let mut named = TARGETS.to_vec();
        found.sort_unstable();
        named.sort_unstable();
        assert_eq!(found, named);
    }

    #[test]
    fn the_numbers_are_found_in_what_libfuzzer_says() {
        let mut said = Said::default();
        for line in [
            "#2\tINITED cov: 12 ft: 15 corp: 1/1b exec/s: 0 rss: 40Mb",
            "#874\tDONE   cov: 2759 ft: 2927 corp: 16/51b lim: 8 exec/s: 67 rss: 74Mb",
            "thread '<unnamed>' (7) panicked at src/x.rs:1:1:",
            "what is wrong",
            "artifact_prefix='crashes/'; Test unit written to crashes/crash-00ff",
            "stat::number_of_executed_units: 874",
            "stat::average_exec_per_sec:     67",
            "stat::new_units_added:          15",
        ] {
            said.hear(line);
        }
        assert_eq!((said.runs, said.per_second, said.covered, said.new), (874, 67, 2759, 15));
        assert_eq!(said.crash.as_deref(), Some("crashes/crash-00ff"));
        assert_eq!(said.end[1], "what is wrong");
        assert!(said.line("x", true).contains("CRASHED"));
    }
}
