//! Regions in memory that is there already: a device's, or a part of a file.

use core::fmt;
use std::path::{Path, PathBuf};

use strait_core::Plan;
use strait_core::format::{Contents, FormatError, initialise, participants};
use strait_core::port::{Ident, Mem, Port as _, Probe};

use crate::region;
use crate::sys::View;
use crate::sys::window::{self, MappedWindow, UioFailed, Window, WindowFailed};
use crate::{CreateError, OpenError, Region, RegionOptions, SystemPort};

/// Where the kernel shows PCI devices, and the devices that programs drive.
const PCI_DEVICES: &str = "/sys/bus/pci/devices";
const UIO_DEVICES: &str = "/sys/class/uio";
const DEVICES: &str = "/dev";

/// The memory that QEMU's `ivshmem` devices share with the host: its vendor, its device, and the number of its memory.
const IVSHMEM: (u16, u16, u32) = (0x1AF4, 0x1110, 2);

/// A window of a device's memory, or of a file that two machines share, with a region in it.
///
/// | memory | made by |
/// | --- | --- |
/// | what a virtual machine shares with its host | in the guest [`ivshmem`](Self::ivshmem), on the host [`new`](Self::new) with the file |
/// | of a PCI device | [`pci`](Self::pci) |
/// | of a device that has a driver for programs | [`uio`](Self::uio) |
/// | at a physical address | [`new`](Self::new) with `/dev/mem` and the address as the offset |
///
/// The memory belongs to somebody else, so it has no name to appear under: the region is laid out in place by
/// [`create`](Self::create), which one side calls, once and before any other; the others [`open`](Self::open) it. The
/// file is checked as every region's: it must belong to this user, and let in no more users than the options allow
/// (`/dev/mem` is mode 0640).
///
/// # Two machines
///
/// Give each of them a [domain](RegionOptions::domain) of its own, which the plan names for every channel. A kernel
/// proves deaths of its own processes alone: a participant in another domain is `Unknown` to this one, and counts as
/// alive. If that machine dies, its roles are taken over by its own next run, to which they are of its own domain and
/// proven dead; so there must be one machine at a time that is a domain. (On Linux, `linux::GuestWatch` and
/// `linux::RemoteWatch` prove the ends of virtual machines and of other cores' firmware.) Nor does a wake arrive at the other
/// machine: a waiter sleeps for its probe period at a time.
///
/// # Memory of a device
///
/// ARM's processors fault in such memory at accesses that are not aligned. All that this crate does there is aligned,
/// copies included. But:
///
/// - **Locks** are refused as [`NoCommonAtomics`](strait_core::ChannelError::NoCommonAtomics) where the processor may be
///   unable to compare and swap: on all but x86. Joining, taking a role and going to sleep compare and swap too, though
///   rarely; a processor that cannot dies at the first, which is in `open`. Write-combining memory
///   (`resource2_wc`), which [`pci`](Self::pci) takes where there is some, is no device's to the processor: there, all
///   of it works.
/// - **Slices** of the memory itself, which need an `unsafe` promise, must not be made: what a compiler does with them
///   may be unaligned.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::RegionOptions;
/// use strait_os::unix::{RegionOptionsExt as _, RegionWindow};
///
/// // Domain 0 is the host, domain 1 the guest.
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256).domains(0, 1)]);
/// # let file = &std::env::temp_dir().join(format!("doc-window-{}", std::process::id()));
/// // The file that QEMU was given: -object memory-backend-file,share=on,mem-path=FILE,...
/// std::fs::write(file, [0; 1 << 20])?;
///
/// // On the host, before the guest starts:
/// let options = RegionOptions::new().mode(0o644);
/// let host = RegionWindow::new(file, 0).create(&PLAN, &options)?;
/// host.producer("commands")?.try_send(7, b"home")?;
///
/// // In the guest this is `RegionWindow::ivshmem()?`:
/// let window = RegionWindow::new(file, 0);
/// let guest = window.open(&options.domain(1))?;
/// assert_eq!(guest.consumer("commands")?.try_recv(&mut [0; 256])?.len, 4);
/// # std::fs::remove_file(file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionWindow(Window);

