//! One measurement, as a child process gets it in its arguments.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// Whether the two sides are threads of one process, or two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Mode {
    /// Two threads.
    Threads,
    /// Two processes.
    Processes,
}

/// The metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Metric {
    /// The machine's own times.
    Floors,
    /// Half a round trip.
    Latency,
    /// Time a message in an unending stream.
    Stream,
    /// Send and receive in one thread; refusals by a full and by an empty queue.
    Local,
    /// A lock taken and given back, a semaphore released and acquired, with nobody else there.
    Lock,
    /// A latest value: reading, publishing, publishing while somebody reads.
    Latest,
    /// From the send until a sleeper runs.
    Wake,
    /// Latency at a fixed rate, from the intended time of sending.
    Tail,
    /// Coming to a live region.
    Attach,
    /// Cost against the number or size of something.
    Scale,
}

/// A child's measurement, and its duration.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct Job {
    /// The metric.
    pub metric: Metric,
    /// Whom it is measured of: a contender, a floor, a scale
    pub who: String,
    /// The bytes of a message; of a tail also so; of a scale the number
    #[arg(long, default_value_t = 8)]
    pub size: usize,
    /// How many messages go in one call
    #[arg(long, default_value_t = 1)]
    pub batch: usize,
    /// How the sides live
    #[arg(long, value_enum, default_value = "threads")]
    pub mode: Mode,
    /// The rate of a tail, in percent of saturation
    #[arg(long, default_value_t = 0)]
    pub load: u32,
    /// How long to measure, in microseconds
    #[arg(long, default_value_t = 50_000)]
    pub micros: u64,
    /// Samples to take, where they are counted
    #[arg(long, default_value_t = 10_000)]
    pub samples: u64,
    /// The CPU of the first side
    #[arg(long, default_value_t = 0)]
    pub first: usize,
    /// The CPU of the second side
    #[arg(long, default_value_t = 1)]
    pub second: usize,
}

impl Job {
    /// How long to measure.
    pub fn budget(&self) -> Duration {
        Duration::from_micros(self.micros)
    }

    /// How many messages of this size a queue is to hold: the same for all contenders.
    pub fn slots(&self) -> usize {
        slots(self.size)
    }

    /// The command line of the child.
    pub fn words(&self) -> Vec<String> {
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or(String::new(), |value| value.get_name().to_owned())
        };
        let mut words = vec!["child".into(), name(self.metric.to_possible_value()), self.who.clone()];
        let mut option = |key: &str, value: String| words.extend([format!("--{key}"), value]);
        option("size", self.size.to_string());
        option("batch", self.batch.to_string());
        option("mode", name(self.mode.to_possible_value()));
        option("load", self.load.to_string());
        option("micros", self.micros.to_string());
        option("samples", self.samples.to_string());
        option("first", self.first.to_string());
        option("second", self.second.to_string());
        words
    }
}

/// 256 messages, or 1 MiB of them, but four at the least; a power of two.
pub fn slots(size: usize) -> usize {
    ((1 << 20) / size.next_power_of_two()).clamp(4, 256)
}

#[cfg(test)]
mod tests {
    use super::slots;

    #[test]
    fn queues_hold_256_messages_or_a_mebibyte() {
        assert_eq!([8, 56, 4096, 65_536, 1 << 20].map(slots), [256, 256, 256, 16, 4]);
    }
}
