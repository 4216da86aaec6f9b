//! What differs between systems: here Windows.

use strait::Options;
use strait::windows::Sid;

use super::Result;

/// Options for a region that every user of the machine may write to.
pub fn for_everybody() -> Options {
    Options::new().group(Sid::USERS)
}

/// Would make this process another user's, which here takes that user's password: false.
pub fn become_nobody() -> Result<bool> {
    Ok(false)
}
