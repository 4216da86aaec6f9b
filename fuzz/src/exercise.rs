//! Does with a region, whatever it is, all that can be done with one.

use strait_core::format::participants;
use strait_core::{
    Attachment, ConsumerOptions, Delivery, Guard, LanesConsumer, LanesOptions, Lock, Message, Reading,
    Recovery,
    format::{Entry, ValueType, inspect},
    port::{Ident, Port},
    wait_any,
};

use crate::input::Input;
use crate::world::{FuzzPort, POLICY, Region, SOON};

type At<'r> = Attachment<FuzzPort<'r>>;

/// The longest payload that is tried, and the longest buffer, whatever the directory says.
const LONGEST: usize = 2048;

/// Attaches to a region that may be anything. The outcome is an error, or sane.
///
/// # Panics
///
/// If something is not sane.
pub fn everything(region: &Region, input: &mut Input<'_>) {
    let Ok(look) = Attachment::attach(region.port(None)) else { return };
    let header = *look.header();
    assert!(participants::list(region.mem(), &header, look.port()).count() <= 511);
    let joined = region.try_join();
    let forged = Attachment::attach(region.port(Ident::new(1, 1)));
    let at: &At<'_> = match (&joined, &forged) {
        (Some(member), _) => member,
        (None, Ok(forged)) => forged,
        _ => &look,
    };
    for entry in at.channels().take(8) {
        let state = inspect::channel_state(region.mem(), header.line, &entry);
        assert!(state.len <= entry.capacity && state.high_water <= entry.capacity);
        let _ = inspect::lock_state(region.mem(), header.line, &entry);
        assert!(inspect::permits(region.mem(), header.line, &entry).count() <= entry.capacity as usize);
        for _ in 0..2 {
            channel(at, &entry, input);
            region.check();
        }
    }
}

/// Opens a channel in every way, fitting or not.
fn channel(at: &At<'_>, entry: &Entry, input: &mut Input<'_>) {
    let name = entry.name().expect("a listed channel has a name");
    producer(at, entry, name, input);
    consumer(at, entry, name, input);
    values::<u8>(at, entry, name);
    values::<u32>(at, entry, name);
    values::<[u8; 16]>(at, entry, name);
    run_time_values(at, entry, name);
    latest(at, entry, name, input);
    mutex::<u32>(at, name, input);
    mutex::<[u8; 16]>(at, name, input);
    let _ = at.recover_mutex(name);
    counting(at, entry, name);
    lanes(at, entry, name);
    fanout(at, entry, name);
}

fn producer(at: &At<'_>, entry: &Entry, name: &str, input: &mut Input<'_>) {
    let Ok(mut tx) = at.producer(name) else { return };
    tx.set_wait_policy(POLICY);
    let longest = LONGEST.min(entry.max_len as usize + 4);
    for _ in 0..4 {
        let payload = vec![0x5A; input.below(longest + 1)];
        let _ = tx.try_send(1, &payload);
        if let Ok(mut grant) = tx.reserve(payload.len()) {
            grant.write(payload.len() / 2, &payload);
            grant.commit_len(input.below(payload.len() + 2));
        }
        assert!(tx.len() <= entry.capacity);
    }
    let _ = tx.try_send_batch([(1, &b"a"[..]), (2, b""), (3, &[0; 300])]);
    let _ = tx.send_timeout(1, b"x", SOON);
    let _ = (tx.high_water(), tx.refused(), tx.peer(), tx.taken_over_from(), tx.next_sequence(), tx.fault());
}

/// Options of a consumer.
pub fn options(input: &mut Input<'_>) -> ConsumerOptions {
    let delivery = [Delivery::AtLeastOnce, Delivery::AtMostOnce][input.below(2)];
    ConsumerOptions::new().delivery(delivery).release_every(input.below(5) as u32)
}

fn consumer(at: &At<'_>, entry: &Entry, name: &str, input: &mut Input<'_>) {
    let Ok(mut rx) = at.consumer_with(name, options(input)) else { return };
    rx.set_wait_policy(POLICY);
    let mut buffer = vec![0; LONGEST.min(entry.max_len as usize)];
    for _ in 0..4 {
        if let Ok(got) = rx.try_recv(&mut buffer) {
            assert!(got.len <= buffer.len());
        }
        let _ = rx.try_recv_frame::<16>();
        if let Ok(peek) = rx.peek() {
            assert!(peek.info().len <= entry.max_len as usize);
            assert_eq!(peek.copy_from(0, &mut buffer), peek.info().len.min(buffer.len()));
            peek.release();
        }
        assert!(rx.len() <= entry.capacity / 16);
    }
    let _ = rx.recv_batch(3, |peek| assert!(peek.info().len <= entry.max_len as usize));
    let _ = rx.recv_timeout(&mut buffer, SOON);
    let _ = wait_any(at.port(), &mut [&mut rx], POLICY, SOON);
    rx.flush();
    let _ = (rx.peer(), rx.is_empty(), rx.fault());
}

