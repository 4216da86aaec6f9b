//! How an endpoint waits, wakes and delivers, where the defaults are not right.

pub use strait_core::{ConsumerOptions, Delivery, LanesOptions, Stamp, TimeOrder, WaitPolicy, WakeCheck};
