//! `strait inspect`: what is in a region, or in a copy of one.

use serde_json::{Value, json};
use strait::format::inspect::{ChannelState, channel_state, fanout_state};
use strait::format::participants::wear;
use strait::{
    OpenError, Region,
    format::Entry,
    port::{Ident, Port},
};

use crate::args;
use crate::error::{Error, Result};
use crate::locks::LockPicture;
use crate::observe::{self, Member, Pid, Who};
use crate::print;
use crate::text::{self, printable, table};

/// Shows header, participants and channels.
pub fn run(wanted: &args::Inspect) -> Result<()> {
    let arg = &wanted.region;
    let region = arg.region()?;
    let attachment = observe::open(arg, &region).map_err(|error| match error {
        OpenError::NotFound => arg.not_found(),
        error => Error::at(arg, error),
    })?;
    let picture = Picture::of(&attachment);
    if wanted.json {
        let mut shown = picture.json();
        shown["region"] = json!(arg.word());
        return print::out(&format!("{shown}\n"));
    }
    let mut shown = format!("region        {}\n", printable(&region.to_string()));
    shown.push_str(&picture.to_text());
    print::out(&shown)
}

/// A region at one moment, or nearly so.
struct Picture<'a> {
    attachment: &'a Region,
    participants: Vec<Member>,
    channels: Vec<(Entry, ChannelState, Option<LockPicture>)>,
}

impl<'a> Picture<'a> {
    fn of(attachment: &'a Region) -> Self {
        let (mem, line) = (attachment.port().mem(), attachment.header().line);
        let participants = observe::participants(attachment);
        let channels = attachment.channels().map(|entry| {
            let lock = LockPicture::of(attachment, &entry, &participants);
            (entry, channel_state(mem, line, &entry), lock)
        });
        let channels = channels.collect();
        Self { attachment, participants, channels }
    }

    fn json(&self) -> Value {
        let header = self.attachment.header();
        let wear = wear(self.attachment.port().mem(), header);
        let participants: Vec<Value> = self.participants.iter().map(participant_json).collect();
        let channels: Vec<Value> =
            self.channels.iter().map(|(entry, state, lock)| self.channel_json(entry, state, lock)).collect();
        json!({
            "format_version": header.version,
            "instance": format!("{:016x}", header.instance),
            "plan_hash": format!("{:016x}", header.plan_hash),
            "bytes": header.total_len,
            "line": header.line,
            "participant_slots": header.participant_count,
            "participant_slots_retired": wear.retired,
            "participant_joins_of_a_slot": wear.most,
            "participants": participants,
            "channels_unknown": header.channel_count as usize - self.channels.len(),
            "channels": channels,
        })
    }

    fn channel_json(&self, entry: &Entry, state: &ChannelState, lock: &Option<LockPicture>) -> Value {
        if let Some(lock) = lock {
            let mut value = lock.json();
            value["name"] = json!(entry.name());
            value["kind"] = json!(entry.kind.name());
            return value;
        }
        let hash = (entry.type_hash != 0).then(|| format!("{:016x}", entry.type_hash));
        json!({
            "name": entry.name(),
            "lane": entry.lane.is_one_of_many().then_some(entry.lane.index),
            "lanes": entry.lane.count,
            "urgent": entry.lane.index < entry.lane.urgent,
            "fanout_consumer": entry.fanout.consumer(),
            "fanout_consumers": entry.fanout.count,
            "holds_up": fanout_state(self.attachment.port().mem(), entry).map(|state| state.holds_up),
            "kind": entry.kind.name(),
            "capacity": entry.capacity,
            "len": state.len,
            "high_water": state.high_water,
            "max_len": entry.max_len,
            "type_hash": hash,
            "sent": state.sent,
            "refused": state.refused,
            "producer": self.owner_json(state.producer),
            "consumer": self.owner_json(state.consumer),
            "producer_takeovers": state.producer_takeovers,
            "consumer_takeovers": state.consumer_takeovers,
            "producer_fault": state.producer_fault,
            "consumer_fault": state.consumer_fault,
            "producer_may_block": entry.wait_a != 0,
            "consumer_may_block": entry.wait_b != 0,
        })
    }

    fn owner_json(&self, owner: Option<Ident>) -> Value {
        owner.map_or(Value::Null, |who| Who::of(self.attachment, &self.participants, who).json())
    }

