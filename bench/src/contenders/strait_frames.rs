//! Strait's queues of frames: copied in and out, or made and read in place.

use strait::{Channel, Consumer, Producer, SystemPort};

use super::region::{CHANNEL, Place};
use crate::ends::{Copies, Link, Read, Receiver, Sender, Write};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

/// Bytes that a frame takes beside its payload.
const HEADER: usize = 16;

/// A ring for as many messages as all contenders have; where messages are long, for as many bytes.
fn place(job: &Job, number: u32) -> Result<Place> {
    let slots = job.slots();
    let stride = if job.size < 1024 { job.size.next_multiple_of(HEADER) + HEADER } else { job.size };
    let ring = (slots * stride).next_power_of_two() as u32;
    Place::new(job, number, Channel::frames(CHANNEL, ring, job.size as u32))
}

impl Write for Producer<SystemPort> {
    #[inline(always)]
    fn write(&mut self, message: &[u8]) -> bool {
        self.try_send(0, message).is_ok()
    }

    #[inline(always)]
    fn write_batch(&mut self, messages: &[u8], size: usize) -> usize {
        self.try_send_batch(messages.chunks_exact(size).map(|message| (0, message))).unwrap_or(0)
    }
}

impl Read for Consumer<SystemPort> {
    #[inline(always)]
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        self.try_recv(buffer).is_ok()
    }

    #[inline(always)]
    fn read_batch(&mut self, most: usize, buffer: &mut [u8], mut each: impl FnMut(&[u8])) -> usize {
        let batch = self.recv_batch(most, |frame| {
            let len = frame.copy_from(0, buffer);
            each(&buffer[..len]);
        });
        batch.unwrap_or(0)
    }
}

/// Copied in and out.
pub struct Copying(Place, Job);

impl Link for Copying {
    type Tx = Copies<Producer<SystemPort>>;
    type Rx = Copies<Consumer<SystemPort>>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Ok(Self(place(job, number)?, job.clone()))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Copies::new(self.0.take(|region| region.producer(CHANNEL))?, &self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Copies::new(self.0.take(|region| region.consumer(CHANNEL))?, &self.1))
    }
}

/// Made and read in place.
pub struct InPlace(Place, usize);

/// An end, and the bytes of a message.
pub struct End<E>(E, usize);

impl Link for InPlace {
    type Tx = End<Producer<SystemPort>>;
    type Rx = End<Consumer<SystemPort>>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Ok(Self(place(job, number)?, job.size))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(End(self.0.take_trusting(|region| region.producer(CHANNEL))?, self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(End(self.0.take_trusting(|region| region.consumer(CHANNEL))?, self.1))
    }
}

/// Made and read in place: frames of 1 MiB with their header, in a ring of as many bytes as the job says.
pub struct Long(InPlace);

/// Bytes of a long frame's payload. Two such frames fill a ring of 2 MiB.
const LONG: usize = (1 << 20) - HEADER;

impl Link for Long {
    type Tx = End<Producer<SystemPort>>;
    type Rx = End<Consumer<SystemPort>>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        let ring = Channel::frames(CHANNEL, job.size as u32, LONG as u32);
        Ok(Self(InPlace(Place::new(job, number, ring)?, LONG)))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx()
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx()
    }
}

impl Sender for End<Producer<SystemPort>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Ok(mut grant) = self.0.reserve(self.1) else { return false };
        payload::fill_bytes(grant.as_mut_slice().expect("peers are trusted"), seq);
        grant.commit();
        true
    }
}

impl Receiver for End<Consumer<SystemPort>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Ok(frame) = self.0.peek() else { return false };
        payload::check(seq, self.1 / WORD, payload::sum_bytes(frame.as_slice().expect("peers are trusted")));
        frame.release();
        true
    }

    #[inline(always)]
    fn recv_batch(&mut self, mut seq: u64, count: usize) {
        let (end, words) = (seq + count as u64, self.1 / WORD);
        crate::ends::until(|| {
            let _ = self.0.recv_batch((end - seq) as usize, |frame| {
                payload::check(seq, words, payload::sum_bytes(frame.as_slice().expect("peers are trusted")));
                seq += 1;
            });
            seq == end
        });
    }
}
