/*
 * strait: message and locking core for real-time control. The C interface.
 *
 * Made by cbindgen from the crate strait-capi: change that, not this.
 *
 * There is no heap: every object is in storage that you supply (strait_producer_t and so on). Zero the
 * storage before its first use, and do not move it while the object is open. Every function returns a
 * strait_status; unless its comment says otherwise, it changes nothing if that is not STRAIT_STATUS_OK. A null
 * or misaligned pointer, storage without an open object, and a buffer that is too short are errors; any other
 * invalid pointer is not detected. Where a function only tells something, a null pointer may mean that it is not
 * wanted. Use an object from one thread at a time; threads that lock attach once each.
 *
 * Cancelling a thread (pthread_cancel, deferred): it takes effect after a call and never within one, so a call
 * that waits first waits to its end; give it a time-out. A cancelled thread's objects stay open until something
 * closes them: push a cleanup handler. Asynchronous cancelling is not supported.
 *
 * Signals: a handler that returns ends no wait, so a call goes on until its time is up. A program that is to end on
 * Ctrl-C waits in slices, and looks between them at a flag that its handler sets.
 *
 * The successor of a consumer that was killed may receive again what that one received last: up to release_every messages
 * of strait_consumer_options_t, 64 by default, and none that it told of by strait_consumer_flush or
 * strait_typed_consumer_flush. With at_most_once there it receives none again, and may miss the last.
 *
 * After a fork: a child takes no part in what its parent had open. On Linux its memory becomes a private copy, whatever
 * it does through inherited objects reaches nobody, and calls return STRAIT_STATUS_FORKED; new claims are refused as
 * STRAIT_STATUS_READ_ONLY, and giving back a lock or permit that the parent holds as STRAIT_STATUS_NOT_OWNER. Some calls
 * look at nothing that could tell, and say STRAIT_STATUS_OK still: the first receive from a queue (or lane) that held a
 * message at the fork, and while values are delivered at most once, all that it held; sends to a channel on which nobody
 * may sleep, while there is space that the producer knew of, and commits of reservations; publications that no reader
 * may sleep for; a broadcast's reader, for values that were there at the fork.
 * A latest value's reader gets STRAIT_STATUS_CONTENDED. On other systems a child must not touch inherited objects. Fork
 * first, then open. A daemon opens after its last fork.
 *
 * A region that is removed, or made anew, while it is open lives on in the old memory. Calls that wait there return
 * STRAIT_STATUS_REPLACED once no other participant is left that may live: then nobody can come to it any more.
 *
 * Contracts (lists of functions) have no functions here, because C has no macro that could make a client of one. Their
 * channels are channels of calls, which strait_call_client_ and strait_call_server_ functions use: the hash of requests
 * is strait_type_hash of the contract's text, and FORMAT.md says under "Contracts" what a request and an answer hold.
 *
 * FORMAT.md documents the bytes of the memory.
 */


#ifndef STRAIT_H
#define STRAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A reader starts, and goes on when it was overtaken, at the newest value.
#define STRAIT_BROADCAST_NEWEST 0

// A reader starts, and goes on when it was overtaken, three quarters of the ring behind the newest value.
#define STRAIT_BROADCAST_OLDEST 1

// In place of a consumer's number: any whose place is free, or else one that is proven dead.
#define STRAIT_ANY_CONSUMER UINT32_MAX

// The most lanes that a consumer opened in C has room for.
#define STRAIT_MAX_LANES 16

// In place of a lane's number: any lane that can be claimed, and is not urgent.
#define STRAIT_ANY_LANE UINT32_MAX

// Scalars of a field, as the macros of fields name them: what it is, and its bytes.
#define STRAIT_SCALAR_U8 257

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_U16 258

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_U32 260

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_U64 264

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_I8 513

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_I16 514

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_I32 516

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_I64 520

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_F32 772

// See `STRAIT_SCALAR_U8`.
#define STRAIT_SCALAR_F64 776

// Opens regions of any owner and mode: for tools that look.
#define STRAIT_ANY_OWNER 8

// In `strait_options_t`: opens only files of the user `owner`. Unix only.
#define STRAIT_OWNER 16

// In `strait_options_t`: creates regions with a `mode` that lets others read and not write, as 0640, which is refused
// otherwise: such a reader can keep all others from joining by a lock on the file. Unix only.
#define STRAIT_READERS 32

// Brings every page into memory while mapping.
#define STRAIT_PREFAULT 1

// Locks every page into memory while mapping.
#define STRAIT_LOCK_MEMORY 2

// Maps for reading alone, and takes no part.
#define STRAIT_READ_ONLY 4

// A queue of frames of varying length.
#define STRAIT_KIND_FRAMES 1

// A queue of values of one type, published in the slot: between cores with caches.
#define STRAIT_KIND_SLOTS 2

// A queue of values of one type, published by index: for small values on one core.
#define STRAIT_KIND_COMPACT 3

// The latest of a stream of values. With the hash and size of a `u32` and a consumer that may block it is an event:
// publishing notifies, with the value as a code, and the readers count by `number`.
#define STRAIT_KIND_LATEST 4

// A value under a lock.
#define STRAIT_KIND_MUTEX 5

// A counting semaphore.
#define STRAIT_KIND_SEMAPHORE 6

// A semaphore whose permits come back from the dead.
#define STRAIT_KIND_PERMITS 7

// A stream of values to any number of readers, which the writer overtakes if they are slow.
#define STRAIT_KIND_BROADCAST 8

// Calls of one or several clients to one server, each with a request and an answer.
#define STRAIT_KIND_CALLS 9

// A pool of blocks for large messages, which are handed over and not copied.
#define STRAIT_KIND_POOL 10

// The consumer (of a latest value or a broadcast: readers; of a mutex: waiters for a change) may sleep.
#define STRAIT_CONSUMER_MAY_BLOCK 1

// The producer may sleep for space.
#define STRAIT_PRODUCER_MAY_BLOCK 2

// The most channels of a plan made in C.
#define STRAIT_MAX_CHANNELS 32

// Nothing is known of a participant; it counts as alive.
#define STRAIT_UNKNOWN 0

// A participant lives.
#define STRAIT_ALIVE 1

// A participant is proven dead.
#define STRAIT_DEAD 2

// Nobody has the other role.
#define STRAIT_PEER_ABSENT 0

// The owner of the other role lives, or cannot be proven dead.
#define STRAIT_PEER_PRESENT 1

// The owner of the other role is proven dead, and nobody has taken over yet.
#define STRAIT_PEER_DEAD 2

// The first number of the version of this header.
#define STRAIT_VERSION_MAJOR 0

// The second number of the version of this header. Before 1.0, another one may need changes in programs.
#define STRAIT_VERSION_MINOR 1

// The third number of the version of this header.
#define STRAIT_VERSION_PATCH 0

// The most receivers that one call waits for.
#define STRAIT_MAX_WAITABLES 32

// How a call went. Where it is not said otherwise, everything but `STRAIT_STATUS_OK` has changed nothing.
enum strait_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It went well.
  STRAIT_STATUS_OK = 0,
  // A pointer is null that must not be, or a number is out of range.
  STRAIT_STATUS_BAD_ARGUMENT = 1,
  // A pointer is not aligned as its type asks, or memory not as the region asks.
  STRAIT_STATUS_MISALIGNED = 2,
  // The storage holds no open object of this kind, or was moved since it was opened.
  STRAIT_STATUS_NOT_OPEN = 3,
  // The storage holds an open object already; or the region still has open objects.
  STRAIT_STATUS_IN_USE = 4,
  // The call does not fit what the mutex is in: it is not locked, is locked already, or awaits repair. Of a server:
  // no request is taken.
  STRAIT_STATUS_WRONG_STATE = 5,
  // The bytes are not as many as the channel's type has.
  STRAIT_STATUS_WRONG_SIZE = 6,
  // The region is shorter than it must be.
  STRAIT_STATUS_TOO_SHORT = 20,
  // The region is not initialised: its creator has not finished, or died.
  STRAIT_STATUS_UNINITIALISED = 21,
  // The region was made by a machine of the other byte order, or this is one.
  STRAIT_STATUS_BYTE_ORDER = 22,
  // This is not a strait region.
  STRAIT_STATUS_NOT_A_REGION = 23,
  // The region has another version of the format.
  STRAIT_STATUS_VERSION = 24,
  // The region has features that this library does not know, or keeps its payload apart for caches that are
  // not coherent, which this interface does not serve.
  STRAIT_STATUS_FEATURES = 25,
  // Header, directory or channel contradict themselves: damaged.
  STRAIT_STATUS_DAMAGED = 26,
  // Every place in the participant table is taken.
  STRAIT_STATUS_TABLE_FULL = 27,
  // The plan cannot work.
  STRAIT_STATUS_BAD_PLAN = 28,
  // There is no such channel or region.
  STRAIT_STATUS_NOT_FOUND = 40,
  // The channel is of another kind.
  STRAIT_STATUS_KIND = 41,
  // The channel carries another type.
  STRAIT_STATUS_TYPE = 42,
  // Another participant has the role or the lock, and is not proven dead.
  STRAIT_STATUS_BUSY = 43,
  // The region was opened to look only.
  STRAIT_STATUS_READ_ONLY = 44,
  // The plan gives the role to another domain.
  STRAIT_STATUS_DOMAIN = 45,
  // The plan gives the lock to two domains, which cannot compare and swap one word.
  STRAIT_STATUS_NO_COMMON_ATOMICS = 46,
  // A peer wrote what no honest peer writes. Of a queue, every later call returns this too.
  STRAIT_STATUS_FAULT = 47,
  // This process is a forked child of the one that opened the region.
  STRAIT_STATUS_FORKED = 48,
  // No space that the producer knows of; it may come. A consumer tells of what it is done with in groups, of a
  // quarter of the ring at most, and the message in use counts: one that drops what is refused plans a ring a third
  // larger than what it must hold.
  STRAIT_STATUS_FULL = 60,
  // There is nothing now; it may come.
  STRAIT_STATUS_EMPTY = 61,
  // It took longer than the time allowed.
  STRAIT_STATUS_TIMED_OUT = 62,
  // Longer than the channel's maximum; it can never fit.
  STRAIT_STATUS_TOO_LARGE = 63,
  // The buffer is shorter than the message, which stays where it is. (Of a latest value or a broadcast: the
  // buffer holds its beginning.)
  STRAIT_STATUS_TOO_SMALL = 64,
  // The value read is the one that was read last.
  STRAIT_STATUS_STALE = 65,
  // Others were faster in each of a bounded number of tries, of a semaphore's word too; try again.
  STRAIT_STATUS_CONTENDED = 66,
  // The writer has overtaken this reader, which has lost values; the next call goes on behind them.
  STRAIT_STATUS_LAGGED = 67,
  // The other side of the queue is proven dead, or was there and has left; of a receive, all that it sent was
  // received. Only where `..._end_with_peer` or `..._end_with_writer` is set.
  STRAIT_STATUS_PEER_GONE = 68,
  // The region was removed, or made anew under its name, and no other participant is left in it that may live, so nobody
  // can come. Threads that share this participant do not count. Close all, and open the region again. From
  // calls that wait, once a probe period. A call that ends so was withdrawn and has not run.
  STRAIT_STATUS_REPLACED = 69,
  // Locked, and the last owner died with the lock: repair, and mark the value consistent or roll back.
  STRAIT_STATUS_OWNER_DIED = 80,
  // This participant has the lock already.
  STRAIT_STATUS_DEADLOCK = 81,
  // The lock was given up unrepaired; re-initialise it.
  STRAIT_STATUS_POISONED = 82,
  // The lock was not this participant's any more when it was given back. It is open, and not locked. Of a pool: the
  // block is not this participant's, or its id leads to it no more.
  STRAIT_STATUS_NOT_OWNER = 83,
  // The dead owner was editing in place, so there is nothing to roll back to: repair.
  STRAIT_STATUS_IN_PLACE = 84,
  // The count would pass its maximum.
  STRAIT_STATUS_OVERFLOW = 85,
  // The queues do not share a doorbell, or were not opened through one region.
  STRAIT_STATUS_NO_DOORBELL = 86,
  // There is something under this name or path already.
  STRAIT_STATUS_ALREADY_EXISTS = 100,
  // No space on the file system.
  STRAIT_STATUS_NO_SPACE = 101,
  // The system does not permit it.
  STRAIT_STATUS_NOT_PERMITTED = 102,
  // The file is not to be trusted: its kind, owner, mode or number of names.
  STRAIT_STATUS_NOT_TRUSTED = 103,
  // The name cannot be one, or the directory does not exist.
  STRAIT_STATUS_BAD_NAME = 104,
  // The memory could not be locked.
  STRAIT_STATUS_NOT_LOCKED = 105,
  // This system cannot do it, or some other error of the system.
  STRAIT_STATUS_SYSTEM = 106,
  // The socket's other end is closed.
  STRAIT_STATUS_CLOSED = 107,
  // The server is proven dead; no server has acted on the request, and none ever will.
  STRAIT_STATUS_DID_NOT_RUN = 120,
  // The server is proven dead, or was succeeded; the request may have run.
  STRAIT_STATUS_MAY_HAVE_RUN = 121,
  // The server refused the request.
  STRAIT_STATUS_REFUSED = 122,
  // The ticket names no call that is out.
  STRAIT_STATUS_UNKNOWN_TICKET = 123,
  // The client wants no more parts: it has cancelled the call.
  STRAIT_STATUS_CANCELLED = 124,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum strait_status strait_status;
