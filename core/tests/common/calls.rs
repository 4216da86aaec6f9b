//! Calls of a queue's ends, each held against the model: what the core's tests and its fuzz targets have in common.

use std::fmt::Debug;

use strait_core::port::Port;
use strait_core::{Consumer, Message, Producer, Received, TryRecvError, TrySendError, TypedConsumer};

use super::model::Model;

/// The payload of a frame, which follows from its length and its number.
pub fn payload(len: u32, tag: u32) -> Vec<u8> {
    (0..len).map(|i| (i ^ tag.wrapping_mul(31)) as u8).collect()
}

/// Bytes that a frame takes in its ring.
pub fn footprint(len: usize) -> u32 {
    16 + (len as u32).div_ceil(16) * 16
}

/// Reserves a frame, writes it in two parts, and commits all, a part, or nothing: then `None`.
pub fn grant<P: Port>(
    tx: &mut Producer<P>,
    tag: u32,
    bytes: &[u8],
    commit: Option<u32>,
) -> Option<Result<(), TrySendError>> {
    let half = bytes.len() / 2;
    let mut grant = match tx.reserve(bytes.len()) {
        Ok(grant) => grant,
        Err(error) => return Some(Err(error)),
    };
    assert_eq!((grant.len(), grant.is_empty()), (bytes.len(), bytes.is_empty()));
    grant.set_tag(tag);
    assert_eq!(grant.write(half, &bytes[half..]), bytes.len() - half);
    assert_eq!(grant.write(0, &bytes[..half]), half);
    assert_eq!(grant.write(bytes.len(), b"outside"), 0);
    assert_eq!(grant.write(usize::MAX, b"outside"), 0);
    assert_eq!(grant.as_mut_slice(), None, "peers are not trusted here");
    match commit? as usize {
        part if part < bytes.len() => grant.commit_len(part),
        _ => grant.commit(),
    }
    Some(Ok(()))
}

/// A frame has come, which counts as released `now` or later.
fn came(model: &mut Model, got: Received, bytes: &[u8], now: bool) {
    let want = model.take(now);
    assert_eq!((got.tag, got.sequence, got.len), (want.tag, want.sequence, want.payload.len()));
    assert_eq!(bytes, want.payload);
}

/// No frame has come into a buffer of `room` bytes.
fn refused(model: &mut Model, error: TryRecvError, room: usize) {
    match error {
        TryRecvError::Empty => {
            assert!(model.waiting.is_empty(), "empty with messages waiting");
            model.flush();
        }
        TryRecvError::TooSmall { needed } => {
            model.release();
            assert_eq!(needed, model.waiting.front().expect("a message").payload.len());
            assert!(needed > room);
        }
        error => panic!("{error:?} among honest peers"),
    }
}

/// Receives a frame; a consumer that delivers at most once releases it `now`.
pub fn recv<P: Port>(rx: &mut Consumer<P>, model: &mut Model, buffer: &mut [u8], now: bool) {
    match rx.try_recv(buffer) {
        Ok(got) => came(model, got, &buffer[..got.len], now),
        Err(error) => refused(model, error, buffer.len()),
    }
}

/// Receives a frame of up to 40 bytes as a value.
pub fn recv_owned<P: Port>(rx: &mut Consumer<P>, model: &mut Model, now: bool) {
    match rx.try_recv_frame::<40>() {
        Ok(frame) => {
            let got = Received { tag: frame.tag(), sequence: frame.sequence(), len: frame.payload().len() };
            came(model, got, frame.payload(), now);
        }
        Err(error) => refused(model, error, 40),
    }
}

/// Looks at the next frame, and releases it or not.
pub fn peek<P: Port>(rx: &mut Consumer<P>, model: &mut Model, release: bool) {
    let Ok(peek) = rx.peek() else {
        assert!(model.waiting.is_empty());
        return model.flush();
    };
    let got = peek.info();
    let mut bytes = vec![0; got.len];
    assert_eq!(peek.copy_from(0, &mut bytes), got.len);
    let mut rest = vec![0; got.len];
    assert_eq!(peek.copy_from(got.len / 3, &mut rest), got.len - got.len / 3);
    assert_eq!(rest[..got.len - got.len / 3], bytes[got.len / 3..]);
    assert_eq!((peek.copy_from(got.len, &mut rest), peek.copy_from(usize::MAX, &mut rest)), (0, 0));
    assert_eq!(peek.as_slice(), None, "peers are not trusted here");
    if release {
        peek.release();
    }
    model.release();
    if release {
        came(model, got, &bytes, true);
    } else {
        let want = model.waiting.front().expect("a message");
        assert_eq!((got.tag, got.sequence, &bytes), (want.tag, want.sequence, &want.payload));
    }
}

/// Receives up to `max` frames at once.
pub fn recv_batch<P: Port>(rx: &mut Consumer<P>, model: &mut Model, max: usize) {
    let mut got = Vec::new();
    let result = rx.recv_batch(max, |peek| {
        let mut bytes = vec![0; peek.info().len];
        peek.copy_from(0, &mut bytes);
        got.push((peek.info(), bytes));
    });
    let available = model.waiting.len();
    for (info, bytes) in &got {
        model.release();
        came(model, *info, bytes, true);
    }
    count(model, result, got.len(), max, available);
}

/// A batch of up to `max` of so many ends with this result.
fn count(model: &mut Model, result: Result<usize, TryRecvError>, got: usize, max: usize, available: usize) {
    match result {
        Ok(count) => assert_eq!((count, got), (max.min(available), count)),
        Err(error) => assert_eq!((error, available, got), (TryRecvError::Empty, 0, 0)),
    }
    if got < max {
        model.flush();
    }
}

/// A value that follows from its number.
pub fn numbered<T: Message>(number: u32) -> T {
    let words = [number, !number, number.wrapping_mul(7)].into_iter().cycle();
    let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).take(size_of::<T>()).collect();
    T::read_from_bytes(&bytes).expect("as many bytes as it has")
}

/// Receives a value; a consumer that delivers at most once releases it `now`.
pub fn recv_value<T: Message + PartialEq + Debug, P: Port>(
    rx: &mut TypedConsumer<T, P>,
    model: &mut Model,
    now: bool,
) {
    match rx.try_recv() {
        Ok(value) => {
            let want = model.take(now);
            assert_eq!(value, numbered::<T>(want.tag));
            assert_eq!(rx.sequence(), want.sequence);
        }
        Err(error) => {
            assert_eq!((error, model.waiting.len()), (TryRecvError::Empty, 0));
            model.flush();
        }
    }
}

/// Receives up to `max` values at once.
pub fn recv_values<T: Message + PartialEq + Debug, P: Port>(
    rx: &mut TypedConsumer<T, P>,
    model: &mut Model,
    max: usize,
) {
    let mut got = Vec::new();
    let result = rx.recv_batch(max, |value| got.push(value));
    let available = model.waiting.len();
    for value in &got {
        assert_eq!(*value, numbered::<T>(model.take_in_batch().tag));
    }
    count(model, result, got.len(), max, available);
    if !got.is_empty() || max == 0 {
        model.release();
    }
}
