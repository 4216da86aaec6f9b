//! Opening a region to observe it, and the participants it lists.

use std::fmt;
use std::fs;
use std::ops::Deref;

use serde_json::{Value, json};
use strait::format::participants::{self, Participant};
use strait::{
    OpenError, Region, RegionFile, RegionOptions, RegionPlace,
    port::{Ident, Liveness, Port, Probe},
};

use crate::error::{self, Error};
use crate::os;
use crate::region_arg::RegionArg;

/// Maps a region for reading alone, of any owner and mode, as long as the system
/// lets this user read it. The path of a region may be a symbolic link.
pub fn open(arg: &RegionArg, region: &RegionPlace) -> Result<Region, OpenError> {
    open_with(arg, region, RegionOptions::new().read_only(true).any_owner(true))
}

/// Takes part in a region of this user, with any mode: whoever may write to the file can cut it short, which ends this
/// process by a signal where the system allows that.
pub fn join(arg: &RegionArg, region: &RegionPlace) -> error::Result<Region> {
    join_if_there(arg, region)?.ok_or_else(|| arg.not_found())
}

/// As [`join`], or `None` if there is no such region.
pub fn join_if_there(arg: &RegionArg, region: &RegionPlace) -> error::Result<Option<Region>> {
    joined(arg, region, None, "run it as that user")
}

/// As [`join`], also in a region of the user that `--of-user` names.
pub fn join_of(arg: &RegionArg, region: &RegionPlace, of_user: Option<u32>) -> error::Result<Region> {
    let remedy = "run it as that user, or name a user that you trust with --of-user";
    joined(arg, region, of_user, remedy)?.ok_or_else(|| arg.not_found())
}

fn joined(
    arg: &RegionArg,
    region: &RegionPlace,
    of_user: Option<u32>,
    remedy: &str,
) -> error::Result<Option<Region>> {
    match open_with(arg, region, os::to_join(RegionOptions::new(), of_user)) {
        Ok(region) => Ok(Some(region)),
        Err(OpenError::NotFound) => Ok(None),
        Err(OpenError::WrongOwner { found }) => Err(Error::at(
            arg,
            format!(
                "the region belongs to user {found}, which could end this command by cutting the file short; {remedy}"
            ),
        )),
        Err(error) => Err(Error::at(arg, error)),
    }
}

fn open_with(arg: &RegionArg, region: &RegionPlace, options: RegionOptions) -> Result<Region, OpenError> {
    let resolved = match arg {
        RegionArg::At(path) => {
            fs::canonicalize(path).map_or_else(|_| region.clone(), |path| RegionFile::new(path).into())
        }
        RegionArg::Named(_) => region.clone(),
    };
    resolved.open(&options)
}

/// A participant as it was when it was looked at, with its process.
#[derive(Clone, Copy)]
pub struct Member {
    one: Participant,
    /// Its process id, as known at that moment: a process that has ended since is in no other namespace.
    pub pid: Pid,
}

impl Deref for Member {
    type Target = Participant;

    fn deref(&self) -> &Participant {
        &self.one
    }
}

impl Member {
    /// Looks for its process. One that ends in the middle of that is dead.
    fn of(mut one: Participant, port: &impl Liveness) -> Self {
        let mut pid = Pid::of(&one);
        if matches!(pid, Pid::Elsewhere(_)) {
            one.probe = port.probe(one.ident);
            pid = Pid::of(&one);
        }
        Self { one, pid }
    }
}

/// The participants that have joined and not left, the dead included.
pub fn participants(attachment: &Region) -> Vec<Member> {
    let port = attachment.port();
    participants::list(port.mem(), attachment.header(), port).map(|one| Member::of(one, port)).collect()
}

/// The participants that have joined and are not proven dead.
pub fn living(attachment: &Region) -> Vec<Member> {
    let mut list = participants(attachment);
    list.retain(|participant| participant.probe != Probe::Dead);
    list
}

/// The word for what is known of a participant.
pub fn word(probe: Probe) -> &'static str {
    match probe {
        Probe::Alive => "alive",
        Probe::Dead => "dead",
        Probe::Unknown => "unknown",
    }
}

/// A participant's process id, as that process sees itself: in another PID namespace (a container) it is the number
/// of another process here, or of none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pid {
    /// Not known.
    Unknown,
    /// The number of that process here too, or of a dead one.
    Here(u32),
    /// No process of this number started when that one did.
    Elsewhere(u32),
}

impl Pid {
    /// Of a participant that was probed just now.
    fn of(one: &Participant) -> Self {
        match (one.card.pid, one.probe) {
            (0, _) => Self::Unknown,
            (pid, Probe::Dead) => Self::Here(pid),
            (pid, _) if os::has_started(pid, one.card.started) == Some(false) => Self::Elsewhere(pid),
            (pid, _) => Self::Here(pid),
        }
    }

    /// The number, where it is one that a user can do something with.
    pub fn here(self) -> Option<u32> {
        match self {
            Self::Here(pid) => Some(pid),
            _ => None,
        }
    }
}

/// For people: the number, marked where it is not one of here.
impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("-"),
            Self::Here(pid) => pid.fmt(f),
            Self::Elsewhere(pid) => write!(f, "{pid} in another PID namespace"),
        }
    }
}

/// Somebody whom a word of the region names.
#[derive(Clone, Copy)]
pub struct Who {
    pub ident: Ident,
    pub probe: Probe,
    pub pid: Pid,
}

impl Who {
    /// The state of `ident`, as far as known.
    pub fn of(attachment: &Region, list: &[Member], ident: Ident) -> Self {
        let pid = list.iter().find(|one| one.ident == ident).map_or(Pid::Unknown, |one| one.pid);
        Self { ident, probe: attachment.port().probe(ident), pid }
    }

    /// Identity and state.
    pub fn short(&self) -> String {
        format!("{} {}", self.ident, word(self.probe))
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        json!({ "id": self.ident.to_string(), "state": word(self.probe), "pid": self.pid.here() })
    }
}

/// Identity, process and state.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Pid::Unknown => write!(f, "{} ({})", self.ident, word(self.probe)),
            pid => write!(f, "{} (pid {pid}, {})", self.ident, word(self.probe)),
        }
    }
}