#else
typedef int32_t strait_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Storage for the sending side of a queue of frames. One at a time in a region.
typedef struct strait_producer_t {
  uint64_t first;
  size_t rest[62];
} strait_producer_t;

// A frame that is to be sent.
typedef struct strait_frame_t {
  // The payload; may be null if it is empty.
  const void *payload;
  // Its length in bytes.
  size_t len;
  // The tag.
  uint32_t tag;
} strait_frame_t;

// Storage for the receiving side of a queue of frames. One at a time in a region.
typedef struct strait_consumer_t {
  uint64_t first;
  size_t rest[62];
} strait_consumer_t;

// A frame that was received.
typedef struct strait_received_t {
  // The sender's tag.
  uint32_t tag;
  // The frame's number, counting up by one a frame, modulo 2^32.
  uint32_t sequence;
  // Its length in bytes.
  size_t len;
} strait_received_t;

// Storage for the sending side of a queue of values. One at a time in a region.
typedef struct strait_typed_producer_t {
  uint64_t first;
  size_t rest[62];
} strait_typed_producer_t;

// Storage for the receiving side of a queue of values. One at a time in a region.
typedef struct strait_typed_consumer_t {
  uint64_t first;
  size_t rest[62];
} strait_typed_consumer_t;

// Storage for the writer of a broadcast. One at a time in a region.
typedef struct strait_broadcast_writer_t {
  uint64_t first;
  size_t rest[46];
} strait_broadcast_writer_t;

// Storage for a region that is open: one participant's view of it. Zero it before the first use, and do not
// move it while it is open. Close it after all objects that were opened through it.
typedef struct strait_region_t {
  uint64_t first;
  size_t rest[38];
} strait_region_t;

// Storage for a reader of a broadcast. Any number of them.
typedef struct strait_broadcast_reader_t {
  uint64_t first;
  size_t rest[46];
} strait_broadcast_reader_t;

// A latest value that was read.
typedef struct strait_value_t {
  // How many values were published up to and including this one.
  uint64_t number;
  // The writer's format tag.
  uint32_t tag;
  // The value's length in bytes.
  size_t len;
} strait_value_t;

// Storage for what one consumer of lanes knows of the order of time.
typedef struct strait_time_order_t {
  uint64_t first;
  size_t rest[190];
} strait_time_order_t;

// Storage for the receiving side of a queue of frames with up to `STRAIT_MAX_LANES` producers. One at a time in
// a region.
typedef struct strait_lanes_consumer_t {
  uint64_t first;
  size_t rest[1150];
} strait_lanes_consumer_t;

// Storage for the receiving side of a queue of values with up to `STRAIT_MAX_LANES` producers. One at a time in
// a region.
typedef struct strait_typed_lanes_consumer_t {
  uint64_t first;
  size_t rest[1150];
} strait_typed_lanes_consumer_t;

// Storage for the calling side of a channel of calls. One at a time in a region.
typedef struct strait_call_client_t {
  uint64_t first;
  size_t rest[62];
} strait_call_client_t;

// Storage for the serving side of a channel of calls with up to `STRAIT_MAX_LANES` clients. One at a time in a region.
typedef struct strait_lanes_server_t {
  uint64_t first;
  size_t rest[1150];
} strait_lanes_server_t;

// A request that a server has taken.
typedef struct strait_request_t {
  // The client's identity, or 0.
  uint32_t caller;
  // The client wants no answer.
  bool is_post;
  // A server that died had taken it, so it may have run before.
  bool is_again;
} strait_request_t;

// Storage for the serving side of a channel of calls. One at a time in a region.
typedef struct strait_call_server_t {
  uint64_t first;
  size_t rest[62];
} strait_call_server_t;

// Storage for the calling side of streams. One at a time in a region, of each lane.
typedef struct strait_stream_client_t {
  uint64_t first;
  size_t rest[126];
} strait_stream_client_t;

// The two channels of streams, and their types. In the plan, the calls are of `STRAIT_KIND_CALLS`, with `end_hash` and 4 as
// hash and size of their answer, and the parts of `STRAIT_KIND_FRAMES`, with `STRAIT_PRODUCER_MAY_BLOCK`, `part_size` as
// their size, and `strait_parts_capacity` as their capacity. With several clients, `producers` is their number in both;
// with one, the parts have `STRAIT_CONSUMER_MAY_BLOCK`, too.
typedef struct strait_stream_t {
  // The name of the channel of calls.
  const char *calls;
  // The name of the channel of parts.
  const char *parts;
  // The hash of the requests' type.
  uint64_t request_hash;
  // The hash of the end's type: `strait_stream_end_hash` of the parts' descriptor.
  uint64_t end_hash;
  // The size of a request.
  uint32_t request_size;
  // The size of a part.
  uint32_t part_size;
} strait_stream_t;

// What a client of streams finds.
typedef struct strait_streamed_t {
  // There are no more parts, and the call is over; otherwise the next part was copied.
  bool is_end;
  // At the end: how many parts there were, all of which have come.
  uint32_t parts;
} strait_streamed_t;

// Storage for the serving side of streams with up to `STRAIT_MAX_LANES` clients. One at a time in a region.
typedef struct strait_stream_server_t {
  uint64_t first;
  size_t rest[2558];
} strait_stream_server_t;

// How a consumer receives. All zeros, or a null pointer: at least once, and a successor may see up to 64
// released messages again.
typedef struct strait_consumer_options_t {
  // A message counts as done with before the receive returns, not with the next call.
  bool at_most_once;
  // Publishes the released position at least once in this many releases; 0 stands for 64.
  uint32_t release_every;
} strait_consumer_options_t;

// A queue as one of its ends sees it.
typedef struct strait_end_t {
  // Messages that wait: at a producer an upper bound, in the unit of the capacity; at a consumer a lower
  // bound, in messages.
  uint32_t len;
  // Bytes of the ring, or slots.
  uint32_t capacity;
  // The longest frame, or the size of the type, in bytes.
  uint32_t max_len;
  // `STRAIT_PEER_...`: what is known of the other side.
  uint32_t peer;
  // The dead participant that this role was taken over from; 0 if it was not.
  uint32_t taken_over_from;
  // The violation that was latched, by its number in FORMAT.md; 0 for none.
  uint32_t fault;
} strait_end_t;

// Storage for the sending side of a queue with several consumers. One at a time in a region.
typedef struct strait_fanout_producer_t {
  uint64_t first;
  size_t rest[174];
} strait_fanout_producer_t;

// The consumer that bounds the producer.
typedef struct strait_slowest_t {
  // Its number, from 0.
  uint32_t consumer;
  // The participant; 0 of a word that names nobody.
  uint32_t who;
  // How many values it has not released.
  uint32_t lag;
} strait_slowest_t;

// Storage for one of several consumers of a queue. One at a time in a region, of each number.
typedef struct strait_fanout_consumer_t {
  uint64_t first;
  size_t rest[78];
} strait_fanout_consumer_t;

// A queue as one of several consumers sees it.
typedef struct strait_fanout_end_t {
  // Its number, from 0.
  uint32_t consumer;
  // Values that wait for it: a lower bound.
  uint32_t lag;
  // Slots.
  uint32_t capacity;
  // The number of the value that it got first, or will.
  uint32_t first;
  // How many values, at most, were lost between the dead consumer before it and this one.
  uint32_t missed;
  // `STRAIT_PEER_...`: what is known of the producer.
  uint32_t peer;
  // The dead participant that this place was taken over from; 0 if it was not.
  uint32_t taken_over_from;
  // The violation that was latched, by its number in FORMAT.md; 0 for none.
  uint32_t fault;
} strait_fanout_end_t;

// Storage for a watch on how often a channel is sent to. Any number of them.
typedef struct strait_heartbeat_t {
  uint64_t first;
  size_t rest[62];
} strait_heartbeat_t;

// How a channel is sent to.
typedef struct strait_heartbeat_state_t {
  // How often the plan expects something to be sent, in nanoseconds; 0 if it does not say.
  uint64_t period_ns;
  // How long ago a check saw something new last, or the watch was opened.
  uint64_t silence_ns;
  // For how much longer than the period nothing was sent; 0 if it is not late. Late is not dead.
  uint64_t late_by_ns;
} strait_heartbeat_state_t;

// A channel, as the directory describes it.
typedef struct strait_channel_info_t {
  // Its name, which ends with a NUL.
  uint8_t name[32];
  // `STRAIT_KIND_...`.
  uint32_t kind;
  // Bytes of the ring (frames), slots, buffers, permits, blocks, or the highest count.
  uint32_t capacity;
  // The largest payload in bytes, or the type's size; of a semaphore, its initial count; of a pool, the bytes of a block.
  uint32_t max_len;
  // The domain of the producer or writer.
  uint32_t producer_domain;
  // The domain of the consumer.
  uint32_t consumer_domain;
  // The type's hash; 0 if untyped.
  uint64_t type_hash;
  // Of a queue with several producers, or calls of several clients, which lane this is, from 0.
  uint32_t lane;
  // How many lanes there are, each counted as a channel; 1 if there is one producer.
  uint32_t lanes;
} strait_channel_info_t;

// A snapshot of a channel. The words are read one by one, so on a live region they may belong to different
// moments. Owners are identities; 0 is nobody.
typedef struct strait_channel_state_t {
  // Messages waiting; of a latest value, 1 once something was published; of a broadcast, the values in its
  // ring; of a semaphore, its count; of permits and a pool's blocks, how many are free.
  uint32_t len;
  // Upper bound of the fill level ever reached, in the unit of the capacity.
  uint32_t high_water;
  // Messages sent, values published, or changes of a mutex's value, modulo 2^32.
  uint32_t sent;
  // Sends refused because there was no space.
  uint32_t refused;
  // The producer or writer; of a mutex, the holder of the lock.
  uint32_t producer;
  // The consumer.
  uint32_t consumer;
  // How often the producer's role, or a mutex, was taken over from a dead owner.
  uint32_t producer_takeovers;
  // How often the consumer's role was taken over from a dead owner.
  uint32_t consumer_takeovers;
  // The violation that the producer has latched, by its number; 0 is none.
  uint32_t producer_fault;
  // The violation that the consumer has latched, by its number; 0 is none.
  uint32_t consumer_fault;
  // Of a mutex: deaths since its data were whole.
  uint32_t deaths;
  // Of a mutex: it was given up.
  bool poisoned;
} strait_channel_state_t;

