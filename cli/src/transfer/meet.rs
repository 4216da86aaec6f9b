//! How the two sides meet: whichever comes first creates the region, the other one finds it.

use std::time::{Duration, Instant};

use strait::{
    Channel, ChannelError, CreateError, Entry, Kind, OpenOrCreateError, Plan, Port, Probe, Region,
    RegionOptions, RegionPlace,
};

use crate::args::Transfer;
use crate::error::{Error, Result};
use crate::look;

use super::LEAST_FRAME;
use super::watch::{Side, Watch, owner};

/// The ring of a channel that nobody has said anything about.
const CAPACITY: u32 = 1 << 16;
/// Places in the participant table of a region made for a transfer: an odd number, by which, and by
/// having that one channel in which both sides may block, it is told from those that hold somebody's
/// data. Only such a region is ever removed.
const SEATS: u32 = 7;
/// How long a role that somebody else has, or has just died with, is waited for.
const BUSY: Duration = Duration::from_secs(1);
/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Where a transfer takes place.
pub struct Table {
    pub region: RegionPlace,
    shown: String,
    channel: String,
    capacity: u32,
    frame: u32,
    chosen: bool,
    pub timeout: Duration,
}

/// A side that has met the other.
pub struct Meeting<E> {
    pub attachment: Region,
    pub endpoint: E,
    pub peer: Watch,
    /// Whether the region was made for a transfer, and so is to be removed after it.
    pub ours: bool,
}

impl Table {
    /// Checks what the user asked for.
    pub fn new(wanted: &Transfer) -> Result<Self> {
        let capacity = wanted.capacity.unwrap_or(CAPACITY);
        let longest = capacity / 2 - 16;
        let frame = wanted.frame.unwrap_or(longest);
        if frame > longest {
            return Err(Error::usage(format!(
                "--frame {frame} does not fit into a ring of {capacity} bytes; give 16 to {longest}, or more --capacity"
            )));
        }
        Ok(Self {
            region: wanted.region.region()?,
            shown: wanted.region.to_string(),
            channel: wanted.channel.clone(),
            capacity,
            frame,
            chosen: wanted.capacity.is_some() || wanted.frame.is_some(),
            timeout: wanted.timeout,
        })
    }

    /// Removes what is left of the region, if nothing but a failed transfer is.
    pub fn sweep(&self) {
        sweep(&self.region, &self.channel);
    }

    /// Takes the role of `side` and waits for the other one.
    pub fn meet<E>(
        &self,
        side: Side,
        claim: impl Fn(&Region, &str) -> std::result::Result<E, ChannelError>,
    ) -> Result<Meeting<E>> {
        let start = Instant::now();
        loop {
            let is_early = start.elapsed() < BUSY.min(self.timeout);
            self.sweep();
            let (attachment, entry) = self.open()?;
            match self.may_claim(&attachment, &entry, side) {
                Role::Taken | Role::Spent if is_early => {}
                Role::Taken => return Err(self.taken(side)),
                Role::Free | Role::Spent => match claim(&attachment, &self.channel) {
                    Ok(endpoint) => {
                        if let Some(peer) = self.await_peer(&attachment, entry, side, start)? {
                            let ours = is_ours(&attachment, &self.channel);
                            return Ok(Meeting { attachment, endpoint, peer, ours });
                        }
                    }
                    Err(ChannelError::Busy) if is_early => {}
                    Err(ChannelError::Busy) => return Err(self.taken(side)),
                    Err(error) => {
                        return Err(Error::at(format!("{}, '{}'", self.shown, self.channel), error));
                    }
                },
            }
            drop(attachment);
            std::thread::sleep(PAUSE * 4);
        }
    }

    fn taken(&self, side: Side) -> Error {
        let name = side.name();
        let Self { shown, channel, .. } = self;
        Error::failed(format!("{shown}: '{channel}' has another {name}; wait for it, or take another region"))
    }

    fn nobody(&self, side: Side) -> Error {
        let other = side.other().name();
        let Self { shown, channel, timeout, .. } = self;
        let seconds = timeout.as_secs_f64();
        Error::failed(format!(
            "{shown}, '{channel}': no {other} came within {seconds} s; start it, or give more --timeout"
        ))
    }

