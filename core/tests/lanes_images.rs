//! Regions with lanes in which anything may be wrong: an error or sane data, and nothing outside is touched.

use std::time::Duration;

use crate::common::{Member, Region};
use strait_core::{
    Channel, LanesConsumer, LanesOptions, Plan, TryRecvLanesError, TypedLanesConsumer, WaitPolicy, wait_any,
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 128, 40).producers(3).urgent_lanes(1).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 4).producers(2).doorbell(1),
    Channel::compact::<u32>("compact", 4).producers(3).doorbell(1),
])
.line(4)
.participants(4);
const POLICY: WaitPolicy = WaitPolicy { spin: 2, park: true, probe: Duration::from_micros(20) };

/// A region in use, whose participants are dead.
fn used() -> Vec<u8> {
    let region = Region::new(&PLAN);
    let member = region.join();
    for round in 0..3_u32 {
        for lane in 0..2 {
            let mut tx = member.lane_producer("frames", lane).unwrap();
            let _ = tx.try_send(round, &[7; 20]);
            let _ = member.typed_lane_producer::<u32>("slots", lane).unwrap().try_send(&round);
            let _ = member.typed_lane_producer::<u32>("compact", lane).unwrap().try_send(&round);
        }
        let mut rx: LanesConsumer<_, 3> = member.lanes_consumer("frames").unwrap();
        let _ = rx.try_recv(&mut [0; 40]);
    }
    region.after_death_of_all().bytes()
}

/// Receives what there is, within a bound: lanes, numbers and lengths are possible ones.
fn receive<R>(mut next: impl FnMut() -> Result<(u32, R), TryRecvLanesError>) -> (u32, u32) {
    let (mut received, mut faults) = (0, 0);
    for _ in 0..40 {
        match next() {
            Ok((lane, _)) => {
                assert!(lane < 4);
                received += 1;
            }
            Err(TryRecvLanesError::Empty) => break,
            Err(TryRecvLanesError::Fault { lane, .. }) => {
                assert!(lane < 4);
                faults += 1;
            }
            Err(error) => panic!("the buffer is long enough: {error}"),
        }
    }
    assert!(faults <= 4, "each lane is reported once");
    (received, faults)
}

fn exercise(member: &Member) -> [u32; 3] {
    let mut tally = [0; 3];
    let mut add = |(received, faults): (u32, u32)| {
        tally[0] += 1;
        tally[1] += received;
        tally[2] += faults;
    };
    for lane in 0..4 {
        if let Ok(mut tx) = member.lane_producer("frames", lane) {
            let _ = tx.try_send(1, b"sent now");
        }
        for name in ["slots", "compact"] {
            if let Ok(mut tx) = member.typed_lane_producer::<u32>(name, lane) {
                let _ = tx.try_send(&9);
            }
        }
    }
    if let Ok((lane, mut tx)) = member.free_lane_producer("frames") {
        assert!(lane < 4);
        let _ = tx.try_send(1, b"sent now");
    }
    let options = LanesOptions::new().burst(2);
    if let Ok(mut rx) = member.lanes_consumer_with::<4>("frames", options) {
        rx.set_wait_policy(POLICY);
        let longest = rx.max_len() as usize;
        let mut buffer = vec![0; longest.min(1 << 16)];
        add(receive(|| {
            let got = rx.try_recv(&mut buffer)?;
            assert!(got.message.len <= longest);
            Ok((got.lane, ()))
        }));
        let _ = (rx.recv_timeout(&mut buffer, Duration::ZERO), rx.is_empty(), rx.len(0), rx.peer(1));
        rx.flush();
    }
    for name in ["slots", "compact"] {
        let opened: Result<TypedLanesConsumer<u32, _, 4>, _> =
            member.typed_lanes_consumer_with(name, options);
        if let Ok(mut rx) = opened {
            rx.set_wait_policy(POLICY);
            add(receive(|| rx.try_recv().map(|from| (from.lane, from.message))));
            let _ = wait_any(member.port(), &mut [&mut rx], POLICY, Duration::ZERO);
            assert!((0..rx.lanes()).all(|lane| rx.len(lane) <= 1 << 30));
        }
    }
    tally
}

#[test]
fn any_image_with_lanes_gives_an_error_or_sane_data() {
    crate::common::damage::any_image_of(&used(), exercise);
}
