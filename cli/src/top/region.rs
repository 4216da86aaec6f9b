//! A region that is watched, from one look to the next: rates, silence, and what has happened.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use strait::port::Probe;

use crate::error::Result;
use crate::observe::Member;
use crate::region_arg::RegionArg;
use crate::see::Scene;
use crate::text::printable;

use super::picture::{Picture, Sample};

/// Rates that are kept of each channel.
pub const HISTORY: usize = 40;

/// Whether a region is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is mapped, and changes.
    Live,
    /// It is a copy, or a file in which nobody takes part.
    Still,
    /// It is no longer under its name. What was seen last is kept.
    Gone,
}

/// A region that is watched.
pub struct Watched {
    arg: RegionArg,
    /// Its name for people.
    pub name: String,
    pub presence: Presence,
    scene: Option<Scene>,
    pub picture: Picture,
    pub rows: Vec<Row>,
    looked: Instant,
}

/// What is known of a channel by comparing looks.
#[derive(Clone)]
pub struct Row {
    /// Messages, calls, values or changes a second.
    pub rate: Option<f64>,
    /// Refused ones a second.
    pub refused_rate: Option<f64>,
    /// The latest rates, the newest last.
    pub history: VecDeque<f64>,
    /// For how long nothing was sent, as far as was seen.
    pub silence: Duration,
    moved: Instant,
}

impl Row {
    fn new(now: Instant) -> Self {
        let history = VecDeque::new();
        Self { rate: None, refused_rate: None, history, silence: Duration::ZERO, moved: now }
    }

    /// The row after another look.
    fn next(&self, before: &Sample, after: &Sample, now: Instant, over: Duration) -> Self {
        let mut row = self.clone();
        let sent = match (before.counter(), after.counter()) {
            (Some((old, bits)), Some((new, _))) => grown(old, new, bits),
            _ => None,
        };
        let refused = grown(before.state.refused, after.state.refused, 32);
        let per_second = |count: u32| f64::from(count) / over.as_secs_f64().max(1e-6);
        row.rate = sent.map(per_second);
        row.refused_rate = refused.map(per_second);
        if sent != Some(0) {
            row.moved = now;
        }
        row.silence = now.duration_since(row.moved);
        if let Some(rate) = row.rate {
            if row.history.len() == HISTORY {
                row.history.pop_front();
            }
            row.history.push_back(rate);
        }
        row
    }
}

/// How much a count has grown; `None` if it was begun anew.
fn grown(old: u32, new: u32, bits: u32) -> Option<u32> {
    let grown = new.wrapping_sub(old) & u32::MAX >> (32 - bits);
    (grown < 1 << (bits - 1)).then_some(grown)
}

impl Sample {
    /// For how much longer than the plan expects nothing was sent; `None` if it is not late, as is a channel that
    /// nobody has sent to yet.
    pub fn late(&self, row: &Row) -> Option<Duration> {
        let period = Duration::from_micros(self.entry.period_us.into());
        let has_started = self.producer.is_some() || self.state.sent != 0;
        let is_late = !period.is_zero() && has_started && row.silence > period;
        is_late.then(|| row.silence - period)
    }
}

impl Watched {
    /// Opens a region and looks at it.
    pub fn open(arg: &RegionArg, now: Instant) -> Result<Self> {
        let scene = Scene::open_undescribed(arg)?;
        let picture = Picture::of(scene.region());
        let name = printable(&match arg {
            RegionArg::Named(name) => name.clone(),
            RegionArg::At(path) => path.display().to_string(),
        });
        let rows = vec![Row::new(now); picture.channels.len()];
        let presence = presence(&scene);
        Ok(Self { arg: arg.clone(), name, presence, scene: Some(scene), picture, rows, looked: now })
    }

    /// Whether this is the region of that name.
    pub fn is_named(&self, wanted: &str) -> bool {
        matches!(&self.arg, RegionArg::Named(name) if name == wanted)
    }

    /// Looks again; what has happened is added to `news`.
    pub fn look(&mut self, now: Instant, news: &mut Vec<String>) {
        let was_there = self.scene.is_some();
        // A copy does not change; the region that it is of may.
        self.scene = self.scene.take().filter(|scene| !scene.is_copy && scene.is_current());
        if self.scene.is_none() {
            self.scene = Scene::open_undescribed(&self.arg).ok();
        }
        let Some(scene) = &self.scene else {
            self.presence = Presence::Gone;
            if was_there {
                news.push(format!("{} is gone", self.name));
            }
            self.rows.iter_mut().for_each(|row| (row.rate, row.refused_rate) = (None, None));
            return;
        };
        self.presence = presence(scene);
        let picture = Picture::of(scene.region());
        if picture.instance != self.picture.instance || picture.channels.len() != self.picture.channels.len()
        {
            let what = if was_there { "was replaced by another region" } else { "is there, a new one" };
            news.push(format!("{} {what}", self.name));
            self.rows = vec![Row::new(now); picture.channels.len()];
        } else {
            if !was_there {
                news.push(format!("{} is there again", self.name));
            }
            tell(&self.name, &self.picture, &picture, news);
            let over = now.duration_since(self.looked);
            let pairs = self.picture.channels.iter().zip(&picture.channels);
            let rows = self.rows.iter().zip(pairs);
            self.rows = rows.map(|(row, (old, new))| row.next(old, new, now, over)).collect();
        }
        self.picture = picture;
        self.looked = now;
    }
}

fn presence(scene: &Scene) -> Presence {
    if scene.is_still { Presence::Still } else { Presence::Live }
}

/// Tells what has happened between two looks at one region.
fn tell(name: &str, before: &Picture, after: &Picture, news: &mut Vec<String>) {
    let find = |list: &[Member], one: &Member| list.iter().find(|other| other.ident == one.ident).copied();
    let who = |one: &Member| format!("{name}: participant {} (pid {})", one.ident, one.pid);
    for one in &after.participants {
        match find(&before.participants, one) {
            None => news.push(format!("{} has joined", who(one))),
            Some(old) if old.probe != Probe::Dead && one.probe == Probe::Dead => {
                news.push(format!("{} has died", who(one)));
            }
            Some(_) => {}
        }
    }
    for one in before.participants.iter().filter(|one| find(&after.participants, one).is_none()) {
        let how = if one.probe == Probe::Dead { "was cleared away" } else { "is no longer there" };
        news.push(format!("{} {how}", who(one)));
    }
    for (old, new) in before.channels.iter().zip(&after.channels) {
        if new.takeovers() != old.takeovers() {
            news.push(format!("{name}, {}: taken over from a dead owner", new.title));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::grown;

    #[test]
    fn counts_grow_across_their_end() {
        assert_eq!(grown(u32::MAX, 4, 32), Some(5));
        assert_eq!(grown(u32::MAX >> 1, 4, 31), Some(5));
        assert_eq!(grown(7, 7, 31), Some(0));
        assert_eq!((grown(5, 0, 32), grown(5, 0, 31)), (None, None), "it was begun anew");
    }
}
