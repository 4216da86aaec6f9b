//! The emulator with the drive in it: a process that can be killed and started again.

use std::io;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Killed when dropped.
pub struct Emulator<'a> {
    line: &'a [String],
    file: String,
    child: Child,
}

impl<'a> Emulator<'a> {
    /// Starts the drive over this file.
    pub fn start(line: &'a [String], file: &str) -> io::Result<Self> {
        Ok(Self { line, file: file.into(), child: spawn(line, file)? })
    }

    /// Ends it at whatever instruction it is.
    pub fn kill(&mut self) {
        // Fails only for a child that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again.
    pub fn restart(&mut self) -> io::Result<()> {
        self.child = spawn(self.line, &self.file)?;
        Ok(())
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
    }
}

fn spawn(line: &[String], file: &str) -> io::Result<Child> {
    let (program, words) = line.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let words = words.iter().map(|word| word.replace("FILE", file));
    Command::new(program).args(words).stdin(Stdio::null()).spawn()
}
