//! Calls into the region: queries of Zenoh's become calls, which the region's own server answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use strait::call::{CallError, Ran, Ticket, TryCallError};
use strait::format::Entry;
use strait::{CallClient, Region, SystemPort};
use zenoh::query::Query;
use zenoh::sample::Locality;
use zenoh::{Session, Wait};

use crate::ask::{DIED, DIED_UNRUN, MISUNDERSTOOD, UNANSWERED, word};
use crate::outlet::{Origin, TURN};
use crate::say::say;
use crate::session::key;
use crate::source::type_of;
use crate::stamp::{Stamp, now_ns};
use crate::tally::{Count, Tally};

/// Queries that wait here for a place among the region's calls.
const ROOM: usize = 256;

/// How long to wait for answers before looking for queries.
const LOOK: Duration = Duration::from_millis(1);

/// A query that is a call of the region now.
struct Out {
    ticket: Ticket,
    query: Query,
    since: Instant,
}

/// A channel of calls whose requests come in.
pub struct Answerer {
    name: String,
    client: CallClient<[u8], [u8], SystemPort>,
    queries: Receiver<Query>,
    out: Vec<Out>,
    request_hash: u64,
    request_len: usize,
    answer: Vec<u8>,
    stamp: Stamp,
    is_strict: bool,
    has_said: bool,
    patience: Duration,
    tally: Arc<Tally>,
}

impl Answerer {
    /// Takes a client's role, and declares the channel's key.
    ///
    /// # Errors
    ///
    /// The role is taken, or Zenoh refuses something.
    pub fn open(
        (session, prefix): (&Session, &str),
        region: &Region,
        entry: &Entry,
        (patience, is_strict): (Duration, bool),
        origin: Origin,
        tally: Arc<Tally>,
    ) -> Result<Self, String> {
        let name = entry.name().unwrap_or_default().to_owned();
        let client = if entry.lane.is_one_of_many() {
            region.free_lane_call_client_of(&name, type_of(entry), entry.answer).map(|(_, client)| client)
        } else {
            region.call_client_of(&name, type_of(entry), entry.answer)
        };
        let client = client.map_err(|error| format!("{name}: {error}"))?;
        let (sender, queries) = sync_channel(ROOM);
        let counts = Arc::clone(&tally);
        session
            .declare_queryable(key(prefix, &[&name])?)
            .allowed_origin(Locality::Remote)
            .callback(move |query| {
                if let Err(error) = sender.try_send(query) {
                    counts.add(Count::Dropped, 1);
                    let (std::sync::mpsc::TrySendError::Full(query)
                    | std::sync::mpsc::TrySendError::Disconnected(query)) = error;
                    refuse(&query, DIED_UNRUN, "too many calls wait here already; call again later");
                }
            })
            .background()
            .wait()
            .map_err(|error| format!("{name}: {error}"))?;
        let stamp =
            Stamp { hash: entry.answer.hash, source: origin.instance, run: origin.run, ..Stamp::default() };
        Ok(Self {
            name,
            client,
            queries,
            out: Vec::new(),
            request_hash: entry.type_hash,
            request_len: entry.max_len as usize,
            answer: vec![0; entry.answer.size as usize],
            stamp,
            is_strict,
            has_said: false,
            patience,
            tally,
        })
    }

    /// Carries calls until the bridge is to end.
    ///
    /// # Errors
    ///
    /// The channel is damaged.
    pub fn run(mut self, is_over: &AtomicBool) -> Result<(), String> {
        while !is_over.load(Ordering::Relaxed) {
            // A place is free only if its answer was taken, and places are used in turn.
            while self.out.len() < self.client.places() as usize {
                let query = if self.out.is_empty() {
                    match self.queries.recv_timeout(TURN) {
                        Ok(query) => query,
                        Err(RecvTimeoutError::Timeout) => break,
                        Err(RecvTimeoutError::Disconnected) => {
                            return Err(format!("{}: Zenoh is gone", self.name));
                        }
                    }
                } else {
                    match self.queries.try_recv() {
                        Ok(query) => query,
                        Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                    }
                };
                if !self.call(query)? {
                    break;
                }
            }
            self.collect()?;
        }
        for Out { ticket, query, .. } in std::mem::take(&mut self.out) {
            let code = if self.client.cancel(ticket) == Ok(Ran::No) { DIED_UNRUN } else { DIED };
            refuse(&query, code, "the bridge ends");
        }
        Ok(())
    }

