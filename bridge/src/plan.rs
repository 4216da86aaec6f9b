//! Which channels go which way.

use strait::Region;
use strait::format::inspect::channel_state;
use strait::format::{Entry, Kind};
use strait::port::Port;

/// Channels by their way; of one with several lanes or parts, the first.
#[derive(Default)]
pub struct Ways {
    /// From the region.
    pub outs: Vec<Entry>,
    /// Into the region.
    pub ins: Vec<Entry>,
    /// Channels of which nothing says which way they go.
    pub neither: Vec<String>,
}

/// The channels that the user named, or all by who holds their roles.
///
/// # Errors
///
/// A name is of no channel that can be bridged, or given both ways.
pub fn ways(region: &Region, outs: &[String], ins: &[String]) -> Result<Ways, String> {
    let entries = entries(region);
    let find = |name: &String| {
        entries.iter().find(|entry| entry.name() == Some(name)).copied().ok_or_else(|| {
            let names: Vec<_> = entries.iter().filter_map(Entry::name).collect();
            format!("there is no channel '{name}' to bridge; there are: {}", names.join(", "))
        })
    };
    if let Some(both) = outs.iter().find(|name| ins.contains(name)) {
        return Err(format!(
            "'{both}' is to go out and to come in, and would go round for ever; give it one way"
        ));
    }
    if !outs.is_empty() || !ins.is_empty() {
        let all = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names.dedup();
            names.iter().map(find).collect::<Result<Vec<_>, _>>()
        };
        return Ok(Ways { outs: all(outs)?, ins: all(ins)?, neither: Vec::new() });
    }
    let mut ways = Ways::default();
    for entry in entries {
        let (has_sender, has_receiver) = holders(region, &entry);
        match (has_sender, has_receiver) {
            (true, false) => ways.outs.push(entry),
            (false, true) => ways.ins.push(entry),
            _ => ways.neither.extend(entry.name().map(String::from)),
        }
    }
    Ok(ways)
}

/// The channels that have messages or calls, each once.
pub fn entries(region: &Region) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for entry in region.channels() {
        let is_one =
            entry.kind.is_queue() || matches!(entry.kind, Kind::Latest | Kind::Broadcast | Kind::Calls);
        if is_one && entry.name().is_some() && !entries.iter().any(|other| other.name == entry.name) {
            entries.push(entry);
        }
    }
    entries
}

/// Whether any lane or part of the channel has a sender, and a receiver.
fn holders(region: &Region, entry: &Entry) -> (bool, bool) {
    let parts = region.channels().filter(|part| part.name == entry.name);
    parts.fold((false, false), |(sender, receiver), part| {
        let state = channel_state(region.port().mem(), region.header().line, &part);
        (sender || state.producer.is_some(), receiver || state.consumer.is_some())
    })
}
