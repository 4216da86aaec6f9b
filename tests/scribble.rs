//! A thread writes garbage over a channel, without a pause, while another uses one end of it. Whatever
//! happens to stand there, each call ends, with an error or with a value of a length that can be.
#![cfg(any(target_os = "linux", windows))]

mod common;
#[path = "scribble/fire.rs"]
mod fire;
#[path = "scribble/outcome.rs"]
mod outcome;

use common::rng::Rng;
use fire::{MAX_FRAME, RING, SLOTS, SOON, Target, Value, channel_under_fire, region, under_fire};
use outcome::{Buffer, Call, checked, is_rare};
use strait::broadcast::BroadcastStart;
use strait::fanout::{FanoutConsumer, FanoutProducer};
use strait::format::inspect;
use strait::port::Port as _;
use strait::{
    Attachment, BroadcastReader, Consumer, LatestReader, Producer, SystemPort, TryRecvError, TypedConsumer,
    TypedProducer,
};

fn receive_a_frame(rx: &mut Consumer<SystemPort>, rng: &mut Rng) -> Call {
    let mut buffer = Buffer::new();
    let room = rng.below(MAX_FRAME + 1);
    assert!(rx.len() <= RING / 16);
    match rng.below(8) {
        0 => {
            let result = rx.try_recv(buffer.first(room));
            if let Err(TryRecvError::TooSmall { needed }) = result {
                assert!(needed > room && needed <= MAX_FRAME && buffer.only_holds(0));
            }
            checked(result, |got| got.len <= room && buffer.only_holds(got.len))
        }
        1 => checked(rx.try_recv_frame::<MAX_FRAME>(), |got| got.payload().len() <= MAX_FRAME),
        2 => checked(rx.peek(), |peek| {
            let len = peek.info().len;
            let from = rng.below(MAX_FRAME);
            let copied = peek.copy_from(from, buffer.first(room));
            peek.release();
            len <= MAX_FRAME && copied == room.min(len.saturating_sub(from)) && buffer.only_holds(copied)
        }),
        3 => {
            let max = rng.below(RING as usize);
            let result = rx.recv_batch(max, |peek| assert!(peek.info().len <= MAX_FRAME));
            checked(result, |count| count <= max)
        }
        4 if is_rare(rng) => checked(rx.recv_timeout(buffer.first(room), SOON), |got| {
            got.len <= room && buffer.only_holds(got.len)
        }),
        _ => checked(rx.try_recv(buffer.first(MAX_FRAME)), |got| {
            got.len <= MAX_FRAME && buffer.only_holds(got.len)
        }),
    }
}

#[test]
fn a_consumer_of_frames() {
    channel_under_fire("frames", |region| region.consumer("frames"), receive_a_frame);
}

fn receive_values(rx: &mut TypedConsumer<Value, SystemPort>, rng: &mut Rng) -> Call {
    assert!(rx.len() <= SLOTS);
    match rng.below(4) {
        0 => {
            let max = rng.below(2 * SLOTS as usize + 1);
            checked(rx.recv_batch(max, |_| ()), |count| count <= max)
        }
        1 if is_rare(rng) => checked(rx.recv_timeout(SOON), |_| true),
        _ => checked(rx.try_recv(), |_| true),
    }
}

#[test]
fn a_consumer_of_values_published_in_the_slot() {
    channel_under_fire("slots", |region| region.typed_consumer("slots"), receive_values);
}

#[test]
fn a_consumer_of_values_published_by_index() {
    channel_under_fire("compact", |region| region.typed_consumer("compact"), receive_values);
}

fn send_a_frame(tx: &mut Producer<SystemPort>, rng: &mut Rng) -> Call {
    let content = [7; MAX_FRAME];
    let content = &content[..rng.below(MAX_FRAME + 1)];
    assert!(tx.len() <= RING && tx.high_water() <= RING);
    match rng.below(4) {
        0 => checked(tx.reserve(content.len()), |mut grant| {
            let written = grant.write(0, content);
            grant.commit();
            written == content.len()
        }),
        1 if is_rare(rng) => checked(tx.send_timeout(1, content, SOON), |()| true),
        2 => {
            let batch = [(1, content), (2, content)];
            checked(tx.try_send_batch(batch), |count| count <= batch.len())
        }
        _ => checked(tx.try_send(1, content), |()| true),
    }
}

