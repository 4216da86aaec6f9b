//! Regions in memory that is there already: a device's, a device's buffer, or a part of a file.

mod error;

use core::fmt;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strait_core::Plan;
use strait_core::format::{Contents, FormatError, initialise, participants};
use strait_core::port::{Mem, Port as _, Probe};

pub use error::WindowError;

use crate::region;
use crate::sys::View;
use crate::sys::window::{self, MappedWindow, Source, UioFailed, Window};
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
/// | a dma-buf: of `/dev/udmabuf`, of a dma-heap, of a driver | [`of_descriptor`](Self::of_descriptor) |
/// | a memfd, or a file that another process opened | [`of_descriptor`](Self::of_descriptor) |
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
/// # A dma-buf
///
/// - **Nobody's death is proven in it.** All descriptors of a dma-buf are one open file description, whichever process has
///   them, so that no lock on it is one process's. Everybody counts as alive, as on the systems that prove no deaths: the
///   roles and locks of a process that was killed stay taken, until the region is [erased](Self::erase) and created anew.
///   What everybody committed is there, and can be read. Where deaths must be proven, lay the region out in a file or a
///   memfd, and have the bulk data alone in the buffer.
/// - **Waits** look again every 50 µs to 1 ms, as the kernel has no futex in a driver's memory.
/// - **Caches** of a device are not looked after: where a device that is not coherent with the processors' caches reads or
///   writes the buffer, that takes `DMA_BUF_IOCTL_SYNC` around it, which is not called here. Processes need none.
/// - It is taken for ordinary memory, which those of `/dev/udmabuf` and of the heap `system` are. For another heap or
///   driver, whose mappings may be a device's, say [`device(true)`](Self::device).
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
        Self(Window { source: Source::Path(path.into()), offset, len: None, is_device: None })
    }

    /// The memory from `offset` on, a multiple of the page, behind a descriptor: of a dma-buf (of `/dev/udmabuf`, of a
    /// dma-heap, exported by a driver), a memfd, a file, or a device in `/dev`. All that there is, unless a
    /// [length](Self::len) is given. Nothing is looked at yet, and the descriptor is open until the window and its copies are
    /// dropped; a region that was opened has one of its own.
    ///
    /// A dma-buf is used by whoever has a descriptor of it: it has no owner and mode to check. A file that has a name is
    /// checked as every region's. One that has none, as a memfd, must belong to this user, or be sealed against shrinking
    /// (`F_SEAL_SHRINK`): whoever cuts a file short ends the processes that use it.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use strait_core::{Channel, Plan};
    /// use strait_os::RegionOptions;
    /// use strait_os::unix::RegionWindow;
    ///
    /// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed")]);
    /// # use std::os::unix::fs::OpenOptionsExt as _;
    /// # let path = &std::env::temp_dir().join(format!("doc-descriptor-{}", std::process::id()));
    /// # let file = std::fs::File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    /// # file.set_len(1 << 16)?;
    /// // `file` is what a dma-heap allocated, or what came over a socket.
    /// let window = RegionWindow::of_descriptor(file, 0);
    /// let region = window.create(&PLAN, &RegionOptions::new())?;
    /// region.latest_writer::<f64>("speed")?.publish(&7.0);
    /// let other = window.open(&RegionOptions::new())?;
    /// assert_eq!(other.latest_reader::<f64>("speed")?.read().value(), Some(7.0));
    /// # std::fs::remove_file(path)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn of_descriptor(descriptor: impl Into<OwnedFd>, offset: u64) -> Self {
        let source = Source::Descriptor(Arc::new(descriptor.into()));
        Self(Window { source, offset, len: None, is_device: None })
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
    /// for one, and so is PCI memory that is not write-combining; files and dma-bufs are not.
    #[must_use]
    pub fn device(mut self, on: bool) -> Self {
        self.0.is_device = Some(on);
        self
    }

    /// The file or device; `None` of a [descriptor](Self::of_descriptor).
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path()
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
    /// another machine, and in a dma-buf, nobody is.
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

/// The file, the device or the descriptor, and where the window starts in it.
impl fmt::Display for RegionWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.0.offset;
        match &self.0.source {
            Source::Path(path) => write!(f, "{} at {offset:#x}", path.display()),
            Source::Descriptor(descriptor) => {
                write!(f, "descriptor {} at {offset:#x}", descriptor.as_raw_fd())
            }
        }
    }
}
