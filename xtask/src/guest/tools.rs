//! An emulator that checks accesses as a processor does, and a kernel for it: packages of a later Debian, unpacked in the
//! cache's folder. Nothing of them is installed, and apt's own lists stay as they are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt::Apt;
use crate::cache;
use crate::lanes::unavailable;
use crate::run::Outcome;
use crate::say::say;

/// The releases that the packages are taken from. From 10.2 on QEMU faults where ARM's processors do, in any number of
/// them; Debian's 10.0 does not check accesses of 16 bytes.
const RELEASES: [&str; 2] = ["trixie", "trixie-backports"];

/// What a machine needs, and where it is kept.
pub struct Wanted {
    folder: &'static str,
    package: &'static str,
    emulator: &'static str,
    /// Depends on the newest kernel.
    kernel: &'static str,
    /// Debian's name of the machine.
    machine: &'static str,
    /// Modules that are kept of the kernel's, unpacked, in the order in which they are loaded.
    modules: &'static [&'static str],
    /// What is in the folder is used as long as this is what its stamp says.
    recipe: &'static str,
}

pub const ARM: Wanted = Wanted {
    folder: "guest",
    package: "qemu-system-arm",
    emulator: "qemu-system-aarch64",
    kernel: "linux-image-cloud-arm64:arm64",
    machine: "arm64",
    modules: &[],
    recipe: "qemu-system-arm of trixie-backports, linux-image-cloud-arm64 of trixie, 1\n",
};

pub const X86: Wanted = Wanted {
    folder: "guest-x86",
    package: "qemu-system-x86",
    emulator: "qemu-system-x86_64",
    kernel: "linux-image-cloud-amd64:amd64",
    machine: "amd64",
    modules: &["vfio", "vfio_iommu_type1", "irqbypass", "vfio-pci-core", "vfio-pci"],
    recipe: "qemu-system-x86 of trixie-backports, linux-image-cloud-amd64 of trixie, modules of vfio, 2\n",
};

/// Where they are.
pub struct Tools {
    root: PathBuf,
    emulator: &'static str,
    pub kernel: PathBuf,
    /// The kernel's modules that were asked for, in that order.
    pub modules: Vec<PathBuf>,
}

impl Tools {
    /// Downloads them, unless they are there.
    ///
    /// # Errors
    ///
    /// The lane's outcome without them.
    pub fn new(wanted: &Wanted) -> Result<Self, Outcome> {
        let folder = cache::folder(wanted.folder)?;
        let failed = |error: io::Error| cache::failed(&folder, &error);
        let lock = folder.join("lock");
        // Another clone may be at it. Closing the file unlocks it.
        let _locked = File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(failed)?;
        let stamp = folder.join("recipe");
        if !fs::read_to_string(&stamp).is_ok_and(|made| made == wanted.recipe) {
            say!("an emulator and a kernel, once for all clones");
            let apt = Apt::new(&folder, &RELEASES, &[wanted.machine])?;
            unpack_all(&apt, wanted).map_err(unavailable)?;
            keep_modules(&folder, wanted.modules).map_err(unavailable)?;
            apt.remove().and_then(|()| remove_modules(&folder)).map_err(failed)?;
            fs::write(&stamp, wanted.recipe).map_err(failed)?;
        }
        let kernel = found(&folder.join("kernel/boot"), "vmlinuz-").map_err(failed)?;
        let modules = wanted.modules.iter().map(|name| module(&folder, name)).collect();
        Ok(Self { root: folder.join("qemu"), emulator: wanted.emulator, kernel, modules })
    }

    /// The command of the emulator: by its own libraries, which are newer than this system's.
    pub fn qemu(&self) -> Vec<String> {
        let path = |path: &str| self.root.join(path).to_string_lossy().into_owned();
        vec![
            path("usr/lib64/ld-linux-x86-64.so.2"),
            "--library-path".into(),
            path("usr/lib/x86_64-linux-gnu"),
            path(&format!("usr/bin/{}", self.emulator)),
            "-L".into(),
            path("usr/share/qemu"),
            "-L".into(),
            path("usr/share/seabios"),
        ]
    }
}

/// The file in `folder` whose name starts so.
fn found(folder: &Path, start: &str) -> io::Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(start) {
            return Ok(entry.path());
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("no {start} in it; remove the folder")))
}

/// Downloads and unpacks everything.
fn unpack_all(apt: &Apt, wanted: &Wanted) -> Result<(), String> {
    apt.get("update -qq")?;
    let [_, backports] = RELEASES;
    apt.get(&format!(
        "install -y -qq --download-only --no-install-recommends -t {backports} {}",
        wanted.package
    ))?;
    apt.unpack("qemu")?;
    let depends = apt.cached(&["depends", wanted.kernel]);
    let kernel = dependency(&depends).ok_or("apt-cache names no kernel")?;
    apt.get(&format!("download -qq {kernel}"))?;
    apt.unpack("kernel")
}

/// Where a module is kept.
fn module(folder: &Path, name: &str) -> PathBuf {
    folder.join("modules").join(format!("{name}.ko"))
}

/// Unpacks these modules of the kernel into a folder of their own.
fn keep_modules(folder: &Path, names: &[&str]) -> Result<(), String> {
    let told = |error: io::Error| format!("{}: {error}", folder.display());
    for name in names {
        let into = module(folder, name);
        fs::create_dir_all(folder.join("modules")).map_err(told)?;
        let packed = within(&folder.join("kernel"), &format!("{name}.ko.xz")).map_err(told)?;
        let packed = packed.ok_or_else(|| format!("the kernel has no module {name}"))?;
        let from = File::open(&packed).map_err(told)?;
        let xz = Command::new("xz").arg("-dc").stdin(from).stdout(File::create(into).map_err(told)?).status();
        if !xz.is_ok_and(|status| status.success()) {
            return Err(format!("xz could not unpack {}; install xz-utils", packed.display()));
        }
    }
    Ok(())
}

/// The file of this name in `folder` or a folder of it. Links are not followed.
fn within(folder: &Path, name: &str) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
        if entry.file_type()?.is_dir()
            && let Some(found) = within(&entry.path(), name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What else is needed is in the kernel itself.
fn remove_modules(folder: &Path) -> io::Result<()> {
    for part in ["kernel/usr", "kernel/lib"].map(|part| folder.join(part)) {
        if part.exists() {
            fs::remove_dir_all(part)?;
        }
    }
    Ok(())
}

/// The package that another depends on, in what apt-cache says.
fn dependency(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.trim().strip_prefix("Depends: "))
}

#[cfg(test)]
mod tests {
    use super::dependency;

    #[test]
    fn the_kernel_is_what_its_meta_package_depends_on() {
        let text = "linux-image-cloud-arm64:arm64\n  Depends: linux-image-6.12.1-cloud-arm64:arm64\n";
        assert_eq!(dependency(text), Some("linux-image-6.12.1-cloud-arm64:arm64"));
        assert_eq!(dependency("N: nothing"), None);
    }
}
