//! Plans: which channels a region is to have.

use core::ffi::c_char;
use core::time::Duration;

use strait_core::ground::message::Shape;
use strait_core::{Channel, Plan, format::ValueType};

use crate::{arg, strait_status};

/// A queue of frames of varying length.
pub const STRAIT_KIND_FRAMES: u32 = 1;
/// A queue of values of one type, published in the slot: between cores with caches.
pub const STRAIT_KIND_SLOTS: u32 = 2;
/// A queue of values of one type, published by index: for small values on one core.
pub const STRAIT_KIND_COMPACT: u32 = 3;
/// The latest of a stream of values. With the hash and size of a `u32` and a consumer that may block it is an event:
/// publishing notifies, with the value as a code, and the readers count by `number`.
pub const STRAIT_KIND_LATEST: u32 = 4;
/// A value under a lock.
pub const STRAIT_KIND_MUTEX: u32 = 5;
/// A counting semaphore.
pub const STRAIT_KIND_SEMAPHORE: u32 = 6;
/// A semaphore whose permits come back from the dead.
pub const STRAIT_KIND_PERMITS: u32 = 7;
/// A stream of values to any number of readers, which the writer overtakes if they are slow.
pub const STRAIT_KIND_BROADCAST: u32 = 8;
/// Calls of one or several clients to one server, each with a request and an answer.
pub const STRAIT_KIND_CALLS: u32 = 9;
/// A pool of blocks for large messages, which are handed over and not copied.
pub const STRAIT_KIND_POOL: u32 = 10;

/// The consumer (of a latest value or a broadcast: readers; of a mutex: waiters for a change) may sleep.
pub const STRAIT_CONSUMER_MAY_BLOCK: u32 = 1;
/// The producer may sleep for space.
pub const STRAIT_PRODUCER_MAY_BLOCK: u32 = 2;

/// The most channels of a plan made in C.
pub const STRAIT_MAX_CHANNELS: usize = 32;

/// A channel of a plan. What its kind has no use for stays 0.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_channel_t {
    /// 1 to 31 bytes of UTF-8, no slash.
    pub name: *const c_char,
    /// `STRAIT_KIND_...`.
    pub kind: u32,
    /// A power of two: bytes of the ring (frames), slots (a broadcast too), or buffers (latest; 0 stands for 2).
    /// Of a mutex 0. Calls: the places, up to 32. Any number: the highest count of a semaphore, the permits, a
    /// pool's blocks.
    pub capacity: u32,
    /// The largest frame, or value of bytes, in bytes; the size of the type; of calls, the request's;
    /// the initial count of a semaphore; of a pool, the bytes of a block.
    pub size: u32,
    /// `STRAIT_CONSUMER_MAY_BLOCK` and `STRAIT_PRODUCER_MAY_BLOCK`.
    pub flags: u32,
    /// The type's hash (see `strait_type_hash`); 0 for frames, and for a latest value or a broadcast of bytes.
    pub type_hash: u64,
    /// From 1: queues and calls with the same number share the word on which their consumers and servers sleep. 0:
    /// none, and for other channels.
    pub doorbell: u32,
    /// The domain of the producer or writer.
    pub producer_domain: u32,
    /// The domain of the consumer.
    pub consumer_domain: u32,
    /// How many producers a queue, or clients a channel of calls, may have at once, each with a lane of its own: 1 to 256;
    /// 0 stands for 1.
    pub producers: u32,
    /// How many of the lanes, from the first, are urgent: looked at before the others by each receive.
    pub urgent_lanes: u32,
    /// Of calls: the answer's size.
    pub answer_size: u32,
    /// Of calls: the hash of the answer's type.
    pub answer_hash: u64,
    /// How many consumers a queue of slots or compact may have at once, each of which gets every value: 1 to 32; 0 stands
    /// for an ordinary queue with one.
    pub consumers: u32,
    /// How often the producer or writer is meant to send, in microseconds; 0 if nothing is expected. A
    /// `strait_heartbeat_t` tells when it is late.
    pub period_us: u32,
}

/// A plan.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_plan_t {
    /// The channels.
    pub channels: *const strait_channel_t,
    /// How many, `STRAIT_MAX_CHANNELS` at most.
    pub channel_count: u32,
    /// The distance of words of different writers, a power of two from 4 to 4096; 0 stands for 128.
    pub line: u32,
    /// The most participants at once, 1 to 511; 0 stands for 32.
    pub participants: u32,
    /// The description of the region's types, a text that `strait_describe` made; null for none.
    pub description: *const c_char,
}

