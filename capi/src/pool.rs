//! Pools of blocks for large messages, which are handed over and not copied.

use core::ffi::c_char;

use strait_core::pool::{Block, BlockId, Pool, PoolError, RawBlock};

use crate::handle::{self, Handle};
use crate::port::CPort;
use crate::region::attached;
use crate::storage::Kind;
use crate::{arg, strait_pool_t, strait_region_t, strait_status};

impl Handle for strait_pool_t {
    type Object = Pool<CPort>;
    const KIND: Kind = Kind::Pool;
}

/// A block that was sent: the message that goes through a queue, or is a part of one. Its type alone is that of
/// `strait_type_hash("{index:u32@0;number:u32@4;size=8}", ...)`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_block_id_t {
    /// Which block, from 0.
    pub index: u32,
    /// The number under which it was sent.
    pub number: u32,
}

/// A block that this participant owns, for the functions that take one. Send it or release it once; a copy of one that
/// was sent or released is refused.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct strait_block_t {
    /// Which block, from 0.
    pub index: u32,
    /// Its owner's number.
    pub number: u32,
    /// How many bytes were sent; of a block that was claimed, all there are.
    pub len: u32,
    /// Not 0 if it was claimed, or written to.
    pub renewed: u32,
}

/// Opens a handle on the pool `name`. Nothing is claimed. A handle has any number of blocks.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_pool_open(
    pool: *mut strait_pool_t,
    region: *const strait_region_t,
    name: *const c_char,
) -> strait_status {
    let make = || {
        // SAFETY: the caller's promise.
        let name = unsafe { arg::name(name)? };
        // SAFETY: the caller's promise.
        unsafe { attached(region, |region| Ok(region.pool(name)?)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::open(pool, make) }
}

fn raw(block: Block<'_, CPort>) -> strait_block_t {
    let RawBlock { index, number, len, renewed } = block.into_raw();
    strait_block_t { index, number, len, renewed: renewed.into() }
}

/// Gets a block by `getting`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn get_by(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
    getting: impl FnOnce(&Pool<CPort>) -> Result<Block<'_, CPort>, PoolError>,
) -> strait_status {
    let get = |pool: &mut Pool<CPort>| {
        arg::place(block)?;
        let got = getting(pool)?;
        // SAFETY: the caller's promise; the place was checked.
        unsafe { arg::answer(block, raw(got)) }
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(pool, get) }
}

/// Claims a block that is free, or of a participant that is proven dead. What it held is still in it. Never waits.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_pool_try_claim(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { get_by(pool, block, Pool::try_claim) }
}

/// Claims a block, waiting up to `timeout_ns` for one; otherwise as `strait_pool_try_claim`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_pool_claim_timeout(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
    timeout_ns: u64,
) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { get_by(pool, block, |pool| pool.claim_timeout(arg::timeout(timeout_ns))) }
}

/// Takes the block that was sent as `id`, also by this participant itself. `STRAIT_STATUS_NOT_OWNER` if it was taken by
/// another participant or given back since, `STRAIT_STATUS_FAULT` if no honest peer sends such an id.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_pool_take(
    pool: *mut strait_pool_t,
    id: *const strait_block_id_t,
    block: *mut strait_block_t,
) -> strait_status {
    // SAFETY: the caller's promise.
    let id = match unsafe { arg::value(id) } {
        Ok(strait_block_id_t { index, number }) => BlockId { index, number },
        Err(status) => return status,
    };
    // SAFETY: the caller's promise.
    unsafe { get_by(pool, block, |pool| pool.take(id)) }
}

