//! Queues whose producer or consumer dies, at every step, and is succeeded.

use strait_core::model::loom::thread;
use strait_core::model::{Death, Port, Region};
use strait_core::{Attachment, ChannelError, ConsumerOptions, Delivery};

use crate::models;
use crate::queue::{Compact, Frames, Got, Queue, Slots};
use crate::search::{ALL, Search, up_to};
use crate::spsc::{assert_gapless, drain, lead, numbers, received, sent};

const AT_MOST_ONCE: ConsumerOptions = ConsumerOptions::new().delivery(Delivery::AtMostOnce);
pub const AT_ONCE: ConsumerOptions = ConsumerOptions::new().release_every(1);
pub const LAZY: ConsumerOptions = ConsumerOptions::new().release_every(2);

models! {
    "producer_dies/frames" => producer_dies::<Frames<64>>(ALL, 0),
    "producer_dies/frames_pad" => producer_dies::<Frames<64>>(ALL, 2),
    "producer_dies/slots_1" => producer_dies::<Slots<1>>(ALL, 0),
    "producer_dies/slots_2" => producer_dies::<Slots<2>>(ALL, 1),
    "producer_dies/compact_1" => producer_dies::<Compact<1>>(ALL, 0),
    "producer_dies/compact_2" => producer_dies::<Compact<2>>(ALL, 1),
    "consumer_dies/frames" => consumer_dies::<Frames<64>>(ALL, 0, AT_ONCE, 1),
    "consumer_dies/frames_pad" => consumer_dies::<Frames<64>>(ALL, 2, AT_ONCE, 1),
    "consumer_dies/frames_at_most_once" => consumer_dies::<Frames<64>>(ALL, 2, AT_MOST_ONCE, 0),
    "consumer_dies/frames_256_lazy" => consumer_dies::<Frames<256>>(ALL, 9, LAZY, 2),
    "consumer_dies/slots_1" => consumer_dies::<Slots<1>>(ALL, 0, AT_ONCE, 1),
    "consumer_dies/slots_2" => consumer_dies::<Slots<2>>(ALL, 1, AT_ONCE, 1),
    "consumer_dies/slots_2_at_most_once" => consumer_dies::<Slots<2>>(ALL, 1, AT_MOST_ONCE, 0),
    "consumer_dies/slots_8_lazy" => consumer_dies::<Slots<8>>(ALL, 7, LAZY, 2),
    "consumer_dies/compact_1" => consumer_dies::<Compact<1>>(ALL, 0, AT_ONCE, 1),
    "consumer_dies/compact_2" => consumer_dies::<Compact<2>>(ALL, 1, AT_ONCE, 1),
    "consumer_dies/compact_2_at_most_once" => consumer_dies::<Compact<2>>(up_to(5).quick(3), 1, AT_MOST_ONCE, 0),
    "consumer_dies/compact_8_lazy" => consumer_dies::<Compact<8>>(ALL, 7, LAZY, 2),
    "both_die/frames" => both_die::<Frames<64>>(ALL, 2),
    "both_die/slots_2" => both_die::<Slots<2>>(ALL, 1),
    "both_die/compact_2" => both_die::<Compact<2>>(ALL, 1),
    "heir_dies_too/frames" => heir_dies_too::<Frames<64>>(0),
    "heir_dies_too/frames_pad" => heir_dies_too::<Frames<64>>(2),
    "heir_dies_too/slots_2" => heir_dies_too::<Slots<2>>(1),
    "heir_dies_too/compact_2" => heir_dies_too::<Compact<2>>(1),
    "heir_elsewhere/frames" => heir_elsewhere::<Frames<64>>(ALL),
    "heir_elsewhere/slots_2" => heir_elsewhere::<Slots<2>>(ALL),
    "heir_elsewhere/compact_2" => heir_elsewhere::<Compact<2>>(ALL),
}

/// The sends that a producer, which may have died, knew of.
#[derive(Default)]
struct Sends {
    /// Those that returned.
    done: Vec<u32>,
    /// The one that was under way.
    begun: Option<u32>,
}

impl Sends {
    fn send<Q: Queue>(&mut self, tx: &mut Q::Tx, number: u32) {
        self.begun = Some(number);
        if sent::<Q>(tx, number) {
            self.done.push(number);
        }
        self.begun = None;
    }

    /// Takes the producer's role and sends `all`, under a death. Answers whether it survived.
    fn live<Q: Queue>(
        &mut self,
        port: &Port,
        death: &Death,
        open: impl FnOnce() -> Q::Tx,
        all: [u32; 2],
    ) -> bool {
        let end = death.run(port, || {
            let mut tx = open();
            all.into_iter().for_each(|number| self.send::<Q>(&mut tx, number));
        });
        end.is_ok()
    }

