//! The target `endpoints`: every kind of endpoint on a valid region, and a peer that stores anything
//! anywhere between the operations, and between the calls that an operation makes of its port.
//!
//! Whatever it stores, these hold: no panic, no byte outside the region, lengths within their bounds, and
//! a bounded number of steps.

mod ends;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use strait_core::format::participants;
use strait_core::{
    Attachment, Channel, Consumer, Lock, Mutex, Plan, Producer, Reading, TypedConsumer, TypedProducer,
    format::{ValueType, inspect},
    wait_any,
};

use ends::Ends;

use crate::exercise::{edit, repaired};
use crate::input::Input;
use crate::world::{FuzzPort, Member, POLICY, Region, SOON};

const RING: u32 = 128;
const MAX_FRAME: usize = 48;
const SLOTS: u32 = 4;
const ODD: ValueType = ValueType { hash: 77, size: 13 };

type Value = [u64; 5];

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", RING, MAX_FRAME as u32).doorbell(1).producer_may_block(),
    Channel::slots::<Value>("slots", SLOTS).doorbell(1).producer_may_block(),
    Channel::compact::<Value>("compact", SLOTS).doorbell(1).producer_may_block(),
    Channel::slots_of("odd", SLOTS, ODD).doorbell(1),
    Channel::latest::<Value>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", MAX_FRAME as u32).buffers(4).consumer_may_block(),
    Channel::mutex::<Value>("mutex").consumer_may_block(),
    Channel::mutex_of("odd mutex", ODD),
    Channel::semaphore("semaphore", 1, 3),
    Channel::permits("permits", 3),
])
.line(4)
.participants(4);

/// The most operations of a run.
const MOST: usize = 400;

fn poll<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// The outcome of a call is ignored here.
fn done<T>(_: T) {}

fn send_a_frame(tx: &mut Producer<FuzzPort<'_>>, region: &Region, lies: u32, input: &mut Input<'_>) {
    let content = [7; MAX_FRAME + 4];
    let content = &content[..input.below(content.len() + 1)];
    match input.below(8) {
        0 => done(tx.send_timeout(1, content, SOON)),
        1 => {
            let batch = [(1, content), (2, content), (3, b"")];
            assert!(tx.try_send_batch(batch).unwrap_or(0) <= batch.len());
        }
        2 => {
            if let Ok(mut grant) = tx.reserve(content.len()) {
                region.lie(input, lies);
                let at = input.below(MAX_FRAME);
                assert_eq!(grant.write(at, content), content.len().saturating_sub(at));
                grant.set_tag(9);
                grant.commit_len(input.below(MAX_FRAME + 2));
            }
        }
        3 => done(poll(tx.send(5, content))),
        4 => tx.set_next_sequence(input.edge()),
        5 => done((tx.refused(), tx.peer(), tx.taken_over_from(), tx.fault(), tx.is_empty())),
        _ => done(tx.try_send(1, content)),
    }
    assert!(tx.len() <= RING && tx.high_water() <= RING);
}

fn receive_a_frame(rx: &mut Consumer<FuzzPort<'_>>, region: &Region, lies: u32, input: &mut Input<'_>) {
    let mut buffer = [0xA5; MAX_FRAME + 8];
    let room = input.below(MAX_FRAME + 1);
    let used = match input.below(8) {
        0 => rx.recv_timeout(&mut buffer[..room], SOON).map_or(0, |got| got.len),
        1 => rx.try_recv_frame::<MAX_FRAME>().map_or(0, |got| got.payload().len()),
        2 => {
            let peeked = rx.peek().map(|peek| {
                region.lie(input, lies);
                let len = peek.info().len;
                let from = input.below(MAX_FRAME);
                let copied = peek.copy_from(from, &mut buffer[..room]);
                assert!(len <= MAX_FRAME && copied == room.min(len.saturating_sub(from)));
                if input.flag() {
                    peek.release();
                }
                copied
            });
            peeked.unwrap_or(0)
        }
        3 => {
            let max = input.below(10);
            let count = rx.recv_batch(max, |peek| {
                assert!(peek.info().len <= MAX_FRAME);
                region.lie(input, lies);
                let _ = peek.copy_from(0, &mut buffer[..room]);
            });
            assert!(count.unwrap_or(0) <= max);
            room
        }
        4 => {
            rx.release();
            rx.flush();
            0
        }
        5 => poll(rx.recv(&mut buffer[..room])).and_then(Result::ok).map_or(0, |got| got.len),
        6 => {
            let _ = (rx.peer(), rx.taken_over_from(), rx.fault(), rx.is_empty());
            0
        }
        _ => rx.try_recv(&mut buffer[..room]).map_or(0, |got| got.len),
    };
    assert!(used <= MAX_FRAME && buffer[MAX_FRAME..] == [0xA5; 8]);
    assert!(rx.len() <= RING / 16);
}