    fn to_text(&self) -> String {
        let header = self.attachment.header();
        let mut shown = format!(
            "format        version {}, {}, line {}\ninstance      {:016x}\nplan          {:016x}\n",
            header.version,
            text::bytes(u64::from(header.total_len)),
            header.line,
            header.instance,
            header.plan_hash
        );
        let (count, slots) = (self.participants.len(), header.participant_count);
        let wear = wear(self.attachment.port().mem(), header);
        shown.push_str(&format!(
            "\nparticipants  {count} of {slots}, a place taken up to {} times",
            wear.most
        ));
        match wear.retired {
            0 => shown.push('\n'),
            retired => shown.push_str(&format!(", {retired} retired until the next join\n")),
        }
        if count > 0 {
            shown.push_str(&self.participant_table());
        }
        shown.push_str(&format!("\nchannels      {}\n", header.channel_count));
        if self.channels.iter().any(|(_, _, lock)| lock.is_none()) {
            shown.push_str(&self.channel_table());
            shown.push_str(&self.held_up());
        }
        let locks: Vec<_> =
            self.channels.iter().filter_map(|(entry, _, lock)| Some((entry, lock.as_ref()?))).collect();
        if !locks.is_empty() {
            shown.push_str(&format!("\nlocks         {}\n{}", locks.len(), LockPicture::table(&locks)));
        }
        match header.channel_count as usize - self.channels.len() {
            0 => {}
            left_out => {
                shown.push_str(&format!("{left_out} damaged or of a kind that this version does not know\n"))
            }
        }
        shown
    }

    fn participant_table(&self) -> String {
        let mut rows = vec![["ID", "STATE", "PID", "DOMAIN"].map(String::from).to_vec()];
        rows.extend(self.participants.iter().map(|one| {
            let pid = one.pid.to_string();
            vec![one.ident.to_string(), observe::word(one.probe).into(), pid, one.domain.to_string()]
        }));
        table(&rows, &[0, 1])
    }

    fn channel_table(&self) -> String {
        let head = [
            "NAME", "KIND", "PRODUCER", "CONSUMER", "CAPACITY", "MAX", "LEN", "HIGH", "SENT", "REFUSED",
            "FAULT",
        ];
        let mut rows = vec![head.map(String::from).to_vec()];
        let channels = self.channels.iter().filter(|(_, _, lock)| lock.is_none());
        rows.extend(channels.map(|(entry, state, _)| {
            let mut row = vec![
                name(entry),
                entry.kind.name().into(),
                self.owner(state.producer),
                self.owner(state.consumer),
            ];
            let numbers =
                [entry.capacity, entry.max_len, state.len, state.high_water, state.sent, state.refused];
            row.extend(numbers.map(|number| number.to_string()));
            row.push(faults(state));
            row
        }));
        table(&rows, &[0, 1, 2, 3])
    }

    /// The consumers that leave a producer no space: a line each.
    fn held_up(&self) -> String {
        let mem = self.attachment.port().mem();
        let held = self.channels.iter().filter_map(|(entry, ..)| {
            let state = fanout_state(mem, entry).filter(|state| state.holds_up)?;
            let queue = printable(entry.name().unwrap_or("?"));
            let who = self.owner(state.who);
            Some(format!("{queue} is held up by consumer {}: {who}, {} behind\n", state.consumer, state.lag))
        });
        held.collect()
    }

    fn owner(&self, owner: Option<Ident>) -> String {
        owner.map_or("-".into(), |who| Who::of(self.attachment, &self.participants, who).short())
    }
}

/// The channel's name, with the number of the lane if it has several; an urgent one has an exclamation mark. A
/// consumer of several has its number.
pub fn name(entry: &Entry) -> String {
    let (name, lane) = (printable(entry.name().unwrap_or("?")), entry.lane);
    if let Some(consumer) = entry.fanout.consumer() {
        return format!("{name}>{consumer}");
    }
    match lane.is_one_of_many() {
        false => name,
        true => format!("{name}[{}]{}", lane.index, if lane.index < lane.urgent { "!" } else { "" }),
    }
}

/// A participant for programs.
pub fn participant_json(one: &Member) -> Value {
    json!({
        "id": one.ident.to_string(),
        "state": observe::word(one.probe),
        "pid": one.card.pid,
        "pid_is_of_this_namespace": !matches!(one.pid, Pid::Elsewhere(_)),
        "started": one.card.started,
        "domain": one.domain,
    })
}

/// The violations that were latched, by their numbers, the producer's first.
fn faults(state: &ChannelState) -> String {
    match (state.producer_fault, state.consumer_fault) {
        (0, 0) => "-".into(),
        (producer, consumer) => format!("{producer}/{consumer}"),
    }
}