    /// The frames that must arrive, given what did: the one under way may or may not have been committed.
    fn expected(self, arrived: &[u32], so_far: &mut Vec<u32>) {
        so_far.extend(self.done);
        if let Some(number) = self.begun
            && arrived.get(so_far.len()) == Some(&number)
        {
            so_far.push(number);
        }
    }
}

/// Claims the producer's role, which is free or whose owner is dead.
pub fn tx<Q: Queue>(at: &Attachment<Port>) -> Q::Tx {
    Q::tx(at).expect("its owner is dead or has given it back")
}

/// A region whose queue was used `before` times, and a participant that holds no role in it now.
pub fn used<Q: Queue>(before: u32) -> (Region, Attachment<Port>) {
    let region = Region::new(&Q::PLAN);
    let first = region.join();
    let (mut tx, mut rx) = (Q::tx(&first).unwrap(), Q::rx(&first, AT_ONCE).unwrap());
    lead::<Q>(&mut tx, &mut rx, before);
    (region, first)
}

/// The producer dies anywhere from its claim to its end. Another takes over while the consumer goes
/// on, and every committed message arrives, in order; the sequence goes on.
///
/// ```text
///   producer, then its heir               consumer
///   claim, write, publish, mark, ...      take what is published
///   (killed somewhere here)               release it
///   claim with proof of death
///   walk from the mark to the tail
///   write, publish, mark
/// ```
fn producer_dies<Q: Queue>(search: Search, before: u32) {
    search.each_death(move |death| {
        let (region, heir) = used::<Q>(before);
        let mut rx = Q::rx(&region.join(), AT_ONCE).unwrap();
        let at = region.join();
        let producer = thread::spawn(move || {
            let mut sends = Sends::default();
            let lived = sends.live::<Q>(at.port(), &death, || tx::<Q>(&at), [before + 1, before + 2]);
            let mut tx = tx::<Q>(&heir);
            assert!(!(lived && Q::took_over(&tx)));
            (sends, sent::<Q>(&mut tx, 100))
        });
        let mut got: Vec<_> = (0..2).filter_map(|_| received::<Q>(&mut rx)).collect();
        let (sends, again) = producer.join().unwrap();
        got.extend(drain::<Q>(&mut rx));
        check_arrivals(&got, before, [sends], again);
    });
}

/// Asserts that what arrived is what was sent before the deaths, then 100 if it was sent.
fn check_arrivals<const N: usize>(got: &[Got], before: u32, sends: [Sends; N], again: bool) {
    let arrived = numbers(got);
    let mut expected = Vec::new();
    sends.into_iter().for_each(|sends| sends.expected(&arrived, &mut expected));
    expected.extend(again.then_some(100));
    assert_eq!(arrived, expected);
    assert_gapless(got, before);
}

/// The consumer dies anywhere from its claim to its end. Another takes over while the producer goes
/// on. Between them they see every message, in order; the heir sees again at most the last `again`
/// that the dead one saw, and none if messages are to come once at most (then one may be lost that
/// the dead one had in its hands). With two slots, up to five preemptions.
///
/// ```text
///   producer                              consumer, then its heir
///   free space? (the head)                claim, take, release, ...
///   write, publish                        (killed somewhere here)
///                                         claim with proof of death
///                                         take from the head on
/// ```
fn consumer_dies<Q: Queue>(search: Search, before: u32, options: ConsumerOptions, again: usize) {
    search.each_death(move |death| {
        let (region, heir) = used::<Q>(before);
        let mut tx = Q::tx(&region.join()).unwrap();
        assert!(sent::<Q>(&mut tx, before + 1));
        let at = region.join();
        let consumer = thread::spawn(move || {
            let mut first = Vec::new();
            // Whether it was killed shows in what the heir finds.
            let _ = death.run(at.port(), || {
                let mut rx = Q::rx(&at, options).expect("the role is free");
                (0..2).for_each(|_| first.extend(received::<Q>(&mut rx)));
            });
            let mut rx = Q::rx(&heir, options).expect("its owner is dead or has given it back");
            let second: Vec<_> = received::<Q>(&mut rx).into_iter().collect();
            (first, second, rx)
        });
        let mut all = vec![before + 1];
        all.extend((before + 2..=before + 4).filter(|&number| sent::<Q>(&mut tx, number)));
        let (first, mut second, mut rx) = consumer.join().unwrap();
        second.extend(drain::<Q>(&mut rx));
        assert_gapless(&first, before);
        assert_eq!(numbers(&first), all[..first.len()]);
        let seen = all.len() - second.len();
        assert_gapless(&second, before + seen as u32);
        assert_eq!(numbers(&second), all[seen..]);
        let lost = usize::from(options == AT_MOST_ONCE);
        assert!(seen + again >= first.len(), "{first:?} again in {second:?}");
        assert!(seen <= first.len() + lost, "{first:?} and {second:?} are not {all:?}");
    });
}

