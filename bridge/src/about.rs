//! What the bridge says of the region and of itself when it is asked over Zenoh.

use std::sync::Arc;

use serde_json::{Value, json};
use strait::Region;
use strait::format::describe::Description;
use strait::format::{Entry, Kind};
use strait::port::Port;
use zenoh::bytes::Encoding;
use zenoh::sample::Locality;
use zenoh::{Session, Wait};

use crate::plan::Ways;
use crate::session::{STATS, TYPES, key};
use crate::tally::Tally;

/// Replies to queries for the types and the counts.
///
/// # Errors
///
/// Zenoh refuses something.
pub fn declare(
    (session, prefix): (&Session, &str),
    region: &Region,
    ways: &Ways,
    tallies: &[Arc<Tally>],
) -> Result<(), String> {
    let types = types(region, ways).to_string();
    let tallies = tallies.to_vec();
    answer(session, prefix, TYPES, move || types.clone())?;
    answer(session, prefix, STATS, move || {
        Value::from_iter(tallies.iter().map(|tally| tally.json())).to_string()
    })
}

fn answer(
    session: &Session,
    prefix: &str,
    name: &str,
    text: impl Fn() -> String + Send + Sync + 'static,
) -> Result<(), String> {
    session
        .declare_queryable(key(prefix, &[name])?)
        .allowed_origin(Locality::Remote)
        .callback(move |query| {
            // The asker may be gone.
            let reply = query.reply(query.key_expr().clone(), text());
            let _ = reply.encoding(Encoding::APPLICATION_JSON).wait();
        })
        .background()
        .wait()
        .map_err(|error| format!("{name}: {error}"))
}

/// The channels, and the region's description of their types as it is in the region.
fn types(region: &Region, ways: &Ways) -> Value {
    let mem = region.port().mem();
    let text = Description::find(mem, region.header()).ok().flatten().and_then(|found| {
        let mut text = vec![0; found.len()];
        found.read(mem, &mut text).ok().map(str::to_owned)
    });
    let line = |way: &str, entry: &Entry| {
        let mut line = json!({
            "channel": entry.name(),
            "direction": way,
            "kind": entry.kind.name(),
            "type_hash": format!("{:016x}", entry.type_hash),
            "bytes": entry.max_len,
        });
        if entry.kind == Kind::Calls {
            line["answer_type_hash"] = json!(format!("{:016x}", entry.answer.hash));
            line["answer_bytes"] = json!(entry.answer.size);
        }
        line
    };
    let channels: Vec<Value> = ways
        .outs
        .iter()
        .map(|entry| line("out", entry))
        .chain(ways.ins.iter().map(|entry| line("in", entry)))
        .collect();
    json!({
        "region_instance": format!("{:016x}", region.header().instance),
        "channels": channels,
        "types": text.unwrap_or_default(),
    })
}
