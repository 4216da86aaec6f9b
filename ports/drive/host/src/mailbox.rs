//! A mailbox between this process and the firmware: the emulator's serial line, in which each byte rings. On this side the
//! doorbells of strait are eventfds, so a thread for each direction passes the rings on.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use strait::SystemPort;
use strait::linux::{EventPort, doorbell};
use strait::options::WaitPolicy;
use strait::unix::wait_ready_or_readable;

/// The lines that lead to the emulator's runs, one after another; the last one is in use.
#[derive(Clone)]
pub struct Mailbox {
    line: Arc<Mutex<Option<UnixStream>>>,
    ours: Arc<OwnedFd>,
    rung: Arc<AtomicU32>,
}

impl Mailbox {
    /// A mailbox without a line yet, and the port that wakes by it and is woken by it.
    ///
    /// # Errors
    ///
    /// There is no eventfd.
    pub fn new(port: SystemPort) -> io::Result<(Self, EventPort)> {
        let failed = |error| io::Error::other(format!("{error}"));
        let (ours, theirs) = (doorbell().map_err(failed)?, doorbell().map_err(failed)?);
        let mailbox = Self { line: Arc::default(), ours: Arc::new(ours.try_clone()?), rung: Arc::default() };
        let to_drive = mailbox.clone();
        let (bell, own) = (theirs.try_clone()?, port.clone());
        thread::spawn(move || to_drive.pass_on(&bell, &own));
        Ok((mailbox, EventPort::new(port, ours, vec![theirs])))
    }

    /// How often the firmware has rung, in all its runs.
    #[must_use]
    pub fn rung(&self) -> u32 {
        self.rung.load(Ordering::Relaxed)
    }

    /// Uses this line from now on.
    ///
    /// # Errors
    ///
    /// It cannot be used twice.
    pub fn connect(&self, line: UnixStream) -> io::Result<()> {
        let (from_drive, mailbox) = (line.try_clone()?, self.clone());
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
        thread::spawn(move || mailbox.listen(from_drive));
        Ok(())
    }

    /// Rings the drive whenever somebody here wakes it.
    fn pass_on(&self, bell: &OwnedFd, port: &SystemPort) {
        let Ok(mut counter) = bell.try_clone().map(File::from) else { return };
        loop {
            let bells = [bell.as_fd()];
            // It ends early, and after its time: then there is nothing to be read.
            let _ =
                wait_ready_or_readable(port, &mut [], &bells, WaitPolicy::parking(), Duration::from_secs(1));
            if counter.read(&mut [0; 8]).is_ok() {
                let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
                // The drive may be gone; the next run finds what is there without a ring.
                let _ = line.as_ref().map(|mut line| line.write(&[0]));
            }
        }
    }

    /// Rings here whenever the drive does, until it is gone.
    fn listen(&self, mut line: UnixStream) {
        let Ok(mut counter) = self.ours.try_clone().map(File::from) else { return };
        let mut bytes = [0; 64];
        while let Ok(count @ 1..) = line.read(&mut bytes) {
            self.rung.fetch_add(count as u32, Ordering::Relaxed);
            let _ = counter.write(&1_u64.to_ne_bytes());
        }
    }
}
