//! Why a machine's doorbells cannot be used.

use core::fmt;

use strait_os_base::OsError;

/// Why the doorbells of this virtual machine cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VfioError {
    /// The machine has no device `ivshmem`.
    NoDevice,
    /// The machine has no IOMMU, or its kernel does not use it.
    NoIommu,
    /// A module of the kernel is not loaded.
    NoModule,
    /// Another driver has the device, or none.
    NotBound,
    /// Other devices of its group are driven by the kernel.
    NotViable,
    /// This user may not open the device.
    NotPermitted,
    /// Another process has the device open.
    Busy,
    /// The device has no interrupts.
    NoInterrupts,
    /// The device has no number yet.
    NoNumber,
    /// The device has fewer vectors.
    NoVector {
        /// The vector that was asked for.
        vector: u16,
        /// How many there are.
        count: u32,
    },
    /// A system call failed.
    Os(OsError),
}

impl From<OsError> for VfioError {
    fn from(error: OsError) -> Self {
        Self::Os(error)
    }
}

impl fmt::Display for VfioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDevice => {
                "this machine has no device that shares memory and doorbells (PCI 1af4:1110); start QEMU with -device \
                 ivshmem-doorbell, or mount /sys"
            }
            Self::NoIommu => {
                "the doorbell's device has no IOMMU group, without which no process gets its interrupts; give the machine \
                 an IOMMU, and on x86 the kernel the parameter intel_iommu=on"
            }
            Self::NoModule => {
                "the kernel's driver vfio, by which a process gets a doorbell's interrupts, is not loaded; load \
                 vfio_iommu_type1 and vfio-pci, and mount /dev"
            }
            Self::NotBound => {
                "the doorbell's device is not bound to vfio-pci, so a process cannot get its interrupts; write vfio-pci to \
                 its driver_override in /sys/bus/pci/devices, and its address to /sys/bus/pci/drivers_probe"
            }
            Self::NotViable => {
                "the kernel itself drives another device in the IOMMU group of the doorbell's, so no process gets it; bind \
                 all devices of that group to vfio-pci"
            }
            Self::NotPermitted => {
                "this process may not open the doorbell's device in /dev/vfio; give its user the group's file, which has \
                 the number that the device's iommu_group leads to"
            }
            Self::Busy => "another process has the doorbell's device open; end it, or share its doorbells",
            Self::NoInterrupts => {
                "the device in this machine's shared memory has no doorbells (no MSI-X, or it may not send); start QEMU \
                 with -device ivshmem-doorbell,vectors=1, not ivshmem-plain"
            }
            Self::NoNumber => {
                "the doorbell's device has no number, by which a peer would ring it, from its server; check that the \
                 server's process runs"
            }
            Self::NoVector { vector, count } => {
                return write!(
                    f,
                    "the doorbell's device has {count} vectors, and vector {vector} is not among them; start QEMU and the \
                     server's process with more"
                );
            }
            Self::Os(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for VfioError {}
