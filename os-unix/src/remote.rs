//! What the kernel or a hypervisor says of the firmware or machine on the other side of shared memory.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{Ordering, fence};

use nix::libc;
use strait_core::port::RELAXED;
use strait_os_base::OsError;

use crate::fd;
use crate::window::MappedWindow;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It runs.
    Runs,
    /// It has crashed, and may run on until it is stopped.
    Crashed,
    /// It is stopped, or is being started.
    Stopped,
    /// Nothing that would be proof of anything.
    Nothing,
}

/// Longer than any state's name.
const LONGEST: usize = 32;

/// Who says it.
#[derive(Debug)]
pub enum Source {
    /// The file `state` of a device of `remoteproc`. It is kept open: of a device that is gone and came back, it says nothing.
    File(File),
    /// A state table of `ivshmem` of version 2, and the offset of the peer's word in it.
    Table(MappedWindow, u32),
}

impl Source {
    /// Opens a state file.
    pub fn file(path: &Path) -> Result<Self, OsError> {
        File::options()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .and_then(fd::keep)
            .map(Self::File)
            .map_err(|error| OsError::io("open", &error))
    }

    /// The word of this peer in a state table; `None` if the table is too short.
    #[must_use]
    pub fn table(window: MappedWindow, peer: u32) -> Option<Self> {
        let at = peer.checked_mul(4)?;
        window.mem().word(at)?;
        Some(Self::Table(window, at))
    }

    /// Asks. Whatever the caller has read from the region before, it has read before the state.
    #[must_use]
    pub fn said(&self) -> Said {
        // ORDERING: Acquire; the caller's loads come before the look at the state.
        fence(Ordering::Acquire);
        match self {
            Self::File(file) => {
                let mut text = [0; LONGEST];
                match file.read_at(&mut text, 0) {
                    Ok(len) => of_text(text.get(..len).unwrap_or_default()),
                    Err(_) => Said::Nothing,
                }
            }
            Self::Table(window, at) => {
                // ORDERING: Relaxed, between two fences.
                let word = window.mem().word(*at).map(|word| word.load(RELAXED));
                // ORDERING: Acquire; a hypervisor writes zero when all that the peer did is done.
                fence(Ordering::Acquire);
                match word {
                    Some(0) => Said::Stopped,
                    Some(_) => Said::Runs,
                    None => Said::Nothing,
                }
            }
        }
    }
}

/// By the names of Linux' drivers/remoteproc.
fn of_text(text: &[u8]) -> Said {
    match text.trim_ascii() {
        b"running" | b"attached" => Said::Runs,
        b"crashed" => Said::Crashed,
        b"offline" => Said::Stopped,
        _ => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, of_text};

    #[test]
    fn the_kernels_names_are_known_and_others_prove_nothing() {
        for (text, said) in [
            ("running\n", Said::Runs),
            ("attached\n", Said::Runs),
            ("crashed\n", Said::Crashed),
            ("offline\n", Said::Stopped),
            ("suspended\n", Said::Nothing),
            ("detached\n", Said::Nothing),
            ("deleted\n", Said::Nothing),
            ("off", Said::Nothing),
            ("", Said::Nothing),
        ] {
            assert_eq!(of_text(text.as_bytes()), said, "{text}");
        }
    }
}
