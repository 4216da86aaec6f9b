//! mps2-an521: the first of two Cortex-M33. It has no mailbox here.

pub use cortex_m_rt::entry;

use crate::mailbox::{Mailbox, Polling};

/// None.
pub fn mailbox() -> &'static dyn Mailbox {
    &Polling
}
