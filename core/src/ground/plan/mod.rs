//! Plans: which channels a region has, and from that its size and every offset.

mod calls;
mod channel;
mod error;
mod fanout;
mod layout;

pub use channel::Channel;
pub(crate) use channel::EVENT;
pub use error::{Fault, PlanError};

pub use super::geometry::MAX_REGION;

use super::describe;

/// Which channels a region has. Everything about it can be computed at compile time, or at run time
/// where there are more than a few hundred channels.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan};
/// const PLAN: Plan = Plan::new(&[
///     Channel::frames("commands", 4096, 256).consumer_may_block(),
///     Channel::latest::<f64>("angle"),
/// ]);
/// const SIZE: usize = PLAN.size();
/// assert_eq!(SIZE % 128, 0);
/// ```
///
/// A plan that cannot work is refused at compile time where its size is asked for there:
///
/// ```compile_fail
/// use strait_core::{Channel, Plan};
/// // A frame may take half the ring at most.
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 256, 200)]);
/// const SIZE: usize = PLAN.size();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    channels: &'a [Channel<'a>],
    line: u32,
    participants: u32,
    /// The alignment of the payload's start; 0 if the payload is not split off.
    split_payload: u32,
    /// What describes the types of the channels; empty if nothing does.
    description: &'a str,
}

