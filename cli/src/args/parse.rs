//! Reading the command line, and saying in one line what is wrong with it.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};

use crate::error::{Error, Result};

use super::{Cli, Command};

/// Reads this process's command line.
pub fn parse() -> Result<Command> {
    parse_from(std::env::args_os().collect())
}

/// The definition without the commands that this tool only gives itself.
pub fn shown() -> clap::Command {
    let all = Cli::command();
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    let tool = clap::Command::new("strait").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    let about = all.get_about().cloned().unwrap_or_default();
    let after = all.get_after_help().cloned().unwrap_or_default();
    tool.about(about).after_help(after).subcommands(shown)
}

fn parse_from(words: Vec<OsString>) -> Result<Command> {
    let mut clap = Cli::command();
    let known =
        words.get(1).and_then(|word| word.to_str()).filter(|word| clap.find_subcommand(word).is_some());
    let help = known.map_or("strait --help".to_string(), |name| format!("strait {name} --help"));
    let matches = clap.try_get_matches_from_mut(&words);
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Ok(cli.command),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Command::Help(error.to_string())),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
                let names = clap.get_subcommands().filter(|command| !command.is_hide_set());
                let names: Vec<&str> = names.map(clap::Command::get_name).collect();
                Err(Error::usage(format!("no command; give one of {}, or --help", names.join(", "))))
            }
            _ => Err(Error::usage(format!("{}; try `{help}`", one_line(&error.to_string())))),
        },
    }
}

/// The text of clap's error, in one line, without its heading and its usage.
fn one_line(text: &str) -> String {
    let text = text.trim_start_matches("error: ");
    let text = text.split("\nUsage:").next().unwrap_or(text);
    let text = text.split("\nFor more information").next().unwrap_or(text);
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty()) {
        let tip = part.strip_prefix("tip: ");
        if tip.is_some_and(|tip| tip.starts_with("to pass")) {
            continue; // About values that look like options, which nothing here takes.
        }
        if !line.is_empty() {
            line.push_str(if tip.is_some() { "; " } else { " " });
        }
        line.push_str(tip.unwrap_or(part));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Cli, CommandFactory, parse_from};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_wrong_command_line_is_one_line_with_a_way_out() {
        for words in [
            "strait",
            "strait dance",
            "strait dmo",
            "strait demo --rate fast",
            "strait demo --rate 5",
            "strait demo --rate 200000",
            "strait demo --seconds nan",
            "strait demo --seconds inf",
            "strait demo --cpus 1",
            "strait demo --rt 100",
            "strait demo --kill-every 49",
            "strait demo --kill-every -1",
            "strait demo --kill-every often",
            "strait demo --plot",
            "strait demo --plant --rate 100",
            "strait demo --plant --plot run.svg",
            "strait unlock work",
            "strait unlock work a/b",
            "strait send",
            "strait send work",
            "strait send work files --file",
            "strait send a\nb files --file x",
            "strait send .hidden files --file x",
            "strait send work a/b --file x",
            "strait send work files --file x --capacity 1000",
            "strait send work files --file x --capacity 32",
            "strait send work files --file x --frame 15",
            "strait send work files --file x --timeout 0",
            "strait send work files --file x --timeout -1",
            "strait recv work files --file x",
            "strait rm",
            "strait inspect",
            "strait ls extra",
            "strait play",
            "strait play run.mcap --timeout 0",
            "strait play run.mcap --into .hidden",
            "strait record work -o run.mcap --split-size 0",
            "strait record work -o run.mcap --split-time never",
            "strait serve --listen here",
            "strait serve --port 70000",
        ] {
            let error = match parse_from(words.split(' ').map(Into::into).collect()) {
                Ok(_) => panic!("{words:?} was taken"),
                Err(error) => error,
            };
            let line = error.line();
            assert!(!line.contains("Usage") && line.contains("--help"), "{words:?}: {line}");
            let raw_newline = line.contains('\n') && !words.contains('\n');
            assert!(!raw_newline && !line.contains("error:"), "{words:?}: {line}");
            assert_eq!(error.status(), 2);
        }
    }
}
