//! Ends that move values of a type.

use crate::payload;

use super::{Receiver, Sender, until};

/// Sends values of `N` words.
pub trait Push<const N: usize> {
    /// Tries once to send a value.
    fn push(&mut self, value: &[u64; N]) -> bool;

    /// Tries once to send up to `count` messages from `seq` on in one call; how many went.
    #[inline]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        (seq..seq + count as u64).take_while(|&seq| self.push(&payload::value(seq))).count()
    }
}

/// Receives values of `N` words.
pub trait Pop<const N: usize> {
    /// Tries once to receive a value.
    fn pop(&mut self) -> Option<[u64; N]>;

    /// Tries once to receive up to `most` values in one call; shows each, and tells how many.
    #[inline]
    fn pop_batch(&mut self, most: usize, mut each: impl FnMut(&[u64; N])) -> usize {
        let mut count = 0;
        while count < most
            && let Some(value) = self.pop()
        {
            each(&value);
            count += 1;
        }
        count
    }
}

/// An end that moves values.
pub struct Values<E, const N: usize>(E);

impl<E, const N: usize> Values<E, N> {
    /// Over this end.
    pub fn new(end: E) -> Self {
        Self(end)
    }

    /// The end itself.
    pub fn end(&mut self) -> &mut E {
        &mut self.0
    }
}

impl<E: Push<N>, const N: usize> Sender for Values<E, N> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        self.0.push(&payload::value(seq))
    }

    #[inline(always)]
    fn send(&mut self, seq: u64) {
        let value = payload::value(seq);
        until(|| self.0.push(&value));
    }

    #[inline(always)]
    fn send_batch(&mut self, seq: u64, count: usize) {
        let mut sent = 0;
        until(|| {
            sent += self.0.push_batch(seq + sent as u64, count - sent);
            sent == count
        });
    }
}

impl<E: Pop<N>, const N: usize> Receiver for Values<E, N> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        self.0.pop().is_some_and(|value| {
            payload::check(seq, N, payload::sum(&value));
            true
        })
    }

    #[inline(always)]
    fn recv_batch(&mut self, mut seq: u64, count: usize) {
        let end = seq + count as u64;
        until(|| {
            self.0.pop_batch((end - seq) as usize, |value| {
                payload::check(seq, N, payload::sum(value));
                seq += 1;
            });
            seq == end
        });
    }
}
