//! The target `ring_pipe`: a byte pipe over a ring, with reads and writes of any length, ends, deaths and
//! successors, against a queue of bytes; or with a misbehaving peer, where the only requirement is that
//! nothing is out of bounds and every call ends.

use std::collections::VecDeque;
use std::time::Duration;

use embedded_io::{BufRead, Read, ReadReady, Write, WriteReady};
use strait_core::{Channel, Consumer, ConsumerOptions, Plan, RingPipeError, RingReader, RingWriter};

use crate::input::Input;
use crate::world::{FuzzPort, Member, POLICY, Region, SOON};

const RING: u32 = 256;
const MAX_FRAME: u32 = 100;
const PLAN: Plan<'_> =
    Plan::new(&[Channel::frames("p", RING, MAX_FRAME).consumer_may_block().producer_may_block()])
        .line(4)
        .participants(4);

/// The most operations of a run.
const MOST: usize = 300;

/// The content of the pipe: frames, of which an empty one is an end; and how much of the first was read.
#[derive(Default)]
struct Model {
    frames: VecDeque<Vec<u8>>,
    offset: usize,
}

impl Model {
    /// Bytes up to the first end.
    fn left(&self) -> usize {
        let lens = self.frames.iter().map(Vec::len).take_while(|len| *len > 0);
        lens.sum::<usize>() - self.offset
    }

    fn is_at_end(&self) -> bool {
        self.frames.front().is_some_and(Vec::is_empty)
    }

    fn read(&mut self, found: &[u8]) {
        for byte in found {
            assert_eq!(self.frames[0][self.offset], *byte);
            self.offset += 1;
            if self.offset == self.frames[0].len() {
                self.frames.pop_front();
                self.offset = 0;
            }
        }
    }
}

fn consumer<'r>(member: &Member<'r>, trusted: bool) -> Consumer<FuzzPort<'r>> {
    // A successor sees no frame again of which all was read.
    let options = ConsumerOptions::new().release_every(1);
    let opened = if trusted {
        // SAFETY: all participants are in this run, whose peers are honest.
        let attachment = unsafe { (**member).clone().trusting_peers() };
        attachment.consumer_with("p", options)
    } else {
        member.consumer_with("p", options)
    };
    let mut consumer = opened.expect("the role is free, or its owner dead");
    consumer.set_wait_policy(POLICY);
    consumer
}

fn writer<'r>(member: &Member<'r>, timeout: Duration) -> RingWriter<FuzzPort<'r>> {
    let mut producer = member.producer("p").expect("the role is free, or its owner dead");
    producer.set_wait_policy(POLICY);
    RingWriter::new(producer, timeout)
}

/// That there is nothing, or that the writer is gone.
fn assert_nothing(error: RingPipeError, model: &Model) {
    use RingPipeError::{PeerDied, PeerLeft, TimedOut};
    assert!(matches!(error, TimedOut | PeerDied | PeerLeft), "{error}");
    assert!(model.left() == 0 && !model.is_at_end(), "{error}, with bytes to read");
}

