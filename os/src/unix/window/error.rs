//! The error of windows.

use core::fmt;

use strait_core::port::Ident;

use super::{PCI_DEVICES, UIO_DEVICES};
use crate::sys::window::WindowFailed;
use crate::{CreateError, OpenError};

/// Why there is no window, or no region in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WindowError {
    /// The window does not start on a page.
    Unaligned {
        /// Its offset.
        offset: u64,
        /// Bytes of a page.
        page: u64,
    },
    /// The window ends behind the end of the file or device.
    OutOfRange {
        /// Where the window ends.
        end: u64,
        /// Bytes that there are.
        len: u64,
    },
    /// A device in `/dev` was given without a length.
    LengthUnknown,
    /// The descriptor is not open for reading and writing, or for reading if that is all that the options ask for; or its
    /// memory is sealed against writing.
    DescriptorAccess,
    /// There is a region in the window, or a damaged one, or one of another version.
    AlreadyExists,
    /// The window does not start with zeros, and is no region.
    Occupied,
    /// Somebody on this machine has the region in the window open.
    InUse {
        /// A participant who lives.
        who: Ident,
    },
    /// There is no PCI device of these numbers.
    NoPciDevice {
        /// The vendor.
        vendor: u16,
        /// The device.
        device: u16,
    },
    /// The PCI device has no memory of this number.
    NoPciMemory {
        /// The number.
        memory: u32,
    },
    /// There is no UIO device of this number.
    NoUioDevice {
        /// The number.
        number: u32,
    },
    /// The UIO device has no memory of this number.
    NoUioMap {
        /// The device's number.
        number: u32,
        /// The memory's number.
        map: u32,
        /// How many the device has.
        maps: u32,
    },
    /// The device's memory does not start on a page.
    UioOffset {
        /// Where it starts in one.
        start: u64,
    },
    /// The device's memory is less than a page, and is mapped in whole pages alone.
    UioShort {
        /// Its bytes.
        size: u64,
        /// Bytes of a page.
        page: u64,
    },
    /// The file or device, or the region in it, was not opened.
    Open(OpenError),
    /// The region was not made.
    Create(CreateError),
}

impl From<WindowFailed> for WindowError {
    fn from(failed: WindowFailed) -> Self {
        match failed {
            WindowFailed::Unaligned { offset, page } => Self::Unaligned { offset, page },
            WindowFailed::OutOfRange { end, len } => Self::OutOfRange { end, len },
            WindowFailed::LengthUnknown => Self::LengthUnknown,
            WindowFailed::DescriptorAccess => Self::DescriptorAccess,
            WindowFailed::AlreadyExists => Self::AlreadyExists,
            WindowFailed::Occupied => Self::Occupied,
            WindowFailed::Open(failed) => Self::Open(failed.into()),
            WindowFailed::Create(failed) => Self::Create(failed.into()),
        }
    }
}

impl From<OpenError> for WindowError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl fmt::Display for WindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unaligned { offset, page } => {
                write!(f, "the region's window starts at {offset:#x}, which is no multiple of the page, {page} bytes; give an offset that is")
            }
            Self::OutOfRange { end, len } => {
                write!(f, "the region's window ends at {end:#x}, and the file or device has {len:#x} bytes; give a shorter one")
            }
            Self::LengthUnknown => f.write_str("a device in /dev does not tell its length; give the region's window one"),
            Self::DescriptorAccess => f.write_str(
                "the descriptor of the region's window is not open for reading and writing, or its memory is sealed against \
                 writing; open it for both (O_RDWR, in the flags of a dma-heap too), or open the region read-only",
            ),
            Self::AlreadyExists => {
                f.write_str("there is a region in the window; open it, or give another offset")
            }
            Self::Occupied => f.write_str(
                "the window does not start with zeros and is no region, so somebody else may use that memory; give another \
                 offset, or memory that is the region's alone",
            ),
            Self::InUse { who } => write!(
                f,
                "participant {who} has the region in the window open, and would go on in what is made there; end it first"
            ),
            Self::NoPciDevice { vendor, device } => write!(
                f,
                "there is no PCI device {vendor:04x}:{device:04x} with memory for a region in {PCI_DEVICES}; add it to the \
                 machine, or mount /sys"
            ),
            Self::NoPciMemory { memory } => {
                write!(f, "the PCI device has no memory of number {memory} (resource{memory}); give another number")
            }
            Self::NoUioDevice { number } => write!(
                f,
                "there is no UIO device {number} with memory for a region in {UIO_DEVICES}; load its driver, or give another \
                 number"
            ),
            Self::NoUioMap { number, map, maps } => write!(
                f,
                "/dev/uio{number} has {maps} pieces of memory, and none of number {map}; give a number of those in \
                 {UIO_DEVICES}/uio{number}/maps"
            ),
            Self::UioShort { size, page } => write!(
                f,
                "the UIO device's memory of {size} bytes is less than a page of {page}, and only whole pages can be mapped; \
                 give memory that is longer"
            ),
            Self::UioOffset { start } => write!(
                f,
                "the device's memory starts {start:#x} bytes into a page; use /dev/mem, from a page of it on"
            ),
            Self::Open(OpenError::NotFound) => {
                f.write_str("there is no such file or device for the region's window; give another path")
            }
            Self::Open(error) => error.fmt(f),
            Self::Create(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for WindowError {}
