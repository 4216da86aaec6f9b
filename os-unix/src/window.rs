//! Windows of memory that is there already: of a device, of a file that stands for one, or of a device's buffer.
//!
//! A region in a file appears whole and under a name. A window has neither: the memory belongs to a device, has the
//! device's length, and holds whatever was in it. So a region is laid out in place, and what says that it is there is
//! its header's first word, which is written last.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nix::unistd::{SysconfVar, sysconf};
use strait_core::format::{AttachError, Header};
use strait_core::port::Mem;
use strait_os_base::{Mapped, OsError};

use crate::entropy;
use crate::failed::{CreateFailed, OpenFailed};
use crate::file::check;
use crate::map;
use crate::options::Options;
pub use crate::source::Source;
use crate::source::{COMBINING, Found};

/// A part of a file, a device or a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The file, the device or the buffer.
    pub source: Source,
    /// Where the window starts in it.
    pub offset: u64,
    /// Its bytes; `None` for as many as the file has from there on.
    pub len: Option<u32>,
    /// Whether it is a device's memory, in which a processor need not compare and swap; `None` to ask the system.
    pub is_device: Option<bool>,
}

/// Why there is no window, or no region in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowFailed {
    /// Not a multiple of the page.
    Unaligned {
        /// The offset.
        offset: u64,
        /// The page.
        page: u64,
    },
    /// It ends behind the file or the device.
    OutOfRange {
        /// Where it ends.
        end: u64,
        /// How long that is.
        len: u64,
    },
    /// The device does not say how long it is.
    LengthUnknown,
    /// The descriptor is open for less than what the region is mapped for.
    DescriptorAccess,
    /// A region is there.
    AlreadyExists,
    /// Something else is there.
    Occupied,
    /// Not opened.
    Open(OpenFailed),
    /// Not made.
    Create(CreateFailed),
}

impl From<OpenFailed> for WindowFailed {
    fn from(failed: OpenFailed) -> Self {
        Self::Open(failed)
    }
}

impl From<OsError> for WindowFailed {
    fn from(error: OsError) -> Self {
        Self::Open(error.into())
    }
}

/// A window that is mapped.
#[derive(Debug)]
pub struct MappedWindow {
    pub(crate) file: File,
    pub(crate) map: Mapped,
    pub(crate) offset: u64,
    pub(crate) is_device: bool,
    /// Whether a file description of its own can be had of it, on which a lock proves a life.
    pub(crate) has_locks: bool,
}

impl MappedWindow {
    /// The memory.
    #[must_use]
    pub fn mem(&self) -> &Mem {
        self.map.mem()
    }

    /// A number for the region that is made in it.
    pub fn instance(&self) -> Result<u64, OsError> {
        entropy::random_u64()
    }
}

impl Window {
    /// Where the file or the device is, if it was named so.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.source.path()
    }

    /// Opens the file or device, which is checked first, and maps the window.
    pub fn map(&self, options: &Options) -> Result<MappedWindow, WindowFailed> {
        let page = page();
        let offset = self.offset;
        if !offset.is_multiple_of(page) {
            return Err(WindowFailed::Unaligned { offset, page });
        }
        let Found { file, len: whole, is_device, has_locks, blocks } = self.source.open(options)?;
        let len = match (self.len, whole) {
            (Some(len), Some(whole)) if offset.saturating_add(u64::from(len)) > whole => {
                return Err(WindowFailed::OutOfRange {
                    end: offset.saturating_add(u64::from(len)),
                    len: whole,
                });
            }
            (Some(len), _) => u64::from(len),
            (None, Some(whole)) if offset > whole => {
                return Err(WindowFailed::OutOfRange { end: offset, len: whole });
            }
            (None, Some(whole)) => whole.saturating_sub(offset),
            (None, None) => return Err(WindowFailed::LengthUnknown),
        };
        let len = OpenFailed::check_len(len)?;
        if let (Some(blocks), false) = (blocks, options.map.read_only) {
            check::reserve(&file, offset + u64::from(len), blocks)?;
        }
        let map =
            map::window(&file, offset, len, &options.map).map_err(|failed| self.source.explain(failed))?;
        let is_device = self.is_device.unwrap_or(is_device);
        Ok(MappedWindow { file, map, offset, is_device, has_locks })
    }

    /// Maps the window for a region that is to be made in it: it must be empty, which it is where a region's first word
    /// would be zero.
    pub fn map_empty(&self, options: &Options) -> Result<MappedWindow, WindowFailed> {
        crate::view::check_mode(options.mode).map_err(WindowFailed::Create)?;
        let window = self.map(options)?;
        match Header::check(window.mem()) {
            Err(AttachError::Uninitialised | AttachError::BigEndianHost) => Ok(window),
            Err(AttachError::NotARegion) => Err(WindowFailed::Occupied),
            _ => Err(WindowFailed::AlreadyExists),
        }
    }
}

