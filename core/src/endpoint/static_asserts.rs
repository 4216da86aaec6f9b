//! Guarantees of the types, checked at compile time: auto traits of endpoints, sizes of the format.

use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert, const_assert_eq};

use super::{
    Attachment, BroadcastReader, BroadcastWriter, Consumer, LanesConsumer, LatestReader, LatestWriter,
    LocalConsumer, LocalPort, LocalProducer, LocalQueue, NoSystem, Producer, StaticQueue, TypedConsumer,
    TypedLanesConsumer, TypedProducer,
};
use crate::ground::entry::ENTRY_LEN;
use crate::ground::geometry::GRANULE;
use crate::ground::header::{self, HEADER_LEN, PARTICIPANT_LEN};
use crate::ground::ident::Ident;
use crate::ground::offset;

type P = LocalPort<'static, NoSystem>;

assert_impl_all!(Attachment<P>: Send, Sync);
assert_impl_all!(Producer<P>: Send);
assert_impl_all!(Consumer<P>: Send);
assert_impl_all!(TypedProducer<u64, P>: Send);
assert_impl_all!(TypedConsumer<u64, P>: Send);
assert_impl_all!(LanesConsumer<P, 2>: Send);
assert_impl_all!(TypedLanesConsumer<u64, P, 2>: Send);
assert_not_impl_any!(LanesConsumer<P, 2>: Sync, Clone);
assert_not_impl_any!(TypedLanesConsumer<u64, P, 2>: Sync, Clone);
assert_impl_all!(LatestWriter<u64, P>: Send);
assert_impl_all!(LatestReader<u64, P>: Send);
assert_impl_all!(BroadcastWriter<u64, P>: Send);
assert_impl_all!(BroadcastReader<u64, P>: Send);
assert_impl_all!(StaticQueue<u8, 4>: Send, Sync);
assert_impl_all!(LocalQueue<'static, u8>: Send, Sync);
assert_impl_all!(LocalProducer<'static, u8>: Send);
assert_impl_all!(LocalConsumer<'static, u8>: Send);
assert_not_impl_any!(LocalProducer<'static, u8>: Sync, Clone);
assert_not_impl_any!(LocalConsumer<'static, u8>: Sync, Clone);
assert_not_impl_any!(Producer<P>: Sync, Clone);
assert_not_impl_any!(Consumer<P>: Sync, Clone);
assert_not_impl_any!(TypedProducer<u64, P>: Sync, Clone);
assert_not_impl_any!(TypedConsumer<u64, P>: Sync, Clone);
assert_not_impl_any!(LatestWriter<[u8], P>: Sync, Clone);
assert_not_impl_any!(LatestReader<[u8], P>: Sync, Clone);
assert_not_impl_any!(BroadcastWriter<[u8], P>: Sync, Clone);
assert_not_impl_any!(BroadcastReader<[u8], P>: Sync, Clone);
#[cfg(feature = "embedded-io-07")]
assert_impl_all!(super::RingPipe<'static, P>: Send);
#[cfg(feature = "embedded-io-07")]
assert_not_impl_any!(super::RingPipe<'static, P>: Sync, Clone);
// A value crosses threads only if its type allows it.
assert_not_impl_any!(StaticQueue<*const u8, 4>: Sync);
assert_not_impl_any!(LocalQueue<'static, *const u8>: Send, Sync);
assert_not_impl_any!(LocalProducer<'static, *const u8>: Send);
assert_not_impl_any!(LocalConsumer<'static, *const u8>: Send);

const_assert_eq!(HEADER_LEN, 128);
const_assert_eq!(header::at::RESERVED + 52, HEADER_LEN);
const_assert_eq!(ENTRY_LEN, 128);
const_assert_eq!(PARTICIPANT_LEN, 64);
const_assert_eq!(Ident::MAX_PLACE, 511);
const_assert_eq!(offset::VALUE, 16);
// The frame's header is one granule: commit word, tag, sequence, reserved.
const_assert_eq!(offset::SEQUENCE + 8, GRANULE);
// Twelve bytes more than its values.
const_assert!(size_of::<StaticQueue<u8, 16>>() <= 16 + 16 || cfg!(strait_loom));
