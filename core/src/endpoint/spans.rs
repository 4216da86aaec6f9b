//! The memory of a channel's blocks, and the words in them that every side of a queue needs.

use crate::ground::entry::Entry;
use crate::ground::port::Port;
use crate::ground::sync::{Span, WordRef};

use super::attachment::Attachment;
use super::error::ChannelError;

/// The spans of a channel's three blocks.
pub(crate) struct Spans {
    pub a: Span,
    pub data: Span,
    pub b: Option<Span>,
    pub want: Option<WordRef>,
}

/// The error of an entry that `Entry::check` must have refused.
pub(crate) const DAMAGED: ChannelError = ChannelError::Damaged("block offsets");

impl Spans {
    pub fn of<P: Port>(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let mem = attachment.port().mem();
        let blocks = entry.blocks(attachment.header().line).ok_or(DAMAGED)?;
        let a = mem.span(entry.block_a, blocks.len_a).ok_or(DAMAGED)?;
        let data = mem.span(entry.data, blocks.len_data).ok_or(DAMAGED)?;
        let b = if blocks.len_b == 0 {
            None
        } else {
            Some(mem.span(entry.block_b, blocks.len_b).ok_or(DAMAGED)?)
        };
        let want = b.is_some().then(|| a.word(blocks.want)).flatten();
        Ok(Self { a, data, b, want })
    }
}
