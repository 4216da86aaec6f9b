//! Security descriptors as text.

use core::fmt;

use strait_os_base::OsError;

use super::Descriptor;

/// A security descriptor in the system's own language (SDDL), checked.
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> Result<(), strait_os_windows::SddlError> {
/// use strait_os_windows::Sddl;
/// // The system and its administrators, and nobody else.
/// let few = Sddl::new("D:P(A;;GA;;;SY)(A;;GA;;;BA)")?;
/// # let _ = few;
/// # Ok(())
/// # }
/// # #[cfg(not(windows))] fn main() {}
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sddl {
    bytes: [u8; Self::LONGEST],
    len: u16,
}

impl Sddl {
    /// Bytes of the longest text.
    pub const LONGEST: usize = 510;

    /// Checks the text.
    ///
    /// # Errors
    ///
    /// [`SddlError`].
    pub fn new(text: &str) -> Result<Self, SddlError> {
        let mut bytes = [0; Self::LONGEST];
        let room = bytes.get_mut(..text.len()).ok_or(SddlError::TooLong)?;
        room.copy_from_slice(text.as_bytes());
        Descriptor::parse(text).map_err(SddlError::Malformed)?;
        Ok(Self { bytes, len: text.len() as u16 })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        // It was text when it was copied, and has not changed.
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for Sddl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Why a text is no security descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SddlError {
    /// It is longer than [`Sddl::LONGEST`] bytes.
    TooLong,
    /// The system cannot read it.
    Malformed(OsError),
}

impl fmt::Display for SddlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the security descriptor is too long; 510 bytes are the most"),
            Self::Malformed(error) => {
                write!(
                    f,
                    "the security descriptor cannot be read ({error}); see SDDL in Windows' own documents"
                )
            }
        }
    }
}

impl core::error::Error for SddlError {}