/// A closure of a block's lifetime, whatever that is.
fn from_block<F>(using: F) -> F
where
    F: for<'p> FnOnce(Block<'p, CPort>) -> (Result<(), strait_status>, Option<Block<'p, CPort>>),
{
    using
}

/// Uses the block that `block` stands for. `using` returns it, with how it went, if it is still this participant's.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
unsafe fn with_block(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
    using: impl for<'p> FnOnce(Block<'p, CPort>) -> (Result<(), strait_status>, Option<Block<'p, CPort>>),
) -> strait_status {
    let run = |pool: &mut Pool<CPort>| {
        let place = arg::place(block)?;
        // SAFETY: not null and aligned, and a block by the caller's promise.
        let strait_block_t { index, number, len, renewed } = unsafe { place.read() };
        let given = RawBlock { index, number, len, renewed: renewed != 0 };
        // SAFETY: slices of blocks are not given out here, so one that is given twice is a wrong number at worst.
        let (result, left) = using(unsafe { pool.from_raw(given) }?);
        // SAFETY: the caller's promise.
        unsafe { place.write(left.map(raw).unwrap_or_default()) };
        result
    };
    // SAFETY: the caller's promise.
    unsafe { handle::with(pool, run) }
}

/// Copies `len` bytes into the block from `offset` on. `STRAIT_STATUS_TOO_LARGE` if they would pass its end; nothing is
/// written then.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_block_write(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
    offset: usize,
    bytes: *const u8,
    len: usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    let bytes = match unsafe { arg::bytes(bytes, len) } {
        Ok(bytes) => bytes,
        Err(status) => return status,
    };
    let mut fits = true;
    let write = from_block(|mut block| {
        fits = offset.checked_add(len).is_some_and(|end| end <= block.capacity());
        if fits {
            block.write(offset, bytes);
        }
        (Ok(()), Some(block))
    });
    // SAFETY: the caller's promise.
    let status = unsafe { with_block(pool, block, write) };
    if fits { status } else { strait_status::TooLarge }
}

/// Copies bytes of the block from `offset` on into `buffer`, as many as there are, up to `len`; how many in `*count`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_block_read(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
    offset: usize,
    buffer: *mut u8,
    len: usize,
    count: *mut usize,
) -> strait_status {
    // SAFETY: the caller's promise.
    let buffer = match unsafe { arg::buffer(buffer, len) } {
        Ok(buffer) => buffer,
        Err(status) => return status,
    };
    let mut found = 0;
    let read = from_block(|block| {
        found = block.read(offset, buffer);
        (Ok(()), Some(block))
    });
    if let Err(status) = arg::may_answer(count) {
        return status;
    }
    // SAFETY: the caller's promise.
    let status = unsafe { with_block(pool, block, read) };
    if status != strait_status::Ok {
        return status;
    }
    // SAFETY: the caller's promise.
    crate::status::status(unsafe { arg::answer(count, found) })
}

/// Hands the block over with its first `len` bytes; more than there are count as all. Whoever gets `*id` first takes it.
/// If the queue is full, take it back by `strait_pool_take`.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_block_send(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
    len: usize,
    id: *mut strait_block_id_t,
) -> strait_status {
    let send = from_block(|block| match block.send_or_keep(len) {
        Ok(BlockId { index, number }) => {
            // SAFETY: the caller's promise; the place was checked.
            let told = unsafe { arg::answer(id, strait_block_id_t { index, number }) };
            (told, None)
        }
        Err((error, kept)) => (Err(error.into()), kept),
    });
    if let Err(status) = arg::place(id) {
        return status;
    }
    // SAFETY: the caller's promise.
    unsafe { with_block(pool, block, send) }
}

/// Gives the block back, and wakes the first participant that waits for one. `STRAIT_STATUS_NOT_OWNER` if it is not this
/// participant's.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_block_release(
    pool: *mut strait_pool_t,
    block: *mut strait_block_t,
) -> strait_status {
    let release = from_block(|block| match block.release_or_keep() {
        Ok(()) => (Ok(()), None),
        Err((error, kept)) => (Err(error.into()), kept),
    });
    // SAFETY: the caller's promise.
    unsafe { with_block(pool, block, release) }
}

/// Closes a handle. Blocks that this participant owns stay its own until it ends: release them first.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_pool_close(pool: *mut strait_pool_t) -> strait_status {
    // SAFETY: the caller's promise.
    unsafe { handle::close(pool) }
}
