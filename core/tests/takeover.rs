//! Death and succession: what a killed producer or consumer leaves, at every step, and what its
//! successor finds. FAULTS 17 to 20, 22 and 29.

use crate::common::raw;
use crate::common::{Member, Region, TestPort};
use strait_core::ground::entry::at;
use strait_core::ground::sync::Word;
use strait_core::port::RELAXED;
use strait_core::protocol::claim;
use strait_core::{
    Channel, ChannelError, Consumer, ConsumerOptions, Delivery, PeerStatus, Plan, TryRecvError, TrySendError,
    port::{Ident, Probe},
};

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 256, 112),
    Channel::slots::<[u32; 3]>("slots", 4),
    Channel::compact::<[u32; 3]>("compact", 4),
];
const PLAN: Plan<'_> = Plan::new(CHANNELS).line(4).participants(6);

fn receive_all(rx: &mut Consumer<TestPort>) -> Vec<(u32, u32, Vec<u8>)> {
    let mut all = Vec::new();
    loop {
        match rx.try_recv_frame::<112>() {
            Ok(frame) => all.push((frame.sequence(), frame.tag(), frame.payload().to_vec())),
            Err(error) => {
                assert_eq!(error, TryRecvError::Empty);
                return all;
            }
        }
    }
}

fn sequences(rx: &mut Consumer<TestPort>) -> Vec<u32> {
    receive_all(rx).into_iter().map(|(sequence, ..)| sequence).collect()
}

/// Receives this many empty frames.
fn receive(rx: &mut Consumer<TestPort>, count: u32) {
    for _ in 0..count {
        rx.try_recv(&mut []).unwrap();
    }
}

/// FAULT 17: The producer dies after it reserved.
#[test]
fn fault_17_what_was_reserved_is_invisible() {
    let region = Region::new(&PLAN);
    let (dead, b) = (region.join(), region.join());
    let mut tx = dead.producer("frames").unwrap();
    tx.try_send(1, b"committed").unwrap();
    assert_eq!(tx.reserve(50).unwrap().len(), 50);
    dead.die(tx);
    let mut rx = b.consumer("frames").unwrap();
    assert_eq!(receive_all(&mut rx), [(0, 1, b"committed".to_vec())]);
    let mut tx = region.join().producer("frames").unwrap();
    tx.try_send(2, b"next").unwrap();
    assert_eq!(receive_all(&mut rx), [(1, 2, b"next".to_vec())]);
}

/// FAULT 18: The producer dies in the middle of the payload.
#[test]
fn fault_18_a_payload_half_written_is_invisible() {
    let region = Region::new(&PLAN);
    let (dead, b) = (region.join(), region.join());
    let mut tx = dead.producer("frames").unwrap();
    let mut grant = tx.reserve(100).unwrap();
    assert_eq!(grant.write(0, &[0xFF; 60]), 60);
    dead.die(tx);
    let mut rx = b.consumer("frames").unwrap();
    assert_eq!(receive_all(&mut rx), []);
    let mut tx = region.join().producer("frames").unwrap();
    assert_eq!(tx.next_sequence(), 0);
    tx.try_send(2, b"").unwrap();
    tx.try_send(3, b"").unwrap();
    assert_eq!(sequences(&mut rx), [0, 1]);
}

/// FAULT 19: The producer dies after the commit, before anything else.
#[test]
fn fault_19_what_was_committed_is_delivered() {
    let region = Region::new(&PLAN);
    let before = region.bytes();
    let stores = raw::frame(&before, &region.entry("frames"), 7, b"last words");
    let committed = stores.len() - 2; // the mark and its sequence come after the commit
    let image = raw::deaths(&before, &stores).swap_remove(committed);
    let region = Region::from_bytes(&image);
    let mut rx = region.join().consumer("frames").unwrap();
    assert_eq!(receive_all(&mut rx), [(0, 7, b"last words".to_vec())]);
    assert_eq!(region.join().producer("frames").unwrap().next_sequence(), 1);
}

/// FAULT 20: The consumer dies holding a frame.
#[test]
fn fault_20_a_frame_in_use_is_delivered_again() {
    for peeked in [false, true] {
        let region = Region::new(&PLAN);
        let (a, dead) = (region.join(), region.join());
        let mut tx = a.producer("frames").unwrap();
        (0..3).for_each(|tag| tx.try_send(tag, &[1; 9]).unwrap());
        let mut rx = dead.consumer_with("frames", ConsumerOptions::new().release_every(1)).unwrap();
        rx.try_recv(&mut [0; 112]).unwrap();
        if peeked {
            assert_eq!(rx.peek().unwrap().info().tag, 1);
        } else {
            rx.try_recv(&mut [0; 112]).unwrap();
        }
        dead.die(rx);
        let mut rx = region.join().consumer("frames").unwrap();
        assert_eq!((rx.taken_over_from().map(|who| who.place()), rx.len()), (Some(2), 2));
        assert_eq!(sequences(&mut rx), [1, 2], "the one in use and the one after it");
    }
}

