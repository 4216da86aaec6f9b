//! One writer that never waits, and readers that each get every value, or the number of those they lost.

mod error;
mod reader;
mod writer;

use crate::endpoint::attachment::Attachment;
use crate::endpoint::error::ChannelError;
use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::port::Port;

pub use crate::protocol::broadcast::Start as BroadcastStart;
pub use error::{BroadcastRecvError, BroadcastTryRecvError};
pub use reader::BroadcastReader;
pub use writer::BroadcastWriter;

impl<P: Port> Attachment<P> {
    /// The broadcast of this name, if `suits` accepts it.
    fn broadcast(&self, name: &str, suits: impl FnOnce(&Entry) -> bool) -> Result<Entry, ChannelError> {
        let entry = self.of_kind(name, Kind::Broadcast)?;
        if suits(&entry) { Ok(entry) } else { Err(ChannelError::Type) }
    }
}
