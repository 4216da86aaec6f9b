//! `strait recv REGION CHANNEL`: messages out of a queue, in a role that nobody alive has.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

use strait::fanout::FanoutConsumer;
use strait::format::inspect::{channel_state, fanout_state};
use strait::format::{Entry, Kind, ValueType};
use strait::options::ConsumerOptions;
use strait::port::{Ident, Liveness, Port, Probe};
use strait::{Consumer, OpenError, PeerStatus, Region, SystemPort, TryRecvError, TypedConsumer};

use crate::args::Recv;
use crate::error::{Error, Result};
use crate::observe::{self, Who};
use crate::print;
use crate::see;
use crate::see::show::Shown;
use crate::see::types::Type;

/// How long to sleep when nothing has come.
const PAUSE: Duration = Duration::from_millis(1);
/// How often to look whether something can still come.
const CHECK: Duration = Duration::from_millis(200);

/// Receives and prints one message, or each.
pub fn run(wanted: &Recv) -> Result<()> {
    let (arg, name) = (&wanted.transfer.region, &wanted.transfer.channel);
    if wanted.transfer.capacity.is_some() || wanted.transfer.frame.is_some() {
        return Err(Error::usage("--capacity and --frame are for a file; give --out too, or leave them out"));
    }
    let place = arg.region()?;
    let failed = |error| match error {
        OpenError::NotFound => arg.not_found(),
        error => Error::at(arg, error),
    };
    // Everything is checked before this process takes part.
    let seen = observe::open(arg, &place).map_err(failed)?;
    let at = format!("{arg}, {name}");
    let entry = seen.channel(name).map_err(|error| Error::at(&at, error))?;
    check(&seen, &entry).map_err(|why| Error::at(&at, why))?;
    let text = see::describe(&seen).map_err(|error| Error::at(&at, error))?;
    let ty = Type::of_channel(&entry, &text);
    drop(seen);
    let region = observe::join(arg, &place)?;
    let mut queue = Queue::open(&region, &entry).map_err(|why| Error::at(&at, why))?;
    let (mut buffer, mut number) = (vec![0; entry.max_len as usize], 0);
    let (started, mut checked) = (Instant::now(), Instant::now());
    loop {
        match queue.try_recv(&mut buffer) {
            Ok((tag, len)) => {
                let bytes = &buffer[..len];
                let shown =
                    Shown { entry: &entry, ty: ty.as_ref(), number, tag, missed: 0, bytes, fields: &[] };
                let line = if wanted.json { shown.json().to_string() } else { shown.text() };
                let is_read = print::line(&line)?;
                if !wanted.follow || !is_read {
                    return Ok(());
                }
                number += 1;
            }
            Err(TryRecvError::Empty) => {
                if number == 0 && started.elapsed() >= wanted.transfer.timeout {
                    let seconds = wanted.transfer.timeout.as_secs_f64();
                    return Err(Error::at(
                        &at,
                        format!(
                            "no message came within {seconds} s; see what its sender does, or give more --timeout"
                        ),
                    ));
                }
                if number > 0 && checked.elapsed() >= CHECK {
                    let can_come = queue.has_sender() && region.port().is_current().unwrap_or(true);
                    if !can_come && queue.is_empty() {
                        return Ok(());
                    }
                    checked = Instant::now();
                }
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(Error::at(&at, error)),
        }
    }
}

/// Checks that it is a queue whose receiver's role, or one of whose, nobody alive has. That of a dead one, as
/// Ctrl-C leaves this program, is taken over.
fn check(region: &Region, entry: &Entry) -> std::result::Result<(), String> {
    let kind = entry.kind.name();
    if matches!(entry.kind, Kind::Latest | Kind::Broadcast) {
        return Err(format!(
            "is of kind {kind}, whose values stay for all readers; see them with `strait watch`"
        ));
    }
    if !entry.kind.is_queue() {
        return Err(format!("is of kind {kind}, which has no messages to receive"));
    }
    if entry.lane.is_one_of_many() {
        return Err("has several producers, whose messages a program must take lane by lane; see them with \
                    `strait watch`"
            .into());
    }
    let mem = region.port().mem();
    let is_alive = |owner: Ident| region.port().probe(owner) != Probe::Dead;
    let told = |owner: Ident| {
        let who = Who::of(region, &observe::participants(region), owner);
        format!(
            "its receiver is {who}; only a role that nobody alive has is taken: end that process first, or see the \
                 messages with `strait watch`"
        )
    };
    if !entry.fanout.is_some() {
        let owner = channel_state(mem, region.header().line, entry).consumer;
        return owner.filter(|&owner| is_alive(owner)).map_or(Ok(()), |owner| Err(told(owner)));
    }
    let states = region.channels().filter(|part| part.name == entry.name);
    let states: Vec<_> = states.filter_map(|part| fanout_state(mem, &part)).collect();
    match states.iter().any(|state| !state.has_joined || !state.who.is_some_and(is_alive)) {
        true => Ok(()),
        false => {
            Err("each of its receivers' roles is taken; only one that nobody alive has is taken: end one of them \
                      first"
                .into())
        }
    }
}

/// The receiver of a queue.
enum Queue {
    Frames(Consumer<SystemPort>),
    Values(TypedConsumer<[u8], SystemPort>),
    Fanout(FanoutConsumer<[u8], SystemPort>),
}

impl Queue {
    fn open(region: &Region, entry: &Entry) -> std::result::Result<Self, String> {
        fn told(error: impl Display) -> String {
            error.to_string()
        }
        let name = entry.name().unwrap_or_default();
        let values = ValueType { hash: entry.type_hash, size: entry.max_len };
        Ok(match entry.kind {
            Kind::Frames => Self::Frames(region.consumer(name).map_err(told)?),
            _ if entry.fanout.is_some() => {
                Self::Fanout(region.free_fanout_consumer_of(name, values).map_err(told)?.1)
            }
            _ => {
                let options = ConsumerOptions::new();
                Self::Values(region.typed_consumer_of(name, values, options).map_err(told)?)
            }
        })
    }

    /// The next message's tag and length.
    fn try_recv(&mut self, buffer: &mut [u8]) -> std::result::Result<(u32, usize), TryRecvError> {
        match self {
            Self::Frames(queue) => queue.try_recv(buffer).map(|frame| (frame.tag, frame.len)),
            Self::Values(queue) => queue.try_recv_into(buffer).map(|()| (0, buffer.len())),
            Self::Fanout(queue) => queue.try_recv_into(buffer).map(|()| (0, buffer.len())),
        }
    }

    /// Whether somebody may still send.
    fn has_sender(&self) -> bool {
        let peer = match self {
            Self::Frames(queue) => queue.peer(),
            Self::Values(queue) => queue.peer(),
            Self::Fanout(queue) => queue.peer(),
        };
        peer == PeerStatus::Present
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Frames(queue) => queue.is_empty(),
            Self::Values(queue) => queue.is_empty(),
            Self::Fanout(queue) => queue.is_empty(),
        }
    }
}
