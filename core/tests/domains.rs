//! Two domains in one region: places of their own in the table, roles by the plan, and messages by loads
//! and stores alone.

use crate::common::{Member, Region};
use strait_core::format::participants::{self, Card};
use strait_core::ground::plan::Fault;
use strait_core::protocol::table::LIVE;
use strait_core::{Channel, ChannelError, PeerStatus, Plan, Reading, port::Port};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("down", 256, 32).domains(0, 7),
    Channel::slots::<u32>("up", 4).domains(7, 0),
    Channel::compact::<u32>("back", 4).domains(7, 0),
    Channel::latest::<u64>("angle").domains(7, 0),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(2);

fn places(region: &Region) -> Vec<(u32, u32)> {
    let (look, offsets) = (region.look(), |slot| region.look().header().participant(slot).unwrap());
    let read = |slot| region.peek(offsets(slot) + participants::at::DOMAIN);
    (1..=look.header().participant_count).map(|slot| (slot, read(slot))).collect()
}

#[test]
fn each_domain_has_places_of_its_own() {
    let region = Region::new(&PLAN);
    assert_eq!(places(&region), [(1, 0), (2, 0), (3, 7), (4, 7)]);
    let look = region.look();
    let slots = |domain| participants::places_of(region.mem(), look.header(), domain);
    assert_eq!((slots(0), slots(7)), (1..=2, 3..=4));
    assert!(slots(1).is_empty() && slots(8).is_empty());
    // Lowest first, however the channels stand, and each domain once.
    let channels = [("f", 9, 3), ("g", 3, 9), ("h", 5, 5)]
        .map(|(name, a, b)| Channel::frames(name, 64, 16).domains(a, b));
    let region = Region::new(&Plan::new(&channels).line(4).participants(1));
    assert_eq!(places(&region), [(1, 3), (2, 5), (3, 9)]);
    let nothing = Region::new(&Plan::new(&[]).line(4).participants(1));
    assert_eq!(places(&nothing), [(1, 0)]);
}

#[test]
fn there_are_511_places_in_all() {
    let plan = Plan::new(CHANNELS).line(4);
    assert!(plan.participants(255).try_size().is_ok());
    for each in [256, 511, u32::MAX / 2 + 1] {
        assert_eq!(plan.participants(each).try_size().unwrap_err().fault, Fault::Participants, "{each}");
    }
}

fn table(region: &Region, slots: std::ops::RangeInclusive<u32>) -> Vec<u32> {
    let look = region.look();
    let header = look.header();
    let words = slots.flat_map(|slot| (0..64).step_by(4).map(move |at| (slot, at)));
    words.map(|(slot, at)| region.peek(header.participant(slot).unwrap() + at)).collect()
}

/// Joining compares and swaps words of the joiner's domain alone, however full that is and however dead
/// the other one.
#[test]
fn joining_leaves_the_other_domains_places_alone() {
    let region = Region::new(&PLAN);
    let theirs = [region.join_domain(7), region.join_domain(7)];
    theirs.into_iter().for_each(|member| member.die(()));
    let before = table(&region, 3..=4);
    let [first, second] = [region.join(), region.join()];
    assert_eq!((first.ident().place(), second.ident().place()), (1, 2));
    let header = *first.header();
    let join = |domain| participants::join(region.mem(), &header, domain, first.port(), Card::default());
    assert!(join(0).is_err(), "their places are free, and not ours");
    assert!(join(1).is_err(), "a domain that the plan does not name has no places");
    assert_eq!(table(&region, 3..=4), before);
    let ours = table(&region, 1..=2);
    assert_eq!(region.join_domain(7).ident().place(), 3);
    assert_eq!(table(&region, 1..=2), ours);
    assert_eq!(before[0], LIVE | 1);
}

fn pair(region: &Region) -> (Member, Member) {
    (region.join(), region.join_domain(7))
}

#[test]
fn messages_cross_both_ways() {
    let region = Region::new(&PLAN);
    let (here, there) = pair(&region);
    assert_eq!((here.port().domain(), there.port().domain()), (0, 7));
    let mut down = here.producer("down").unwrap();
    let mut command = there.consumer("down").unwrap();
    let (mut up, mut back) = (there.typed_producer("up").unwrap(), there.typed_producer("back").unwrap());
    let mut from_up = here.typed_consumer::<u32>("up").unwrap();
    let mut from_back = here.typed_consumer::<u32>("back").unwrap();
    for i in 0..100_u32 {
        down.try_send(i, b"across").unwrap();
        assert_eq!(command.try_recv_frame::<32>().unwrap().tag(), i);
        up.try_send(&i).unwrap();
        back.try_send(&!i).unwrap();
        assert_eq!((from_up.try_recv(), from_back.try_recv()), (Ok(i), Ok(!i)));
    }
    let mut angle = there.latest_writer::<u64>("angle").unwrap();
    angle.publish(&5);
    // A participant that only loads may be in any domain.
    for reader in [&here, &there] {
        assert_eq!(reader.latest_reader::<u64>("angle").unwrap().read(), Reading::Fresh(5));
    }
    assert_eq!(down.peer(), PeerStatus::Present);
    there.die((command, up, back, angle));
    assert_eq!(down.peer(), PeerStatus::Dead);
}

/// A role of the dead waits for one of its own domain.
#[test]
fn roles_are_taken_over_within_their_domain_alone() {
    let region = Region::new(&PLAN);
    let (here, there) = pair(&region);
    let mut up = there.typed_producer::<u32>("up").unwrap();
    up.try_send(&1).unwrap();
    let dead = there.ident();
    there.die(up);
    let elsewhere = Some(ChannelError::Domain { planned: 7 });
    assert_eq!(here.typed_producer::<u32>("up").err(), elsewhere);
    assert_eq!(here.latest_writer::<u64>("angle").err(), elsewhere);
    let mut up = region.join_domain(7).typed_producer::<u32>("up").unwrap();
    assert_eq!(up.taken_over_from(), Some(dead));
    up.try_send(&2).unwrap();
    let mut from_up = here.typed_consumer::<u32>("up").unwrap();
    assert_eq!((from_up.try_recv(), from_up.try_recv()), (Ok(1), Ok(2)));
}