impl<'a> Plan<'a> {
    /// A plan with lines of 128 bytes and 32 participants.
    #[must_use]
    pub const fn new(channels: &'a [Channel<'a>]) -> Self {
        Self { channels, line: 128, participants: 32, split_payload: 0, description: "" }
    }

    /// Keeps words of different writers `bytes` apart: a power of two from 4 (one core, no cache)
    /// to 4096 (pages).
    #[must_use]
    pub const fn line(mut self, bytes: u32) -> Self {
        self.line = bytes;
        self
    }

    /// Makes room for `count` participants at once, of each domain that the channels name: 1 to 511 in
    /// all. Each domain has its own places, because joining uses compare-and-swap, which two domains
    /// cannot use on one word.
    #[must_use]
    pub const fn participants(mut self, count: u32) -> Self {
        self.participants = count;
        self
    }

    /// Keeps all payload behind all control words, from a multiple of `boundary` bytes on (a power of two
    /// from 8 to 2^20: a page, or what a memory protection unit asks for), so that control words can be
    /// in uncached memory and payload in cached memory; see [`Cache`](crate::port::Cache). There can only
    /// be compact queues and latest values then, and a port without such a cache is refused.
    #[must_use]
    pub const fn split_payload(mut self, boundary: u32) -> Self {
        // None is no power of two.
        self.split_payload = if boundary == 0 { 3 } else { boundary };
        self
    }

    /// Writes a description of types into the region, from which tools show fields by their names and units:
    /// the text that [`describe!`](crate::describe) makes, of 65536 bytes at most. It takes that much memory
    /// more, and nothing else: no endpoint looks at it.
    #[must_use]
    pub const fn described(mut self, text: &'a str) -> Self {
        self.description = text;
        self
    }

    /// The description's text.
    pub(crate) const fn description(&self) -> &'a str {
        self.description
    }

    /// Bytes of the description's block; 0 without one.
    pub(crate) const fn description_len(&self) -> u32 {
        describe::block_len(self.description.len())
    }

    /// The offset from which on there is only payload; 0 if the payload is not [split
    /// off](Self::split_payload).
    ///
    /// # Panics
    ///
    /// As [`size`](Self::size).
    #[must_use]
    pub const fn payload_start(&self) -> usize {
        let _ = self.size();
        match self.start() {
            Ok(start) => start.payload as usize,
            Err(_) => 0,
        }
    }

    /// The alignment of the region's memory.
    pub(crate) const fn align(&self) -> u32 {
        let align = if self.line > self.split_payload { self.line } else { self.split_payload };
        if align > 8 { align } else { 8 }
    }

    /// The channels.
    #[must_use]
    pub const fn channels(&self) -> &'a [Channel<'a>] {
        self.channels
    }

    /// The entries of the directory: one a channel, or one a lane, or one and another for each consumer.
    pub(crate) const fn entry_count(&self) -> usize {
        let (mut entries, mut i) = (0_usize, 0);
        while i < self.channels.len() {
            entries = entries.saturating_add(self.entries_of(i) as usize);
            i += 1;
        }
        entries
    }

    /// How many entries channel `i` has.
    pub(crate) const fn entries_of(&self, i: usize) -> u32 {
        let channel = &self.channels[i];
        match channel.consumers {
            Some(count) => count.saturating_add(1),
            None => channel.lanes,
        }
    }

    pub(crate) const fn line_size(&self) -> u32 {
        self.line
    }

    /// The places in the participant table.
    pub(crate) const fn participant_count(&self) -> u32 {
        let mut domains = 0_u32;
        let mut last = None;
        while let Some(domain) = self.domain_after(last) {
            domains += 1;
            last = Some(domain);
        }
        domains.saturating_mul(self.participants)
    }

    /// The lowest domain above `last` that has places: one that a channel names, or 0 if there is no
    /// channel.
    pub(crate) const fn domain_after(&self, last: Option<u32>) -> Option<u32> {
        let mut lowest = None;
        let mut i = 0;
        while i < self.channels.len() {
            let channel = &self.channels[i];
            if channel.consumer_domains.is_empty() {
                lowest = lower_above(last, lowest, channel.domains.1);
            }
            if channel.lane_domains.is_empty() {
                lowest = lower_above(last, lowest, channel.domains.0);
            }
            let mut consumer = 0;
            while consumer < channel.consumer_domains.len() {
                lowest = lower_above(last, lowest, channel.consumer_domains[consumer]);
                consumer += 1;
            }
            let mut lane = 0;
            while lane < channel.lane_domains.len() {
                lowest = lower_above(last, lowest, channel.lane_domains[lane]);
                lane += 1;
            }
            i += 1;
        }
        if self.channels.is_empty() { lower_above(last, None, 0) } else { lowest }
    }

    /// How many places each domain has.
    pub(crate) const fn places_each(&self) -> u32 {
        self.participants
    }

    /// The region's size in bytes.
    ///
    /// # Panics
    ///
    /// If the plan cannot work, which in a constant is an error of compilation. At run time use
    /// [`try_size`](Self::try_size).
    #[must_use]
    pub const fn size(&self) -> usize {
        match self.try_size() {
            Ok(size) => size as usize,
            Err(error) => match error.fault {
                Fault::Name => panic!("a channel's name must have 1 to 31 bytes, no slash and no NUL"),
                Fault::Duplicate => panic!("two channels have the same name"),
                Fault::Capacity => panic!("a capacity must be a power of two, 1 to 2^30"),
                Fault::Geometry => panic!("a channel's capacity and frame size do not fit together"),
                Fault::Count => panic!("a semaphore counts to 2^30 at most, and permits are 1 to 4096"),
                Fault::Line => panic!("the line must be a power of two from 4 to 4096"),
                Fault::Participants => panic!("a region has 1 to 511 participants, all domains together"),
                Fault::TooLarge => panic!("the region would be 2 GiB or more"),
                Fault::Doorbell => {
                    panic!("only queues and calls can share a doorbell; remove it from the other channels")
                }
                Fault::Period => panic!(
                    "a change can be expected of queues and latest values, once in 71 minutes or more often"
                ),
                Fault::Lanes => {
                    panic!("only queues have several producers, and calls several clients, 256 at most")
                }
                Fault::Description => panic!("a description has 65536 bytes at most"),
                Fault::Consumers => {
                    panic!(
                        "only queues of slots or compact with one producer have several consumers, 32 at most"
                    )
                }
                Fault::Apart => panic!("payload can be split off only of compact queues and latest values"),
            },
        }
    }

    /// The region's size in bytes.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if the plan cannot work; it names the channel and the reason.
    pub const fn try_size(&self) -> Result<u32, PlanError> {
        let mut end = match self.start() {
            Ok(start) => start,
            Err(error) => return Err(error),
        };
        let mut i = 0;
        while i < self.channels.len() {
            let mut lane = 0;
            // A channel without a lane has a fault, which its first entry shows.
            while lane == 0 || lane < self.entries_of(i) {
                end = match self.place(i, lane, end) {
                    Ok((_, next)) => next,
                    Err(error) => return Err(error),
                };
                lane += 1;
            }
            i += 1;
        }
        Ok(if self.split_payload == 0 { end.blocks } else { end.payload })
    }
}

/// The lower one of `lowest` and `domain`, if that is above `last`.
const fn lower_above(last: Option<u32>, lowest: Option<u32>, domain: u32) -> Option<u32> {
    if matches!(last, Some(last) if domain <= last) || matches!(lowest, Some(lowest) if domain >= lowest) {
        lowest
    } else {
        Some(domain)
    }
}