    fn open(&self) -> Result<(Region, Entry)> {
        let channels = [Channel::frames(&self.channel, self.capacity, self.frame)
            .consumer_may_block()
            .producer_may_block()];
        let plan = Plan::new(&channels).participants(SEATS);
        let attachment =
            self.region.open_or_create(&plan, &RegionOptions::new()).map_err(|error| match error {
                OpenOrCreateError::Create(CreateError::NoSpace) => Error::failed(format!(
                    "{}: no space for it; free some, or give less --capacity",
                    self.shown
                )),
                OpenOrCreateError::Open(strait::OpenError::Attach(error)) => {
                    Error::failed(format!("{}: {error}; `strait rm` removes a damaged region", self.shown))
                }
                error => Error::at(&self.shown, error),
            })?;
        let entry = attachment.channel(&self.channel).map_err(|_| self.no_channel(&attachment))?;
        self.check(&entry)?;
        Ok((attachment, entry))
    }

    fn no_channel(&self, attachment: &Region) -> Error {
        let names: Vec<String> =
            attachment.channels().filter_map(|entry| entry.name().map(String::from)).collect();
        Error::failed(format!(
            "{} is there but has no channel '{}'; it has: {}",
            self.shown,
            self.channel,
            names.join(", ")
        ))
    }

    fn check(&self, entry: &Entry) -> Result<()> {
        let Self { shown, channel, .. } = self;
        if entry.kind != Kind::Frames {
            let kind = entry.kind.name();
            return Err(Error::failed(format!(
                "{shown}: '{channel}' is of kind {kind}, a transfer needs frames"
            )));
        }
        if entry.max_frame < LEAST_FRAME {
            return Err(Error::failed(format!(
                "{shown}: '{channel}' has frames of {} bytes, a transfer needs {LEAST_FRAME}",
                entry.max_frame
            )));
        }
        Ok(())
    }

    /// What is to be told of a channel that is not as the user asked.
    pub fn remark(&self, endpoint: (u32, u32)) -> Option<String> {
        let (capacity, frame) = endpoint;
        (self.chosen && endpoint != (self.capacity, self.frame)).then(|| {
            format!(
                "note: the channel is there already, with a ring of {capacity} bytes and frames of {frame}"
            )
        })
    }

    fn may_claim(&self, attachment: &Region, entry: &Entry, side: Side) -> Role {
        let other = owner(attachment, entry, side.other());
        match owner(attachment, entry, side) {
            None => Role::Free,
            Some((_, Probe::Dead)) => match other {
                Some((_, probe)) if probe != Probe::Dead => Role::Spent,
                _ => Role::Free,
            },
            Some(_) => Role::Taken,
        }
    }

    /// Waits for somebody alive in the other role; `None` if the region lost its name meanwhile, so
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
}

/// Whether the region was made for a transfer through this channel.
fn is_ours(attachment: &Region, channel: &str) -> bool {
    let header = attachment.header();
    let is_queue = |entry: Entry| entry.kind == Kind::Frames && entry.wait_a != 0 && entry.wait_b != 0;
    header.participant_count == SEATS
        && header.channel_count == 1
        && attachment.channel(channel).is_ok_and(is_queue)
}

/// Removes the region if it was made for a transfer and nobody in it is alive.
pub fn sweep(region: &RegionPlace, channel: &str) {
    let Ok(attachment) = region.open(&RegionOptions::new().read_only(true)) else { return };
    if is_ours(&attachment, channel) && look::living(&attachment).is_empty() {
        remove(region, &attachment);
    }
}

/// Removes the region's name, if it still leads to this one.
pub fn remove(region: &RegionPlace, attachment: &Region) {
    if attachment.port().is_current().unwrap_or(false) {
        let _ = region.remove();
    }
}

/// Whether a role can be had.
enum Role {
    /// Nobody has it, or nobody alive in a channel that nobody alive uses.
    Free,
    /// Somebody alive has it.
    Taken,
    /// Its owner died, and the other one lives: in that one's transfer, which it is about to leave
    /// then, or it is new and waits. Taking the role too early costs another try, never a file.
    Spent,
}

/// The identity of the participant that an attachment is.
pub fn own_identity(attachment: &Region) -> u32 {
    attachment.port().ident().map_or(0, strait::Ident::word)
}