/// FAULT 22: A producer that is slow is waited for, however long it takes: nobody takes its place, and
/// nothing behind it comes first.
#[test]
fn fault_22_a_slow_producer_is_never_skipped() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let mut grant = tx.reserve(4).unwrap();
    grant.write(0, b"slow");
    for _ in 0..1000 {
        assert_eq!(rx.try_recv(&mut [0; 112]), Err(TryRecvError::Empty));
        assert_eq!(b.producer("frames").err(), Some(ChannelError::Busy));
    }
    assert_eq!(rx.peer(), PeerStatus::Present);
    grant.commit();
    tx.try_send(1, b"next").unwrap();
    let all: Vec<_> = receive_all(&mut rx).into_iter().map(|(sequence, _, text)| (sequence, text)).collect();
    assert_eq!(all, [(0, b"slow".to_vec()), (1, b"next".to_vec())]);
}

/// FAULT 29: All die at once.
#[test]
fn fault_29_all_die_and_nothing_committed_is_lost() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut frames = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let mut slots = a.typed_producer::<[u32; 3]>("slots").unwrap();
    let mut compact = a.typed_producer::<[u32; 3]>("compact").unwrap();
    for tag in 0..5 {
        frames.0.try_send(tag, &[tag as u8; 20]).unwrap();
    }
    frames.1.try_recv(&mut [0; 112]).unwrap();
    frames.1.flush();
    slots.try_send_batch([[1, 2, 3], [4, 5, 6]]).unwrap();
    compact.try_send(&[7, 8, 9]).unwrap();

    let region = region.after_death_of_all();
    let c = region.join();
    let mut tx = c.producer("frames").unwrap();
    assert_eq!(tx.taken_over_from().map(|who| who.place()), Some(1));
    tx.try_send(99, b"after").unwrap();
    let all = receive_all(&mut c.consumer("frames").unwrap());
    assert_eq!(all.iter().map(|frame| frame.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all[4].1, 99);
    let mut rx = c.typed_consumer::<[u32; 3]>("slots").unwrap();
    assert_eq!([rx.try_recv(), rx.try_recv()], [Ok([1, 2, 3]), Ok([4, 5, 6])]);
    assert_eq!(c.typed_consumer::<[u32; 3]>("compact").unwrap().try_recv(), Ok([7, 8, 9]));
}

#[test]
fn the_living_are_not_taken_over() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (tx, rx) = (a.producer("frames").unwrap(), a.consumer("frames").unwrap());
    let held =
        (a.typed_producer::<[u32; 3]>("slots").unwrap(), a.typed_consumer::<[u32; 3]>("slots").unwrap());
    assert_eq!(b.producer("frames").err(), Some(ChannelError::Busy));
    assert_eq!(b.consumer("frames").err(), Some(ChannelError::Busy));
    assert_eq!(b.typed_producer::<[u32; 3]>("slots").err(), Some(ChannelError::Busy));
    assert_eq!(b.typed_consumer::<[u32; 3]>("slots").err(), Some(ChannelError::Busy));
    a.die((tx, rx, held));
    let tx = b.producer("frames").unwrap();
    assert!(tx.taken_over_from().is_some());
    b.consumer("frames").unwrap();
    b.typed_producer::<[u32; 3]>("slots").unwrap();
    drop(tx);
    assert_eq!(b.producer("frames").unwrap().taken_over_from(), None, "given back in good order");
}

/// What counts is proof of death; of one's own there can be none.
#[test]
fn a_role_is_claimed_from_the_proven_dead_alone() {
    let (me, other) = (Ident::new(1, 1).unwrap(), Ident::new(2, 1).unwrap());
    let takeovers = Word::new(0);
    for (holder, probe, free) in [
        (other, Probe::Dead, true),
        (other, Probe::Unknown, false),
        (other, Probe::Alive, false),
        (me, Probe::Dead, false),
    ] {
        let owner = Word::new(holder.word());
        let claimed = claim::claim(&owner, &takeovers, me, |_| probe);
        assert_eq!(
            claimed.map(|claimed| claimed.from),
            if free { Ok(Some(other)) } else { Err(claim::Busy) }
        );
        assert_eq!(owner.load(RELAXED), if free { me } else { holder }.word());
        claim::release(&owner, if free { other } else { Ident::new(3, 1).unwrap() });
        assert_ne!(owner.load(RELAXED), 0, "only its owner gives a role back");
    }
    assert_eq!(takeovers.load(RELAXED), 1);
}

#[test]
fn takeovers_are_counted() {
    let region = Region::new(&PLAN);
    for count in [0, 0, 1, 2, 3] {
        let state = strait_core::format::inspect::channel_state(region.mem(), 4, &region.entry("frames"));
        assert_eq!((state.producer_takeovers, state.consumer_takeovers), (count, count));
        let member = region.join();
        let ends = (member.producer("frames").unwrap(), member.consumer("frames").unwrap());
        member.die(ends);
    }
}

