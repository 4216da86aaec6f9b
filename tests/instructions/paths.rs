//! The child's side: brings an endpoint to where a path begins, and shows the parent one call.
//!
//! Each path is the content of a user's loop: one call of the interface with its arguments by
//! reference, and a look at what came of it. The functions are never inlined and are called through
//! a pointer that the compiler does not see through, so nothing of the state is known in advance.
//!
//! The way to a path's beginning leads through the same functions. So each call of the interface
//! stands in one place, as in a program with one loop, and is inlined there or not for its own sake.

use std::hint::black_box;

use strait::{
    BroadcastReader, BroadcastWriter, Channel, LatestReader, LatestWriter, Message, Plan, Reading, Region,
    RegionOptions, RegionPlace, StaticConsumer, StaticProducer, StaticQueue, SystemPort, TryRecvError,
    TrySendError, TypedConsumer, TypedProducer,
    broadcast::{BroadcastStart, BroadcastTryRecvError},
    options::{ConsumerOptions, Delivery, WakeCheck},
};

use super::common::{Name, tell, tracee};
use super::frames::frames;

/// Slots of every queue of values.
const SLOTS: u32 = 64;
/// Bytes of every ring of frames.
pub const RING: u32 = 16 * 1024;
/// The longest frame.
pub const LONGEST: u32 = 1024;

/// Every channel of the region that the child works in.
pub const PLAN: Plan = Plan::new(&[
    Channel::slots::<u64>("slots-8", SLOTS),
    Channel::slots::<[u64; 7]>("slots-56", SLOTS),
    Channel::compact::<u64>("compact-8", SLOTS),
    Channel::slots::<u64>("slots-8-wake", SLOTS).consumer_may_block().producer_may_block(),
    Channel::slots::<[u64; 7]>("slots-56-wake", SLOTS).consumer_may_block().producer_may_block(),
    Channel::frames("frames-8", RING, LONGEST),
    Channel::frames("frames-48", RING, LONGEST),
    Channel::frames("frames-256", RING, LONGEST),
    Channel::frames("frames-1024", RING, LONGEST),
    Channel::latest::<[u64; 4]>("latest-32"),
    Channel::latest::<[u64; 7]>("latest-56"),
    Channel::latest::<[u64; 4]>("latest-32-wake").consumer_may_block(),
    Channel::mutex::<[u64; 4]>("mutex-32"),
    Channel::semaphore("semaphore", 1, 8),
    Channel::permits("permits", 8),
    Channel::slots::<u64>("spare", SLOTS),
    Channel::slots::<u64>(ORPHAN, SLOTS),
]);

/// The channels of another region: what attaching to the first one costs depends on how many it has.
const BROADCASTS: Plan = Plan::new(&[
    Channel::broadcast::<[u64; 4]>("broadcast-32", 8),
    Channel::broadcast::<[u64; 7]>("broadcast-56", 8),
    Channel::broadcast::<[u64; 4]>("broadcast-32-wake", 8).consumer_may_block(),
]);

/// Takes the producer's role that is to be taken over, and uses it.
pub fn be_the_last_owner(region: &RegionPlace) -> impl Sized {
    let attachment = region.open(&RegionOptions::new()).expect("the parent made it");
    let mut tx = attachment.typed_producer(ORPHAN).expect("nobody has it");
    repeat(3, send, &mut tx, &mut 0_u64);
    tx
}

/// The channel whose producer has died.
const ORPHAN: &str = "orphan";

/// The outcome of a call.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it is for.
    Done,
    /// Full, empty, or not new.
    Nothing,
    /// Anything else.
    Wrong,
}

use Outcome::{Done, Nothing, Wrong};

/// A call that can be shown.
pub type Operation<A, B> = extern "C" fn(&mut A, &mut B) -> Outcome;

/// Shows the parent one call, which must come to what is expected.
#[track_caller]
pub fn show<A, B>(name: &str, operation: Operation<A, B>, a: &mut A, b: &mut B, expected: Outcome) {
    let operation = black_box(operation);
    tell(&format!("{name} {}", operation as *const () as usize));
    // The parent steps from here.
    tracee::stop();
    let outcome = operation(black_box(a), black_box(b));
    assert_eq!(outcome, expected, "{name}");
}

