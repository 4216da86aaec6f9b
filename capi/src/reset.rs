//! Making a channel as new.

use core::ffi::c_char;

use strait_core::format::ResetError;

use crate::cancel::HeldOff;
use crate::region::attached;
use crate::{arg, strait_region_t, strait_status};

/// Makes a channel as a new region has it, of several producers each lane: the way back from
/// `STRAIT_STATUS_FAULT`. What it held is lost. Nobody else may take part in the region, nor join it meanwhile:
/// `STRAIT_STATUS_BUSY` if another participant is not proven dead, `STRAIT_STATUS_IN_USE` if this one has a role, the
/// lock or a permit of the channel. Steps in proportion to the channel's length and the number of participants.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_region_reset_channel(
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let _whole = HeldOff::begin();
    // SAFETY: the caller's promise.
    let reset = unsafe { arg::name(name) }.and_then(|name| {
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| region.reset_channel(name).map_err(reset_status)) }
    });
    crate::status::status(reset)
}

fn reset_status(error: ResetError) -> strait_status {
    match error {
        ResetError::Channel(error) => error.into(),
        ResetError::Held => strait_status::InUse,
        _ => strait_status::Busy,
    }
}
