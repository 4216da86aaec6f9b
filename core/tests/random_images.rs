//! FAULT 44: a region of random bytes of any size, or a sound region with any bits flipped, or one
//! whose directory was forged gives an error or sane data, never a panic, a hang, or a write outside
//! the region.
//!
//! 10,000 images from a fixed seed; STRAIT_SEED chooses another, STRAIT_IMAGE runs one image alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::common::images::image;
use crate::common::seed::{Rng, seed};
use crate::common::{Region, TestPort};
use strait_core::format::participants::{self, Card};
use strait_core::{
    Attachment, BroadcastStart, Channel, ConsumerOptions, Delivery, Guard, Interrupted, Lock, Message, Plan,
    Reading, Recovery, WaitPolicy,
    format::{Entry, inspect},
    port::Ident,
    wait_any,
};

const IMAGES: usize = 10_000;
/// Threads that share them.
const WORKERS: usize = 2;
const SMALL: &[Channel<'_>] = &[
    Channel::frames("frames", 128, 48).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 4).doorbell(1),
    Channel::compact::<u8>("compact", 4).doorbell(1),
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", 20).buffers(4),
    Channel::mutex::<u32>("mutex").consumer_may_block(),
    Channel::semaphore("semaphore", 1, 5),
    Channel::permits("permits", 3),
    Channel::calls::<u32, [u8; 16]>("calls", 4),
    Channel::broadcast::<u32>("broadcast", 4).consumer_may_block(),
];
const POLICY: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: Duration::from_micros(50) };

/// What became of the images, to see that they reach everything.
#[derive(Default, Debug)]
struct Tally {
    refused: usize,
    attached: usize,
    opened: usize,
    unopened: usize,
    sent: usize,
    received: usize,
    read: usize,
    faults: usize,
    locked: usize,
    repaired: usize,
    acquired: usize,
    called: usize,
    served: usize,
}

impl Tally {
    fn sum(all: &[Self]) -> Self {
        let sum = |count: fn(&Self) -> usize| all.iter().map(count).sum();
        Self {
            refused: sum(|tally| tally.refused),
            attached: sum(|tally| tally.attached),
            opened: sum(|tally| tally.opened),
            unopened: sum(|tally| tally.unopened),
            sent: sum(|tally| tally.sent),
            received: sum(|tally| tally.received),
            read: sum(|tally| tally.read),
            faults: sum(|tally| tally.faults),
            locked: sum(|tally| tally.locked),
            repaired: sum(|tally| tally.repaired),
            acquired: sum(|tally| tally.acquired),
            called: sum(|tally| tally.called),
            served: sum(|tally| tally.served),
        }
    }
}

/// Sound regions, empty and in use.
fn sound() -> Vec<Vec<u8>> {
    let mut images = Vec::new();
    for line in [4, 64] {
        let region = Region::new(&Plan::new(SMALL).line(line).participants(3));
        images.push(region.bytes());
        let (a, b) = (region.join(), region.join());
        let mut frames = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
        let mut slots = (a.typed_producer("slots").unwrap(), b.typed_consumer::<u32>("slots").unwrap());
        let mut compact = (a.typed_producer("compact").unwrap(), b.typed_consumer::<u8>("compact").unwrap());
        let mut latest = (a.latest_writer("latest").unwrap(), a.latest_writer::<[u8]>("bytes").unwrap());
        let mut broadcast = a.broadcast_writer("broadcast").unwrap();
        for i in 0..7_u8 {
            let _ = frames.0.try_send(u32::from(i), &vec![i; 5 * usize::from(i)]);
            let _ = slots.0.try_send(&u32::from(i));
            let _ = compact.0.try_send(&i);
            latest.0.publish(&u32::from(i));
            broadcast.publish(&u32::from(i));
            latest.1.publish_from(u32::from(i), &vec![i; usize::from(i)]).unwrap();
            if i % 3 > 0 {
                let _ = (frames.1.try_recv(&mut [0; 48]), slots.1.try_recv(), compact.1.try_recv());
            }
            images.push(region.bytes());
        }
        calls_in_use(&region, &a, &mut images);
        locks_in_use(&region, &a, &mut images);
    }
    images
}

