//! Byte offsets of words within a channel's blocks, and within the headers of frames and buffers.

/// Block A: bytes (frames) or slots published at least, counting up for ever; where a
/// successor starts. Of [`Kind::Compact`](super::kind::Kind::Compact), the tail itself.
pub const MARK: u32 = 0;
/// Block A: the sequence of the frame that comes at `MARK`.
pub const MARK_SEQUENCE: u32 = 4;
/// Block A: upper bound of the fill level ever reached, in the unit of the capacity.
pub const HIGH_WATER: u32 = 8;
/// Block A: sends refused because there was no space.
pub const REFUSED: u32 = 12;
/// Block A of a latest value or a broadcast: the count of the newest complete value.
pub const NEWEST: u32 = 0;
/// Block A of a latest value or a broadcast with a split payload: the headers, one after the other.
pub const HEADERS: u32 = 16;
/// Block B: up to where the consumer has released, in the unit of `MARK`.
pub const HEAD: u32 = 0;
/// Block B: the sequence of the first frame not released.
pub const HEAD_SEQUENCE: u32 = 4;
/// Block B of the ring of a queue with several consumers, whose `HEAD` is the least head of all: the bound that the
/// producer has announced, for consumers that join. Both are the producer's.
pub const FLOOR: u32 = 4;
/// Block C of a consumer of a queue with several: its identity while it takes part, or 0.
pub const JOINED: u32 = 0;
/// Block A of a mutex: how often the value was changed; its last bit names the buffer that holds it.
pub const VERSION: u32 = 0;
/// Block A of a mutex: 1 while the value is edited in place.
pub const IN_PLACE: u32 = 4;
/// Block C, role words: the owner; of a mutex, the lock's word; of a semaphore, its count.
pub const OWNER: u32 = 0;
/// Block C, role words: how often the role was taken over from a dead owner.
pub const TAKEOVERS: u32 = 4;
/// Block C, role words: the first violation that the owner saw of its peer.
pub const FAULT: u32 = 8;
/// Header of a frame: the commit word.
pub const COMMIT: u32 = 0;
/// Header of a frame: the user's tag.
pub const TAG: u32 = 4;
/// Header of a frame: its sequence number.
pub const SEQUENCE: u32 = 8;
/// Buffer of a latest value, or slot of a broadcast: its count; odd while it is written.
pub const COUNT: u32 = 0;
/// Buffer of a latest value: how often the count has wrapped.
pub const LAP: u32 = 4;
/// Buffer of a latest value: the format tag.
pub const VALUE_TAG: u32 = 8;
/// Buffer of a latest value: bytes of the value.
pub const VALUE_LEN: u32 = 12;
/// Buffer of a latest value: the value.
pub const VALUE: u32 = 16;
/// Words of a pool's block: bytes from one block's to the next one's.
pub const BLOCK_WORDS: u32 = 16;
/// Words of a pool's block: its state, which names its owner or the number under which it was sent.
pub const STATE: u32 = 0;
/// Words of a pool's block: its owner's number.
pub const TURN: u32 = 4;
/// Words of a pool's block: the participant that sent it last.
pub const SENDER: u32 = 8;
/// Words of a pool's block: how many of its bytes were sent.
pub const BLOCK_LEN: u32 = 12;