/// Calls without showing, any number of times, while that does what it is for.
#[track_caller]
pub fn repeat<A, B>(times: u32, operation: Operation<A, B>, a: &mut A, b: &mut B) {
    let operation = black_box(operation);
    (0..times).for_each(|_| assert_eq!(operation(a, b), Done));
}

/// Calls without showing until that finds nothing to do.
#[track_caller]
pub fn exhaust<A, B>(operation: Operation<A, B>, a: &mut A, b: &mut B) {
    let operation = black_box(operation);
    while operation(a, b) == Done {}
}

/// Shows every path.
pub fn show_all(region: &RegionPlace) {
    let attachment = region.open(&RegionOptions::new()).expect("the parent made it");
    show("empty", nothing, &mut 0_u64, &mut 0_u64, Done);
    values::<u64>(&attachment, "slots-8");
    values::<[u64; 7]>(&attachment, "slots-56");
    values::<u64>(&attachment, "compact-8");
    wakes::<u64>(&attachment, "slots-8-wake");
    wakes::<[u64; 7]>(&attachment, "slots-56-wake");
    frames::<8>(&attachment, "frames-8");
    frames::<48>(&attachment, "frames-48");
    frames::<256>(&attachment, "frames-256");
    frames::<1024>(&attachment, "frames-1024");
    latest::<[u64; 4]>(&attachment, "latest-32");
    latest::<[u64; 7]>(&attachment, "latest-56");
    latest::<[u64; 4]>(&attachment, "latest-32-wake");
    static_queue();
    super::locks::show_locks(&attachment);
    set_up(region, attachment);
    let name = Name::new("broadcasts");
    let others = name.region().create(&BROADCASTS, &RegionOptions::new()).expect("the name is free");
    broadcast::<[u64; 4]>(&others, "broadcast-32");
    broadcast::<[u64; 7]>(&others, "broadcast-56");
    broadcast::<[u64; 4]>(&others, "broadcast-32-wake");
    let name = Name::new("lanes");
    let lanes = name.region().create(&super::lanes::PLAN, &RegionOptions::new()).expect("the name is free");
    super::lanes::show_lanes(&lanes);
    let name = Name::new("fan-outs");
    let fanouts =
        name.region().create(&super::fanout::PLAN, &RegionOptions::new()).expect("the name is free");
    super::fanout::show_fanout(&fanouts);
    let name = Name::new("patterns");
    let patterns =
        name.region().create(&super::patterns::PLAN, &RegionOptions::new()).expect("the name is free");
    super::patterns::show_patterns(&patterns);
}

/// A call and nothing in it: what the others are counted net of.
#[inline(never)]
extern "C" fn nothing(_: &mut u64, _: &mut u64) -> Outcome {
    Done
}

