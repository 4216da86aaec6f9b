//! Which jobs a run has, how long each may take, and in which order they come.

use clap::ValueEnum;

use crate::args::Wanted;
use crate::contenders::{self, Contender, Sizes};
use crate::error::Result;
use crate::floors;
use crate::job::{Job, Metric, Mode, slots};
use crate::scale;

/// A run: its jobs, to be done once a round.
pub struct Plan {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The rounds.
    pub rounds: usize,
    /// Seconds that all of it may take.
    pub seconds: f64,
}

/// How much there is of everything.
struct Extent {
    rounds: usize,
    /// Seconds for all of it.
    seconds: f64,
    /// Bounds of a child's time in microseconds.
    micros: (f64, f64),
    /// Sizes of messages: for latency and for streams, between threads and between processes.
    latency: [&'static [usize]; 2],
    stream: [&'static [usize]; 2],
    batches: &'static [usize],
    /// Samples of a tail in all rounds, if it is fast enough.
    samples: u64,
}

const ALL_SIZES: &[usize] = &[8, 56, 64, 256, 1024, 4096, 65_536, 1 << 20];

const FULL: Extent = Extent {
    rounds: 9,
    seconds: 780.0,
    micros: (30_000.0, 300_000.0),
    latency: [ALL_SIZES; 2],
    stream: [ALL_SIZES; 2],
    batches: &[1, 8, 64],
    samples: 10_000_000,
};

const QUICK: Extent = Extent {
    rounds: 3,
    seconds: 62.0,
    micros: (8_000.0, 60_000.0),
    latency: [&[8, 56, 64, 1024, 65_536], &[8, 56, 65_536]],
    stream: [&[8, 64, 1024, 65_536], &[64, 65_536]],
    batches: &[1, 64],
    samples: 10_000,
};

const SMOKE: Extent = Extent {
    rounds: 1,
    seconds: 0.0,
    micros: (1_000.0, 1_000.0),
    latency: [&[8, 56, 65_536], &[56]],
    stream: [&[8, 65_536], &[64]],
    batches: &[1, 8],
    samples: 2_000,
};

/// Seconds that a child takes to start and to end.
const START: f64 = 0.012;
/// The size for tails: messages that share a line with what publishes them.
const TAIL: usize = 56;
const LOADS: &[u32] = &[10, 50, 80];

impl Plan {
    /// The plan of what was wanted, for sides on these CPUs.
    pub fn new(wanted: &Wanted, cores: (usize, usize)) -> Result<Self> {
        let extent = match wanted {
            Wanted { smoke: true, .. } => &SMOKE,
            Wanted { quick: true, .. } => &QUICK,
            _ => &FULL,
        };
        let only = Only::new(&wanted.only)?;
        let mut jobs: Vec<Job> = all(extent).into_iter().filter(|job| only.takes(job)).collect();
        let runs = (jobs.len() * extent.rounds) as f64;
        let micros = (1e6 * (extent.seconds / runs - START)).clamp(extent.micros.0, extent.micros.1);
        let samples = extent.samples.div_ceil(extent.rounds as u64);
        for job in &mut jobs {
            (job.first, job.second) = cores;
            job.micros = micros as u64;
            job.samples = samples.max(1000);
        }
        Ok(Self { jobs, rounds: extent.rounds, seconds: extent.seconds })
    }

    /// All jobs of all rounds.
    pub fn pairs(&self) -> impl Iterator<Item = (&Job, usize)> {
        (0..self.rounds).flat_map(|round| self.jobs.iter().map(move |job| (job, round)))
    }

    /// The jobs in the order of this round: another for each, the same in each run.
    pub fn shuffled(&self, round: usize) -> Vec<&Job> {
        let mut jobs: Vec<&Job> = self.jobs.iter().collect();
        let mut state = round as u64 + 1;
        for i in (1..jobs.len()).rev() {
            // A step of a linear congruential generator; its upper bits are good enough here.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            jobs.swap(i, (state >> 33) as usize % (i + 1));
        }
        jobs
    }
}

fn job(metric: Metric, who: &str, size: usize, batch: usize, mode: Mode) -> Job {
    let who = who.to_owned();
    Job { metric, who, size, batch, mode, load: 0, micros: 0, samples: 0, first: 0, second: 0 }
}

fn all(extent: &Extent) -> Vec<Job> {
    let mut jobs = Vec::new();
    for floor in floors::ALL {
        jobs.push(job(Metric::Floors, floor.name, 8, 1, Mode::Threads));
        if floor.processes {
            jobs.push(job(Metric::Floors, floor.name, 8, 1, Mode::Processes));
        }
    }
    for contender in contenders::ALL {
        for &metric in contender.metrics {
            of(contender, metric, extent, &mut jobs);
        }
    }
    jobs.extend(scale::jobs().into_iter().map(|(metric, who, n)| job(metric, who, n, 1, Mode::Threads)));
    jobs
}

fn of(contender: &Contender, metric: Metric, extent: &Extent, jobs: &mut Vec<Job>) {
    let who = contender.name;
    for &mode in contender.modes {
        let sizes = if metric == Metric::Stream { extent.stream } else { extent.latency };
        let sizes =
            sizes[usize::from(mode == Mode::Processes)].iter().copied().filter(|&size| contender.takes(size));
        match metric {
            Metric::Latency => {
                jobs.extend(sizes.map(|size| job(metric, who, contender.size(size), 1, mode)));
            }
            Metric::Stream => jobs.extend(sizes.flat_map(|size| {
                let batches = extent.batches.iter().copied();
                let batches = batches.filter(move |&batch| contender.batch(batch, size));
                batches.map(move |batch| job(metric, who, contender.size(size), batch, mode))
            })),
            // One thread: how the sides live makes no difference. Strait's frames show what size costs.
            Metric::Local if mode == contender.modes[0] => {
                let scaled = contender.ours && contender.sizes == Sizes::Frames;
                let sizes = sizes.filter(|&size| size == 8 || scaled);
                jobs.extend(sizes.map(|size| job(metric, who, contender.size(size), 1, mode)));
            }
            Metric::Lock => jobs.push(job(metric, who, 8, 1, mode)),
            Metric::Latest if mode == Mode::Threads => jobs.push(job(metric, who, 56, 1, mode)),
            Metric::Wake => jobs.push(job(metric, who, 8, 1, mode)),
            Metric::Tail => jobs.extend(LOADS.iter().map(|&load| {
                let size = contender.size(TAIL);
                Job { load, ..job(metric, who, size, 1, mode) }
            })),
            _ => {}
        }
    }
}

impl Contender {
    fn takes(&self, size: usize) -> bool {
        match self.sizes {
            Sizes::Values => size <= 4096,
            Sizes::UpTo(most) => size <= most,
            Sizes::Bytes | Sizes::Frames => true,
        }
    }

    /// The size that this contender has where values have `size`: the largest frame that shares a
    /// line with its header is smaller.
    fn size(&self, size: usize) -> usize {
        if self.sizes == Sizes::Frames && size == 56 { 48 } else { size }
    }

    /// Batches stay well below what the queue holds.
    fn batch(&self, batch: usize, size: usize) -> bool {
        batch == 1 || self.batches && batch * 4 <= slots(size)
    }
}

/// The jobs that the user wants to see.
struct Only {
    metrics: Vec<Metric>,
    who: Vec<String>,
}

impl Only {
    fn new(names: &[String]) -> Result<Self> {
        let mut only = Self { metrics: Vec::new(), who: Vec::new() };
        for name in names {
            if let Ok(metric) = Metric::from_str(name, false) {
                only.metrics.push(metric);
            } else if contenders::named(name).is_some() {
                only.who.push(name.clone());
            } else {
                let metrics = Metric::value_variants().iter().filter_map(ValueEnum::to_possible_value);
                let metrics: Vec<String> = metrics.map(|value| value.get_name().to_owned()).collect();
                let who: Vec<&str> = contenders::ALL.iter().map(|contender| contender.name).collect();
                return Err(format!(
                    "unknown name `{name}`; there are the metrics {} and the contenders {}",
                    metrics.join(", "),
                    who.join(", ")
                ));
            }
        }
        Ok(only)
    }

    fn takes(&self, job: &Job) -> bool {
        let metric = self.metrics.is_empty() || self.metrics.contains(&job.metric);
        let who = self.who.is_empty() || self.who.contains(&job.who);
        job.metric == Metric::Floors || metric && who
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;
    use crate::args::Wanted;

    fn plan(only: &[&str]) -> crate::error::Result<Plan> {
        let only = only.iter().map(|&name| name.into()).collect();
        Plan::new(&Wanted { quick: true, smoke: false, out: "x".into(), only }, (0, 1))
    }

    #[test]
    fn each_round_has_all_jobs_in_another_order() {
        let plan = plan(&[]).expect("a plan");
        let lines = |round| plan.shuffled(round).iter().map(|job| job.words().join(" ")).collect::<Vec<_>>();
        let (mut one, mut two) = (lines(0), lines(1));
        assert_ne!(one, two);
        one.sort();
        two.sort();
        assert_eq!(one, two);
        one.dedup();
        assert_eq!(one.len(), two.len(), "a job is there twice");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_list() {
        let Err(line) = plan(&["latency", "rtbr"]) else { panic!("rtbr is a contender?") };
        assert!(line.contains("`rtbr`") && line.contains("rtrb") && line.contains("wake"), "{line}");
    }
}
