//! One child process: its command line shown, its environment cleaned, its output streamed.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// Variables that would change what a step builds; a step that wants one sets it itself.
const NOT_INHERITED: &[&str] = &[
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_BUILD_RUSTDOCFLAGS",
    "CARGO_BUILD_TARGET",
    "STRAIT_WEAKEN",
];

/// How a step ended.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Passed,
    /// With what failed.
    Failed(String),
    /// With the reason.
    Skipped(String),
}

/// Passed if all parts did; else says which failed.
pub fn together(parts: &[(&str, Outcome)]) -> Outcome {
    let failed: Vec<&str> =
        parts.iter().filter(|(_, outcome)| *outcome != Outcome::Passed).map(|(name, _)| *name).collect();
    if failed.is_empty() { Outcome::Passed } else { Outcome::Failed(failed.join(", ")) }
}

/// A command to run, with the environment it adds.
pub struct Run {
    command: Command,
    /// What the user could type to run it himself.
    shown: String,
}

impl Run {
    /// A program of this path, shown by its `name`, with arguments divided by blanks.
    pub fn new(program: OsString, name: &str, args: &str) -> Self {
        let mut command = Command::new(program);
        command.args(args.split_whitespace()).stdin(Stdio::null());
        Self { command, shown: format!("{name} {args}") }.without(NOT_INHERITED)
    }

    /// The cargo that runs us.
    pub fn cargo(args: &str) -> Self {
        let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::new(program, "cargo", args)
    }

    /// Adds one argument, blanks and all.
    pub fn word(mut self, word: &str) -> Self {
        self.command.arg(word);
        self.shown = format!("{} \"{word}\"", self.shown);
        self
    }

    /// Sets a variable.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown = if value.contains(' ') {
            format!("{name}=\"{value}\" {}", self.shown)
        } else {
            format!("{name}={value} {}", self.shown)
        };
        self
    }

    /// Takes variables away.
    pub fn without(mut self, names: &[&str]) -> Self {
        for name in names {
            self.command.env_remove(name);
        }
        self
    }

    /// Runs in this folder; to be called after [`with`](Self::with), as it is shown first.
    pub fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(folder);
        self.shown = format!("cd {folder} && {}", self.shown);
        self
    }

    /// Shows the command line, then runs it with its output going where ours goes.
    pub fn run(mut self) -> Outcome {
        println!("$ {}", self.shown);
        match self.command.status() {
            Ok(status) if status.success() => Outcome::Passed,
            Ok(status) => Outcome::Failed(status.to_string()),
            Err(error) => Outcome::Failed(format!("could not be started: {error}")),
        }
    }

    /// Shows the command line, then runs it: it must fail, and say `sign`. Its output is shown if not.
    pub fn run_to_fail(mut self, sign: &str) -> Outcome {
        println!("$ {}   # must fail with `{sign}`", self.shown);
        let output = match self.command.output() {
            Ok(output) => output,
            Err(error) => return Outcome::Failed(format!("could not be started: {error}")),
        };
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if !output.status.success() && text.contains(sign) {
            return Outcome::Passed;
        }
        println!("{text}");
        Outcome::Failed(format!("{}, where it should fail with `{sign}`", output.status))
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Run};

    #[test]
    fn the_line_shown_can_be_typed() {
        let run = Run::cargo("test -p x")
            .with("RUSTFLAGS", "--cfg strait_loom")
            .with("CARGO_TARGET_DIR", "target/loom")
            .within("examples");
        assert_eq!(
            run.shown,
            "cd examples && CARGO_TARGET_DIR=target/loom RUSTFLAGS=\"--cfg strait_loom\" \
             cargo test -p x"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        let run = Run::new("no/such/program".into(), "program", "");
        assert!(matches!(run.run(), Outcome::Failed(why) if why.contains("started")));
    }

    #[test]
    fn what_must_fail_must_fail_for_that_reason() {
        let run = |args: &str, sign: &str| Run::cargo(args).run_to_fail(sign);
        assert_eq!(run("no-such-command", "no such command"), Outcome::Passed);
        assert!(matches!(run("no-such-command", "data race"), Outcome::Failed(_)));
        assert!(matches!(run("--version", "cargo"), Outcome::Failed(_)), "it did not fail");
    }

    #[cfg(unix)]
    #[test]
    fn the_exit_status_decides() {
        let run = |program: &str| Run::new(program.into(), program, "").run();
        assert_eq!(run("true"), Outcome::Passed);
        assert_eq!(run("false"), Outcome::Failed("exit status: 1".into()));
    }
}
