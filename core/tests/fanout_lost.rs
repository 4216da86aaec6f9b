//! What a successor of a dead consumer of several says of what was lost, if the dead one's place holds garbage.

use crate::common::{Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::{Channel, ConsumerOptions, FanoutConsumer, FanoutProducer, Plan, TryRecvError};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("slots", 8).consumers(2),
    Channel::compact::<u32>("compact", 8).consumers(2),
])
.line(4)
.participants(8);
const OPTIONS: ConsumerOptions = ConsumerOptions::new().release_every(1);

/// A consumer dies after three of these values, and garbage is written into its place; the producer goes on if
/// `goes_on`. Returns what the successor takes for lost, where it starts, and how many were sent.
fn damaged(name: &str, garbage: u32, goes_on: bool) -> (u32, u32, u32) {
    let region = Region::new(&PLAN);
    let mut tx: FanoutProducer<u32, TestPort> = region.join().fanout_producer(name).unwrap();
    let member = region.join();
    let mut dead: FanoutConsumer<u32, TestPort> = member.fanout_consumer_with(name, 1, OPTIONS).unwrap();
    for number in 0..8 {
        tx.try_send(&number).unwrap();
    }
    (0..3).for_each(|number| assert_eq!(dead.try_recv(), Ok(number)));
    let head = region.look().consumer_entry(name, 1).unwrap().block_b + at::HEAD;
    member.die(dead);
    region.poke(head, garbage);
    // Nobody else bounds the producer, and the death is proven at the first send without space.
    let sent = if goes_on { 40 } else { 8 };
    for number in 8..sent {
        tx.try_send(&number).unwrap();
    }
    let heir = region.join();
    let mut heir: FanoutConsumer<u32, TestPort> = heir.fanout_consumer_with(name, 1, OPTIONS).unwrap();
    let said = (heir.missed(), heir.first_sequence(), sent);
    for number in heir.first_sequence()..sent {
        assert_eq!(heir.try_recv(), Ok(number));
    }
    assert_eq!(heir.try_recv(), Err(TryRecvError::Empty));
    said
}

#[test]
fn fault_139_what_a_damaged_place_lost_is_at_most_what_was_sent() {
    for name in ["slots", "compact"] {
        for goes_on in [false, true] {
            for garbage in [41, 1000, 1 << 30, (1 << 31) - 1] {
                let (missed, first, sent) = damaged(name, garbage, goes_on);
                assert!(
                    missed <= first && first <= sent,
                    "{name} {garbage}: {missed} before {first} of {sent}"
                );
            }
            // Far behind is what an honest place looks like after as many messages, and is told as it is.
            let (missed, first, _) = damaged(name, 0_u32.wrapping_sub(1 << 30), goes_on);
            assert_eq!(missed, (1 << 30) + first);
        }
        // An honest place.
        let (missed, first, _) = damaged(name, 3, true);
        assert_eq!(missed, first - 3);
        assert_eq!(damaged(name, 3, false).0, 0);
    }
}
