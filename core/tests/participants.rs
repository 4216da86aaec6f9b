//! The participant table: places are found, given back, and taken over from the dead. `wear.rs` has the end of
//! their epochs.

use crate::common::{Region, TestPort};
use strait_core::format::participants::{self, Card, TableFull};
use strait_core::protocol::table::{self, FREE, LIVE, Names, RETIRED, STATE};
use strait_core::{
    Channel, Plan,
    format::Header,
    port::{Ident, Liveness, Port, Probe},
};

const PLAN: Plan<'_> = Plan::new(&[Channel::frames("f", 64, 16)]).line(4).participants(3);

fn state(region: &Region, slot: u32) -> u32 {
    region.peek(Header::check(region.mem()).unwrap().participant(slot).unwrap())
}

fn set_state(region: &Region, slot: u32, value: u32) {
    region.poke(Header::check(region.mem()).unwrap().participant(slot).unwrap(), value);
}

fn join(region: &Region, card: Card) -> Result<Ident, TableFull> {
    let port = TestPort::looking_at(region, None);
    participants::join(region.mem(), &Header::check(region.mem()).unwrap(), 0, &port, card)
}

#[test]
fn places_are_taken_in_order_and_given_back() {
    let region = Region::new(&PLAN);
    let members: Vec<_> = (0..3).map(|_| region.join()).collect();
    let slots: Vec<_> = members.iter().map(|m| (m.ident().place(), m.ident().epoch())).collect();
    assert_eq!(slots, [(1, 1), (2, 1), (3, 1)]);
    assert_eq!(join(&region, Card::default()), Err(TableFull));
    let mut members = members.into_iter();
    let first = members.next().unwrap();
    first.leave();
    assert_eq!(state(&region, 1), FREE | 1);
    let again = region.join();
    assert_eq!((again.ident().place(), again.ident().epoch()), (1, 2), "an identity is never given twice");
    members.next().unwrap().die(());
    assert_eq!(state(&region, 2), LIVE | 1, "the dead do not clean up");
    assert_eq!((region.join().ident().place(), state(&region, 2)), (2, LIVE | 2));
}

#[test]
fn the_list_shows_the_living_and_the_dead() {
    let region = Region::new(&PLAN);
    let card = Card { pid: 4711, started: 0x0123_4567_89AB_CDEF, boot: 3 };
    let me = join(&region, card).unwrap();
    let dead = region.join();
    let gone = region.join();
    gone.leave();
    let (look, dead_ident) = (region.look(), dead.ident());
    dead.die(());
    let list: Vec<_> = participants::list(region.mem(), look.header(), look.port()).collect();
    assert_eq!(list.len(), 2);
    assert_eq!((list[0].ident, list[0].probe, list[0].domain, list[0].card), (me, Probe::Alive, 0, card));
    assert_eq!((list[1].ident, list[1].probe), (dead_ident, Probe::Dead));
    assert_eq!(me.to_string(), "1.1");
}

#[test]
fn states_that_cannot_be_are_left_alone() {
    let region = Region::new(&PLAN);
    for lie in [STATE, STATE | 5, RETIRED | 1, u32::MAX] {
        (1..=3).for_each(|slot| set_state(&region, slot, lie));
        assert_eq!(join(&region, Card::default()), Err(TableFull), "{lie:#x}");
        assert!((1..=3).all(|slot| state(&region, slot) == lie));
        let look = region.look();
        assert_eq!(participants::list(region.mem(), look.header(), look.port()).count(), 0);
    }
    // Live at epoch 0: nobody ever was.
    set_state(&region, 2, LIVE);
    assert_eq!(join(&region, Card::default()), Ok(Ident::new(2, 1).unwrap()));
}

/// A joiner holds its token before it is seen in the table, so a starting participant is never dead.
#[test]
fn starting_is_not_dead() {
    let region = Region::new(&PLAN);
    let port = TestPort::looking_at(&region, None);
    let next = Ident::new(1, 1).unwrap();
    // SAFETY: it stands for a joiner that is about to publish it.
    unsafe { port.acquire(next) }.unwrap();
    assert_eq!(state(&region, 1), FREE);
    assert_eq!(region.join().ident().place(), 2, "the first place is about to be taken");
    assert_eq!(port.probe(next), Probe::Alive);
}

#[test]
fn of_many_joiners_each_gets_its_own_place() {
    for _ in 0..100 {
        let region = Region::new(&PLAN);
        let idents: Vec<_> = std::thread::scope(|scope| {
            let joins: Vec<_> = (0..4).map(|_| scope.spawn(|| join(&region, Card::default()).ok())).collect();
            joins.into_iter().filter_map(|join| join.join().unwrap()).collect()
        });
        let mut slots: Vec<_> = idents.iter().map(|ident| ident.place()).collect();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), idents.len(), "no place is given twice");
        assert!(!idents.is_empty() && idents.len() <= 3);
    }
}

#[test]
fn identities_survive_their_word() {
    for slot in [1, 2, 255, 511] {
        for epoch in [1, 2, 0xF_FFFE, 0xF_FFFF] {
            let who = Ident::new(slot, epoch).unwrap();
            assert_eq!((who.place(), who.epoch()), (slot, epoch));
            assert_eq!(Ident::from_word(who.word()), Some(who));
        }
    }
    for (slot, epoch) in [(0, 1), (512, 1), (1, 0), (1, 1 << 20), (u32::MAX, u32::MAX)] {
        assert_eq!(Ident::new(slot, epoch), None);
    }
    for word in [0, 1, 511, 512, 1 << 29 | 513, u32::MAX] {
        assert_eq!(Ident::from_word(word), None, "{word:#x}");
    }
    assert_eq!(Region::new(&PLAN).look().port().ident(), None);
}

#[test]
fn who_was_too_slow_for_a_place_gives_its_token_back() {
    let region = Region::new(&PLAN);
    let port = TestPort::looking_at(&region, None);
    let word = region.mem().word(Header::check(region.mem()).unwrap().participant(1).unwrap()).unwrap();
    // Another is faster between the first look and the end.
    let lost = table::try_join(1, word, &port, |_| {
        set_state(&region, 1, FREE | 5);
        Names::Free
    });
    assert_eq!((lost, state(&region, 1)), (None, FREE | 5));
    let next = Ident::new(1, 1).unwrap();
    assert_eq!(port.probe(next), Probe::Dead);
    // SAFETY: nobody has it.
    unsafe { port.acquire(next) }.unwrap();
}
