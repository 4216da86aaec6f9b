//! Doorbells of a virtual machine, seen from within.

use std::os::fd::OwnedFd;

use crate::sys::vfio::{Device, Places, VfioError};

/// The doorbells of QEMU's device `ivshmem-doorbell`, for a program in the virtual machine: its peers on the host, or in
/// other machines, wake it by an interrupt, and it wakes them. Neither side polls.
///
/// All doorbells here are eventfds, as [`doorbell`](super::doorbell)'s are, so an [`EventPort`](super::EventPort) takes
/// them as they are. The memory itself is opened by [`RegionWindow::ivshmem`](crate::unix::RegionWindow::ivshmem) as ever.
/// Interrupts come, and peers are rung, as long as this value lives. One process at a time can have it.
///
/// # What the machine needs
///
/// The kernel gives interrupts to programs by its driver `vfio-pci`, and that only behind an IOMMU, which a virtual
/// machine has if it is told so. Without one of these, [`open`](Self::open) says which is missing.
///
/// | | x86 | ARM |
/// | --- | --- | --- |
/// | QEMU | `-M q35,kernel-irqchip=split -device intel-iommu,intremap=on,caching-mode=on` | `-M virt,iommu=smmuv3,gic-version=3` |
/// | the kernel's parameters | `intel_iommu=on` | none |
/// | both | `-chardev socket,path=SOCKET,id=bell -device ivshmem-doorbell,chardev=bell,vectors=1`, and a server at that socket, as `examples/ivshmem_server.rs` is |
/// | modules | `vfio_iommu_type1`, `vfio-pci` | the same |
/// | the device | `vfio-pci` written to its `driver_override`, its address to `/sys/bus/pci/drivers_probe` | the same |
/// | the user | may read and write `/dev/vfio/GROUP` | the same |
///
/// # Examples
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use strait_core::{Attachment, WaitPolicy};
/// use strait_os::RegionOptions;
/// use strait_os::linux::{EventPort, GuestDoorbells};
/// use strait_os::unix::RegionWindow;
///
/// // The host is client 0 of the server, and this machine is domain 1.
/// let bells = GuestDoorbells::open()?;
/// let region = RegionWindow::ivshmem()?.open(&RegionOptions::new().domain(1))?;
/// let port = EventPort::new(region.port().clone(), bells.doorbell(0)?, vec![bells.peer(0, 0)?]);
/// let at = Attachment::attach(port)?;
/// let mut commands = at.typed_consumer::<u64>("commands")?;
/// // Sleeps until the host sends; sends of this side wake the host.
/// let second = Duration::from_secs(1);
/// at.port().wait_ready_or_readable(&mut [&mut commands], &[], WaitPolicy::parking(), second)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct GuestDoorbells(Device);

impl GuestDoorbells {
    /// Opens those of the first device `ivshmem`, in the order of their PCI addresses, and lets its interrupts come.
    ///
    /// # Errors
    ///
    /// [`VfioError`], which says what the machine lacks.
    pub fn open() -> Result<Self, VfioError> {
        Device::open(&Places::of_the_system()).map(Self)
    }

    /// Returns this machine's number, by which its peers ring it.
    ///
    /// # Errors
    ///
    /// [`VfioError::NoNumber`] if the server has not given it one, or [`VfioError::Os`].
    pub fn number(&self) -> Result<u16, VfioError> {
        self.0.number()
    }

    /// Returns the eventfd that rings when a peer rings this machine's vector. Copies of one vector's share their rings:
    /// one [`EventPort`](super::EventPort) for each vector.
    ///
    /// # Errors
    ///
    /// [`VfioError::NoVector`], or [`VfioError::Os`] if the process is out of descriptors.
    pub fn doorbell(&self, vector: u16) -> Result<OwnedFd, VfioError> {
        self.0.bell(vector)
    }

    /// Returns a new eventfd that rings a peer: whoever rings it here lets the kernel ring that peer's vector. A peer that
    /// is not there, or has fewer vectors, is not rung, and nothing says so.
    ///
    /// # Errors
    ///
    /// [`VfioError::Os`]; Linux has it from 4.17 on.
    pub fn peer(&self, peer: u16, vector: u16) -> Result<OwnedFd, VfioError> {
        self.0.ringer(peer, vector)
    }

    /// Rings a peer's vector once, by one store to the device, for programs without an
    /// [`EventPort`](super::EventPort). A peer that is not there is not rung, and nothing says so.
    ///
    /// # Errors
    ///
    /// [`VfioError::Os`].
    pub fn ring(&self, peer: u16, vector: u16) -> Result<(), VfioError> {
        self.0.ring(peer, vector)
    }
}