// How a consumer of lanes receives. All zeros, or a null pointer: as a consumer with such options, and up to 16
// messages in a row from one lane.
typedef struct strait_lanes_options_t {
  // How it receives from each lane.
  struct strait_consumer_options_t each_lane;
  // How many messages come from one lane at most before the next gets its turn; 0 stands for 16.
  uint32_t burst;
} strait_lanes_options_t;

// A lane as the consumer of all lanes sees it.
typedef struct strait_lane_t {
  // How many lanes there are.
  uint32_t lanes;
  // Messages that wait in this one: a lower bound.
  uint32_t len;
  // `STRAIT_PEER_...`: what is known of its producer; `STRAIT_PEER_ABSENT` if the lane is damaged.
  uint32_t peer;
  // The dead participant that the consumer's role of the lane was taken over from; 0 if it was not.
  uint32_t taken_over_from;
  // The violation that was found in the lane, by its number in FORMAT.md; 0 for none.
  uint32_t fault;
} strait_lane_t;

// Storage for the writer of a latest value. One at a time in a region.
typedef struct strait_latest_writer_t {
  uint64_t first;
  size_t rest[46];
} strait_latest_writer_t;

// Storage for a reader of a latest value. Any number of them.
typedef struct strait_latest_reader_t {
  uint64_t first;
  size_t rest[46];
} strait_latest_reader_t;

// A name of a field's value.
typedef struct strait_named_value_t {
  // The name, without spaces.
  const char *name;
  // The value.
  int64_t value;
} strait_named_value_t;

// A field of a message. Made by `STRAIT_FIELD` and its siblings.
typedef struct strait_field_t {
  // Its name.
  const char *name;
  // `STRAIT_SCALAR_...`; 0 of a message within the message.
  uint32_t scalar;
  // Where it is in the message.
  uint32_t offset;
  // Its bytes, with all elements.
  uint32_t size;
  // Of an array, how many elements it has; 0 of a single value.
  uint32_t count;
  // The message within the message.
  const struct strait_message_t *nested;
  // The unit of its value; may be null.
  const char *unit;
  // A line of help; may be null.
  const char *help;
  // Names of its values; null if there are none.
  const struct strait_named_value_t *values;
  // How many.
  uint32_t value_count;
} strait_field_t;

// A message: a struct of numbers, arrays of them and other messages, without padding. Made by `STRAIT_MESSAGE`.
typedef struct strait_message_t {
  // Its name, for people; may be empty.
  const char *name;
  // The fields, in their order.
  const struct strait_field_t *fields;
  // How many.
  uint32_t field_count;
  // Bytes of the struct.
  uint32_t size;
} strait_message_t;

// Storage for a handle on a value under a lock. Any number of them, each with its own region where they are
// of different threads.
typedef struct strait_mutex_t {
  uint64_t first;
  size_t rest[46];
} strait_mutex_t;

// A channel of a plan. What its kind has no use for stays 0.
typedef struct strait_channel_t {
  // 1 to 31 bytes of UTF-8, no slash.
  const char *name;
  // `STRAIT_KIND_...`.
  uint32_t kind;
  // A power of two: bytes of the ring (frames), slots (a broadcast too), or buffers (latest; 0 stands for 2).
  // Of a mutex 0. Calls: the places, up to 32. Any number: the highest count of a semaphore, the permits, a
  // pool's blocks.
  uint32_t capacity;
  // The largest frame, or value of bytes, in bytes; the size of the type; of calls, the request's;
  // the initial count of a semaphore; of a pool, the bytes of a block.
  uint32_t size;
  // `STRAIT_CONSUMER_MAY_BLOCK` and `STRAIT_PRODUCER_MAY_BLOCK`.
  uint32_t flags;
  // The type's hash (see `strait_type_hash`); 0 for frames, and for a latest value or a broadcast of bytes.
  uint64_t type_hash;
  // From 1: queues and calls with the same number share the word on which their consumers and servers sleep. 0:
  // none, and for other channels.
  uint32_t doorbell;
  // The domain of the producer or writer.
  uint32_t producer_domain;
  // The domain of the consumer.
  uint32_t consumer_domain;
  // How many producers a queue, or clients a channel of calls, may have at once, each with a lane of its own: 1 to 256;
  // 0 stands for 1.
  uint32_t producers;
  // How many of the lanes, from the first, are urgent: looked at before the others by each receive.
  uint32_t urgent_lanes;
  // Of calls: the answer's size.
  uint32_t answer_size;
  // Of calls: the hash of the answer's type.
  uint64_t answer_hash;
  // How many consumers a queue of slots or compact may have at once, each of which gets every value: 1 to 32; 0 stands
  // for an ordinary queue with one.
  uint32_t consumers;
  // How often the producer or writer is meant to send, in microseconds; 0 if nothing is expected. A
  // `strait_heartbeat_t` tells when it is late.
  uint32_t period_us;
} strait_channel_t;

// A plan.
typedef struct strait_plan_t {
  // The channels.
  const struct strait_channel_t *channels;
  // How many, `STRAIT_MAX_CHANNELS` at most.
  uint32_t channel_count;
  // The distance of words of different writers, a power of two from 4 to 4096; 0 stands for 128.
  uint32_t line;
  // The most participants at once, 1 to 511; 0 stands for 32.
  uint32_t participants;
  // The description of the region's types, a text that `strait_describe` made; null for none.
  const char *description;
} strait_plan_t;

// How a region is created or opened. All zeros, or a null pointer: as by `strait_create` and `strait_open` without
// flags.
typedef struct strait_options_t {
  // `STRAIT_PREFAULT`, `STRAIT_LOCK_MEMORY`, `STRAIT_READ_ONLY`, `STRAIT_ANY_OWNER`, `STRAIT_OWNER`,
  // `STRAIT_READERS`.
  uint32_t flags;
  // Creates files with exactly this mode, whatever the umask, and opens only files that grant nothing beyond it. 0
  // stands for 0600. Who may write to a region can disturb all its users. Unix only; elsewhere 0.
  uint32_t mode;
  // With `STRAIT_OWNER`, the user whose files are opened; otherwise this process's effective user.
  uint32_t owner;
  // The domain of this participant.
  uint32_t domain;
} strait_options_t;

// Storage for a handle on permits. Any number of them; each has one permit at a time.
typedef struct strait_permits_t {
  uint64_t first;
  size_t rest[38];
} strait_permits_t;

// A permit that was taken.
typedef struct strait_permit_t {
  // Which one, from 0.
  uint32_t index;
  // The dead participant that it was taken over from; 0 if it was not.
  uint32_t taken_over_from;
} strait_permit_t;

// Storage for a handle on a pool of blocks. Any number of them, each with its own region where they are of different
// threads.
typedef struct strait_pool_t {
  uint64_t first;
  size_t rest[38];
} strait_pool_t;

// A block that this participant owns, for the functions that take one. Send it or release it once; a copy of one that
// was sent or released is refused.
typedef struct strait_block_t {
  // Which block, from 0.
  uint32_t index;
  // Its owner's number.
  uint32_t number;
  // How many bytes were sent; of a block that was claimed, all there are.
  uint32_t len;
  // Not 0 if it was claimed, or written to.
  uint32_t renewed;
} strait_block_t;

// A block that was sent: the message that goes through a queue, or is a part of one. Its type alone is that of
// `strait_type_hash("{index:u32@0;number:u32@4;size=8}", ...)`.
typedef struct strait_block_id_t {
  // Which block, from 0.
  uint32_t index;
  // The number under which it was sent.
  uint32_t number;
} strait_block_id_t;

// Supplied by a program with memory of its own: its place in the plan, and functions for waiting, proof
// of life, and time. A function may be null. Where an interrupt handler uses the region too, they must be
// callable from there. `wake`, `now_ns`, `raise` and `lower` must have no cancellation point in them.
//
// All zeros is a region within one program, on one core: waiting spins as long as its policy says, nobody
// is ever proven dead, and a place in the participant table is not given back by a reset.
typedef struct strait_system_t {
  // Given to each function; may be null.
  void *context;
  // The domain of this participant.
  uint32_t domain;
  // The boot counter of this machine, for display.
  uint32_t boot;
  // Sleeps while `*word`, loaded atomically, is `expected`, for `timeout_ns` at the most. May return early
  // for any reason. `instance` and `offset` name the word the same for all participants. Null: spins.
  void (*wait)(void *context,
               const uint32_t *word,
               uint64_t instance,
               uint32_t offset,
               uint32_t expected,
               uint64_t timeout_ns);
  // Wakes every thread that sleeps at this word. Null if nobody sleeps.
  void (*wake)(void *context, const uint32_t *word, uint64_t instance, uint32_t offset);
  // A monotonic clock in nanoseconds. Null: time-outs are up when the spins are.
  uint64_t (*now_ns)(void *context);
  // Takes the token that proves `ident` alive; `false` if somebody has it. Null: there are none.
  bool (*acquire)(void *context, uint32_t ident);
  // Gives that token back.
  void (*release)(void *context, uint32_t ident);
  // Returns the state of `ident`: `STRAIT_UNKNOWN`, `STRAIT_ALIVE`, or `STRAIT_DEAD`, which must be proof that
  // it never touches the region again, and that all it wrote is visible. Null: nothing.
  uint32_t (*probe)(void *context, uint32_t ident);
  // Raises the calling thread's priority to the ceiling of the region's locks; what it returns goes to
  // `lower`. Raises are counted for each thread, which may give its mutexes back in any order.
  uint32_t (*raise)(void *context);
  // Undoes one `raise` of the calling thread; the priority falls with the last one.
  void (*lower)(void *context, uint32_t raised);
} strait_system_t;

// Storage for a handle on a semaphore. Any number of them.
typedef struct strait_semaphore_t {
  uint64_t first;
  size_t rest[26];
} strait_semaphore_t;

// A receiver to wait for: one of the pointers, the others are null.
typedef struct strait_waitable_t {
  // Of frames.
  struct strait_consumer_t *frames;
  // Of values.
  struct strait_typed_consumer_t *values;
  // Of frames of several producers.
  struct strait_lanes_consumer_t *lanes;
  // Of values of several producers.
  struct strait_typed_lanes_consumer_t *typed_lanes;
  // Of values, one of several consumers.
  struct strait_fanout_consumer_t *fanout;
  // Of calls of one client.
  struct strait_call_server_t *server;
  // Of calls of several clients.
  struct strait_lanes_server_t *lanes_server;
  // Of a latest value, or of an event.
  struct strait_latest_reader_t *latest;
  // Of a broadcast.
  struct strait_broadcast_reader_t *broadcast;
  // Of requests of streams.
  struct strait_stream_server_t *stream_server;
} strait_waitable_t;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Sends `count` frames in order until one is refused, and wakes the consumer once. Each becomes visible by itself.
// How many were sent is in `*sent`, which may be null. Fails only if the first is refused, or, before any is sent,
// if a payload is null. Never waits.
strait_status strait_producer_try_send_batch(struct strait_producer_t *producer,
                                             const struct strait_frame_t *frames,
                                             size_t count,
                                             size_t *sent);

// Receives up to `max` frames into `buffer`, of `capacity` bytes, one behind the other without gaps, and describes
// each in `received`, which has `max` elements. Stops at the first that does not fit any more. How many came is in
// `*count`. Fails only if there is not even one: `STRAIT_STATUS_TOO_SMALL` tells its length in `received[0]`. As by
// that many calls of `strait_consumer_try_recv`, so all but the last count as done with. Never waits.
strait_status strait_consumer_recv_batch(struct strait_consumer_t *consumer,
                                         void *buffer,
                                         size_t capacity,
                                         struct strait_received_t *received,
                                         size_t max,
                                         size_t *count);

