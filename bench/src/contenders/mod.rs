//! Strait and its peers.

mod bbqueue;
#[cfg(boost)]
mod boost;
mod crossbeam;
mod crossfire;
mod disruptor;
mod gil;
mod heapless;
mod iceoryx;
mod ipc_channel;
mod kanal;
mod locks;
mod region;
mod ringbuf;
mod rtrb;
mod shaq;
mod strait_frames;
mod strait_latest;
mod strait_local;
mod strait_pool;
mod strait_static;
mod strait_typed;
mod system;
mod triple_buffer;

use serde_json::{Value, json};

use crate::drive;
use crate::drive::lock::Lock;
use crate::ends::Link;
use crate::error::Result;
use crate::job::{Job, Metric, Mode};

pub use region::{options, region};
pub use strait_frames::Long;

/// Which sizes a contender can have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Moves values of a type: up to 4 KiB.
    Values,
    /// Any.
    Bytes,
    /// Any; with a header in the same line, so that 48 bytes are the most that share it.
    Frames,
    /// Any size up to this many bytes.
    UpTo(usize),
}

/// A library or mechanism that carries messages.
pub struct Contender {
    /// Its name.
    pub name: &'static str,
    /// Whether it is strait.
    pub ours: bool,
    /// Which metrics it takes part in.
    pub metrics: &'static [Metric],
    /// How its sides may live.
    pub modes: &'static [Mode],
    /// Which sizes it can have.
    pub sizes: Sizes,
    /// Whether it has calls for many messages at once.
    pub batches: bool,
    measure: fn(&Job) -> Result<Value>,
}

const THREADS: &[Mode] = &[Mode::Threads];
const BOTH: &[Mode] = &[Mode::Threads, Mode::Processes];
const PROCESSES: &[Mode] = &[Mode::Processes];

const QUEUE: &[Metric] = &[Metric::Latency, Metric::Stream, Metric::Local];
/// The same, and tails: they take their time, so not everybody is asked for them.
const TAILED: &[Metric] = &[Metric::Latency, Metric::Stream, Metric::Local, Metric::Tail];
/// Between two sides alone.
const CROSSING: &[Metric] = &[Metric::Latency, Metric::Stream];
const COPIED: &[Metric] = &[Metric::Latency, Metric::Stream, Metric::Wake];
const PIPE: &[Metric] = &[Metric::Latency, Metric::Stream, Metric::Wake, Metric::Tail];
const LOCK: &[Metric] = &[Metric::Lock];
const VALUE: &[Metric] = &[Metric::Latency, Metric::Latest];

/// All that a queue can be measured for.
fn go<L: Link>(job: &Job) -> Result<Value> {
    match job.metric {
        Metric::Local => drive::local::measure::<L>(job),
        Metric::Tail => drive::tail::measure::<L>(job),
        Metric::Wake => drive::wake::measure::<L>(job),
        _ => carry::<L>(job),
    }
}

/// The metrics measured at every size.
fn carry<L: Link>(job: &Job) -> Result<Value> {
    match job.metric {
        Metric::Latency => drive::latency::measure::<L>(job),
        Metric::Stream => drive::stream::measure::<L>(job),
        _ => Err(format!("{} has no such metric", job.who)),
    }
}

/// The metrics of a lock.
fn lock<L: Lock>(job: &Job) -> Result<Value> {
    drive::lock::measure::<L>(job)
}

/// A measurement of a link with as many words as the job has.
macro_rules! by_words {
    (@ $n:literal $module:ident :: $link:ident) => { $module::$link<$n> };
    (@ $n:literal $module:ident :: $link:ident < $kind:ident >) => { $module::$link<$module::$kind, $n> };
    ($($link:tt)+) => {
        |job: &Job| match job.size {
            8 => go::<by_words!(@ 1 $($link)+)>(job),
            56 => go::<by_words!(@ 7 $($link)+)>(job),
            64 => carry::<by_words!(@ 8 $($link)+)>(job),
            256 => carry::<by_words!(@ 32 $($link)+)>(job),
            1024 => carry::<by_words!(@ 128 $($link)+)>(job),
            4096 => carry::<by_words!(@ 512 $($link)+)>(job),
            size => Err(format!("values of {size} bytes are not compiled in")),
        }
    };
}

/// The same for contenders that make values in place, so that no size is too large for a stack.
macro_rules! by_any_words {
    ($($link:tt)+) => {
        |job: &Job| match job.size {
            65_536 => carry::<by_words!(@ 8192 $($link)+)>(job),
            1_048_576 => carry::<by_words!(@ 131_072 $($link)+)>(job),
            _ => by_words!($($link)+)(job),
        }
    };
}

const fn ours(name: &'static str, measure: fn(&Job) -> Result<Value>) -> Contender {
    Contender { name, ours: true, metrics: QUEUE, modes: BOTH, sizes: Sizes::Bytes, batches: true, measure }
}

const fn peer(name: &'static str, measure: fn(&Job) -> Result<Value>) -> Contender {
    Contender { ours: false, modes: THREADS, batches: false, ..ours(name, measure) }
}