#[test]
fn a_producer_of_frames() {
    channel_under_fire("frames", |region| region.producer("frames"), send_a_frame);
}

fn send_values(tx: &mut TypedProducer<Value, SystemPort>, rng: &mut Rng) -> Call {
    assert!(tx.len() <= SLOTS && tx.high_water() <= SLOTS);
    match rng.below(4) {
        0 => checked(tx.try_send_batch([[7; 5]; 3]), |count| count <= 3),
        1 if is_rare(rng) => checked(tx.send_timeout(&[7; 5], SOON), |()| true),
        _ => checked(tx.try_send(&[7; 5]), |()| true),
    }
}

#[test]
fn a_producer_of_values_published_in_the_slot() {
    channel_under_fire("slots", |region| region.typed_producer("slots"), send_values);
}

#[test]
fn a_producer_of_values_published_by_index() {
    channel_under_fire("compact", |region| region.typed_producer("compact"), send_values);
}

#[test]
fn a_reader_of_latest_values() {
    let read = |reader: &mut LatestReader<Value, SystemPort>, rng: &mut Rng| {
        let reading = if is_rare(rng) { reader.wait_for_change(SOON) } else { reader.read() };
        if reading.value().is_some() { Call::Done } else { Call::Nothing }
    };
    channel_under_fire("latest", |region| region.latest_reader("latest"), read);
}

#[test]
fn a_reader_of_latest_bytes() {
    let read = |reader: &mut LatestReader<[u8], SystemPort>, rng: &mut Rng| {
        let mut buffer = Buffer::new();
        let room = rng.below(MAX_FRAME + 1);
        let reading = if is_rare(rng) {
            reader.wait_for_change_into(buffer.first(room), SOON)
        } else {
            reader.read_into(buffer.first(room))
        };
        assert!(buffer.only_holds(room));
        let Some(info) = reading.value() else { return Call::Nothing };
        assert!(info.len <= MAX_FRAME);
        Call::Done
    };
    channel_under_fire("bytes", |region| region.latest_reader::<[u8]>("bytes"), read);
}

#[test]
fn a_writer_of_latest_values() {
    channel_under_fire(
        "bytes",
        |region| region.latest_writer::<[u8]>("bytes"),
        |writer, rng| {
            assert!(writer.publish_from(1, &[7; MAX_FRAME][..rng.below(MAX_FRAME + 1)]).is_ok());
            Call::Done
        },
    );
}

#[test]
fn fault_100_a_broadcast_is_scribbled_over() {
    let receive = |reader: &mut BroadcastReader<Value, SystemPort>, rng: &mut Rng| match rng.below(4) {
        0 if is_rare(rng) => checked(reader.recv_timeout(SOON), |_| true),
        1 => {
            let start = if rng.below(2) == 0 { BroadcastStart::Newest } else { BroadcastStart::Oldest };
            reader.set_start(start);
            checked(reader.try_recv_into(&mut [0; 5]), |info| info.len <= size_of::<Value>())
        }
        _ => checked(reader.try_recv(), |_| true),
    };
    let open = |region: &strait::Region| region.broadcast_reader("broadcast", BroadcastStart::Oldest);
    channel_under_fire("broadcast", open, receive);
}

#[test]
fn a_writer_of_a_broadcast() {
    channel_under_fire(
        "broadcast",
        |region| region.broadcast_writer::<Value>("broadcast"),
        |writer, _| {
            writer.publish(&[7; 5]);
            Call::Done
        },
    );
}

#[test]
fn a_consumer_of_several() {
    let receive = |rx: &mut FanoutConsumer<Value, SystemPort>, rng: &mut Rng| {
        assert!(rx.lag() <= SLOTS);
        match rng.below(4) {
            0 => {
                let max = rng.below(2 * SLOTS as usize + 1);
                checked(rx.recv_batch(max, |_| ()), |count| count <= max)
            }
            1 if is_rare(rng) => checked(rx.recv_timeout(SOON), |_| true),
            _ => checked(rx.try_recv(), |_| true),
        }
    };
    channel_under_fire("fan-out", |region| region.fanout_consumer("fan-out", 1), receive);
}

