//! The format of calls, byte for byte: a golden vector both ways.
#![cfg(not(strait_loom))]

mod common;

use common::Region;
use common::listing::Listing;
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert};
use strait_core::format::{Kind, ValueType};
use strait_core::ground::call;
use strait_core::{CallClient, CallServer, Channel, Plan, Ran, Reply};

const PLAN: Plan<'_> = Plan::new(&[Channel::calls::<u32, u16>("calls", 2)]).line(4).participants(2);
const LISTING: &str = include_str!("golden/calls.hex");

// Offsets that other implementations rely on.
const_assert!(call::WORDS == 16 && call::MAX_PLACES == 32);
const_assert!(call::TICKET == 0 && call::CALLER == 4 && call::MODE == 8);
const_assert!(call::TAKEN == 0 && call::TAKEN_BY == 4 && call::DONE == 8 && call::STATUS == 12);

type Port = common::TestPort;
assert_impl_all!(CallClient<u32, u16, Port>: Send);
assert_impl_all!(CallServer<u32, u16, Port>: Send);
assert_not_impl_any!(CallClient<u32, u16, Port>: Sync, Clone);
assert_not_impl_any!(CallServer<u32, u16, Port>: Sync, Clone);
assert_not_impl_any!(Reply<'static, u16, Port>: Sync, Clone);

#[test]
fn calls_produce_the_listing() {
    let region = Region::new(&PLAN);
    let mut client = region.join().call_client::<u32, u16>("calls").unwrap();
    let mut server = region.join().call_server::<u32, u16>("calls").unwrap();
    let ticket = client.try_call(&0xAABB_CCDD).unwrap();
    assert_eq!(server.serve(|_| 0x1234), Ok(1));
    assert_eq!(client.poll(ticket), Ok(Some(0x1234)));
    client.post(&7).unwrap();
    assert_eq!(server.serve(|_| 0x5678), Ok(1));
    let ticket = client.try_call(&0x0102_0304).unwrap();
    assert_eq!(client.cancel(ticket), Ok(Ran::No));
    Listing::parse(LISTING).assert_matches(&region.bytes());
}

#[test]
fn the_listing_is_gone_on_with() {
    let region = Region::from_bytes(&Listing::parse(LISTING).bytes);
    let entry = region.entry("calls");
    assert_eq!((entry.kind, entry.capacity), (Kind::Calls, 2));
    assert!(entry.carries::<u32>() && entry.answer == ValueType::of::<u16>());
    // Its participants are dead here.
    let mut server = region.join().call_server::<u32, u16>("calls").unwrap();
    let mut client = region.join().call_client::<u32, u16>("calls").unwrap();
    let ticket = client.try_call(&8).unwrap();
    let (request, reply) = server.try_next().unwrap();
    assert_eq!(request, 8, "call 3 is withdrawn");
    reply.answer(&9);
    assert_eq!(client.poll(ticket), Ok(Some(9)));
}
