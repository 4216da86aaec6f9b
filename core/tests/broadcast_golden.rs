//! The bytes of a broadcast, as FORMAT.md describes them: a golden vector both ways.

use crate::common::Region;
use crate::common::golden::Sample;
use crate::common::listing::Listing;
use static_assertions::const_assert_eq;
use strait_core::format::Kind;
use strait_core::{BroadcastStart, BroadcastTryRecvError, Channel, Plan};

const PLAN: Plan<'_> =
    Plan::new(&[Channel::broadcast::<Sample>("state", 4).consumer_may_block()]).line(4).participants(1);
const TRAFFIC: &str = include_str!("golden/broadcast.hex");

const_assert_eq!(Kind::Broadcast.code(), 8);

fn sample(number: u64) -> Sample {
    Sample { time_ns: 1000 * number, value: -2.5 }
}

#[test]
fn a_writer_produces_the_listing() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut writer = member.broadcast_writer::<Sample>("state").unwrap();
    (1..=5).for_each(|number| writer.publish_tagged(7, &sample(number)));
    Listing::parse(TRAFFIC).assert_matches(&region.bytes());
}

#[test]
fn the_listing_is_received() {
    let region = Region::from_bytes(&Listing::parse(TRAFFIC).bytes);
    let mut reader = region.look().broadcast_reader::<Sample>("state", BroadcastStart::Oldest).unwrap();
    for number in 3..=5 {
        assert_eq!(reader.try_recv(), Ok(sample(number)));
        let info = reader.info().unwrap();
        assert_eq!((info.number, info.tag, info.len), (number, 7, 16));
    }
    assert_eq!(reader.try_recv(), Err(BroadcastTryRecvError::Empty));
    let mut writer = region.join().broadcast_writer::<Sample>("state").unwrap();
    assert_eq!((writer.published(), writer.taken_over_from().is_some()), (5, true));
    writer.publish(&sample(6));
    assert_eq!(reader.try_recv(), Ok(sample(6)));
}