/// The system's page.
#[must_use]
pub fn page() -> u64 {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|page| u64::try_from(page).ok()).unwrap_or(4096)
}

/// The folder of the first PCI device of this vendor and kind, in the order of their addresses; `None` if there is none.
pub fn pci_device(devices: &Path, vendor: u16, device: u16) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(devices)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| {
            let is = |name, wanted: u16| number(&folder.join(name)) == Some(u64::from(wanted));
            is("vendor", vendor) && is("device", device)
        })
        .collect();
    found.sort();
    found.into_iter().next()
}

/// The file of a PCI device's memory: the one that is mapped write-combining, where there is one.
pub fn pci_memory(folder: &Path, bar: u32) -> Option<PathBuf> {
    let plain = format!("resource{bar}");
    [format!("{plain}{COMBINING}"), plain].iter().map(|name| folder.join(name)).find(|path| path.exists())
}

/// Why a UIO device's memory is no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UioFailed {
    /// There is no such device.
    NoDevice,
    /// It has no memory of this number, but so many others.
    NoMap {
        /// How many.
        maps: u32,
    },
    /// It starts within a page.
    Offset {
        /// Where.
        start: u64,
    },
    /// It is shorter than a page.
    Short {
        /// Its bytes.
        size: u64,
        /// Those of a page.
        page: u64,
    },
    /// It is longer than a region can be.
    Long {
        /// Its bytes.
        size: u64,
    },
}

/// The memory `map` of the device `uioN`, which is described below `class` and found in `files`.
///
/// The kernel takes the number of the memory for an offset in pages. It maps whole pages alone, and of the memory no byte
/// more than `size`, so that the window is as many pages as fit into that.
pub fn uio(class: &Path, files: &Path, device: u32, map: u32) -> Result<Window, UioFailed> {
    let name = format!("uio{device}");
    let maps = class.join(&name).join("maps");
    if !class.join(&name).exists() {
        return Err(UioFailed::NoDevice);
    }
    let folder = maps.join(format!("map{map}"));
    let Some(size) = number(&folder.join("size")) else {
        let count = fs::read_dir(maps).map_or(0, |all| all.flatten().count());
        return Err(UioFailed::NoMap { maps: u32::try_from(count).unwrap_or(u32::MAX) });
    };
    let page = page();
    // Kernels before 3.10 show the address alone.
    let start = number(&folder.join("offset"))
        .filter(|&start| start != 0)
        .or_else(|| Some(number(&folder.join("addr"))? % page))
        .unwrap_or(0);
    if start != 0 {
        return Err(UioFailed::Offset { start });
    }
    match u32::try_from(size - size % page) {
        Ok(0) => Err(UioFailed::Short { size, page }),
        Ok(len) => {
            let source = Source::Path(files.join(name));
            Ok(Window { source, offset: u64::from(map) * page, len: Some(len), is_device: None })
        }
        Err(_) => Err(UioFailed::Long { size }),
    }
}

