//! Pipes, by the same tests as on Unix.
#![cfg(windows)]

#[path = "../../os-unix/tests/pipes.rs"]
mod same;

/// What the tests start, by this name.
#[test]
fn helper() {
    same::helper();
}
