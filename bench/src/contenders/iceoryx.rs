//! iceoryx2: publish and subscribe, samples loaned and read in place.

use iceoryx2::port::backpressure_strategy::BackpressureStrategy;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;

use crate::ends::{Link, Receiver, Sender};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

type Service = iceoryx2::service::ipc::Service;

/// A service, which each side opens for itself.
pub struct InPlace {
    name: String,
    words: usize,
    slots: usize,
}

/// An end, the words of a message, and what must live as long.
pub struct End<E> {
    end: E,
    words: usize,
    _service: PortFactory<Service, [u64], ()>,
    _node: Node<Service>,
}

fn failed(error: impl std::fmt::Debug) -> String {
    format!("iceoryx2: {error:?}")
}

impl InPlace {
    fn open<E>(&self, end: impl FnOnce(&PortFactory<Service, [u64], ()>) -> Result<E>) -> Result<End<E>> {
        set_log_level(LogLevel::Fatal);
        let node = NodeBuilder::new().create::<Service>().map_err(failed)?;
        let name = ServiceName::new(&self.name).map_err(failed)?;
        let service = node
            .service_builder(&name)
            .publish_subscribe::<[u64]>()
            .enable_safe_overflow(false)
            .subscriber_max_buffer_size(self.slots)
            .subscriber_max_borrowed_samples(1)
            .history_size(0)
            .max_publishers(1)
            .max_subscribers(1)
            .open_or_create()
            .map_err(failed)?;
        Ok(End { end: end(&service)?, words: self.words, _service: service, _node: node })
    }
}

impl Link for InPlace {
    type Tx = End<Publisher<Service, [u64], ()>>;
    type Rx = End<Subscriber<Service, [u64], ()>>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        let name = format!("strait-bench/{}/{number}", std::process::id());
        Ok(Self { name, words: job.size / WORD, slots: job.slots() })
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.open(|service| {
            let builder = service.publisher_builder().initial_max_slice_len(self.words).max_loaned_samples(1);
            builder.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create().map_err(failed)
        })
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.open(|service| service.subscriber_builder().create().map_err(failed))
    }
}

impl Sender for End<Publisher<Service, [u64], ()>> {
    /// Its own waiting for space is what it offers, and the faster.
    const BLOCKS: bool = true;

    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let Ok(mut sample) = self.end.loan_slice_uninit(self.words) else { return false };
        payload::fill_uninit(sample.payload_mut(), seq);
        // SAFETY: all of it was filled.
        let sample = unsafe { sample.assume_init() };
        sample.send() == Ok(1)
    }
}

impl Receiver for End<Subscriber<Service, [u64], ()>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Ok(Some(sample)) = self.end.receive() else { return false };
        payload::check(seq, self.words, payload::sum(sample.payload()));
        true
    }
}
