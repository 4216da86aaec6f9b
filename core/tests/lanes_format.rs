//! Lanes in the region format, byte for byte, both ways.

use crate::common::Region;
use crate::common::listing::Listing;
use strait_core::ground::lane::{LANE, MAX_LANES};
use strait_core::{Channel, FromLane, Plan, TypedLanesConsumer, format::Lane};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("log", 4).producers_in(&[0, 7]).urgent_lanes(1).consumer_may_block(),
    Channel::compact::<u16>("own", 4),
])
.line(4)
.participants(1);
const LISTING: &str = include_str!("golden/lanes.hex");

#[test]
fn numbers_that_others_rely_on() {
    assert_eq!((LANE, MAX_LANES), (1, 256));
}

#[test]
fn format_produces_the_listing() {
    let listing = Listing::parse(LISTING);
    assert_eq!(PLAN.size(), listing.bytes.len());
    listing.assert_matches(&Region::new(&PLAN).bytes());
}

#[test]
fn the_listing_attaches_and_works() {
    let region = Region::from_bytes(&Listing::parse(LISTING).bytes);
    let lanes: Vec<_> = region.look().channels().map(|entry| entry.lane).collect();
    let lane = |index| Lane { index, count: 2, urgent: 1 };
    assert_eq!(lanes, [lane(0), lane(1), Lane::ONLY]);
    let (host, firmware) = (region.join(), region.join_domain(7));
    firmware.typed_lane_producer::<u32>("log", 1).unwrap().try_send(&20).unwrap();
    host.typed_lane_producer::<u32>("log", 0).unwrap().try_send(&10).unwrap();
    let mut rx: TypedLanesConsumer<u32, _, 2> = host.typed_lanes_consumer("log").unwrap();
    assert_eq!(rx.try_recv(), Ok(FromLane { lane: 0, message: 10 }));
    assert_eq!(rx.try_recv(), Ok(FromLane { lane: 1, message: 20 }));
}

/// A program that knows no lanes skips entries whose flags are not 0, and finds the others where they are.
#[test]
fn older_readers_skip_lanes() {
    let bytes = Region::new(&PLAN).bytes();
    let flags = [0, 1, 2].map(|place| crate::common::raw::load(&bytes, 128 + 128 * place + 36));
    assert_eq!(flags, [LANE, LANE, 0]);
}
