//! Regions with queues of several consumers in which anything may be wrong: an error or sane data, and nothing outside is
//! touched.

use std::time::Duration;

use crate::common::{Member, Region};
use strait_core::format::inspect::fanout_state;
use strait_core::{
    Channel, FanoutConsumer, FanoutProducer, Plan, TryRecvError, WaitPolicy, port::Port, wait_any,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("slots", 4).consumers(3).consumer_may_block().producer_may_block(),
    Channel::compact::<u32>("compact", 4).consumers(2).doorbell(1),
    Channel::slots::<u32>("alone", 4).doorbell(1),
])
.line(4)
.participants(4);
const POLICY: WaitPolicy = WaitPolicy { spin: 2, park: true, probe: Duration::from_micros(20) };
const QUEUES: [&str; 2] = ["slots", "compact"];

/// A region in use, whose participants are dead.
fn used() -> Vec<u8> {
    let region = Region::new(&PLAN);
    let member = region.join();
    for name in QUEUES {
        let mut tx: FanoutProducer<u32, _> = member.fanout_producer(name).unwrap();
        let mut rx: FanoutConsumer<u32, _> = member.fanout_consumer(name, 1).unwrap();
        for number in 0..6 {
            tx.try_send(&number).unwrap();
            assert_eq!(rx.try_recv(), Ok(number));
            rx.flush();
        }
        std::mem::forget((tx, rx));
    }
    region.after_death_of_all().bytes()
}

/// Opened ends, values received, and refusals or faults.
fn exercise(member: &Member) -> [u32; 3] {
    let mut tally = [0; 3];
    for name in QUEUES {
        let mut all: Vec<FanoutConsumer<u32, _>> =
            (0..4).filter_map(|index| member.fanout_consumer(name, index).ok()).collect();
        if let Ok(mut tx) = member.fanout_producer::<u32>(name) {
            tx.set_wait_policy(POLICY);
            for number in 0..6 {
                tally[2] += u32::from(tx.try_send(&number).is_err());
            }
            let _ = (tx.try_send_batch([1, 2, 3]), tx.send_timeout(&9, Duration::ZERO));
            assert!(tx.len() <= tx.capacity() && tx.lag(0).is_none_or(|lag| lag <= tx.capacity()));
            assert!(tx.slowest().is_none_or(|slowest| slowest.consumer < tx.consumers()));
            tally[0] += 1;
        }
        for rx in &mut all {
            rx.set_wait_policy(POLICY);
            for _ in 0..40 {
                match rx.try_recv() {
                    Ok(_) => tally[1] += 1,
                    Err(TryRecvError::Empty) => break,
                    Err(_) => tally[2] += 1,
                }
            }
            let _ = (rx.recv_timeout(Duration::ZERO), rx.is_empty(), rx.peer(), rx.missed());
            let _ = wait_any(member.port(), &mut [rx], POLICY, Duration::ZERO);
            assert!(rx.lag() <= rx.capacity());
            tally[0] += 1;
        }
    }
    let states =
        member.channels().filter_map(|entry| Some((fanout_state(member.port().mem(), &entry)?, entry)));
    states.for_each(|(state, entry)| assert!(state.lag <= entry.capacity));
    tally
}

#[test]
fn any_image_with_several_consumers_gives_an_error_or_sane_data() {
    crate::common::damage::any_image_of(&used(), exercise);
}
