//! The victim's side of the points that the core has before its stores.

use super::operation::Act;

/// Makes the call, and is killed before its store of this number, if it has that many.
#[cfg(strait_crash_points)]
pub fn pass(point: u32, act: Act) {
    use super::common::tell;
    use nix::sys::signal::{Signal, raise};
    use strait_core::ground::sync::crash;

    fn end() {
        tell("killed");
        raise(Signal::SIGKILL).expect("a signal to oneself");
    }

    crash::arm(point, end);
    let _left = act();
    crash::disarm();
    tell("ended");
    raise(Signal::SIGKILL).expect("a signal to oneself");
}

/// There are none.
#[cfg(not(strait_crash_points))]
pub fn pass(_point: u32, _act: Act) {
    unreachable!("nobody asks for a point");
}
