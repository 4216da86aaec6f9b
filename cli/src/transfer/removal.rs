//! Removing the region of a transfer, and no other.

use strait::{
    Region, RegionOptions, RegionPlace,
    format::{Entry, Kind},
};

use crate::observe;

/// Places in the participant table of a region created for a transfer: a deliberately unusual number.
/// Together with its single channel in which both sides may block, it marks a region as created by
/// `strait send` or `strait recv`, the only kind that is ever removed.
pub const PARTICIPANTS: u32 = 7;

/// Whether the region was created for a transfer through this channel.
pub fn is_ours(attachment: &Region, channel: &str) -> bool {
    let header = attachment.header();
    let is_queue = |entry: Entry| entry.kind == Kind::Frames && entry.wait_a != 0 && entry.wait_b != 0;
    header.participant_count == PARTICIPANTS
        && header.channel_count == 1
        && attachment.channel(channel).is_ok_and(is_queue)
}

/// Removes the region if it was created for a transfer and nobody in it is alive.
pub fn sweep(region: &RegionPlace, channel: &str) {
    let Ok(attachment) = region.open(&RegionOptions::new().read_only(true)) else { return };
    if is_ours(&attachment, channel) && observe::living(&attachment).is_empty() {
        remove(region, &attachment);
    }
}

/// Removes the region's name, if it still leads to this attachment.
pub fn remove(region: &RegionPlace, attachment: &Region) {
    if attachment.port().is_current().unwrap_or(false) {
        let _ = region.remove();
    }
}
