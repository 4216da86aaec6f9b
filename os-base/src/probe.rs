//! Proof of death.

use strait_core::port::Probe;

/// What the kernel's answer about a participant's token proves: `Some(true)` if nobody holds it, `None` if there is no
/// answer that would be a proof.
#[must_use]
pub fn proof_of(is_free: Option<bool>) -> Probe {
    match is_free {
        Some(false) => Probe::Alive,
        Some(true) => {
            // ORDERING: the kernel took the token away after the holder's last store, and reported that after it did;
            // the caller's loads come after both.
            core::sync::atomic::fence(core::sync::atomic::Ordering::Acquire);
            Probe::Dead
        }
        None => Probe::Unknown,
    }
}
