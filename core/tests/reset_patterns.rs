//! Channels of calls and broadcasts whose words no honest peer writes are made as new, where nobody else takes part in the
//! region.

use crate::common::Region;
use strait_core::ground::entry::at;
use strait_core::port::Cache;
use strait_core::{BroadcastStart, BroadcastTryRecvError, CallError, Channel, ChannelError, Plan, Ran};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::calls::<u32, u32>("one", 2),
    Channel::calls::<u32, u32>("several", 2).clients(2),
    Channel::broadcast::<u32>("broadcast", 4),
])
.line(4)
.participants(4);

/// What no position of a queue can be.
const IMPOSSIBLE: u32 = 0x1234_5670;

#[test]
fn a_faulted_channel_of_calls_is_reset() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let entry = region.entry("one");
    region.poke(entry.block_b + at::HEAD, IMPOSSIBLE);
    region.poke(entry.block_c + at::FAULT, 3);
    let served = member.call_server::<u32, u32>("one").map(|mut server| server.try_next().map(|_| ()));
    assert!(!matches!(served, Ok(Ok(()))), "it is damaged");
    member.reset_channel("one").unwrap();
    assert_eq!(region.peek(entry.block_c + at::FAULT), 0);
    let mut client = member.call_client::<u32, u32>("one").unwrap();
    let mut server = member.call_server::<u32, u32>("one").unwrap();
    for number in 0..5 {
        let ticket = client.try_call(&number).unwrap();
        assert_eq!(server.serve(|number| number + 1), Ok(1));
        assert_eq!(client.poll(ticket), Ok(Some(number + 1)));
    }
}

/// A call that was out when the channel was made as new is nobody's any more: the server does not see it.
#[test]
fn calls_that_are_out_are_gone_after_a_reset() {
    let region = Region::new(&PLAN);
    let member = region.join();
    member.call_client::<u32, u32>("one").unwrap().try_call(&7).unwrap();
    member.reset_channel("one").unwrap();
    let mut server = member.call_server::<u32, u32>("one").unwrap();
    assert!(server.try_next().is_err());
    let mut client = member.call_client::<u32, u32>("one").unwrap();
    let ticket = client.try_call(&8).unwrap();
    assert_eq!(client.cancel(ticket), Ok(Ran::No));
    assert_eq!(client.poll(ticket), Err(CallError::UnknownTicket));
}

#[test]
fn every_lane_of_calls_of_several_clients_is_reset() {
    let region = Region::new(&PLAN);
    let member = region.join();
    for lane in 0..2 {
        member.lane_call_client::<u32, u32>("several", lane).unwrap().try_call(&lane).unwrap();
    }
    member.reset_channel("several").unwrap();
    let mut server = member.lanes_call_server::<u32, u32, 2>("several").unwrap();
    assert!(server.try_next().is_err(), "no lane has a call");
    for lane in 0..2 {
        let mut client = member.lane_call_client::<u32, u32>("several", lane).unwrap();
        let ticket = client.try_call(&lane).unwrap();
        assert_eq!(server.serve(|_, number| number + 10), Ok(1));
        assert_eq!(client.poll(ticket), Ok(Some(lane + 10)));
    }
}

#[test]
fn a_broadcast_is_reset() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut reader = member.broadcast_reader::<u32>("broadcast", BroadcastStart::Oldest).unwrap();
    let mut writer = member.broadcast_writer::<u32>("broadcast").unwrap();
    (0..3).for_each(|number| writer.publish(&number));
    drop(writer);
    member.reset_channel("broadcast").unwrap();
    let mut anew = member.broadcast_reader::<u32>("broadcast", BroadcastStart::Oldest).unwrap();
    assert_eq!(anew.try_recv(), Err(BroadcastTryRecvError::Empty));
    let mut writer = member.broadcast_writer::<u32>("broadcast").unwrap();
    writer.publish(&10);
    assert_eq!(anew.try_recv(), Ok(10));
    // One that was there before finds its way too, in a few calls.
    let found = (0..4).find_map(|_| reader.try_recv().ok());
    writer.publish(&11);
    assert!(found == Some(10) || reader.try_recv() == Ok(11), "{found:?}");
}

/// A role of it that is held keeps the channel as it is.
#[test]
fn what_another_participant_is_in_is_not_reset() {
    let region = Region::new(&PLAN);
    let (member, other) = (region.join(), region.join());
    let client = other.call_client::<u32, u32>("one").unwrap();
    assert!(member.reset_channel("one").is_err());
    assert_eq!(member.call_client::<u32, u32>("one").err(), Some(ChannelError::Busy));
    drop(client);
}

/// Wherever they are; and nothing else is touched.
#[test]
fn the_headers_of_damaged_values_are_made_as_new() {
    const LATEST: Channel<'_> = Channel::latest_bytes("values", 100).buffers(4);
    const BROADCAST: Channel<'_> = Channel::broadcast::<u64>("values", 8);
    for (values, is_split) in [(LATEST, false), (LATEST, true), (BROADCAST, false)] {
        let channels = [Channel::compact::<u32>("before", 4), values, Channel::compact::<u32>("behind", 4)];
        let plan = Plan::new(&channels).line(4).participants(2);
        let plan = if is_split { plan.split_payload(64) } else { plan };
        let region = Region::new(&plan);
        if is_split {
            region.cache.set(Cache { line: 4, from: plan.payload_start() as u32 }).unwrap();
        }
        let member = region.join();
        let (first, entry) = (region.entry("before").block_a, region.entry("values"));
        assert_eq!(entry.split_payload, is_split);
        (first..region.mem().len()).step_by(4).for_each(|word| region.poke(word, 0xA7A7_A7A7));
        let mut new = region.bytes();
        let (headers, step) = if is_split { (entry.block_a + 16, 16) } else { (entry.data, entry.stride) };
        let headers = (0..entry.capacity).map(|index| (headers + index * step, 16));
        let words = [entry.block_a + at::NEWEST, entry.block_c + at::OWNER, entry.block_c + at::FAULT];
        for (from, len) in headers.chain(words.map(|word| (word, 4))) {
            new[from as usize..][..len].fill(0);
        }
        member.reset_channel("values").unwrap();
        let found = region.bytes();
        let differ = (first as usize..found.len()).filter(|&byte| found[byte] != new[byte]);
        assert_eq!(differ.collect::<Vec<_>>(), [], "{:?}, split: {is_split}", entry.kind);
    }
}
