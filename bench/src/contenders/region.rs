//! The regions of strait's contenders: one named region for each, opened by each process.

use std::sync::OnceLock;

use strait::{Channel, ChannelError, Plan, Region, RegionName, RegionOptions};

use crate::error::Result;
use crate::job::{Job, Mode};

/// The name of the channel that is measured.
pub const CHANNEL: &str = "bench";

/// A region that is there, or that whichever process comes first will make.
pub struct Place {
    region: RegionName,
    channels: Vec<Channel<'static>>,
    /// Threads share what their process opened.
    open: OnceLock<Region>,
}

/// The options of all regions here: no page is touched for the first time while the clock runs.
pub fn options() -> RegionOptions {
    RegionOptions::new().prefault(true)
}

/// The region's name: made of process and number.
pub fn region(number: u32) -> Result<RegionName> {
    RegionName::new(&format!("bench-{}-{number}", std::process::id())).map_err(|error| error.to_string())
}

impl Place {
    /// To be laid out so.
    pub fn new(job: &Job, number: u32, channel: Channel<'static>) -> Result<Self> {
        Self::of(job, number, vec![channel])
    }

    /// The same with several channels.
    pub fn of(job: &Job, number: u32, channels: Vec<Channel<'static>>) -> Result<Self> {
        let place = Self { region: region(number)?, channels, open: OnceLock::new() };
        if job.mode == Mode::Threads {
            let _ = place.open.set(place.open()?);
            place.region.remove().map_err(|error| error.to_string())?;
        }
        Ok(place)
    }

    fn open(&self) -> Result<Region> {
        self.region.open_or_create(&Plan::new(&self.channels), &options()).map_err(|error| error.to_string())
    }

    /// Takes an end.
    pub fn take<T>(&self, end: impl FnOnce(&Region) -> std::result::Result<T, ChannelError>) -> Result<T> {
        self.with(|region| end(&region).map_err(|error| error.to_string()))
    }

    /// Takes an end where peers are trusted, so that messages may be made and read in place.
    pub fn take_trusting<T>(
        &self,
        end: impl FnOnce(&Region) -> std::result::Result<T, ChannelError>,
    ) -> Result<T> {
        self.with(|region| {
            // SAFETY: both sides are this program, which keeps the protocol.
            let region = unsafe { region.trusting_peers() };
            end(&region).map_err(|error| error.to_string())
        })
    }

    fn with<T>(&self, end: impl FnOnce(Region) -> Result<T>) -> Result<T> {
        match self.open.get() {
            Some(region) => end(region.clone()),
            None => end(self.open()?),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Between processes the last one finds nothing any more, which is right.
        let _ = self.region.remove();
    }
}
