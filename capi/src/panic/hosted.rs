//! Under a system: the standard library, which aborts where a panic would cross into C.

extern crate std as _;
