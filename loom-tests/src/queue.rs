//! The queues by one interface, so that a model is written once.

use std::time::Duration;

use strait_core::model::Port;
use strait_core::{
    Attachment, Channel, ChannelError, Consumer, ConsumerOptions, PeerStatus, Plan, Producer, RecvError,
    SendError, TryRecvError, TrySendError, TypedConsumer, TypedProducer, WakeCheck,
};

/// Messages are numbers, carried redundantly, so that a torn one is noticed.
pub trait Queue: 'static {
    /// A region with one channel of this kind, `q`, on which both sides may block or neither.
    const PLAN: Plan<'static>;
    /// As [`PLAN`](Self::PLAN), where both sides may block.
    const BLOCKING: Plan<'static>;
    /// How many messages always fit.
    const FITS: u32;
    type Tx: Send;
    type Rx: Send;

    fn tx(at: &Attachment<Port>) -> Result<Self::Tx, ChannelError>;
    fn rx(at: &Attachment<Port>, options: ConsumerOptions) -> Result<Self::Rx, ChannelError>;
    fn took_over(tx: &Self::Tx) -> bool;
    /// Leaves the fence of the wake check out.
    fn unfenced(tx: &mut Self::Tx);
    /// The producer's status as the consumer sees it.
    fn peer(rx: &Self::Rx) -> PeerStatus;
    fn send(tx: &mut Self::Tx, number: u32) -> Result<(), TrySendError>;
    fn send_batch(tx: &mut Self::Tx, numbers: &[u32]) -> Result<usize, TrySendError>;
    fn send_timeout(tx: &mut Self::Tx, number: u32, timeout: Duration) -> Result<(), SendError>;
    fn recv(rx: &mut Self::Rx) -> Result<Got, TryRecvError>;
    /// Receives a batch, and tells of each message while it is in use.
    fn recv_each(rx: &mut Self::Rx, max: usize, each: impl FnMut(Got)) -> Result<usize, TryRecvError>;
    fn recv_timeout(rx: &mut Self::Rx, timeout: Duration) -> Result<Got, RecvError>;
    fn recv_async(rx: &mut Self::Rx) -> impl Future<Output = Result<Got, RecvError>>;
    fn send_async(tx: &mut Self::Tx, number: u32) -> impl Future<Output = Result<(), SendError>>;
    fn release(rx: &mut Self::Rx);
    /// How many are waiting at least, as the consumer sees it.
    fn waiting(rx: &Self::Rx) -> u32;
}

/// The calls that the endpoints of each kind have under the same names.
macro_rules! common_calls {
    () => {
        fn took_over(tx: &Self::Tx) -> bool {
            tx.taken_over_from().is_some()
        }

        fn unfenced(tx: &mut Self::Tx) {
            tx.set_wake_check(WakeCheck::Unfenced);
        }

        fn peer(rx: &Self::Rx) -> PeerStatus {
            rx.peer()
        }

        fn release(rx: &mut Self::Rx) {
            rx.release();
        }

        fn waiting(rx: &Self::Rx) -> u32 {
            rx.len()
        }
    };
}

/// A message that was received whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Got {
    pub number: u32,
    pub sequence: u32,
}

/// Frames in a ring of this many bytes, at least 64: odd numbers carry 8 bytes, even
/// ones none, so that places and pads vary.
pub struct Frames<const RING: u32>;

fn payload(number: u32) -> ([u8; 8], usize) {
    ([number as u8; 8], if number % 2 == 1 { 8 } else { 0 })
}

pub fn got(number: u32, sequence: u32, bytes: &[u8]) -> Got {
    let (payload, len) = payload(number);
    assert_eq!(bytes, &payload[..len], "frame {number} is not whole");
    Got { number, sequence }
}

impl<const RING: u32> Queue for Frames<RING> {
    const PLAN: Plan<'static> = Plan::new(&[Channel::frames("q", RING, 16)]).line(4).participants(4);
    const BLOCKING: Plan<'static> =
        Plan::new(&[Channel::frames("q", RING, 16).producer_may_block().consumer_may_block()])
            .line(4)
            .participants(4);
    const FITS: u32 = RING / 64;
    type Tx = Producer<Port>;
    type Rx = Consumer<Port>;

    common_calls!();

    fn tx(at: &Attachment<Port>) -> Result<Self::Tx, ChannelError> {
        at.producer("q")
    }

    fn rx(at: &Attachment<Port>, options: ConsumerOptions) -> Result<Self::Rx, ChannelError> {
        at.consumer_with("q", options)
    }

    fn send(tx: &mut Self::Tx, number: u32) -> Result<(), TrySendError> {
        let (payload, len) = payload(number);
        tx.try_send(number, &payload[..len])
    }

    fn send_batch(tx: &mut Self::Tx, numbers: &[u32]) -> Result<usize, TrySendError> {
        let payloads: Vec<_> = numbers.iter().map(|&number| (number, payload(number))).collect();
        tx.try_send_batch(payloads.iter().map(|(number, (payload, len))| (*number, &payload[..*len])))
    }

