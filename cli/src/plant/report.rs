//! The end of a run: tables for people, an object for programs, and a verdict.

use serde_json::{Value, json};
use strait::Region;
use strait::format::Entry;
use strait::format::inspect::{ChannelState, channel_state};
use strait::port::Port;

use crate::error::{Error, Result};
use crate::text::table;

use super::calls::End;
use super::messages::{DRIVE, LOG, STATE, STOP};
use super::stations::{BUTTON, CONTROLLER, DRIVES, LANES, PLANNER, RECORDER, SCREENS, STATIONS, SUPERVISOR};
use super::supervisor::Outcome;

/// What the region itself says at the end.
pub struct Counts {
    /// Lines that were committed, by lane.
    committed: [u64; LANES],
    /// Lines that found no room.
    refused: u64,
    /// Calls that were made.
    made: u64,
    /// States that were published.
    published: u64,
    /// Roles that were taken over from the dead, by station.
    takeovers: [u64; STATIONS.len()],
}

impl Counts {
    /// Reads the region's counts. They are those of the whole run once nobody is at work.
    pub fn read(region: &Region) -> Result<Self> {
        let at = |what: &str, error| Error::at(format!("the plant's channel '{what}'"), error);
        let state = |entry: Entry| channel_state(region.port().mem(), region.header().line, &entry);
        let channel = |name| region.channel(name).map(state).map_err(|error| at(name, error));
        let (broadcast, stop) = (channel(STATE)?, channel(STOP)?);
        let mut counts = Self {
            committed: [0; LANES],
            refused: 0,
            made: 0,
            published: broadcast.sent.into(),
            takeovers: [0; STATIONS.len()],
        };
        let roles = |state: ChannelState| [state.producer_takeovers, state.consumer_takeovers].map(u64::from);
        for (drive, name) in DRIVE.into_iter().enumerate() {
            let calls = channel(name)?;
            counts.made += u64::from(calls.sent);
            let [client, server] = roles(calls);
            counts.takeovers[PLANNER] += client;
            counts.takeovers[drive] += server;
        }
        counts.takeovers[CONTROLLER] += roles(broadcast)[0];
        counts.takeovers[BUTTON] += roles(stop)[0];
        for lane in 0..LANES {
            let state = region.lane(LOG, lane as u32).map(state).map_err(|error| at(LOG, error))?;
            counts.committed[lane] = state.sent.into();
            counts.refused += u64::from(state.refused);
            let [producer, consumer] = roles(state);
            // The supervisor, whose lane is the last, is never killed; the recorder, in its place, has no lane.
            counts.takeovers[lane] += producer;
            counts.takeovers[RECORDER] += consumer;
        }
        Ok(counts)
    }
}

/// The result of a run.
pub struct Summary<'a> {
    outcome: &'a Outcome,
    counts: Counts,
    seconds: f64,
}

impl<'a> Summary<'a> {
    /// Puts together what was recorded, what the region says, and what the supervisor did.
    pub fn new(outcome: &'a Outcome, counts: Counts, seconds: f64) -> Self {
        Self { outcome, counts, seconds }
    }

    fn kills(&self) -> u64 {
        self.outcome.kills.iter().sum()
    }

    fn takeovers(&self) -> u64 {
        self.counts.takeovers.iter().sum()
    }

    /// Lines that were committed and are not recorded, in one lane.
    fn lost_in(&self, lane: usize) -> u64 {
        self.counts.committed[lane].saturating_sub(self.outcome.ledger.lanes[lane].recorded)
    }

    fn over_lanes(&self, count: impl Fn(usize) -> u64) -> u64 {
        (0..LANES).map(count).sum()
    }

    fn committed(&self) -> u64 {
        self.counts.committed.iter().sum()
    }

    fn recorded(&self) -> u64 {
        self.over_lanes(|lane| self.outcome.ledger.lanes[lane].recorded)
    }

