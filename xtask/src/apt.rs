//! Packages of other releases and architectures, unpacked in a folder of the cache. Nothing of them is installed, and
//! apt's own lists stay as they are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::lanes::{output, unavailable};
use crate::run::{Outcome, Run};

/// The keys by which apt knows that packages are Debian's.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const MIRROR: &str = "http://deb.debian.org/debian";

/// The one machine that the packages are for.
const HOST: &str = "amd64";

/// Apt with lists and packages of its own.
pub struct Apt {
    folder: PathBuf,
    /// Its lists, and what it downloads: removed in the end.
    own: PathBuf,
    options: Vec<String>,
}

impl Apt {
    /// For packages of these releases and architectures, that are unpacked in `folder`.
    ///
    /// # Errors
    ///
    /// The lane's outcome if there is no apt, or no room.
    pub fn new(folder: &Path, releases: &[&str], architectures: &[&str]) -> Result<Self, Outcome> {
        if output("dpkg", &["--print-architecture"]).is_none_or(|found| found.trim() != HOST) {
            return Err(unavailable(format!("no Debian on {HOST}, for which the packages are taken")));
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
            let line = |release: &&str| format!("deb [signed-by={KEYS}] {mirror} {release} main\n");
            fs::write(own.join("sources.list"), releases.iter().map(line).collect::<String>())
        };
        made().map_err(|error| cache::failed(&own, &error))?;
        let path = |part: &str| own.join(part).to_string_lossy().into_owned();
        let mut options = vec![
            format!("Dir::Etc::sourcelist={}", path("sources.list")),
            "Dir::Etc::sourceparts=/dev/null".into(),
            format!("Dir::State::lists={}", path("lists")),
            format!("Dir::State::status={}", path("status")),
            format!("Dir::Cache={}", path("cache")),
            format!("APT::Architecture={HOST}"),
            format!("APT::Architectures::={HOST}"),
            "Acquire::Languages=none".into(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".into(),
            "APT::Sandbox::User=root".into(),
            "Debug::NoLocking=1".into(),
        ];
        options.extend(architectures.iter().map(|other| format!("APT::Architectures::={other}")));
        Ok(Self { folder: folder.into(), own, options })
    }

    /// What `apt-cache` says, if anything.
    pub fn cached(&self, args: &[&str]) -> String {
        let mut all: Vec<&str> = self.options.iter().flat_map(|option| ["-o", option]).collect();
        all.extend(args);
        output("apt-cache", &all).unwrap_or_default()
    }

    /// Runs `apt-get` where packages are downloaded to.
    ///
    /// # Errors
    ///
    /// What it could not do.
    pub fn get(&self, args: &str) -> Result<(), String> {
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
    ///
    /// # Errors
    ///
    /// What could not be unpacked.
    pub fn unpack(&self, name: &str) -> Result<(), String> {
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

    /// Removes its lists, and what it has downloaded.
    ///
    /// # Errors
    ///
    /// Why they are still there.
    pub fn remove(&self) -> io::Result<()> {
        if self.own.exists() { fs::remove_dir_all(&self.own) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::mirror_in;

    #[test]
    fn the_mirror_in_use_is_found_in_both_kinds_of_lists() {
        let new = "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\n";
        assert_eq!(mirror_in(new).as_deref(), Some("http://mirror.example/debian"));
        let old =
            "# deb http://no.example/debian x\ndeb [signed-by=/k] https://old.example/debian bookworm main\n";
        assert_eq!(mirror_in(old).as_deref(), Some("https://old.example/debian"));
        assert_eq!(mirror_in("deb http://deb.example/debian-security bookworm main"), None);
    }
}