fn honest(input: &mut Input<'_>) {
    let region = Region::new(&PLAN);
    let trusted = input.flag();
    let timeout = [Duration::ZERO, SOON][input.below(2)];
    let mut space = vec![0; if trusted { 0 } else { 1 + input.below(120) }];
    let (mut a, mut b) = (region.join(), region.join());
    let mut tx = Some(writer(&a, timeout));
    let mut rx = RingReader::new(consumer(&b, trusted), timeout, &mut space);
    let (mut model, mut next, mut closed) = (Model::default(), 0_u8, false);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let out = tx.as_mut().expect("always there");
        match input.below(16) {
            0..=3 => {
                let len = input.below(250);
                let bytes: Vec<u8> = (0..len).map(|i| next.wrapping_add(i as u8)).collect();
                let ready = out.write_ready().expect("honest peers");
                match out.write(&bytes) {
                    Ok(count) => {
                        assert!(count <= len && (count > 0 && ready || len == 0));
                        assert!(count <= MAX_FRAME as usize);
                        if count > 0 {
                            assert!(!closed);
                            model.frames.push_back(bytes[..count].to_vec());
                        }
                        next = next.wrapping_add(count as u8);
                    }
                    Err(RingPipeError::Closed) => assert!(closed),
                    Err(error) => {
                        assert!(
                            matches!(error, RingPipeError::TimedOut | RingPipeError::PeerLeft),
                            "{error}"
                        );
                        assert!(!model.frames.is_empty(), "an empty ring takes a byte");
                    }
                }
            }
            4..=7 => {
                let mut buffer = vec![0; input.below(150)];
                match rx.read(&mut buffer) {
                    Ok(0) if buffer.is_empty() => {}
                    Ok(0) if rx.is_ended() => {
                        assert!(model.is_at_end(), "an end that nobody sent");
                        model.frames.pop_front();
                        let (consumer, bounce) = rx.into_parts();
                        rx = RingReader::new(consumer, timeout, bounce);
                    }
                    Ok(count) => {
                        assert!(count > 0);
                        model.read(&buffer[..count]);
                    }
                    Err(error) => assert_nothing(error, &model),
                }
            }
            8 | 9 => match rx.fill_buf() {
                Ok(&[]) => {
                    assert!(model.is_at_end(), "an end that nobody sent");
                    model.frames.pop_front();
                    let (consumer, bounce) = rx.into_parts();
                    rx = RingReader::new(consumer, timeout, bounce);
                }
                Ok(shown) => {
                    let count = (shown.len() + 3).saturating_sub(input.below(60));
                    let consumed = shown[..count.min(shown.len())].to_vec();
                    model.read(&consumed);
                    rx.consume(count);
                }
                Err(error) => assert_nothing(error, &model),
            },
            10 => {
                let ready = rx.read_ready().expect("honest peers");
                assert!(ready || model.left() == 0 && !model.is_at_end());
            }
            11 => {
                // A frame that was read in part comes again.
                let (consumer, bounce) = rx.into_parts();
                rx = RingReader::new(consumer, timeout, bounce);
                model.offset = 0;
            }
            12 => match out.close() {
                Ok(()) => {
                    closed = true;
                    model.frames.push_back(Vec::new());
                }
                Err(RingPipeError::Closed) => assert!(closed),
                Err(error) => {
                    assert!(matches!(error, RingPipeError::TimedOut | RingPipeError::PeerLeft), "{error}");
                    assert!(!model.frames.is_empty(), "an empty ring takes an end");
                }
            },
            13 => {
                // One that has closed leaves no second end.
                if closed {
                    drop(tx.take());
                    tx = Some(writer(&a, timeout));
                    closed = false;
                }
            }
            14 => {
                let dead = std::mem::replace(&mut a, region.join());
                dead.die(tx.take());
                if input.flag() {
                    let mut byte = [0];
                    match rx.read(&mut byte) {
                        Ok(1) => model.read(&byte),
                        Ok(_) => {
                            assert!(model.is_at_end() && rx.is_ended());
                            model.frames.pop_front();
                            let (consumer, bounce) = rx.into_parts();
                            rx = RingReader::new(consumer, timeout, bounce);
                        }
                        Err(error) => assert_nothing(error, &model),
                    }
                }
                tx = Some(writer(&a, timeout));
                closed = false;
            }
            _ => {
                let dead = std::mem::replace(&mut b, region.join());
                let (consumer_of_dead, bounce) = rx.into_parts();
                dead.die(consumer_of_dead);
                rx = RingReader::new(consumer(&b, trusted), timeout, bounce);
                model.offset = 0;
            }
        }
        region.check();
    }
}

fn among_liars(input: &mut Input<'_>) {
    let region = Region::new(&PLAN);
    let lies = region.entry("p").block_a;
    let mut space = vec![0; input.below(40)];
    let (a, b) = (region.join(), region.join());
    let mut tx = writer(&a, SOON);
    let mut rx = RingReader::new(consumer(&b, false), SOON, &mut space);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let mut buffer = [0; 120];
        let len = input.below(buffer.len() + 1);
        match input.below(8) {
            0 => region.lie(input, lies),
            1 => assert!(tx.write(&buffer[..len]).unwrap_or(0) <= len),
            2 => assert!(rx.read(&mut buffer[..len]).unwrap_or(0) <= len),
            3 | 4 => {
                if let Ok(shown) = rx.fill_buf() {
                    assert!(shown.len() <= 40);
                    region.lie(input, lies);
                    rx.consume(len);
                }
            }
            5 => {
                let _ = (rx.read_ready(), tx.write_ready());
            }
            6 => {
                if input.below(8) == 0 {
                    let _ = tx.close();
                }
            }
            _ => {
                let (consumer, bounce) = rx.into_parts();
                let _ = consumer.fault();
                rx = RingReader::new(consumer, SOON, bounce);
            }
        }
        region.check();
    }
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.flag() { honest(&mut input) } else { among_liars(&mut input) }
}
