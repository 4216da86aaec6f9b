//! `getrandom`, which answers requests as short as ours in full or not at all.

use nix::errno::Errno;
use nix::libc;
use strait_os_base::OsError;

/// Interruptions before the machine's pool is ready that are put up with.
const TRIES: u32 = 100;

pub(super) fn fill(bytes: &mut [u8; 8]) -> Result<(), OsError> {
    let mut last = Errno::EINTR;
    for _ in 0..TRIES {
        // SAFETY: the pointer and the length name the whole array.
        let result = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        match Errno::result(result) {
            Ok(got) if got as usize == bytes.len() => return Ok(()),
            Err(error) if error != Errno::EINTR => {
                last = error;
                break;
            }
            _ => {}
        }
    }
    Err(OsError::new("getrandom", last as i32))
}
