//! Lanes of calls in the region format, byte for byte, both ways.

use crate::common::Region;
use crate::common::listing::Listing;
use strait_core::format::{Kind, Lane, ValueType};
use strait_core::{Channel, FromLane, LanesServer, Plan};

const PLAN: Plan<'_> =
    Plan::new(&[Channel::calls::<u32, u16>("calls", 1).clients_in(&[0, 7]).urgent_lanes(1)])
        .line(4)
        .participants(1);
const LISTING: &str = include_str!("golden/calls_lanes.hex");

#[test]
fn calls_of_two_clients_produce_the_listing() {
    let region = Region::new(&PLAN);
    let (host, firmware) = (region.join(), region.join_domain(7));
    let mut near = host.lane_call_client::<u32, u16>("calls", 0).unwrap();
    let mut far = firmware.lane_call_client::<u32, u16>("calls", 1).unwrap();
    let mut server: LanesServer<u32, u16, _, 2> = host.lanes_call_server("calls").unwrap();
    far.try_call(&0xAABB_CCDD).unwrap();
    near.post(&7).unwrap();
    assert_eq!(server.serve(|lane, _| 0x1234 + lane as u16), Ok(2));
    Listing::parse(LISTING).assert_matches(&region.bytes());
}

#[test]
fn the_listing_is_gone_on_with() {
    let region = Region::from_bytes(&Listing::parse(LISTING).bytes);
    let lanes: Vec<_> = region.look().channels().collect();
    assert_eq!(lanes.len(), 2);
    for (index, entry) in (0..).zip(&lanes) {
        assert_eq!((entry.kind, entry.lane), (Kind::Calls, Lane { index, count: 2, urgent: 1 }));
        assert!(entry.carries::<u32>() && entry.answer == ValueType::of::<u16>());
    }
    // Its participants are dead here.
    let (host, firmware) = (region.join(), region.join_domain(7));
    let mut server: LanesServer<u32, u16, _, 2> = host.lanes_call_server("calls").unwrap();
    let mut far = firmware.lane_call_client::<u32, u16>("calls", 1).unwrap();
    let ticket = far.try_call(&8).unwrap();
    let (from, reply) = server.try_next().unwrap();
    assert_eq!(from, FromLane { lane: 1, message: 8 });
    reply.answer(&9);
    assert_eq!(far.poll(ticket), Ok(Some(9)));
}
