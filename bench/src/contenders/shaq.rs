//! shaq: values, and values made and read in place; between threads on the heap, between processes in
//! a file in memory without a name.

use std::fs::File;
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;

use nix::sys::memfd::{MFdFlags, memfd_create};
use shaq::spsc::{self, Consumer, Producer};

use crate::ends::{Halves, Link, Pop, Push, Receiver, Sender, Values};
use crate::error::Result;
use crate::job::{Job, Mode};
use crate::payload;

/// The file of the queue.
enum Place<const N: usize> {
    Heap(Halves<Producer<[u64; N]>, Consumer<[u64; N]>>),
    File(File),
}

impl<const N: usize> Place<N> {
    fn new(job: &Job, number: u32) -> Result<Self> {
        let slots = job.slots();
        if job.mode == Mode::Threads {
            let (tx, rx) = spsc::pair(slots).map_err(|error| format!("shaq: {error:?}"))?;
            return Ok(Self::Heap(Halves::new(tx, rx)));
        }
        let name = format!("strait-bench-{number}");
        let file = memfd_create(name.as_str(), MFdFlags::empty()).map(File::from);
        let file = file.map_err(|error| format!("memfd_create: {error}"))?;
        // SAFETY: the file is new, so this process lays it out.
        let made = unsafe { Producer::<[u64; N]>::create(&file, spsc::minimum_file_size::<[u64; N]>(slots)) };
        drop(made.map_err(|error| format!("shaq: {error:?}"))?);
        Ok(Self::File(file))
    }

    fn tx(&self) -> Result<Producer<[u64; N]>> {
        match self {
            Self::Heap(halves) => halves.tx(),
            // SAFETY: the file holds a queue of this type, and one side alone sends.
            Self::File(file) => unsafe { Producer::join(file) }.map_err(|error| format!("shaq: {error:?}")),
        }
    }

    fn rx(&self) -> Result<Consumer<[u64; N]>> {
        match self {
            Self::Heap(halves) => halves.rx(),
            // SAFETY: the file holds a queue of this type, and one side alone receives.
            Self::File(file) => unsafe { Consumer::join(file) }.map_err(|error| format!("shaq: {error:?}")),
        }
    }
}

impl<const N: usize> Push<N> for Producer<[u64; N]> {
    #[inline(always)]
    fn push(&mut self, value: &[u64; N]) -> bool {
        self.try_write(*value).is_ok()
    }

    #[inline(always)]
    fn push_batch(&mut self, seq: u64, count: usize) -> usize {
        let mut batch = self.write_batch();
        (seq..seq + count as u64).take_while(|&seq| batch.try_write(payload::value(seq)).is_ok()).count()
    }
}

impl<const N: usize> Pop<N> for Consumer<[u64; N]> {
    #[inline(always)]
    fn pop(&mut self) -> Option<[u64; N]> {
        self.try_read()
    }

    #[inline(always)]
    fn pop_batch(&mut self, most: usize, mut each: impl FnMut(&[u64; N])) -> usize {
        let batch = NonZeroUsize::new(most).and_then(|most| self.try_reserve_read_batch(most));
        batch.map_or(0, |batch| {
            batch.iter().for_each(&mut each);
            batch.len()
        })
    }
}

/// A queue of values.
pub struct Typed<const N: usize>(Place<N>);

impl<const N: usize> Link for Typed<N> {
    type Tx = Values<Producer<[u64; N]>, N>;
    type Rx = Values<Consumer<[u64; N]>, N>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Place::new(job, number).map(Self)
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(Values::new)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(Values::new)
    }
}

/// A queue whose values are made and read in place.
pub struct InPlace<const N: usize>(Place<N>);

/// An end.
pub struct End<E>(E);

impl<const N: usize> Link for InPlace<N> {
    type Tx = End<Producer<[u64; N]>>;
    type Rx = End<Consumer<[u64; N]>>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        Place::new(job, number).map(Self)
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(End)
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(End)
    }
}

impl<const N: usize> Sender for End<Producer<[u64; N]>> {
    #[inline(always)]
    fn offer(&mut self, seq: u64) -> bool {
        let mut batch = self.0.write_batch();
        // SAFETY: the place is filled before the batch ends.
        let Some(place) = (unsafe { batch.try_as_mut() }) else { return false };
        let words = place.as_mut_ptr().cast::<MaybeUninit<u64>>();
        // SAFETY: an array is its words, one after the other, and this one is borrowed for us alone.
        payload::fill_uninit(unsafe { std::slice::from_raw_parts_mut(words, N) }, seq);
        true
    }
}

impl<const N: usize> Receiver for End<Consumer<[u64; N]>> {
    #[inline(always)]
    fn accept(&mut self, seq: u64) -> bool {
        let Some(batch) = self.0.try_reserve_read_batch(NonZeroUsize::MIN) else { return false };
        payload::check(seq, N, payload::sum(&batch[0]));
        true
    }
}
