//! The examples as programs to run, each of which checks its own result.

use std::fs;
use std::io;

use crate::run::{Outcome, Run, together};

/// The features that all of them are built with.
const FEATURES: &str = "--features embedded-io-07";

/// Seconds that one may run, its second process included. The slowest takes a tenth of it.
pub const LIMIT: u32 = 120;

/// The start of an example's answer to arguments that it does not take.
const WRONG: &str = "no such arguments";

/// The names of the examples: the sources directly in `examples`, sorted.
fn names(folder: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(".rs")).map(String::from));
    }
    names.sort();
    Ok(names)
}

/// Builds all of them and runs them one by one: `cargo` runs one command of cargo, with these arguments.
pub fn each(cargo: impl Fn(&str) -> Outcome) -> Outcome {
    let names = match names("examples") {
        Ok(names) => names,
        Err(error) => return Outcome::Failed(format!("examples: {error}")),
    };
    // First all builds, so that the limit is on the running alone.
    let build = cargo(&format!("build --quiet --examples {FEATURES}"));
    if build != Outcome::Passed {
        return build;
    }
    let run = |name: &String| cargo(&format!("run --quiet {FEATURES} --example {name}"));
    let ran: Vec<_> = names.iter().map(|name| (name.as_str(), run(name))).collect();
    together(&ran)
}

/// Runs them on this system, and those that say what they take once more with something else.
pub fn natively() -> Outcome {
    each(|args| {
        let ran = if args.starts_with("run") { limited(args).run() } else { Run::cargo(args).run() };
        let refuses = if says_what_it_takes(args) {
            Run::cargo(&format!("{args} -- {WRONG}")).run_to_fail("wrong arguments")
        } else {
            Outcome::Passed
        };
        together(&[("the run", ran), ("wrong arguments", refuses)])
    })
}

/// Whether the example that these arguments run refuses wrong ones of its own: some take a command line.
fn says_what_it_takes(args: &str) -> bool {
    let source =
        args.split("--example ").nth(1).map(|name| fs::read_to_string(format!("examples/{name}.rs")));
    matches!(source, Some(Ok(source)) if source.contains("common::usage("))
}

/// A command of cargo with the limit, where there is a program for that: on Linux, where `cargo run` becomes
/// the program that it runs.
fn limited(args: &str) -> Run {
    if cfg!(target_os = "linux") {
        Run::new("timeout".into(), "timeout", &format!("{LIMIT} cargo {args}"))
    } else {
        Run::cargo(args)
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn the_table_has_each_of_them() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
        let table = std::fs::read_to_string(format!("{folder}/README.md")).expect("the table");
        let names = names(folder).expect("the folder");
        assert!(names.contains(&"two_processes".into()));
        for name in names {
            assert!(table.contains(&format!("[{name}]({name}.rs)")), "{name}");
        }
    }
}
