//! The channel of a transfer: created as the user asked, or found and checked.

use strait::{
    Channel, CreateError, OpenError, OpenOrCreateError, Plan, Region, RegionOptions, RegionPlace,
    format::{Entry, Kind},
};

use crate::args::Transfer;
use crate::error::{Error, Result};

use super::LEAST_FRAME;
use super::removal::PARTICIPANTS;

/// The ring of a channel for which the user gave no capacity.
const CAPACITY: u32 = 1 << 16;

/// The transfer's arguments.
pub struct TransferChannel {
    pub region: RegionPlace,
    /// The region as errors name it.
    pub shown: String,
    pub name: String,
    capacity: u32,
    frame: u32,
    /// Whether the user chose capacity or frame.
    is_chosen: bool,
}

impl TransferChannel {
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
            name: wanted.channel.clone(),
            capacity,
            frame,
            is_chosen: wanted.capacity.is_some() || wanted.frame.is_some(),
        })
    }

    /// Opens the region, or creates it with this one channel, and finds the channel in it.
    pub fn open(&self) -> Result<(Region, Entry)> {
        let channels = [Channel::frames(&self.name, self.capacity, self.frame)
            .consumer_may_block()
            .producer_may_block()];
        let plan = Plan::new(&channels).participants(PARTICIPANTS);
        let attachment =
            self.region.open_or_create(&plan, &RegionOptions::new()).map_err(|error| match error {
                OpenOrCreateError::Create(CreateError::NoSpace) => Error::failed(format!(
                    "{}: no space for it; free some, or give less --capacity",
                    self.shown
                )),
                OpenOrCreateError::Open(OpenError::Attach(error)) => {
                    Error::failed(format!("{}: {error}; `strait rm` removes a damaged region", self.shown))
                }
                error => Error::at(&self.shown, error),
            })?;
        let entry = attachment.channel(&self.name).map_err(|_| self.no_channel(&attachment))?;
        self.check(&entry)?;
        Ok((attachment, entry))
    }

    fn no_channel(&self, attachment: &Region) -> Error {
        let names: Vec<String> = attachment
            .channels()
            .filter(|entry| entry.lane.index == 0 && entry.fanout.index == 0)
            .filter_map(|entry| entry.name().map(String::from))
            .collect();
        Error::failed(format!(
            "{} is there but has no channel '{}'; it has: {}",
            self.shown,
            self.name,
            names.join(", ")
        ))
    }

    fn check(&self, entry: &Entry) -> Result<()> {
        let Self { shown, name, .. } = self;
        if entry.kind != Kind::Frames {
            let kind = entry.kind.name();
            return Err(Error::failed(format!(
                "{shown}: '{name}' is of kind {kind}, a transfer needs frames"
            )));
        }
        if entry.lane.is_one_of_many() {
            return Err(Error::failed(format!(
                "{shown}: '{name}' has {} producers, a transfer needs a channel with one",
                entry.lane.count
            )));
        }
        if entry.max_len < LEAST_FRAME {
            return Err(Error::failed(format!(
                "{shown}: '{name}' has frames of {} bytes, a transfer needs {LEAST_FRAME}",
                entry.max_len
            )));
        }
        Ok(())
    }

    /// A note for the user, if the channel found is not the one asked for.
    pub fn remark(&self, found: &Entry) -> Option<String> {
        let Entry { capacity, max_len: frame, .. } = *found;
        (self.is_chosen && (capacity, frame) != (self.capacity, self.frame)).then(|| {
            format!(
                "note: the channel is there already, with a ring of {capacity} bytes and frames of {frame}"
            )
        })
    }
}
