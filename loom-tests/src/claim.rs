//! Roles: claimed by one at a time, given back, taken over from the dead.

use strait_core::format::inspect::{ChannelState, channel_state};
use strait_core::model::loom::thread;
use strait_core::model::{Death, Port, Region};
use strait_core::{Attachment, ChannelError, ConsumerOptions, PeerStatus, port::Port as _};

use crate::models;
use crate::queue::{Compact, Frames, Queue, Slots};
use crate::search::ALL;
use crate::spsc::{drain, numbers, received, sent};
use crate::spsc_succession::claim;

models! {
    "one_of_two_gets_a_free_role" => one_of_two_gets_a_free_role(),
    "one_of_two_gets_a_dead_ones_role" => one_of_two_gets_a_dead_ones_role(),
    "nobody_gets_a_live_ones_role" => nobody_gets_a_live_ones_role(),
    "a_producer_hands_over/frames" => a_producer_hands_over::<Frames<64>>(),
    "a_producer_hands_over/slots_2" => a_producer_hands_over::<Slots<2>>(),
    "a_producer_hands_over/compact_2" => a_producer_hands_over::<Compact<2>>(),
    "a_consumer_hands_over/frames" => a_consumer_hands_over::<Frames<64>>(),
    "a_consumer_hands_over/slots_2" => a_consumer_hands_over::<Slots<2>>(),
    "a_consumer_hands_over/compact_2" => a_consumer_hands_over::<Compact<2>>(),
    "who_has_left_has_sent_all/frames" => who_has_left_has_sent_all::<Frames<64>>(),
    "who_has_left_has_sent_all/slots_2" => who_has_left_has_sent_all::<Slots<2>>(),
    "who_has_left_has_sent_all/compact_2" => who_has_left_has_sent_all::<Compact<2>>(),
    "who_is_gone_has_said_all/slots_2" => who_is_gone_has_said_all(),
    "who_is_dead_has_sent_all/frames" => who_is_dead_has_sent_all::<Frames<64>>(),
    "who_is_dead_has_sent_all/slots_2" => who_is_dead_has_sent_all::<Slots<2>>(),
    "who_is_dead_has_sent_all/compact_2" => who_is_dead_has_sent_all::<Compact<2>>(),
}

type Q = Slots<1>;

fn state(at: &Attachment<Port>) -> ChannelState {
    channel_state(at.port().mem(), at.header().line, &at.channel("q").unwrap())
}

/// Has two claim the producer's role at once. Answers with the participants that got it; each keeps
/// it until both have tried.
fn two_claim(claimants: [Attachment<Port>; 2]) -> Vec<u32> {
    let threads = claimants.map(|at| {
        thread::spawn(move || {
            let slot = at.port().ident().unwrap().place();
            match Q::tx(&at) {
                Ok(tx) => Some((slot, tx)),
                Err(error) => {
                    assert_eq!(error, ChannelError::Busy);
                    None
                }
            }
        })
    });
    let outcomes = threads.map(|thread| thread.join().unwrap());
    outcomes.iter().flatten().map(|(slot, _)| *slot).collect()
}

/// Claims the producer's role and dies with it.
fn die_with_the_role(at: &Attachment<Port>) {
    let died = Death::before(40).run(at.port(), || {
        let mut tx = Q::tx(at).unwrap();
        loop {
            sent::<Q>(&mut tx, 0);
        }
    });
    assert!(died.is_err());
}

/// ```text
///   claimant                   claimant
///   owner: nobody              owner: nobody
///   owner: nobody -> me        owner: nobody -> me
/// ```
fn one_of_two_gets_a_free_role() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let winners = two_claim([region.join(), region.join()]);
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(state(&region.look()).producer_takeovers, 0);
    });
}

/// ```text
///   claimant                   claimant
///   owner: a dead one          owner: a dead one
///   is it dead? yes            is it dead? yes
///   owner: dead one -> me      owner: dead one -> me
/// ```
fn one_of_two_gets_a_dead_ones_role() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        die_with_the_role(&region.join());
        let winners = two_claim([region.join(), region.join()]);
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(state(&region.look()).producer_takeovers, 1);
    });
}

/// ```text
///   owner                      claimant
///   send, give back            owner: a live one, or nobody any more
/// ```
fn nobody_gets_a_live_ones_role() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let (at, other) = (region.join(), region.join());
        let mut tx = Q::tx(&at).unwrap();
        let owner = thread::spawn(move || {
            assert!(sent::<Q>(&mut tx, 1));
            drop(tx);
        });
        let claimed = Q::tx(&other);
        let early = claimed.is_err();
        if let Ok(tx) = claimed {
            assert!(!Q::took_over(&tx));
            drop(tx);
        }
        owner.join().unwrap();
        // The role that was refused while the owner held it can be claimed now.
        assert!(!early || Q::tx(&other).is_ok());
        assert_eq!(state(&other).producer_takeovers, 0);
    });
}

