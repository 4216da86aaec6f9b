//! Queues of values of one type, over either publication.

mod consumer;
mod producer;

pub use consumer::TypedConsumer;
pub use producer::TypedProducer;

use crate::ground::sync::WordRef;
use crate::ground::sync::ring::{Slots, Value};
use crate::protocol::slots;

impl<T: Value + ?Sized> slots::Ring for Slots<T> {
    #[inline(always)]
    fn sequence(&self, pos: u32) -> WordRef {
        self.sequence(pos)
    }
}
