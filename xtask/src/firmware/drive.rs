//! Firmware that shares memory with a Linux process, or with firmware of another instruction set: the
//! memory of an emulator is a file that others map too.

use std::fs::{self, File};
use std::time::Duration;

use crate::native;
use crate::run::{Outcome, Run, together};

use super::lab::{LIMIT, Lab, verdict};
use super::trial::Trial;

/// The emulators take a file of exactly their memory's length.
pub const MEMORY: u64 = 16 << 20;
/// What is the firmware's of it, in hexadecimal.
const SHARED_LEN: &str = "100000";
/// The placeholders in a command line: for the shared file, and for the firmware.
const FILE: &str = "FILE";
const IMAGE: &str = "IMAGE";
const SHARED: &str = "-m 16M -object memory-backend-file,id=ram,size=16M,mem-path=FILE,share=on -display none \
                      -semihosting";
/// What nobody outside stops or rings.
const ALONE: &str = "-monitor none -serial none";
/// What can be stopped and reset from outside, by sockets beside the file.
const CONTROL: &str = "-chardev socket,id=control,path=FILE.control -mon chardev=control,mode=control";
/// A mailbox, besides.
const MAILBOX: &str = "-chardev socket,id=mailbox,path=FILE.mailbox -serial chardev:mailbox";

/// A machine that shares its memory, with firmware for it.
pub struct Machine {
    image: String,
    /// Where its core sees the shared memory.
    address: &'static str,
    emulator: String,
}

impl Machine {
    /// A Cortex-M3, whose external memory is the file.
    pub fn cortex_m3(image: String) -> Self {
        Self {
            image,
            address: "0x21000000",
            emulator: format!("qemu-system-arm -M mps2-an385,memory-backend=ram {SHARED} -kernel {IMAGE}"),
        }
    }

    /// A Cortex-M33, whose external memory is the file.
    fn cortex_m33(lab: &Lab, program: &str) -> Self {
        Self {
            image: lab.image("thumbv8m.main-none-eabi", program),
            address: "0x80000000",
            emulator: format!("qemu-system-arm -M mps2-an521,memory-backend=ram {SHARED} -kernel {IMAGE}"),
        }
    }

    /// A RISC-V, all of whose memory is the file; the program is loaded to where it belongs in it.
    fn riscv(lab: &Lab, program: &str) -> Self {
        Self {
            image: lab.image("riscv32imc-unknown-none-elf", program),
            address: "0x80000000",
            emulator: format!(
                "qemu-system-riscv32 -M virt,memory-backend=ram -cpu rv32,a=false,f=false,d=false -bios none {SHARED} \
                 -device loader,file={IMAGE},cpu-num=0"
            ),
        }
    }

    /// For a program that loads and stops it: the firmware, the address, and the emulator.
    fn words(&self, options: &str) -> String {
        format!("{} {} {} {options}", self.image, self.address, self.emulator)
    }

    /// Loads the firmware as remoteproc does, and starts it over this file, of which so many bytes are shared.
    pub fn start(&self, lab: &Lab, file: &str, len: &str) -> Result<Trial, String> {
        let filled = format!("{}.filled", self.image);
        let line = format!("{}/debug/load {} {filled} {} {len}", lab.folder, self.image, self.address);
        Trial::start(&line)?.verdict(LIMIT)?;
        Trial::start(&format!("{} {ALONE}", self.emulator).replace(IMAGE, &filled).replace(FILE, file))
    }
}

/// Builds and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let build = |target| lab.build("drive-firmware", target);
    let builds = [
        ("build for thumbv7m", build("thumbv7m-none-eabi")),
        ("build for thumbv8m.main", build("thumbv8m.main-none-eabi")),
        ("build for riscv32imc", build("riscv32imc-unknown-none-elf")),
        ("lints for the host", for_host(lab, "clippy", "--all-targets -- -D warnings")),
        ("tests of the loader", for_host(lab, "test", "--lib")),
        ("build for the host", for_host(lab, "build", "")),
        ("build the tool", native::tool().run()),
    ];
    match together(&builds) {
        Outcome::Passed => {}
        failed => return failed,
    }
    let m3 = |lab: &Lab, program: &str| Machine::cortex_m3(lab.image("thumbv7m-none-eabi", program));
    let riscv = Machine::riscv;
    together(&[
        ("a Cortex-M3", against_linux(lab, "Linux and a Cortex-M3", &m3(lab, "drive"))),
        ("a RISC-V", against_linux(lab, "Linux and a RISC-V", &riscv(lab, "drive"))),
        ("patterns and a Cortex-M3", patterns(lab, "patterns: Linux and a Cortex-M3", &m3(lab, "patterns"))),
        ("patterns and a RISC-V", patterns(lab, "patterns: Linux and a RISC-V", &riscv(lab, "patterns"))),
        ("two cores", two_cores(lab)),
    ])
}

/// Builds, lints or tests what runs beside the emulators.
pub fn for_host(lab: &Lab, command: &str, further: &str) -> Outcome {
    Run::cargo(&format!("{command} --locked -p drive-host -p drive-link {further}"))
        .with("CARGO_TARGET_DIR", &lab.folder)
        .within("ports")
        .run()
}

/// The drive may be told to be stopped more often, which takes a second each at most.
fn against_linux(lab: &Lab, title: &str, drive: &Machine) -> Outcome {
    let stops = std::env::var("STRAIT_DRIVE_RUNS").ok().and_then(|stops| stops.parse().ok()).unwrap_or(0);
    let words = drive.words(&format!("{CONTROL} {MAILBOX}"));
    let line = format!("{}/debug/drive-host {} {words}", lab.folder, native::TOOL);
    verdict(title, Trial::start(&line).and_then(|host| host.verdict(LIMIT + Duration::from_secs(stops))))
}

/// Calls, a log of two lanes and a broadcast between Linux and firmware, which is stopped.
fn patterns(lab: &Lab, title: &str, drive: &Machine) -> Outcome {
    let words = drive.words(&format!("{CONTROL} -serial none"));
    let line = format!("{}/debug/patterns-host {words}", lab.folder);
    verdict(title, Trial::start(&line).and_then(|host| host.verdict(LIMIT)))
}

fn two_cores(lab: &Lab) -> Outcome {
    let (controller, drive) = (Machine::cortex_m33(lab, "controller"), Machine::riscv(lab, "drive"));
    let file = format!("{}/shared-by-two", lab.folder);
    let both = new_file(&file).and_then(|()| {
        let drive = drive.start(lab, &file, SHARED_LEN)?;
        let controller = controller.start(lab, &file, SHARED_LEN)?.verdict(LIMIT)?;
        drive.verdict(LIMIT)?;
        Ok(controller)
    });
    let _ = fs::remove_file(&file);
    verdict("a Cortex-M33 and a RISC-V", both)
}

fn new_file(path: &str) -> Result<(), String> {
    File::create(path).and_then(|file| file.set_len(MEMORY)).map_err(|error| format!("{path}: {error}"))
}
