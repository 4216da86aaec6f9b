//! `strait send REGION CHANNEL VALUE`: one message, into a role that nobody alive has.

use serde_json::json;
use strait::format::Entry;
use strait::format::inspect::fanout_state;
use strait::port::Port;
use strait::{OpenError, Region, TrySendError};

use crate::args::Send;
use crate::error::{Error, Result};
use crate::observe;
use crate::print;
use crate::see::sender::{self, Sender, Sent};
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
    sender::check_kind(&entry).map_err(|why| Error::at(&at, why))?;
    let bytes = message(&seen, &entry, words).map_err(|why| Error::at(&at, why))?;
    let lane = sender::free_lane(&seen, &entry).map_err(|why| Error::at(&at, why))?;
    drop(seen);
    let region = observe::join_of(arg, &place, wanted.of_user)?;
    let sent = Sender::open(&region, &entry, lane).and_then(|mut sender| sender.send(wanted.tag, &bytes));
    if sent.map_err(|why| Error::at(&at, why))? == Sent::Full {
        return Err(Error::at(&at, TrySendError::Full));
    }
    if entry.fanout.is_some() && !has_consumers(&region, name) {
        print::note(&format!("{at}: none of its consumers has joined, so nobody receives it"));
    }
    if wanted.json {
        let lane = entry.lane.is_one_of_many().then_some(lane);
        return print::out(&format!("{}\n", json!({ "channel": name, "lane": lane, "bytes": bytes.len() })));
    }
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

/// Whether anybody has joined in a queue with several consumers.
fn has_consumers(region: &Region, name: &str) -> bool {
    let parts = region.channels().filter(|part| part.name() == Some(name));
    let mut states = parts.filter_map(|part| fanout_state(region.port().mem(), &part));
    states.any(|state| state.has_joined)
}