// Sends `count` values of `size` bytes, which lie one behind the other, in order until one is refused. How many were
// sent is in `*sent`, which may be null. Fails only if the first is refused. Never waits.
strait_status strait_typed_producer_try_send_batch(struct strait_typed_producer_t *producer,
                                                   const void *values,
                                                   size_t size,
                                                   size_t count,
                                                   size_t *sent);

// Receives up to `max` values of `size` bytes into `values`, one behind the other; how many came is in `*count`. Fails
// only if there is not even one. As by that many calls of `strait_typed_consumer_try_recv`, so all but the last count
// as done with. Never waits.
strait_status strait_typed_consumer_recv_batch(struct strait_typed_consumer_t *consumer,
                                               void *values,
                                               size_t size,
                                               size_t max,
                                               size_t *count);

// Claims the writer's role of the broadcast `name`, whose type has this hash and size; of one of bytes, both
// are 0.
strait_status strait_broadcast_writer_open(struct strait_broadcast_writer_t *writer,
                                           const struct strait_region_t *region,
                                           const char *name,
                                           uint64_t type_hash,
                                           uint32_t size);

// Publishes a value of `len` bytes with a format tag. Never waits. Stores in `*number`, which may be null, the
// number of the value, from 1.
strait_status strait_broadcast_publish(struct strait_broadcast_writer_t *writer,
                                       uint32_t tag,
                                       const void *value,
                                       size_t len,
                                       uint64_t *number);

// Gives the role back.
strait_status strait_broadcast_writer_close(struct strait_broadcast_writer_t *writer);

// Opens a reader of the broadcast `name`, whatever its type. Claims nothing, and stores nothing. It starts where
// `start` says, `STRAIT_BROADCAST_...`.
strait_status strait_broadcast_reader_open(struct strait_broadcast_reader_t *reader,
                                           const struct strait_region_t *region,
                                           const char *name,
                                           uint32_t start);

// Receives the next value into `buffer`, of `capacity` bytes, if it is there: `STRAIT_STATUS_OK`, `EMPTY`;
// `LAGGED`, if the reader was overtaken: then `*lost` is the number of values that it has lost. `TOO_SMALL`: the
// value was received, and the buffer holds its beginning. `CONTENDED`; `FAULT`, after which the reader goes on
// behind the newest value. `value` and `lost` may be null. Never waits.
strait_status strait_broadcast_try_recv(struct strait_broadcast_reader_t *reader,
                                        void *buffer,
                                        size_t capacity,
                                        struct strait_value_t *value,
                                        uint64_t *lost);

// As `strait_broadcast_try_recv`, but waits up to `timeout_ns` for the next value: `TIMED_OUT` in place of
// `EMPTY` and `CONTENDED`, and `PEER_GONE` if `strait_broadcast_reader_end_with_writer` is set.
strait_status strait_broadcast_recv_timeout(struct strait_broadcast_reader_t *reader,
                                            void *buffer,
                                            size_t capacity,
                                            struct strait_value_t *value,
                                            uint64_t *lost,
                                            uint64_t timeout_ns);

// Sets where the reader goes on when it was overtaken: `STRAIT_BROADCAST_...`.
strait_status strait_broadcast_set_start(struct strait_broadcast_reader_t *reader, uint32_t start);

// Closes a reader.
strait_status strait_broadcast_reader_close(struct strait_broadcast_reader_t *reader);

// Makes the order of the stamps at offset `stamp` of each message: a little-endian number of 64 bits, in any unit, of a
// clock that all producers share. A frame that ends before it counts as stamped 0. An order belongs to one consumer.
//
// A message waits until each empty lane has sent its stamp or a later one, but no longer than `hold_ns` after it was
// seen: 0 holds nothing, nor does a region without a clock. Once it was seen, `passes` others may come before it, and one more of each other lane, whatever
// their stamps; 0 stands for as many as the lanes take together.
strait_status strait_time_order_open(struct strait_time_order_t *order,
                                     uint32_t stamp,
                                     uint64_t hold_ns,
                                     uint32_t passes);

// Forgets the order.
strait_status strait_time_order_close(struct strait_time_order_t *order);

// As `strait_lanes_consumer_try_recv`, in the order of time; `STRAIT_STATUS_EMPTY` also if what is there is held.
strait_status strait_lanes_consumer_try_recv_by_time(struct strait_lanes_consumer_t *consumer,
                                                     struct strait_time_order_t *order,
                                                     void *buffer,
                                                     size_t capacity,
                                                     struct strait_received_t *received,
                                                     uint32_t *lane);

// As `strait_lanes_consumer_recv_timeout`, in the order of time.
strait_status strait_lanes_consumer_recv_by_time_timeout(struct strait_lanes_consumer_t *consumer,
                                                         struct strait_time_order_t *order,
                                                         void *buffer,
                                                         size_t capacity,
                                                         struct strait_received_t *received,
                                                         uint32_t *lane,
                                                         uint64_t timeout_ns);

// As `strait_typed_lanes_consumer_try_recv`, in the order of time; `STRAIT_STATUS_EMPTY` also if what is there is held.
strait_status strait_typed_lanes_consumer_try_recv_by_time(struct strait_typed_lanes_consumer_t *consumer,
                                                           struct strait_time_order_t *order,
                                                           void *into,
                                                           size_t size,
                                                           uint32_t *sequence,
                                                           uint32_t *lane);

// As `strait_typed_lanes_consumer_recv_timeout`, in the order of time.
strait_status strait_typed_lanes_consumer_recv_by_time_timeout(struct strait_typed_lanes_consumer_t *consumer,
                                                               struct strait_time_order_t *order,
                                                               void *into,
                                                               size_t size,
                                                               uint32_t *sequence,
                                                               uint32_t *lane,
                                                               uint64_t timeout_ns);

// Claims the client's role of the channel of calls `name`, whose requests and answers have these types.
strait_status strait_call_client_open(struct strait_call_client_t *client,
                                      const struct strait_region_t *region,
                                      const char *name,
                                      uint64_t request_hash,
                                      uint32_t request_size,
                                      uint64_t answer_hash,
                                      uint32_t answer_size);

// Makes a call with a request of `size` bytes. Answers in `*ticket` what the other functions ask for. Never waits.
strait_status strait_call_client_try_call(struct strait_call_client_t *client,
                                          const void *request,
                                          size_t size,
                                          uint32_t *ticket);

// Sends a request of `size` bytes to which no answer is wanted. Never waits.
strait_status strait_call_client_post(struct strait_call_client_t *client, const void *request, size_t size);

// Takes the answer of a call, of `size` bytes: `STRAIT_STATUS_EMPTY` if it has not come. After
// `STRAIT_STATUS_DID_NOT_RUN`, `MAY_HAVE_RUN` and `REFUSED`, too, the ticket is used up; a refusal's code is
// then in `*code`, which may be null. Never waits.
strait_status strait_call_client_poll(struct strait_call_client_t *client,
                                      uint32_t ticket,
                                      void *answer,
                                      size_t size,
                                      uint16_t *code);

// Waits up to `timeout_ns` for the answer of a call; as `strait_call_client_poll`, but with
// `STRAIT_STATUS_TIMED_OUT`, which leaves the call out and its ticket as it is.
strait_status strait_call_client_wait_timeout(struct strait_call_client_t *client,
                                              uint32_t ticket,
                                              void *answer,
                                              size_t size,
                                              uint16_t *code,
                                              uint64_t timeout_ns);

// Makes a call and waits up to `timeout_ns`, first for a place and then for the answer. After
// `STRAIT_STATUS_TIMED_OUT` the call is out, and `*ticket` is its ticket: wait again, or cancel it.
strait_status strait_call_client_call_timeout(struct strait_call_client_t *client,
                                              const void *request,
                                              size_t request_size,
                                              void *answer,
                                              size_t answer_size,
                                              uint32_t *ticket,
                                              uint16_t *code,
                                              uint64_t timeout_ns);

// Gives a call up. Answers in `*may_have_run`, which may be null, whether a server had taken it; if not, none ever
// acts on it.
strait_status strait_call_client_cancel(struct strait_call_client_t *client,
                                        uint32_t ticket,
                                        bool *may_have_run);

// Gives the role back. Calls that are out are served, and their answers go nowhere.
strait_status strait_call_client_close(struct strait_call_client_t *client);

// Claims the client's role of lane `lane`, from 0, of the channel of calls `name`, or of `STRAIT_ANY_LANE`. `claimed`,
// which may be null, gets the lane's number. The client is then used as any.
strait_status strait_call_client_open_lane(struct strait_call_client_t *client,
                                           const struct strait_region_t *region,
                                           const char *name,
                                           uint64_t request_hash,
                                           uint32_t request_size,
                                           uint64_t answer_hash,
                                           uint32_t answer_size,
                                           uint32_t lane,
                                           uint32_t *claimed);

// Claims the server's role of the channel of calls `name`, of up to `STRAIT_MAX_LANES` clients, which take turns call by
// call. With `run_again`, what a dead server had taken comes again; otherwise its client is told that it may have run.
strait_status strait_lanes_server_open(struct strait_lanes_server_t *server,
                                       const struct strait_region_t *region,
                                       const char *name,
                                       uint64_t request_hash,
                                       uint32_t request_size,
                                       uint64_t answer_hash,
                                       uint32_t answer_size,
                                       bool run_again);

// Takes the next request, of `size` bytes, of the lane whose turn it is, which `*lane` tells; `taken` may be null. Answer
// or refuse it by its lane: until then, the lane's further requests wait, and the other lanes go on. Never waits. If it
// says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged and left out from now on, and the others go on.
strait_status strait_lanes_server_try_next(struct strait_lanes_server_t *server,
                                           void *request,
                                           size_t size,
                                           struct strait_request_t *taken,
                                           uint32_t *lane);

// As `strait_lanes_server_try_next`, waiting up to `timeout_ns` for a request in any lane.
strait_status strait_lanes_server_next_timeout(struct strait_lanes_server_t *server,
                                               void *request,
                                               size_t size,
                                               struct strait_request_t *taken,
                                               uint32_t *lane,
                                               uint64_t timeout_ns);

// Answers the request that was taken last in `lane`, with `size` bytes. Never waits. `STRAIT_STATUS_WRONG_STATE` if none
// is taken there.
strait_status strait_lanes_server_answer(struct strait_lanes_server_t *server,
                                         uint32_t lane,
                                         const void *answer,
                                         size_t size);

// Refuses the request that was taken last in `lane`; its client gets `code`. `STRAIT_STATUS_WRONG_STATE` if none is taken
// there.
strait_status strait_lanes_server_refuse(struct strait_lanes_server_t *server,
                                         uint32_t lane,
                                         uint16_t code);

// Gives the role back. Requests that are taken and not answered are refused.
strait_status strait_lanes_server_close(struct strait_lanes_server_t *server);

// Claims the server's role of the channel of calls `name`, whose requests and answers have these types. With
// `run_again`, a request that a dead server had taken comes again; otherwise its client is told that it may have run.
strait_status strait_call_server_open(struct strait_call_server_t *server,
                                      const struct strait_region_t *region,
                                      const char *name,
                                      uint64_t request_hash,
                                      uint32_t request_size,
                                      uint64_t answer_hash,
                                      uint32_t answer_size,
                                      bool run_again);

// Takes the next request, of `size` bytes; `taken` may be null. Answer or refuse it before the next: one that is
// neither is refused with code 0 then. Never waits.
strait_status strait_call_server_try_next(struct strait_call_server_t *server,
                                          void *request,
                                          size_t size,
                                          struct strait_request_t *taken);

// As `strait_call_server_try_next`, waiting up to `timeout_ns` for a request.
strait_status strait_call_server_next_timeout(struct strait_call_server_t *server,
                                              void *request,
                                              size_t size,
                                              struct strait_request_t *taken,
                                              uint64_t timeout_ns);

