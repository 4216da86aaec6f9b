//! The paths of queues of frames.

use strait::{Consumer, Producer, Received, Region, SystemPort, TryRecvError, TrySendError};

use super::paths::Outcome::{self, Done, Nothing, Wrong};
use super::paths::{LONGEST, RING, exhaust, repeat, show};

/// A frame on its way: a sender's slice is as long as it, a receiver's as the longest.
struct Mail<'a> {
    bytes: &'a mut [u8],
    received: Option<Received>,
}

impl<'a> Mail<'a> {
    fn of(bytes: &'a mut [u8]) -> Self {
        Self { bytes, received: None }
    }
}

fn sent(result: Result<(), TrySendError>) -> Outcome {
    match result {
        Ok(()) => Done,
        Err(TrySendError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

fn received(result: Result<Received, TryRecvError>, into: &mut Option<Received>) -> Outcome {
    match result {
        Ok(received) => {
            *into = Some(received);
            Done
        }
        Err(TryRecvError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn send_frame(tx: &mut Producer<SystemPort>, mail: &mut Mail<'_>) -> Outcome {
    sent(tx.try_send(7, mail.bytes))
}

#[inline(never)]
extern "C" fn receive_frame(rx: &mut Consumer<SystemPort>, mail: &mut Mail<'_>) -> Outcome {
    received(rx.try_recv(mail.bytes), &mut mail.received)
}

#[inline(never)]
extern "C" fn reserve_and_commit(tx: &mut Producer<SystemPort>, mail: &mut Mail<'_>) -> Outcome {
    match tx.reserve(mail.bytes.len()) {
        Ok(mut grant) => {
            grant.write(0, mail.bytes);
            grant.commit();
            Done
        }
        Err(TrySendError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn peek_and_release(rx: &mut Consumer<SystemPort>, mail: &mut Mail<'_>) -> Outcome {
    match rx.peek() {
        Ok(peek) => {
            mail.received = Some(peek.info());
            peek.copy_from(0, mail.bytes);
            peek.release();
            Done
        }
        Err(TryRecvError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

/// Both ends of a queue of frames, and the place in the ring of the next frame.
struct Ring {
    tx: Producer<SystemPort>,
    rx: Consumer<SystemPort>,
    place: u32,
}

impl Ring {
    /// The bytes of the ring that a frame of `len` bytes takes.
    fn footprint(len: usize) -> u32 {
        (16 + len as u32).next_multiple_of(16)
    }

    /// Sends without showing.
    #[track_caller]
    fn send(&mut self, times: u32, mail: &mut Mail<'_>) {
        for _ in 0..times {
            repeat(1, send_frame, &mut self.tx, mail);
            self.note(mail.bytes.len());
        }
    }

    /// Notes that a frame of `len` bytes was sent.
    fn note(&mut self, len: usize) {
        let footprint = Self::footprint(len);
        self.place = if self.place + footprint > RING { footprint } else { (self.place + footprint) % RING };
    }

    /// Passes empty frames until the next one is placed at `place`, and publishes the head.
    #[track_caller]
    fn go_to(&mut self, place: u32, back: &mut Mail<'_>) {
        while self.place != place {
            self.send(1, &mut Mail::of(&mut []));
            repeat(1, receive_frame, &mut self.rx, back);
        }
        self.rx.flush();
    }
}

/// The paths of a queue of frames, with payloads of `N` bytes.
pub fn frames<const N: usize>(region: &Region, channel: &str) {
    let named = |path: &str| format!("{channel}/{path}");
    let tx = region.producer(channel).expect("nobody has it");
    let rx = region.consumer(channel).expect("nobody has it");
    let mut ring = Ring { tx, rx, place: 0 };
    let (mut payload, mut buffer) = ([0; N], [0; LONGEST as usize]);
    let (out, back) = (&mut Mail::of(&mut payload), &mut Mail::of(&mut buffer));

    // One granule always stays free.
    ring.send((RING - 16) / Ring::footprint(N), out);
    exhaust(send_frame, &mut ring.tx, out);
    show(&named("send-full"), send_frame, &mut ring.tx, out, Nothing);
    exhaust(receive_frame, &mut ring.rx, back);
    show(&named("receive-empty"), receive_frame, &mut ring.rx, back, Nothing);

    // Far from the ring's end.
    ring.go_to(32, back);
    show(&named("send"), send_frame, &mut ring.tx, out, Done);
    ring.note(N);
    show(&named("reserve-commit"), reserve_and_commit, &mut ring.tx, out, Done);
    ring.note(N);
    ring.send(1, out);
    repeat(1, receive_frame, &mut ring.rx, back);
    let used = ring.tx.len();
    show(&named("receive"), receive_frame, &mut ring.rx, back, Done);
    assert_eq!(ring.tx.len(), used, "{channel}: the head was not to be stored");
    ring.rx.flush();
    let used = ring.tx.len();
    show(&named("peek-release"), peek_and_release, &mut ring.rx, back, Done);
    assert_eq!(ring.tx.len(), used, "{channel}: the head was not to be stored");
    exhaust(receive_frame, &mut ring.rx, back);

    // After 64 frames, or a quarter of the ring, the head is stored.
    let every = (RING / 4).div_ceil(Ring::footprint(N)).min(64);
    ring.send(every + 1, out);
    repeat(every, receive_frame, &mut ring.rx, back);
    let used = ring.tx.len();
    show(&named("receive-stores-head"), receive_frame, &mut ring.rx, back, Done);
    assert_ne!(ring.tx.len(), used, "{channel}: the head was to be stored");

    // Behind the frame before this one no other has room.
    ring.go_to(RING - 32, back);
    ring.go_to(RING - 16, back);
    let used = ring.tx.len();
    show(&named("send-pads"), send_frame, &mut ring.tx, out, Done);
    ring.note(N);
    assert_eq!(ring.tx.len(), used + 16 + Ring::footprint(N), "{channel}: a pad was to be sent");
    show(&named("receive-behind-pad"), receive_frame, &mut ring.rx, back, Done);
    assert_eq!(back.received.map(|received| received.len), Some(N));
}
