//! Sources and sinks of each kind of channel. They end when they are killed.

use std::time::Duration;

#[cfg(feature = "embedded-io-07")]
use embedded_io::{Read, ReadExactError, Write};
use strait::broadcast::{BroadcastRecvError, BroadcastStart};
use strait::call::{CallError, LanesServer, ServeError, ServeLanesError};
#[cfg(feature = "embedded-io-07")]
use strait::io::{RingPipeError, RingReader, RingWriter};
use strait::options::{ConsumerOptions, LanesOptions};
use strait::value::FromLane;
use strait::{
    CallClient, Channel, ChannelError, Plan, Reading, RecvError, Region, SystemPort, TypedLanesConsumer,
};

use crate::book::{BOUND, Book, Books};
use crate::common::PATIENCE;

strait::message! {
    /// A value that shows whether it is whole.
    struct Whole { number: u64, inverse: u64, filler: [u64; 6] }
}

impl Whole {
    fn new(number: u64) -> Self {
        Self { number, inverse: !number, filler: [number; 6] }
    }

    fn is_whole(&self) -> bool {
        *self == Self::new(self.number)
    }
}

/// The kinds, as the channels are called.
pub const KINDS: &[&str] = &[
    "frames",
    #[cfg(feature = "embedded-io-07")]
    "bytes",
    "slots",
    "compact",
    "lanes",
    "fanout",
    "broadcast",
    "latest",
    "calls",
    "clients",
];
/// The sources of the kind with several.
pub const LANES: usize = 3;

pub const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", 8192, 512).consumer_may_block().producer_may_block(),
    Channel::frames("bytes", 8192, 512).consumer_may_block().producer_may_block(),
    Channel::slots::<Whole>("slots", 64).consumer_may_block().producer_may_block(),
    Channel::compact::<Whole>("compact", 64).consumer_may_block().producer_may_block(),
    Channel::slots::<Whole>("lanes", 64).producers(LANES as u32).consumer_may_block().producer_may_block(),
    Channel::slots::<Whole>("fanout", 64).consumers(2).consumer_may_block().producer_may_block(),
    Channel::broadcast::<Whole>("broadcast", 64).consumer_may_block(),
    Channel::latest::<Whole>("latest").consumer_may_block(),
    Channel::calls::<u64, u64>("calls", 4).consumer_may_block().producer_may_block(),
    Channel::calls::<u64, u64>("clients", 4).clients(2).consumer_may_block().producer_may_block(),
    Channel::latest::<Book>("book"),
]);

/// How many sources a kind has.
pub fn sources(kind: &str) -> usize {
    if kind == "lanes" { LANES } else { 1 }
}

/// How many messages may be lost, and come again, for each time that the sink is killed.
///
/// A byte pipe repeats nothing that was read: what its reader had not yet used when it was killed is lost.
pub fn allowed(kind: &str) -> (u64, u64) {
    match kind {
        "bytes" => (1, 0),
        "fanout" => (0, 2 * BOUND),
        _ => (0, BOUND * sources(kind) as u64),
    }
}

