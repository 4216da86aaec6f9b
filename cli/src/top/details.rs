//! What there is to say about one channel, in a few lines.

use strait::format::Kind;
use strait::format::inspect::CallStage;
use strait::port::Ident;

use crate::observe::Who;
use crate::text;

use super::cells::{Line, seconds};
use super::region::{Presence, Watched};

/// The lines about a channel, at most five.
pub fn of(line: &Line<'_>) -> Vec<String> {
    let (sample, state, entry) = (line.sample, &line.sample.state, &line.sample.entry);
    let gone = match line.region.presence {
        Presence::Live => "",
        Presence::Still => ", a copy",
        Presence::Gone => ", GONE: as it was seen last",
    };
    let of = match entry.kind {
        Kind::Frames => format!(", {} for frames of up to {} bytes", bytes(entry.capacity), entry.max_len),
        Kind::Semaphore | Kind::Permits => String::new(),
        _ => format!(", {} of {} bytes", entry.capacity, entry.max_len),
    };
    let mut lines = vec![format!("{} {}: {}{of}{gone}", line.region.name, sample.title, entry.kind.name())];
    if let Some(lock) = &sample.lock {
        lines.push(lock.words());
        lines.push(format!("taken over from the dead {} times", sample.takeovers()));
        return lines;
    }
    let owner = |who: Option<Who>| who.map_or("nobody".into(), |who| who.to_string());
    let (producer, consumer) = line.roles();
    if entry.fanout.consumer().is_none() {
        lines.push(format!(
            "{producer} {}, taken over {} times; {} sent, {} refused",
            owner(sample.producer),
            state.producer_takeovers,
            state.sent,
            state.refused
        ));
    }
    if entry.kind.has_two_roles() && (entry.fanout.consumer().is_some() || !entry.fanout.is_some()) {
        let holds_up = if sample.holds_up { "; it leaves the producer no space" } else { "" };
        lines.push(format!(
            "{consumer} {}, taken over {} times; {} behind{holds_up}",
            owner(sample.consumer),
            state.consumer_takeovers,
            state.len
        ));
    }
    if entry.period_us != 0 {
        let late =
            sample.late(line.row).map_or("on time".into(), |late| format!("late by {}", seconds(late)));
        lines.push(format!(
            "expected every {} us; nothing for {}: {late}",
            entry.period_us,
            seconds(line.row.silence)
        ));
    }
    let out: Vec<String> = sample
        .calls
        .iter()
        .map(|call| {
            let stage = match call.state.stage {
                CallStage::Waiting => "waiting".into(),
                CallStage::Withdrawn => "withdrawn".into(),
                CallStage::Taken { .. } => format!("taken by {}", owner(call.taken_by)),
            };
            format!("#{} of {} {stage}", call.state.position, owner(call.caller))
        })
        .collect();
    if !out.is_empty() {
        lines.push(format!("calls out: {}", out.join("; ")));
    }
    lines
}

fn bytes(count: u32) -> String {
    text::bytes(count.into())
}

/// What a participant has in its region: roles, locks, permits.
pub fn roles_of(region: &Watched, ident: Ident) -> Vec<String> {
    let mut roles = Vec::new();
    for sample in &region.picture.channels {
        let is_its = |who: Option<Who>| who.is_some_and(|who| who.ident == ident);
        let lock = sample.lock.as_ref().is_some_and(|lock| lock.is_held_by(ident));
        let (sends, receives) = match sample.entry.kind {
            Kind::Calls => ("calls", "serves"),
            Kind::Latest | Kind::Broadcast => ("writes", "reads"),
            _ => ("sends", "receives"),
        };
        for (verb, has) in
            [(sends, is_its(sample.producer)), (receives, is_its(sample.consumer)), ("holds", lock)]
        {
            if has {
                roles.push(format!("{verb} {}", sample.title));
            }
        }
    }
    roles
}
