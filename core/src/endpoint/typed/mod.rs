//! Queues of values of one type, over either publication.

mod consumer;
mod producer;

pub use consumer::TypedConsumer;
pub use producer::TypedProducer;

use crate::ground::sync::{Span, WordRef};
use crate::protocol::slots;

/// The slots of a channel.
pub(super) struct Slots {
    pub span: Span,
    pub stride: u32,
}

impl slots::Ring for Slots {
    #[inline(always)]
    fn sequence(&self, index: u32) -> WordRef {
        self.span.header((index + 1) * self.stride - 4)
    }
}
