//! What a producer's wait for space sends while its consumers come and die, and what tools see of them.

use std::sync::mpsc;
use std::time::Duration;

use crate::common::{Region, TestPort, raw};
use strait_core::format::inspect::fanout_state;
use strait_core::ground::entry::at;
use strait_core::{
    Channel, ChannelError, ConsumerOptions, FanoutConsumer, FanoutProducer, Plan, TryRecvError, TrySendError,
    WaitPolicy,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("slots", 8).consumers(2).producer_may_block(),
    Channel::compact::<u32>("compact", 8).consumers(2).producer_may_block(),
])
.line(4)
.participants(4);

/// Longer than anything takes here.
const LONG: Duration = Duration::from_secs(60);

/// At each look at the clock in turn, the consumer that holds the producer up receives all, and the other one dies. Whether
/// it is left out before the value that is waited for is sent or after that, this is sent once.
#[test]
fn a_value_is_sent_once_whenever_a_consumer_is_left_out() {
    let options = ConsumerOptions::new().release_every(1);
    let policy = WaitPolicy { spin: 0, probe: Duration::ZERO, ..WaitPolicy::polling() };
    for (name, before) in ["slots", "compact"].into_iter().flat_map(|name| (0..12).map(move |n| (name, n))) {
        let region = Region::new(&PLAN);
        let mut tx: FanoutProducer<u32, TestPort> = region.join().fanout_producer(name).unwrap();
        let dying = region.join();
        let join = |consumer| region.join().fanout_consumer_with(name, consumer, options).unwrap();
        let mut slow: FanoutConsumer<u32, TestPort> = join(0);
        let mut dead: FanoutConsumer<u32, TestPort> = dying.fanout_consumer_with(name, 1, options).unwrap();
        (0..8).for_each(|number| tx.try_send(&number).unwrap());
        assert_eq!(dead.try_recv(), Ok(0));
        tx.set_wait_policy(policy);
        let (give, taken) = mpsc::channel();
        {
            let mut hooks = region.hooks.on_clock.lock().unwrap();
            hooks.extend((0..before).map(|_| None));
            hooks.push_back(Some(Box::new(move || {
                (0..8).for_each(|number| assert_eq!(slow.try_recv(), Ok(number)));
                slow.release();
                dying.die(dead);
                give.send(slow).unwrap();
            })));
        }
        assert_eq!(tx.send_timeout(&8, LONG), Ok(()), "{name}, {before}");
        let mut slow = taken.recv().unwrap();
        assert_eq!(slow.try_recv(), Ok(8), "{name}, {before}");
        assert_eq!(slow.try_recv(), Err(TryRecvError::Empty), "{name}, {before}");
        assert_eq!(tx.next_sequence(), 9, "{name}, {before}");
    }
}

/// One that holds the producer up when the time is up was asked for, even if there was no time to wait.
#[test]
fn a_dead_consumer_is_left_out_when_the_time_is_up() {
    let region = Region::new(&PLAN);
    let mut tx: FanoutProducer<u32, TestPort> = region.join().fanout_producer("slots").unwrap();
    let dying = region.join();
    let dead: FanoutConsumer<u32, TestPort> = dying.fanout_consumer("slots", 0).unwrap();
    tx.set_wait_policy(WaitPolicy { probe: LONG, ..WaitPolicy::parking() });
    while tx.try_send(&1).is_ok() {}
    assert_eq!(tx.high_water(), 8);
    dying.die(dead);
    assert_eq!(
        tx.try_send(&1).err(),
        Some(TrySendError::Full),
        "it was asked for less than a probe period ago"
    );
    assert_eq!(tx.send_timeout(&1, Duration::ZERO), Ok(()));
}

#[test]
fn tools_see_how_far_behind_each_consumer_is() {
    let region = Region::new(&PLAN);
    let mut tx: FanoutProducer<u32, TestPort> = region.join().fanout_producer("slots").unwrap();
    let options = ConsumerOptions::new().release_every(1);
    let member = region.join();
    let mut rx: FanoutConsumer<u32, TestPort> = member.fanout_consumer_with("slots", 1, options).unwrap();
    let entry = region.look().consumer_entry("slots", 1).unwrap();
    let look = |consumer| {
        let entry = region.look().consumer_entry("slots", consumer).unwrap();
        let state = fanout_state(region.mem(), &entry).unwrap();
        (state.has_joined, state.who, state.lag, state.holds_up)
    };
    let who = Some(member.ident());
    for sent in 0..8 {
        assert_eq!(look(1), (true, who, sent, false));
        tx.try_send(&sent).unwrap();
    }
    assert_eq!(look(1), (true, who, 8, true));
    assert_eq!(look(0), (false, None, 0, false), "nobody");
    assert_eq!(rx.try_recv(), Ok(0));
    rx.release();
    assert_eq!(look(1), (true, who, 7, false));
    // The producer's mark is behind while a batch is under way.
    region.poke(entry.block_a + at::MARK, 0_u32.wrapping_sub(7));
    assert_eq!(look(1), (true, who, 0, false));
}

#[test]
fn consumers_whose_entries_differ_are_refused() {
    // Word 11 is the capacity, 9 the flags, 12 the stride.
    for (word, value) in [(11, 4), (9, 3), (12, 16)] {
        let mut image = Region::new(&PLAN).bytes();
        let place = (128 + 128 * 2 + 4 * word) as usize;
        image[place..place + 4].copy_from_slice(&u32::to_le_bytes(value));
        raw::seal(&mut image);
        let region = Region::from_bytes(&image);
        let found = region.join().fanout_producer::<u32>("slots").err();
        assert!(matches!(found, Some(ChannelError::Damaged(_))), "{word} = {value}: {found:?}");
    }
}
