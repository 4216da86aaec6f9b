//! Looking at a region's channels without a role in them.

use core::ffi::c_char;

use strait_core::format::inspect::{self, LockState};
use strait_core::protocol::mutex::State;
use strait_core::{
    format::Entry,
    port::{Ident, Port},
};

use crate::region::attached;
use crate::{arg, strait_region_t, strait_status};

/// A channel, as the directory describes it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_channel_info_t {
    /// Its name, which ends with a NUL.
    pub name: [u8; 32],
    /// `STRAIT_KIND_...`.
    pub kind: u32,
    /// Bytes of the ring (frames), slots, buffers, permits, blocks, or the highest count.
    pub capacity: u32,
    /// The largest payload in bytes, or the type's size; of a semaphore, its initial count; of a pool, the bytes of a block.
    pub max_len: u32,
    /// The domain of the producer or writer.
    pub producer_domain: u32,
    /// The domain of the consumer.
    pub consumer_domain: u32,
    /// The type's hash; 0 if untyped.
    pub type_hash: u64,
    /// Of a queue with several producers, or calls of several clients, which lane this is, from 0.
    pub lane: u32,
    /// How many lanes there are, each counted as a channel; 1 if there is one producer.
    pub lanes: u32,
}

/// A snapshot of a channel. The words are read one by one, so on a live region they may belong to different
/// moments. Owners are identities; 0 is nobody.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_channel_state_t {
    /// Messages waiting; of a latest value, 1 once something was published; of a broadcast, the values in its
    /// ring; of a semaphore, its count; of permits and a pool's blocks, how many are free.
    pub len: u32,
    /// Upper bound of the fill level ever reached, in the unit of the capacity.
    pub high_water: u32,
    /// Messages sent, values published, or changes of a mutex's value, modulo 2^32.
    pub sent: u32,
    /// Sends refused because there was no space.
    pub refused: u32,
    /// The producer or writer; of a mutex, the holder of the lock.
    pub producer: u32,
    /// The consumer.
    pub consumer: u32,
    /// How often the producer's role, or a mutex, was taken over from a dead owner.
    pub producer_takeovers: u32,
    /// How often the consumer's role was taken over from a dead owner.
    pub consumer_takeovers: u32,
    /// The violation that the producer has latched, by its number; 0 is none.
    pub producer_fault: u32,
    /// The violation that the consumer has latched, by its number; 0 is none.
    pub consumer_fault: u32,
    /// Of a mutex: deaths since its data were whole.
    pub deaths: u32,
    /// Of a mutex: it was given up.
    pub poisoned: bool,
}

/// How many channels the region has that this library knows, in `*count`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_channel_count(
    region: *const strait_region_t,
    count: *mut u32,
) -> strait_status {
    // SAFETY: the caller's promise.
    let counted = unsafe { attached(region, |region| Ok(region.channels().count() as u32)) };
    // SAFETY: the caller's promise.
    crate::status::status(counted.and_then(|found| unsafe { arg::answer(count, found) }))
}

/// Describes channel `index` of those, from 0.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_channel_info(
    region: *const strait_region_t,
    index: u32,
    info: *mut strait_channel_info_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    let found = unsafe {
        attached(region, |region| region.channels().nth(index as usize).ok_or(strait_status::NotFound))
    };
    let outcome = found.and_then(|entry| {
        let described = strait_channel_info_t {
            name: entry.name,
            kind: entry.kind.code(),
            capacity: entry.capacity,
            max_len: entry.max_len,
            producer_domain: entry.domain_a,
            consumer_domain: entry.domain_b,
            type_hash: entry.type_hash,
            lane: entry.lane.index,
            lanes: entry.lane.count,
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(info, described) }
    });
    crate::status::status(outcome)
}

/// Reads the state of the channel `name`; of a queue with several producers, of its first lane. A fixed number
/// of loads, and one a permit.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_channel_state(
    region: *const strait_region_t,
    name: *const c_char,
    state: *mut strait_channel_state_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    let read = unsafe { arg::name(name) }.and_then(|name| {
        let look = |region: &strait_core::Attachment<_>| {
            Ok(state_of(region.port(), region.header().line, &region.channel(name)?))
        };
        // SAFETY: the caller's promise.
        unsafe { attached(region, look) }
    });
    // SAFETY: the caller's promise.
    crate::status::status(read.and_then(|found| unsafe { arg::answer(state, found) }))
}

/// Reads the state of lane `lane`, from 0, of the channel `name`. A fixed number of loads.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_lane_state(
    region: *const strait_region_t,
    name: *const c_char,
    lane: u32,
    state: *mut strait_channel_state_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    let read = unsafe { arg::name(name) }.and_then(|name| {
        let look = |region: &strait_core::Attachment<_>| {
            Ok(state_of(region.port(), region.header().line, &region.lane(name, lane)?))
        };
        // SAFETY: the caller's promise.
        unsafe { attached(region, look) }
    });
    // SAFETY: the caller's promise.
    crate::status::status(read.and_then(|found| unsafe { arg::answer(state, found) }))
}

fn state_of(port: &impl Port, line: u32, entry: &Entry) -> strait_channel_state_t {
    let who = |who: Option<Ident>| who.map_or(0, Ident::word);
    let found = inspect::channel_state(port.mem(), line, entry);
    let mut state = strait_channel_state_t {
        len: found.len,
        high_water: found.high_water,
        sent: found.sent,
        refused: found.refused,
        producer: who(found.producer),
        consumer: who(found.consumer),
        producer_takeovers: found.producer_takeovers,
        consumer_takeovers: found.consumer_takeovers,
        producer_fault: found.producer_fault,
        consumer_fault: found.consumer_fault,
        ..strait_channel_state_t::default()
    };
    match inspect::lock_state(port.mem(), line, entry) {
        Some(LockState::Mutex { state: word, takeovers, version, .. }) => {
            state.sent = version;
            state.producer_takeovers = takeovers;
            match word {
                State::Held { owner, deaths } => {
                    state.producer = owner.word();
                    state.deaths = deaths;
                }
                State::Poisoned => state.poisoned = true,
                _ => {}
            }
        }
        Some(LockState::Semaphore { count, .. }) => state.len = count.unwrap_or(0),
        Some(LockState::Permits { free, .. } | LockState::Pool { free, .. }) => state.len = free,
        None => {}
    }
    state
}
