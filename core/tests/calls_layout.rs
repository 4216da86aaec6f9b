//! The format of calls, byte for byte: a golden vector both ways.

use crate::common::Region;
use crate::common::listing::Listing;
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert};
use strait_core::format::{Kind, ValueType};
use strait_core::ground::call;
use strait_core::ground::plan::Fault;
use strait_core::{CallClient, CallServer, Channel, Plan, Ran, Reply};

const PLAN: Plan<'_> = Plan::new(&[Channel::calls::<u32, u16>("calls", 2)]).line(4).participants(2);
const LISTING: &str = include_str!("golden/calls.hex");

// Offsets that other implementations rely on.
const_assert!(call::WORDS == 16 && call::MAX_PLACES == 32);
const_assert!(call::TICKET == 0 && call::CALLER == 4 && call::MODE == 8);
const_assert!(call::TAKEN == 0 && call::TAKEN_BY == 4 && call::DONE == 8 && call::STATUS == 12);

type Port = crate::common::TestPort;
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

#[test]
fn a_plan_that_cannot_work_is_refused() {
    let fault = |channel| Plan::new(&[channel]).try_size().unwrap_err().fault;
    assert_eq!(fault(Channel::calls::<u32, u32>("c", 0)), Fault::Capacity);
    assert_eq!(fault(Channel::calls::<u32, u32>("c", 3)), Fault::Capacity);
    assert_eq!(fault(Channel::calls::<u32, u32>("c", 64)), Fault::Geometry);
    assert_eq!(fault(Channel::calls::<[u8; 0], u32>("c", 1)), Fault::Geometry);
    assert_eq!(fault(Channel::calls::<u32, [u8; 0]>("c", 1)), Fault::Geometry);
    let calls = [Channel::calls::<u32, u32>("c", 1)];
    assert_eq!(Plan::new(&calls).split_payload(64).try_size().unwrap_err().fault, Fault::Apart);
}

#[test]
fn a_small_call_takes_one_line_each_way() {
    let region = Region::new(&Plan::new(&[Channel::calls::<[u8; 48], [u8; 48]>("c", 2)]));
    let entry = region.entry("c");
    let blocks = entry.blocks(128).unwrap();
    assert_eq!((entry.stride, blocks.len_b - blocks.answers), (64, 128));
}
