//! Windows, as far as wine goes: the tests and examples built for it with Debian's Rust and mingw, and run.
//!
//! Wine runs in a folder of its own in the cache, whose server is ended when the lane is. What wine
//! differs from Windows is listed at the head of `strait-os`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lanes::Debian;
use crate::parts::parts_and_nightly;
use crate::run::{Outcome, Run};
use crate::sysroot::{self, CHECKED, STD};
use crate::{cache, crates, examples};

const TARGET: &str = "x86_64-pc-windows-gnu";

/// Checked, but not run, and without the tool, of whose libraries there are hundreds: what most users have, and 32 bits.
const OTHERS: [&str; 2] = ["x86_64-pc-windows-msvc", "i686-pc-windows-gnu"];

/// Tests of the facade that are for Windows too. The others step through a process with `ptrace`.
const FACADE: &str = "--test threads --test scribble --test killed --test locks";

/// Seconds that one program may run. The slowest of them takes a fifth of it.
const LIMIT: u32 = 600;

/// Keeps wine's server running for this many seconds after the last program. Debian's ends with it at once, and a
/// program that starts in that moment ends with an error of wine's own.
const SERVER: &str = "-p1200";

/// Starts a program without address space randomisation. Wine wants a page at a fixed address, and the heap of
/// its loader is placed there once in some thousand starts.
const STEADY: &str = "setarch -R";

/// Rust's standard library takes its random numbers from a DLL that wine 8 does not have. It has a
/// single function, which may not fail.
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
    /// Where the lane's files are: an absolute path, for wine takes no other.
    folder: String,
    /// The flag that puts the standard library for [`TARGET`] in.
    sysroot: String,
    /// [`STEADY`], or nothing where that is not let.
    steady: &'static str,
}

impl Wine {
    /// Installs what is missing, and sets wine up if that has not been done.
    fn new() -> Result<Self, Outcome> {
        let debian = Debian::with(&["mingw-w64", "wine", "wine64", "rust-web-clippy"])?;
        let folder = cache::target("windows")?;
        let failed = |error: std::io::Error| cache::failed(Path::new(&folder), &error);
        // Wine's server makes no folder of its own.
        fs::create_dir_all(format!("{folder}/prefix")).map_err(failed)?;
        fs::write(format!("{folder}/random.c"), RANDOM).map_err(failed)?;
        let sysroot = sysroot::flag(&debian, &STD, &[TARGET])?;
        // Containers refuse it.
        let is_let = Run::new("setarch".into(), "setarch", "-R true").run() == Outcome::Passed;
        let wine = Self { debian, folder, sysroot, steady: if is_let { STEADY } else { "" } };
        let dll = "-shared -O2 -o bcryptprimitives.dll random.c -ladvapi32";
        passed(
            Run::new("x86_64-w64-mingw32-gcc".into(), "x86_64-w64-mingw32-gcc", dll).within(&wine.folder),
        )?;
        // One that was left running, with another time to stay.
        wine.end();
        passed(wine.within(Run::new("wineserver".into(), "wineserver", SERVER)))?;
        if !wine.path("prefix/system.reg").exists() {
            let boot = format!("300 {} wineboot -i", wine.steady);
            passed(wine.within(Run::new("timeout".into(), "timeout", &boot)))?;
        }
        Ok(wine)
    }

    /// Ends its server, if there is one, and whatever is still running in it.
    fn end(&self) {
        self.within(Run::new("timeout".into(), "timeout", "60 wineserver -k")).run();
    }

    /// The variables that lead a program to this wine.
    fn within(&self, run: Run) -> Run {
        run.with("WINEPATH", &self.folder)
            .with("WINEPREFIX", &format!("{}/prefix", self.folder))
            // Neither messages nor windows, nor a debugger, nor offers to install further packages.
            .with("WINEDEBUG", "-all")
            .with("WINEDLLOVERRIDES", "mscoree,mshtml,winedbg.exe=")
            .without(&["DISPLAY"])
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }

    /// A command of cargo that builds for Windows and runs under wine.
    fn cargo(&self, args: &str) -> Run {
        self.limited(LIMIT, args)
    }

    /// The same with this many seconds for each program.
    fn limited(&self, limit: u32, args: &str) -> Run {
        let args = format!("{args} --target {TARGET}");
        self.within(self.debian.cargo(&self.folder, &self.sysroot, &args))
            .with("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc")
            .with(
                "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER",
                &format!("timeout {limit} {} wine", self.steady),
            )
    }

    /// The lints of packages in which something is compiled for Windows only. The core has nothing of the kind.
    fn clippy(&self, packages: &str) -> Outcome {
        let args = format!("clippy {packages} --all-targets --target {TARGET} -- -D warnings");
        self.debian.clippy(&self.folder, &self.sysroot, &args).run()
    }

    /// Checks for those targets whose programs are not run.
    fn others(&self) -> Outcome {
        let flag = match sysroot::flag(&self.debian, &CHECKED, &OTHERS) {
            Ok(flag) => flag,
            Err(outcome) => return outcome,
        };
        let targets = OTHERS.map(|target| format!("--target {target}")).join(" ");
        let args = format!("check --keep-going {} {targets}", crates::WINDOWS_LIBRARIES);
        self.debian.cargo(&self.folder, &flag, &args).run()
    }

    /// A native process and one under wine in one region.
    fn border(&self) -> Outcome {
        if let Err(outcome) = passed(self.cargo("build --example two_systems")) {
            return outcome;
        }
        let other = self.path(TARGET).join("debug/examples/two_systems.exe");
        let test = format!("{LIMIT} {} cargo test -p strait --test border", self.steady);
        self.within(Run::new("timeout".into(), "timeout", &test))
            .with("STRAIT_WINDOWS_SIDE", &other.to_string_lossy())
            .run()
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs what must pass before anything else can.
fn passed(run: Run) -> Result<(), Outcome> {
    match run.run() {
        Outcome::Passed => Ok(()),
        other => Err(other),
    }
}

/// Runs the tests that are for Windows too.
pub fn windows() -> Outcome {
    let wine = match Wine::new() {
        Ok(wine) => wine,
        Err(outcome) => return outcome,
    };
    let system = format!("test {} --features embedded-io-07 --lib --tests", crates::WINDOWS_SYSTEM);
    parts_and_nightly(
        &[
            ("clippy", &|| wine.clippy(crates::WINDOWS_ONLY)),
            ("system", &|| wine.cargo(&system).run()),
            ("strait", &|| wine.cargo(&format!("test -p strait {FACADE}")).run()),
            ("examples", &|| examples::each(|args| wine.limited(examples::LIMIT, args).run())),
            ("border", &|| wine.border()),
        ],
        &[
            ("other targets", &|| wine.others()),
            // It makes no system call.
            ("core", &|| wine.cargo("test -p strait-core --lib --tests").run()),
            ("clippy of the tool", &|| wine.clippy("-p strait-cli")),
            ("tool", &|| wine.cargo("test -p strait-cli").run()),
        ],
    )
}