fn values<T: Message>(at: &At<'_>, entry: &Entry, name: &str) {
    if let Ok(mut tx) = at.typed_producer::<T>(name) {
        tx.set_wait_policy(POLICY);
        for _ in 0..6 {
            let _ = tx.try_send(&T::new_zeroed());
            assert!(tx.len() <= entry.capacity);
        }
        let _ = (tx.try_send_batch([T::new_zeroed(); 3]), tx.send_timeout(&T::new_zeroed(), SOON));
        let _ = (tx.high_water(), tx.refused(), tx.peer(), tx.fault());
    }
    if let Ok(mut rx) = at.typed_consumer::<T>(name) {
        rx.set_wait_policy(POLICY);
        for _ in 0..12 {
            let _ = rx.try_recv();
            assert!(rx.len() <= entry.capacity);
        }
        let _ = (rx.recv_batch(3, |_| ()).is_ok(), rx.recv_timeout(SOON).is_ok(), rx.fault());
        let _ = wait_any(at.port(), &mut [&mut rx], POLICY, SOON);
    }
    if let Ok(mut reader) = at.latest_reader::<T>(name) {
        reader.set_wait_policy(POLICY);
        let _ = reader.read();
        if let Ok(mut writer) = at.latest_writer::<T>(name) {
            (0..5).for_each(|_| writer.publish(&T::new_zeroed()));
            let _ = (reader.read(), writer.published());
        }
        let _ = reader.wait_for_change(SOON);
    }
}

/// Lanes, also of a channel that has one producer and so is its own only lane.
fn lanes(at: &At<'_>, entry: &Entry, name: &str) {
    let mut bytes = vec![0; LONGEST.min(entry.max_len as usize)];
    if let Ok((lane, mut tx)) = at.free_lane_producer(name) {
        assert!(lane < entry.lane.count);
        let _ = tx.try_send(1, &bytes);
    }
    let rx: Result<LanesConsumer<_, 4>, _> = at.lanes_consumer(name);
    if let Ok(mut rx) = rx {
        rx.set_wait_policy(POLICY);
        for _ in 0..8 {
            if let Ok(got) = rx.try_recv(&mut bytes) {
                assert!(got.lane < rx.lanes() && got.message.len <= bytes.len());
            }
        }
        let _ =
            (rx.recv_timeout(&mut bytes, SOON).is_ok(), rx.is_empty(), rx.len(0), rx.peer(1), rx.fault(2));
        let _ = wait_any(at.port(), &mut [&mut rx], POLICY, SOON);
    }
    let values = ValueType { hash: entry.type_hash, size: entry.max_len };
    for lane in 0..4 {
        if let Ok(mut tx) = at.typed_lane_producer_of(name, values, lane) {
            let _ = tx.try_send(&bytes);
        }
    }
    if let Ok(mut rx) = at.typed_lanes_consumer_of::<4>(name, values, LanesOptions::new().burst(1)) {
        rx.set_wait_policy(POLICY);
        for _ in 0..8 {
            let _ = rx.try_recv_into(&mut bytes);
        }
        assert!((0..rx.lanes()).all(|lane| rx.len(lane) <= entry.capacity));
    }
}

/// A queue with several consumers.
fn fanout(at: &At<'_>, entry: &Entry, name: &str) {
    let _ = inspect::fanout_state(at.port().mem(), entry);
    let values = ValueType { hash: entry.type_hash, size: entry.max_len };
    let mut bytes = vec![0; LONGEST.min(entry.max_len as usize)];
    let mut all: Vec<_> = (0..4)
        .filter_map(|index| at.fanout_consumer_of(name, values, index, ConsumerOptions::new()).ok())
        .collect();
    if let Ok(mut tx) = at.fanout_producer_of(name, values) {
        tx.set_wait_policy(POLICY);
        for _ in 0..8 {
            let _ = tx.try_send(&bytes);
        }
        let _ = tx.send_timeout(&bytes, SOON);
        assert!(tx.len() <= tx.capacity() && tx.slowest().is_none_or(|slowest| slowest.lag <= entry.capacity));
    }
    for rx in &mut all {
        rx.set_wait_policy(POLICY);
        for _ in 0..8 {
            let _ = rx.try_recv_into(&mut bytes);
        }
        let _ = (rx.recv_into_timeout(&mut bytes, SOON).is_ok(), rx.is_empty(), rx.peer(), rx.missed());
        assert!(rx.lag() <= entry.capacity);
        let _ = wait_any(at.port(), &mut [rx], POLICY, SOON);
    }
}