fn send_a_value(tx: &mut TypedProducer<Value, FuzzPort<'_>>, input: &mut Input<'_>) {
    match input.below(4) {
        0 => assert!(tx.try_send_batch([[7; 5]; 3]).unwrap_or(0) <= 3),
        1 => done(tx.send_timeout(&[7; 5], SOON)),
        2 => done(poll(tx.send(&[8; 5]))),
        _ => done(tx.try_send(&[9; 5])),
    }
    assert!(tx.len() <= SLOTS && tx.high_water() <= SLOTS);
    let _ = (tx.refused(), tx.peer(), tx.fault(), tx.next_sequence());
}

fn receive_a_value(
    rx: &mut TypedConsumer<Value, FuzzPort<'_>>,
    region: &Region,
    lies: u32,
    input: &mut Input<'_>,
) {
    match input.below(6) {
        0 => {
            let max = input.below(9);
            let count = rx.recv_batch(max, |_| region.lie(input, lies));
            assert!(count.unwrap_or(0) <= max);
        }
        1 => done(rx.recv_timeout(SOON)),
        2 => done(poll(rx.recv())),
        3 => rx.release(),
        4 => rx.flush(),
        _ => done(rx.try_recv()),
    }
    assert!(rx.len() <= SLOTS);
    let _ = (rx.sequence(), rx.peer(), rx.fault());
}

fn lock(mutex: &mut Mutex<Value, FuzzPort<'_>>, region: &Region, lies: u32, input: &mut Input<'_>) {
    let _ = mutex.state();
    let locked = match input.below(4) {
        0 => mutex.lock_timeout(SOON),
        1 => mutex.wait_for_change(input.edge(), SOON),
        2 => {
            let guard = mutex.reinitialise(&[3; 5]);
            region.lie(input, lies);
            return edit(guard, input);
        }
        _ => mutex.try_lock(),
    };
    match locked {
        Ok(Lock::Held(guard)) => {
            region.lie(input, lies);
            edit(Some(guard), input);
        }
        Ok(Lock::OwnerDied(recovery)) => {
            region.lie(input, lies);
            edit(repaired(recovery, input), input);
        }
        Err(_) => {}
    }
}

fn lock_bytes(mutex: &mut Mutex<[u8], FuzzPort<'_>>, region: &Region, lies: u32, input: &mut Input<'_>) {
    let mut value = [0; 14];
    let len = [13, 13, 12, 14][input.below(4)];
    if input.flag() {
        drop(mutex.reinitialise(&value[..len]));
    }
    match mutex.try_lock() {
        Ok(Lock::Held(mut guard)) => {
            region.lie(input, lies);
            assert_eq!(guard.get_into(&mut value[..len]).is_ok(), len == 13);
            assert_eq!(guard.set_from(&value[..len]).is_ok(), len == 13);
            let _ = guard.unlock();
        }
        Ok(Lock::OwnerDied(mut recovery)) => {
            region.lie(input, lies);
            assert_eq!(recovery.get_into(&mut value[..len]).is_ok(), len == 13);
            assert_eq!(recovery.set_from(&value[..len]).is_ok(), len == 13);
            done(if input.flag() { recovery.mark_consistent().ok() } else { recovery.roll_back().ok() });
        }
        Err(_) => {}
    }
}

fn count(ends: &mut Ends<'_>, region: &Region, lies: u32, input: &mut Input<'_>) {
    if let Some(semaphore) = &mut ends.semaphore {
        match input.below(4) {
            0 => done(semaphore.release(input.edge())),
            1 => done(semaphore.acquire_timeout(SOON)),
            2 => done(semaphore.try_acquire()),
            _ => done(semaphore.release(1)),
        }
        assert!(semaphore.count() <= 3);
    }
    if let (Some(one), Some(other)) = (&mut ends.permits.0, &mut ends.permits.1) {
        let held = one.acquire_timeout(SOON);
        let next = other.try_acquire();
        if let (Ok(held), Ok(next)) = (&held, &next) {
            assert!(held.index() < 3 && next.index() < 3 && held.index() != next.index());
        }
        region.lie(input, lies);
        if let Ok(held) = held {
            let _ = (held.from(), held.release());
        }
    }
}