// Answers the request that was taken last, with `size` bytes. Never waits. `STRAIT_STATUS_WRONG_STATE` if none is
// taken.
strait_status strait_call_server_answer(struct strait_call_server_t *server,
                                        const void *answer,
                                        size_t size);

// Refuses the request that was taken last; its client gets `code`. `STRAIT_STATUS_WRONG_STATE` if none is taken.
strait_status strait_call_server_refuse(struct strait_call_server_t *server,
                                        uint16_t code);

// Gives the role back. A request that is taken and not answered is refused.
strait_status strait_call_server_close(struct strait_call_server_t *server);

// The hash of the end of streams whose parts have this canonical descriptor (see `strait_type_hash`); 0 if it is null, or
// not UTF-8.
uint64_t strait_stream_end_hash(const char *descriptor);

// Returns the capacity of a channel of frames that takes at least `parts` parts of `part_size` bytes.
uint32_t strait_parts_capacity(uint32_t parts, uint32_t part_size);

// Claims the client's role of lane `lane`, from 0, of streams, or of `STRAIT_ANY_LANE`; with one client, that is lane 0.
// `claimed`, which may be null, gets the lane's number.
strait_status strait_stream_client_open(struct strait_stream_client_t *client,
                                        const struct strait_region_t *region,
                                        const struct strait_stream_t *stream,
                                        uint32_t lane,
                                        uint32_t *claimed);

// Makes a call with a request of `size` bytes: `STRAIT_STATUS_FULL` also if one is out. Never waits.
strait_status strait_stream_client_start(struct strait_stream_client_t *client,
                                         const void *request,
                                         size_t size);

// Takes the next part of the call that is out, of `size` bytes, or its end, which `*found` tells apart:
// `STRAIT_STATUS_EMPTY` if neither has come. After `STRAIT_STATUS_DID_NOT_RUN`, `MAY_HAVE_RUN` and `REFUSED` the call is
// over; a refusal's code is then in `*code`, which may be null. Never waits.
strait_status strait_stream_client_try_next(struct strait_stream_client_t *client,
                                            void *part,
                                            size_t size,
                                            struct strait_streamed_t *found,
                                            uint16_t *code);

// As `strait_stream_client_try_next`, waiting up to `timeout_ns`. After `STRAIT_STATUS_TIMED_OUT` the call is still out.
strait_status strait_stream_client_next_timeout(struct strait_stream_client_t *client,
                                                void *part,
                                                size_t size,
                                                struct strait_streamed_t *found,
                                                uint16_t *code,
                                                uint64_t timeout_ns);

// Gives the call that is out up; parts that have come are dropped. Answers in `*may_have_run`, which may be null, whether a
// server had taken it. `STRAIT_STATUS_UNKNOWN_TICKET` if none is out.
strait_status strait_stream_client_cancel(struct strait_stream_client_t *client,
                                          bool *may_have_run);

// Gives the role back. A call that is out is cancelled.
strait_status strait_stream_client_close(struct strait_stream_client_t *client);

// Claims the server's role of streams of up to `STRAIT_MAX_LANES` clients, which take turns call by call. What a dead
// server had taken is not run again.
strait_status strait_stream_server_open(struct strait_stream_server_t *server,
                                        const struct strait_region_t *region,
                                        const struct strait_stream_t *stream);

// Takes the next request, of `size` bytes, of the lane whose turn it is, which `*lane` tells; `taken` may be null. Send its
// parts, and end or refuse it, by its lane: until then, the lane's further requests wait, and the other lanes go on. Never
// waits. If it says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged and left out from now on, and the others go on.
strait_status strait_stream_server_try_next(struct strait_stream_server_t *server,
                                            void *request,
                                            size_t size,
                                            struct strait_request_t *taken,
                                            uint32_t *lane);

// As `strait_stream_server_try_next`, waiting up to `timeout_ns` for a request in any lane.
strait_status strait_stream_server_next_timeout(struct strait_stream_server_t *server,
                                                void *request,
                                                size_t size,
                                                struct strait_request_t *taken,
                                                uint32_t *lane,
                                                uint64_t timeout_ns);

// Sends a part, of `size` bytes, of the answer to the request that was taken last in `lane`: `STRAIT_STATUS_FULL` if its
// client has not read so many that there is no room, `STRAIT_STATUS_CANCELLED` if it wants no more. Never waits.
// `STRAIT_STATUS_WRONG_STATE` if none is taken there.
strait_status strait_stream_server_send(struct strait_stream_server_t *server,
                                        uint32_t lane,
                                        const void *part,
                                        size_t size);

// As `strait_stream_server_send`, waiting up to `timeout_ns` for room. The other lanes wait meanwhile.
strait_status strait_stream_server_send_timeout(struct strait_stream_server_t *server,
                                                uint32_t lane,
                                                const void *part,
                                                size_t size,
                                                uint64_t timeout_ns);

// Ends the answer to the request that was taken last in `lane`. `STRAIT_STATUS_WRONG_STATE` if none is taken there.
// Never waits.
strait_status strait_stream_server_end(struct strait_stream_server_t *server,
                                       uint32_t lane);

// Refuses the request that was taken last in `lane`, or the rest of its parts; its client gets `code` behind those that
// were sent. `STRAIT_STATUS_WRONG_STATE` if none is taken there.
strait_status strait_stream_server_refuse(struct strait_stream_server_t *server,
                                          uint32_t lane,
                                          uint16_t code);

// Gives the role back. Requests that are taken and not ended are refused.
strait_status strait_stream_server_close(struct strait_stream_server_t *server);

// Claims the consumer's role of the queue of frames `name`. `options` may be null.
strait_status strait_consumer_open(struct strait_consumer_t *consumer,
                                   const struct strait_region_t *region,
                                   const char *name,
                                   const struct strait_consumer_options_t *options);

// Receives a frame into `buffer`, of `capacity` bytes. `received` may be null. Never waits. If it says
// `STRAIT_STATUS_TOO_SMALL`, the frame stays, and `received->len` is its length: `strait_consumer_skip`
// gets past it, and `strait_consumer_peek_at` reads it in parts.
strait_status strait_consumer_try_recv(struct strait_consumer_t *consumer,
                                       void *buffer,
                                       size_t capacity,
                                       struct strait_received_t *received);

// Receives a frame, waiting up to `timeout_ns` for it.
strait_status strait_consumer_recv_timeout(struct strait_consumer_t *consumer,
                                           void *buffer,
                                           size_t capacity,
                                           struct strait_received_t *received,
                                           uint64_t timeout_ns);

// Releases what the last receive returned, without waiting for the next call.
strait_status strait_consumer_release(struct strait_consumer_t *consumer);

// Releases, and tells the region so: after it, a successor would see nothing again.
strait_status strait_consumer_flush(struct strait_consumer_t *consumer);

// Shows the queue as this end sees it.
strait_status strait_consumer_end(struct strait_consumer_t *consumer, struct strait_end_t *end);

// Releases all that was received, and gives the role back.
strait_status strait_consumer_close(struct strait_consumer_t *consumer);

// Claims the producer's role of the queue `name` with several consumers, whose type has this hash and size.
strait_status strait_fanout_producer_open(struct strait_fanout_producer_t *producer,
                                          const struct strait_region_t *region,
                                          const char *name,
                                          uint64_t type_hash,
                                          uint32_t size);

// Sends a value of `size` bytes to each consumer that has joined. Never waits. `STRAIT_STATUS_FULL` if one of them has
// not released enough.
strait_status strait_fanout_try_send(struct strait_fanout_producer_t *producer,
                                     const void *value,
                                     size_t size);

// Sends a value of `size` bytes, waiting up to `timeout_ns` for space.
strait_status strait_fanout_send_timeout(struct strait_fanout_producer_t *producer,
                                         const void *value,
                                         size_t size,
                                         uint64_t timeout_ns);

// Shows the consumer that is furthest behind; `STRAIT_STATUS_NOT_FOUND` if nobody has joined.
strait_status strait_fanout_slowest(struct strait_fanout_producer_t *producer,
                                    struct strait_slowest_t *slowest);

// Gives the role back.
strait_status strait_fanout_producer_close(struct strait_fanout_producer_t *producer);

// Joins as consumer `consumer`, from 0, of the queue `name`, or as `STRAIT_ANY_CONSUMER`. `options` and `joined`, which
// gets the consumer's number, may be null; with `STRAIT_ANY_CONSUMER` the options are not used.
strait_status strait_fanout_consumer_open(struct strait_fanout_consumer_t *consumer,
                                          const struct strait_region_t *region,
                                          const char *name,
                                          uint64_t type_hash,
                                          uint32_t size,
                                          uint32_t number,
                                          const struct strait_consumer_options_t *options,
                                          uint32_t *joined);

// Receives a value of `size` bytes, and its number in `*sequence`, which may be null. Never waits.
strait_status strait_fanout_try_recv(struct strait_fanout_consumer_t *consumer,
                                     void *value,
                                     size_t size,
                                     uint32_t *sequence);

// Receives a value of `size` bytes, waiting up to `timeout_ns` for it.
strait_status strait_fanout_recv_timeout(struct strait_fanout_consumer_t *consumer,
                                         void *value,
                                         size_t size,
                                         uint32_t *sequence,
                                         uint64_t timeout_ns);

// Releases, and tells the region so: after it, a successor would see nothing again, and the producer may go on.
strait_status strait_fanout_consumer_flush(struct strait_fanout_consumer_t *consumer);

// Shows the queue as this consumer sees it.
strait_status strait_fanout_consumer_end(struct strait_fanout_consumer_t *consumer,
                                         struct strait_fanout_end_t *end);

// Leaves: the consumer no longer bounds the producer, and gives its place back.
strait_status strait_fanout_consumer_close(struct strait_fanout_consumer_t *consumer);

// Starts to watch how often something is sent to the channel `name`: without a role, and without a store.
strait_status strait_heartbeat_open(struct strait_heartbeat_t *heartbeat,
                                    const struct strait_region_t *region,
                                    const char *name);

// Looks whether something was sent, in `*state`. A change is noticed when it is looked for: once in a control cycle is
// usual.
strait_status strait_heartbeat_check(struct strait_heartbeat_t *heartbeat,
                                     struct strait_heartbeat_state_t *state);

// Ends the watch.
strait_status strait_heartbeat_close(struct strait_heartbeat_t *heartbeat);

// How many channels the region has that this library knows, in `*count`.
strait_status strait_channel_count(const struct strait_region_t *region, uint32_t *count);

// Describes channel `index` of those, from 0.
strait_status strait_channel_info(const struct strait_region_t *region,
                                  uint32_t index,
                                  struct strait_channel_info_t *info);

// Reads the state of the channel `name`; of a queue with several producers, of its first lane. A fixed number
// of loads, and one a permit.
strait_status strait_channel_state(const struct strait_region_t *region,
                                   const char *name,
                                   struct strait_channel_state_t *state);

// Reads the state of lane `lane`, from 0, of the channel `name`. A fixed number of loads.
strait_status strait_lane_state(const struct strait_region_t *region,
                                const char *name,
                                uint32_t lane,
                                struct strait_channel_state_t *state);

// Claims the producer's role of lane `lane`, from 0, of the queue of frames `name`, or of `STRAIT_ANY_LANE`.
// `claimed`, which may be null, gets the lane's number. The producer is then used as any.
strait_status strait_producer_open_lane(struct strait_producer_t *producer,
                                        const struct strait_region_t *region,
                                        const char *name,
                                        uint32_t lane,
                                        uint32_t *claimed);

// As `strait_producer_open_lane`, of a queue of values whose type has this hash and size.
strait_status strait_typed_producer_open_lane(struct strait_typed_producer_t *producer,
                                              const struct strait_region_t *region,
                                              const char *name,
                                              uint64_t type_hash,
                                              uint32_t size,
                                              uint32_t lane,
                                              uint32_t *claimed);

