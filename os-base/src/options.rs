//! The options of a region that every system has.

/// How a region is opened and mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapOptions {
    /// Whether it does not matter whose region it is, and whom it lets in.
    pub any_owner: bool,
    /// Whether every page is brought in while mapping.
    pub prefault: bool,
    /// Whether every page is locked while mapping.
    pub lock: bool,
    /// Whether the mapping is for reading alone.
    pub read_only: bool,
}

impl MapOptions {
    /// This process's own regions, to read and write.
    pub const PLAIN: Self = Self { any_owner: false, prefault: false, lock: false, read_only: false };
}
