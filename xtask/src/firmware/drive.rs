//! Firmware that shares memory with a Linux process, or with firmware of another instruction set: the
//! memory of an emulator is a file that others map too.

use std::fs::{self, File};

use crate::native;
use crate::run::{Outcome, Run, together};

use super::lab::{LIMIT, Lab, verdict};
use super::trial::Trial;

/// The emulators take a file of exactly their memory's length.
const MEMORY: u64 = 16 << 20;
/// The placeholder for the file in a command line.
const FILE: &str = "FILE";
const SHARED: &str = "-m 16M -object memory-backend-file,id=ram,size=16M,mem-path=FILE,share=on -display none \
                      -monitor none -serial none -semihosting";

/// A Cortex-M3, whose external memory is the file.
fn cortex_m3(lab: &Lab, program: &str) -> String {
    let image = lab.image("thumbv7m-none-eabi", program);
    format!("qemu-system-arm -M mps2-an385,memory-backend=ram {SHARED} -kernel {image}")
}

/// A Cortex-M33, whose external memory is the file.
fn cortex_m33(lab: &Lab, program: &str) -> String {
    let image = lab.image("thumbv8m.main-none-eabi", program);
    format!("qemu-system-arm -M mps2-an521,memory-backend=ram {SHARED} -kernel {image}")
}

/// A RISC-V, all of whose memory is the file; the program is loaded to where it belongs in it.
fn riscv(lab: &Lab, program: &str) -> String {
    let image = lab.image("riscv32imc-unknown-none-elf", program);
    format!(
        "qemu-system-riscv32 -M virt,memory-backend=ram -cpu rv32,a=false,f=false,d=false -bios none {SHARED} \
         -device loader,file={image},cpu-num=0"
    )
}

/// Builds and runs them.
pub fn run(lab: &Lab) -> Outcome {
    let build = |target| lab.build("drive-firmware", target);
    let builds = [
        ("build for thumbv7m", build("thumbv7m-none-eabi")),
        ("build for thumbv8m.main", build("thumbv8m.main-none-eabi")),
        ("build for riscv32imc", build("riscv32imc-unknown-none-elf")),
        ("lints for the host", for_host(lab, "clippy", "-- -D warnings")),
        ("build for the host", for_host(lab, "build", "")),
        ("build the tool", native::tool().run()),
    ];
    match together(&builds) {
        Outcome::Passed => {}
        failed => return failed,
    }
    together(&[
        ("a Cortex-M3", against_linux(lab, "Linux and a Cortex-M3", &cortex_m3(lab, "drive"))),
        ("a RISC-V", against_linux(lab, "Linux and a RISC-V", &riscv(lab, "drive"))),
        (
            "patterns and a Cortex-M3",
            patterns(lab, "patterns: Linux and a Cortex-M3", &cortex_m3(lab, "patterns")),
        ),
        ("patterns and a RISC-V", patterns(lab, "patterns: Linux and a RISC-V", &riscv(lab, "patterns"))),
        ("two cores", two_cores(lab)),
    ])
}

fn for_host(lab: &Lab, command: &str, further: &str) -> Outcome {
    Run::cargo(&format!("{command} --locked -p drive-host -p drive-link {further}"))
        .with("CARGO_TARGET_DIR", &lab.folder)
        .within("ports")
        .run()
}

fn against_linux(lab: &Lab, title: &str, drive: &str) -> Outcome {
    let line = format!("{}/debug/drive-host {} {drive}", lab.folder, native::TOOL);
    verdict(title, Trial::start(&line).and_then(|host| host.verdict(LIMIT)))
}

/// Calls, a log of two lanes and a broadcast between Linux and firmware, which is killed.
fn patterns(lab: &Lab, title: &str, drive: &str) -> Outcome {
    let line = format!("{}/debug/patterns-host {drive}", lab.folder);
    verdict(title, Trial::start(&line).and_then(|host| host.verdict(LIMIT)))
}

fn two_cores(lab: &Lab) -> Outcome {
    let (controller, drive) = (cortex_m33(lab, "controller"), riscv(lab, "drive"));
    let file = format!("{}/shared-by-two", lab.folder);
    let both = new_file(&file).and_then(|()| {
        let drive = Trial::start(&drive.replace(FILE, &file))?;
        let controller = Trial::start(&controller.replace(FILE, &file))?.verdict(LIMIT)?;
        drive.verdict(LIMIT)?;
        Ok(controller)
    });
    let _ = fs::remove_file(&file);
    verdict("a Cortex-M33 and a RISC-V", both)
}

fn new_file(path: &str) -> Result<(), String> {
    File::create(path).and_then(|file| file.set_len(MEMORY)).map_err(|error| format!("{path}: {error}"))
}
