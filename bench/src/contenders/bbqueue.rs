//! bbqueue: bytes in place, by stream grants of a message's length, which need no header.

use std::sync::Arc;

use bbqueue::BBQueue;
use bbqueue::nicknames::GogiGui;
use bbqueue::prod_cons::stream::{StreamConsumer, StreamProducer};
use bbqueue::traits::coordination::cas::AtomicCoord;
use bbqueue::traits::notifier::polling::Polling;
use bbqueue::traits::storage::BoxedSlice;

use crate::ends::{Link, Receiver, Sender, until};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

type Shared = Arc<BBQueue<BoxedSlice, AtomicCoord, Polling>>;

/// A queue of bytes.
pub struct InPlace(GogiGui, usize);

/// An end, and the bytes of a message.
pub struct End<E>(E, usize);

impl Link for InPlace {
    type Tx = End<StreamProducer<Shared>>;
    type Rx = End<StreamConsumer<Shared>>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        Ok(Self(GogiGui::new_with_storage(BoxedSlice::new(job.slots() * job.size)), job.size))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(End(self.0.stream_producer(), self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(End(self.0.stream_consumer(), self.1))
    }
}

impl End<StreamProducer<Shared>> {
    #[inline(always)]
    fn offer_many(&mut self, seq: u64, count: usize) -> bool {
        let Ok(mut grant) = self.0.grant_exact(count * self.1) else { return false };
        grant
            .chunks_exact_mut(self.1)
            .zip(seq..)
            .for_each(|(message, seq)| payload::fill_bytes(message, seq));
        grant.commit(count * self.1);
        true
    }
}

impl Sender for End<StreamProducer<Shared>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        self.offer_many(seq, 1)
    }

    #[inline(always)]
    fn send_batch(&mut self, seq: u64, count: usize) {
        until(|| self.offer_many(seq, count));
    }
}

impl End<StreamConsumer<Shared>> {
    #[inline(always)]
    fn accept_many(&mut self, seq: u64, most: usize) -> usize {
        let Ok(grant) = self.0.read() else { return 0 };
        let count = most.min(grant.len() / self.1);
        for (message, seq) in grant.chunks_exact(self.1).zip(seq..seq + count as u64) {
            payload::check(seq, self.1 / WORD, payload::sum_bytes(message));
        }
        grant.release(count * self.1);
        count
    }
}

impl Receiver for End<StreamConsumer<Shared>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        self.accept_many(seq, 1) == 1
    }

    #[inline(always)]
    fn recv_batch(&mut self, seq: u64, count: usize) {
        let mut done = 0;
        until(|| {
            done += self.accept_many(seq + done as u64, count - done);
            done == count
        });
    }
}
