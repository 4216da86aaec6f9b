//! Which packages the commands name, where that changes when code moves from one crate to another.

/// The packages for Unix alone.
pub const UNIX: &str = "-p strait-os-unix -p strait-os -p strait";

/// What is for Android: the library, the tool and the C interface.
pub const ANDROID: &str = "-p strait-os-unix -p strait-os -p strait -p strait-cli -p strait-capi";

/// The package with the tests of what programs use of their system: pipes, regions, domains, events.
pub const UNIX_SYSTEM: &str = "-p strait-os";

/// The packages for Windows alone.
pub const WINDOWS: &str = "-p strait-core -p strait-os -p strait-os-windows -p strait -p strait-cli";

/// Those of them in which something is compiled for Windows only.
pub const WINDOWS_ONLY: &str = "-p strait-os -p strait-os-windows -p strait -p strait-cli";

/// The packages of the system layer, whose tests run on Windows too.
pub const WINDOWS_SYSTEM: &str = "-p strait-os -p strait-os-windows";

/// The packages of the system layer, whose tests all run on a Unix of 32 bits too.
pub const UNIX_SYSTEM_ALL: &str = "-p strait-os -p strait-os-unix";
