//! The firmware's resource table: what it asks of the Linux system that loads it, as the kernel's `remoteproc` reads
//! it. The shared memory is its one entry, and the loader fills its address in: no address is in the firmware.

use core::fmt;

/// What the memory is called: in the device tree, by its node's name.
const NAME: [u8; 32] = *b"strait\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The kind of the entry: memory that is carved out.
const CARVEOUT: u32 = 0;
/// An address that the loader is to choose.
const ANY: u32 = u32::MAX;

/// A resource table of version 1 with a carveout.
#[repr(C)]
struct Table {
    version: u32,
    entries: u32,
    reserved: [u32; 2],
    /// Where the entry is in the table.
    offset: u32,
    kind: u32,
    /// The memory's address, as this core sees it.
    da: u32,
    /// The same, as Linux sees it.
    pa: u32,
    len: u32,
    flags: u32,
    reserved_too: u32,
    name: [u8; 32],
}

/// The loader finds it by the name of its section.
#[unsafe(link_section = ".resource_table")]
#[used]
static TABLE: Table = Table {
    version: 1,
    entries: 1,
    reserved: [0; 2],
    offset: 20,
    kind: CARVEOUT,
    da: ANY,
    pa: ANY,
    len: LEN,
    flags: 0,
    reserved_too: 0,
    name: NAME,
};

/// The bytes that the firmware asks for.
const LEN: u32 = 1 << 20;

/// The shared memory.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// Its address.
    pub start: *mut u8,
    /// Its bytes.
    pub len: u32,
}

/// No loader has filled the table in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLoaded;

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the carveout `strait` of the firmware's resource table has no address; start the firmware by remoteproc, with \
             reserved memory of that name in its device tree node",
        )
    }
}

impl core::error::Error for NotLoaded {}

/// The shared memory, as the loader has said.
///
/// # Errors
///
/// [`NotLoaded`].
pub fn shared() -> Result<Shared, NotLoaded> {
    // SAFETY: it is there, and nobody stores to it while this core runs. The compiler must not take what it was built
    // with for what it is.
    let Table { da, len, .. } = unsafe { (&raw const TABLE).read_volatile() };
    if da == ANY { Err(NotLoaded) } else { Ok(Shared { start: da as *mut u8, len }) }
}
