//! The meeting of the two sides: the first one creates the region, the other one opens it.

use std::time::{Duration, Instant};

use strait::{ChannelError, Region, RegionPlace, format::Entry, port::Probe};

use crate::args::Transfer;
use crate::error::{Error, Result};
use crate::print;

use super::channel::TransferChannel;
use super::progress::Progress;
use super::removal;
use super::watch::{Side, Watch, owner};

/// How long to wait for a role that somebody else has, or whose owner has just died.
const BUSY: Duration = Duration::from_secs(1);
/// How long to sleep between two looks for the other side.
const PAUSE: Duration = Duration::from_millis(5);

/// The place, and the longest time, of one side's wait for the other.
pub struct Rendezvous {
    channel: TransferChannel,
    timeout: Duration,
}

/// A side that has met the other.
pub struct Meeting<'r, E> {
    pub attachment: Region,
    pub endpoint: E,
    pub peer: Watch,
    /// How long to tolerate a peer that is alive but does nothing.
    pub timeout: Duration,
    /// The region, if it was created for a transfer: the receiver removes it then.
    pub ours: Option<&'r RegionPlace>,
    entry: Entry,
}

impl Rendezvous {
    /// Checks the arguments.
    pub fn new(wanted: &Transfer) -> Result<Self> {
        Ok(Self { channel: TransferChannel::new(wanted)?, timeout: wanted.timeout })
    }

    /// Takes the role of `side` by `claim`, waits for the other side, and calls `transfer`. After a
    /// failure a region created for a transfer is removed, unless somebody in it is alive.
    pub fn run<'r, E, T>(
        &'r self,
        side: Side,
        claim: impl Fn(&Region, &str) -> std::result::Result<E, ChannelError>,
        transfer: impl FnOnce(Meeting<'r, E>) -> Result<T>,
    ) -> Result<T> {
        let waiting = Progress::waiting(side.other().name(), self.timeout);
        let met = self.meet(side, claim);
        waiting.finish_and_clear();
        met.and_then(|meeting| {
            if let Some(remark) = self.channel.remark(&meeting.entry) {
                print::note(&remark);
            }
            transfer(meeting)
        })
        .inspect_err(|_| self.sweep())
    }

    fn meet<E>(
        &self,
        side: Side,
        claim: impl Fn(&Region, &str) -> std::result::Result<E, ChannelError>,
    ) -> Result<Meeting<'_, E>> {
        let start = Instant::now();
        loop {
            let is_early = start.elapsed() < BUSY.min(self.timeout);
            self.sweep();
            let (attachment, entry) = self.channel.open()?;
            let probe = |side| owner(&attachment, &entry, side).map(|(_, probe)| probe);
            match Role::of(probe(side), probe(side.other())) {
                Role::Taken | Role::Spent if is_early => {}
                Role::Taken => return Err(self.taken(side)),
                Role::Free | Role::Spent => match claim(&attachment, &self.channel.name) {
                    Ok(endpoint) => {
                        if let Some(peer) = self.await_peer(&attachment, entry, side, start)? {
                            let is_ours = removal::is_ours(&attachment, &self.channel.name);
                            let ours = is_ours.then_some(&self.channel.region);
                            let timeout = self.timeout;
                            return Ok(Meeting { attachment, endpoint, peer, timeout, ours, entry });
                        }
                    }
                    Err(ChannelError::Busy) if is_early => {}
                    Err(ChannelError::Busy) => return Err(self.taken(side)),
                    Err(error) => {
                        let TransferChannel { shown, name, .. } = &self.channel;
                        return Err(Error::at(format!("{shown}, '{name}'"), error));
                    }
                },
            }
            drop(attachment);
            std::thread::sleep(PAUSE * 4);
        }
    }

    /// Waits for somebody alive in the other role. Returns `None` if the region has lost its name, so
    /// that nobody can come any more.
    fn await_peer(
        &self,
        attachment: &Region,
        entry: Entry,
        side: Side,
        start: Instant,
    ) -> Result<Option<Watch>> {
        loop {
            match owner(attachment, &entry, side.other()) {
                Some((who, probe)) if probe != Probe::Dead => {
                    return Ok(Some(Watch::new(attachment, entry, side.other(), who)));
                }
                _ => {}
            }
            if start.elapsed() >= self.timeout {
                return Err(self.nobody(side));
            }
            if !attachment.port().is_current().unwrap_or(true) {
                return Ok(None);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn sweep(&self) {
        removal::sweep(&self.channel.region, &self.channel.name);
    }

    fn taken(&self, side: Side) -> Error {
        let (TransferChannel { shown, name, .. }, role) = (&self.channel, side.name());
        Error::failed(format!("{shown}: '{name}' has another {role}; wait for it, or take another region"))
    }

    fn nobody(&self, side: Side) -> Error {
        let (TransferChannel { shown, name, .. }, other) = (&self.channel, side.other().name());
        let seconds = self.timeout.as_secs_f64();
        Error::failed(format!(
            "{shown}, '{name}': no {other} came within {seconds} s; start it, or give more --timeout"
        ))
    }
}

/// Whether this side may claim its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Nobody has it, or it is a dead process's in a channel that nobody alive uses.
    Free,
    /// Somebody alive has it.
    Taken,
    /// Its owner died and the other side lives: either that one's transfer is about to fail, or it is
    /// new and waits. Taking the role too early costs another try, never a file.
    Spent,
}

impl Role {
    /// From what is known of the role's owner and of the other role's.
    fn of(owner: Option<Probe>, other: Option<Probe>) -> Self {
        match (owner, other) {
            (None, _) | (Some(Probe::Dead), None | Some(Probe::Dead)) => Self::Free,
            (Some(Probe::Dead), Some(_)) => Self::Spent,
            (Some(_), _) => Self::Taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Probe, Role};

    #[test]
    fn a_role_is_taken_from_nobody_alive() {
        for other in [None, Some(Probe::Dead), Some(Probe::Alive), Some(Probe::Unknown)] {
            assert_eq!(Role::of(None, other), Role::Free);
            for owner in [Probe::Alive, Probe::Unknown] {
                assert_eq!(Role::of(Some(owner), other), Role::Taken);
            }
        }
    }

    #[test]
    fn a_dead_ones_role_waits_for_a_living_peer_to_leave() {
        let dead = Some(Probe::Dead);
        assert_eq!(Role::of(dead, None), Role::Free);
        assert_eq!(Role::of(dead, dead), Role::Free);
        assert_eq!(Role::of(dead, Some(Probe::Alive)), Role::Spent);
        assert_eq!(Role::of(dead, Some(Probe::Unknown)), Role::Spent);
    }
}
