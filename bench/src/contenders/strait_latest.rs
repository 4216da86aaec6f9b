//! Strait's latest value.

use strait::{Channel, LatestReader, LatestWriter, Reading, SystemPort};

use super::region::{CHANNEL, Place};
use crate::drive::latest::Look;
use crate::ends::{Link, Pop, Push, Values};
use crate::error::Result;
use crate::job::Job;

/// The latest value of `N` words.
pub struct Latest<const N: usize>(Place);

impl<const N: usize> Push<N> for LatestWriter<[u64; N], SystemPort> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.publish(value);
        true
    }
}

impl<const N: usize> Pop<N> for LatestReader<[u64; N], SystemPort> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        match self.read() {
            Reading::Fresh(value) => Some(value),
            _ => None,
        }
    }
}

impl<const N: usize> Look<N> for LatestReader<[u64; N], SystemPort> {
    #[inline(always)]
    fn look(&mut self) -> Option<[u64; N]> {
        self.read().value()
    }
}

impl<const N: usize> Link for Latest<N> {
    type Tx = Values<LatestWriter<[u64; N], SystemPort>, N>;
    type Rx = Values<LatestReader<[u64; N], SystemPort>, N>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Place::new(job, number, Channel::latest::<[u64; N]>(CHANNEL)).map(Self)
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.take(|region| region.latest_writer(CHANNEL)).map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.take(|region| region.latest_reader(CHANNEL)).map(Values::new)
    }
}
