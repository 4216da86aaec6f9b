//! The control run: every named ordering weakened in turn must make a model fail.

use std::process::ExitCode;

#[cfg(strait_loom)]
fn main() -> ExitCode {
    loom_tests::control::main()
}

#[cfg(not(strait_loom))]
fn main() -> ExitCode {
    eprintln!("the control run needs --cfg strait_loom");
    ExitCode::from(2)
}
