//! A participant table that is joined for ever: behind the last epoch the epochs begin anew, and no identity
//! comes again that a word of the region still names.

use std::mem::forget;

use crate::common::raw::seal;
use crate::common::{Member, Region, TestPort};
use strait_core::format::participants::{self, Card, TableFull, wear};
use strait_core::port::Ident;
use strait_core::protocol::table::{EPOCH, FREE, LIVE, RETIRED};
use strait_core::{Channel, Lock, LockError, Plan, format::Header};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("q", 4),
    Channel::latest::<u32>("l"),
    Channel::mutex::<u32>("m"),
    Channel::semaphore("s", 1, 1),
    Channel::permits("p", 5),
    Channel::calls::<u32, u32>("r", 4),
])
.line(4)
.participants(1);

/// With everything that names a participant. Each join looks at all of it.
const ALL: Plan<'_> = Plan::new(&[
    Channel::slots::<u32>("q", 4),
    Channel::latest::<u32>("l"),
    Channel::mutex::<u32>("m"),
    Channel::permits("p", 5),
    Channel::calls::<u32, u32>("r", 4),
    Channel::slots::<u32>("lanes", 4).producers(2),
    Channel::slots::<u32>("fan-out", 4).consumers(2),
    Channel::broadcast::<u32>("b", 4),
    Channel::event("e"),
    Channel::pool("pool", 2, 8),
])
.line(4)
.participants(1);

fn place(region: &Region) -> u32 {
    Header::check(region.mem()).unwrap().participant(1).unwrap()
}

fn join(region: &Region) -> Result<Ident, TableFull> {
    let port = TestPort::looking_at(region, None);
    participants::join(region.mem(), &Header::check(region.mem()).unwrap(), 0, &port, Card::default())
}

fn epoch(member: &Member) -> u32 {
    member.ident().epoch()
}

/// A region whose only place has been taken `joins` times.
fn joined(joins: u32) -> Region {
    joined_by(&PLAN, joins)
}

/// The same, of a region of this plan.
fn joined_by(plan: &Plan<'_>, joins: u32) -> Region {
    let region = Region::new(plan);
    region.poke(place(&region), FREE | joins);
    region
}

#[test]
fn a_place_outlives_its_epochs() {
    let region = joined(EPOCH - 2);
    let epochs: Vec<_> = (0..5)
        .map(|round| {
            let member = region.join();
            let epoch = epoch(&member);
            if round % 2 == 0 {
                member.die(())
            } else {
                member.leave()
            }
            epoch
        })
        .collect();
    assert_eq!(epochs, [EPOCH - 1, EPOCH, 1, 2, 3]);
}

#[test]
fn what_another_program_has_retired_is_taken_again() {
    let region = joined(0);
    region.poke(place(&region), RETIRED);
    assert_eq!(wear(region.mem(), region.look().header()).retired, 1);
    let member = region.join();
    assert_eq!((epoch(&member), region.peek(place(&region))), (1, LIVE | 1));
    let wear = wear(region.mem(), member.header());
    assert_eq!((wear.most, wear.retired), (1, 0));
    assert_eq!(join(&region), Err(TableFull), "it lives");
}

/// Takes something and dies; returns its identity.
fn die_with(region: &Region, take: fn(&Member)) -> Ident {
    let member = region.join();
    take(&member);
    let who = member.ident();
    member.die(());
    who
}

/// Everything that names a participant.
const TAKES: [fn(&Member); 12] = [
    |member| forget(member.typed_producer::<u32>("q").unwrap()),
    |member| forget(member.typed_consumer::<u32>("q").unwrap()),
    |member| forget(member.latest_writer::<u32>("l").unwrap()),
    |member| {
        let mut mutex = member.mutex::<u32>("m").unwrap();
        let Lock::Held(guard) = mutex.try_lock().unwrap() else { panic!("nobody has died with it") };
        forget(guard);
        forget(mutex);
    },
    |member| {
        let mut permits = member.permits("p").unwrap();
        forget(permits.try_acquire().unwrap());
        forget(permits);
    },
    |member| {
        let _owned = member.pool("pool").unwrap().try_claim().unwrap().into_raw();
    },
    |member| {
        let _sent = member.pool("pool").unwrap().try_claim().unwrap().send(1).unwrap();
    },
    |member| forget(member.typed_lane_producer::<u32>("lanes", 1).unwrap()),
    |member| forget(member.call_client::<u32, u32>("r").unwrap()),
    |member| forget(member.fanout_consumer::<u32>("fan-out", 1).unwrap()),
    |member| forget(member.broadcast_writer::<u32>("b").unwrap()),
    |member| forget(member.notifier("e").unwrap()),
];

#[test]
fn a_name_that_a_word_still_has_is_not_given_out() {
    for take in TAKES {
        let region = joined_by(&ALL, EPOCH - 1);
        assert_eq!(die_with(&region, |_| {}).epoch(), EPOCH);
        assert_eq!(die_with(&region, take).epoch(), 1);
        region.poke(place(&region), LIVE | EPOCH);
        let member = region.join();
        assert_eq!(epoch(&member), 2, "1.1 is named still");
    }
}