/// A consumer that sees its producer gone sees all that it sent.
///
/// ```text
///   producer                   consumer
///   write, publish             is the producer gone?
///   owner: me -> nobody        take what is published
/// ```
fn who_is_gone_has_said_all() {
    ALL.check(|| {
        let region = Region::new(&<Slots<2> as Queue>::PLAN);
        let mut tx = Slots::<2>::tx(&region.join()).unwrap();
        let mut rx = Slots::<2>::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || assert!(sent::<Slots<2>>(&mut tx, 7)));
        if rx.peer() == PeerStatus::Absent {
            assert_eq!(received::<Slots<2>>(&mut rx).map(|got| got.number), Some(7));
        }
        producer.join().unwrap();
    });
}

/// A producer gives its role back while another waits for it: the second goes on where the first
/// stopped.
///
/// ```text
///   producer                   producer to be             consumer
///   write, publish             owner: Busy, until it      take what is published
///   owner: me -> nobody        is nobody
///                              write, publish
/// ```
fn a_producer_hands_over<Q: Queue>() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let mut first = Q::tx(&region.join()).unwrap();
        let heir = region.join();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || assert!(sent::<Q>(&mut first, 2)));
        let successor = thread::spawn(move || {
            let mut tx = claim(|| Q::tx(&heir));
            sent::<Q>(&mut tx, 4)
        });
        producer.join().unwrap();
        assert!(successor.join().unwrap(), "two empty frames or two values fit");
        assert_eq!(numbers(&drain::<Q>(&mut rx)), [2, 4]);
    });
}

/// A consumer gives its role back while another waits for it: the second goes on where the first
/// stopped.
///
/// ```text
///   consumer                   consumer to be             producer
///   take, release              owner: Busy, until it      free space?
///   owner: me -> nobody        is nobody                  write, publish
///                              take, release
/// ```
fn a_consumer_hands_over<Q: Queue>() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut first = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let heir = region.join();
        assert!([2, 4].into_iter().all(|number| sent::<Q>(&mut tx, number)));
        let consumer = thread::spawn(move || received::<Q>(&mut first).unwrap().number);
        let successor = thread::spawn(move || {
            let mut rx = claim(|| Q::rx(&heir, ConsumerOptions::new()));
            (received::<Q>(&mut rx).unwrap().number, rx)
        });
        let third = sent::<Q>(&mut tx, 6);
        let one = consumer.join().unwrap();
        let (two, mut rx) = successor.join().unwrap();
        assert_eq!((one, two), (2, 4));
        assert_eq!(numbers(&drain::<Q>(&mut rx)), if third { vec![6] } else { vec![] });
    });
}

/// A consumer that sees the producer's role given back sees all that it has sent.
///
/// ```text
///   producer                              consumer
///   write, publish                        owner: nobody?
///   owner: me -> nobody                   then there is a message
/// ```
fn who_has_left_has_sent_all<Q: Queue>() {
    ALL.check(|| {
        let region = Region::new(&Q::PLAN);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || assert!(sent::<Q>(&mut tx, 1)));
        match Q::peer(&rx) {
            PeerStatus::Absent => {
                assert!(received::<Q>(&mut rx).is_some(), "it was there before its sender left")
            }
            peer => assert_eq!(peer, PeerStatus::Present),
        }
        producer.join().unwrap();
    });
}

/// A consumer that sees the producer dead sees all that it has sent.
///
/// ```text
///   producer                              consumer
///   write, publish                        is the owner dead?
///   (killed somewhere here)               then what is not there now was never sent
/// ```
fn who_is_dead_has_sent_all<Q: Queue>() {
    ALL.each_death(|death| {
        let region = Region::new(&Q::PLAN);
        let at = region.join();
        let mut tx = Q::tx(&at).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            // Killed or not, the message may have been published.
            let _ = death.run(at.port(), || sent::<Q>(&mut tx, 1));
            at.port().end();
            core::mem::forget(tx);
        });
        let is_dead = Q::peer(&rx) == PeerStatus::Dead;
        let early = received::<Q>(&mut rx);
        producer.join().unwrap();
        let late = received::<Q>(&mut rx);
        assert_eq!(Q::peer(&rx), PeerStatus::Dead);
        assert!(!is_dead || late.is_none(), "a message came after its sender's death");
        assert!(early.is_none() || late.is_none(), "one message came twice");
    });
}
