//! Where the memory of a window is: at a path, or behind a descriptor that the program has.
//!
//! A descriptor of a file, of a memfd or of a device is like a path: the file can be opened again, and has locks. All
//! descriptors of a dma-buf are one open file description, in whatever process: it cannot be opened again, and a lock on
//! it is everybody's at once.

use std::fs::{File, Metadata};
use std::io::{Seek as _, SeekFrom};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::libc;
use strait_os_base::{MapFailed, OsError};

use crate::failed::OpenFailed;
use crate::fd;
use crate::file::{check, os};
use crate::options::Options;
use crate::window::WindowFailed;

/// What the name of memory that is mapped write-combining ends with: ordinary memory that is not cached, on ARM.
pub(crate) const COMBINING: &str = "_wc";

/// The file, the device or the buffer that a window is of.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file or a device, which is opened.
    Path(PathBuf),
    /// What a descriptor of this process is of.
    Descriptor(Arc<OwnedFd>),
}

/// The same path, or the same descriptor.
impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Path(one), Self::Path(other)) => one == other,
            (Self::Descriptor(one), Self::Descriptor(other)) => one.as_raw_fd() == other.as_raw_fd(),
            _ => false,
        }
    }
}

impl Eq for Source {}

/// What was found there.
pub(crate) struct Found {
    /// This process's, to be mapped.
    pub(crate) file: File,
    /// As far as it is known.
    pub(crate) len: Option<u64>,
    /// Whether a processor need not compare and swap in it.
    pub(crate) is_device: bool,
    /// Whether it can be opened again and be locked.
    pub(crate) has_locks: bool,
    /// How many of 512 bytes it has taken, of a file.
    pub(crate) blocks: Option<u64>,
}

impl Source {
    /// The path, if it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Descriptor(_) => None,
        }
    }

    /// Opens it, and checks what it is.
    pub(crate) fn open(&self, options: &Options) -> Result<Found, WindowFailed> {
        match self {
            Self::Path(path) => {
                let (file, found) = check::open_memory(path, options)?;
                let combines = path.as_os_str().as_encoded_bytes().ends_with(COMBINING.as_bytes());
                Found::openable(file, &found, combines)
            }
            Self::Descriptor(descriptor) => {
                let failed = |error| OsError::io("dup", &error);
                let file = descriptor.try_clone().and_then(fd::keep).map_err(failed)?;
                Self::given(file.into(), options)
            }
        }
    }

    fn given(file: File, options: &Options) -> Result<Found, WindowFailed> {
        let found = file.metadata().map_err(|error| OsError::io("fstat", &error))?;
        let is_dma_buf = os::is_dma_buf(&file)?;
        if is_dma_buf.is_none() {
            check::given(&file, &found, options)?;
        }
        check_access(&file, options)?;
        match is_dma_buf {
            // Whoever has the descriptor may use it, and nobody can cut it short: there is no owner or mode to check.
            Some(is_dma_buf) => Ok(Found {
                len: (&file).seek(SeekFrom::End(0)).ok(),
                is_device: !is_dma_buf,
                has_locks: false,
                blocks: None,
                file,
            }),
            None => Found::openable(file, &found, false),
        }
    }

    /// Why it was not mapped.
    pub(crate) fn explain(&self, failed: MapFailed) -> WindowFailed {
        match (self, &failed) {
            (Self::Descriptor(_), MapFailed::Os(error)) => match error.code() {
                libc::EACCES | libc::EPERM => WindowFailed::DescriptorAccess,
                libc::ENODEV => OpenFailed::NotAFile { kind: "descriptor of no memory" }.into(),
                _ => OpenFailed::from(failed).into(),
            },
            _ => OpenFailed::from(failed).into(),
        }
    }
}

impl Found {
    /// Of what has been opened, or can be again.
    fn openable(file: File, found: &Metadata, combines: bool) -> Result<Self, WindowFailed> {
        // A device in /dev has no length that would be known here; mapping too much of it is refused there.
        let is_in_dev = found.file_type().is_char_device();
        let is_device = is_in_dev || (os::is_shown_by_the_kernel(&file)? && !combines);
        Ok(Self {
            len: (!is_in_dev).then_some(found.len()),
            is_device,
            has_locks: true,
            blocks: found.is_file().then(|| found.blocks()),
            file,
        })
    }
}

/// Whether the descriptor is open for what it is to be mapped for.
fn check_access(file: &File, options: &Options) -> Result<(), WindowFailed> {
    // SAFETY: the call takes and returns numbers.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    let flags = Errno::result(flags).map_err(|error| OsError::new("fcntl(F_GETFL)", error as i32))?;
    match flags & libc::O_ACCMODE {
        _ if flags & os::NAMES_ALONE != 0 => Err(WindowFailed::DescriptorAccess),
        libc::O_RDWR => Ok(()),
        libc::O_RDONLY if options.map.read_only => Ok(()),
        _ => Err(WindowFailed::DescriptorAccess),
    }
}