#[inline(never)]
extern "C" fn send<T: Message>(tx: &mut TypedProducer<T, SystemPort>, value: &mut T) -> Outcome {
    match tx.try_send(value) {
        Ok(()) => Done,
        Err(TrySendError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn receive<T: Message>(rx: &mut TypedConsumer<T, SystemPort>, value: &mut T) -> Outcome {
    match rx.try_recv() {
        Ok(received) => {
            *value = received;
            Done
        }
        Err(TryRecvError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

/// The paths of a queue of values.
fn values<T: Message>(region: &Region, channel: &str) {
    let named = |path: &str| format!("{channel}/{path}");
    let mut tx = region.typed_producer::<T>(channel).expect("nobody has it");
    let mut rx = region.typed_consumer::<T>(channel).expect("nobody has it");
    let value = &mut T::new_zeroed();

    show(&named("send-first"), send, &mut tx, value, Done);
    repeat(SLOTS - 1, send, &mut tx, value);
    show(&named("send-full-first"), send, &mut tx, value, Nothing);
    show(&named("send-full"), send, &mut tx, value, Nothing);
    repeat(1, receive, &mut rx, value);
    let used = tx.len();
    show(&named("receive-space-wanted"), receive, &mut rx, value, Done);
    assert_ne!(tx.len(), used, "{channel}: the head was to be stored");
    exhaust(receive, &mut rx, value);
    show(&named("send-after-full"), send, &mut tx, value, Done);

    // The producer knows of no space, and has not been refused any.
    repeat(SLOTS - 1, send, &mut tx, value);
    exhaust(receive, &mut rx, value);
    show(&named("send-looks-at-head"), send, &mut tx, value, Done);
    show(&named("send"), send, &mut tx, value, Done);
    repeat(SLOTS - 2, send, &mut tx, value);

    // Of the consumer's head, a quarter of the ring at most stays untold.
    let used = tx.len();
    show(&named("receive-first"), receive, &mut rx, value, Done);
    repeat(1, receive, &mut rx, value);
    show(&named("receive"), receive, &mut rx, value, Done);
    repeat(SLOTS / 4 - 3, receive, &mut rx, value);
    assert_eq!(tx.len(), used, "{channel}: the head was not to be stored");
    show(&named("receive-stores-head"), receive, &mut rx, value, Done);
    assert_ne!(tx.len(), used, "{channel}: the head was to be stored");

    // The next value but one is at the ring's start.
    repeat(SLOTS - 3 - rx.sequence() % SLOTS, receive, &mut rx, value);
    repeat(3, send, &mut tx, value);
    rx.flush();
    repeat(2, receive, &mut rx, value);
    let used = tx.len();
    show(&named("receive-wraps"), receive, &mut rx, value, Done);
    assert_eq!((rx.sequence() % SLOTS, tx.len()), (0, used), "{channel}: the ring's start, no head stored");
    repeat(2, receive, &mut rx, value);
    show(&named("receive-empty-first"), receive, &mut rx, value, Nothing);
    show(&named("receive-empty"), receive, &mut rx, value, Nothing);

    drop(rx);
    let once = ConsumerOptions::new().delivery(Delivery::AtMostOnce);
    let mut rx = region.typed_consumer_with::<T>(channel, once).expect("nobody has it");
    repeat(2, send, &mut tx, value);
    repeat(1, receive, &mut rx, value);
    show(&named("receive-at-most-once"), receive, &mut rx, value, Done);
}

/// The paths that are others where the peer may sleep, and does not.
fn wakes<T: Message>(region: &Region, channel: &str) {
    let named = |path: &str| format!("{channel}/{path}");
    let mut tx = region.typed_producer::<T>(channel).expect("nobody has it");
    let mut rx = region.typed_consumer::<T>(channel).expect("nobody has it");
    let value = &mut T::new_zeroed();
    repeat(1, send, &mut tx, value);
    show(&named("send"), send, &mut tx, value, Done);
    tx.set_wake_check(WakeCheck::Unfenced);
    show(&named("send-unfenced"), send, &mut tx, value, Done);
    // The producer has gone a quarter of the ring, and so will the consumer.
    repeat(SLOTS / 4 - 2, send, &mut tx, value);
    repeat(SLOTS / 4 - 1, receive, &mut rx, value);
    show(&named("receive"), receive, &mut rx, value, Done);
    let used = tx.len();
    show(&named("receive-stores-head"), receive, &mut rx, value, Done);
    assert_ne!(tx.len(), used, "{channel}: the head was to be stored");
}

#[inline(never)]
extern "C" fn publish<T: Message>(tx: &mut LatestWriter<T, SystemPort>, value: &mut T) -> Outcome {
    tx.publish(value);
    Done
}

#[inline(never)]
extern "C" fn read<T: Message>(rx: &mut LatestReader<T, SystemPort>, value: &mut T) -> Outcome {
    match rx.read() {
        Reading::Fresh(newest) => {
            *value = newest;
            Done
        }
        Reading::Stale(newest) => {
            *value = newest;
            Nothing
        }
        Reading::Empty | Reading::Contended => Wrong,
    }
}

#[inline(never)]
extern "C" fn read_fresh<T: Message>(rx: &mut LatestReader<T, SystemPort>, value: &mut T) -> Outcome {
    match rx.read_fresh() {
        Some(fresh) => {
            *value = fresh;
            Done
        }
        None => Nothing,
    }
}

/// The paths of a latest value.
fn latest<T: Message>(region: &Region, channel: &str) {
    let named = |path: &str| format!("{channel}/{path}");
    let mut tx = region.latest_writer::<T>(channel).expect("nobody has it");
    let mut rx = region.latest_reader::<T>(channel).expect("it is there");
    let mut value = T::new_zeroed();
    repeat(1, publish, &mut tx, &mut value);
    show(&named("publish"), publish, &mut tx, &mut value, Done);
    show(&named("read-fresh"), read, &mut rx, &mut value, Done);
    show(&named("read-unchanged"), read, &mut rx, &mut value, Nothing);
    show(&named("look-unchanged"), read_fresh, &mut rx, &mut value, Nothing);
}

#[inline(never)]
extern "C" fn broadcast_publish<T: Message>(
    tx: &mut BroadcastWriter<T, SystemPort>,
    value: &mut T,
) -> Outcome {
    tx.publish(value);
    Done
}

#[inline(never)]
extern "C" fn follow<T: Message>(rx: &mut BroadcastReader<T, SystemPort>, value: &mut T) -> Outcome {
    match rx.try_recv() {
        Ok(received) => {
            *value = received;
            Done
        }
        Err(BroadcastTryRecvError::Empty | BroadcastTryRecvError::Lagged { .. }) => Nothing,
        Err(_) => Wrong,
    }
}

/// The paths of a broadcast.
fn broadcast<T: Message>(region: &Region, channel: &str) {
    let named = |path: &str| format!("{channel}/{path}");
    let mut tx = region.broadcast_writer::<T>(channel).expect("nobody has it");
    let mut rx = region.broadcast_reader::<T>(channel, BroadcastStart::Oldest).expect("it is there");
    let mut value = T::new_zeroed();
    repeat(1, broadcast_publish, &mut tx, &mut value);
    show(&named("publish"), broadcast_publish, &mut tx, &mut value, Done);
    repeat(1, follow, &mut rx, &mut value);
    show(&named("receive"), follow, &mut rx, &mut value, Done);
    show(&named("receive-empty"), follow, &mut rx, &mut value, Nothing);
    repeat(9, broadcast_publish, &mut tx, &mut value);
    show(&named("receive-overtaken"), follow, &mut rx, &mut value, Nothing);
}

/// Places of the queue in a `static`.
const PLACES: usize = 16;

#[inline(never)]
extern "C" fn push(tx: &mut StaticProducer<'static, u64, PLACES>, value: &mut u64) -> Outcome {
    if tx.push(*value).is_ok() { Done } else { Nothing }
}

#[inline(never)]
extern "C" fn pop(rx: &mut StaticConsumer<'static, u64, PLACES>, value: &mut u64) -> Outcome {
    match rx.pop() {
        Some(popped) => {
            *value = popped;
            Done
        }
        None => Nothing,
    }
}

/// The paths of a queue in a `static`.
fn static_queue() {
    static QUEUE: StaticQueue<u64, PLACES> = StaticQueue::new();
    let mut tx = QUEUE.take_producer().expect("nobody has it");
    let mut rx = QUEUE.take_consumer().expect("nobody has it");
    let mut value = 0;
    repeat(1, push, &mut tx, &mut value);
    show("static-8/push", push, &mut tx, &mut value, Done);
    repeat(PLACES as u32 - 2, push, &mut tx, &mut value);
    show("static-8/push-full", push, &mut tx, &mut value, Nothing);
    show("static-8/pop-looks-at-tail", pop, &mut rx, &mut value, Done);
    show("static-8/pop", pop, &mut rx, &mut value, Done);
    show("static-8/push-looks-at-head", push, &mut tx, &mut value, Done);
    exhaust(pop, &mut rx, &mut value);
    show("static-8/pop-empty", pop, &mut rx, &mut value, Nothing);
}

/// An endpoint on its way, by the name of its channel.
struct Opening {
    channel: &'static str,
    opened: Option<TypedProducer<u64, SystemPort>>,
}

#[inline(never)]
extern "C" fn open(region: &mut RegionPlace, opened: &mut Option<Region>) -> Outcome {
    *opened = region.open(&RegionOptions::new()).ok();
    if opened.is_some() { Done } else { Wrong }
}

#[inline(never)]
extern "C" fn open_producer(region: &mut Region, opening: &mut Opening) -> Outcome {
    opening.opened = region.typed_producer(opening.channel).ok();
    if opening.opened.is_some() { Done } else { Wrong }
}

/// Work done once, before the first message.
fn set_up(region: &RegionPlace, mut attachment: Region) {
    let mut region = region.clone();
    show("set-up/attach", open, &mut region, &mut None, Done);
    let mut opening = Opening { channel: "spare", opened: None };
    show("set-up/open-producer", open_producer, &mut attachment, &mut opening, Done);
    let mut opening = Opening { channel: ORPHAN, opened: None };
    show("set-up/take-over-producer", open_producer, &mut attachment, &mut opening, Done);
    let successor = opening.opened.expect("it was opened");
    assert!(successor.taken_over_from().is_some(), "the last producer died");
}
