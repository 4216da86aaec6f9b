//! Waiting for several receivers at once; [`wait_any`] is at the root, too.

pub use strait_core::{Ready, Waitable, ready, wait_any, wait_any_until, wait_ready};