    fn send_timeout(tx: &mut Self::Tx, number: u32, timeout: Duration) -> Result<(), SendError> {
        let (payload, len) = payload(number);
        tx.send_timeout(number, &payload[..len], timeout)
    }

    fn recv(rx: &mut Self::Rx) -> Result<Got, TryRecvError> {
        let mut buffer = [0; 16];
        let received = rx.try_recv(&mut buffer)?;
        Ok(got(received.tag, received.sequence, &buffer[..received.len]))
    }

    fn recv_each(rx: &mut Self::Rx, max: usize, mut each: impl FnMut(Got)) -> Result<usize, TryRecvError> {
        rx.recv_batch(max, |peek| {
            let (mut buffer, info) = ([0; 16], peek.info());
            let len = peek.copy_from(0, &mut buffer);
            each(got(info.tag, info.sequence, &buffer[..len]));
        })
    }

    fn recv_timeout(rx: &mut Self::Rx, timeout: Duration) -> Result<Got, RecvError> {
        let mut buffer = [0; 16];
        let received = rx.recv_timeout(&mut buffer, timeout)?;
        Ok(got(received.tag, received.sequence, &buffer[..received.len]))
    }

    async fn recv_async(rx: &mut Self::Rx) -> Result<Got, RecvError> {
        let mut buffer = [0; 16];
        let received = rx.recv(&mut buffer).await?;
        Ok(got(received.tag, received.sequence, &buffer[..received.len]))
    }

    async fn send_async(tx: &mut Self::Tx, number: u32) -> Result<(), SendError> {
        let (payload, len) = payload(number);
        tx.send(number, &payload[..len]).await
    }
}

fn pair(number: u32) -> [u32; 2] {
    [number, !number]
}

fn whole(value: [u32; 2], sequence: u32) -> Got {
    assert_eq!(value, pair(value[0]), "the value is not whole");
    Got { number: value[0], sequence }
}

macro_rules! typed_queue {
    ($(#[$doc:meta])* $name:ident, $channel:ident) => {
        $(#[$doc])*
        pub struct $name<const N: u32>;

        impl<const N: u32> Queue for $name<N> {
            const PLAN: Plan<'static> =
                Plan::new(&[Channel::$channel::<[u32; 2]>("q", N)]).line(4).participants(4);
            const BLOCKING: Plan<'static> =
                Plan::new(&[Channel::$channel::<[u32; 2]>("q", N).producer_may_block().consumer_may_block()])
                    .line(4)
                    .participants(4);
            // A quarter less one may be read and not yet released in the region.
            const FITS: u32 = N - (N / 4).saturating_sub(1);
            type Tx = TypedProducer<[u32; 2], Port>;
            type Rx = TypedConsumer<[u32; 2], Port>;

            common_calls!();

            fn tx(at: &Attachment<Port>) -> Result<Self::Tx, ChannelError> {
                at.typed_producer("q")
            }

            fn rx(at: &Attachment<Port>, options: ConsumerOptions) -> Result<Self::Rx, ChannelError> {
                at.typed_consumer_with("q", options)
            }

            fn send(tx: &mut Self::Tx, number: u32) -> Result<(), TrySendError> {
                tx.try_send(&pair(number))
            }

            fn send_batch(tx: &mut Self::Tx, numbers: &[u32]) -> Result<usize, TrySendError> {
                tx.try_send_batch(numbers.iter().map(|&number| pair(number)))
            }

            fn send_timeout(tx: &mut Self::Tx, number: u32, timeout: Duration) -> Result<(), SendError> {
                tx.send_timeout(&pair(number), timeout)
            }

            fn recv(rx: &mut Self::Rx) -> Result<Got, TryRecvError> {
                let value = rx.try_recv()?;
                Ok(whole(value, rx.sequence()))
            }

            fn recv_each(
                rx: &mut Self::Rx,
                max: usize,
                mut each: impl FnMut(Got),
            ) -> Result<usize, TryRecvError> {
                let mut sequence = rx.sequence();
                rx.recv_batch(max, |value| {
                    sequence = sequence.wrapping_add(1);
                    each(whole(value, sequence));
                })
            }

            fn recv_timeout(rx: &mut Self::Rx, timeout: Duration) -> Result<Got, RecvError> {
                let value = rx.recv_timeout(timeout)?;
                Ok(whole(value, rx.sequence()))
            }

            async fn recv_async(rx: &mut Self::Rx) -> Result<Got, RecvError> {
                let value = rx.recv().await?;
                Ok(whole(value, rx.sequence()))
            }

            async fn send_async(tx: &mut Self::Tx, number: u32) -> Result<(), SendError> {
                tx.send(&pair(number)).await
            }
        }
    };
}

typed_queue! {
    /// `N` slots, published in the slot.
    Slots, slots
}
typed_queue! {
    /// `N` slots, published by index.
    Compact, compact
}
