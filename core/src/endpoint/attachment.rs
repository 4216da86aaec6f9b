//! A view of a checked region. Each endpoint's file has the methods by which the attachment opens it.

use crate::ground::entry::Entry;
use crate::ground::header::{AttachError, Header};
use crate::ground::kind::Kind;
use crate::ground::lane::Lane;
use crate::ground::message::ValueType;
use crate::ground::port::Port;

use super::error::ChannelError;

/// A region whose header has been checked, seen through a port.
///
/// Endpoints opened here own a clone of the port and outlive the attachment.
#[derive(Clone)]
pub struct Attachment<P: Port> {
    port: P,
    header: Header,
    trusted: bool,
}

impl<P: Port> Attachment<P> {
    /// Checks the region's header and attaches. Steps in proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`AttachError`], by the first check that fails.
    pub fn attach(port: P) -> Result<Self, AttachError> {
        let header = Header::check(port.mem())?;
        header.check_cache(port.cache())?;
        Ok(Self { port, header, trusted: false })
    }

    /// Lets the grants and peeked frames of endpoints opened from here on give slices of the shared
    /// memory itself. This is a promise, so it is unsafe:
    ///
    /// ```compile_fail,E0133
    /// fn trust<P: strait_core::port::Port>(attachment: strait_core::Attachment<P>) {
    ///     attachment.trusting_peers();
    /// }
    /// ```
    ///
    /// # Safety
    ///
    /// Every participant that can write to the region must keep the protocol for as long as such a
    /// slice lives: nobody writes to a frame between its publication and its release, this program neither, which could
    /// through the region's [`Mem`](crate::port::Mem), as `format::initialise` does. A forked child
    /// must not use slices that it inherited. And the memory is ordinary memory to the processor: no device's,
    /// in which what a compiler makes of a copy may fault.
    #[must_use]
    pub unsafe fn trusting_peers(mut self) -> Self {
        self.trusted = true;
        self
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> &P {
        &self.port
    }

    /// The header, as it was at attach.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted && crate::ground::sync::HAS_SLICES
    }

    /// The channels that this version knows, in the directory's order. Damaged ones are left out.
    pub fn channels(&self) -> impl Iterator<Item = Entry> {
        self.header.channels(self.port.mem())
    }

    /// The channel of this name; of one with several producers, the first lane. Steps in proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NotFound`], or `Damaged` if its entry contradicts itself.
    pub fn channel(&self, name: &str) -> Result<Entry, ChannelError> {
        self.find(name).map(|(_, entry)| entry)
    }

    /// The first entry of this name, and its place in the directory.
    pub(super) fn find(&self, name: &str) -> Result<(u32, Entry), ChannelError> {
        let mem = self.port.mem();
        for i in 0..self.header.channel_count {
            match self.header.entry(mem, i) {
                Ok(entry) if entry.name() == Some(name) => return Ok((i, entry)),
                Err(Some(what)) if self.header.is_named(mem, i, name) => {
                    return Err(ChannelError::Damaged(what));
                }
                _ => {}
            }
        }
        Err(ChannelError::NotFound)
    }

    /// The channel of this name, which must be of this kind and have one producer.
    pub(super) fn of_kind(&self, name: &str, kind: Kind) -> Result<Entry, ChannelError> {
        let entry = self.channel(name)?;
        check_kind(&entry, kind)?;
        check_alone(&entry)?;
        Ok(entry)
    }

    /// The channel of this name, which must be of this kind and carry values of this type.
    pub(super) fn of_type(&self, name: &str, kind: Kind, values: ValueType) -> Result<Entry, ChannelError> {
        let entry = self.of_kind(name, kind)?;
        if entry.carries_type(values) { Ok(entry) } else { Err(ChannelError::Type) }
    }
}

/// Checks that a channel is of this kind.
pub(super) fn check_kind(entry: &Entry, kind: Kind) -> Result<(), ChannelError> {
    if entry.kind == kind { Ok(()) } else { Err(ChannelError::Kind { found: entry.kind }) }
}

/// Checks that a channel has one producer, and one consumer.
pub(super) fn check_alone(entry: &Entry) -> Result<(), ChannelError> {
    let Lane { count, .. } = entry.lane;
    if count == 1 { check_one_consumer(entry) } else { Err(ChannelError::Lanes { count }) }
}

/// Checks that a channel has one consumer.
pub(super) fn check_one_consumer(entry: &Entry) -> Result<(), ChannelError> {
    match entry.fanout.count {
        0 => Ok(()),
        count => Err(ChannelError::Consumers { count }),
    }
}