/// Calls that wait, are taken, are withdrawn, and are done.
fn calls_in_use(region: &Region, at: &Attachment<TestPort>, images: &mut Vec<Vec<u8>>) {
    let mut client = at.call_client::<u32, [u8; 16]>("calls").unwrap();
    let mut server = at.call_server::<u32, [u8; 16]>("calls").unwrap();
    for n in 0..6_u8 {
        let ticket = client.try_call(&u32::from(n)).unwrap();
        images.push(region.bytes());
        if n % 3 == 2 {
            let _ = client.cancel(ticket);
        }
        if let Ok((_, reply)) = server.try_next() {
            images.push(region.bytes());
            reply.answer(&[n; 16]);
        }
        let _ = client.poll(ticket);
    }
}

/// The locks free, and held by a participant that will be dead.
fn locks_in_use(region: &Region, at: &Attachment<TestPort>, images: &mut Vec<Vec<u8>>) {
    let mut mutex = at.mutex::<u32>("mutex").unwrap();
    let (mut semaphore, mut permits) = (at.semaphore("semaphore").unwrap(), at.permits("permits").unwrap());
    let mut guard = mutex.try_lock().unwrap().or_roll_back().ok().unwrap();
    let _permit = permits.try_acquire().unwrap();
    guard.set(&7);
    images.push(region.bytes());
    guard.edit_in_place(|_| images.push(region.bytes()));
    drop(guard);
    semaphore.release(3).unwrap();
    images.push(region.bytes());
}

fn producer_of_frames(
    at: &Attachment<TestPort>,
    entry: &Entry,
    name: &str,
    rng: &mut Rng,
    tally: &mut Tally,
) {
    let Ok(mut tx) = at.producer(name) else { return tally.unopened += 1 };
    tally.opened += 1;
    tx.set_wait_policy(POLICY);
    for _ in 0..12 {
        let payload = vec![0x5A; rng.below(entry.max_len as usize + 4)];
        tally.sent += usize::from(tx.try_send(rng.word(), &payload).is_ok());
        if let Ok(mut grant) = tx.reserve(payload.len()) {
            grant.write(payload.len() / 2, &payload);
            grant.commit_len(rng.below(payload.len() + 2));
        }
        assert!(tx.len() <= entry.capacity);
    }
    let _ = tx.try_send_batch([(1, &b"a"[..]), (2, b""), (3, &[0; 300])]);
    let _ = tx.send_timeout(1, b"x", Duration::ZERO);
    let _ = (tx.high_water(), tx.refused(), tx.peer(), tx.taken_over_from(), tx.next_sequence());
    tally.faults += usize::from(tx.fault().is_some());
}

fn consumer_of_frames(
    at: &Attachment<TestPort>,
    entry: &Entry,
    name: &str,
    rng: &mut Rng,
    tally: &mut Tally,
) {
    let delivery = [Delivery::AtLeastOnce, Delivery::AtMostOnce][rng.below(2)];
    let options = ConsumerOptions::new().delivery(delivery).release_every(rng.below(5) as u32);
    let Ok(mut rx) = at.consumer_with(name, options) else { return tally.unopened += 1 };
    tally.opened += 1;
    rx.set_wait_policy(POLICY);
    let mut buffer = vec![0; entry.max_len as usize];
    for _ in 0..12 {
        if let Ok(got) = rx.try_recv(&mut buffer) {
            assert!(got.len <= entry.max_len as usize);
            tally.received += 1;
        }
        let _ = rx.try_recv_frame::<16>();
        if let Ok(peek) = rx.peek() {
            assert!(peek.copy_from(0, &mut buffer) == peek.info().len && peek.info().len <= buffer.len());
            peek.release();
        }
        assert!(rx.len() <= entry.capacity / 16);
    }
    let _ = rx.recv_batch(3, |peek| assert!(peek.info().len <= entry.max_len as usize));
    let _ = rx.recv_timeout(&mut buffer, Duration::ZERO);
    let _ = wait_any(at.port(), &mut [&mut rx], POLICY, Duration::ZERO);
    rx.flush();
    let _ = (rx.peer(), rx.is_empty());
    tally.faults += usize::from(rx.fault().is_some());
}