    /// Makes a call of a query; returns whether another one may be made.
    fn call(&mut self, query: Query) -> Result<bool, String> {
        let request = query.payload().map(|bytes| bytes.to_bytes().into_owned()).unwrap_or_default();
        let stamp = query.attachment().map(|bytes| Stamp::from_bytes(&bytes.to_bytes()));
        let fits = match stamp {
            None => !self.is_strict,
            Some(stamp) => stamp.is_some_and(|stamp| stamp.hash == self.request_hash),
        };
        if !fits || request.len() != self.request_len {
            self.tally.add(if stamp.is_some() && !fits { Count::Refused } else { Count::Garbage }, 1);
            if !std::mem::replace(&mut self.has_said, true) {
                say(&format!(
                    "{}: refused a request of {} bytes: this region's channel takes {} bytes of type {:016x}; build both \
                     sides from one definition",
                    self.name,
                    request.len(),
                    self.request_len,
                    self.request_hash
                ));
            }
            let text = format!("give {} bytes of type {:016x}", self.request_len, self.request_hash);
            refuse(&query, MISUNDERSTOOD, &text);
            return Ok(true);
        }
        match self.client.try_call(&request) {
            Ok(ticket) => {
                self.tally.add(Count::Sent, 1);
                self.out.push(Out { ticket, query, since: Instant::now() });
                Ok(true)
            }
            Err(TryCallError::Full) => {
                self.tally.add(Count::Dropped, 1);
                refuse(&query, DIED_UNRUN, "the region's places for calls are taken; call again later");
                Ok(false)
            }
            Err(error) => {
                refuse(&query, DIED_UNRUN, &error.to_string());
                Err(format!("{}: {error}", self.name))
            }
        }
    }

    /// Replies to the queries whose calls have ended.
    fn collect(&mut self) -> Result<(), String> {
        let Some(first) = self.out.first().map(|out| out.ticket) else { return Ok(()) };
        let mut ended = Some((0, self.client.wait_into_timeout(first, &mut self.answer, LOOK)));
        loop {
            let Some((index, result)) = ended.take() else { return Ok(()) };
            self.end(index, result)?;
            ended = self.client.ended().and_then(|ticket| {
                let index = self.out.iter().position(|out| out.ticket == ticket)?;
                Some((index, self.client.wait_into_timeout(ticket, &mut self.answer, Duration::ZERO)))
            });
        }
    }

    fn end(&mut self, index: usize, result: Result<(), CallError>) -> Result<(), String> {
        let code = match &result {
            Ok(()) => 0,
            Err(CallError::TimedOut { ticket }) => {
                if self.out[index].since.elapsed() < self.patience {
                    return Ok(());
                }
                // What it has found is in the reply.
                if self.client.cancel(*ticket) == Ok(Ran::No) { DIED_UNRUN } else { UNANSWERED }
            }
            Err(CallError::PeerDied { ran: Ran::No }) => DIED_UNRUN,
            Err(CallError::PeerDied { ran: Ran::Maybe } | CallError::Fault(_)) => DIED,
            Err(_) => MISUNDERSTOOD,
        };
        let Out { query, .. } = self.out.remove(index);
        match result {
            Ok(()) => {
                self.tally.add(Count::Taken, 1);
                let stamp = Stamp { sent_ns: now_ns(), ..self.stamp };
                self.stamp.order += 1;
                // The asker may be gone.
                let reply = query.reply(query.key_expr().clone(), self.answer.as_slice());
                let _ = reply.attachment(stamp.to_bytes().as_slice()).wait();
                Ok(())
            }
            Err(CallError::Refused { code }) => {
                self.tally.add(Count::Failed, 1);
                let text = format!("refused {code}: the region's server refused the request");
                let _ = query.reply_err(text).wait();
                Ok(())
            }
            Err(error) => {
                self.tally.add(Count::Failed, 1);
                refuse(&query, code, &error.to_string());
                if let CallError::Fault(_) = error { Err(format!("{}: {error}", self.name)) } else { Ok(()) }
            }
        }
    }
}

/// Replies with an error: a word for programs, and the reason. The asker may be gone.
fn refuse(query: &Query, code: u16, why: &str) {
    let _ = query.reply_err(format!("{} {why}", word(code))).wait();
}
