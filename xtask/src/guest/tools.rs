//! An emulator that checks accesses as a processor does, and a kernel for it: packages of a later Debian, unpacked in the
//! cache's folder. Nothing of them is installed, and apt's own lists stay as they are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::lanes::{output, unavailable};
use crate::run::{Outcome, Run};

/// The releases that the packages are taken from. From 10.2 on QEMU faults where ARM's processors do, in any number of
/// them; Debian's 10.0 does not check accesses of 16 bytes.
const RELEASES: [&str; 2] = ["trixie", "trixie-backports"];
const QEMU: &str = "qemu-system-arm";
/// Depends on the newest kernel.
const KERNEL: &str = "linux-image-cloud-arm64:arm64";

/// The keys by which apt knows that packages are Debian's.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org/debian";

/// The one machine that the emulator's packages are for.
const HOST: &str = "amd64";

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
            let apt = Apt::new(&folder)?;
            apt.unpack_all().map_err(unavailable)?;
            apt.remove().map_err(failed)?;
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

/// Apt with lists and packages of its own.
struct Apt {
    folder: PathBuf,
    /// Its lists, and what it downloads: removed in the end.
    own: PathBuf,
    options: Vec<String>,
}

impl Apt {
    fn new(folder: &Path) -> Result<Self, Outcome> {
        if output("dpkg", &["--print-architecture"]).is_none_or(|found| found.trim() != HOST) {
            return Err(unavailable(format!("no Debian on {HOST}, for which the emulator is taken")));
        }
        if output("apt-get", &["--version"]).is_none() || !Path::new(KEYS).exists() {
            return Err(unavailable("there is no apt-get, or no debian-archive-keyring".into()));
        }
        let own = folder.join("apt");
        let made = || -> io::Result<()> {
            for part in ["lists/partial", "cache/archives/partial"] {
                fs::create_dir_all(own.join(part))?;
            }
            fs::write(own.join("status"), "")?;
            let mirror = mirror();
            let line = |release| format!("deb [signed-by={KEYS}] {mirror} {release} main\n");
            fs::write(own.join("sources.list"), RELEASES.map(line).concat())
        };
        made().map_err(|error| cache::failed(&own, &error))?;
        let path = |part: &str| own.join(part).to_string_lossy().into_owned();
        let options = [
            format!("Dir::Etc::sourcelist={}", path("sources.list")),
            "Dir::Etc::sourceparts=/dev/null".into(),
            format!("Dir::State::lists={}", path("lists")),
            format!("Dir::State::status={}", path("status")),
            format!("Dir::Cache={}", path("cache")),
            format!("APT::Architecture={HOST}"),
            format!("APT::Architectures::={HOST}"),
            "APT::Architectures::=arm64".into(),
            "Acquire::Languages=none".into(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
            "APT::Sandbox::User=root".into(),
            "Debug::NoLocking=1".into(),
        ];
        Ok(Self { folder: folder.into(), own, options: options.into() })
    }

    /// Downloads and unpacks everything.
    fn unpack_all(&self) -> Result<(), String> {
        self.get("update -qq")?;
        let [_, backports] = RELEASES;
        self.get(&format!("install -y -qq --download-only --no-install-recommends -t {backports} {QEMU}"))?;
        self.unpack("qemu")?;
        let mut args: Vec<&str> = self.options.iter().flat_map(|option| ["-o", option]).collect();
        args.extend(["depends", KERNEL]);
        let depends = output("apt-cache", &args).unwrap_or_default();
        let kernel = dependency(&depends).ok_or("apt-cache names no kernel")?;
        self.get(&format!("download -qq {kernel}"))?;
        self.unpack("kernel")
    }

    fn get(&self, args: &str) -> Result<(), String> {
        let archives = self.own.join("cache/archives");
        let options: String = self.options.iter().map(|option| format!("-o {option} ")).collect();
        let run = Run::new("apt-get".into(), "apt-get", &format!("{options}{args}"))
            .with("DEBIAN_FRONTEND", "noninteractive")
            .within(&archives.to_string_lossy());
        match run.run() {
            Outcome::Passed => Ok(()),
            _ => Err(format!("apt-get could not do `{args}`")),
        }
    }

    /// Unpacks what was downloaded into a folder of this name, and removes it.
    fn unpack(&self, name: &str) -> Result<(), String> {
        let target = self.folder.join(name);
        let archives = self.own.join("cache/archives");
        let told = |error: io::Error| format!("{}: {error}", archives.display());
        if target.exists() {
            fs::remove_dir_all(&target).map_err(told)?;
        }
        for entry in fs::read_dir(&archives).map_err(told)? {
            let package = entry.map_err(told)?.path();
            if package.extension().is_none_or(|extension| extension != "deb") {
                continue;
            }
            let (from, into) = (package.to_string_lossy(), target.to_string_lossy());
            output("dpkg", &["-x", &from, &into]).ok_or_else(|| format!("dpkg could not unpack {from}"))?;
            fs::remove_file(&package).map_err(told)?;
        }
        Ok(())
    }

    fn remove(&self) -> io::Result<()> {
        // Modules: what is needed is in the kernel itself.
        for folder in [self.own.as_path(), &self.folder.join("kernel/usr"), &self.folder.join("kernel/lib")] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }
}

/// The mirror of Debian that this machine uses already.
fn mirror() -> String {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|entry| entry.path()));
    }
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.filter_map(|text| mirror_in(&text)).next().unwrap_or_else(|| MIRROR.into())
}

/// The first address in a list of sources that ends as a mirror of Debian does.
fn mirror_in(text: &str) -> Option<String> {
    let lines = text.lines().filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"));
    let words = lines.flat_map(str::split_whitespace).map(|word| word.trim_end_matches('/'));
    words.filter(|word| word.starts_with("http") && word.ends_with("/debian")).map(String::from).next()
}

/// The package that another depends on, in what apt-cache says.
fn dependency(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.trim().strip_prefix("Depends: "))
}

#[cfg(test)]
mod tests {
    use super::{dependency, mirror_in};

    #[test]
    fn the_mirror_in_use_is_found_in_both_kinds_of_lists() {
        let new = "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\n";
        assert_eq!(mirror_in(new).as_deref(), Some("http://mirror.example/debian"));
        let old =
            "# deb http://no.example/debian x\ndeb [signed-by=/k] https://old.example/debian bookworm main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("https://old.example/debian"));
        assert_eq!(mirror_in("deb http://deb.example/debian-security bookworm main"), None);
    }

    #[test]
    fn the_kernel_is_what_its_meta_package_depends_on() {
        let text = "linux-image-cloud-arm64:arm64\n  Depends: linux-image-6.12.1-cloud-arm64:arm64\n";
        assert_eq!(dependency(text), Some("linux-image-6.12.1-cloud-arm64:arm64"));
        assert_eq!(dependency("N: nothing"), None);
    }
}
