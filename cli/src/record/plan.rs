//! What a recording holds of a region's channels, so that the region can be made again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mcap::records::Metadata;
use serde_json::{Value, json};
use strait::format::describe::MAX_DESCRIPTION;
use strait::format::{Entry, Kind, ValueType};
use strait::{Channel, Plan, Region, RegionOptions, RegionPlace};

use crate::see::Scene;

/// The name of these records among a recording's metadata.
pub const NAME: &str = "strait.region";
/// The most channels that are believed.
const MAX_CHANNELS: usize = 4096;

/// What is wrong, as a part of a line for the user.
type Result<T> = std::result::Result<T, String>;

/// The record of a region.
pub fn of(scene: &Scene, name: &str) -> Metadata {
    let (region, header) = (scene.region(), scene.region().header());
    let entries: Vec<Entry> = region.channels().collect();
    let mut bells: BTreeMap<u32, usize> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| first(entry) && entry.wait_b != 0) {
        *bells.entry(entry.wait_b).or_default() += 1;
    }
    bells.retain(|_, count| *count > 1);
    let channels: Vec<Value> = entries
        .iter()
        .filter(|entry| first(entry))
        .map(|entry| {
            let parts: Vec<&Entry> = entries.iter().filter(|other| other.name == entry.name).collect();
            let lanes: Vec<u32> = parts.iter().map(|part| part.domain_a).collect();
            let readers: Vec<u32> = parts
                .iter()
                .filter(|part| part.fanout.consumer().is_some())
                .map(|part| part.domain_b)
                .collect();
            let bell = bells.keys().position(|&word| word == entry.wait_b).map_or(0, |place| place + 1);
            json!({
                "name": entry.name().unwrap_or_default(),
                "kind": entry.kind.name(),
                "capacity": entry.capacity,
                "max_len": entry.max_len,
                "type_hash": format!("{:016x}", entry.type_hash),
                "answer": [format!("{:016x}", entry.answer.hash), entry.answer.size],
                "lanes": if entry.fanout.is_some() { Vec::new() } else { lanes },
                "urgent": entry.lane.urgent,
                "consumers": readers,
                "domains": [entry.domain_a, entry.domain_b],
                "producer_may_block": entry.wait_a != 0,
                "consumer_may_block": entry.wait_b != 0,
                "doorbell": bell,
                "period_us": entry.period_us,
            })
        })
        .collect();
    let domains: BTreeSet<u32> = entries.iter().flat_map(|entry| [entry.domain_a, entry.domain_b]).collect();
    let places = header.participant_count as usize / domains.len().max(1);
    Metadata {
        name: NAME.into(),
        metadata: BTreeMap::from([
            ("region".into(), name.into()),
            ("line".into(), header.line.to_string()),
            ("participants".into(), places.to_string()),
            ("split_payload".into(), entries.iter().any(|entry| entry.split_payload).to_string()),
            ("description".into(), scene.description().into()),
            ("channels".into(), Value::Array(channels).to_string()),
        ]),
    }
}

/// Whether an entry is its channel's first.
fn first(entry: &Entry) -> bool {
    entry.lane.index == 0 && entry.fanout.index == 0
}

/// A channel as a recording has it.
struct Planned {
    name: String,
    kind: Kind,
    capacity: u32,
    values: ValueType,
    answer: ValueType,
    lanes: Vec<u32>,
    urgent: u32,
    consumers: Vec<u32>,
    domains: (u32, u32),
    producer_may_block: bool,
    consumer_may_block: bool,
    doorbell: u32,
    period_us: u32,
}

/// A region as a recording has it.
pub struct PlannedRegion {
    /// Its name among the topics.
    pub name: String,
    /// What it says of its types.
    pub description: String,
    line: u32,
    participants: u32,
    is_split: bool,
    channels: Vec<Planned>,
}

impl PlannedRegion {
    /// Reads the record, which anybody may have written.
    pub fn read(metadata: &BTreeMap<String, String>) -> Result<Self> {
        let text = |key: &str| metadata.get(key).map(String::as_str).ok_or(format!("'{key}' is missing"));
        let number = |key: &str| text(key)?.parse().map_err(|_| format!("'{key}' is no number"));
        let channels: Value =
            serde_json::from_str(text("channels")?).map_err(|_| "'channels' is no JSON".to_owned())?;
        let channels = channels.as_array().ok_or("'channels' is no array")?;
        let description = text("description")?;
        if channels.len() > MAX_CHANNELS || description.len() > MAX_DESCRIPTION as usize {
            return Err("it has more channels or a longer description than a region can have".into());
        }
        Ok(Self {
            name: text("region")?.to_owned(),
            description: description.to_owned(),
            line: number("line")?,
            participants: number("participants")?,
            is_split: text("split_payload")? == "true",
            channels: channels.iter().map(Planned::read).collect::<Result<_>>()?,
        })
    }

