//! Why a task's wait for a change has ended without one.

use core::fmt;

/// Error of a task's wait for a latest value or an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeError {
    /// The writer is proven dead, or it was there and has left; nobody has taken over yet, and all that it published was
    /// read. Only where [`end_with_writer`](crate::LatestReader::end_with_writer) is set, for events
    /// [`end_with_notifier`](crate::Listener::end_with_notifier).
    PeerGone,
    /// The region was [removed, or made anew](crate::port::Port::is_current), and the writer is absent or dead: nobody can
    /// come to publish in this one. All that was published was read. Asked once a
    /// [probe period](crate::WaitPolicy::probe).
    Replaced,
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PeerGone => {
                "the channel has no value after the last one read, and its writer is gone; start one, and wait again"
            }
            Self::Replaced => {
                "the channel has no value after the last one read, and its region's name leads to another one or to none, \
                 so no writer can come; open it again"
            }
        })
    }
}

impl core::error::Error for ChangeError {}
