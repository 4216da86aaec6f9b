//! A block that this participant owns.

use crate::ground::ident::Ident;
use crate::ground::port::Port;
use crate::protocol::mutex::Lost;
use crate::protocol::pool::Owned;

use super::error::PoolError;
use super::handle::{BlockId, Pool};

/// A block of a pool, owned by this participant. Given back when it is dropped, also by a panic.
///
/// Bytes that are not written keep what an earlier owner wrote.
///
/// A block is sent once:
///
/// ```compile_fail,E0382
/// fn twice<P: strait_core::port::Port>(block: strait_core::pool::Block<'_, P>) {
///     let _ = block.send(1);
///     let _ = block.send(1);
/// }
/// ```
#[must_use = "a block that is dropped is given back"]
pub struct Block<'p, P: Port> {
    pool: &'p Pool<P>,
    owned: Owned,
    /// How many bytes were sent; of a block that was claimed, all there are.
    len: u32,
    /// Whether nobody takes the bytes for those that were sent before.
    renewed: bool,
}

/// What [`Block::into_raw`] leaves of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawBlock {
    /// Which block, from 0.
    pub index: u32,
    /// Its owner's number.
    pub number: u32,
    /// How many bytes were sent.
    pub len: u32,
    /// Whether it was claimed, or written to.
    pub renewed: bool,
}

impl<'p, P: Port> Block<'p, P> {
    pub(super) fn claimed(pool: &'p Pool<P>, owned: Owned) -> Self {
        Self { pool, owned, len: pool.block_len, renewed: true }
    }

    pub(super) fn taken(pool: &'p Pool<P>, owned: Owned, len: u32) -> Self {
        Self { pool, owned, len, renewed: false }
    }

    pub(super) fn from_raw(pool: &'p Pool<P>, raw: RawBlock) -> Self {
        let RawBlock { index, number, len, renewed } = raw;
        Self { pool, owned: Owned { index, number, from: None }, len, renewed }
    }

    /// Which block, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.owned.index
    }

    /// How many bytes were sent; of a block that was claimed, all there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// How many bytes there are room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.pool.block_len()
    }

    /// Whether no bytes were sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The dead owner or sender that it was taken over from, if it was.
    #[must_use]
    pub fn from(&self) -> Option<Ident> {
        self.owned.from
    }

    fn start(&self) -> u32 {
        self.owned.index * self.pool.stride
    }

    /// Makes the bytes this owner's before the first of them is written.
    fn renew(&mut self) {
        if !self.renewed {
            self.owned.renew(self.pool);
            self.renewed = true;
            self.len = self.pool.block_len;
        }
    }

    /// Copies `bytes` into the block from `offset` on; bytes that would be outside are left out. Returns how many were
    /// copied. A block that was taken and is written to is this participant's to the whole of its length, and no
    /// successor takes it again with the id that it came with.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> usize {
        self.renew();
        let count = self.len().saturating_sub(offset).min(bytes.len());
        if count > 0 {
            self.pool.data.write(self.start() + offset as u32, &bytes[..count]);
        }
        count
    }

    /// Copies bytes of the block from `offset` on into `into`; returns how many there were.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> usize {
        let count = self.len().saturating_sub(offset).min(into.len());
        if count > 0 {
            self.pool.data.read(self.start() + offset as u32, &mut into[..count]);
        }
        count
    }

    /// The bytes themselves, if the attachment [trusts its peers](crate::Attachment::trusting_peers).
    #[must_use]
    pub fn as_slice(&self) -> Option<&[u8]> {
        if !self.pool.trusted {
            return None;
        }
        let bytes = self.pool.data.as_ptr(self.start(), self.len());
        // SAFETY: the range was checked, the block is this participant's alone until it is given back or sent, and the
        // caller of `trusting_peers` guaranteed that all peers keep to that.
        Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr(), self.len()) })
    }

    /// The bytes themselves, to be written, if the attachment [trusts its peers](crate::Attachment::trusting_peers). As
    /// [`write`](Self::write) of a block that was taken, this makes it this participant's.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> Option<&mut [u8]> {
        if !self.pool.trusted {
            return None;
        }
        self.renew();
        let bytes = self.pool.data.as_ptr(self.start(), self.len());
        // SAFETY: as in `as_slice`; and there is one `Block` of it, which is borrowed as long as the slice.
        Some(unsafe { core::slice::from_raw_parts_mut(bytes.as_ptr(), self.len()) })
    }

    /// Hands the block over with its first `len` bytes; more than there are count as all. Whoever gets the id first
    /// [takes](Pool::take) it. Two stores and a compare-and-swap. A block that was taken and is sent on shorter than it
    /// came counts as written to: no successor takes it for the message that it was.
    ///
    /// # Errors
    ///
    /// [`PoolError::NotOwner`] if another participant has taken it over, or `HardwareLock`. The block is given back then,
    /// if the hardware lock can be taken meanwhile; otherwise it is this participant's until it ends.
    pub fn send(self, len: usize) -> Result<BlockId, PoolError> {
        self.send_or_keep(len).map_err(|(error, _given_back)| error)
    }

    /// As [`send`](Self::send), but keeps the block if the hardware lock was unavailable.
    ///
    /// # Errors
    ///
    /// As `send`, with the block if it is still this participant's.
    pub fn send_or_keep(mut self, len: usize) -> Result<BlockId, (PoolError, Option<Self>)> {
        let len = u32::try_from(len).unwrap_or(u32::MAX).min(self.len);
        if len < self.len {
            self.renew();
        }
        match self.owned.send(self.pool, self.pool.me, len) {
            Ok(number) => {
                let index = self.owned.index;
                core::mem::forget(self);
                Ok(BlockId { index, number })
            }
            Err(lost) => Err(self.kept(lost)),
        }
    }

    /// As [`release`](Self::release), but keeps the block if the hardware lock was unavailable.
    ///
    /// # Errors
    ///
    /// As `release`, with the block if it is still this participant's.
    pub fn release_or_keep(self) -> Result<(), (PoolError, Option<Self>)> {
        match self.give() {
            Ok(()) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(lost) => Err(self.kept(lost)),
        }
    }

    fn kept(self, lost: Lost) -> (PoolError, Option<Self>) {
        if lost == Lost::NotOwner {
            core::mem::forget(self);
            return (lost.into(), None);
        }
        (lost.into(), Some(self))
    }

    /// Gives the block back, and wakes the first participant that sleeps for one. One compare-and-swap and a fence.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn release(self) -> Result<(), PoolError> {
        self.release_or_keep().map_err(|(error, _given_back)| error)
    }

    /// What is left of the block, which stays this participant's until it ends, or until a block is made of it again by
    /// [`Pool::from_raw`].
    #[must_use = "the block stays this participant's"]
    pub fn into_raw(self) -> RawBlock {
        let Self { owned: Owned { index, number, .. }, len, renewed, .. } = self;
        core::mem::forget(self);
        RawBlock { index, number, len, renewed }
    }

    fn give(&self) -> Result<(), Lost> {
        let given = self.owned.give(self.pool, self.pool.me);
        self.pool.wake();
        given
    }
}

impl<P: Port> Drop for Block<'_, P> {
    fn drop(&mut self) {
        // Callers that need the error call `release`.
        let _ = self.give();
    }
}
