//! What a party exchanges with one of the others, and what must hold of it, whoever is killed.
//!
//! - Frames come in order, none is lost that was reported as sent, and none comes twice but the one that a killed
//!   receiver had not released. A killed sender may have sent one that it had not reported: its next run sends that
//!   number again.
//! - A call is answered, or broken off by the death of its server, at most one by each. No server gets one twice.
//! - The values of a broadcast that come and those that are lost add up to all.

use std::collections::VecDeque;
use std::mem;
use std::thread::sleep;
use std::time::Duration;

use strait::broadcast::{BroadcastStart, BroadcastTryRecvError};
use strait::call::{CallError, Ran, ServeError, Ticket, TryCallError};
use strait::options::ConsumerOptions;
use strait::{
    BroadcastReader, CallClient, CallServer, Consumer, LatestReader, Listener, PeerStatus, Producer, Region,
    SystemPort, TryRecvError, TrySendError, Waitable,
};

use crate::plan::pattern;
use crate::three::{Ask, CALLS, LONGEST, LOOK, Report, Step, Told, With, state, sum};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Longer than an answer takes, if somebody lives; if that was wrong, nothing is known of a death either.
const OVERDUE: Duration = Duration::from_millis(50);
/// Values of a broadcast that are taken at a time.
const AT_ONCE: u32 = 3;
/// The beginning of a frame that is never sent.
const HALF: [u8; 64] = [0xEE; 64];

/// The endpoints for one of the others.
pub struct Link {
    me: usize,
    pub other: usize,
    /// The run of this party.
    run: u32,
    producer: Producer<SystemPort>,
    consumer: Consumer<SystemPort>,
    /// Whether no frame has come in this run.
    is_new: bool,
    client: CallClient<Ask, Told, SystemPort>,
    server: CallServer<Ask, Told, SystemPort>,
    /// The calls that are out, and their numbers.
    out: VecDeque<(Ticket, u32)>,
    asks: u32,
    steps: BroadcastReader<Step, SystemPort>,
    event: Listener<SystemPort>,
    reports: LatestReader<Report, SystemPort>,
    /// The other's newest report.
    theirs: Report,
    pub with: With,
}

impl Link {
    /// Goes on where the run before had got to.
    pub fn open(region: &Region, me: usize, other: usize, run: u32, before: With) -> Result<Self> {
        let (to, from) = (format!("{me} {other}"), format!("{other} {me}"));
        let options = ConsumerOptions::new().release_every(1);
        let steps = region.broadcast_reader(&format!("steps {other}"), BroadcastStart::Oldest)?;
        let With { sent, run: frames, next, asked_run, asked, .. } = before;
        let step = steps.next_number().saturating_sub(1);
        let with = With { sent, run: frames, next, asked_run, asked, step, ..NOTHING };
        Ok(Self {
            me,
            other,
            run,
            producer: region.producer(&format!("frames {to}"))?,
            consumer: region.consumer_with(&format!("frames {from}"), options)?,
            is_new: true,
            client: region.call_client(&format!("calls {to}"))?,
            server: region.call_server(&format!("calls {from}"))?,
            out: VecDeque::new(),
            asks: 0,
            steps,
            event: region.listener(&format!("event {other}"))?,
            reports: region.latest_reader(&format!("report {other}"))?,
            theirs: UNHEARD,
            with,
        })
    }