fn publish_and_read(ends: &mut Ends<'_>, input: &mut Input<'_>) {
    let content = [7; MAX_FRAME + 1];
    let mut buffer = [0xA5; MAX_FRAME + 8];
    let room = input.below(MAX_FRAME + 1);
    match input.below(6) {
        0 => {
            if let Some(writer) = &mut ends.latest.0 {
                writer.publish_tagged(input.edge(), &[input.wide(); 5]);
                let _ = (writer.published(), writer.taken_over_from());
            }
        }
        1 => {
            if let Some(reader) = &mut ends.latest.1 {
                let _ = (reader.read(), reader.info());
            }
        }
        2 => {
            if let Some(reader) = &mut ends.latest.1 {
                let _ = (reader.wait_for_change(SOON), poll(reader.changed()));
            }
        }
        3 => {
            if let Some(writer) = &mut ends.bytes.0 {
                let len = input.below(content.len() + 1);
                assert_eq!(writer.publish_from(1, &content[..len]).is_ok(), len <= MAX_FRAME);
            }
        }
        choice => {
            if let Some(reader) = &mut ends.bytes.1 {
                let reading = match choice {
                    4 => reader.read_into(&mut buffer[..room]),
                    _ if input.flag() => reader.wait_for_change_into(&mut buffer[..room], SOON),
                    _ => match poll(reader.changed_into(&mut buffer[..room])) {
                        Some(Ok(info)) => Reading::Fresh(info),
                        _ => Reading::Empty,
                    },
                };
                assert!(reading.value().is_none_or(|info| info.len <= MAX_FRAME));
            }
        }
    }
    assert!(buffer[MAX_FRAME..] == [0xA5; 8]);
}

fn odd_values(ends: &mut Ends<'_>, input: &mut Input<'_>) {
    let mut value = [0; 14];
    let len = [13, 13, 12, 14][input.below(4)];
    if let Some(tx) = &mut ends.odd.0 {
        assert!(tx.try_send(&value[..len]).is_err() || len == 13);
    }
    if let Some(rx) = &mut ends.odd.1 {
        assert!(rx.try_recv_into(&mut value[..len]).is_err() || len == 13);
        let _ = rx.recv_into_timeout(&mut value[..len], SOON);
    }
}

fn look(region: &Region, at: &Attachment<FuzzPort<'_>>) {
    for entry in at.channels() {
        let state = inspect::channel_state(region.mem(), at.header().line, &entry);
        assert!(state.len <= entry.capacity);
        let _ = inspect::lock_state(region.mem(), at.header().line, &entry);
        let _ = inspect::permits(region.mem(), at.header().line, &entry).count();
    }
    assert!(participants::list(region.mem(), at.header(), at.port()).count() <= 4);
}

fn operate(ends: &mut Ends<'_>, at: &Member<'_>, region: &Region, lies: u32, input: &mut Input<'_>) {
    match input.below(16) {
        0 | 1 => {
            if let Some(tx) = &mut ends.frames.0 {
                send_a_frame(tx, region, lies, input);
            }
        }
        2 | 3 => {
            if let Some(rx) = &mut ends.frames.1 {
                receive_a_frame(rx, region, lies, input);
            }
        }
        choice @ (4 | 5) => {
            let queue = if choice == 4 { &mut ends.slots.0 } else { &mut ends.compact.0 };
            if let Some(tx) = queue {
                send_a_value(tx, input);
            }
        }
        choice @ (6 | 7) => {
            let queue = if choice == 6 { &mut ends.slots.1 } else { &mut ends.compact.1 };
            if let Some(rx) = queue {
                receive_a_value(rx, region, lies, input);
            }
        }
        8 => odd_values(ends, input),
        9 => publish_and_read(ends, input),
        choice @ (10 | 11) => {
            let mutex = if choice == 10 { &mut ends.mutex.0 } else { &mut ends.mutex.1 };
            if let Some(mutex) = mutex {
                lock(mutex, region, lies, input);
            }
        }
        12 => {
            if let Some(mutex) = &mut ends.odd_mutex {
                lock_bytes(mutex, region, lies, input);
            }
        }
        13 => count(ends, region, lies, input),
        14 => {
            if let (Some(frames), Some(slots), Some(compact)) =
                (&mut ends.frames.1, &mut ends.slots.1, &mut ends.compact.1)
            {
                let _ = wait_any(at.port(), &mut [frames, slots, compact], POLICY, SOON);
            }
        }
        _ => {
            let _ = (at.recover_mutex("mutex"), at.recover_mutex("odd mutex"));
            look(region, at);
        }
    }
    region.check();
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let region = Region::new(&PLAN);
    // Header and directory are read at attach; damage to them is the subject of the target `attach`.
    let lies = region.entry("frames").block_a;
    let (mut a, mut b) = (region.join(), region.join());
    let mut ends = Ends::open(&a, &b, &mut input);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.below(8) {
            0 | 1 => region.lie(&mut input, lies),
            2 if input.below(4) == 0 => {
                // All die in the middle of what they do, and others take over what is there.
                let dead = (a, b);
                let Some(next) = region.try_join() else { break };
                let Some(other) = region.try_join() else { break };
                dead.0.die(ends);
                dead.1.die(());
                (a, b) = (next, other);
                ends = Ends::open(&a, &b, &mut input);
            }
            _ => operate(&mut ends, &a, &region, lies, &mut input),
        }
    }
}