// Claims the consumer's role of the queue of frames `name`, of up to `STRAIT_MAX_LANES` lanes. `options` may be
// null.
strait_status strait_lanes_consumer_open(struct strait_lanes_consumer_t *consumer,
                                         const struct strait_region_t *region,
                                         const char *name,
                                         const struct strait_lanes_options_t *options);

// Receives a frame from the lane whose turn it is into `buffer`, of `capacity` bytes. `received` and `lane` may
// be null. Never waits. If it says `STRAIT_STATUS_TOO_SMALL`, the frame stays, and `received->len` is its length.
// If it says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged and left out from now on, and the others go on.
strait_status strait_lanes_consumer_try_recv(struct strait_lanes_consumer_t *consumer,
                                             void *buffer,
                                             size_t capacity,
                                             struct strait_received_t *received,
                                             uint32_t *lane);

// Receives a frame, waiting up to `timeout_ns` for one in any lane.
strait_status strait_lanes_consumer_recv_timeout(struct strait_lanes_consumer_t *consumer,
                                                 void *buffer,
                                                 size_t capacity,
                                                 struct strait_received_t *received,
                                                 uint32_t *lane,
                                                 uint64_t timeout_ns);

// Shows lane `lane`, from 0, in `*shown`.
strait_status strait_lanes_consumer_lane(struct strait_lanes_consumer_t *consumer,
                                         uint32_t lane,
                                         struct strait_lane_t *shown);

// Releases what the last receive returned, without waiting for the next call.
strait_status strait_lanes_consumer_release(struct strait_lanes_consumer_t *consumer);

// Releases all that was received, and gives the role back.
strait_status strait_lanes_consumer_close(struct strait_lanes_consumer_t *consumer);

// As `strait_lanes_consumer_open`, of a queue of values whose type has this hash and size.
strait_status strait_typed_lanes_consumer_open(struct strait_typed_lanes_consumer_t *consumer,
                                               const struct strait_region_t *region,
                                               const char *name,
                                               uint64_t type_hash,
                                               uint32_t size,
                                               const struct strait_lanes_options_t *options);

// Receives a value of `size` bytes from the lane whose turn it is, its number in that lane in `*sequence`, and
// the lane in `*lane`; both may be null. Never waits. If it says `STRAIT_STATUS_FAULT`, lane `*lane` is damaged
// and left out from now on, and the others go on.
strait_status strait_typed_lanes_consumer_try_recv(struct strait_typed_lanes_consumer_t *consumer,
                                                   void *value,
                                                   size_t size,
                                                   uint32_t *sequence,
                                                   uint32_t *lane);

// Receives a value of `size` bytes, waiting up to `timeout_ns` for one in any lane.
strait_status strait_typed_lanes_consumer_recv_timeout(struct strait_typed_lanes_consumer_t *consumer,
                                                       void *value,
                                                       size_t size,
                                                       uint32_t *sequence,
                                                       uint32_t *lane,
                                                       uint64_t timeout_ns);

// Shows lane `lane`, from 0, in `*shown`.
strait_status strait_typed_lanes_consumer_lane(struct strait_typed_lanes_consumer_t *consumer,
                                               uint32_t lane,
                                               struct strait_lane_t *shown);

// Releases what the last receive returned, without waiting for the next call.
strait_status strait_typed_lanes_consumer_release(struct strait_typed_lanes_consumer_t *consumer);

// Releases all that was received, and gives the role back.
strait_status strait_typed_lanes_consumer_close(struct strait_typed_lanes_consumer_t *consumer);

// Claims the writer's role of the latest value `name`, whose type has this hash and size; of a value of
// bytes, both are 0.
strait_status strait_latest_writer_open(struct strait_latest_writer_t *writer,
                                        const struct strait_region_t *region,
                                        const char *name,
                                        uint64_t type_hash,
                                        uint32_t size);

// Publishes a value of `len` bytes with a format tag. Never waits. Answers in `*number`, which may be null,
// how many values have been published.
strait_status strait_latest_publish(struct strait_latest_writer_t *writer,
                                    uint32_t tag,
                                    const void *value,
                                    size_t len,
                                    uint64_t *number);

// Gives the role back.
strait_status strait_latest_writer_close(struct strait_latest_writer_t *writer);

// Opens a reader of the latest value `name`, whatever its type. Claims nothing, and stores nothing.
strait_status strait_latest_reader_open(struct strait_latest_reader_t *reader,
                                        const struct strait_region_t *region,
                                        const char *name);

// Reads the newest value into `buffer`, of `capacity` bytes: `STRAIT_STATUS_OK`, or `STRAIT_STATUS_STALE` if
// it is the one read last, which is copied as well; `EMPTY`, `CONTENDED`. `value` may be null. Never waits.
strait_status strait_latest_read(struct strait_latest_reader_t *reader,
                                 void *buffer,
                                 size_t capacity,
                                 struct strait_value_t *value);

// Waits up to `timeout_ns` for a value that this reader has not seen; then answers as `strait_latest_read`, or with
// `STRAIT_STATUS_REPLACED` if no writer can come, and nothing is copied.
strait_status strait_latest_wait_for_change(struct strait_latest_reader_t *reader,
                                            void *buffer,
                                            size_t capacity,
                                            struct strait_value_t *value,
                                            uint64_t timeout_ns);

// Closes a reader.
strait_status strait_latest_reader_close(struct strait_latest_reader_t *reader);

// The hash of a message, as of Rust's `message!` with the same fields. 0 if the message is wrong: a field that is not as
// large as its scalar says, or padding.
uint64_t strait_message_hash(const struct strait_message_t *message);

// Writes the description of `count` messages, for `strait_plan_t`: the text that Rust's `describe!` makes of the same
// types, with a NUL behind it. `*len` is its length without that. If `capacity` is less than `*len + 1`, it is
// `STRAIT_STATUS_TOO_SMALL`, and `text` may be null. `STRAIT_STATUS_BAD_ARGUMENT` if a message is wrong: see
// `strait_message_hash`.
strait_status strait_describe(const struct strait_message_t *const *messages,
                              size_t count,
                              char *text,
                              size_t capacity,
                              size_t *len);

// Reads the description of the region's types: text as FORMAT.md has it, with a NUL behind it. `*len` is its length without
// that; 0 if the region has none. If `capacity` is less than `*len + 1`, it is `STRAIT_STATUS_TOO_SMALL`, and `text` may be
// null. `STRAIT_STATUS_DAMAGED` if it does not match its checksum.
strait_status strait_description(const struct strait_region_t *region,
                                 char *text,
                                 size_t capacity,
                                 size_t *len);

// Opens a handle on the mutex `name`, whose type has this hash and size. Nothing is claimed.
strait_status strait_mutex_open(struct strait_mutex_t *mutex,
                                const struct strait_region_t *region,
                                const char *name,
                                uint64_t type_hash,
                                uint32_t size);

// Locks, if nobody alive has the lock. `STRAIT_STATUS_OWNER_DIED` locks too: the last owner died with the
// lock, and the value must be marked consistent or rolled back before it is used; an unlock before that
// gives the lock up. Never waits.
strait_status strait_mutex_try_lock(struct strait_mutex_t *mutex);

// Locks, waiting up to `timeout_ns` for the lock; otherwise as `strait_mutex_try_lock`.
strait_status strait_mutex_lock_timeout(struct strait_mutex_t *mutex, uint64_t timeout_ns);

// Copies the value of a mutex that is locked (or awaits repair) into `value`, of `size` bytes.
strait_status strait_mutex_get(struct strait_mutex_t *mutex, void *value, size_t size);

// Sets the value of a mutex that is locked (or awaits repair), of `size` bytes. Committed by one store: a
// caller that dies during it leaves the old value or the new one.
strait_status strait_mutex_set(struct strait_mutex_t *mutex, const void *value, size_t size);

// After `STRAIT_STATUS_OWNER_DIED`: goes on with the value last committed. `STRAIT_STATUS_IN_PLACE` if there is
// none, because the dead owner was editing in place: then it still awaits repair.
strait_status strait_mutex_roll_back(struct strait_mutex_t *mutex);

// After `STRAIT_STATUS_OWNER_DIED`: goes on with the value as it is, or as it was set since. The caller has
// seen to it that it is whole.
strait_status strait_mutex_mark_consistent(struct strait_mutex_t *mutex);

// Locks a mutex that was given up, and sets its value anew. `STRAIT_STATUS_WRONG_STATE` if it was not given up.
strait_status strait_mutex_reinitialise(struct strait_mutex_t *mutex,
                                        const void *value,
                                        size_t size);

// Unlocks. One that awaits repair is given up instead: the next lock returns that it is poisoned.
// `STRAIT_STATUS_NOT_OWNER` if the lock was not ours any more.
strait_status strait_mutex_unlock(struct strait_mutex_t *mutex);

// Gives a lock up instead of unlocking: the caller knows that what the mutex guards is not whole. Every later lock
// returns `STRAIT_STATUS_POISONED`, until somebody sets the value anew with `strait_mutex_reinitialise`.
// `STRAIT_STATUS_NOT_OWNER` if the lock was not ours any more.
strait_status strait_mutex_give_up(struct strait_mutex_t *mutex);

// How often the value of a locked mutex was changed, and how often the lock was taken over from a dead owner
// (a fencing token). Either pointer may be null.
strait_status strait_mutex_version(struct strait_mutex_t *mutex, uint32_t *version, uint32_t *takeovers);

// Closes a handle. One that is locked is unlocked first, as by `strait_mutex_unlock`.
strait_status strait_mutex_close(struct strait_mutex_t *mutex);

// Takes part in the open region `other` once more, as another participant of this process, and opens that in
// `*region`: a second thread that locks the same mutex needs one of its own. The region's name is not needed, so it
// may have been removed, or be sealed. Each is closed for itself, in any order. `STRAIT_STATUS_READ_ONLY` if `other`
// only looks, `STRAIT_STATUS_WRONG_STATE` for memory of the caller's: attach to that once more.
strait_status strait_join_again(struct strait_region_t *region,
                                const struct strait_region_t *other);

// Whether the region's name or file still leads to this region, in `*current`. If it was removed or made anew, all
// goes on working in the old memory, which nobody can open any more: ask when a peer stays away.
// `STRAIT_STATUS_WRONG_STATE` for memory of the caller's.
strait_status strait_region_is_current(const struct strait_region_t *region,
                                       bool *current);

// Whether this process is a forked child of the one that opened the region, in `*forked`: then whatever it does in the
// region reaches nobody. `STRAIT_STATUS_WRONG_STATE` for memory of the caller's.
strait_status strait_region_forked(const struct strait_region_t *region,
                                   bool *forked);

// Waits until the region's file, and its name, are on storage as the memory was when this was called: for a region in a
// file that is to survive a loss of power.
strait_status strait_region_sync(const struct strait_region_t *region);

// Writes into `place`, which has `size` bytes, where the region `name` is in `directory`, and a NUL: a place for
// `strait_create` and the other functions that take one. The directory must be an absolute path, and this user's or
// root's; one that others may write to must have the sticky bit, as `/dev/shm`. `STRAIT_STATUS_NOT_FOUND` if there is
// none, `STRAIT_STATUS_NOT_TRUSTED` if it is another user's or open to changes, `STRAIT_STATUS_TOO_SMALL` if `place`
// is too short. The variable `STRAIT_DIR` names such a directory for all names in all programs. Unix only.
strait_status strait_place_in(char *place,
                              size_t size,
                              const char *directory,
                              const char *name);

// As `strait_create`, with options, which may be null.
strait_status strait_create_with(struct strait_region_t *region,
                                 const char *place,
                                 const struct strait_plan_t *plan,
                                 const struct strait_options_t *options);

// As `strait_open`, with options, which may be null.
strait_status strait_open_with(struct strait_region_t *region,
                               const char *place,
                               const struct strait_options_t *options);

