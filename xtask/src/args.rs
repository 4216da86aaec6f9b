//! The command line.

use crate::fuzz;
use crate::install;
use crate::steps::{Extent, When};

/// The arguments.
#[derive(Debug, PartialEq)]
pub enum Command {
    Help,
    List,
    Test(Choice),
    /// With the words that the bench itself reads.
    Bench(Vec<String>),
    Fuzz(fuzz::Choice),
    Install(install::Choice),
}

/// Which steps to run, and how.
#[derive(Debug, Default, PartialEq)]
pub struct Choice {
    /// Empty: all steps, without the lanes unless `all`.
    names: Vec<String>,
    all: bool,
    /// All, and what takes longest.
    nightly: bool,
    pub fail_fast: bool,
}

impl Choice {
    /// How much of each step is to run: a plain `test` is short enough to wait for.
    pub fn extent(&self) -> Extent {
        match (self.names.is_empty(), self.all) {
            (true, false) => Extent::Quick,
            (true, true) if !self.nightly => Extent::Full,
            _ => Extent::Anew,
        }
    }

    /// Whether the step of this name is to run by itself.
    pub fn takes(&self, name: &str, when: When) -> bool {
        if !self.names.is_empty() {
            return self.names.iter().any(|wanted| wanted == name);
        }
        match when {
            When::Always => true,
            When::All => self.all,
            When::Nightly => self.nightly,
            When::Within(_) => false,
        }
    }
}

/// Reads the words after `cargo xtask`; `known` are the names of all steps and lanes.
///
/// # Errors
///
/// One line for the user.
pub fn parse(words: &[String], known: &[&str]) -> Result<Command, String> {
    let Some((command, rest)) = words.split_first() else {
        return Err("no command; try `cargo xtask help`".into());
    };
    match command.as_str() {
        "test" => parse_test(rest, known),
        "bench" => Ok(Command::Bench(rest.to_vec())),
        "fuzz" if rest.iter().any(|word| word == "--help" || word == "-h") => Ok(Command::Help),
        "fuzz" => Ok(Command::Fuzz(fuzz::parse(rest)?)),
        "install" if rest.iter().any(|word| word == "--help" || word == "-h") => Ok(Command::Help),
        "install" => Ok(Command::Install(install::parse(rest)?)),
        "help" | "--help" | "-h" => Ok(Command::Help),
        other => {
            Err(format!("unknown command `{other}`; there are `test`, `bench`, `fuzz`, `install` and `help`"))
        }
    }
}

fn parse_test(words: &[String], known: &[&str]) -> Result<Command, String> {
    let mut choice = Choice::default();
    for word in words {
        match word.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--list" => return Ok(Command::List),
            "--all" => choice.all = true,
            "--nightly" => (choice.all, choice.nightly) = (true, true),
            "--fail-fast" => choice.fail_fast = true,
            option if option.starts_with('-') => {
                return Err(format!(
                    "unknown option `{option}`; there are --all, --nightly, --fail-fast and --list"
                ));
            }
            name if known.contains(&name) => choice.names.push(word.clone()),
            name => {
                return Err(format!("unknown step `{name}`; there are {}", known.join(", ")));
            }
        }
    }
    if choice.all && !choice.names.is_empty() {
        return Err("give either --all (or --nightly) or names, not both".into());
    }
    Ok(Command::Test(choice))
}

#[cfg(test)]
mod tests {
    use super::{Command, parse};
    use crate::steps::{Extent, When};

    fn read(line: &str) -> Result<Command, String> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        parse(&words, &["fmt", "doc", "bridge", "cross", "words"])
    }

    /// The steps a line runs, of two, a lane for the night, another lane, and a part of that.
    fn runs(line: &str) -> Vec<&'static str> {
        let Ok(Command::Test(choice)) = read(line) else {
            panic!("`{line}` does not run steps");
        };
        let steps = [
            ("fmt", When::Always),
            ("doc", When::Always),
            ("bridge", When::Nightly),
            ("cross", When::All),
            ("words", When::Within("cross")),
        ];
        steps.into_iter().filter(|(name, when)| choice.takes(name, *when)).map(|(name, _)| name).collect()
    }

    #[test]
    fn lanes_run_with_all_or_by_name_only() {
        assert_eq!(runs("test"), ["fmt", "doc"]);
        assert_eq!(runs("test --all"), ["fmt", "doc", "cross"]);
        assert_eq!(runs("test --nightly"), ["fmt", "doc", "bridge", "cross"]);
        assert_eq!(runs("test cross"), ["cross"]);
        assert_eq!(runs("test bridge"), ["bridge"]);
        assert_eq!(runs("test words"), ["words"]);
        assert_eq!(runs("test doc fmt doc"), ["fmt", "doc"]);
    }

    #[test]
    fn a_plain_test_is_quick_and_what_is_asked_for_is_in_full() {
        for (line, extent) in [
            ("test", Extent::Quick),
            ("test --fail-fast", Extent::Quick),
            ("test --all", Extent::Full),
            ("test --nightly", Extent::Anew),
            ("test doc", Extent::Anew),
        ] {
            let Ok(Command::Test(choice)) = read(line) else {
                panic!("`{line}` does not run steps");
            };
            assert_eq!(choice.extent(), extent, "{line}");
        }
    }

    #[test]
    fn fail_fast_goes_with_everything() {
        for line in ["test --fail-fast", "test --all --fail-fast", "test --fail-fast doc"] {
            let Ok(Command::Test(choice)) = read(line) else {
                panic!("`{line}` does not run steps");
            };
            assert!(choice.fail_fast, "{line}");
        }
    }

    #[test]
    fn help_and_list() {
        assert_eq!(read("help"), Ok(Command::Help));
        assert_eq!(read("--help"), Ok(Command::Help));
        assert_eq!(read("test --help"), Ok(Command::Help));
        assert_eq!(read("test --list"), Ok(Command::List));
    }

    #[test]
    fn the_bench_reads_its_words_itself() {
        let words = ["--quick", "--only", "test"].map(String::from).to_vec();
        assert_eq!(read("bench --quick --only test"), Ok(Command::Bench(words)));
    }

    #[test]
    fn a_wrong_line_gets_one_line_that_says_what_to_do() {
        for (line, part) in [
            ("", "cargo xtask help"),
            ("tset", "`test`, `bench`, `fuzz`, `install` and `help`"),
            ("test cros", "fmt, doc, bridge, cross"),
            ("test --al", "--all, --nightly, --fail-fast and --list"),
            ("test --all doc", "not both"),
            ("install", "--prefix DIR"),
        ] {
            let message = read(line).expect_err(line);
            assert!(message.contains(part), "{line}: {message}");
            assert!(!message.contains('\n'), "{line}: {message}");
        }
    }
}
