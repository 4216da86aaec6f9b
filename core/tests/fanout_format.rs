//! Queues with several consumers in the region format, byte for byte, both ways.

use crate::common::Region;
use crate::common::listing::Listing;
use strait_core::ground::fanout::{FANOUT, MAX_CONSUMERS};
use strait_core::{Channel, Plan, format::Fanout};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("log", 4).consumers_in(&[0, 7]).consumer_may_block().producer_may_block(),
    Channel::compact::<u16>("own", 4),
])
.line(4)
.participants(1);
const LISTING: &str = include_str!("golden/fanout.hex");

#[test]
fn numbers_that_others_rely_on() {
    assert_eq!((FANOUT, MAX_CONSUMERS), (2, 32));
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
    let parts: Vec<_> = region.look().channels().map(|entry| entry.fanout).collect();
    let part = |index| Fanout { index, count: 2 };
    assert_eq!(parts, [part(0), part(1), part(2), Fanout::NONE]);
    let (host, firmware) = (region.join(), region.join_domain(7));
    let mut here = host.fanout_consumer::<u32>("log", 0).unwrap();
    let mut there = firmware.fanout_consumer::<u32>("log", 1).unwrap();
    host.fanout_producer::<u32>("log").unwrap().try_send(&10).unwrap();
    assert_eq!((here.try_recv(), there.try_recv()), (Ok(10), Ok(10)));
}

/// A program that knows no queues with several consumers skips entries whose flags are not 0, and finds the others where
/// they are.
#[test]
fn older_readers_skip_them() {
    let bytes = Region::new(&PLAN).bytes();
    let flags = [0, 1, 2, 3].map(|place| crate::common::raw::load(&bytes, 128 + 128 * place + 36));
    assert_eq!(flags, [FANOUT, FANOUT, FANOUT, 0]);
}
