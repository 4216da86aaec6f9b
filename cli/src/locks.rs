//! Locks, as `strait inspect` shows them.

use serde_json::{Value, json};
use strait::format::MutexState;
use strait::format::inspect::{LockState, PermitState, lock_state, permits};
#[cfg(feature = "top")]
use strait::port::Probe;
use strait::{Region, format::Entry, port::Port};

use crate::observe::{Member, Who};
use crate::text::{printable, table};

/// A lock at one moment, or nearly so.
pub struct LockPicture {
    state: LockState,
    /// The mutex's owner.
    owner: Option<Who>,
    /// The holders of permits or blocks, and their numbers of them.
    holders: Vec<(Who, u32)>,
    /// The senders of blocks that nobody has taken yet, and their numbers of them.
    senders: Vec<(Who, u32)>,
    /// Permits or blocks whose words name nobody that could be.
    impossible: u32,
}

impl LockPicture {
    /// Looks at a channel; `None` if it is no lock.
    pub fn of(attachment: &Region, entry: &Entry, list: &[Member]) -> Option<Self> {
        let (mem, line) = (attachment.port().mem(), attachment.header().line);
        let state = lock_state(mem, line, entry)?;
        let who = |ident| Who::of(attachment, list, ident);
        let owner = match state {
            LockState::Mutex { state: MutexState::Held { owner, .. }, .. } => Some(who(owner)),
            _ => None,
        };
        let mut picture = Self { state, owner, holders: Vec::new(), senders: Vec::new(), impossible: 0 };
        for permit in permits(mem, line, entry) {
            match permit {
                PermitState::Free => {}
                PermitState::Impossible => picture.impossible += 1,
                PermitState::Sent(sender) => {
                    match picture.senders.iter_mut().find(|(who, _)| who.ident == sender) {
                        Some((_, count)) => *count += 1,
                        None => picture.senders.push((who(sender), 1)),
                    }
                }
                PermitState::Taken(holder) => {
                    match picture.holders.iter_mut().find(|(who, _)| who.ident == holder) {
                        Some((_, count)) => *count += 1,
                        None => picture.holders.push((who(holder), 1)),
                    }
                }
            }
        }
        Some(picture)
    }

    /// How often a mutex was taken over from a dead owner.
    #[cfg(feature = "top")]
    pub fn takeovers(&self) -> u32 {
        match self.state {
            LockState::Mutex { takeovers, .. } => takeovers,
            LockState::Semaphore { .. } | LockState::Permits { .. } | LockState::Pool { .. } => 0,
        }
    }

    /// Whether this participant has it, or permits of it.
    #[cfg(feature = "top")]
    pub fn is_held_by(&self, ident: strait::port::Ident) -> bool {
        let mut all = self.owner.iter().chain(self.holders.iter().map(|(who, _)| who));
        all.any(|who| who.ident == ident)
    }

    /// The state in a word or two.
    #[cfg(feature = "top")]
    pub fn short(&self) -> String {
        let process = |who: &Who| match who.pid.here() {
            Some(pid) => format!("pid {pid}"),
            None => who.ident.to_string(),
        };
        match (self.state, &self.owner) {
            (LockState::Mutex { .. }, Some(who)) if who.probe == Probe::Dead => "holder dead".into(),
            (LockState::Mutex { .. }, Some(who)) => format!("held {}", process(who)),
            (LockState::Permits { free, count, .. } | LockState::Pool { free, count, .. }, _) => {
                let is_dead = self.holders.iter().any(|(who, _)| who.probe == Probe::Dead);
                if is_dead { "holder dead".into() } else { format!("{free} of {count} free") }
            }
            _ => self.words(),
        }
    }

    /// Whether something is wrong with it: it is given up, its word is impossible, or a dead process has it.
    #[cfg(feature = "top")]
    pub fn is_in_trouble(&self) -> bool {
        let is_dead = |who: &Who| who.probe == Probe::Dead;
        let is_wrong = match self.state {
            LockState::Mutex { state, .. } => {
                matches!(state, MutexState::Poisoned | MutexState::Impossible)
            }
            LockState::Semaphore { count, .. } => count.is_none(),
            LockState::Permits { .. } | LockState::Pool { .. } => self.impossible > 0,
        };
        is_wrong || self.owner.iter().chain(self.holders.iter().map(|(who, _)| who)).any(is_dead)
    }

