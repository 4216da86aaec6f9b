//! A channel with several producers is made as new as a whole: every lane of it.

use crate::common::Region;
use strait_core::format::ResetError;
use strait_core::ground::entry::at;
use strait_core::{Channel, ChannelError, LanesConsumer, Plan, TypedLanesConsumer};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("before", 4),
    Channel::slots::<u32>("log", 4).producers(3),
    Channel::frames("text", 256, 32).producers(2),
    Channel::slots::<u32>("behind", 4),
    Channel::slots::<u32>("far", 4).producers_in(&[0, 1]),
])
.line(4)
.participants(4);

#[test]
fn every_lane_is_reset_and_no_other_channel() {
    let region = Region::new(&PLAN);
    let member = region.join();
    for name in ["before", "behind"] {
        member.typed_producer::<u32>(name).unwrap().try_send(&1).unwrap();
    }
    for lane in 0..3 {
        member.typed_lane_producer::<u32>("log", lane).unwrap().try_send(&lane).unwrap();
    }
    // The last one is damaged, too, and the first says that its owner is somebody who never was.
    let [first, .., last] = [0, 1, 2].map(|lane| member.lane("log", lane).unwrap());
    region.poke(last.block_c + at::FAULT, 3);
    region.poke(last.block_b + at::HEAD, 0x1234_5670);
    region.poke(first.block_c, 1 << 31);
    assert_eq!(member.typed_lane_producer::<u32>("log", 0).err(), Some(ChannelError::Busy));
    member.reset_channel("log").unwrap();
    let mut rx: TypedLanesConsumer<u32, _, 3> = member.typed_lanes_consumer("log").unwrap();
    assert!(rx.try_recv().is_err(), "all lanes are empty");
    for lane in 0..3 {
        let mut tx = member.typed_lane_producer::<u32>("log", lane).unwrap();
        for value in 0..9 {
            tx.try_send(&value).unwrap();
            let got = rx.try_recv().unwrap();
            assert_eq!((got.lane, got.message), (lane, value));
        }
    }
    for name in ["before", "behind"] {
        assert_eq!(member.typed_consumer::<u32>(name).unwrap().try_recv(), Ok(1), "{name} is untouched");
    }
}

#[test]
fn lanes_of_frames_are_reset() {
    let region = Region::new(&PLAN);
    let member = region.join();
    for lane in 0..2 {
        member.lane_producer("text", lane).unwrap().try_send(1, b"old").unwrap();
    }
    member.reset_channel("text").unwrap();
    let mut rx: LanesConsumer<_, 2> = member.lanes_consumer("text").unwrap();
    let mut buffer = [0; 32];
    assert!(rx.try_recv(&mut buffer).is_err());
    member.lane_producer("text", 1).unwrap().try_send(1, b"new").unwrap();
    assert_eq!(rx.try_recv(&mut buffer).unwrap().lane, 1);
}

/// Whoever has any of the lanes keeps the whole from being reset; and of a lane whose producer is of another domain
/// nobody here can prove that it is dead.
#[test]
fn a_lane_that_is_used_keeps_all_from_being_reset() {
    let region = Region::new(&PLAN);
    let (tool, other) = (region.join(), region.join());
    let theirs = other.typed_lane_producer::<u32>("log", 2).unwrap();
    let in_use = ResetError::InUse { place: 2, who: Some(other.ident()) };
    assert_eq!(tool.reset_channel("log"), Err(in_use));
    other.die(theirs);
    for lane in 0..3 {
        let mine = tool.typed_lane_producer::<u32>("log", lane).unwrap();
        assert_eq!(tool.reset_channel("log"), Err(ResetError::Held), "lane {lane}");
        drop(mine);
    }
    tool.reset_channel("log").unwrap();
    let far = ResetError::Channel(ChannelError::Domain { planned: 1 });
    assert_eq!(tool.reset_channel("far"), Err(far));
}

/// A program that was killed amid a reset leaves every lane shut, not some of them new; and it is reset again.
#[test]
fn a_reset_that_was_broken_off_leaves_every_lane_shut() {
    let region = Region::new(&PLAN);
    let tool = region.join();
    for lane in 0..3 {
        let entry = tool.lane("log", lane).unwrap();
        let second = entry.block_c + entry.blocks(4).unwrap().role_b;
        [entry.block_c, second].iter().for_each(|&word| region.poke(word, 1 << 31));
    }
    tool.die(());
    let next = region.join();
    assert_eq!(next.typed_free_lane_producer::<u32>("log").err(), Some(ChannelError::Busy));
    next.reset_channel("log").unwrap();
    for lane in 0..3 {
        assert!(next.typed_lane_producer::<u32>("log", lane).is_ok(), "lane {lane}");
    }
}
