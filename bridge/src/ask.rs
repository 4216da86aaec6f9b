//! Calls out of the region: this bridge is their server, and asks Zenoh.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use strait::call::{LanesServer, Reply, ServeError, ServeLanesError};
use strait::format::Entry;
use strait::options::LanesOptions;
use strait::{CallServer, ChannelError, Region, SystemPort};
use zenoh::key_expr::KeyExpr;
use zenoh::sample::Locality;
use zenoh::{Session, Wait};

use crate::outlet::{Origin, TURN};
use crate::session::key;
use crate::source::{MOST_LANES, PAUSE, type_of};
use crate::stamp::{Stamp, now_ns};
use crate::tally::{Count, Tally};

/// The server at the far end died, and the request has not run.
pub const DIED_UNRUN: u16 = 0xff01;
/// The server at the far end died, and the request may have run.
pub const DIED: u16 = 0xff02;
/// No answer came in time; the request may have run.
pub const UNANSWERED: u16 = 0xff03;
/// The far end took the request for one of another type, or its answer was none.
pub const MISUNDERSTOOD: u16 = 0xff04;

/// What a far end says before its reason, and the code that it becomes here.
const WORDS: [(&str, u16); 4] = [
    ("died-unrun:", DIED_UNRUN),
    ("died:", DIED),
    ("unanswered:", UNANSWERED),
    ("misunderstood:", MISUNDERSTOOD),
];

/// The word before the reason of an error with this code.
pub fn word(code: u16) -> &'static str {
    WORDS.iter().find(|(_, known)| *known == code).map_or("failed:", |(word, _)| word)
}

/// The code of a far end's error.
fn code_of(text: &str) -> u16 {
    let refused = text.strip_prefix("refused ").and_then(|rest| rest.split(':').next()?.parse().ok());
    let known = || WORDS.iter().find(|(word, _)| text.starts_with(word)).map(|(_, code)| *code);
    refused.or_else(known).unwrap_or(UNANSWERED)
}

enum Server {
    One(Box<CallServer<[u8], [u8], SystemPort>>),
    Lanes(Box<LanesServer<[u8], [u8], SystemPort, MOST_LANES>>),
}

/// A channel of calls whose requests go out.
pub struct Asker {
    name: String,
    session: Session,
    here: KeyExpr<'static>,
    server: Server,
    is_woken: bool,
    request: Vec<u8>,
    tally: Arc<Tally>,
    stamp: Stamp,
    answer: strait::format::ValueType,
    patience: Duration,
}

impl Asker {
    /// Takes the server's role.
    ///
    /// # Errors
    ///
    /// The role is taken, or the name is no key.
    pub fn open(
        (session, prefix): (&Session, &str),
        region: &Region,
        entry: &Entry,
        patience: Duration,
        origin: Origin,
        tally: Arc<Tally>,
    ) -> Result<Self, String> {
        let name = entry.name().unwrap_or_default().to_owned();
        let server = Server::open(region, entry, &name).map_err(|error| format!("{name}: {error}"))?;
        let stamp =
            Stamp { hash: entry.type_hash, source: origin.instance, run: origin.run, ..Stamp::default() };
        Ok(Self {
            here: key(prefix, &[&name])?,
            name,
            session: session.clone(),
            server,
            is_woken: entry.wait_b != 0,
            request: vec![0; entry.max_len as usize],
            tally,
            stamp,
            answer: entry.answer,
            patience,
        })
    }

