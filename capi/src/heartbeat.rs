//! Noticing that a channel's sender is late.

use core::ffi::c_char;

use strait_core::Heartbeat;

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_heartbeat_t, strait_region_t, strait_status};

type Watch = Heartbeat<CPort>;

impl Handle for strait_heartbeat_t {
    type Object = Watch;
    const KIND: Kind = Kind::Heartbeat;
}

/// How a channel is sent to.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_heartbeat_state_t {
    /// How often the plan expects something to be sent, in nanoseconds; 0 if it does not say.
    pub period_ns: u64,
    /// How long ago a check saw something new last, or the watch was opened.
    pub silence_ns: u64,
    /// For how much longer than the period nothing was sent; 0 if it is not late. Late is not dead.
    pub late_by_ns: u64,
}

/// Starts to watch how often something is sent to the channel `name`: without a role, and without a store.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_heartbeat_open(
    heartbeat: *mut strait_heartbeat_t,
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.heartbeat(name)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(heartbeat, make) }
}

/// Looks whether something was sent, in `*state`. A change is noticed when it is looked for: once in a control cycle is
/// usual.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_heartbeat_check(
    heartbeat: *mut strait_heartbeat_t,
    state: *mut strait_heartbeat_state_t,
) -> strait_status {
    let check = |watch: &mut Watch| {
        let silence = watch.silence();
        let period = watch.period();
        let late_by = period.map_or_else(Default::default, |period| silence.saturating_sub(period));
        let found = strait_heartbeat_state_t {
            period_ns: period.map_or(0, |period| period.as_nanos() as u64),
            silence_ns: silence.as_nanos() as u64,
            late_by_ns: late_by.as_nanos() as u64,
        };
        // SAFETY: the caller's promise.
        unsafe { arg::answer(state, found) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(heartbeat, check) }
}

/// Ends the watch.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_heartbeat_close(heartbeat: *mut strait_heartbeat_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(heartbeat) }
}
