//! The version, as the header's macros state it: literals, since the header repeats them.

/// The first number of the version of this header.
pub const STRAIT_VERSION_MAJOR: u32 = 0;
/// The second number of the version of this header. Before 1.0, another one may need changes in programs.
pub const STRAIT_VERSION_MINOR: u32 = 1;
/// The third number of the version of this header.
pub const STRAIT_VERSION_PATCH: u32 = 0;

/// A number as a manifest has it.
const fn number(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("the manifest's version is of numbers"),
    }
}

const _: () = {
    assert!(
        number(env!("CARGO_PKG_VERSION_MAJOR")) == STRAIT_VERSION_MAJOR,
        "capi/src/version.rs is out of date"
    );
    assert!(
        number(env!("CARGO_PKG_VERSION_MINOR")) == STRAIT_VERSION_MINOR,
        "capi/src/version.rs is out of date"
    );
    assert!(
        number(env!("CARGO_PKG_VERSION_PATCH")) == STRAIT_VERSION_PATCH,
        "capi/src/version.rs is out of date"
    );
};
