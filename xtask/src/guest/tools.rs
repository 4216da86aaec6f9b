//! An emulator that checks accesses as a processor does, and a kernel for it: packages of a later Debian, unpacked in the
//! cache's folder. Nothing of them is installed, and apt's own lists stay as they are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::apt::Apt;
use crate::cache;
use crate::lanes::unavailable;
use crate::run::Outcome;

/// The releases that the packages are taken from. From 10.2 on QEMU faults where ARM's processors do, in any number of
/// them; Debian's 10.0 does not check accesses of 16 bytes.
const RELEASES: [&str; 2] = ["trixie", "trixie-backports"];
const QEMU: &str = "qemu-system-arm";
/// Depends on the newest kernel.
const KERNEL: &str = "linux-image-cloud-arm64:arm64";

/// What is in the folder is used as long as this is what its stamp says.
const RECIPE: &str = "qemu-system-arm of trixie-backports, linux-image-cloud-arm64 of trixie, 1\n";

/// Where they are.
pub struct Tools {
    root: PathBuf,
    pub kernel: PathBuf,
}

impl Tools {
    /// Downloads them, unless they are there.
    ///
    /// # Errors
    ///
    /// The lane's outcome without them.
    pub fn new() -> Result<Self, Outcome> {
        let folder = cache::folder("guest")?;
        let failed = |error: io::Error| cache::failed(&folder, &error);
        let lock = folder.join("lock");
        // Another clone may be at it. Closing the file unlocks it.
        let _locked = File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(failed)?;
        let stamp = folder.join("recipe");
        if !fs::read_to_string(&stamp).is_ok_and(|made| made == RECIPE) {
            println!("an emulator and a kernel, once for all clones");
            let apt = Apt::new(&folder, &RELEASES, &["arm64"])?;
            unpack_all(&apt).map_err(unavailable)?;
            apt.remove().and_then(|()| remove_modules(&folder)).map_err(failed)?;
            fs::write(&stamp, RECIPE).map_err(failed)?;
        }
        let kernel = found(&folder.join("kernel/boot"), "vmlinuz-").map_err(failed)?;
        Ok(Self { root: folder.join("qemu"), kernel })
    }

    /// The command of the emulator: by its own libraries, which are newer than this system's.
    pub fn qemu(&self) -> Vec<String> {
        let path = |path: &str| self.root.join(path).to_string_lossy().into_owned();
        vec![
            path("usr/lib64/ld-linux-x86-64.so.2"),
            "--library-path".into(),
            path("usr/lib/x86_64-linux-gnu"),
            path("usr/bin/qemu-system-aarch64"),
            "-L".into(),
            path("usr/share/qemu"),
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
fn unpack_all(apt: &Apt) -> Result<(), String> {
    apt.get("update -qq")?;
    let [_, backports] = RELEASES;
    apt.get(&format!("install -y -qq --download-only --no-install-recommends -t {backports} {QEMU}"))?;
    apt.unpack("qemu")?;
    let depends = apt.cached(&["depends", KERNEL]);
    let kernel = dependency(&depends).ok_or("apt-cache names no kernel")?;
    apt.get(&format!("download -qq {kernel}"))?;
    apt.unpack("kernel")
}

/// What is needed is in the kernel itself.
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
