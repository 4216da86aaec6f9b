//! The error of taking part in an open region once more.

use core::fmt;

use strait_core::format::AttachError;
use strait_core::format::participants::TableFull;

/// Error of [`SystemPort::join_again`](crate::SystemPort::join_again). Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// The region was opened for reading only, or by the parent of this forked process.
    ReadOnly,
    /// There is no free place for this domain in the participant table.
    TableFull,
    /// The region was damaged since it was opened.
    Attach(AttachError),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => f.write_str(
                "this process has the region open for reading only, or inherited it by a fork; open it for writing",
            ),
            Self::TableFull => TableFull.fmt(f),
            Self::Attach(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JoinError {}