/// By the words of a call that is not done each side asks whether the other lives, also when its role has been taken
/// over.
#[test]
fn a_name_that_an_open_call_has_is_not_given_out() {
    let ends: [fn(&Member); 2] = [
        |member| {
            let mut client = member.call_client::<u32, u32>("r").unwrap();
            client.try_call(&1).unwrap();
            forget(client);
        },
        |member| {
            let mut client = member.call_client::<u32, u32>("r").unwrap();
            client.try_call(&1).unwrap();
            drop(client);
            let mut server = member.call_server::<u32, u32>("r").unwrap();
            server.try_next().unwrap().1.keep();
            forget(server);
        },
    ];
    for end in ends {
        let region = joined(EPOCH - 1);
        assert_eq!(die_with(&region, |_| {}).epoch(), EPOCH);
        assert_eq!(die_with(&region, end).epoch(), 1);
        let entry = region.entry("r");
        for role in [entry.block_c, entry.block_c + entry.blocks(4).unwrap().role_b] {
            region.poke(role, 0);
        }
        region.poke(place(&region), LIVE | EPOCH);
        let heir = region.join();
        assert_eq!(epoch(&heir), 2, "1.1 is named by the call");
        // When it is done, it names nobody any more.
        let mut server = heir.call_server::<u32, u32>("r").unwrap();
        if let Ok((_, reply)) = server.try_next() {
            reply.answer(&2);
        }
        drop(server);
        heir.leave();
        region.poke(place(&region), LIVE | EPOCH);
        assert_eq!(epoch(&region.join()), 1);
    }
}

#[test]
fn what_a_namesake_left_behind_is_taken_over() {
    let region = joined_by(&ALL, 0);
    let dead = die_with(&region, |member| TAKES.iter().for_each(|take| take(member)));
    region.poke(place(&region), LIVE | EPOCH);
    let heir = region.join();
    assert_eq!(heir.typed_producer::<u32>("q").unwrap().taken_over_from(), Some(dead));
    assert_eq!(heir.typed_consumer::<u32>("q").unwrap().taken_over_from(), Some(dead));
    assert_eq!(heir.latest_writer::<u32>("l").unwrap().taken_over_from(), Some(dead));
    assert!(matches!(heir.mutex::<u32>("m").unwrap().try_lock(), Ok(Lock::OwnerDied(_))));
}

/// Bits beside the owner do not hide it: a lock held for repair, with waiters.
#[test]
fn a_lock_that_a_repairer_died_with_names_it() {
    let region = joined(EPOCH);
    let name = Ident::new(1, 1).unwrap().word();
    region.poke(region.entry("m").block_c, 1 << 31 | 2 << 29 | name);
    let member = region.join();
    assert_eq!(epoch(&member), 2);
    assert!(!matches!(member.mutex::<u32>("m").unwrap().try_lock(), Err(LockError::Deadlock)));
}

#[test]
fn a_joiner_gets_past_a_run_of_names() {
    let region = joined(EPOCH);
    let permits = region.entry("p").block_c + region.entry("p").blocks(4).unwrap().permits;
    for (index, epoch) in (1..=5).enumerate() {
        region.poke(permits + 4 * index as u32, Ident::new(1, epoch).unwrap().word());
    }
    // 1, 2 and 4 are tried in vain.
    assert_eq!(epoch(&region.join()), 8);
}

/// A forged or torn state word that sets the epoch back makes nobody a namesake of the dead.
#[test]
fn an_epoch_that_was_set_back_gives_out_no_name_that_stands() {
    let region = joined(0);
    let dead = die_with(&region, TAKES[0]);
    region.poke(place(&region), FREE);
    let member = region.join();
    assert_ne!(member.ident(), dead);
    assert_eq!(member.typed_producer::<u32>("q").unwrap().taken_over_from(), Some(dead));
}

#[test]
fn where_a_channel_is_of_an_unknown_kind_the_place_is_retired_as_ever() {
    let region = joined(EPOCH - 1);
    let mut image = region.bytes();
    // The kind of the first channel, in the directory.
    image[128 + 32..128 + 36].copy_from_slice(&99_u32.to_le_bytes());
    seal(&mut image);
    let region = Region::from_bytes(&image);
    let last = region.join();
    assert_eq!(epoch(&last), EPOCH);
    last.leave();
    assert_eq!(join(&region), Err(TableFull));
    assert_eq!(region.peek(place(&region)), RETIRED);
    assert_eq!(join(&region), Err(TableFull), "nor is it taken again");
}

/// Ten short programs a second, for years: joins beyond the last epoch, and past the one whose name still stands.
/// (A whole lap is like that, and takes a minute.)
#[test]
fn years_of_joins() {
    const JOINS: u32 = if cfg!(miri) { 100 } else { 20_000 };
    let region = joined(EPOCH / 2);
    let dead = die_with(&region, TAKES[0]);
    for start in [EPOCH - JOINS / 2, dead.epoch() - JOINS / 2] {
        region.poke(place(&region), FREE | start);
        for _ in 0..JOINS {
            let member = region.join();
            assert_ne!(member.ident(), dead);
            member.leave();
        }
    }
    assert_eq!(region.join().typed_producer::<u32>("q").unwrap().taken_over_from(), Some(dead));
}
