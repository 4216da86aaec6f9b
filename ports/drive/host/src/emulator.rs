//! The emulator with the drive in it: a process that can be killed and started again. A file says what its state is, as the
//! kernel's `remoteproc` does of a core.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Killed when dropped.
pub struct Emulator<'a> {
    line: &'a [String],
    file: String,
    state: PathBuf,
    child: Child,
}

/// What the kernel says of a core that it has stopped, and while it starts one.
const OFFLINE: &str = "offline\n";
/// What it says once the core has been started.
const RUNNING: &str = "running\n";

/// Where the state of a drive over this file is.
pub fn state_of(file: &str) -> PathBuf {
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    std::env::temp_dir().join(format!("{name}.state"))
}

impl<'a> Emulator<'a> {
    /// Starts the drive over this file.
    pub fn start(line: &'a [String], file: &str) -> io::Result<Self> {
        let state = state_of(file);
        fs::write(&state, OFFLINE)?;
        let child = spawn(line, file)?;
        let emulator = Self { line, file: file.into(), state, child };
        fs::write(&emulator.state, RUNNING)?;
        Ok(emulator)
    }

    /// Ends it at whatever instruction it is.
    pub fn kill(&mut self) {
        // Fails only for a child that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Where this fails, the state is that of a drive that runs, and proves nothing.
        let _ = fs::write(&self.state, OFFLINE);
    }

    /// Starts it again.
    pub fn restart(&mut self) -> io::Result<()> {
        self.child = spawn(self.line, &self.file)?;
        fs::write(&self.state, RUNNING)
    }

    /// Waits for it to end by itself, with success.
    pub fn end(&mut self) -> io::Result<()> {
        for _ in 0..6_000 {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) };
            }
            sleep(Duration::from_millis(10));
        }
        Err(io::Error::other("the drive does not stop"))
    }
}

impl Drop for Emulator<'_> {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_file(&self.state);
    }
}

fn spawn(line: &[String], file: &str) -> io::Result<Child> {
    let (program, words) = line.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let words = words.iter().map(|word| word.replace("FILE", file));
    Command::new(program).args(words).stdin(Stdio::null()).spawn()
}