/// The same by the hash and the size that the directory names, whatever they are.
fn run_time_values(at: &At<'_>, entry: &Entry, name: &str) {
    let kind = ValueType { hash: entry.type_hash, size: entry.max_len };
    let mut value = vec![0; LONGEST.min(entry.max_len as usize)];
    if let Ok(mut tx) = at.typed_producer_of(name, kind) {
        let _ = (tx.try_send(&value), tx.try_send(&[]));
    }
    if let Ok(mut rx) = at.typed_consumer_of(name, kind, ConsumerOptions::new()) {
        let _ = (rx.try_recv_into(&mut value), rx.try_recv_into(&mut []));
    }
    if let Ok(mut writer) = at.latest_writer_of(name, kind) {
        let _ = writer.publish_from(1, &value);
    }
    if let Ok(mut mutex) = at.mutex_of(name, kind)
        && let Ok(Lock::Held(mut guard)) = mutex.try_lock()
    {
        let _ = (guard.get_into(&mut value), guard.set_from(&value), guard.get_into(&mut []));
    }
}

fn latest(at: &At<'_>, entry: &Entry, name: &str, input: &mut Input<'_>) {
    let Ok(mut reader) = at.latest_reader::<[u8]>(name) else { return };
    reader.set_wait_policy(POLICY);
    let longest = LONGEST.min(entry.max_len as usize + 1);
    let mut buffer = vec![0; input.below(longest + 1)];
    if let Reading::Fresh(info) | Reading::Stale(info) = reader.read_into(&mut buffer) {
        assert!(info.len <= entry.max_len as usize);
    }
    if let Ok(mut writer) = at.latest_writer::<[u8]>(name) {
        for _ in 0..5 {
            let _ = writer.publish_from(1, &vec![1; input.below(longest + 1)]);
            let _ = reader.read_into(&mut buffer);
        }
    }
    let _ = reader.wait_for_change_into(&mut buffer, SOON);
}

/// Uses a lock that was taken.
pub fn edit<T: Message>(guard: Option<Guard<'_, T, FuzzPort<'_>>>, input: &mut Input<'_>) {
    let Some(mut guard) = guard else { return };
    guard.update(|value| *value = T::new_zeroed());
    guard.edit_in_place(|edit| {
        let offset = input.below(size_of::<T>() + 4);
        assert!(edit.write(offset, &[1; 40]) <= size_of::<T>());
        assert!(edit.read(offset, &mut [0; 40]) <= size_of::<T>());
    });
    let _ = (guard.get(), guard.version(), guard.takeovers(), guard.unlock());
}

/// Goes on after an owner's death in one of the ways there are.
pub fn repaired<'m, 'r, T: Message>(
    recovery: Recovery<'m, T, FuzzPort<'r>>,
    input: &mut Input<'_>,
) -> Option<Guard<'m, T, FuzzPort<'r>>> {
    let _ = (recovery.get(), recovery.from(), recovery.was_in_place());
    match input.below(4) {
        0 => recovery.roll_back().ok(),
        1 => recovery.repair(|value| *value = T::new_zeroed()).ok(),
        2 => recovery.mark_consistent().ok(),
        _ => None,
    }
}

fn mutex<T: Message>(at: &At<'_>, name: &str, input: &mut Input<'_>) {
    let Ok(mut mutex) = at.mutex::<T>(name) else { return };
    mutex.set_wait_policy(POLICY);
    for _ in 0..3 {
        let _ = mutex.state();
        let guard = match mutex.lock_timeout(SOON) {
            Ok(Lock::Held(guard)) => Some(guard),
            Ok(Lock::OwnerDied(recovery)) => repaired(recovery, input),
            Err(_) => None,
        };
        edit(guard, input);
        edit(mutex.reinitialise(&T::new_zeroed()), input);
    }
    let _ = mutex.wait_for_change(0, SOON).map(|_| ());
}

fn counting(at: &At<'_>, entry: &Entry, name: &str) {
    if let Ok(mut semaphore) = at.semaphore(name) {
        semaphore.set_wait_policy(POLICY);
        for count in [0, 1, 3, u32::MAX] {
            let _ = (semaphore.release(count), semaphore.acquire_timeout(SOON), semaphore.try_acquire());
            assert!(semaphore.count() <= entry.capacity);
        }
    }
    if let (Ok(mut one), Ok(mut other)) = (at.permits(name), at.permits(name)) {
        one.set_wait_policy(POLICY);
        if let (Ok(held), Ok(next)) = (one.acquire_timeout(SOON), other.try_acquire()) {
            assert!(held.index() != next.index() && next.index() < entry.capacity);
            let _ = (held.from(), held.release());
        }
    }
}