// As `strait_open_or_create`, with options, which may be null.
strait_status strait_open_or_create_with(struct strait_region_t *region,
                                         const char *place,
                                         const struct strait_plan_t *plan,
                                         const struct strait_options_t *options);

// Creates a region and takes part in it. `place` is a name, or a path if it holds a slash; `flags` are
// `STRAIT_PREFAULT` and `STRAIT_LOCK_MEMORY`. The region appears complete or not at all, with mode 0600.
strait_status strait_create(struct strait_region_t *region,
                            const char *place,
                            const struct strait_plan_t *plan,
                            uint32_t flags);

// Opens a region and takes part in it, or looks at it alone with `STRAIT_READ_ONLY`.
strait_status strait_open(struct strait_region_t *region, const char *place, uint32_t flags);

// Opens a region, or creates it if it is not there, whichever process is first.
strait_status strait_open_or_create(struct strait_region_t *region,
                                    const char *place,
                                    const struct strait_plan_t *plan,
                                    uint32_t flags);

// Takes a region's name away, alive or not. Processes that have it open keep its memory.
strait_status strait_remove(const char *place);

// Creates a region in sealed memory and takes part in it: the one kind for peers that are not trusted, which could cut
// a file short. It has no name; `strait_sealed_share` hands it over. For a peer of another user give the mode 0666.
// Under the limit of a memory cgroup (a container) the system may end the process instead of an error.
// `options` may be null. Linux; `STRAIT_STATUS_SYSTEM` on other Unix systems.
strait_status strait_sealed_create(struct strait_region_t *region,
                                   const struct strait_plan_t *plan,
                                   const struct strait_options_t *options);

// Hands a sealed region over a Unix socket, for `strait_sealed_receive`. Blocks as long as the socket does.
// `STRAIT_STATUS_WRONG_STATE` if the region is not sealed.
strait_status strait_sealed_share(const struct strait_region_t *region, int32_t socket);

// Receives a sealed region over a Unix socket and takes part in it. Its seals and its length are checked before it is
// mapped. Blocks as long as the socket does, so set a time-out on that, or poll first. `options` may be null.
strait_status strait_sealed_receive(struct strait_region_t *region,
                                    int32_t socket,
                                    const struct strait_options_t *options);

// Describes the next frame in `*received`, and leaves it where it is. What the last receive returned counts as done
// with. Never waits.
strait_status strait_consumer_peek(struct strait_consumer_t *consumer,
                                   struct strait_received_t *received);

// Copies the next frame's payload from `offset` on into `buffer`, of `capacity` bytes, and leaves it where it is. How
// many bytes there were is in `*copied`, which may be null: with 0 the payload ends before `offset`. So a frame of any
// length is read part by part; `strait_consumer_skip` then takes it away.
strait_status strait_consumer_peek_at(struct strait_consumer_t *consumer,
                                      size_t offset,
                                      void *buffer,
                                      size_t capacity,
                                      size_t *copied);

// Takes the next frame away unread, whatever its length.
strait_status strait_consumer_skip(struct strait_consumer_t *consumer);

// Sets whether sends that wait end with `STRAIT_STATUS_PEER_GONE` when the consumer is gone: when it is proven dead, or
// was there and has left. One that has not come yet is waited for. Off unless set. Asked once a probe period, 20 ms,
// and when the time is up.
strait_status strait_producer_end_with_peer(struct strait_producer_t *producer,
                                            bool on);

// Sets whether receives that wait end with `STRAIT_STATUS_PEER_GONE` when the producer is gone: when it is proven dead,
// or was there and has left, and all that it sent was received. Otherwise as `strait_producer_end_with_peer`.
strait_status strait_consumer_end_with_peer(struct strait_consumer_t *consumer,
                                            bool on);

// As `strait_producer_end_with_peer`, for a queue of values.
strait_status strait_typed_producer_end_with_peer(struct strait_typed_producer_t *producer, bool on);

// As `strait_consumer_end_with_peer`, for a queue of values.
strait_status strait_typed_consumer_end_with_peer(struct strait_typed_consumer_t *consumer, bool on);

// Sets whether `strait_latest_wait_for_change` ends when the writer is gone, as if the time were up: when it is proven
// dead, or was there and has left. `strait_latest_reader_writer` says whether it was that. Otherwise as
// `strait_producer_end_with_peer`.
strait_status strait_latest_reader_end_with_writer(struct strait_latest_reader_t *reader,
                                                   bool on);

// What is known of the writer, `STRAIT_PEER_...`, in `*writer`.
strait_status strait_latest_reader_writer(struct strait_latest_reader_t *reader, uint32_t *writer);

// Sets whether receives that wait end with `STRAIT_STATUS_PEER_GONE` when all producers are gone: when none is left, and
// one is proven dead or was there and has left, and all that they sent was received. As long as none has come, they are
// waited for. Otherwise as `strait_producer_end_with_peer`.
strait_status strait_lanes_consumer_end_with_peer(struct strait_lanes_consumer_t *consumer,
                                                  bool on);

// As `strait_lanes_consumer_end_with_peer`, for a queue of values.
strait_status strait_typed_lanes_consumer_end_with_peer(struct strait_typed_lanes_consumer_t *consumer,
                                                        bool on);

// Sets whether `strait_broadcast_recv_timeout` ends with `STRAIT_STATUS_PEER_GONE` when the writer is gone: when it is
// proven dead, or was there and has left, and all that it published was received. Otherwise as
// `strait_producer_end_with_peer`.
strait_status strait_broadcast_reader_end_with_writer(struct strait_broadcast_reader_t *reader,
                                                      bool on);

// Opens a handle on the permits `name`. Nothing is claimed. A handle has one permit at a time: open one for each that
// is to be held at once.
strait_status strait_permits_open(struct strait_permits_t *permits,
                                  const struct strait_region_t *region,
                                  const char *name);

// Takes a permit that is free, or whose holder is proven dead. `permit` may be null. `STRAIT_STATUS_WRONG_STATE` if
// this handle has one. Never waits.
strait_status strait_permits_try_acquire(struct strait_permits_t *permits,
                                         struct strait_permit_t *permit);

// Takes a permit, waiting up to `timeout_ns` for one; otherwise as `strait_permits_try_acquire`.
strait_status strait_permits_acquire_timeout(struct strait_permits_t *permits,
                                             struct strait_permit_t *permit,
                                             uint64_t timeout_ns);

// Takes a permit, waiting until `deadline_ns` for one; otherwise as `strait_permits_try_acquire`.
strait_status strait_permits_acquire_until(struct strait_permits_t *permits,
                                           struct strait_permit_t *permit,
                                           uint64_t deadline_ns);

// Gives this handle's permit back, and wakes those that wait for one. `STRAIT_STATUS_WRONG_STATE` if it has none,
// `STRAIT_STATUS_NOT_OWNER` if another participant has taken it over.
strait_status strait_permits_release(struct strait_permits_t *permits);

// Closes a handle. A permit that it has is given back first.
strait_status strait_permits_close(struct strait_permits_t *permits);

// Answers in `*size` how many bytes a region of this plan has.
strait_status strait_plan_size(const struct strait_plan_t *plan, uint32_t *size);

// The hash of a type by its canonical descriptor, as in `"{time_ns:u64@0;angle_rad:f64@8;size=16}"`: FNV-1a
// of its bytes, never 0. The grammar stands in FORMAT.md. 0 if `descriptor` is null.
uint64_t strait_type_hash(const char *descriptor);

// Opens a handle on the pool `name`. Nothing is claimed. A handle has any number of blocks.
strait_status strait_pool_open(struct strait_pool_t *pool,
                               const struct strait_region_t *region,
                               const char *name);

// Claims a block that is free, or of a participant that is proven dead. What it held is still in it. Never waits.
strait_status strait_pool_try_claim(struct strait_pool_t *pool,
                                    struct strait_block_t *block);

// Claims a block, waiting up to `timeout_ns` for one; otherwise as `strait_pool_try_claim`.
strait_status strait_pool_claim_timeout(struct strait_pool_t *pool,
                                        struct strait_block_t *block,
                                        uint64_t timeout_ns);

// Takes the block that was sent as `id`, also by this participant itself. `STRAIT_STATUS_NOT_OWNER` if it was taken by
// another participant or given back since, `STRAIT_STATUS_FAULT` if no honest peer sends such an id.
strait_status strait_pool_take(struct strait_pool_t *pool,
                               const struct strait_block_id_t *id,
                               struct strait_block_t *block);

// Copies `len` bytes into the block from `offset` on. `STRAIT_STATUS_TOO_LARGE` if they would pass its end; nothing is
// written then.
strait_status strait_block_write(struct strait_pool_t *pool,
                                 struct strait_block_t *block,
                                 size_t offset,
                                 const uint8_t *bytes,
                                 size_t len);

// Copies bytes of the block from `offset` on into `buffer`, as many as there are, up to `len`; how many in `*count`.
strait_status strait_block_read(struct strait_pool_t *pool,
                                struct strait_block_t *block,
                                size_t offset,
                                uint8_t *buffer,
                                size_t len,
                                size_t *count);

// Hands the block over with its first `len` bytes; more than there are count as all. Whoever gets `*id` first takes it.
// If the queue is full, take it back by `strait_pool_take`.
strait_status strait_block_send(struct strait_pool_t *pool,
                                struct strait_block_t *block,
                                size_t len,
                                struct strait_block_id_t *id);

// Gives the block back, and wakes the first participant that waits for one. `STRAIT_STATUS_NOT_OWNER` if it is not this
// participant's.
strait_status strait_block_release(struct strait_pool_t *pool,
                                   struct strait_block_t *block);

// Closes a handle. Blocks that this participant owns stay its own until it ends: release them first.
strait_status strait_pool_close(struct strait_pool_t *pool);

// Claims the producer's role of the queue of frames `name`. If its last owner is proven dead, the role is
// taken over with every committed frame in place.
strait_status strait_producer_open(struct strait_producer_t *producer,
                                   const struct strait_region_t *region,
                                   const char *name);

// Sends a frame: copies `len` bytes in and publishes them. Never waits.
strait_status strait_producer_try_send(struct strait_producer_t *producer,
                                       uint32_t tag,
                                       const void *payload,
                                       size_t len);

// Sends a frame, waiting up to `timeout_ns` for space.
strait_status strait_producer_send_timeout(struct strait_producer_t *producer,
                                           uint32_t tag,
                                           const void *payload,
                                           size_t len,
                                           uint64_t timeout_ns);

// The sequence number that the next frame will have, in `*sequence`.
strait_status strait_producer_next_sequence(struct strait_producer_t *producer, uint32_t *sequence);

// Shows the queue as this end sees it.
strait_status strait_producer_end(struct strait_producer_t *producer, struct strait_end_t *end);

// Gives the role back.
strait_status strait_producer_close(struct strait_producer_t *producer);

// Lays a plan out in memory, so that others can attach. `instance` should be unpredictable, or at least never
// twice the same. `zeroed` says that the memory holds zeros already; otherwise it is zeroed first. Nobody may
// be attached to what is there.
strait_status strait_format(void *memory,
                            uint32_t len,
                            const struct strait_plan_t *plan,
                            uint64_t instance,
                            bool zeroed);

// Attaches to the region in `memory` and takes a place in its participant table. `system` may be null: then
// the region is used by one program on one core (see `strait_system_t`); otherwise it is copied.
strait_status strait_attach(struct strait_region_t *region,
                            void *memory,
                            uint32_t len,
                            const struct strait_system_t *system);

// Attaches to the region in `memory` to look only: it can be inspected, and latest values can be read.
// Nothing is ever stored, so memory that cannot be written will do.
strait_status strait_observe(struct strait_region_t *region, void *memory, uint32_t len);

// Closes a region: gives up its place in the participant table. `STRAIT_STATUS_IN_USE` while an object that
// was opened through it is open.
strait_status strait_region_close(struct strait_region_t *region);

