//! Waiting for any of several queues in one thread.

use core::mem::MaybeUninit;
use core::slice;

use strait_core::{Deadline, WaitAnyError, WaitPolicy, Waitable, wait_any_until};

use crate::handle;
use crate::port::CPort;
use crate::region::attached;
use crate::{arg, strait_consumer_t, strait_region_t, strait_status, strait_typed_consumer_t};

/// The most queues that one call waits for.
pub const STRAIT_MAX_WAITABLES: usize = 32;

/// A consumer to wait for: one of the two pointers, the other is null.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_waitable_t {
    /// Of frames.
    pub frames: *mut strait_consumer_t,
    /// Of values.
    pub values: *mut strait_typed_consumer_t,
}

impl strait_waitable_t {
    /// Where the consumer is, to tell two apart.
    fn address(&self) -> usize {
        if self.frames.is_null() { self.values.addr() } else { self.frames.addr() }
    }

    /// # Safety
    ///
    /// The consumer is the caller's alone for as long as `'a`.
    unsafe fn consumer<'a>(&self) -> Result<&'a mut dyn Waitable, strait_status> {
        match (self.frames.is_null(), self.values.is_null()) {
            (false, true) => {
                let place = handle::place(self.frames)?;
                // SAFETY: an object is there (H1), and the caller's alone.
                Ok(unsafe { &mut *place.as_ptr() })
            }
            (true, false) => {
                let place = handle::place(self.values)?;
                // SAFETY: as above.
                Ok(unsafe { &mut (*place.as_ptr()).end })
            }
            _ => Err(strait_status::BadArgument),
        }
    }
}

/// Waits by `deadline`, which may ask the region's clock.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn wait(
    region: *const strait_region_t,
    waitables: *const strait_waitable_t,
    count: usize,
    index: *mut usize,
    deadline: impl FnOnce(&CPort) -> Deadline,
) -> Result<(), strait_status> {
    arg::may_answer(index)?;
    let first = arg::place(waitables.cast_mut())?;
    if count == 0 || count > STRAIT_MAX_WAITABLES {
        return Err(strait_status::BadArgument);
    }
    // SAFETY: not null, aligned, short, and valid by the caller's promise.
    let asked = unsafe { slice::from_raw_parts(first.as_ptr(), count) };
    let mut all = [const { MaybeUninit::<&mut dyn Waitable>::uninit() }; STRAIT_MAX_WAITABLES];
    for (i, one) in asked.iter().enumerate() {
        if asked[..i].iter().any(|other| other.address() == one.address()) {
            return Err(strait_status::BadArgument);
        }
        // SAFETY: each is the caller's alone, and none is there twice.
        all[i].write(unsafe { one.consumer()? });
    }
    // SAFETY: the first `count` were written just now, and references have the layout of their `MaybeUninit`.
    let consumers = unsafe { slice::from_raw_parts_mut(all.as_mut_ptr().cast::<&mut dyn Waitable>(), count) };
    let wait = |port: &CPort| {
        let deadline = deadline(port);
        wait_any_until(port, consumers, WaitPolicy::parking(), deadline).map_err(|error| match error {
            WaitAnyError::TimedOut => strait_status::TimedOut,
            _ => strait_status::NoDoorbell,
        })
    };
    // SAFETY: the caller's promise.
    let found = unsafe { attached(region, |region| wait(region.port()))? };
    // SAFETY: the caller's promise.
    unsafe { arg::answer(index, found) }
}

/// Waits up to `timeout_ns` until one of `count` consumers, `STRAIT_MAX_WAITABLES` at most, has something (or has
/// latched a fault), and tells which in `*index`, the first one. One sleep for all of them: their channels must share a
/// doorbell and be opened through `region`, or it is `STRAIT_STATUS_NO_DOORBELL`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_wait_any_timeout(
    region: *const strait_region_t,
    waitables: *const strait_waitable_t,
    count: usize,
    index: *mut usize,
    timeout_ns: u64,
) -> strait_status {
    let deadline = |port: &CPort| Deadline::after(port, arg::timeout(timeout_ns));
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { wait(region, waitables, count, index, deadline) })
}

/// As `strait_wait_any_timeout`, until `deadline_ns`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_wait_any_until(
    region: *const strait_region_t,
    waitables: *const strait_waitable_t,
    count: usize,
    index: *mut usize,
    deadline_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { wait(region, waitables, count, index, |_| Deadline::at_ns(deadline_ns)) })
}
