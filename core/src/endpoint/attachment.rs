//! A view of a checked region, from which endpoints are opened.

use crate::ground::entry::{Entry, Kind};
use crate::ground::frame::{Frame, ValueType};
use crate::ground::header::{AttachError, Header};
use crate::ground::port::Port;

use super::consumer::Consumer;
use super::error::ChannelError;
use super::latest::{BytesReader, BytesWriter, LatestReader, LatestWriter};
use super::mutex::Mutex;
use super::options::ConsumerOptions;
use super::permits::Permits;
use super::producer::Producer;
use super::semaphore::Semaphore;
use super::typed::{TypedConsumer, TypedProducer};

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
    /// fn trust<P: strait_core::Port>(attachment: strait_core::Attachment<P>) {
    ///     attachment.trusting_peers();
    /// }
    /// ```
    ///
    /// # Safety
    ///
    /// Every participant that can write to the region must keep the protocol for as long as such a
    /// slice lives: nobody writes to a frame between its publication and its release. A forked child
    /// must not use slices that it inherited.
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

    /// The channel of this name. Steps in proportion to the number of channels.
    ///
    /// # Errors
    ///
    /// [`ChannelError::NotFound`], or `Damaged` if its entry contradicts itself.
    pub fn channel(&self, name: &str) -> Result<Entry, ChannelError> {
        let mem = self.port.mem();
        for i in 0..self.header.channel_count {
            match self.header.entry(mem, i) {
                Ok(entry) if entry.name() == Some(name) => return Ok(entry),
                Err(Some(what)) if self.header.is_named(mem, i, name) => {
                    return Err(ChannelError::Damaged(what));
                }
                _ => {}
            }
        }
        Err(ChannelError::NotFound)
    }

    fn of_kind(&self, name: &str, kind: Kind) -> Result<Entry, ChannelError> {
        let entry = self.channel(name)?;
        if entry.kind == kind { Ok(entry) } else { Err(ChannelError::Kind { found: entry.kind }) }
    }

    fn queue_of(&self, name: &str, values: ValueType) -> Result<Entry, ChannelError> {
        let entry = self.channel(name)?;
        if !matches!(entry.kind, Kind::Slots | Kind::Compact) {
            return Err(ChannelError::Kind { found: entry.kind });
        }
        if entry.carries_type(values) { Ok(entry) } else { Err(ChannelError::Type) }
    }

    fn of_type(&self, name: &str, kind: Kind, values: ValueType) -> Result<Entry, ChannelError> {
        let entry = self.of_kind(name, kind)?;
        if entry.carries_type(values) { Ok(entry) } else { Err(ChannelError::Type) }
    }

    /// Claims the producer's role of a queue of frames. If its last owner is proven dead, the role
    /// is taken over with every committed frame in place: then one step a granule of the ring at
    /// most.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn producer(&self, name: &str) -> Result<Producer<P>, ChannelError> {
        Producer::open(self, &self.of_kind(name, Kind::Frames)?)
    }

    /// Claims the consumer's role of a queue of frames, with the default options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn consumer(&self, name: &str) -> Result<Consumer<P>, ChannelError> {
        self.consumer_with(name, ConsumerOptions::new())
    }

    /// Claims the consumer's role of a queue of frames.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn consumer_with(&self, name: &str, options: ConsumerOptions) -> Result<Consumer<P>, ChannelError> {
        Consumer::open(self, &self.of_kind(name, Kind::Frames)?, options)
    }

    /// Claims the producer's role of a queue of values.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_producer<T: Frame>(&self, name: &str) -> Result<TypedProducer<T, P>, ChannelError> {
        TypedProducer::open(self, &self.queue_of(name, ValueType::of::<T>())?)
    }

    /// As [`typed_producer`](Self::typed_producer), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_producer_of(
        &self,
        name: &str,
        values: ValueType,
    ) -> Result<TypedProducer<[u8], P>, ChannelError> {
        TypedProducer::open(self, &self.queue_of(name, values)?)
    }

    /// Claims the consumer's role of a queue of values, with the default options.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_consumer<T: Frame>(&self, name: &str) -> Result<TypedConsumer<T, P>, ChannelError> {
        self.typed_consumer_with(name, ConsumerOptions::new())
    }

    /// Claims the consumer's role of a queue of values.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_consumer_with<T: Frame>(
        &self,
        name: &str,
        options: ConsumerOptions,
    ) -> Result<TypedConsumer<T, P>, ChannelError> {
        TypedConsumer::open(self, &self.queue_of(name, ValueType::of::<T>())?, options)
    }

    /// As [`typed_consumer_with`](Self::typed_consumer_with), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn typed_consumer_of(
        &self,
        name: &str,
        values: ValueType,
        options: ConsumerOptions,
    ) -> Result<TypedConsumer<[u8], P>, ChannelError> {
        TypedConsumer::open(self, &self.queue_of(name, values)?, options)
    }

    /// Claims the writer's role of a latest value.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_writer<T: Frame>(&self, name: &str) -> Result<LatestWriter<T, P>, ChannelError> {
        Ok(LatestWriter::new(self.latest_writer_of(name, ValueType::of::<T>())?))
    }

    /// Opens a reader of a latest value. Claims nothing, stores nothing: a read-only mapping will
    /// do, and any number of readers.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn latest_reader<T: Frame>(&self, name: &str) -> Result<LatestReader<T, P>, ChannelError> {
        Ok(LatestReader::new(BytesReader::open(
            self,
            &self.of_type(name, Kind::Latest, ValueType::of::<T>())?,
        )?))
    }

    /// Opens a handle on a value under a lock. Nothing is claimed: any number of participants may have one.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn mutex<T: Frame>(&self, name: &str) -> Result<Mutex<T, P>, ChannelError> {
        Mutex::open(self, &self.of_type(name, Kind::Mutex, ValueType::of::<T>())?)
    }

    /// As [`mutex`](Self::mutex), of a type that is known at run time.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn mutex_of(&self, name: &str, value: ValueType) -> Result<Mutex<[u8], P>, ChannelError> {
        Mutex::open(self, &self.of_type(name, Kind::Mutex, value)?)
    }

    /// Opens a handle on a counting semaphore.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn semaphore(&self, name: &str) -> Result<Semaphore<P>, ChannelError> {
        Semaphore::open(self, &self.of_kind(name, Kind::Semaphore)?)
    }

    /// Opens a handle on a semaphore whose permits come back from the dead.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn permits(&self, name: &str) -> Result<Permits<P>, ChannelError> {
        Permits::open(self, &self.of_kind(name, Kind::Permits)?)
    }

    /// Claims the writer's role of a latest value of bytes. A channel with a type is refused.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_bytes_writer(&self, name: &str) -> Result<BytesWriter<P>, ChannelError> {
        let entry = self.of_kind(name, Kind::Latest)?;
        if entry.type_hash != 0 {
            return Err(ChannelError::Type);
        }
        BytesWriter::open(self, &entry)
    }

    /// Claims the writer's role of a latest value of a type that is known at run time. Each value must be
    /// of that type's size: readers of the type take a value of another length for a lie.
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn latest_writer_of(&self, name: &str, values: ValueType) -> Result<BytesWriter<P>, ChannelError> {
        BytesWriter::open(self, &self.of_type(name, Kind::Latest, values)?)
    }

    /// Opens a reader of a latest value as bytes, whatever its type.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn latest_bytes_reader(&self, name: &str) -> Result<BytesReader<P>, ChannelError> {
        BytesReader::open(self, &self.of_kind(name, Kind::Latest)?)
    }
}