/// Both sides die, each anywhere. Others take over afterwards and find every committed message that
/// the dead consumer had not released.
///
/// ```text
///   producer                              consumer
///   claim, write, publish, mark, ...      claim, take, release, ...
///   (killed somewhere here)               (killed somewhere here)
///                 heirs to both, once both are dead
/// ```
fn both_die<Q: Queue>(search: Search, before: u32) {
    search.each_two_deaths(move |one, two| {
        let (region, heir) = used::<Q>(before);
        let (at, there) = (region.join(), region.join());
        let producer = thread::spawn(move || {
            let mut sends = Sends::default();
            sends.live::<Q>(at.port(), &one, || tx::<Q>(&at), [before + 1, before + 2]);
            sends
        });
        let mut first = Vec::new();
        let _ = two.run(there.port(), || {
            let mut rx = Q::rx(&there, AT_ONCE).expect("the role is free");
            (0..2).for_each(|_| first.extend(received::<Q>(&mut rx)));
        });
        let sends = producer.join().unwrap();
        let mut tx = tx::<Q>(&heir);
        let mut rx = Q::rx(&heir, AT_ONCE).expect("its owner is dead or has given it back");
        let again = sent::<Q>(&mut tx, 100);
        let second = drain::<Q>(&mut rx);
        let seen = second.first().map_or(first.len(), |got| (got.sequence - before) as usize);
        assert!(seen <= first.len() && seen + 1 >= first.len(), "{first:?}, then {second:?}");
        let got = [&first[..seen], &second].concat();
        assert_eq!(first[seen..], got[seen..first.len()], "the same message again");
        check_arrivals(&got, before, [sends], again);
    });
}

/// The producer dies, and its heir dies too, anywhere, its taking over included. A third finds what
/// both have committed.
///
/// ```text
///   producer                   heir                         third
///   claim, publish, mark
///   (killed somewhere here)    claim, walk, publish, mark
///                              (killed somewhere here)      claim, walk, publish
/// ```
fn heir_dies_too<Q: Queue>(before: u32) {
    ALL.each_two_deaths(move |one, two| {
        let (region, third) = used::<Q>(before);
        let (at, there) = (region.join(), region.join());
        let (mut first, mut second) = (Sends::default(), Sends::default());
        first.live::<Q>(at.port(), &one, || tx::<Q>(&at), [before + 1, before + 2]);
        second.live::<Q>(there.port(), &two, || tx::<Q>(&there), [before + 11, before + 12]);
        let mut tx = tx::<Q>(&third);
        let again = sent::<Q>(&mut tx, 100);
        let mut rx = Q::rx(&third, AT_ONCE).unwrap();
        check_arrivals(&drain::<Q>(&mut rx), before, [first, second], again);
    });
}

/// The producer dies while its heir, elsewhere, tries to claim the role. All that the heir knows of
/// what the dead one stored comes through the proof of death.
///
/// ```text
///   producer                   heir                         consumer
///   claim, publish, mark       claim: Busy, until it is     take what is published
///   (killed somewhere here)    dead or has left
///                              walk, publish, mark
/// ```
fn heir_elsewhere<Q: Queue>(search: Search) {
    search.each_death(move |death| {
        let (region, heir) = used::<Q>(0);
        let mut rx = Q::rx(&region.join(), AT_ONCE).unwrap();
        let at = region.join();
        let tx = tx::<Q>(&at);
        let producer = thread::spawn(move || {
            let mut sends = Sends::default();
            sends.live::<Q>(at.port(), &death, || tx, [1, 2]);
            sends
        });
        let successor = thread::spawn(move || {
            let mut tx = claim(|| Q::tx(&heir));
            sent::<Q>(&mut tx, 100)
        });
        let mut got: Vec<_> = (0..1).filter_map(|_| received::<Q>(&mut rx)).collect();
        let sends = producer.join().unwrap();
        let again = successor.join().unwrap();
        got.extend(drain::<Q>(&mut rx));
        check_arrivals(&got, 0, [sends], again);
    });
}

/// Claims a role as soon as it is free.
pub fn claim<R>(mut open: impl FnMut() -> Result<R, ChannelError>) -> R {
    loop {
        match open() {
            Ok(end) => return end,
            Err(error) => assert_eq!(error, ChannelError::Busy),
        }
        thread::yield_now();
    }
}