    fn lost(&self) -> u64 {
        self.over_lanes(|lane| self.lost_in(lane))
    }

    fn again(&self) -> u64 {
        self.over_lanes(|lane| self.outcome.ledger.lanes[lane].again)
    }

    /// How many lines may come again: of each recorder that was killed, the one that it had received last.
    fn may_come_again(&self) -> u64 {
        self.outcome.kills[RECORDER]
    }

    /// Calls of which no planner knows the end.
    fn without_end(&self) -> u64 {
        self.counts.made.saturating_sub(self.outcome.ledger.calls.all())
    }

    fn late(&self) -> u64 {
        let calls = &self.outcome.ledger.calls;
        calls.count(End::LateBefore) + calls.count(End::LateMaybe)
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        let Outcome { ledger, kills, longest } = self.outcome;
        let of_stations = |counts: &[u64; STATIONS.len()]| -> Value {
            STATIONS
                .iter()
                .zip(counts)
                .map(|(station, &count)| (station.name.to_string(), json!(count)))
                .collect()
        };
        let screens = ledger.screens.iter().map(|screen| {
            json!({ "received": screen.shown(), "lost": screen.lost(), "last": screen.last, "wrong": screen.broken })
        });
        let value = json!({
            "seconds": self.seconds,
            "processes": STATIONS.len() + 1,
            "kills": self.kills(),
            "kills_by_station": of_stations(kills),
            "takeovers": self.takeovers(),
            "takeovers_by_station": of_stations(&self.counts.takeovers),
            "longest_takeover_ns": longest.as_nanos() as u64,
            "log": {
                "committed": self.committed(),
                "recorded": self.recorded(),
                "lost": self.lost(),
                "duplicated": self.again(),
                "duplicates_allowed": self.may_come_again(),
                "refused": self.counts.refused,
            },
            "calls": {
                "made": self.counts.made,
                "answered": ledger.calls.count(End::Answered),
                "refused": ledger.calls.count(End::Refused),
                "died_not_run": ledger.calls.count(End::DiedBefore),
                "died_maybe_run": ledger.calls.count(End::DiedMaybe),
                "timed_out": self.late(),
                "planner_killed": self.without_end(),
                "contradictions": ledger.calls.contradictions(),
            },
            "state": { "published": self.counts.published, "screens": screens.collect::<Vec<_>>() },
            "stops": ledger.stops,
        });
        format!("{value}\n")
    }

    /// Tables.
    pub fn text(&self) -> String {
        let Outcome { ledger, kills, longest } = self.outcome;
        let titles = ["", "killed", "roles taken over", "lines committed", "recorded", "lost", "again"];
        let mut rows = vec![titles.map(String::from).to_vec()];
        let lines = |lane: usize| {
            let committed = self.counts.committed[lane];
            [committed, ledger.lanes[lane].recorded, self.lost_in(lane), ledger.lanes[lane].again]
        };
        let mut row = |name: &str, toll: Option<[u64; 2]>, lines: Option<[u64; 4]>| {
            let text = |count: Option<u64>| count.map_or(String::new(), |count| count.to_string());
            let toll = (0..2).map(|at| text(toll.map(|toll| toll[at])));
            let lines = (0..4).map(|at| text(lines.map(|lines| lines[at])));
            rows.push([name.into()].into_iter().chain(toll).chain(lines).collect());
        };
        for (at, station) in STATIONS.iter().enumerate() {
            row(
                station.name,
                Some([kills[at], self.counts.takeovers[at]]),
                (at != RECORDER).then(|| lines(at)),
            );
        }
        row("supervisor", None, Some(lines(SUPERVISOR)));
        let all = [self.committed(), self.recorded(), self.lost(), self.again()];
        row("all", Some([self.kills(), self.takeovers()]), Some(all));
        let mut text = table(&rows, &[0]);
        let calls = &ledger.calls;
        let rows = [
            ("calls made", self.counts.made),
            ("answered", calls.count(End::Answered)),
            ("refused, emergency stop pressed", calls.count(End::Refused)),
            ("drive died, not run", calls.count(End::DiedBefore)),
            ("drive died, perhaps run", calls.count(End::DiedMaybe)),
            ("timed out", self.late()),
            ("planner killed before the end", self.without_end()),
            ("states published", self.counts.published),
        ];
        let mut rows = rows.map(|(what, count)| vec![what.into(), count.to_string()]).to_vec();
        for (screen, station) in ledger.screens.iter().zip(SCREENS) {
            let name = STATIONS[station].name;
            rows.push(vec![format!("{name} received"), screen.shown().to_string()]);
            rows.push(vec![format!("{name} lost, overtaken"), screen.lost().to_string()]);
        }
        rows.push(vec!["emergency stops".into(), ledger.stops.to_string()]);
        if self.kills() > 0 {
            rows.push(vec!["longest takeover".into(), format!("{:.1} ms", longest.as_secs_f64() * 1e3)]);
        }
        text.push_str(&format!("\n{}", table(&rows, &[0])));
        text.push_str(&format!("\n{} processes ran for {} s\n", STATIONS.len() + 1, self.seconds));
        text
    }