    /// Serves until the bridge is to end.
    ///
    /// # Errors
    ///
    /// The channel is damaged.
    pub fn run(self, is_over: &AtomicBool) -> Result<(), String> {
        let Self {
            name,
            session,
            here,
            mut server,
            is_woken,
            mut request,
            tally,
            mut stamp,
            answer,
            patience,
        } = self;
        let timeout = if is_woken { TURN } else { Duration::ZERO };
        while !is_over.load(Ordering::Relaxed) {
            let reply = match &mut server {
                Server::One(server) => match server.next_into_timeout(&mut request, timeout) {
                    Ok(reply) => reply,
                    Err(ServeError::TimedOut | ServeError::Empty) => {
                        rest(is_woken);
                        continue;
                    }
                    Err(error) => return Err(format!("{name}: {error}")),
                },
                Server::Lanes(server) => match server.next_into_timeout(&mut request, timeout) {
                    Ok((_, reply)) => reply,
                    Err(ServeLanesError::TimedOut | ServeLanesError::Empty) => {
                        rest(is_woken);
                        continue;
                    }
                    Err(error) => return Err(format!("{name}: {error}")),
                },
            };
            let asked = Stamp { sent_ns: now_ns(), ..stamp };
            stamp.order += 1;
            stamp.sequence = stamp.sequence.wrapping_add(1);
            tally.add(Count::Sent, 1);
            let answered = ask(&session, &here, &request, asked, answer.hash, patience);
            finish(reply, answered, answer.size as usize, &tally);
        }
        Ok(())
    }
}

fn rest(is_woken: bool) {
    if !is_woken {
        thread::sleep(PAUSE);
    }
}

impl Server {
    fn open(region: &Region, entry: &Entry, name: &str) -> Result<Self, ChannelError> {
        if entry.lane.is_one_of_many() {
            let options = LanesOptions::new().burst(1);
            let server = region.lanes_call_server_of(name, type_of(entry), entry.answer, options)?;
            return Ok(Self::Lanes(Box::new(server)));
        }
        Ok(Self::One(Box::new(region.call_server_of(name, type_of(entry), entry.answer)?)))
    }
}

/// Asks, and waits for the answer: its bytes, or the code of an error.
fn ask(
    session: &Session,
    here: &KeyExpr<'static>,
    request: &[u8],
    stamp: Stamp,
    hash: u64,
    patience: Duration,
) -> Result<Vec<u8>, u16> {
    let replies = session
        .get(here.clone())
        .payload(request)
        .attachment(stamp.to_bytes().as_slice())
        .allowed_destination(Locality::Remote)
        .timeout(patience)
        .with(zenoh::handlers::FifoChannel::new(4))
        .wait()
        .map_err(|_| DIED_UNRUN)?;
    // Ends when all have replied, or the time is up.
    let reply = replies.recv().map_err(|_| UNANSWERED)?;
    match reply.into_result() {
        Ok(sample) => match sample.attachment().map(|bytes| Stamp::from_bytes(&bytes.to_bytes())) {
            None => Ok(sample.payload().to_bytes().into_owned()),
            Some(Some(stamp)) if stamp.hash == hash => Ok(sample.payload().to_bytes().into_owned()),
            Some(_) => Err(MISUNDERSTOOD),
        },
        Err(error) => Err(code_of(&String::from_utf8_lossy(&error.payload().to_bytes()))),
    }
}

fn finish(reply: Reply<'_, [u8], SystemPort>, answered: Result<Vec<u8>, u16>, size: usize, tally: &Tally) {
    let answer =
        answered.and_then(|answer| if answer.len() == size { Ok(answer) } else { Err(MISUNDERSTOOD) });
    match answer {
        Ok(answer) => {
            tally.add(Count::Taken, 1);
            // Its length is right.
            let _ = reply.answer_from(&answer);
        }
        Err(code) => {
            tally.add(Count::Failed, 1);
            reply.refuse(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DIED, DIED_UNRUN, MISUNDERSTOOD, UNANSWERED, code_of, word};

    #[test]
    fn an_error_of_a_far_end_becomes_a_code_here() {
        for code in [DIED_UNRUN, DIED, UNANSWERED, MISUNDERSTOOD] {
            assert_eq!(code_of(&format!("{} some reason", word(code))), code);
        }
        assert_eq!(code_of("refused 17: the server refused"), 17);
        for text in ["refused x: y", "refused 70000: y", "refused", "", "garbage \u{1}"] {
            assert_eq!(code_of(text), UNANSWERED, "{text}");
        }
    }
}
