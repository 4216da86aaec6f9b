//! Windows, as far as wine goes: the tests built for it with Debian's Rust and mingw, and run.
//!
//! Wine runs in a folder of its own under `target`, whose server is ended when the lane is. What wine
//! does otherwise than Windows is said at the head of `os-windows`.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::lanes::Debian;
use crate::run::{Outcome, Run, together};

const TARGET: &str = "x86_64-pc-windows-gnu";

/// Where the lane's files lie, below the top of the repository.
const FOLDER: &str = "target/windows";

/// Seconds that one program may run. The slowest of them takes a tenth of it.
const LIMIT: u32 = 600;

/// Rust's standard library takes its random numbers from a DLL that wine 8 does not have. It has a
/// single function, and may not fail.
const RANDOM: &str = "\
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T len) {
    if (!RtlGenRandom(data, (ULONG)len)) ExitProcess(3);
    return TRUE;
}
";

/// A wine of our own, ended with the value.
struct Wine {
    debian: Debian,
    /// The absolute path of [`FOLDER`]; wine takes no other.
    folder: PathBuf,
}

impl Wine {
    /// Installs what is missing, and sets wine up if that has not been done.
    fn new() -> Result<Self, Outcome> {
        let debian = Debian::with(&["mingw-w64", "wine", "wine64"])?;
        let failed = |error: std::io::Error| Outcome::Failed(format!("{FOLDER}: {error}"));
        let folder = env::current_dir().map_err(failed)?.join(FOLDER);
        fs::create_dir_all(&folder).map_err(failed)?;
        fs::write(folder.join("random.c"), RANDOM).map_err(failed)?;
        let wine = Self { debian, folder };
        let dll = "-shared -O2 -o bcryptprimitives.dll random.c -ladvapi32";
        let gcc = "x86_64-w64-mingw32-gcc";
        match Run::new(gcc.into(), gcc, dll).within(FOLDER).run() {
            Outcome::Passed => {}
            other => return Err(other),
        }
        if wine.folder.join("prefix/system.reg").exists() {
            return Ok(wine);
        }
        match wine.within(Run::new("timeout".into(), "timeout", "300 wineboot -i")).run() {
            Outcome::Passed => Ok(wine),
            other => Err(other),
        }
    }

    /// The variables that lead a program to this wine.
    fn within(&self, run: Run) -> Run {
        let path = |name: &str| self.folder.join(name).to_string_lossy().into_owned();
        run.with("WINEPATH", &self.folder.to_string_lossy())
            .with("WINEPREFIX", &path("prefix"))
            // Neither messages nor windows, nor offers to install further packages.
            .with("WINEDEBUG", "-all")
            .with("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .without(&["DISPLAY"])
    }

    /// A command of cargo that builds for Windows, the standard library too, and runs under wine.
    fn cargo(&self, args: &str) -> Run {
        let args = format!("{args} -Zbuild-std=std,panic_unwind,panic_abort,test --target {TARGET}");
        self.within(self.debian.cargo(FOLDER, &args))
            .with("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc")
            .with("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", &format!("timeout {LIMIT} wine"))
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // Ends whatever is still running in it.
        self.within(Run::new("timeout".into(), "timeout", "60 wineserver -k")).run();
    }
}

/// Runs the tests that are for Windows too.
pub fn windows() -> Outcome {
    let wine = match Wine::new() {
        Ok(wine) => wine,
        Err(outcome) => return outcome,
    };
    together(&[
        ("core", wine.cargo("test -p strait-core --lib --tests").run()),
        ("os-windows", wine.cargo("test -p strait-windows --lib --tests").run()),
        (
            "strait",
            wine.cargo("test -p strait --test threads --test scribble --test kill --test locks").run(),
        ),
    ])
}
