//! The guide's section for a chip with Linux and a microcontroller: the kernel's `remoteproc` is played, with a text file
//! as the core's state, and an emulator as the core.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::run::{Outcome, Run, together};

use super::drive::{MEMORY, Machine, for_host};
use super::lab::{LIMIT, Lab, verdict};
use super::trial::{LOOK, Trial};

/// What the Linux program says of the chip, with `FILE` and `STATE` for what is there instead of it.
const PLACES: [(&str, &str); 3] = [
    ("RegionWindow::uio(0, 0)?", "RegionWindow::new(\"FILE\", 0)"),
    ("RemoteWatch::remoteproc(0, 1)?", "RemoteWatch::state_file(\"STATE\", 1)?"),
    ("/sys/class/remoteproc/remoteproc0/state", "STATE"),
];

/// The shared memory and the core's state.
pub struct Files {
    memory: String,
    state: String,
}

impl Files {
    /// In this folder.
    pub fn within(folder: &str) -> Self {
        Self { memory: format!("{folder}/memory"), state: format!("{folder}/state") }
    }

    /// The Linux program, with these in place of the chip's.
    ///
    /// # Errors
    ///
    /// The program names something of the chip other than once.
    pub fn in_place(&self, mut program: String) -> Result<String, String> {
        for (theirs, ours) in PLACES {
            let count = program.matches(theirs).count();
            if count != 1 {
                return Err(format!("the Linux program has `{theirs}` {count} times, not once"));
            }
            program =
                program.replace(theirs, &ours.replace("FILE", &self.memory).replace("STATE", &self.state));
        }
        Ok(program)
    }
}

/// Builds the Linux program of `folder`, and runs it beside the firmware `image`; the memory has the length that the guide's
/// device tree gives it.
pub fn run(lab: &Lab, guide: &str, folder: &str, image: &str, files: &Files) -> Outcome {
    let target = format!("{folder}/build");
    let build = Run::cargo("build")
        .with("CARGO_TARGET_DIR", &target)
        .with("CARGO_PROFILE_DEV_DEBUG", "0")
        .within(&format!("{folder}/my-linux"));
    match together(&[("build for Linux", build.run()), ("the loader", for_host(lab, "build", ""))]) {
        Outcome::Passed => {}
        failed => return failed,
    }
    let machine = Machine::cortex_m3(image.into());
    let message = length(guide).and_then(|len| {
        // After power-on memory holds anything, and a device's file is its owner's alone.
        fs::write(&files.memory, vec![0xA5; MEMORY as usize])
            .map_err(|error| format!("{}: {error}", files.memory))?;
        Trial::start(&format!("chmod 600 {}", files.memory))?.output(LIMIT)?;
        set(files, "offline")?;
        let program = Trial::start(&format!("{target}/debug/my-linux"))?;
        play(program, files, || machine.start(lab, &files.memory, len))
    });
    verdict("the guide's Linux program and microcontroller", message)
}

/// The memory's length in the device tree, which is there twice.
fn length(guide: &str) -> Result<&str, String> {
    let mut lengths = guide.lines().filter_map(|line| {
        let (_, len) = line.trim().strip_prefix("reg = <")?.strip_suffix(">;")?.split_once(' ')?;
        Some(len)
    });
    match (lengths.next(), lengths.next(), lengths.next()) {
        (Some(first), Some(second), None) if first == second => Ok(first),
        _ => Err("the guide's device tree does not give the memory one length, twice".into()),
    }
}

fn set(files: &Files, state: &str) -> Result<(), String> {
    fs::write(&files.state, format!("{state}\n")).map_err(|error| format!("{}: {error}", files.state))
}

/// Starts and stops a core as this program writes it into the state file, until the program ends.
fn play(
    mut program: Trial,
    files: &Files,
    start: impl Fn() -> Result<Trial, String>,
) -> Result<String, String> {
    let (begin, mut core) = (Instant::now(), None);
    while program.runs() && begin.elapsed() < LIMIT {
        let state = fs::read_to_string(&files.state).map_err(|error| format!("{}: {error}", files.state))?;
        match state.trim() {
            // Nobody may see a message before this, so nobody writes the next word in the meantime.
            "start" => {
                set(files, "running")?;
                core = Some(start()?);
            }
            "stop" => {
                drop(core.take().ok_or("stopped without being started")?);
                set(files, "offline")?;
            }
            _ => sleep(LOOK),
        }
    }
    let proved = program.verdict(LIMIT);
    if let (Err(_), Some(core)) = (&proved, core) {
        let _ = core.output(Duration::ZERO); // Which shows it.
    }
    proved
}

#[cfg(test)]
mod tests {
    use super::{Files, length};

    #[test]
    fn the_chip_is_replaced_once_each() {
        let files = Files { memory: "/m".into(), state: "/s".into() };
        let [window, watch] = ["RegionWindow::uio(0, 0)?", "RemoteWatch::remoteproc(0, 1)?"];
        let path = "\"/sys/class/remoteproc/remoteproc0/state\"";
        assert_eq!(
            files.in_place(format!("{window} {watch} {path}")).as_deref(),
            Ok("RegionWindow::new(\"/m\", 0) RemoteWatch::state_file(\"/s\", 1)? \"/s\"")
        );
        for program in [format!("{window} {watch}"), format!("{window} {watch} {watch} {path}")] {
            assert!(files.in_place(program).unwrap_err().contains("not once"));
        }
    }

    #[test]
    fn the_device_tree_has_one_length() {
        let reg = |len| format!("    reg = <0x1000 {len}>;\n");
        assert_eq!(length(&(reg("0x200") + "no-map;\n" + &reg("0x200"))), Ok("0x200"));
        for text in [reg("0x200"), reg("0x200") + &reg("0x100"), reg("0x200").repeat(3)] {
            assert!(length(&text).is_err(), "{text}");
        }
    }
}
