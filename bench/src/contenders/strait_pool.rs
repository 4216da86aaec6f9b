//! Strait's pools: a message is written into a block, whose id goes through a queue of values.

use strait::pool::{BlockId, Pool};
use strait::{Channel, SystemPort, TypedConsumer, TypedProducer};

use super::region::{CHANNEL, Place};
use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

const POOL: &str = "blocks";

/// Blocks made and read in place, as many as all contenders have messages.
pub struct InPlace(Place, usize);

/// An end of the queue, this side's handle on the pool, and the bytes of a message.
pub struct End<E> {
    queue: E,
    pool: Pool<SystemPort>,
    size: usize,
}

impl InPlace {
    fn end<E>(
        &self,
        queue: impl FnOnce(&strait::Region) -> std::result::Result<E, strait::ChannelError>,
    ) -> Result<End<E>> {
        let size = self.1;
        self.0.take_trusting(|region| Ok(End { queue: queue(region)?, pool: region.pool(POOL)?, size }))
    }
}

impl Link for InPlace {
    type Tx = End<TypedProducer<BlockId, SystemPort>>;
    type Rx = End<TypedConsumer<BlockId, SystemPort>>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        let blocks = job.slots() as u32;
        // A quarter of the queue may be released late: with more space than blocks it is never full.
        let queue = Channel::slots::<BlockId>(CHANNEL, 2 * blocks);
        let pool = Channel::pool(POOL, blocks, job.size as u32);
        Ok(Self(Place::of(job, number, vec![queue, pool])?, job.size))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.end(|region| region.typed_producer(CHANNEL))
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.end(|region| region.typed_consumer(CHANNEL))
    }
}

impl Sender for End<TypedProducer<BlockId, SystemPort>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Ok(mut block) = self.pool.try_claim() else { return false };
        payload::fill_bytes(block.as_mut_slice().expect("peers are trusted"), seq);
        let id = block.send(self.size).expect("it is ours");
        assert!(self.queue.try_send(&id).is_ok(), "more blocks than space");
        true
    }
}

impl Receiver for End<TypedConsumer<BlockId, SystemPort>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Ok(id) = self.queue.try_recv() else { return false };
        let block = self.pool.take(id).expect("it was sent");
        payload::check(
            seq,
            self.size / WORD,
            payload::sum_bytes(block.as_slice().expect("peers are trusted")),
        );
        true
    }
}