/// The hexadecimal number that a file of sysfs holds.
fn number(path: &Path) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{UioFailed, page, pci_device, pci_memory, uio};

    /// A folder of a test's own, removed when it is dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("strait-window-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).expect("a folder");
            Self(path)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
            fs::write(path, text).expect("a file");
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_pci_device_is_found_by_its_numbers() {
        let devices = Folder::new("pci");
        for (address, device) in
            [("0000:00:03.0", "0x1110"), ("0000:00:02.0", "0x1110"), ("0000:00:01.0", "0x1000")]
        {
            devices.write(&format!("{address}/vendor"), "0x1af4\n");
            devices.write(&format!("{address}/device"), &format!("{device}\n"));
        }
        assert_eq!(pci_device(&devices.0, 0x1AF4, 0x1110), Some(devices.0.join("0000:00:02.0")));
        assert_eq!(pci_device(&devices.0, 0x1AF4, 0x1111), None);
        assert_eq!(pci_device(&devices.0.join("absent"), 0x1AF4, 0x1110), None);
    }

    #[test]
    fn memory_that_combines_writes_is_preferred() {
        let device = Folder::new("bar");
        assert_eq!(pci_memory(&device.0, 2), None);
        device.write("resource2", "");
        assert_eq!(pci_memory(&device.0, 2), Some(device.0.join("resource2")));
        device.write("resource2_wc", "");
        assert_eq!(pci_memory(&device.0, 2), Some(device.0.join("resource2_wc")));
    }

    #[test]
    fn the_maps_of_a_uio_device_are_read_and_checked() {
        let system = Folder::new("uio");
        let (class, files, page) = (system.0.join("class"), system.0.join("dev"), page());
        let find = |map| uio(&class, &files, 0, map);
        let map = |number: u32, addr: u64, size: u64, offset: &str| {
            let folder = format!("class/uio0/maps/map{number}");
            system.write(&format!("{folder}/addr"), &format!("{addr:#018x}\n"));
            system.write(&format!("{folder}/size"), &format!("{size:#018x}\n"));
            if !offset.is_empty() {
                system.write(&format!("{folder}/offset"), offset);
            }
        };
        assert_eq!(find(0), Err(UioFailed::NoDevice));
        system.write("class/uio0/name", "shared-memory\n");
        assert_eq!(find(0), Err(UioFailed::NoMap { maps: 0 }));
        map(0, 0x4000_0000, page, "0x0\n");
        map(1, 0x8000_0000, 0x10_0000 + 8, "0x0\n");
        let window = find(1).expect("a window");
        assert_eq!((window.offset, window.len), (page, Some(0x10_0000)), "as many pages as fit");
        assert_eq!(window.path(), Some(files.join("uio0").as_path()));
        assert_eq!(find(0).map(|window| window.offset), Ok(0));
        assert_eq!(find(7), Err(UioFailed::NoMap { maps: 2 }));
        map(2, 0x8000_0080, page, "0x80\n");
        map(3, 0x8000_0040, page, "");
        map(4, 0x9000_0000, 64, "0x0\n");
        map(5, 0x9000_0000, 1 << 32, "0x0\n");
        assert_eq!(find(2), Err(UioFailed::Offset { start: 0x80 }));
        assert_eq!(find(3), Err(UioFailed::Offset { start: 0x40 }), "by the address");
        assert_eq!(find(4), Err(UioFailed::Short { size: 64, page }));
        assert_eq!(find(5), Err(UioFailed::Long { size: 1 << 32 }));
    }

    /// A file stands for the device: what is mapped is what the number of the memory says.
    #[test]
    fn a_map_is_mapped_from_its_number_on() {
        let system = Folder::new("uio-map");
        let page = page();
        system.write("class/uio0/maps/map1/size", &format!("{page:#x}\n"));
        system.write("dev/uio0", &"a".repeat(usize::try_from(3 * page).expect("three pages")));
        let path = system.0.join("dev/uio0");
        let file = fs::File::options().write(true).open(&path).expect("the file");
        std::os::unix::fs::FileExt::write_all_at(&file, b"here", page).expect("written");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
        let window = uio(&system.0.join("class"), &system.0.join("dev"), 0, 1).expect("a window");
        let mapped = window.map(&crate::Options::PRIVATE).expect("mapped");
        assert_eq!(u64::from(mapped.mem().len()), page);
        assert_eq!(mapped.mem().setup_read(0).to_le_bytes(), *b"here");
    }
}