fn values<T: Message>(at: &Attachment<TestPort>, entry: &Entry, name: &str, tally: &mut Tally) {
    match at.typed_producer::<T>(name) {
        Ok(mut tx) => {
            tally.opened += 1;
            for _ in 0..12 {
                tally.sent += usize::from(tx.try_send(&T::new_zeroed()).is_ok());
                assert!(tx.len() <= entry.capacity);
            }
            let _ = (tx.try_send_batch([T::new_zeroed(); 3]), tx.high_water(), tx.refused(), tx.peer());
            tally.faults += usize::from(tx.fault().is_some());
        }
        Err(_) => tally.unopened += 1,
    }
    match at.typed_consumer::<T>(name) {
        Ok(mut rx) => {
            tally.opened += 1;
            for _ in 0..40 {
                tally.received += usize::from(rx.try_recv().is_ok());
                assert!(rx.len() <= entry.capacity);
            }
            let _ = rx.recv_batch(3, |_| ());
            let _ = wait_any(at.port(), &mut [&mut rx], POLICY, Duration::ZERO);
            tally.faults += usize::from(rx.fault().is_some());
        }
        Err(_) => tally.unopened += 1,
    }
    if let Ok(mut reader) = at.latest_reader::<T>(name) {
        tally.read += usize::from(reader.read().value().is_some());
        if let Ok(mut writer) = at.latest_writer::<T>(name) {
            (0..5).for_each(|_| writer.publish(&T::new_zeroed()));
            let _ = (reader.read(), writer.published());
        }
    }
}

fn latest_bytes(at: &Attachment<TestPort>, entry: &Entry, name: &str, rng: &mut Rng, tally: &mut Tally) {
    let Ok(mut reader) = at.latest_reader::<[u8]>(name) else { return tally.unopened += 1 };
    tally.opened += 1;
    let mut buffer = vec![0; rng.below(entry.max_len as usize + 2)];
    if let Reading::Fresh(info) | Reading::Stale(info) = reader.read_into(&mut buffer) {
        assert!(info.len <= entry.max_len as usize);
        tally.read += 1;
    }
    if let Ok(mut writer) = at.latest_writer::<[u8]>(name) {
        for _ in 0..5 {
            let _ = writer.publish_from(1, &vec![1; rng.below(entry.max_len as usize + 2)]);
            let _ = reader.read_into(&mut buffer);
        }
    }
    reader.set_wait_policy(POLICY);
    let _ = reader.wait_for_change_into(&mut buffer, Duration::ZERO);
}

fn edit<T: Message>(guard: Option<Guard<'_, T, TestPort>>, rng: &mut Rng, tally: &mut Tally) {
    let Some(mut guard) = guard else { return };
    tally.locked += 1;
    guard.update(|value| *value = T::new_zeroed());
    guard.edit_in_place(|edit| {
        let offset = rng.below(size_of::<T>() + 4);
        assert!(edit.write(offset, &[1; 40]) <= size_of::<T>());
        assert!(edit.read(offset, &mut [0; 40]) <= size_of::<T>());
    });
    let _ = (guard.get(), guard.version(), guard.takeovers(), guard.unlock());
}

fn repaired<'m, T: Message>(
    recovery: Recovery<'m, T, TestPort>,
    rng: &mut Rng,
) -> Option<Guard<'m, T, TestPort>> {
    let _ = (recovery.get(), recovery.from());
    match rng.below(4) {
        0 => recovery.roll_back().ok(),
        1 => recovery.repair(|value| *value = T::new_zeroed()).ok(),
        2 => recovery.mark_consistent().ok(),
        _ => None,
    }
}

fn mutexes<T: Message>(at: &Attachment<TestPort>, name: &str, rng: &mut Rng, tally: &mut Tally) {
    let Ok(mut mutex) = at.mutex::<T>(name) else { return tally.unopened += 1 };
    tally.opened += 1;
    mutex.set_wait_policy(POLICY);
    for _ in 0..4 {
        let _ = mutex.state();
        let guard = match mutex.lock_timeout(Duration::ZERO) {
            Ok(Lock::Held(guard)) => Some(guard),
            Ok(Lock::OwnerDied(recovery)) => {
                tally.repaired += 1;
                repaired(recovery, rng)
            }
            Err(_) => None,
        };
        edit(guard, rng, tally);
        edit(mutex.reinitialise(&T::new_zeroed()), rng, tally);
    }
    let _ = mutex.wait_for_change(0, Duration::ZERO);
}