/// All of them.
pub const ALL: &[Contender] = &[
    Contender {
        metrics: TAILED,
        sizes: Sizes::Values,
        ..ours("strait-slots", by_words!(strait_typed::Typed<Slots>))
    },
    Contender { sizes: Sizes::Values, ..ours("strait-compact", by_words!(strait_typed::Typed<Compact>)) },
    Contender {
        metrics: TAILED,
        sizes: Sizes::Frames,
        ..ours("strait-frames", go::<strait_frames::Copying>)
    },
    Contender { sizes: Sizes::Frames, ..ours("strait-in-place", go::<strait_frames::InPlace>) },
    Contender { metrics: CROSSING, batches: false, ..ours("strait-pool", go::<strait_pool::InPlace>) },
    Contender {
        sizes: Sizes::Values,
        modes: THREADS,
        ..ours("strait-static", by_words!(strait_static::Static))
    },
    Contender {
        sizes: Sizes::Values,
        modes: THREADS,
        ..ours("strait-local", by_words!(strait_local::Typed))
    },
    Contender {
        modes: THREADS,
        batches: false,
        ..ours("strait-local-in-place", go::<strait_local::InPlace>)
    },
    Contender {
        metrics: TAILED,
        sizes: Sizes::Values,
        batches: true,
        ..peer("rtrb", by_words!(rtrb::Typed))
    },
    peer("rtrb-in-place", go::<rtrb::InPlace>),
    Contender { sizes: Sizes::Values, batches: true, ..peer("ringbuf", by_words!(ringbuf::Typed)) },
    peer("ringbuf-in-place", go::<ringbuf::InPlace>),
    Contender { sizes: Sizes::Values, batches: true, ..peer("gil", by_words!(gil::Typed)) },
    peer("gil-in-place", go::<gil::InPlace>),
    Contender { sizes: Sizes::Values, ..peer("heapless", by_words!(heapless::Typed)) },
    Contender { sizes: Sizes::Values, ..peer("crossbeam", by_words!(crossbeam::Typed)) },
    Contender { sizes: Sizes::Values, ..peer("crossfire", by_words!(crossfire::Typed)) },
    Contender { sizes: Sizes::Values, ..peer("kanal", by_words!(kanal::Typed)) },
    Contender { sizes: Sizes::Values, batches: true, ..peer("disruptor", by_words!(disruptor::Typed)) },
    Contender { batches: true, ..peer("bbqueue", go::<bbqueue::InPlace>) },
    Contender {
        metrics: TAILED,
        sizes: Sizes::Values,
        modes: BOTH,
        batches: true,
        ..peer("shaq", by_words!(shaq::Typed))
    },
    Contender { modes: BOTH, ..peer("shaq-in-place", by_any_words!(shaq::InPlace)) },
    Contender { metrics: TAILED, modes: BOTH, ..peer("iceoryx2", go::<iceoryx::InPlace>) },
    Contender { metrics: PIPE, modes: PROCESSES, ..peer("pipe", go::<system::Pipe>) },
    Contender {
        metrics: COPIED,
        modes: PROCESSES,
        sizes: Sizes::UpTo(65_536),
        ..peer("seqpacket", go::<system::Seqpacket>)
    },
    Contender { metrics: COPIED, modes: PROCESSES, ..peer("mq", mq) },
    Contender { metrics: COPIED, modes: PROCESSES, ..peer("boost", boost) },
    Contender { metrics: CROSSING, modes: PROCESSES, ..peer("ipc-channel", go::<ipc_channel::Bytes>) },
    Contender { metrics: VALUE, sizes: Sizes::Values, batches: false, ..ours("strait-latest", latest_ours) },
    Contender { metrics: VALUE, sizes: Sizes::Values, ..peer("triple_buffer", latest_triple) },
    Contender {
        metrics: &[Metric::Local],
        modes: THREADS,
        sizes: Sizes::UpTo(8),
        ..ours("strait-slots-waking", go::<strait_typed::Typed<strait_typed::Waking, 1>>)
    },
    Contender { metrics: &[Metric::Wake], ..ours("strait-sleeping", go::<strait_typed::Sleeping>) },
    Contender { metrics: &[Metric::Wake], ..peer("eventfd", go::<system::Event>) },
    Contender { metrics: LOCK, modes: THREADS, ..ours("strait-mutex", lock::<locks::Recovering>) },
    Contender { metrics: LOCK, ..peer("std-mutex", lock::<locks::Std>) },
    Contender { metrics: LOCK, ..peer("pthread-shared", lock::<locks::Pthread<false>>) },
    Contender { metrics: LOCK, ..peer("pthread-robust", lock::<locks::Pthread<true>>) },
    Contender { metrics: LOCK, modes: THREADS, ..ours("strait-semaphore", lock::<locks::Counting>) },
    Contender { metrics: LOCK, ..peer("posix-semaphore", lock::<locks::Posix>) },
];

/// Boost's message queue, if it could be compiled.
fn boost(job: &Job) -> Result<Value> {
    #[cfg(boost)]
    return go::<boost::Queue>(job);
    #[cfg(not(boost))]
    Ok(json!({ "absent": format!("not built: {} needs g++ and libboost-dev", job.who) }))
}

/// A POSIX message queue, if the system allows messages of the size.
fn mq(job: &Job) -> Result<Value> {
    match system::mq_allows(job.size) {
        Ok(()) => go::<system::Mq>(job),
        Err(reason) => Ok(json!({ "absent": reason })),
    }
}

fn latest_ours(job: &Job) -> Result<Value> {
    match job.metric {
        Metric::Latest => drive::latest::measure::<strait_latest::Latest<7>, _, 7>(job),
        _ => by_words!(strait_latest::Latest)(job),
    }
}

fn latest_triple(job: &Job) -> Result<Value> {
    match job.metric {
        Metric::Latest => drive::latest::measure::<triple_buffer::Latest<7>, _, 7>(job),
        _ => by_words!(triple_buffer::Latest)(job),
    }
}

/// The contender of this name.
pub fn named(name: &str) -> Option<&'static Contender> {
    ALL.iter().find(|contender| contender.name == name)
}

/// Measures the contender that the job names.
pub fn measure(job: &Job) -> Result<Value> {
    let contender = named(&job.who).ok_or_else(|| format!("there is no contender `{}`", job.who))?;
    (contender.measure)(job)
}
