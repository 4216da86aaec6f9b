//! `strait bridge`: the program `strait-bridge`, which is built by itself so that nothing else needs Zenoh.

use std::env;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use crate::args::Bridge;
use crate::error::{Error, Result, ended_with, reason};
use crate::os;

const PROGRAM: &str = "strait-bridge";

/// Runs it in place of this process, or where the system cannot, waits for its end.
pub fn run(wanted: &Bridge) -> Result<()> {
    let mut command = Command::new(program());
    match os::replace(command.args(&wanted.words)) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ended_with(status.code())),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::failed(format!(
            "{PROGRAM} is neither beside this program nor on the PATH; in a clone of strait, install it with \
             `cargo install --path bridge`"
        ))),
        Err(error) => Err(Error::at(PROGRAM, reason(&error))),
    }
}

/// The program beside this one; otherwise the system looks for it.
fn program() -> PathBuf {
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().map(|tool| tool.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}
