//! Static programs with musl, for x86 of 64 and of 32 bits: the C library comes from Debian's packages, which are
//! unpacked in a folder of the cache and not installed, and the rest of the linking from the system's GCC.
//!
//! Rust's own standard library for musl comes with LLVM's unwinder. Here GCC's takes its place, with the one function
//! that it asks of glibc (find_object.c).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::apt::Apt;
use crate::cache;
use crate::lanes::{output, packages, unavailable};
use crate::run::Outcome;
use crate::say::say;

/// The release of the packages: musl is small and seldom changes.
const RELEASE: &str = "bookworm";
const UNWINDER: &str = include_str!("find_object.c");

/// What is in the folder is used as long as this, and the unwinder's part, is what its stamp says.
const RECIPE: &str = "musl-dev of bookworm, amd64 and i386, 1\n";

/// A machine: its target, Debian's names for it, and GCC's flag.
pub struct Machine {
    pub target: &'static str,
    package: &'static str,
    folder: &'static str,
    gcc: &'static str,
}

/// x86 of 64 and of 32 bits.
pub const MACHINES: [Machine; 2] = [
    Machine {
        target: "x86_64-unknown-linux-musl",
        package: "musl-dev:amd64",
        folder: "x86_64-linux-musl",
        gcc: "-m64",
    },
    Machine {
        target: "i686-unknown-linux-musl",
        package: "musl-dev:i386",
        folder: "i386-linux-musl",
        gcc: "-m32",
    },
];

/// Where the libraries are.
pub struct Musl(PathBuf);

impl Musl {
    /// Downloads and compiles them, unless they are there.
    ///
    /// # Errors
    ///
    /// The lane's outcome without them.
    pub fn new() -> Result<Self, Outcome> {
        let folder = cache::folder("musl")?;
        let failed = |error: io::Error| cache::failed(&folder, &error);
        let lock = folder.join("lock");
        // Another clone may be at it. Closing the file unlocks it.
        let _locked = File::create(&lock).and_then(|file| file.lock().map(|()| file)).map_err(failed)?;
        let stamp = folder.join("recipe");
        let recipe = format!("{RECIPE}{UNWINDER}");
        if !fs::read_to_string(&stamp).is_ok_and(|made| made == recipe) {
            say!("musl, once for all clones");
            // The compiler's own libraries for 32 bits.
            packages(&["gcc-12-multilib"])?;
            let apt = Apt::new(&folder, &[RELEASE], &["i386"])?;
            apt.get("update -qq").map_err(unavailable)?;
            for machine in &MACHINES {
                apt.get(&format!("download -qq {}", machine.package)).map_err(unavailable)?;
                apt.unpack(machine.folder).map_err(unavailable)?;
                machine.make(&folder).map_err(failed)?;
            }
            apt.remove().map_err(failed)?;
            fs::write(&stamp, recipe).map_err(failed)?;
        }
        Ok(Self(folder))
    }

    /// The flags by which rustc links with it.
    pub fn flags(&self, machine: &Machine) -> String {
        let own = self.0.join(machine.folder);
        let own = own.display();
        format!(
            "-Clink-self-contained=no -Crelocation-model=static -Clink-arg=-specs={own}/specs -Lnative={own}/unwind"
        )
    }
}

impl Machine {
    /// Makes GCC's instructions for the place where the library is, and the unwinder.
    fn make(&self, folder: &Path) -> io::Result<()> {
        let own = folder.join(self.folder);
        let installed = format!("/usr/lib/{}", self.folder);
        let library = own.join(&installed[1..]);
        let specs = fs::read_to_string(library.join("musl-gcc.specs"))?;
        fs::write(own.join("specs"), specs.replace(&installed, &library.to_string_lossy()))?;

        let unwind = own.join("unwind");
        fs::create_dir_all(&unwind)?;
        let (source, object, archive) =
            (unwind.join("find_object.c"), unwind.join("find_object.o"), unwind.join("libunwind.a"));
        fs::write(&source, UNWINDER)?;
        let text = |path: &Path| path.to_string_lossy().into_owned();
        done("gcc", &[self.gcc, "-O1", "-c", &text(&source), "-o", &text(&object)])?;
        let whole = done("gcc", &[self.gcc, "-print-file-name=libgcc_eh.a"])?;
        fs::copy(whole.trim(), &archive)?;
        done("ar", &["r", &text(&archive), &text(&object)]).map(drop)
    }
}

/// What the command prints.
fn done(program: &str, args: &[&str]) -> io::Result<String> {
    output(program, args).ok_or_else(|| io::Error::other(format!("{program} {} failed", args.join(" "))))
}