impl strait_channel_t {
    /// # Safety
    ///
    /// The name must be as for [`arg::name`].
    unsafe fn channel<'a>(&self) -> Result<Channel<'a>, strait_status> {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(self.name) }.map_err(|_| strait_status::BadPlan)?;
        let values = ValueType { hash: self.type_hash, size: self.size };
        let (capacity, size) = (self.capacity, self.size);
        let channel = match self.kind {
            STRAIT_KIND_FRAMES => Channel::frames(name, capacity, size),
            STRAIT_KIND_SLOTS => Channel::slots_of(name, capacity, values),
            STRAIT_KIND_COMPACT => Channel::compact_of(name, capacity, values),
            STRAIT_KIND_LATEST if capacity == 0 => Channel::latest_of(name, values),
            STRAIT_KIND_LATEST => Channel::latest_of(name, values).buffers(capacity),
            STRAIT_KIND_MUTEX if capacity == 0 => Channel::mutex_of(name, values),
            STRAIT_KIND_SEMAPHORE => Channel::semaphore(name, size, capacity),
            STRAIT_KIND_PERMITS => Channel::permits(name, capacity),
            STRAIT_KIND_POOL => Channel::pool(name, capacity, size),
            STRAIT_KIND_BROADCAST => Channel::broadcast_of(name, capacity, values),
            STRAIT_KIND_CALLS if self.answer_hash != 0 => {
                let answer = ValueType { hash: self.answer_hash, size: self.answer_size };
                Channel::calls_of(name, capacity, values, answer)
            }
            _ => return Err(strait_status::BadPlan),
        };
        let untyped = matches!(
            self.kind,
            STRAIT_KIND_FRAMES
                | STRAIT_KIND_LATEST
                | STRAIT_KIND_SEMAPHORE
                | STRAIT_KIND_PERMITS
                | STRAIT_KIND_POOL
                | STRAIT_KIND_BROADCAST
        );
        if self.flags & !(STRAIT_CONSUMER_MAY_BLOCK | STRAIT_PRODUCER_MAY_BLOCK) != 0
            || self.type_hash == 0 && !untyped
        {
            return Err(strait_status::BadPlan);
        }
        let mut channel = channel.domains(self.producer_domain, self.consumer_domain);
        if self.flags & STRAIT_CONSUMER_MAY_BLOCK != 0 {
            channel = channel.consumer_may_block();
        }
        if self.flags & STRAIT_PRODUCER_MAY_BLOCK != 0 {
            channel = channel.producer_may_block();
        }
        if self.producers > 1 {
            let is_calls = self.kind == STRAIT_KIND_CALLS;
            channel =
                if is_calls { channel.clients(self.producers) } else { channel.producers(self.producers) };
        }
        channel = channel.urgent_lanes(self.urgent_lanes);
        if self.consumers > 0 {
            channel = channel.consumers(self.consumers);
        }
        if self.period_us > 0 {
            channel = channel.expected_every(Duration::from_micros(self.period_us.into()));
        }
        if self.doorbell != 0 {
            channel = channel.doorbell(self.doorbell);
        }
        Ok(channel)
    }
}

/// Shows `using` the plan that C describes.
///
/// # Safety
///
/// `plan`, if neither null nor misaligned, must lead to a plan, whose channels and names are valid for the call.
pub(crate) unsafe fn with_plan<R>(
    plan: *const strait_plan_t,
    using: impl FnOnce(&Plan<'_>) -> Result<R, strait_status>,
) -> Result<R, strait_status> {
    // SAFETY: the caller's promise.
    let plan = unsafe { arg::value(plan)? };
    let count = plan.channel_count as usize;
    if count > STRAIT_MAX_CHANNELS {
        return Err(strait_status::BadPlan);
    }
    let mut channels = [Channel::semaphore("", 0, 0); STRAIT_MAX_CHANNELS];
    let channels = channels.get_mut(..count).unwrap_or_default();
    for (i, channel) in channels.iter_mut().enumerate() {
        // SAFETY: there are this many, by the caller's promise.
        let described = unsafe { arg::value(plan.channels.wrapping_add(i))? };
        // SAFETY: the caller's promise.
        *channel = unsafe { described.channel()? };
    }
    let mut made = Plan::new(channels);
    if plan.line != 0 {
        made = made.line(plan.line);
    }
    if plan.participants != 0 {
        made = made.participants(plan.participants);
    }
    if !plan.description.is_null() {
        // SAFETY: a text that ends with a NUL, by the caller's promise.
        let text = unsafe { core::ffi::CStr::from_ptr(plan.description) };
        made = made.described(text.to_str().map_err(|_| strait_status::BadPlan)?);
    }
    using(&made)
}

/// Answers in `*size` how many bytes a region of this plan has.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_plan_size(plan: *const strait_plan_t, size: *mut u32) -> strait_status {
    let sized = arg::place(size).and_then(|size| {
        // SAFETY: the caller's promise.
        let found = unsafe { with_plan(plan, |plan| plan.try_size().map_err(|_| strait_status::BadPlan)) }?;
        // SAFETY: not null, aligned, and the caller's.
        unsafe { size.write(found) };
        Ok(())
    });
    crate::status::status(sized)
}

/// The hash of a type by its canonical descriptor, as in `"{time_ns:u64@0;angle_rad:f64@8;size=16}"`: FNV-1a
/// of its bytes, never 0. The grammar stands in FORMAT.md. 0 if `descriptor` is null.
///
/// # Safety
///
/// `descriptor` must be null or lead to a text that ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_type_hash(descriptor: *const c_char) -> u64 {
    if descriptor.is_null() {
        return 0;
    }
    // SAFETY: a text that ends with a NUL, by the caller's promise.
    let text = unsafe { core::ffi::CStr::from_ptr(descriptor) };
    Shape::hash_of(text.to_bytes())
}
