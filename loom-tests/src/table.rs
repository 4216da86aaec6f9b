//! The participant table: one incarnation a slot, each with an identity of its own.

use strait_core::format::participants::{self, Card, TableFull};
use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{
    Channel, Plan,
    format::Header,
    port::{Ident, Liveness, Port as _, Probe, RELAXED},
    protocol::table::FREE,
};

use crate::models;
use crate::search::ALL;

models! {
    "one_of_two_gets_the_only_slot" => two_join(&ONE, 1),
    "two_get_two_slots" => two_join(&TWO, 2),
    "join_and_leave" => join_and_leave(),
    "one_of_two_joins_over_the_dead" => one_of_two_joins_over_the_dead(),
    "a_joiner_dies" => a_joiner_dies(),
    "an_epoch_comes_again" => an_epoch_comes_again(),
}

const ONE: Plan<'static> = Plan::new(&[Channel::compact::<u8>("q", 1)]).line(4).participants(1);
const TWO: Plan<'static> = Plan::new(&[Channel::compact::<u8>("q", 1)]).line(4).participants(2);

fn join(port: &Port) -> Result<Ident, TableFull> {
    let mem = port.mem();
    participants::join(mem, &Header::check(mem).unwrap(), 0, port, Card::default())
}

fn leave(port: &Port, me: Ident) {
    let mem = port.mem();
    participants::leave(mem, &Header::check(mem).unwrap(), me);
    port.give_back(me);
}

/// Lets two join at once. Returns the identities of those that found a place.
fn both(region: &Region) -> Vec<Ident> {
    let threads = [region.port(), region.port()].map(|port| thread::spawn(move || join(&port)));
    threads.into_iter().filter_map(|thread| thread.join().unwrap().ok()).collect()
}

/// ```text
///   joiner                     joiner
///   slot 1: free, epoch 0      slot 1: free, epoch 0
///   take the token of 1.1      take the token of 1.1
///   slot 1: live, epoch 1      slot 1: live, epoch 1
///                              (or the next slot, if there is one)
/// ```
fn two_join(plan: &'static Plan<'static>, places: usize) {
    ALL.check(move || {
        let region = Region::new(plan);
        let joined = both(&region);
        assert_eq!(joined.len(), places, "{joined:?}");
        assert!(places == 1 || joined[0] != joined[1]);
        let port = region.port();
        assert!(joined.iter().all(|&who| port.probe(who) == Probe::Alive));
        assert_eq!(join(&port), Err(TableFull));
    });
}

/// ```text
///   occupant                   joiner
///   slot 1: free, epoch 1      slot 1: live, epoch 1, and alive; or free, epoch 1
///   give the token back        take the token of 1.2
///                              slot 1: live, epoch 2
/// ```
fn join_and_leave() {
    ALL.check(|| {
        let region = Region::new(&ONE);
        let (port, other) = (region.port(), region.port());
        let first = join(&port).unwrap();
        let occupant = thread::spawn(move || leave(&port, first));
        let joined = join(&other);
        occupant.join().unwrap();
        let second = joined.or_else(|TableFull| join(&other)).expect("the slot is free by now");
        assert_eq!((second.place(), second.epoch()), (1, 2));
        assert_eq!((other.probe(first), other.probe(second)), (Probe::Dead, Probe::Alive));
    });
}

/// ```text
///   joiner                     joiner
///   slot 1: live, epoch 1      slot 1: live, epoch 1
///   is 1.1 dead? yes           is 1.1 dead? yes
///   take the token of 1.2      take the token of 1.2
///   slot 1: live, epoch 2      slot 1: live, epoch 2
/// ```
fn one_of_two_joins_over_the_dead() {
    ALL.check(|| {
        let region = Region::new(&ONE);
        let dead = region.port();
        let first = join(&dead).unwrap();
        dead.end();
        let joined = both(&region);
        assert_eq!(joined.len(), 1, "{joined:?}");
        assert_eq!((joined[0].place(), joined[0].epoch()), (1, 2));
        let port = region.port();
        assert_eq!((port.probe(first), port.probe(joined[0])), (Probe::Dead, Probe::Alive));
    });
}

/// A joiner dies at any step, while another joins. The slot is not lost: it can be taken as soon as
/// the dead one's token is gone, with an identity that was never given out.
///
/// ```text
///   joiner                     joiner
///   slot 1: free, epoch 0      slot 1: free, or live and alive, or live and dead
///   take the token of 1.1      take the token of 1.1, or of 1.2
///   slot 1: live, epoch 1      slot 1: live, epoch 1 or 2
///   (killed somewhere here)
/// ```
fn a_joiner_dies() {
    ALL.each_death(|death| {
        let region = Region::new(&ONE);
        let (port, other) = (region.port(), region.port());
        let joiner = thread::spawn(move || {
            let joined = death.run(&port, || join(&port));
            // If it was not killed, it lives on.
            (joined.map(Result::ok), port)
        });
        let early = join(&other);
        let (joined, port) = joiner.join().unwrap();
        match (joined, early) {
            (Ok(Some(first)), Err(TableFull)) => assert_eq!(port.probe(first), Probe::Alive),
            (Ok(None) | Err(_), Ok(second)) => assert_eq!(port.probe(second), Probe::Alive),
            (Err(_), Err(TableFull)) => {
                let second = join(&other).expect("the dead one's place is free");
                assert_eq!(port.probe(second), Probe::Alive);
            }
            both => panic!("neither has the slot, or both: {both:?}"),
        }
    });
}

/// The epochs of slot 1 begin anew while 1.1, of the lap before, still has a role. The heir never meets a
/// namesake, and the joiner never gets a name that stands.
///
/// ```text
///   heir (2.1)                       joiner
///   the role is 1.1's; dead? yes     does the role name 1.1?  yes: 1.2 then
///   the role: 2.1                    take the token of 1.1
///                                    does the role name 1.1?
///                                    slot 1: live, epoch 1
/// ```
fn an_epoch_comes_again() {
    ALL.check(|| {
        let region = Region::new(&TWO);
        let dead = region.join();
        let heir = region.join();
        std::mem::forget(dead.typed_producer::<u8>("q").unwrap());
        let first = dead.port().ident().unwrap();
        dead.port().end();
        let header = *heir.header();
        let state = header.participant(1).unwrap();
        let port = region.port();
        // As if 2^20 - 1 had joined here since.
        port.mem().word(state).unwrap().store(FREE, RELAXED);
        let joiner = thread::spawn(move || (join(&port), port));
        let producer = heir.typed_producer::<u8>("q").expect("its owner is dead, and stays so");
        assert_eq!(producer.taken_over_from(), Some(first));
        let (joined, port) = joiner.join().unwrap();
        let joined = joined.expect("the place is free");
        assert_eq!((joined.place(), port.probe(joined)), (1, Probe::Alive));
        assert!(joined.epoch() <= 2);
    });
}
