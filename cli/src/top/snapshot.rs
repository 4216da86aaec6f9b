//! One look, for scripts and for paper.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use strait::format::inspect::CallStage;
use strait::port::Probe;

use crate::inspect::participant_json;
use crate::observe::Who;
use crate::text::table;

use super::app::Regions;
use super::cells::{HEADS, Line};
use super::region::{Presence, Watched};

/// The look as a table.
pub fn text(regions: &Regions) -> String {
    let mut heads = vec!["REGION".to_owned(), "CHANNEL".into(), "KIND".into()];
    heads.extend(HEADS.map(String::from));
    let mut rows = vec![heads];
    rows.extend(regions.lines().map(|line| {
        let mut row =
            vec![line.region.name.clone(), line.sample.title.clone(), line.sample.entry.kind.name().into()];
        row.extend(line.cells());
        row
    }));
    let mut text = table(&rows, &[0, 1, 2, 2 + HEADS.len()]);
    text.push('\n');
    for region in &regions.all {
        let [alive, dead, unknown] =
            [Probe::Alive, Probe::Dead, Probe::Unknown].map(|probe| region.picture.count(probe));
        text.push_str(&format!("{}: {alive} alive, {dead} dead, {unknown} unknown\n", region.name));
    }
    text
}

/// The look for programs; rates are over this time.
pub fn json(regions: &Regions, over: Duration) -> Value {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    json!({
        "time_ns": u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        "over_s": over.as_secs_f64(),
        "regions": regions.all.iter().map(|one| region(regions, one)).collect::<Vec<_>>(),
    })
}

fn region(regions: &Regions, one: &Watched) -> Value {
    let channels = regions.lines().filter(|line| std::ptr::eq(line.region, one));
    json!({
        "region": one.name,
        "state": match one.presence {
            Presence::Live => "live",
            Presence::Still => "copy",
            Presence::Gone => "gone",
        },
        "instance": format!("{:016x}", one.picture.instance),
        "participants": one.picture.participants.iter().map(participant_json).collect::<Vec<_>>(),
        "channels": channels.map(|line| channel(&line)).collect::<Vec<_>>(),
    })
}

fn channel(line: &Line<'_>) -> Value {
    let (sample, row, state, entry) = (line.sample, line.row, &line.sample.state, &line.sample.entry);
    let who = |who: Option<Who>| who.map_or(Value::Null, |who| who.json());
    let calls = sample.calls.iter().map(|call| {
        json!({
            "number": call.state.position,
            "caller": who(call.caller),
            "stage": match call.state.stage {
                CallStage::Waiting => "waiting",
                CallStage::Withdrawn => "withdrawn",
                CallStage::Taken { .. } => "taken",
            },
            "taken_by": who(call.taken_by),
        })
    });
    let counts = sample.counter().is_some();
    json!({
        "name": entry.name(),
        "lane": entry.lane.is_one_of_many().then_some(entry.lane.index),
        "fanout_consumer": entry.fanout.consumer(),
        "kind": entry.kind.name(),
        "sent": counts.then_some(state.sent),
        "rate": row.rate,
        "capacity": entry.capacity,
        "used": sample.used,
        "fill": sample.fill(),
        "high_water": sample.high_water(),
        "refused": entry.kind.has_two_roles().then_some(state.refused),
        "refused_rate": row.refused_rate,
        "lag": sample.lag(),
        "takeovers": sample.takeovers(),
        "producer": who(sample.producer),
        "consumer": who(sample.consumer),
        "producer_fault": state.producer_fault,
        "consumer_fault": state.consumer_fault,
        "period_us": (entry.period_us != 0).then_some(entry.period_us),
        "late_s": sample.late(row).map(|late| late.as_secs_f64()),
        "holds_up": sample.holds_up,
        "lock": sample.lock.as_ref().map(crate::locks::LockPicture::json),
        "calls_out": calls.collect::<Vec<_>>(),
        "in_trouble": line.is_in_trouble(),
    })
}
