//! Lanes of streams in the region format, byte for byte, both ways.

use crate::common::Region;
use crate::common::listing::Listing;
use strait_core::format::{Kind, Lane};
use strait_core::{
    CallError, Channel, FromLane, LanesStreamServer, PartType, Plan, Ran, StreamClient, Streamed,
};

const PLAN: Plan<'_> =
    Plan::new(&[Channel::streams::<u32, u16>("s", 1).clients(2), Channel::parts_for::<u16>("p", 2, 2)])
        .line(4)
        .participants(2);
const LISTING: &str = include_str!("golden/streams_lanes.hex");

#[test]
fn streams_of_two_clients_produce_the_listing() {
    let region = Region::new(&PLAN);
    let (host, other) = (region.join(), region.join());
    let mut near: StreamClient<u32, u16, _> = host.lane_stream_client("s", "p", 0).unwrap();
    let mut far: StreamClient<u32, u16, _> = other.lane_stream_client("s", "p", 1).unwrap();
    let mut server: LanesStreamServer<u32, u16, _, 2> = host.lanes_stream_server("s", "p").unwrap();
    far.start(&0xAABB_CCDD).unwrap();
    near.start(&7).unwrap();
    for lane in 0..2 {
        let (from, mut parts) = server.try_next().unwrap();
        assert_eq!(from.lane, lane);
        parts.send(&(0x1234 + lane as u16)).unwrap();
        parts.keep();
    }
    assert_eq!(server.parts(1).unwrap().end(), 1);
    Listing::parse(LISTING).assert_matches(&region.bytes());
}

#[test]
fn the_listing_is_gone_on_with() {
    let region = Region::from_bytes(&Listing::parse(LISTING).bytes);
    let entries: Vec<_> = region.look().channels().collect();
    assert_eq!(entries.len(), 4);
    for (index, (call, parts)) in (0..).zip(entries[..2].iter().zip(&entries[2..])) {
        let lane = Lane { index, count: 2, urgent: 0 };
        assert_eq!((call.kind, call.lane, call.answer), (Kind::Calls, lane, PartType::of::<u16>().end));
        assert_eq!((parts.kind, parts.lane, parts.max_len, parts.wait_b), (Kind::Frames, lane, 2, 0));
        assert!(call.wait_a != 0 && call.carries::<u32>());
    }
    // Its participants are dead here: the call that was taken is not run again, and its part is nobody's.
    let (host, other) = (region.join(), region.join());
    let mut near: StreamClient<u32, u16, _> = host.lane_stream_client("s", "p", 0).unwrap();
    let mut far: StreamClient<u32, u16, _> = other.lane_stream_client("s", "p", 1).unwrap();
    let mut server: LanesStreamServer<u32, u16, _, 2> = host.lanes_stream_server("s", "p").unwrap();
    assert!(server.try_next().is_err());
    for (lane, client) in [(1, &mut far), (0, &mut near)] {
        client.start(&8).unwrap();
        let (from, mut parts) = server.try_next().unwrap();
        assert_eq!(from, FromLane { lane, message: 8 });
        parts.send(&9).unwrap();
        assert_eq!(parts.end(), 1);
        assert_eq!(client.try_next(), Ok(Some(Streamed::Part(9))));
        assert_eq!(client.try_next(), Ok(Some(Streamed::End { parts: 1 })));
    }
    far.start(&9).unwrap();
    assert_eq!(far.cancel(), Ok(Ran::No));
    assert_eq!(far.try_next(), Err(CallError::UnknownTicket));
}
