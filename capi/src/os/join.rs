//! Taking part in an open region once more.

use strait::region::JoinError;

use super::look::with_port;
use super::region::open_here;
use crate::{strait_region_t, strait_status};

/// Takes part in the open region `other` once more, as another participant of this process, and opens that in
/// `*region`: a second thread that locks the same mutex needs one of its own. The region's name is not needed, so it
/// may have been removed, or be sealed. Each is closed for itself, in any order. `STRAIT_STATUS_READ_ONLY` if `other`
/// only looks, `STRAIT_STATUS_WRONG_STATE` for memory of the caller's: attach to that once more.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_join_again(
    region: *mut strait_region_t,
    other: *const strait_region_t,
) -> strait_status {
    let join = || {
        // SAFETY: the caller's promise.
        unsafe { with_port(other, |port| port.join_again().map_err(join_status)) }
    };
    // SAFETY: the caller's promise.
    unsafe { open_here(region, join) }
}

fn join_status(error: JoinError) -> strait_status {
    match error {
        JoinError::ReadOnly => strait_status::ReadOnly,
        JoinError::TableFull => strait_status::TableFull,
        JoinError::Attach(error) => error.into(),
        _ => strait_status::System,
    }
}
