//! A processor that takes every access in every memory.

use super::Access;

pub const ALL: &[Access] = &[];
