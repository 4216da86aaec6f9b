//! The calls of the kernel's interface `vfio`, of which the C library knows nothing.

use core::ffi::{CStr, c_int};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc::{self, Ioctl};

/// The registers of a PCI device (its memory 0), and its configuration.
pub const REGISTERS: u32 = 0;
pub const CONFIGURATION: u32 = 7;

/// The interrupts of a PCI device that are messages, with a table of them.
const MSI_X: u32 = 2;

/// The kernel's second version of its first kind of IOMMU, in which all machines' are used.
const TYPE1_V2: c_int = 3;

/// In a group's state: nobody else drives a device of it.
const VIABLE: u32 = 1;

/// In a set of interrupts: the data are eventfds, and are what an interrupt triggers.
const EVENTFDS: u32 = 1 << 2;
const TRIGGER: u32 = 1 << 5;

/// In an order to ring: 32 bits are stored.
const STORE_32: u32 = 1 << 2;

const fn number(of: u8) -> Ioctl {
    (b';' as Ioctl) << 8 | (100 + of as Ioctl)
}

const SET_IOMMU: Ioctl = number(2);
const GROUP_GET_STATUS: Ioctl = number(3);
const GROUP_SET_CONTAINER: Ioctl = number(4);
const GROUP_GET_DEVICE_FD: Ioctl = number(6);
const DEVICE_GET_REGION_INFO: Ioctl = number(8);
const DEVICE_GET_IRQ_INFO: Ioctl = number(9);
const DEVICE_SET_IRQS: Ioctl = number(10);
const DEVICE_IOEVENTFD: Ioctl = number(16);

/// What the calls take. Each begins with its own length.
#[repr(C)]
struct Status {
    len: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct RegionInfo {
    len: u32,
    flags: u32,
    index: u32,
    capabilities: u32,
    size: u64,
    offset: u64,
}

#[repr(C)]
struct IrqInfo {
    len: u32,
    flags: u32,
    index: u32,
    count: u32,
}

/// An order to store a number when an eventfd is rung.
#[repr(C)]
struct Store {
    len: u32,
    flags: u32,
    offset: u64,
    data: u64,
    eventfd: c_int,
    reserved: u32,
}

/// The words in front of the eventfds of interrupts: length, flags, kind, first one, how many.
const HEAD: usize = 5;

fn size<T>() -> u32 {
    size_of::<T>() as u32
}

/// Whether all devices of the group can be driven by programs.
pub fn is_viable(group: &File) -> nix::Result<bool> {
    let mut status = Status { len: size::<Status>(), flags: 0 };
    // SAFETY: the call writes to the structure, which is of the layout and the length that it names.
    Errno::result(unsafe { libc::ioctl(group.as_raw_fd(), GROUP_GET_STATUS, &raw mut status) })?;
    Ok(status.flags & VIABLE != 0)
}

/// Puts the group into the container.
pub fn put(group: &File, container: &File) -> nix::Result<()> {
    let container: c_int = container.as_raw_fd();
    // SAFETY: the call reads a number of a descriptor.
    Errno::result(unsafe { libc::ioctl(group.as_raw_fd(), GROUP_SET_CONTAINER, &raw const container) })
        .map(drop)
}

/// Gives the container its IOMMU, without which it has no devices.
pub fn set_iommu(container: &File) -> nix::Result<()> {
    // SAFETY: the call takes a number.
    Errno::result(unsafe { libc::ioctl(container.as_raw_fd(), SET_IOMMU, TYPE1_V2) }).map(drop)
}

/// Opens the device of this address.
pub fn device(group: &File, address: &CStr) -> nix::Result<File> {
    // SAFETY: the call reads a text that ends in a zero.
    let fd = unsafe { libc::ioctl(group.as_raw_fd(), GROUP_GET_DEVICE_FD, address.as_ptr()) };
    let fd = Errno::result(fd)?;
    // SAFETY: the call made the descriptor, and nobody else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(fd.into())
}

/// Where a region of the device starts in its file.
pub fn region(device: &File, index: u32) -> nix::Result<u64> {
    let mut info = RegionInfo { len: size::<RegionInfo>(), index, ..RegionInfo::default() };
    // SAFETY: as for `is_viable`.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), DEVICE_GET_REGION_INFO, &raw mut info) })?;
    Ok(info.offset)
}

/// How many interrupts the device has that are messages.
pub fn interrupts(device: &File) -> nix::Result<u32> {
    let mut info = IrqInfo { len: size::<IrqInfo>(), flags: 0, index: MSI_X, count: 0 };
    // SAFETY: as for `is_viable`.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), DEVICE_GET_IRQ_INFO, &raw mut info) })?;
    Ok(info.count)
}

/// Lets each interrupt, from the first one on, ring an eventfd.
pub fn connect(device: &File, bells: &[OwnedFd]) -> nix::Result<()> {
    let len = (HEAD + bells.len()) * size_of::<u32>();
    let mut words = vec![len as u32, EVENTFDS | TRIGGER, MSI_X, 0, bells.len() as u32];
    words.extend(bells.iter().map(|bell| bell.as_raw_fd() as u32));
    // SAFETY: the call reads as many bytes as the first word says, which are those of the vector.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), DEVICE_SET_IRQS, words.as_ptr()) }).map(drop)
}

/// Lets the kernel store `value` at `offset` of the device's file whenever the eventfd is rung.
pub fn store_when_rung(device: &File, offset: u64, value: u32, bell: &OwnedFd) -> nix::Result<()> {
    let (len, flags, data) = (size::<Store>(), STORE_32, u64::from(value));
    let store = Store { len, flags, offset, data, eventfd: bell.as_raw_fd(), reserved: 0 };
    // SAFETY: the call reads the structure, which is of the layout and the length that it names.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), DEVICE_IOEVENTFD, &raw const store) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{DEVICE_IOEVENTFD, HEAD, IrqInfo, RegionInfo, SET_IOMMU, Store};

    /// As in the kernel's header `linux/vfio.h`.
    #[test]
    fn numbers_and_lengths_are_the_kernels() {
        assert_eq!((SET_IOMMU, DEVICE_IOEVENTFD), (0x3B66, 0x3B74));
        assert_eq!((size_of::<RegionInfo>(), size_of::<IrqInfo>(), size_of::<Store>()), (32, 16, 32));
        assert_eq!(HEAD * 4, 20);
    }
}