fn broadcasts(at: &Attachment<TestPort>, name: &str, rng: &mut Rng, tally: &mut Tally) {
    let start = [BroadcastStart::Newest, BroadcastStart::Oldest][rng.below(2)];
    if let Ok(mut writer) = at.broadcast_writer::<u32>(name) {
        tally.opened += 1;
        (0..rng.below(12) as u32).for_each(|number| writer.publish(&number));
        let _ = (writer.published(), writer.taken_over_from());
    }
    let Ok(mut reader) = at.broadcast_reader::<[u8]>(name, start) else { return tally.unopened += 1 };
    tally.opened += 1;
    reader.set_wait_policy(POLICY);
    for _ in 0..12 {
        let mut buffer = vec![0; rng.below(24)];
        if let Ok(info) = reader.try_recv_into(&mut buffer) {
            assert!(info.len <= reader.max_len() as usize);
            tally.read += 1;
        }
        let _ = reader.recv_timeout_into(&mut buffer, Duration::ZERO);
    }
}

fn semaphores(at: &Attachment<TestPort>, entry: &Entry, name: &str, tally: &mut Tally) {
    if let Ok(mut semaphore) = at.semaphore(name) {
        tally.opened += 1;
        semaphore.set_wait_policy(POLICY);
        for count in [0, 1, 3] {
            let _ = semaphore.release(count);
            tally.acquired += usize::from(semaphore.acquire_timeout(Duration::ZERO).is_ok());
            assert!(semaphore.count() <= entry.capacity);
        }
    }
    if let (Ok(mut one), Ok(mut other)) = (at.permits(name), at.permits(name)) {
        tally.opened += 1;
        one.set_wait_policy(POLICY);
        let held = one.acquire_timeout(Duration::ZERO);
        tally.acquired += usize::from(held.is_ok());
        if let (Ok(held), Ok(next)) = (held, other.try_acquire()) {
            assert!(held.index() != next.index() && next.index() < entry.capacity);
            let _ = (held.from(), held.release());
        }
    }
}

fn calls<Req: Message>(at: &Attachment<TestPort>, name: &str, tally: &mut Tally) {
    let (client, server) = (at.call_client::<Req, [u8; 16]>(name), at.call_server::<Req, [u8; 16]>(name));
    tally.opened += usize::from(client.is_ok()) + usize::from(server.is_ok());
    if let Ok(mut client) = client {
        client.set_wait_policy(POLICY);
        for _ in 0..3 {
            let _ = client.post(&Req::new_zeroed());
            let Ok(ticket) = client.try_call(&Req::new_zeroed()) else { continue };
            tally.called += 1;
            let _ = (client.poll(ticket), client.wait_timeout(ticket, Duration::ZERO), client.cancel(ticket));
        }
        assert!(client.calls_out() <= client.places());
        let _ = (client.peer(), client.taken_over_from());
        tally.faults += usize::from(client.fault().is_some());
    }
    if let Ok(mut server) = server {
        server.set_wait_policy(POLICY);
        server.set_interrupted(Interrupted::Again);
        for _ in 0..3 {
            if let Ok((_, reply)) = server.next_timeout(Duration::ZERO) {
                tally.served += 1;
                let _ = (reply.is_post(), reply.is_again(), reply.caller());
                reply.answer(&[7; 16]);
            }
        }
        let _ = server.serve(|_| [8; 16]);
        let _ = wait_any(at.port(), &mut [&mut server], POLICY, Duration::ZERO);
        tally.faults += usize::from(server.fault().is_some());
    }
}