    /// Sends the next frame, if there is room.
    pub fn send(&mut self) -> Result<()> {
        let number = self.with.sent;
        let frame = [&number.to_le_bytes()[..], &pattern(length(number, self.run))].concat();
        match self.producer.try_send(self.run, &frame) {
            Ok(()) => self.with.sent += 1,
            Err(TrySendError::Full) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Receives a frame, if there is one. It is released with the next call.
    pub fn receive(&mut self) -> Result<bool> {
        let mut buf = [0; LONGEST];
        let got = match self.consumer.try_recv(&mut buf) {
            Ok(got) => got,
            Err(TryRecvError::Empty) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let (number, rest) = buf[..got.len].split_first_chunk().ok_or("a short frame")?;
        let (number, run, is_new) = (u32::from_le_bytes(*number), got.tag, mem::take(&mut self.is_new));
        let With { run: newest, next, .. } = self.with;
        let is_again = is_new && run == newest && number + 1 == next;
        // Each run of the sender may repeat the number that the run before had not reported.
        let is_next = run == newest && number == next
            || run > newest && (next.saturating_sub(run - newest)..=next).contains(&number);
        if !is_again && !is_next || rest != pattern(length(number, run)) {
            return Err(format!("frame {number} of run {run}, after {next} of run {newest}").into());
        }
        (self.with.run, self.with.next) = (run, number + 1);
        self.with.repeated += u32::from(is_again);
        Ok(true)
    }

    /// Takes the answers that have come, and makes `more` calls if there are places.
    pub fn call(&mut self, more: bool) -> Result<()> {
        for at in (0..self.out.len()).rev() {
            let (ticket, number) = self.out[at];
            match self.client.poll(ticket) {
                Ok(None) => continue,
                Ok(Some(told)) if told.sum == sum(number, self.run) => {
                    self.with.answered += 1;
                    self.with.by = told.by;
                }
                Err(CallError::PeerDied { ran: Ran::Maybe }) => self.with.interrupted += 1,
                other => return Err(format!("call {number}: {other:?}").into()),
            }
            self.out.remove(at);
        }
        while more && self.out.len() < CALLS as usize {
            match self.client.try_call(&Ask { run: self.run, number: self.asks }) {
                Ok(ticket) => self.out.push_back((ticket, self.asks)),
                // A run before has left calls that are not served yet.
                Err(TryCallError::Full) => break,
                Err(error) => return Err(error.into()),
            }
            self.asks += 1;
        }
        Ok(())
    }

    /// Serves a call, if there is one.
    pub fn serve(&mut self) -> Result<bool> {
        let (ask, reply) = match self.server.try_next() {
            Ok(next) => next,
            Err(ServeError::Empty) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if (ask.run, ask.number) < (self.with.asked_run, self.with.asked) {
            return Err(format!("{ask:?} came twice, or late").into());
        }
        (self.with.asked_run, self.with.asked) = (ask.run, ask.number + 1);
        reply.answer(&Told { sum: sum(ask.number, ask.run), by: self.run });
        Ok(true)
    }

    /// Follows the broadcast and the event.
    pub fn follow(&mut self) -> Result<()> {
        for _ in 0..AT_ONCE {
            match self.steps.try_recv() {
                Ok(step) if step.number != self.with.step + 1 => {
                    return Err(format!("{step:?} came after {}", self.with.step).into());
                }
                Ok(step) if step.sum != sum(step.number as u32, step.run) => {
                    return Err(format!("{step:?} is broken").into());
                }
                Ok(step) => self.with.step = step.number,
                Err(BroadcastTryRecvError::Lagged { lost }) => {
                    self.with.lost += lost;
                    self.with.step += lost;
                }
                Err(BroadcastTryRecvError::Empty | BroadcastTryRecvError::Contended) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(notified) = self.event.try_wait() {
            // The code of each is its number.
            if u64::from(notified.code) != self.event.total() {
                return Err(format!("{notified:?} of {} in all", self.event.total()).into());
            }
            self.with.notified = self.event.total();
        }
        Ok(())
    }

    /// Reads the other's report.
    pub fn hear(&mut self) -> Result<()> {
        let Some(report) = self.reports.read().value() else { return Ok(()) };
        let (now, before) = ((report.run, report.rounds), (self.theirs.run, self.theirs.rounds));
        if now < before || report.sum != sum(report.rounds, report.run) {
            return Err(format!("{report:?} after run {} and round {}", before.0, before.1).into());
        }
        // One death breaks off one call.
        if self.with.interrupted >= report.run {
            return Err(format!("{:?}, in run {} of the server", self.with, report.run).into());
        }
        self.theirs = report;
        Ok(())
    }

    /// Whether all calls have ended.
    pub fn is_still(&self) -> bool {
        self.out.is_empty()
    }

    /// Whether all that the other has sent has come.
    pub fn is_settled(&self) -> bool {
        let Report { state, published, notified, with, .. } = self.theirs;
        let (sent, here) = (with[self.me].sent, &self.with);
        state >= state::STILL && (here.next, here.step, here.notified) == (sent, published, notified)
    }

    /// The other is dead, which nobody here can know: a call to it is out of time, and no more. The last one, which it
    /// has not taken, can be given up for certain.
    pub fn miss(&mut self) -> Result<()> {
        let (Some(&(first, _)), Some(&(last, _))) = (self.out.front(), self.out.back()) else {
            return Ok(());
        };
        if self.with.overdue > 0 || self.out.len() < CALLS as usize {
            return Ok(());
        }
        match (self.client.wait_timeout(first, OVERDUE), self.client.peer()) {
            (Err(CallError::TimedOut { .. }), PeerStatus::Present) => {}
            other => return Err(format!("a call to the dead, across domains: {other:?}").into()),
        }
        match self.client.cancel(last)? {
            Ran::No => self.out.pop_back(),
            ran => return Err(format!("a call that was not taken has run: {ran:?}").into()),
        };
        self.with.overdue += 1;
        Ok(())
    }

    /// Takes a call and a frame, begins a frame, and ends none of them.
    pub fn hang(&mut self) -> Result<()> {
        loop {
            match self.server.try_next() {
                Ok((_, reply)) => break reply.keep(),
                Err(ServeError::Empty) => sleep(LOOK),
                Err(error) => return Err(error.into()),
            }
        }
        while !self.receive()? {
            sleep(LOOK);
        }
        while !self.producer.is_empty() {
            sleep(LOOK);
        }
        let mut grant = self.producer.reserve(HALF.len())?;
        grant.set_tag(self.run);
        grant.write(0, &HALF); // Never committed.
        Ok(())
    }

    /// All that something can come from.
    pub fn receivers(&mut self) -> [&mut dyn Waitable; 5] {
        [&mut self.consumer, &mut self.server, &mut self.client, &mut self.steps, &mut self.event]
    }
}

const NOTHING: With = With {
    lost: 0,
    step: 0,
    notified: 0,
    sent: 0,
    run: 0,
    next: 0,
    repeated: 0,
    asked_run: 0,
    asked: 0,
    answered: 0,
    by: 0,
    interrupted: 0,
    overdue: 0,
};

/// Before there is one.
pub const UNHEARD: Report =
    Report { run: 0, state: 0, rounds: 0, sum: 0, published: 0, notified: 0, with: [NOTHING; 3] };

/// Of a frame's pattern.
fn length(number: u32, run: u32) -> usize {
    (number + run) as usize % 200
}
