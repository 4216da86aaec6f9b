//! The storage that the caller supplies for each object: how long it is, here and in the header.
//!
//! The lengths are literals since the header repeats them. That each object fits on the target that is
//! compiled for is checked by [`Handle::FITS`](crate::handle::Handle::FITS):
//!
//! | words after the first | objects |
//! |---|---|
//! | 62 | the ends of queues, and of calls |
//! | 1150 | consumers and servers of lanes |
//! | 126, 2046 | clients and servers of streams |
//! | 190 | orders of time |
//! | 174 | producers for several consumers |
//! | 78 | one of several consumers |
//! | 62 | heartbeats |
//! | 46 | mutexes, the ends of latest values and broadcasts |
//! | 38 | regions, permits, pools |
//! | 26 | semaphores |

/// The kind of object that a storage holds; part of its seal.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Region = 1,
    Producer = 2,
    Consumer = 3,
    TypedProducer = 4,
    TypedConsumer = 5,
    LatestWriter = 6,
    LatestReader = 7,
    Mutex = 8,
    Semaphore = 9,
    Permits = 10,
    LanesConsumer = 11,
    TypedLanesConsumer = 12,
    CallClient = 13,
    CallServer = 14,
    BroadcastWriter = 15,
    BroadcastReader = 16,
    LanesServer = 17,
    FanoutProducer = 18,
    FanoutConsumer = 19,
    TimeOrder = 20,
    Heartbeat = 21,
    Pool = 22,
    StreamClient = 23,
    StreamServer = 24,
}

/// Storage for a region that is open: one participant's view of it. Zero it before the first use, and do not
/// move it while it is open. Close it after all objects that were opened through it.
#[repr(C)]
pub struct strait_region_t {
    first: u64,
    rest: [usize; 38],
}

/// Storage for the sending side of a queue of frames. One at a time in a region.
#[repr(C)]
pub struct strait_producer_t {
    first: u64,
    rest: [usize; 62],
}

/// Storage for the receiving side of a queue of frames. One at a time in a region.
#[repr(C)]
pub struct strait_consumer_t {
    first: u64,
    rest: [usize; 62],
}

/// Storage for the sending side of a queue of values. One at a time in a region.
#[repr(C)]
pub struct strait_typed_producer_t {
    first: u64,
    rest: [usize; 62],
}

/// Storage for the receiving side of a queue of values. One at a time in a region.
#[repr(C)]
pub struct strait_typed_consumer_t {
    first: u64,
    rest: [usize; 62],
}

/// Storage for the receiving side of a queue of frames with up to `STRAIT_MAX_LANES` producers. One at a time in
/// a region.
#[repr(C)]
pub struct strait_lanes_consumer_t {
    first: u64,
    rest: [usize; 1150],
}

/// Storage for the receiving side of a queue of values with up to `STRAIT_MAX_LANES` producers. One at a time in
/// a region.
#[repr(C)]
pub struct strait_typed_lanes_consumer_t {
    first: u64,
    rest: [usize; 1150],
}

/// Storage for the sending side of a queue with several consumers. One at a time in a region.
#[repr(C)]
pub struct strait_fanout_producer_t {
    first: u64,
    rest: [usize; 174],
}

/// Storage for one of several consumers of a queue. One at a time in a region, of each number.
#[repr(C)]
pub struct strait_fanout_consumer_t {
    first: u64,
    rest: [usize; 78],
}

/// Storage for the writer of a latest value. One at a time in a region.
#[repr(C)]
pub struct strait_latest_writer_t {
    first: u64,
    rest: [usize; 46],
}

/// Storage for a reader of a latest value. Any number of them.
#[repr(C)]
pub struct strait_latest_reader_t {
    first: u64,
    rest: [usize; 46],
}

/// Storage for the writer of a broadcast. One at a time in a region.
#[repr(C)]
pub struct strait_broadcast_writer_t {
    first: u64,
    rest: [usize; 46],
}

/// Storage for a reader of a broadcast. Any number of them.
#[repr(C)]
pub struct strait_broadcast_reader_t {
    first: u64,
    rest: [usize; 46],
}

/// Storage for a handle on a value under a lock. Any number of them, each with its own region where they are
/// of different threads.
#[repr(C)]
pub struct strait_mutex_t {
    first: u64,
    rest: [usize; 46],
}

/// Storage for a handle on permits. Any number of them; each has one permit at a time.
#[repr(C)]
pub struct strait_permits_t {
    first: u64,
    rest: [usize; 38],
}

/// Storage for a handle on a pool of blocks. Any number of them, each with its own region where they are of different
/// threads.
#[repr(C)]
pub struct strait_pool_t {
    first: u64,
    rest: [usize; 38],
}

/// Storage for a handle on a semaphore. Any number of them.
#[repr(C)]
pub struct strait_semaphore_t {
    first: u64,
    rest: [usize; 26],
}

/// Storage for the calling side of a channel of calls. One at a time in a region.
#[repr(C)]
pub struct strait_call_client_t {
    first: u64,
    rest: [usize; 62],
}

/// Storage for the serving side of a channel of calls. One at a time in a region.
#[repr(C)]
pub struct strait_call_server_t {
    first: u64,
    rest: [usize; 62],
}

/// Storage for the serving side of a channel of calls with up to `STRAIT_MAX_LANES` clients. One at a time in a region.
#[repr(C)]
pub struct strait_lanes_server_t {
    first: u64,
    rest: [usize; 1150],
}

/// Storage for the calling side of streams. One at a time in a region, of each lane.
#[repr(C)]
pub struct strait_stream_client_t {
    first: u64,
    rest: [usize; 126],
}

/// Storage for the serving side of streams with up to `STRAIT_MAX_LANES` clients. One at a time in a region.
#[repr(C)]
pub struct strait_stream_server_t {
    first: u64,
    rest: [usize; 2558],
}

/// Storage for what one consumer of lanes knows of the order of time.
#[repr(C)]
pub struct strait_time_order_t {
    first: u64,
    rest: [usize; 190],
}

/// Storage for a watch on how often a channel is sent to. Any number of them.
#[repr(C)]
pub struct strait_heartbeat_t {
    first: u64,
    rest: [usize; 62],
}