/// Does with an image all that can be done with a region.
fn exercise(region: &Region, rng: &mut Rng, tally: &mut Tally) {
    let Ok(look) = Attachment::attach(TestPort::looking_at(region, None)) else { return tally.refused += 1 };
    tally.attached += 1;
    let header = *look.header();
    assert!(participants::list(region.mem(), &header, look.port()).count() <= 511);
    let joined = participants::join(region.mem(), &header, 0, look.port(), Card::default());
    let me = joined.ok().or(Ident::new(1, 1));
    let at = Attachment::attach(TestPort::looking_at(region, me)).unwrap_or(look);
    for entry in at.channels().take(SMALL.len()) {
        let state = inspect::channel_state(region.mem(), header.line, &entry);
        assert!(state.len <= entry.capacity && state.high_water <= entry.capacity);
        let Some(name) = entry.name() else { panic!("a listed channel has a name") };
        for _ in 0..2 {
            producer_of_frames(&at, &entry, name, rng, tally);
            consumer_of_frames(&at, &entry, name, rng, tally);
            values::<u8>(&at, &entry, name, tally);
            values::<u32>(&at, &entry, name, tally);
            values::<[u8; 16]>(&at, &entry, name, tally);
            latest_bytes(&at, &entry, name, rng, tally);
            mutexes::<u32>(&at, name, rng, tally);
            mutexes::<[u8; 16]>(&at, name, rng, tally);
            semaphores(&at, &entry, name, tally);
            calls::<u32>(&at, name, tally);
            calls::<[u8; 16]>(&at, name, tally);
            broadcasts(&at, name, rng, tally);
        }
        assert!(inspect::calls(region.mem(), header.line, &entry).count() <= 32);
    }
    if let Ok(me) = joined {
        participants::leave(region.mem(), &header, me);
    }
}

#[test]
fn fault_44_any_image_gives_an_error_or_sane_data() {
    let (seed, sound) = (seed(), sound());
    let only = std::env::var("STRAIT_IMAGE").ok().map(|text| text.parse::<usize>().expect("a number"));
    let range = only.map_or(0..IMAGES, |number| number..number + 1);
    let started = Instant::now();
    let at = [const { AtomicUsize::new(usize::MAX) }; WORKERS];
    let work = |worker: usize| {
        let mut tally = Tally::default();
        for number in range.clone().filter(|number| number % WORKERS == worker) {
            at[worker].store(number, Relaxed);
            let mut rng = Rng::new(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
            let region = Region::from_bytes(&image(&mut rng, number, &sound));
            let run = AssertUnwindSafe(|| exercise(&region, &mut rng, &mut tally));
            let whole = catch_unwind(run).is_ok() && region.is_intact();
            assert!(whole, "look again with STRAIT_SEED={seed} STRAIT_IMAGE={number}");
        }
        tally
    };
    let tallies = std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || work(worker))).collect();
        let mut last = [(usize::MAX, Instant::now()); WORKERS];
        while !workers.iter().all(|worker| worker.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
            for ((at, last), worker) in at.iter().zip(&mut last).zip(&workers) {
                let number = at.load(Relaxed);
                if number != last.0 || worker.is_finished() {
                    *last = (number, Instant::now());
                }
                if last.1.elapsed() > Duration::from_secs(20) {
                    // The worker cannot be stopped, so the test must be.
                    eprintln!("a hang: STRAIT_SEED={seed} STRAIT_IMAGE={number}");
                    std::process::abort();
                }
            }
        }
        workers.into_iter().map(|worker| worker.join().expect("no image does harm")).collect::<Vec<_>>()
    });
    let tally = Tally::sum(&tallies);
    println!("{tally:?} in {:.1} s", started.elapsed().as_secs_f64());
    if only.is_none() {
        assert!(tally.refused > IMAGES / 10 && tally.attached > IMAGES / 2, "{tally:?}");
        assert!(tally.opened > IMAGES && tally.faults > IMAGES / 10, "{tally:?}");
        assert!(tally.locked > IMAGES / 10 && tally.repaired > 100, "{tally:?}");
        assert!(tally.called > IMAGES / 10 && tally.served > IMAGES / 10, "{tally:?}");
        assert!(tally.acquired > IMAGES / 10, "{tally:?}");
        assert!(tally.sent > IMAGES && tally.received > IMAGES && tally.read > IMAGES / 10, "{tally:?}");
    }
}
