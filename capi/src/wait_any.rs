//! Waiting for any of several receivers in one thread.

use core::mem::MaybeUninit;
use core::slice;

use strait_core::{Deadline, WaitAnyError, WaitPolicy, Waitable, wait_any_until};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::{
    arg, strait_broadcast_reader_t, strait_call_server_t, strait_consumer_t, strait_fanout_consumer_t,
    strait_lanes_consumer_t, strait_lanes_server_t, strait_latest_reader_t, strait_region_t, strait_status,
    strait_stream_server_t, strait_typed_consumer_t, strait_typed_lanes_consumer_t,
};

/// The most receivers that one call waits for.
pub const STRAIT_MAX_WAITABLES: usize = 32;

/// A receiver to wait for: one of the pointers, the others are null.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct strait_waitable_t {
    /// Of frames.
    pub frames: *mut strait_consumer_t,
    /// Of values.
    pub values: *mut strait_typed_consumer_t,
    /// Of frames of several producers.
    pub lanes: *mut strait_lanes_consumer_t,
    /// Of values of several producers.
    pub typed_lanes: *mut strait_typed_lanes_consumer_t,
    /// Of values, one of several consumers.
    pub fanout: *mut strait_fanout_consumer_t,
    /// Of calls of one client.
    pub server: *mut strait_call_server_t,
    /// Of calls of several clients.
    pub lanes_server: *mut strait_lanes_server_t,
    /// Of a latest value, or of an event.
    pub latest: *mut strait_latest_reader_t,
    /// Of a broadcast.
    pub broadcast: *mut strait_broadcast_reader_t,
    /// Of requests of streams.
    pub stream_server: *mut strait_stream_server_t,
}

/// The open object of a handle.
///
/// # Safety
///
/// The handle is the caller's alone for as long as `'a`.
unsafe fn object<'a, H: Handle>(handle: *mut H) -> Result<&'a mut H::Object, strait_status> {
    let place = handle::place(handle)?;
    // SAFETY: an object is there (H1), and the caller's alone.
    Ok(unsafe { &mut *place.as_ptr() })
}

impl strait_waitable_t {
    /// Where the receiver is, to tell two apart.
    fn address(&self) -> Result<usize, strait_status> {
        let all = [
            self.frames.addr(),
            self.values.addr(),
            self.lanes.addr(),
            self.typed_lanes.addr(),
            self.fanout.addr(),
            self.server.addr(),
            self.lanes_server.addr(),
            self.latest.addr(),
            self.broadcast.addr(),
            self.stream_server.addr(),
        ];
        let mut named = all.into_iter().filter(|&address| address != 0);
        match (named.next(), named.next()) {
            (Some(address), None) => Ok(address),
            _ => Err(strait_status::BadArgument),
        }
    }

    /// # Safety
    ///
    /// The receiver is the caller's alone for as long as `'a`.
    unsafe fn receiver<'a>(&self) -> Result<&'a mut dyn Waitable, strait_status> {
        if !self.frames.is_null() {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.frames)? })
        } else if !self.values.is_null() {
            // SAFETY: the caller's promise.
            Ok(&mut unsafe { object(self.values)? }.end)
        } else if !self.lanes.is_null() {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.lanes)? })
        } else if !self.typed_lanes.is_null() {
            // SAFETY: the caller's promise.
            Ok(&mut unsafe { object(self.typed_lanes)? }.end)
        } else if !self.fanout.is_null() {
            // SAFETY: the caller's promise.
            Ok(&mut unsafe { object(self.fanout)? }.end)
        } else if !self.server.is_null() {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.server)? })
        } else if !self.latest.is_null() {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.latest)? })
        } else if !self.broadcast.is_null() {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.broadcast)? })
        } else if !self.lanes_server.is_null() {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.lanes_server)? })
        } else {
            // SAFETY: the caller's promise.
            Ok(unsafe { object(self.stream_server)? })
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
        let address = one.address()?;
        if asked[..i].iter().any(|other| other.address() == Ok(address)) {
            return Err(strait_status::BadArgument);
        }
        // SAFETY: each is the caller's alone, and none is there twice.
        all[i].write(unsafe { one.receiver()? });
    }
    // SAFETY: the first `count` were written just now, and references have the layout of their `MaybeUninit`.
    let receivers = unsafe { slice::from_raw_parts_mut(all.as_mut_ptr().cast::<&mut dyn Waitable>(), count) };
    let wait = |port: &CPort| {
        let deadline = deadline(port);
        match wait_any_until(port, receivers, WaitPolicy::parking(), deadline) {
            Ok(found) => Ok((found, Ok(()))),
            Err(WaitAnyError::Replaced { index }) => Ok((index, Err(strait_status::Replaced))),
            Err(WaitAnyError::TimedOut) => Err(strait_status::TimedOut),
            Err(_) => Err(strait_status::NoDoorbell),
        }
    };
    // SAFETY: the caller's promise.
    let (found, result) = unsafe { attached(region, |region| wait(region.port()))? };
    // SAFETY: the caller's promise.
    unsafe { arg::answer(index, found)? };
    result
}

/// Waits up to `timeout_ns` until one of `count` receivers, `STRAIT_MAX_WAITABLES` at most, has something (or has
/// latched a fault), and tells which in `*index`, the first one. One sleep for all of them, best if their channels
/// share a doorbell; each must let its consumer block, or it is `STRAIT_STATUS_NO_DOORBELL`. Set a `strait_waitable_t` to zeros
/// before you set its pointer.
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