impl RegionWindow {
    /// The memory from `offset` on, a multiple of the page, in the file or device at `path`: all that there is, unless
    /// a [length](Self::len) is given, as it must be for a device in `/dev`. Nothing is looked at yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, offset: u64) -> Self {
        Self(Window { path: path.into(), offset, len: None, is_device: None })
    }

    /// The memory that this virtual machine shares with its host, by QEMU's device `ivshmem`: of the first of them, in the
    /// order of their PCI addresses.
    ///
    /// # Errors
    ///
    /// [`WindowError::NoPciDevice`] or [`WindowError::NoPciMemory`].
    pub fn ivshmem() -> Result<Self, WindowError> {
        let (vendor, device, memory) = IVSHMEM;
        Self::pci(vendor, device, memory)
    }

    /// The memory of this number (its base address register) of the first PCI device of these numbers, in the order of
    /// their addresses; write-combining, if the system offers that. For another one than the first,
    /// use [`new`](Self::new) with a file in `/sys/bus/pci/devices`.
    ///
    /// # Errors
    ///
    /// [`WindowError::NoPciDevice`] or [`WindowError::NoPciMemory`].
    pub fn pci(vendor: u16, device: u16, memory: u32) -> Result<Self, WindowError> {
        let folder = window::pci_device(Path::new(PCI_DEVICES), vendor, device)
            .ok_or(WindowError::NoPciDevice { vendor, device })?;
        let path = window::pci_memory(&folder, memory).ok_or(WindowError::NoPciMemory { memory })?;
        Ok(Self::new(path, 0))
    }

    /// The memory of number `map` of the device `/dev/uioN`: all pages of it that are whole.
    ///
    /// # Errors
    ///
    /// [`WindowError::NoUioDevice`], [`WindowError::NoUioMap`], [`WindowError::UioOffset`] if the memory does not start on a
    /// page, [`WindowError::UioShort`] if it is less than one; or [`WindowError::Open`] if it is longer than a region can be.
    pub fn uio(number: u32, map: u32) -> Result<Self, WindowError> {
        match window::uio(Path::new(UIO_DEVICES), Path::new(DEVICES), number, map) {
            Ok(window) => Ok(Self(window)),
            Err(UioFailed::NoDevice) => Err(WindowError::NoUioDevice { number }),
            Err(UioFailed::NoMap { maps }) => Err(WindowError::NoUioMap { number, map, maps }),
            Err(UioFailed::Offset { start }) => Err(WindowError::UioOffset { start }),
            Err(UioFailed::Short { size, page }) => Err(WindowError::UioShort { size, page }),
            Err(UioFailed::Long { size }) => Err(WindowError::Open(OpenError::TooLong { len: size })),
        }
    }

    /// The first `len` bytes of it alone.
    #[must_use]
    pub fn len(mut self, len: u32) -> Self {
        self.0.len = Some(len);
        self
    }

    /// Whether it is memory that the processor treats as a device's. Unless this is called, a device in `/dev` is taken
    /// for one, and so is PCI memory that is not write-combining; files are not.
    #[must_use]
    pub fn device(mut self, on: bool) -> Self {
        self.0.is_device = Some(on);
        self
    }

    /// The file or device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Lays a region out in the window, all of which is zeroed first as far as the region goes, and takes part in it.
    /// The window must start with zeros, as unused memory of a virtual machine does; see [`erase`](Self::erase).
    ///
    /// Only one participant may do that: two at a time would lay out over each other.
    ///
    /// # Errors
    ///
    /// [`WindowError`]; there is no region in the window then that was not there before.
    pub fn create(&self, plan: &Plan<'_>, options: &RegionOptions) -> Result<Region, WindowError> {
        if options.sys.map.read_only {
            return Err(WindowError::Create(CreateError::ReadOnly));
        }
        let format = |error| WindowError::Create(CreateError::Format(error));
        plan.try_size().map_err(|error| format(FormatError::Plan(error)))?;
        let memory = self.0.map_empty(&options.sys)?;
        let instance = memory.instance().map_err(|error| WindowError::Create(CreateError::Os(error)))?;
        initialise(memory.mem(), plan, instance, Contents::Unknown).map_err(format)?;
        let region = self.join(memory, options);
        if region.is_err() {
            // What is there is ours alone, and nobody is to find it.
            self.0.map(&options.sys).map(|memory| erase(memory.mem())).unwrap_or_default();
        }
        region
    }

    /// Takes part in the region that this process has just laid out.
    fn join(&self, memory: MappedWindow, options: &RegionOptions) -> Result<Region, WindowError> {
        let view = View::in_window(&self.0, memory, &options.sys).map_err(OpenError::from)?;
        let port = SystemPort::new(view, options).map_err(|_| WindowError::Create(CreateError::Domain))?;
        Region::attach(port).map_err(|error| WindowError::Open(OpenError::Attach(error)))
    }

    /// Opens the region in the window and takes part in it, or looks at it alone if the options say read-only.
    ///
    /// # Errors
    ///
    /// [`WindowError`]; [`Open`](WindowError::Open) with
    /// [`Uninitialised`](strait_core::format::AttachError::Uninitialised) as long as the other side has not created it.
    pub fn open(&self, options: &RegionOptions) -> Result<Region, WindowError> {
        Ok(region::open(self.view(options)?, options)?)
    }

    /// Maps the region in the window, of which nobody is a participant by that.
    pub(crate) fn view(&self, options: &RegionOptions) -> Result<View, WindowError> {
        let memory = self.0.map(&options.sys)?;
        Ok(View::in_window(&self.0, memory, &options.sys).map_err(OpenError::from)?)
    }

    /// Maps the window, whatever is in it.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self, options: &RegionOptions) -> Result<MappedWindow, WindowError> {
        Ok(self.0.map(&options.sys)?)
    }

    /// Takes away what says that a region is in the window, whatever is there, so that one can be created. Nobody may
    /// have it open: unlike a file's, the memory is the same one afterwards. Whoever is known to live is in the way; on
    /// another machine nobody is.
    ///
    /// # Errors
    ///
    /// [`WindowError::InUse`], or another [`WindowError`] if it cannot be mapped.
    pub fn erase(&self, options: &RegionOptions) -> Result<(), WindowError> {
        if options.sys.map.read_only {
            return Err(WindowError::Create(CreateError::ReadOnly));
        }
        if let Ok(region) = self.open(&options.read_only(true)) {
            let port = region.port();
            let mut all = participants::list(port.mem(), region.header(), port);
            if let Some(one) = all.find(|one| one.probe == Probe::Alive) {
                return Err(WindowError::InUse { who: one.ident });
            }
        }
        erase(self.0.map(&options.sys)?.mem());
        Ok(())
    }
}

/// The first word is what every header is known by.
fn erase(mem: &Mem) {
    mem.setup_write(0, 0);
}

/// The file or device, and where the window starts in it.
impl fmt::Display for RegionWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:#x}", self.0.path.display(), self.0.offset)
    }
}

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
