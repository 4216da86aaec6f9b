//! One of the three parties: it exchanges everything with the two others, until the host's first process says that this
//! is the end. It may be killed at any time; its next run goes on by what the last one has reported.

use std::thread::sleep;
use std::time::{Duration, Instant};

use strait::options::WaitPolicy;
use strait::unix::RegionWindow;
use strait::{
    BroadcastWriter, LatestReader, LatestWriter, Notifier, Region, RegionOptions, SystemPort, Waitable,
    wait_any,
};

use crate::link::{Link, UNHEARD};
use crate::plan::WINDOW;
use crate::three::{LOOK, Order, PARTIES, Report, STEPS, Step, phase, state, sum};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// After which nobody is left who could say that this is the end.
const LIMIT: Duration = Duration::from_secs(1800);
/// Frames that are taken at a time.
const AT_ONCE: usize = 8;
/// Every so many rounds, the broadcast overtakes whoever follows it.
const BURST_EVERY: u32 = 4;

struct Party {
    links: Vec<Link>,
    steps: BroadcastWriter<Step, SystemPort>,
    event: Notifier<SystemPort>,
    orders: LatestReader<Order, SystemPort>,
    reports: LatestWriter<Report, SystemPort>,
    report: Report,
}

/// Takes part in the region in this window.
pub fn run(window: RegionWindow, me: usize) -> Result<()> {
    let region = window.len(WINDOW).open(&RegionOptions::new().domain(me as u32))?;
    let mut party = Party::open(&region, me)?;
    let start = Instant::now();
    loop {
        let order = party.orders.read().value().unwrap_or(Order { phase: phase::RUN, party: 0 });
        match order.phase {
            phase::HANG if order.party == me as u32 => party.hang()?,
            phase::END => return Ok(()),
            _ => party.round(order)?,
        }
        let mut receivers: Vec<&mut dyn Waitable> =
            party.links.iter_mut().flat_map(Link::receivers).collect();
        // If nothing comes, so be it; and where the receivers share no doorbell (`NoDoorbell`), it looks again at once.
        let _ = wait_any(region.port(), &mut receivers, WaitPolicy::parking(), LOOK);
        if start.elapsed() > LIMIT {
            return Err("the end does not come".into());
        }
    }
}

impl Party {
    fn open(region: &Region, me: usize) -> Result<Self> {
        let name = format!("report {me}");
        let before = region.latest_reader::<Report>(&name)?.read().value().unwrap_or(UNHEARD);
        let run = before.run + 1;
        let links = (0..PARTIES).filter(|&other| other != me);
        let mut party = Self {
            links: links
                .map(|other| Link::open(region, me, other, run, before.with[other]))
                .collect::<Result<_>>()?,
            steps: region.broadcast_writer(&format!("steps {me}"))?,
            event: region.notifier(&format!("event {me}"))?,
            orders: region.latest_reader("order")?,
            reports: region.latest_writer(&name)?,
            report: Report { run, ..UNHEARD },
        };
        party.publish();
        Ok(party)
    }

    fn publish(&mut self) {
        let report = &mut self.report;
        for link in &self.links {
            report.with[link.other] = link.with;
        }
        (report.published, report.notified) = (self.steps.published(), self.event.total());
        report.sum = sum(report.rounds, report.run);
        self.reports.publish(report);
    }

    /// Does everything once.
    fn round(&mut self, order: Order) -> Result<()> {
        let more = order.phase != phase::DRAIN;
        for at in 0..self.links.len() {
            self.exchange(at, more)?;
            let link = &mut self.links[at];
            if order.phase == phase::DEAD && order.party == link.other as u32 {
                link.miss()?;
            }
        }
        if more {
            self.tell();
        }
        let is_still = !more && self.links.iter().all(Link::is_still);
        let is_done = is_still && self.links.iter().all(Link::is_settled);
        self.report.state = match (is_still, is_done) {
            (_, true) => state::DONE,
            (true, _) => state::STILL,
            _ => state::RUNS,
        };
        self.report.rounds += 1;
        self.publish();
        Ok(())
    }

    fn exchange(&mut self, at: usize, more: bool) -> Result<()> {
        if more {
            self.links[at].send()?;
            self.publish();
        }
        for _ in 0..AT_ONCE {
            if !self.links[at].receive()? {
                break;
            }
            self.publish();
        }
        self.links[at].call(more)?;
        while self.links[at].serve()? {
            self.publish();
        }
        self.links[at].follow()?;
        self.links[at].hear()
    }

    /// Publishes values of the broadcast, and notifies of the event.
    fn tell(&mut self) {
        let run = self.report.run;
        let count = if self.report.rounds.is_multiple_of(BURST_EVERY) { 3 * STEPS } else { 1 };
        for _ in 0..count {
            let number = self.steps.published() + 1;
            self.steps.publish(&Step { number, run, sum: sum(number as u32, run) });
        }
        self.event.notify(self.event.total() as u32 + 1);
    }

    /// Begins something of every kind, and waits to be killed.
    fn hang(&mut self) -> Result<()> {
        self.links.iter_mut().try_for_each(Link::hang)?;
        self.report.state = state::HANGS;
        self.publish();
        loop {
            sleep(LOOK);
        }
    }
}
