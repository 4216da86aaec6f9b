//! Strait's latest value.

use strait::{Channel, LatestReader, LatestWriter, SystemPort};

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

/// A reader, and the copy of the value that a program keeps if it looks often.
pub struct Kept<const N: usize> {
    reader: LatestReader<[u64; N], SystemPort>,
    value: [u64; N],
}

impl<const N: usize> Pop<N> for Kept<N> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.reader.read_fresh()
    }
}

impl<const N: usize> Look<N> for Kept<N> {
    #[inline(always)]
    fn look(&mut self) -> Option<[u64; N]> {
        if let Some(value) = self.reader.read_fresh() {
            self.value = value;
        }
        Some(self.value)
    }
}

impl<const N: usize> Link for Latest<N> {
    type Tx = Values<LatestWriter<[u64; N], SystemPort>, N>;
    type Rx = Values<Kept<N>, N>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Place::new(job, number, Channel::latest::<[u64; N]>(CHANNEL)).map(Self)
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.take(|region| region.latest_writer(CHANNEL)).map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        let reader = self.0.take(|region| region.latest_reader(CHANNEL))?;
        // Message 0, which nobody waits for and which sums up as any other.
        Ok(Values::new(Kept { reader, value: crate::payload::value(0) }))
    }
}
