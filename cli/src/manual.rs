//! `strait completions` and `strait man`: what shells and `man` are told of the tool, made from the definition of its
//! command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::{self, Completions, ManPages};
use crate::error::{Error, Result, reason};
use crate::print;
use crate::text::printable;

/// Prints the completions for a shell.
pub fn completions(wanted: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(wanted.shell, &mut args::shown(), "strait", &mut script);
    print::out(&String::from_utf8_lossy(&script))
}

/// Writes a page for the tool and one for each of its commands.
pub fn pages(wanted: &ManPages) -> Result<()> {
    let dir = &wanted.dir;
    let failed = |path: &Path, error: &io::Error| {
        Error::failed(format!("{}: {}", printable(&path.display().to_string()), reason(error)))
    };
    fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let mut tool = args::shown();
    tool.build();
    for command in std::iter::once(&tool).chain(tool.get_subcommands()) {
        let path = dir.join(format!("{}.1", name_of(command)));
        page(command).and_then(|page| fs::write(&path, page)).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

/// A page: what clap knows, and of the text behind its help the examples as they are and the rest in paragraphs.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(name_of(command).to_uppercase())
        .source(concat!("strait ", env!("CARGO_PKG_VERSION")))
        .manual("strait");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let is_example = |paragraph: &&str| paragraph.starts_with("Example");
    let (examples, notes): (Vec<&str>, Vec<&str>) = text.split("\n\n").partition(is_example);
    let mut roff = Roff::new();
    for note in notes.iter().filter(|note| !note.starts_with("Exit status")) {
        roff.control("PP", []).text([roman(note.replace('\n', " "))]);
    }
    roff.to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut roff = Roff::new();
    if command.has_subcommands() {
        roff.control("SH", ["COMMANDS"]);
        for one in command.get_subcommands() {
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            let name = bold(format!("{}(1)", name_of(one)));
            roff.control("TP", []).text([name]).text([roman(about)]);
        }
    }
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]).control("nf", []);
        for line in examples.iter().flat_map(|block| block.lines().skip(1)) {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.control("SH", ["EXIT STATUS"]);
    roff.text([roman("0 if all went well, 1 if something failed, 2 for a wrong command line.")]);
    if !command.has_subcommands() {
        roff.control("SH", ["SEE ALSO"]).text([bold("strait"), roman("(1)")]);
    }
    roff.to_writer(&mut page)?;
    Ok(page)
}