/// Claims a role; that of a killed owner as soon as the kernel proves its death.
pub fn claim<T>(mut claim: impl FnMut() -> Result<T, ChannelError>) -> T {
    for _ in 0..PATIENCE.as_millis() {
        match claim() {
            Ok(role) => return role,
            Err(ChannelError::Busy) => std::thread::sleep(Duration::from_millis(1)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the role stays taken");
}

/// Frame `number`: its length depends on it.
fn frame(number: u64) -> Vec<u8> {
    let mut frame = vec![number as u8; 8 + (number * 37 % 300) as usize];
    frame[..8].copy_from_slice(&number.to_le_bytes());
    frame
}

/// Sends for ever.
pub fn source(region: &Region, kind: &str) -> ! {
    match kind {
        "frames" => {
            let mut tx = claim(|| region.producer(kind));
            loop {
                let number = tx.next_sequence();
                tx.send_timeout(number, &frame(number.into()), PATIENCE).expect("sent");
            }
        }
        "slots" | "compact" => {
            let mut tx = claim(|| region.typed_producer::<Whole>(kind));
            loop {
                let number = tx.next_sequence().into();
                tx.send_timeout(&Whole::new(number), PATIENCE).expect("sent");
            }
        }
        "lanes" => {
            let (_, mut tx) = claim(|| region.typed_free_lane_producer::<Whole>(kind));
            loop {
                let number = tx.next_sequence().into();
                tx.send_timeout(&Whole::new(number), PATIENCE).expect("sent");
            }
        }
        "broadcast" => {
            let mut tx = claim(|| region.broadcast_writer::<Whole>(kind));
            loop {
                tx.publish(&Whole::new(tx.published()));
            }
        }
        "latest" => {
            let mut tx = claim(|| region.latest_writer::<Whole>(kind));
            loop {
                tx.publish(&Whole::new(tx.published()));
            }
        }
        #[cfg(feature = "embedded-io-07")]
        "bytes" => {
            let producer = claim(|| region.producer(kind));
            let mut number = u64::from(producer.next_sequence());
            let mut tx = RingWriter::new(producer, PATIENCE);
            loop {
                // A write is a frame, and is whole or nothing.
                match tx.write_all(&number.to_le_bytes()) {
                    Ok(()) => number += 1,
                    // The pipe is full, and the reader's successor comes.
                    Err(RingPipeError::PeerDied) => std::thread::sleep(Duration::from_millis(1)),
                    Err(error) => panic!("{error}"),
                }
            }
        }
        "fanout" => {
            let mut tx = claim(|| region.fanout_producer::<Whole>(kind));
            loop {
                let number = tx.next_sequence().into();
                tx.send_timeout(&Whole::new(number), PATIENCE).expect("sent");
            }
        }
        // They answer.
        "clients" => {
            let mut server: LanesServer<u64, u64, SystemPort, 2> = claim(|| region.lanes_call_server(kind));
            loop {
                match server.serve_timeout(PATIENCE, |_, request| !request) {
                    Ok(_) | Err(ServeLanesError::TimedOut) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
        _ => {
            let mut server = claim(|| region.call_server::<u64, u64>(kind));
            loop {
                match server.serve_timeout(PATIENCE, |request| !request) {
                    Ok(_) | Err(ServeError::TimedOut) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}

/// Receives for ever, and keeps the books.
pub fn sink(region: &Region, kind: &str) -> ! {
    let mut books = Books::open(region);
    // Of each lane, whether what was missed before is in the books.
    let mut skipped = [false; 2];
    let bounded = ConsumerOptions::new().release_every(BOUND as u32);
    match kind {
        "frames" => {
            let mut rx = claim(|| region.consumer_with(kind, bounded));
            let mut buffer = [0; 512];
            loop {
                let got = rx.recv_timeout(&mut buffer, PATIENCE).expect("a message");
                let number = got.sequence.into();
                books.came(0, number, got.tag == got.sequence && buffer[..got.len] == frame(number)[..]);
            }
        }
        "slots" | "compact" => {
            let mut rx = claim(|| region.typed_consumer_with::<Whole>(kind, bounded));
            loop {
                let got = rx.recv_timeout(PATIENCE).expect("a message");
                books.came(0, got.number, got.is_whole());
            }
        }
        "lanes" => {
            let options = LanesOptions::new().each_lane(bounded);
            let mut rx: TypedLanesConsumer<Whole, _, LANES> =
                claim(|| region.typed_lanes_consumer_with(kind, options));
            loop {
                let FromLane { lane, message } = rx.recv_timeout(PATIENCE).expect("a message");
                books.came(lane, message.number, message.is_whole());
            }
        }
        "broadcast" => {
            let mut rx =
                region.broadcast_reader::<Whole>(kind, BroadcastStart::Newest).expect("the plan has it");
            // One that comes later begins with what is there: it owes nothing of before.
            let mut told = None;
            loop {
                match rx.recv_timeout(PATIENCE) {
                    Ok(got) => {
                        let next = books.book.next[0];
                        let skipped = told.unwrap_or(got.number.saturating_sub(next));
                        told = Some(0);
                        books.came_after(0, got.number, got.is_whole(), skipped);
                    }
                    Err(BroadcastRecvError::Lagged { lost }) => told = told.map(|told| told + lost),
                    Err(error) => panic!("{error}"),
                }
            }
        }
        "latest" => {
            let mut rx = region.latest_reader::<Whole>(kind).expect("the plan has it");
            loop {
                if let Reading::Fresh(got) = rx.wait_for_change(PATIENCE) {
                    let skipped = got.number.saturating_sub(books.book.next[0]);
                    books.came_after(0, got.number, got.is_whole(), skipped);
                }
            }
        }
        #[cfg(feature = "embedded-io-07")]
        "bytes" => {
            let mut consumer = claim(|| region.consumer(kind));
            loop {
                let mut rx = RingReader::new(consumer, PATIENCE, &mut []);
                let mut bytes = [0; 8];
                // A killed writer ends no pipe; its successor's bytes come from a new one.
                let died = loop {
                    match rx.read_exact(&mut bytes) {
                        Ok(()) => books.came(0, u64::from_le_bytes(bytes), true),
                        Err(error) => break error,
                    }
                };
                assert_eq!(died, ReadExactError::Other(RingPipeError::PeerDied));
                (consumer, _) = rx.into_parts();
            }
        }
        // Both consumers.
        "fanout" => {
            let mut both = [0, 1].map(|index| {
                let options = ConsumerOptions::new().release_every(BOUND as u32);
                claim(|| region.fanout_consumer_with::<Whole>(kind, index, options))
            });
            loop {
                for rx in &mut both {
                    let lane = rx.index();
                    // Neither waits for the other: a kill may have set one back further.
                    let got = match rx.recv_timeout(Duration::from_micros(100)) {
                        Ok(got) => got,
                        Err(RecvError::TimedOut) => continue,
                        Err(error) => panic!("{error}"),
                    };
                    // The first one comes when sources have sent, and is owed nothing of before. A dead one that
                    // held the producer up was left out, and its successor is told how much it missed.
                    let next = books.book.next[lane as usize];
                    let missed = if next == 0 { u64::MAX } else { rx.missed().into() };
                    let missed = if skipped[lane as usize] { 0 } else { missed };
                    let told = got.number.saturating_sub(next).min(missed);
                    skipped[lane as usize] = true;
                    books.came_after(lane, got.number, got.is_whole(), told);
                }
            }
        }
        // It calls, each with a number of its own.
        "clients" => {
            let mut clients = [0, 1].map(|lane| claim(|| region.lane_call_client::<u64, u64>(kind, lane)));
            loop {
                for (lane, client) in (0..).zip(&mut clients) {
                    call(client, lane, &mut books);
                }
            }
        }
        _ => {
            let mut client = claim(|| region.call_client::<u64, u64>(kind));
            loop {
                call(&mut client, 0, &mut books);
            }
        }
    }
}

/// One call, with the number that comes next.
fn call(client: &mut CallClient<u64, u64, SystemPort>, lane: u32, books: &mut Books) {
    let number = books.book.next[lane as usize];
    match client.call_timeout(&number, PATIENCE) {
        Ok(answer) => books.came(lane, number, answer == !number),
        // The next call is another one, as this one may have run.
        Err(CallError::PeerDied { .. }) => books.was_told(lane),
        Err(error) => panic!("{error}"),
    }
}