#[test]
fn a_producer_for_several() {
    let send = |tx: &mut FanoutProducer<Value, SystemPort>, rng: &mut Rng| {
        assert!(tx.len() <= SLOTS && tx.slowest().is_none_or(|slowest| slowest.lag <= SLOTS));
        match rng.below(4) {
            0 => checked(tx.try_send_batch([[7; 5]; 3]), |count| count <= 3),
            1 if is_rare(rng) => checked(tx.send_timeout(&[7; 5], SOON), |()| true),
            _ => checked(tx.try_send(&[7; 5]), |()| true),
        }
    };
    channel_under_fire("fan-out", |region| region.fanout_producer("fan-out"), send);
}

/// Header, directory and participants too: attaches, looks at all that it finds, and uses it once.
#[test]
fn whoever_attaches() {
    let region = region();
    let port = region.port();
    // A header that is hit at every try would tell nothing of what comes after.
    let target = Target::new(port.mem(), 0, port.mem().len(), 20_000);
    under_fire(&target, |_| {
        let Ok(found) = Attachment::attach(port.clone()) else { return 0 };
        for entry in found.channels() {
            let state = inspect::channel_state(port.mem(), found.header().line, &entry);
            assert!(state.len <= entry.capacity);
        }
        let mut buffer = Buffer::new();
        if let Ok(mut rx) = found.consumer("frames") {
            let _ = rx.try_recv(buffer.first(MAX_FRAME));
        }
        if let Ok(mut tx) = found.producer("frames") {
            let _ = tx.try_send(1, &[7; 100]);
        }
        for name in ["slots", "compact"] {
            if let Ok(mut rx) = found.typed_consumer::<Value>(name) {
                let _ = rx.try_recv();
            }
            if let Ok(mut tx) = found.typed_producer::<Value>(name) {
                let _ = tx.try_send(&[7; 5]);
            }
        }
        if let Ok(mut writer) = found.latest_writer::<Value>("latest") {
            writer.publish(&[7; 5]);
        }
        if let Ok(mut reader) = found.latest_reader::<[u8]>("bytes") {
            reader.read_into(buffer.first(MAX_FRAME));
        }
        assert!(buffer.only_holds(MAX_FRAME));
        1
    });
    // For the ports, which give their places back.
    target.restore();
}

/// The crate as it would be with `memcpy`: the race detector must report it, or its silence
/// above would mean nothing.
#[test]
#[ignore = "races on purpose: the lane `tsan` runs it and expects a report"]
fn control_a_plain_copy() {
    let region = region();
    let target = Target::channel(&region, "bytes");
    let from = region.channel("bytes").unwrap().data;
    let bytes = region.port().mem().span(from, MAX_FRAME as u32).unwrap().as_ptr(0, MAX_FRAME);
    let mut buffer = [0; MAX_FRAME];
    // The detector remembers few accesses, so on a busy machine one round may go unseen.
    for _ in 0..20 {
        under_fire(&target, |_| {
            // SAFETY: the bytes are valid; that another thread writes to them is the race.
            unsafe { bytes.as_ptr().copy_to_nonoverlapping(buffer.as_mut_ptr(), MAX_FRAME) };
            // Or the compiler may leave out a copy that is never looked at.
            std::hint::black_box(&mut buffer);
            1
        });
    }
}

/// A copy that is a byte longer than the buffer: the address sanitizer must say so.
#[test]
#[ignore = "overruns on purpose: the lane `asan` runs it and expects a report"]
fn control_a_copy_past_the_end() {
    let mut buffer = vec![0_u8; MAX_FRAME];
    let content = [7; MAX_FRAME + 1];
    let len = std::hint::black_box(content.len());
    // SAFETY: none for the last byte; this is the overrun.
    unsafe { content.as_ptr().copy_to_nonoverlapping(buffer.as_mut_ptr(), len) };
    std::hint::black_box(buffer);
}