#[test]
fn of_many_successors_one_wins() {
    for _ in 0..200 {
        let region = Region::new(&PLAN);
        let dead = region.join();
        let tx = dead.producer("frames").unwrap();
        dead.die(tx);
        let members: Vec<Member> = (0..3).map(|_| region.join()).collect();
        let wins: Vec<_> = std::thread::scope(|scope| {
            let claims = members.iter().map(|member| scope.spawn(|| member.producer("frames").ok()));
            let claims: Vec<_> = claims.collect();
            claims.into_iter().filter_map(|claim| claim.join().unwrap()).collect()
        });
        assert_eq!(wins.len(), 1);
    }
}

/// A successor sees again what its predecessor had not published: fewer than B released frames, and the
/// one in use. None with B = 1 but that one; none at all with at-most-once.
#[test]
fn a_successor_sees_b_frames_again_at_most() {
    for every in [1, 2, 3, 4, 64] {
        for received in 1..14 {
            let region = Region::new(&PLAN);
            let (a, dead) = (region.join(), region.join());
            let mut tx = a.producer("frames").unwrap();
            (0..15).for_each(|tag| tx.try_send(tag, &[]).unwrap());
            let options = ConsumerOptions::new().release_every(every);
            let mut rx = dead.consumer_with("frames", options).unwrap();
            receive(&mut rx, received);
            dead.die(rx);
            let first = sequences(&mut region.join().consumer("frames").unwrap())[0];
            let again = received - first;
            assert!((1..=every).contains(&again), "{again} again, of {received}, with B = {every}");
            assert!(again <= 1 + 256 / 4 / 16, "a quarter of the ring at most");
        }
    }
}

#[test]
fn at_most_once_delivers_nothing_again() {
    for received in 0..14 {
        let region = Region::new(&PLAN);
        let (a, dead) = (region.join(), region.join());
        let mut tx = a.producer("frames").unwrap();
        (0..15).for_each(|tag| tx.try_send(tag, &[]).unwrap());
        let options = ConsumerOptions::new().delivery(Delivery::AtMostOnce).release_every(64);
        let mut rx = dead.consumer_with("frames", options).unwrap();
        receive(&mut rx, received);
        dead.die(rx);
        let all = sequences(&mut region.join().consumer("frames").unwrap());
        assert_eq!(all, (received..15).collect::<Vec<_>>());
    }
}

/// The consumer's two words are stored one after the other; it may die in between.
#[test]
fn a_consumer_dies_between_its_two_stores() {
    let region = Region::new(&PLAN);
    let entry = region.entry("frames");
    let (a, dead) = (region.join(), region.join());
    let mut tx = a.producer("frames").unwrap();
    (0..6).for_each(|tag| tx.try_send(tag, &[]).unwrap());
    let mut rx = dead.consumer("frames").unwrap();
    receive(&mut rx, 3);
    region.poke(entry.block_b + at::HEAD_SEQUENCE, 3);
    dead.die(rx);
    let mut rx = region.join().consumer("frames").unwrap();
    assert!(rx.len() <= 6);
    assert_eq!(sequences(&mut rx), [0, 1, 2, 3, 4, 5]);
    assert_eq!(rx.len(), 0);
}

/// The high-water mark is an upper bound, also where the producer died before it could raise it.
#[test]
fn high_water_bounds_what_a_dead_producer_left() {
    let region = Region::new(&PLAN);
    let member = region.join();
    let mut tx = member.producer("frames").unwrap();
    (0..6).for_each(|tag| tx.try_send(tag, &[]).unwrap());
    region.poke(region.entry("frames").block_a + at::HIGH_WATER, 5 * 16);
    member.die(tx);
    let mut tx = region.join().producer("frames").unwrap();
    assert_eq!(tx.len(), 6 * 16);
    assert!(tx.high_water() >= tx.len(), "{} bytes at most, {} now", tx.high_water(), tx.len());
}

/// A producer that dies while it is refused leaves its wish for space behind; a successor that sends
/// takes it back.
#[test]
fn a_successor_asks_for_space_for_itself() {
    let region = Region::new(&PLAN);
    let entry = region.entry("slots");
    let want = entry.block_a + entry.blocks(4).unwrap().want;
    let dead = region.join();
    let mut tx = dead.typed_producer::<[u32; 3]>("slots").unwrap();
    assert_eq!(tx.try_send_batch([[0; 3]; 9]), Ok(4));
    assert_eq!(tx.try_send(&[0; 3]), Err(TrySendError::Full));
    assert_eq!(region.peek(want), 1);
    dead.die(tx);
    let member = region.join();
    let mut tx = member.typed_producer::<[u32; 3]>("slots").unwrap();
    assert_eq!((region.peek(want), tx.refused()), (1, 2), "the batch and the send");
    assert_eq!(tx.try_send(&[0; 3]), Err(TrySendError::Full));
    assert_eq!((region.peek(want), tx.refused()), (2, 3), "it asks for itself");
}
