//! `strait send REGION CHANNEL VALUE`: one message, into a role that nobody has.

use std::fmt::Display;

use strait::format::inspect::channel_state;
use strait::format::{Entry, Kind, ValueType};
use strait::port::Port;
use strait::{OpenError, Region};

use crate::args::Send;
use crate::error::{Error, Result};
use crate::observe::{self, Who};
use crate::print;
use crate::see::types::Type;
use crate::see::{self, value};

/// Sends one message, if the sender's role is free.
pub fn run(wanted: &Send, words: &str) -> Result<()> {
    let (arg, name) = (&wanted.transfer.region, &wanted.transfer.channel);
    let place = arg.region()?;
    let failed = |error| match error {
        OpenError::NotFound => arg.not_found(),
        error => Error::at(arg, error),
    };
    // Everything is checked before this process takes part.
    let seen = observe::open(arg, &place).map_err(failed)?;
    let at = format!("{arg}, {name}");
    let entry = seen.channel(name).map_err(|error| Error::at(&at, error))?;
    if !entry.kind.is_queue() && !matches!(entry.kind, Kind::Latest | Kind::Broadcast) {
        return Err(Error::at(
            &at,
            format!("is of kind {}, which has no messages to send", entry.kind.name()),
        ));
    }
    let bytes = message(&seen, &entry, words).map_err(|why| Error::at(&at, why))?;
    let lane = free_lane(&seen, &entry).map_err(|why| Error::at(&at, why))?;
    drop(seen);
    let region = observe::join(arg, &place, wanted.of_user)?;
    send(&region, &entry, lane, wanted.tag, &bytes).map_err(|why| Error::at(&at, why))?;
    print::out(&format!("sent {} bytes to {}\n", bytes.len(), crate::text::printable(name)))
}

/// The bytes of the message that the user wrote down.
fn message(region: &Region, entry: &Entry, words: &str) -> std::result::Result<Vec<u8>, String> {
    let most = entry.max_len as usize;
    if words.starts_with("0x") {
        let bytes = value::from_hex(words).ok_or("0x must be followed by two hexadecimal digits a byte")?;
        let fits = if entry.type_hash == 0 { bytes.len() <= most } else { bytes.len() == most };
        let rule = if entry.type_hash == 0 { "at most " } else { "" };
        return if fits { Ok(bytes) } else { Err(format!("{} bytes given; give {rule}{most}", bytes.len())) };
    }
    let text = see::describe(region).map_err(|error| error.to_string())?;
    let ty = Type::of_channel(entry, &text)
        .ok_or("the type of its messages is not described in the region; give their bytes as 0x and hexadecimal digits")?;
    ty.parse_words(words)
}

/// The lane whose sender's role nobody has, living or dead; 0 of a channel with one sender.
fn free_lane(region: &Region, entry: &Entry) -> std::result::Result<u32, String> {
    let owner = |lane: &Entry| channel_state(region.port().mem(), region.header().line, lane).producer;
    let usual = |lane: &Entry| lane.name == entry.name && lane.lane.index >= lane.lane.urgent;
    let mut lanes = region.channels().filter(usual);
    if let Some(lane) = lanes.find(|lane| owner(lane).is_none()) {
        return Ok(lane.lane.index);
    }
    Err(match owner(entry) {
        Some(owner) if !entry.lane.is_one_of_many() => {
            let who = Who::of(region, &observe::participants(region), owner);
            format!("its sender is {who}; only a role that nobody has is taken: end that process first")
        }
        _ => "each of its lanes has a sender, but for urgent ones; only a role that nobody has is taken: end one of them first"
            .into(),
    })
}

/// Sends one message as the sender of a channel, or of this lane of it.
fn send(
    region: &Region,
    entry: &Entry,
    lane: u32,
    tag: u32,
    bytes: &[u8],
) -> std::result::Result<(), String> {
    fn told(error: impl Display) -> String {
        error.to_string()
    }
    let name = entry.name().unwrap_or_default();
    let values = ValueType { hash: entry.type_hash, size: entry.max_len };
    match (entry.kind, entry.type_hash) {
        (Kind::Frames, _) => {
            region.lane_producer(name, lane).map_err(told)?.try_send(tag, bytes).map_err(told)?
        }
        (Kind::Latest, 0) => {
            region.latest_writer::<[u8]>(name).map_err(told)?.publish_from(tag, bytes).map_err(told)?;
        }
        (Kind::Latest, _) => {
            region.latest_writer_of(name, values).map_err(told)?.publish_from(tag, bytes).map_err(told)?;
        }
        (Kind::Broadcast, 0) => {
            region.broadcast_writer::<[u8]>(name).map_err(told)?.publish_from(tag, bytes).map_err(told)?;
        }
        (Kind::Broadcast, _) => {
            region.broadcast_writer_of(name, values).map_err(told)?.publish_from(tag, bytes).map_err(told)?;
        }
        _ => {
            region.typed_lane_producer_of(name, values, lane).map_err(told)?.try_send(bytes).map_err(told)?
        }
    }
    Ok(())
}