// The identity of this participant, as it stands in owner words; 0 if it only looks, or the region is not
// open.
uint32_t strait_region_ident(const struct strait_region_t *region);

// Makes a channel as a new region has it, of several producers each lane: the way back from
// `STRAIT_STATUS_FAULT`. What it held is lost. Nobody else may take part in the region, nor join it meanwhile:
// `STRAIT_STATUS_BUSY` if another participant is not proven dead, `STRAIT_STATUS_IN_USE` if this one has a role, the
// lock or a permit of the channel. Steps in proportion to the channel's length and the number of participants.
strait_status strait_region_reset_channel(const struct strait_region_t *region,
                                          const char *name);

// Opens a handle on the semaphore `name`. Nothing is claimed.
strait_status strait_semaphore_open(struct strait_semaphore_t *semaphore,
                                    const struct strait_region_t *region,
                                    const char *name);

// Takes one. Never waits.
strait_status strait_semaphore_try_acquire(struct strait_semaphore_t *semaphore);

// Takes one, waiting up to `timeout_ns` for it.
strait_status strait_semaphore_acquire_timeout(struct strait_semaphore_t *semaphore, uint64_t timeout_ns);

// Gives `count` back, and wakes as many sleepers.
strait_status strait_semaphore_release(struct strait_semaphore_t *semaphore, uint32_t count);

// The count now, in `*count`.
strait_status strait_semaphore_count(struct strait_semaphore_t *semaphore, uint32_t *count);

// Closes a handle. The count stays as it is.
strait_status strait_semaphore_close(struct strait_semaphore_t *semaphore);

// Returns a status's text, which is never null and never freed. Any number is legal.
const char *strait_status_text(int32_t status);

// Claims the producer's role of the queue of values `name`, whose type has this hash and size.
strait_status strait_typed_producer_open(struct strait_typed_producer_t *producer,
                                         const struct strait_region_t *region,
                                         const char *name,
                                         uint64_t type_hash,
                                         uint32_t size);

// Sends a value of `size` bytes. Never waits.
strait_status strait_typed_producer_try_send(struct strait_typed_producer_t *producer,
                                             const void *value,
                                             size_t size);

// Sends a value of `size` bytes, waiting up to `timeout_ns` for space.
strait_status strait_typed_producer_send_timeout(struct strait_typed_producer_t *producer,
                                                 const void *value,
                                                 size_t size,
                                                 uint64_t timeout_ns);

// Shows the queue as this end sees it.
strait_status strait_typed_producer_end(struct strait_typed_producer_t *producer, struct strait_end_t *end);

// Gives the role back.
strait_status strait_typed_producer_close(struct strait_typed_producer_t *producer);

// Claims the consumer's role of the queue of values `name`, whose type has this hash and size. `options` may
// be null.
strait_status strait_typed_consumer_open(struct strait_typed_consumer_t *consumer,
                                         const struct strait_region_t *region,
                                         const char *name,
                                         uint64_t type_hash,
                                         uint32_t size,
                                         const struct strait_consumer_options_t *options);

// Receives a value of `size` bytes, and its number in `*sequence`, which may be null. Never waits.
strait_status strait_typed_consumer_try_recv(struct strait_typed_consumer_t *consumer,
                                             void *value,
                                             size_t size,
                                             uint32_t *sequence);

// Receives a value of `size` bytes, waiting up to `timeout_ns` for it.
strait_status strait_typed_consumer_recv_timeout(struct strait_typed_consumer_t *consumer,
                                                 void *value,
                                                 size_t size,
                                                 uint32_t *sequence,
                                                 uint64_t timeout_ns);

// Releases what the last receive returned, without waiting for the next call.
strait_status strait_typed_consumer_release(struct strait_typed_consumer_t *consumer);

// Releases, and tells the region so: after it, a successor would see nothing again.
strait_status strait_typed_consumer_flush(struct strait_typed_consumer_t *consumer);

// Shows the queue as this end sees it.
strait_status strait_typed_consumer_end(struct strait_typed_consumer_t *consumer, struct strait_end_t *end);

// Releases all that was received, and gives the role back.
strait_status strait_typed_consumer_close(struct strait_typed_consumer_t *consumer);

// What the region's clock shows, in `*now_ns`: the clock of all functions `..._until`. It is monotonic, and one for
// all processes of a system. `UINT64_MAX`, as now and as a deadline, never comes: a region without a clock shows it.
strait_status strait_now_ns(const struct strait_region_t *region,
                            uint64_t *now_ns);

// Sends a frame, waiting until `deadline_ns` for space.
strait_status strait_producer_send_until(struct strait_producer_t *producer,
                                         uint32_t tag,
                                         const void *payload,
                                         size_t len,
                                         uint64_t deadline_ns);

// Receives a frame, waiting until `deadline_ns` for it.
strait_status strait_consumer_recv_until(struct strait_consumer_t *consumer,
                                         void *buffer,
                                         size_t capacity,
                                         struct strait_received_t *received,
                                         uint64_t deadline_ns);

// Sends a value of `size` bytes, waiting until `deadline_ns` for space.
strait_status strait_typed_producer_send_until(struct strait_typed_producer_t *producer,
                                               const void *value,
                                               size_t size,
                                               uint64_t deadline_ns);

// Receives a value of `size` bytes, waiting until `deadline_ns` for it.
strait_status strait_typed_consumer_recv_until(struct strait_typed_consumer_t *consumer,
                                               void *value,
                                               size_t size,
                                               uint32_t *sequence,
                                               uint64_t deadline_ns);

// Waits until `deadline_ns` for a value that this reader has not seen; then returns as
// `strait_latest_wait_for_change`.
strait_status strait_latest_wait_until(struct strait_latest_reader_t *reader,
                                       void *buffer,
                                       size_t capacity,
                                       struct strait_value_t *value,
                                       uint64_t deadline_ns);

// Locks, waiting until `deadline_ns` for the lock; otherwise as `strait_mutex_try_lock`.
strait_status strait_mutex_lock_until(struct strait_mutex_t *mutex, uint64_t deadline_ns);

// Takes one, waiting until `deadline_ns` for it.
strait_status strait_semaphore_acquire_until(struct strait_semaphore_t *semaphore, uint64_t deadline_ns);

// Waits up to `timeout_ns` until one of `count` receivers, `STRAIT_MAX_WAITABLES` at most, has something (or has
// latched a fault), and tells which in `*index`, the first one. One sleep for all of them, best if their channels
// share a doorbell; each must let its consumer block, or it is `STRAIT_STATUS_NO_DOORBELL`. Set a `strait_waitable_t` to zeros
// before you set its pointer.
strait_status strait_wait_any_timeout(const struct strait_region_t *region,
                                      const struct strait_waitable_t *waitables,
                                      size_t count,
                                      size_t *index,
                                      uint64_t timeout_ns);

// As `strait_wait_any_timeout`, until `deadline_ns`.
strait_status strait_wait_any_until(const struct strait_region_t *region,
                                    const struct strait_waitable_t *waitables,
                                    size_t count,
                                    size_t *index,
                                    uint64_t deadline_ns);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STRAIT_H */

#ifndef __cplusplus
/*
 * Messages: a struct of numbers, arrays and other messages, without padding, described by a table of its fields. It has
 * the hash that Rust's `strait::message!` gives the same fields, and, in a region whose plan has a description, tools
 * and other languages know its fields. A field that is not what the table says does not compile. (C++: strait.hpp.)
 *
 *     typedef struct { uint32_t axis; float newton_metres; float history[4]; } torque;
 *     static const strait_field_t torque_fields[] = {
 *         STRAIT_FIELD(torque, u32, axis),
 *         STRAIT_FIELD_ABOUT(torque, f32, newton_metres, "Nm", "At the shaft."),
 *         STRAIT_ARRAY(torque, f32, history, 4),
 *     };
 *     static const strait_message_t torque_message = STRAIT_MESSAGE("Torque", torque, torque_fields);
 *     uint64_t hash = strait_message_hash(&torque_message);
 */
#define STRAIT_MESSAGE(name, type, fields) \
  {name, fields, (uint32_t)(sizeof(fields) / sizeof((fields)[0])), (uint32_t)sizeof(type)}

/* A number: u8 to u64, i8 to i64, f32 or f64. */
#define STRAIT_FIELD(type, scalar, field) STRAIT_FIELD_ABOUT(type, scalar, field, NULL, NULL)
/* The same, with a unit and a line of help, each of which may be NULL. */
#define STRAIT_FIELD_ABOUT(type, scalar, field, unit, help)                                                       \
  {#field, STRAIT_SCALAR_##scalar, (uint32_t)offsetof(type, field),                                               \
   STRAIT_SIZE_IF(type, field, STRAIT_TYPE_##scalar *), 0, NULL, unit, help, NULL, 0}
/* A number whose values have names: an array of strait_named_value_t. */
#define STRAIT_FIELD_NAMED(type, scalar, field, named, help)                                                      \
  {#field, STRAIT_SCALAR_##scalar, (uint32_t)offsetof(type, field),                                               \
   STRAIT_SIZE_IF(type, field, STRAIT_TYPE_##scalar *), 0, NULL, NULL, help, named,                               \
   (uint32_t)(sizeof(named) / sizeof((named)[0]))}
/* An array of so many numbers. */
#define STRAIT_ARRAY(type, scalar, field, count) STRAIT_ARRAY_ABOUT(type, scalar, field, count, NULL, NULL)
#define STRAIT_ARRAY_ABOUT(type, scalar, field, count, unit, help)                                                \
  {#field, STRAIT_SCALAR_##scalar, (uint32_t)offsetof(type, field),                                               \
   STRAIT_SIZE_IF(type, field, STRAIT_TYPE_##scalar(*)[count]), count, NULL, unit, help, NULL, 0}
/* A message of type `inner` within the message, described by `message`; and an array of so many. */
#define STRAIT_NESTED(type, inner, field, message)                                                                \
  {#field, 0, (uint32_t)offsetof(type, field), STRAIT_SIZE_IF(type, field, inner *), 0, &(message), NULL, NULL,   \
   NULL, 0}
#define STRAIT_NESTED_ARRAY(type, inner, field, count, message)                                                   \
  {#field, 0, (uint32_t)offsetof(type, field), STRAIT_SIZE_IF(type, field, inner(*)[count]), count, &(message),   \
   NULL, NULL, NULL, 0}

/* The field's size. Does not compile unless a pointer to the field is of this type. */
#define STRAIT_SIZE_IF(type, field, pointer) \
  (uint32_t)(sizeof(((type *)0)->field) + 0 * sizeof(1 ? &((type *)0)->field : (pointer)0))
#define STRAIT_SCALAR_u8 STRAIT_SCALAR_U8
#define STRAIT_SCALAR_u16 STRAIT_SCALAR_U16
#define STRAIT_SCALAR_u32 STRAIT_SCALAR_U32
#define STRAIT_SCALAR_u64 STRAIT_SCALAR_U64
#define STRAIT_SCALAR_i8 STRAIT_SCALAR_I8
#define STRAIT_SCALAR_i16 STRAIT_SCALAR_I16
#define STRAIT_SCALAR_i32 STRAIT_SCALAR_I32
#define STRAIT_SCALAR_i64 STRAIT_SCALAR_I64
#define STRAIT_SCALAR_f32 STRAIT_SCALAR_F32
#define STRAIT_SCALAR_f64 STRAIT_SCALAR_F64
#define STRAIT_TYPE_u8 uint8_t
#define STRAIT_TYPE_u16 uint16_t
#define STRAIT_TYPE_u32 uint32_t
#define STRAIT_TYPE_u64 uint64_t
#define STRAIT_TYPE_i8 int8_t
#define STRAIT_TYPE_i16 int16_t
#define STRAIT_TYPE_i32 int32_t
#define STRAIT_TYPE_i64 int64_t
#define STRAIT_TYPE_f32 float
#define STRAIT_TYPE_f64 double
#endif  /* __cplusplus */
