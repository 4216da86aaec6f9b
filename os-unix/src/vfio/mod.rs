//! The interrupts and the registers of QEMU's device `ivshmem-doorbell`, through the kernel's driver `vfio-pci`.

mod calls;
mod error;

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use strait_os_base::OsError;

use crate::event;
use crate::fd;
use crate::window::pci_device;

pub use error::VfioError;

/// The vendor and the device.
const IVSHMEM: (u16, u16) = (0x1AF4, 0x1110);

/// Of the device's registers: its number, and the one whose stores ring.
const NUMBER: u64 = 8;
const RING: u64 = 12;

/// Of every device's configuration: the command word, in it that the device answers at its registers' addresses, and
/// that it may send messages, which interrupts are.
const COMMAND: u64 = 4;
const MEMORY_AND_MASTER: u16 = 0b110;

/// Where the kernel shows devices and drivers, and where programs open them.
#[derive(Clone, Debug)]
pub struct Places {
    /// The devices.
    pub devices: PathBuf,
    /// The driver's folder.
    pub driver: PathBuf,
    /// The driver's files.
    pub files: PathBuf,
}

impl Places {
    /// The system's own.
    #[must_use]
    pub fn of_the_system() -> Self {
        Self {
            devices: "/sys/bus/pci/devices".into(),
            driver: "/sys/bus/pci/drivers/vfio-pci".into(),
            files: "/dev/vfio".into(),
        }
    }
}

/// The device, opened by this process alone. Its interrupts come as long as this lives.
#[derive(Debug)]
pub struct Device {
    device: File,
    registers: u64,
    bells: Vec<OwnedFd>,
    /// They keep the device usable.
    _group: File,
    _container: File,
}

/// The first device, if all is there that opening it takes: its address, and its group's file.
fn found(places: &Places) -> Result<(CString, PathBuf), VfioError> {
    let (vendor, device) = IVSHMEM;
    let folder = pci_device(&places.devices, vendor, device).ok_or(VfioError::NoDevice)?;
    let group = fs::read_link(folder.join("iommu_group")).map_err(|_| VfioError::NoIommu)?;
    let group = group.file_name().ok_or(VfioError::NoIommu)?.to_owned();
    let control = places.files.join("vfio");
    if !places.driver.exists() || !control.exists() {
        return Err(VfioError::NoModule);
    }
    let driver = fs::read_link(folder.join("driver")).unwrap_or_default();
    if driver.file_name() != places.driver.file_name() {
        return Err(VfioError::NotBound);
    }
    let address = folder.file_name().and_then(|name| CString::new(name.as_bytes()).ok());
    Ok((address.ok_or(VfioError::NoDevice)?, places.files.join(group)))
}

impl Device {
    /// Opens the first one, and lets each of its interrupts ring an eventfd.
    pub fn open(places: &Places) -> Result<Self, VfioError> {
        let (address, group) = found(places)?;
        let container = open(&places.files.join("vfio"))?;
        let group = open(&group)?;
        if !calls::is_viable(&group).map_err(os("ask for the state of a vfio group"))? {
            return Err(VfioError::NotViable);
        }
        calls::put(&group, &container).map_err(os("put a vfio group into its container"))?;
        calls::set_iommu(&container).map_err(|error| match error {
            Errno::ENODEV | Errno::ENOTTY | Errno::EINVAL => VfioError::NoModule,
            Errno::EPERM => VfioError::NotPermitted,
            other => os("give a vfio container its IOMMU")(other),
        })?;
        let device = calls::device(&group, &address).map_err(os("open a device by vfio"))?;
        let device = fd::keep(device).map_err(|error| OsError::io("dup", &error))?;
        let count = calls::interrupts(&device).map_err(os("count a device's interrupts"))?;
        if count == 0 {
            return Err(VfioError::NoInterrupts);
        }
        let bells = (0..count).map(|_| event::doorbell()).collect::<Result<Vec<_>, _>>()?;
        calls::connect(&device, &bells).map_err(os("connect a device's interrupts with eventfds"))?;
        let registers =
            calls::region(&device, calls::REGISTERS).map_err(os("look for a device's registers"))?;
        let own = Self { device, registers, bells, _group: group, _container: container };
        own.let_it_send()?;
        Ok(own)
    }

    /// Without this, interrupts are lost, and nothing says so.
    fn let_it_send(&self) -> Result<(), VfioError> {
        let configuration = calls::region(&self.device, calls::CONFIGURATION)
            .map_err(os("look for a device's configuration"))?;
        let mut word = [0; 2];
        let at = configuration + COMMAND;
        let failed = |error: io::Error| OsError::io("let a device send interrupts", &error);
        self.device.read_exact_at(&mut word, at).map_err(failed)?;
        let wanted = (u16::from_le_bytes(word) | MEMORY_AND_MASTER).to_le_bytes();
        self.device.write_all_at(&wanted, at).map_err(failed)?;
        self.device.read_exact_at(&mut word, at).map_err(failed)?;
        if word == wanted { Ok(()) } else { Err(VfioError::NoInterrupts) }
    }

    /// The number by which the others ring this machine.
    pub fn number(&self) -> Result<u16, VfioError> {
        let mut word = [0; 4];
        let read = self.device.read_exact_at(&mut word, self.registers + NUMBER);
        read.map_err(|error| OsError::io("read a device's number", &error))?;
        // -1 until the server has given it one.
        u16::try_from(u32::from_le_bytes(word)).map_err(|_| VfioError::NoNumber)
    }

    /// The eventfd that the interrupt of this vector rings.
    pub fn bell(&self, vector: u16) -> Result<OwnedFd, VfioError> {
        let count = self.bells.len() as u32;
        let bell = self.bells.get(usize::from(vector)).ok_or(VfioError::NoVector { vector, count })?;
        bell.try_clone().and_then(fd::keep).map_err(|error| OsError::io("dup", &error).into())
    }

    /// Rings once.
    pub fn ring(&self, peer: u16, vector: u16) -> Result<(), VfioError> {
        let bytes = order(peer, vector).to_le_bytes();
        let written = self.device.write_all_at(&bytes, self.registers + RING);
        written.map_err(|error| OsError::io("ring a peer by a device's register", &error).into())
    }

    /// A new eventfd: whenever it is rung, the kernel rings that peer.
    pub fn ringer(&self, peer: u16, vector: u16) -> Result<OwnedFd, VfioError> {
        let bell = event::doorbell()?;
        calls::store_when_rung(&self.device, self.registers + RING, order(peer, vector), &bell)
            .map_err(os("connect an eventfd with a device's register"))?;
        Ok(bell)
    }
}

/// What is stored to ring.
fn order(peer: u16, vector: u16) -> u32 {
    u32::from(peer) << 16 | u32::from(vector)
}

/// A file of the driver.
fn open(path: &Path) -> Result<File, VfioError> {
    let opened = File::options().read(true).write(true).open(path);
    let opened = opened.map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EACCES | Errno::EPERM) => VfioError::NotPermitted,
        Some(Errno::EBUSY) => VfioError::Busy,
        Some(Errno::ENOENT | Errno::ENODEV) => VfioError::NoModule,
        _ => VfioError::Os(OsError::io("open a file of vfio", &error)),
    })?;
    fd::keep(opened).map_err(|error| OsError::io("dup", &error).into())
}

fn os(call: &'static str) -> impl Fn(Errno) -> VfioError {
    move |error| OsError::new(call, error as i32).into()
}

#[cfg(test)]
mod tests;