    /// What was lost, if something was, or came more often than it may.
    pub fn verdict(&self) -> Option<String> {
        let Outcome { ledger, kills, .. } = self.outcome;
        for (lane, counts) in ledger.lanes.iter().enumerate() {
            let name =
                STATIONS.get(lane).filter(|_| lane != RECORDER).map_or("supervisor", |station| station.name);
            let committed = self.counts.committed[lane];
            if counts.recorded != committed || counts.missing > 0 {
                return Some(format!(
                    "of {committed} log lines of the {name}, {} were recorded",
                    counts.recorded
                ));
            }
            if counts.broken > 0 {
                let broken = counts.broken;
                return Some(format!("{broken} log lines of the {name} do not continue those before them"));
            }
        }
        if self.again() > self.may_come_again() {
            let (again, most) = (self.again(), self.may_come_again());
            return Some(format!(
                "{again} log lines came again; {most} recorders were killed, so {most} may"
            ));
        }
        self.wrong_calls().or_else(|| self.wrong_states()).or_else(|| {
            let mut stations = STATIONS.iter().zip(kills).zip(self.counts.takeovers);
            let ((station, kills), takeovers) =
                stations.find(|&((station, kills), takeovers)| takeovers != kills * station.roles)?;
            let (name, roles) = (station.name, kills * station.roles);
            Some(format!(
                "of the {name}, killed {kills} times, {takeovers} roles were taken over instead of {roles}"
            ))
        })
    }

    fn wrong_calls(&self) -> Option<String> {
        let (calls, made, planners) =
            (&self.outcome.ledger.calls, self.counts.made, self.outcome.kills[PLANNER]);
        if calls.contradictions() > 0 {
            return Some(format!(
                "{} of {made} calls were run more or less often than their planner was told",
                calls.contradictions()
            ));
        }
        // A planner has one call out at a time.
        let ended = calls.all();
        if ended > made || made - ended > planners || calls.unended() > planners {
            return Some(format!("of {made} calls {ended} ended; {planners} planners were killed"));
        }
        None
    }

    fn wrong_states(&self) -> Option<String> {
        let published = self.counts.published;
        for (screen, station) in self.outcome.ledger.screens.iter().zip(SCREENS) {
            let name = STATIONS[station].name;
            if screen.broken > 0 {
                return Some(format!(
                    "{name}: what it received and lost is not what was published meanwhile"
                ));
            }
            if screen.last != published {
                return Some(format!(
                    "{name}: the last state that it received is {} of {published}",
                    screen.last
                ));
            }
        }
        None
    }
}

const _: () = assert!(DRIVES == DRIVE.len(), "each drive has a channel");
