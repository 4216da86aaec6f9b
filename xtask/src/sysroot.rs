//! The standard library for the targets of the lanes: built once for each, and used by all lanes and clones.
//!
//! A library is compiled from Debian's sources in an empty package, by cargo's `-Zbuild-std`, and what comes of
//! it is laid out as rustc expects: `lib/rustlib/TARGET/lib` under a folder that `--sysroot` names. Beside it a
//! file holds the recipe. If the recipe or the compiler is another one than before, the library is built anew.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::cache;
use crate::lanes::Debian;
use crate::run::Outcome;
use crate::say::say;

/// How to build the standard library, and which parts of it.
pub struct Library {
    /// The name of its folder.
    pub name: &'static str,
    /// What cargo does with it: `build`, or `check` for what is only checked against it.
    pub command: &'static str,
    /// Its crates, as `-Zbuild-std` takes them.
    pub crates: &'static str,
    /// Settings of the profile that it is built in.
    pub profile: &'static str,
    pub flags: &'static str,
}

/// For programs under an operating system. It is built as a debug build of the workspace would build it, with
/// its assertions, but a little optimised, for much of it runs in an emulator.
pub const STD: Library = Library {
    name: "std",
    command: "build",
    crates: "std,panic_unwind,panic_abort,test",
    profile: "opt-level = 1\ndebug = false\nincremental = false\n",
    flags: "",
};

/// The same where nothing is linked: what the compiler knows of the library, without its code, takes a fraction of the time.
pub const CHECKED: Library = Library { name: "checked", command: "check", ..STD };

/// For microcontrollers: small, and a panic is the end. There is no `alloc` in it, so what is built with it
/// needs none. The flags let it take part in the optimisation of a whole program.
pub const CORE: Library = Library {
    name: "core",
    command: "build",
    crates: "core",
    profile: "opt-level = \"s\"\ndebug = false\nincremental = false\ndebug-assertions = false\n\
              overflow-checks = false\ncodegen-units = 1\npanic = \"abort\"\n",
    flags: "-Cembed-bitcode=yes",
};

/// The same with `alloc`.
pub const ALLOC: Library = Library { name: "alloc", crates: "core,alloc", ..CORE };

/// Builds what is missing of a library for these targets, and returns the flag of rustc that puts it in.
///
/// # Errors
///
/// The lane's outcome if that fails.
pub fn flag(debian: &Debian, library: &Library, targets: &[&str]) -> Result<String, Outcome> {
    let folder = cache::libraries()?;
    let sysroot = folder.join(library.name);
    let lock = folder.join(format!("{}.lock", library.name));
    // Another clone may be building it. Closing the file unlocks it.
    let _locked = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| cache::failed(&lock, &error))?;
    let recipe = recipe(library, debian.version());
    let stamp = |target: &str| sysroot.join(format!("{target}.recipe"));
    let is_made = |target: &str| fs::read_to_string(stamp(target)).is_ok_and(|made| made == recipe);
    let missing: Vec<&str> = targets.iter().copied().filter(|target| !is_made(target)).collect();
    if !missing.is_empty() {
        say!("the standard library `{}` for {}, once for all lanes", library.name, missing.join(" and "));
        build(debian, library, &missing, &sysroot)?;
        for target in missing {
            fs::write(stamp(target), &recipe).map_err(|error| cache::failed(&sysroot, &error))?;
        }
    }
    Ok(format!("--sysroot={}", sysroot.display()))
}

/// All that the result depends on.
fn recipe(library: &Library, compiler: &str) -> String {
    let Library { name: _, command, crates, profile, flags } = library;
    format!("{compiler}\n{command} {crates}\n{flags}\n{profile}")
}

/// Builds for all of the targets at once: much of a library is one crate, which one processor compiles.
fn build(debian: &Debian, library: &Library, targets: &[&str], sysroot: &Path) -> Result<(), Outcome> {
    let package = sysroot.join("package");
    let failed = |error: io::Error| cache::failed(sysroot, &error);
    remove(&package).and_then(|()| write_package(&package, library.profile)).map_err(failed)?;
    let args =
        format!("{} -Zbuild-std={} --target {}", library.command, library.crates, targets.join(" --target "));
    let folder = package.to_string_lossy();
    match debian.plain_cargo("target", library.flags, &args).within(&folder).run() {
        Outcome::Passed => {}
        other => return Err(other),
    }
    for target in targets {
        let results = package.join("target").join(target).join("debug/deps");
        let libraries = sysroot.join("lib/rustlib").join(target).join("lib");
        remove(&libraries).and_then(|()| lay_out(&results, &libraries, library.ending())).map_err(failed)?;
    }
    remove(&package).map_err(failed)
}

/// A package without any code.
fn write_package(folder: &Path, profile: &str) -> io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n")?;
    let manifest = format!(
        "[workspace]\n\n[package]\nname = \"nothing\"\nedition = \"2024\"\n\n[profile.dev]\n{profile}"
    );
    fs::write(folder.join("Cargo.toml"), manifest)
}

impl Library {
    /// What its files' names end with.
    fn ending(&self) -> &'static str {
        if self.command == "check" { "rmeta" } else { "rlib" }
    }
}

/// Copies the libraries, whose names end so, to where rustc looks for them.
fn lay_out(results: &Path, libraries: &Path, ending: &str) -> io::Result<()> {
    fs::create_dir_all(libraries)?;
    for entry in fs::read_dir(results)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        let is_library = path.extension().is_some_and(|extension| extension == ending);
        if is_library && !name.to_string_lossy().starts_with("libnothing-") {
            fs::copy(&path, libraries.join(name))?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> io::Result<()> {
    if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs;

    use super::{ALLOC, CHECKED, CORE, Library, STD, lay_out, recipe};

    #[test]
    fn every_difference_is_in_the_recipe() {
        let libraries = [
            STD,
            CHECKED,
            CORE,
            ALLOC,
            Library { flags: "-Zsanitizer=thread", ..STD },
            Library { profile: "", ..STD },
        ];
        let mut recipes: Vec<_> = libraries.iter().map(|library| recipe(library, "rustc 1.96.0")).collect();
        recipes.push(recipe(&STD, "rustc 1.97.0"));
        let count = recipes.len();
        recipes.sort_unstable();
        recipes.dedup();
        assert_eq!(recipes.len(), count);
    }

    #[test]
    fn each_library_is_laid_out_once_and_the_empty_package_not() {
        let top = env::temp_dir().join(format!("strait-xtask-sysroot-{}", std::process::id()));
        let (results, libraries) = (top.join("deps"), top.join("lib"));
        fs::create_dir_all(&results).expect("a folder");
        for name in ["libcore-1.rlib", "libcore-1.rmeta", "libstd-2.rlib", "core-1.d", "libnothing-3.rlib"] {
            fs::write(results.join(name), "").expect("a file");
        }
        lay_out(&results, &libraries, STD.ending()).expect("laid out");
        let mut names: Vec<_> = fs::read_dir(&libraries)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["libcore-1.rlib", "libstd-2.rlib"]);
        lay_out(&results, &libraries, CHECKED.ending()).expect("laid out");
        assert!(libraries.join("libcore-1.rmeta").exists());
        fs::remove_dir_all(top).expect("removed");
    }
}