    /// The lock for programs.
    pub fn json(&self) -> Value {
        match self.state {
            LockState::Mutex { state, waiters, takeovers, version, in_place } => {
                let (word, deaths) = match state {
                    MutexState::Free => ("free", 0),
                    MutexState::Held { deaths: 0, .. } => ("held", 0),
                    MutexState::Held { deaths, .. } => ("held for repair", deaths),
                    MutexState::Poisoned => ("poisoned", 0),
                    MutexState::Impossible => ("impossible", 0),
                };
                json!({
                    "state": word,
                    "owner": self.owner.map_or(Value::Null, |who| who.json()),
                    "deaths": deaths,
                    "waiters": waiters,
                    "takeovers": takeovers,
                    "version": version,
                    "in_place": in_place,
                })
            }
            LockState::Semaphore { count, most, waiters } => {
                json!({ "count": count, "max": most, "waiters": waiters })
            }
            LockState::Permits { free, count, waiters } => {
                json!({
                    "free": free,
                    "taken": count.saturating_sub(free),
                    "impossible": self.impossible,
                    "waiters": waiters,
                    "holders": with_counts(&self.holders, "permits"),
                })
            }
            LockState::Pool { free, sent, count, waiters } => {
                json!({
                    "free": free,
                    "sent": sent,
                    "taken": count.saturating_sub(free).saturating_sub(sent),
                    "impossible": self.impossible,
                    "waiters": waiters,
                    "holders": with_counts(&self.holders, "blocks"),
                    "senders": with_counts(&self.senders, "blocks"),
                })
            }
        }
    }

    /// Locks as a table.
    pub fn table(locks: &[(&Entry, &Self)]) -> String {
        let head = ["NAME", "KIND", "STATE", "WAITERS", "TAKEOVERS", "VERSION"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(locks.iter().map(|(entry, lock)| {
            let (waiters, takeovers, version) = match lock.state {
                LockState::Mutex { waiters, takeovers, version, .. } => {
                    (waiters, takeovers.to_string(), version.to_string())
                }
                LockState::Semaphore { waiters, .. }
                | LockState::Permits { waiters, .. }
                | LockState::Pool { waiters, .. } => (waiters, "-".into(), "-".into()),
            };
            vec![
                printable(entry.name().unwrap_or("?")),
                entry.kind.name().into(),
                lock.words(),
                if waiters { "yes" } else { "no" }.into(),
                takeovers,
                version,
            ]
        }));
        table(&rows, &[0, 1, 2, 3])
    }

    /// The state in words.
    pub fn words(&self) -> String {
        let owner = self.owner.map_or("?".into(), |who| who.to_string());
        match self.state {
            LockState::Mutex { state, in_place, .. } => {
                let editing = if in_place { ", edited in place" } else { "" };
                match state {
                    MutexState::Free => "free".into(),
                    MutexState::Held { deaths: 0, .. } => format!("held by {owner}{editing}"),
                    MutexState::Held { deaths, .. } => {
                        let times = if deaths == 1 { "death" } else { "deaths" };
                        format!("held for repair after {deaths} {times} by {owner}{editing}")
                    }
                    MutexState::Poisoned => "poisoned".into(),
                    MutexState::Impossible => "impossible".into(),
                }
            }
            LockState::Semaphore { count: Some(count), most, .. } => format!("{count} of {most}"),
            LockState::Semaphore { count: None, .. } => "impossible".into(),
            LockState::Permits { free, count, .. } | LockState::Pool { free, count, .. } => {
                let mut words = format!("{free} of {count} free");
                for (who, count) in &self.holders {
                    words.push_str(&format!(", {count} by {who}"));
                }
                for (who, count) in &self.senders {
                    words.push_str(&format!(", {count} sent by {who}"));
                }
                if self.impossible > 0 {
                    words.push_str(&format!(", {} impossible", self.impossible));
                }
                words
            }
        }
    }
}

/// Participants for programs, each with how many it has.
fn with_counts(list: &[(Who, u32)], what: &str) -> Vec<Value> {
    let entry = |&(who, count): &(Who, u32)| {
        let mut entry = who.json();
        entry[what] = json!(count);
        entry
    };
    list.iter().map(entry).collect()
}
