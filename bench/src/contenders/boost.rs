//! Boost.Interprocess: its message queue, through a little C++.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr::NonNull;

use crate::ends::{Copies, Link, Read, Write};
use crate::error::Result;
use crate::job::{Job, Metric};

// SAFETY: these are the functions of `native/boost.cpp`, by their types there.
unsafe extern "C" {
    fn bench_boost_open(name: *const c_char, messages: usize, size: usize) -> *mut c_void;
    fn bench_boost_close(queue: *mut c_void);
    fn bench_boost_remove(name: *const c_char);
    fn bench_boost_send(queue: *mut c_void, message: *const c_void, size: usize) -> c_int;
    fn bench_boost_receive(queue: *mut c_void, buffer: *mut c_void, size: usize, wait: c_int) -> c_int;
}

/// A message queue, which each side opens for itself.
pub struct Queue(CString, Job);

/// An end, and whether a receive waits asleep.
pub struct End(NonNull<c_void>, bool);

impl Queue {
    fn open(&self) -> Result<Copies<End>> {
        // SAFETY: the name ends in a NUL.
        let queue = unsafe { bench_boost_open(self.0.as_ptr(), self.1.slots(), self.1.size) };
        let queue = NonNull::new(queue).ok_or("Boost cannot open its message queue")?;
        Ok(Copies::new(End(queue, self.1.metric == Metric::Wake), &self.1))
    }
}

impl Link for Queue {
    type Tx = Copies<End>;
    type Rx = Copies<End>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        let name = format!("strait-bench-{}-{number}", std::process::id());
        CString::new(name).map(|name| Self(name, job.clone())).map_err(|error| error.to_string())
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.open()
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.open()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the name ends in a NUL.
        unsafe { bench_boost_remove(self.0.as_ptr()) };
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // SAFETY: the queue was opened, and is closed once.
        unsafe { bench_boost_close(self.0.as_ptr()) };
    }
}

fn went(answer: c_int) -> bool {
    assert!(answer >= 0, "Boost's message queue failed");
    answer == 1
}

impl Write for End {
    fn write(&mut self, message: &[u8]) -> bool {
        // SAFETY: the queue is open, and the message is this long.
        went(unsafe { bench_boost_send(self.0.as_ptr(), message.as_ptr().cast(), message.len()) })
    }
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        let (at, wait) = (buffer.as_mut_ptr().cast(), c_int::from(self.1));
        // SAFETY: the queue is open, and the buffer is this long.
        went(unsafe { bench_boost_receive(self.0.as_ptr(), at, buffer.len(), wait) })
    }
}
