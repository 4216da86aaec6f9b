//! The places of a channel of calls, as both sides see them.

use crate::endpoint::attachment::{Attachment, check_kind};
use crate::endpoint::error::ChannelError;
use crate::endpoint::lanes::group::Group;
use crate::endpoint::spans::{DAMAGED, Spans};
use crate::ground::call;
use crate::ground::entry::Entry;
use crate::ground::kind::Kind;
use crate::ground::message::{Message, ValueType};
use crate::ground::offset;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::ring::places::Places;
use crate::ground::sync::WordRef;

/// The parts of a channel of calls.
pub(super) struct Parts<Req: ?Sized, Ans: ?Sized> {
    /// The client's places.
    pub requests: Places<Req>,
    /// The server's places.
    pub answers: Places<Ans>,
    /// The position of the next call; the client's word.
    pub mark: WordRef,
    /// Calls refused because there was no place; the client's word.
    pub refused: WordRef,
    /// The position of the first call that is not done; the server's word.
    pub head: WordRef,
}

impl<Req: Value + ?Sized, Ans: Value + ?Sized> Parts<Req, Ans> {
    pub fn of<P: Port>(attachment: &Attachment<P>, entry: &Entry) -> Result<Self, ChannelError> {
        let line = attachment.header().line;
        let spans = Spans::of(attachment, entry)?;
        let b = spans.b.ok_or(DAMAGED)?;
        let answers = entry.blocks(line).ok_or(DAMAGED)?.answers;
        let stride = call::stride(entry.answer.size, line).ok_or(DAMAGED)?;
        let at = entry.block_b.checked_add(answers).ok_or(DAMAGED)?;
        let len = stride.checked_mul(entry.capacity).ok_or(DAMAGED)?;
        let span = attachment.port().mem().range(at, len).ok_or(DAMAGED)?;
        Ok(Self {
            requests: Places::new(spans.data, entry.capacity, entry.stride, entry.max_len).ok_or(DAMAGED)?,
            answers: Places::new(span, entry.capacity, stride, entry.answer.size).ok_or(DAMAGED)?,
            mark: spans.a.word(offset::MARK).ok_or(DAMAGED)?,
            refused: spans.a.word(offset::REFUSED).ok_or(DAMAGED)?,
            head: b.word(offset::HEAD).ok_or(DAMAGED)?,
        })
    }
}

impl<P: Port> Attachment<P> {
    /// The channel of calls of this name, with these types.
    pub(super) fn calls_of(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
    ) -> Result<Entry, ChannelError> {
        let entry = self.of_kind(name, Kind::Calls)?;
        check_types(&entry, request, answer)?;
        Ok(entry)
    }

    /// The lanes of this name, which must be of calls with these types.
    pub(super) fn calls_group(
        &self,
        name: &str,
        request: ValueType,
        answer: ValueType,
    ) -> Result<Group, ChannelError> {
        let group = Group::find(self, name)?;
        check_kind(&group.first, Kind::Calls)?;
        check_types(&group.first, request, answer)?;
        Ok(group)
    }

    /// As [`calls_of`](Self::calls_of), of types that the compiler knows.
    pub(super) fn calls<Req: Message, Ans: Message>(&self, name: &str) -> Result<Entry, ChannelError> {
        self.calls_of(name, ValueType::of::<Req>(), ValueType::of::<Ans>())
    }
}

/// Checks that a channel of calls has these types.
fn check_types(entry: &Entry, request: ValueType, answer: ValueType) -> Result<(), ChannelError> {
    let is_same = entry.carries_type(request) && entry.answer == answer;
    if is_same { Ok(()) } else { Err(ChannelError::Type) }
}