    /// Makes the region anew.
    pub fn create(&self, place: &RegionPlace) -> Result<Region> {
        if self.is_split {
            return Err(
                "there is no such region, and one with its payload split off is not made here; start the program that makes it"
                    .into(),
            );
        }
        let channels: Vec<Channel<'_>> = self.channels.iter().map(Planned::channel).collect::<Result<_>>()?;
        let plan =
            Plan::new(&channels).line(self.line).participants(self.participants).described(&self.description);
        plan.try_size().map_err(|error| error.to_string())?;
        place.create(&plan, &RegionOptions::new()).map_err(|error| error.to_string())
    }
}

impl Planned {
    fn read(value: &Value) -> Result<Self> {
        let name = value["name"].as_str().unwrap_or_default().to_owned();
        let wrong = |what: &str| format!("channel '{name}': '{what}' is missing or wrong");
        let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        let word = |key: &str| number(&value[key]).ok_or_else(|| wrong(key));
        let flag = |key: &str| value[key].as_bool().ok_or_else(|| wrong(key));
        let hash = |value: &Value| value.as_str().and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let list = |key: &str| {
            let all = value[key].as_array().map(|all| all.iter().map(number).collect::<Option<Vec<u32>>>());
            all.flatten().ok_or_else(|| wrong(key))
        };
        let domains = list("domains")?;
        let answer = &value["answer"];
        Ok(Self {
            kind: value["kind"].as_str().and_then(kind_of).ok_or_else(|| wrong("kind"))?,
            capacity: word("capacity")?,
            values: ValueType {
                hash: hash(&value["type_hash"]).ok_or_else(|| wrong("type_hash"))?,
                size: word("max_len")?,
            },
            answer: ValueType {
                hash: hash(&answer[0]).ok_or_else(|| wrong("answer"))?,
                size: number(&answer[1]).ok_or_else(|| wrong("answer"))?,
            },
            lanes: list("lanes")?,
            urgent: word("urgent")?,
            consumers: list("consumers")?,
            domains: match domains[..] {
                [a, b] => (a, b),
                _ => return Err(wrong("domains")),
            },
            producer_may_block: flag("producer_may_block")?,
            consumer_may_block: flag("consumer_may_block")?,
            doorbell: word("doorbell")?,
            period_us: word("period_us")?,
            name,
        })
    }

    fn channel(&self) -> Result<Channel<'_>> {
        let (name, capacity, values) = (&*self.name, self.capacity, self.values);
        let mut channel = match (self.kind, values.hash) {
            (Kind::Frames, _) => Channel::frames(name, capacity, values.size),
            (Kind::Slots, _) => Channel::slots_of(name, capacity, values),
            (Kind::Compact, _) => Channel::compact_of(name, capacity, values),
            (Kind::Latest, 0) => Channel::latest_bytes(name, values.size).buffers(capacity),
            (Kind::Latest, _) => Channel::latest_of(name, values).buffers(capacity),
            (Kind::Broadcast, 0) => Channel::broadcast_bytes(name, capacity, values.size),
            (Kind::Broadcast, _) => Channel::broadcast_of(name, capacity, values),
            (Kind::Mutex, _) => Channel::mutex_of(name, values),
            (Kind::Semaphore, _) => Channel::semaphore(name, values.size, capacity),
            (Kind::Permits, _) => Channel::permits(name, capacity),
            (Kind::Pool, _) => Channel::pool(name, capacity, values.size),
            (Kind::Calls, _) => Channel::calls_of(name, capacity, values, self.answer),
            (kind, _) => return Err(format!("channel '{name}': kind {} cannot be made here", kind.name())),
        };
        channel = channel.domains(self.domains.0, self.domains.1);
        if self.lanes.len() > 1 {
            channel = match self.kind {
                Kind::Calls => channel.clients_in(&self.lanes),
                _ => channel.producers_in(&self.lanes),
            };
        }
        if !self.consumers.is_empty() {
            channel = channel.consumers_in(&self.consumers);
        }
        if self.producer_may_block {
            channel = channel.producer_may_block();
        }
        if self.doorbell != 0 {
            channel = channel.doorbell(self.doorbell);
        } else if self.consumer_may_block {
            channel = channel.consumer_may_block();
        }
        Ok(channel.urgent_lanes(self.urgent).expected_every(Duration::from_micros(self.period_us.into())))
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    (0..32).filter_map(Kind::from_code).find(|kind| kind.name() == name)
}
