//! Runs every model; arguments choose those whose name contains one of them.

use std::process::ExitCode;

#[cfg(strait_loom)]
fn main() -> ExitCode {
    loom_tests::harness::main()
}

#[cfg(not(strait_loom))]
fn main() -> ExitCode {
    println!("no models: needs --cfg strait_loom");
    ExitCode::SUCCESS
}
