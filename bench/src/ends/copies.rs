//! Ends that copy bytes out of a buffer and into one.

use crate::job::Job;
use crate::payload::{self, WORD};

use super::{Receiver, Sender, until};

/// Sends messages by copying them out of a buffer.
pub trait Write {
    /// Tries once to send a message.
    fn write(&mut self, message: &[u8]) -> bool;

    /// Tries once to send some of the messages, which are one after the other, in one call; how many
    /// went.
    #[inline]
    fn write_batch(&mut self, messages: &[u8], size: usize) -> usize {
        messages.chunks_exact(size).take_while(|message| self.write(message)).count()
    }
}

/// Receives messages by copying them into a buffer.
pub trait Read {
    /// Tries once to receive a message, which fills the buffer.
    fn read(&mut self, buffer: &mut [u8]) -> bool;

    /// Tries once to receive up to `most` messages in one call; shows each, and tells how many.
    #[inline]
    fn read_batch(&mut self, most: usize, buffer: &mut [u8], mut each: impl FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < most && self.read(buffer) {
            each(buffer);
            count += 1;
        }
        count
    }
}

/// An end that copies bytes.
pub struct Copies<E> {
    end: E,
    size: usize,
    buffer: Vec<u8>,
}

impl<E> Copies<E> {
    /// Over this end, for the job's messages and batches.
    pub fn new(end: E, job: &Job) -> Self {
        Self { end, size: job.size, buffer: vec![0; job.size * job.batch] }
    }
}

impl<E: Write> Copies<E> {
    #[inline(always)]
    fn make(&mut self, seq: u64) {
        payload::fill_bytes(&mut self.buffer[..self.size], seq);
    }
}

impl<E: Write> Sender for Copies<E> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        self.make(seq);
        self.end.write(&self.buffer[..self.size])
    }

    #[inline(always)]
    fn send(&mut self, seq: u64) {
        self.make(seq);
        until(|| self.end.write(&self.buffer[..self.size]));
    }

    #[inline(always)]
    fn send_batch(&mut self, seq: u64, count: usize) {
        let buffer = &mut self.buffer[..count * self.size];
        for (message, seq) in buffer.chunks_exact_mut(self.size).zip(seq..) {
            payload::fill_bytes(message, seq);
        }
        let mut sent = 0;
        until(|| {
            sent += self.end.write_batch(&buffer[sent * self.size..], self.size);
            sent == count
        });
    }
}

impl<E: Read> Receiver for Copies<E> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let message = &mut self.buffer[..self.size];
        let there = self.end.read(message);
        if there {
            payload::check(seq, self.size / WORD, payload::sum_bytes(message));
        }
        there
    }

    #[inline(always)]
    fn recv_batch(&mut self, mut seq: u64, count: usize) {
        let end = seq + count as u64;
        let size = self.size;
        until(|| {
            self.end.read_batch((end - seq) as usize, &mut self.buffer[..size], |message| {
                payload::check(seq, size / WORD, payload::sum_bytes(message));
                seq += 1;
            });
            seq == end
        });
    }
}
