//! Pools: a block has one owner at a time, and comes back from the dead once.
//!
//! The bytes of a block are plain cells, so two owners at once, or one that does not see what the last one wrote, are a
//! race.

use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::pool::{Block, BlockId, Pool, PoolError};
use strait_core::{Attachment, Channel, Plan};

use crate::models;
use crate::mutex::LONG;
use crate::search::{ALL, Search, up_to};

models! {
    "one_owner_at_a_time" => one_owner_at_a_time(up_to(4).quick(2)),
    "two_claim_two" => two_claim_two(up_to(3)),
    "what_is_sent_is_whole" => what_is_sent_is_whole(ALL),
    "two_take_one" => two_take_one(up_to(3)),
    "an_old_id_leads_to_nothing" => an_old_id_leads_to_nothing(ALL),
    "sender_dies" => sender_dies(up_to(3)),
    "taker_dies" => taker_dies(up_to(3)),
    "filter_dies" => filter_dies(up_to(2)),
    "two_of_the_dead" => two_of_the_dead(up_to(3)),
}

const ONE: Plan<'static> = Plan::new(&[Channel::pool("p", 1, 8)]).line(4).participants(6);
const TWO: Plan<'static> = Plan::new(&[Channel::pool("p", 2, 8)]).line(4).participants(6);

/// What the first owner of the only block sends it as: number 1 of the first generation behind the one of a new region.
const FIRST: BlockId = BlockId { index: 0, number: 33 };
/// The same, sent on.
const SECOND: BlockId = BlockId { index: 0, number: 34 };

fn pool(at: &Attachment<Port>) -> Pool<Port> {
    at.pool("p").expect("the plan has it")
}

fn write(block: &mut Block<'_, Port>, value: u32) {
    assert_eq!(block.write(0, &value.to_le_bytes()), 4);
    assert_eq!(block.write(4, &value.to_le_bytes()), 4);
}

fn read(block: &Block<'_, Port>) -> u32 {
    let mut bytes = [[0; 4]; 2];
    let [first, second] = &mut bytes;
    assert_eq!((block.read(0, first), block.read(4, second)), (4, 4));
    let [first, second] = bytes.map(u32::from_le_bytes);
    assert_eq!(first, second, "the bytes are torn");
    first
}

/// Claims the only block, writes 7 and sends it.
fn send_first(pool: &Pool<Port>) {
    let mut block = pool.try_claim().unwrap();
    write(&mut block, 7);
    assert_eq!(block.send(8), Ok(FIRST));
}

/// The value of the block with this id, which is kept; `None` if it is gone.
fn take(pool: &Pool<Port>, id: BlockId) -> Option<u32> {
    match pool.take(id) {
        Ok(block) => {
            let value = read(&block);
            let _ = block.into_raw();
            Some(value)
        }
        Err(error) => {
            assert_eq!(error, PoolError::Gone);
            None
        }
    }
}

/// Claims a block and keeps it; returns whether there was one.
fn claim(pool: &Pool<Port>) -> bool {
    match pool.try_claim() {
        Ok(mut block) => {
            // It is this one's alone: a write of another one is a race.
            write(&mut block, 1);
            let _ = block.into_raw();
            true
        }
        Err(error) => {
            assert_eq!(error, PoolError::Empty);
            false
        }
    }
}

/// Two take turns with the only block. One that comes while it is the other's sleeps.
///
/// ```text
///   thread                                thread
///   state: 0 -> me                        state: the other's
///   turn, read, write                     parked, fence, again, sleep
///   state: me -> 0                        state: 0 -> me
///   fence, parked? wake                   turn, read, write
/// ```
fn one_owner_at_a_time(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE);
        let turn = |at: Attachment<Port>| {
            let pool = pool(&at);
            let mut block = pool.claim_timeout(LONG).unwrap();
            assert_eq!(block.from(), None);
            let value = read(&block);
            write(&mut block, value + 1);
            block.release().unwrap();
        };
        let (mine, at) = (region.join(), region.join());
        let thread = thread::spawn(move || turn(at));
        turn(mine);
        thread.join().unwrap();
        let at = region.join();
        assert_eq!(read(&pool(&at).try_claim().unwrap()), 2);
    });
}

/// Three claim of two: two get one each. Up to three preemptions.
///
/// ```text
///   thread                     thread                   thread
///   first: 0 -> me             first: 0 -> me           first: 0 -> me
///   second: 0 -> me            second: 0 -> me          second: 0 -> me
/// ```
fn two_claim_two(search: Search) {
    search.check(|| {
        let region = Region::new(&TWO);
        let at = region.join();
        let threads = [region.join(), region.join()].map(|at| thread::spawn(move || (claim(&pool(&at)), at)));
        let mine = u32::from(claim(&pool(&at)));
        // Nobody leaves before all have tried.
        let others = threads.map(|thread| thread.join().unwrap());
        assert_eq!(mine + others.iter().map(|(got, _)| u32::from(*got)).sum::<u32>(), 2);
    });
}

/// ```text
///   camera                                viewer
///   state: 0 -> me, turn, bytes           state: sent as 1? -> me
///   sender, length                        turn, length, bytes
///   state: me -> sent as 1
/// ```
fn what_is_sent_is_whole(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE);
        let (at, there) = (region.join(), region.join());
        let camera = thread::spawn(move || {
            send_first(&pool(&at));
            at
        });
        let viewer = pool(&there);
        let early = take(&viewer, FIRST);
        let _at = camera.join().unwrap();
        let late = take(&viewer, FIRST);
        assert!([(Some(7), None), (None, Some(7))].contains(&(early, late)), "{early:?} {late:?}");
    });
}

/// Two have the same id, as a consumer and its successor do: one gets the block. A third claims meanwhile, in vain. Up
/// to three preemptions.
///
/// ```text
///   viewer                     viewer                   claimant
///   state: sent -> me          state: sent -> me        state: 0?
///   turn, length, bytes        turn, length, bytes      the sender lives
/// ```
fn two_take_one(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE);
        let at = region.join();
        let camera = pool(&at);
        send_first(&camera);
        let threads =
            [region.join(), region.join()].map(|at| thread::spawn(move || (take(&pool(&at), FIRST), at)));
        assert!(!claim(&camera));
        let got = threads.map(|thread| thread.join().unwrap());
        let values: Vec<_> = got.iter().filter_map(|(value, _)| *value).collect();
        assert_eq!(values, [7]);
    });
}

/// A viewer that stands still with an id, while the block goes through other hands, gets nothing that is not of that id.
///
/// ```text
///   filter                                one with an old id
///   state: sent as 1 -> me                state: sent as 1?
///   bytes, state: me -> sent as 1 of      state: sent as 1 -> me
///     the next generation
/// ```
fn an_old_id_leads_to_nothing(search: Search) {
    search.check(|| {
        let region = Region::new(&ONE);
        let (at, there) = (region.join(), region.join());
        send_first(&pool(&at));
        let filter = thread::spawn(move || {
            let pool = pool(&at);
            let next = pool.take(FIRST).ok().map(|mut block| {
                write(&mut block, 9);
                block.send(8).unwrap()
            });
            (next, at)
        });
        let viewer = pool(&there);
        let old = take(&viewer, FIRST);
        let (next, _at) = filter.join().unwrap();
        assert_eq!(old, if next.is_some() { None } else { Some(7) });
        if let Some(next) = next {
            assert_eq!(take(&viewer, next), Some(9));
        }
    });
}

/// The camera dies anywhere between claiming the block and having sent it. One has the id, another claims: one of them
/// gets it, and the id leads to whole bytes. Without an id, two claim. Up to three preemptions.
///
/// ```text
///   camera                     viewer                   claimant
///   state: 0 -> me             state: sent -> me        state: the dead one's, or sent by it
///   turn, bytes                                         -> me
///   state: me -> sent
///   (killed somewhere here)
/// ```
fn sender_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&ONE);
        let at = region.join();
        let camera = pool(&at);
        let has_sent = death.run(at.port(), || send_first(&camera)).is_ok();
        at.port().end();
        if has_sent {
            return one_of_two(&region, FIRST, None);
        }
        // Nobody has the id.
        let (one, two) = (region.join(), region.join());
        let thread = thread::spawn(move || (claim(&pool(&one)), one));
        let mine = claim(&pool(&two));
        assert_ne!(mine, thread.join().unwrap().0, "one of them gets it");
    });
}

/// The taker dies anywhere between taking the block and giving it back, half-way through a write of its own too, while its
/// successor has the same id already. Up to three preemptions.
///
/// ```text
///   taker                                 successor
///   state: sent -> me, turn, bytes        state: the dead one's, of the same generation? -> me
///   the next generation in turn           bytes
///   bytes
///   state: me -> 0
///   (killed somewhere here)
/// ```
fn taker_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&ONE);
        let (at, dying, there) = (region.join(), region.join(), region.join());
        send_first(&pool(&at));
        let taker = thread::spawn(move || {
            let pool = pool(&dying);
            let _ = death.run(dying.port(), || {
                if let Ok(mut block) = pool.take(FIRST) {
                    assert_eq!(read(&block), 7);
                    write(&mut block, 8);
                }
            });
            dying.port().end();
        });
        let successor = pool(&there);
        let early = take(&successor, FIRST);
        taker.join().unwrap();
        let late = take(&successor, FIRST);
        assert!([early, late].into_iter().flatten().all(|value| value == 7), "{early:?} {late:?}");
        assert!(early.is_none() || late.is_none(), "it came twice");
        let at = region.join();
        assert_eq!(claim(&pool(&at)), early.is_none() && late.is_none(), "there is one block");
    });
}

/// A filter dies anywhere between taking a block and having sent it on. Its successor has the first id, the viewer may
/// have the second: one of them gets it, whole. Up to two preemptions.
///
/// ```text
///   filter                     successor                  viewer
///   state: sent as 1 -> me     state: the dead one's,     state: sent as 2 -> me
///   turn                         or sent by it as 2
///   state: me -> sent as 2       -> me
///   (killed somewhere here)
/// ```
fn filter_dies(search: Search) {
    search.each_death(|death| {
        let region = Region::new(&ONE);
        let (at, dying) = (region.join(), region.join());
        send_first(&pool(&at));
        let filter = pool(&dying);
        let _ = death.run(dying.port(), || {
            let block = filter.take(FIRST).unwrap();
            assert_eq!(block.send(8), Ok(SECOND));
        });
        dying.port().end();
        one_of_two(&region, FIRST, Some(SECOND));
    });
}

/// One takes with an id, another with its own id or by a claim: one of them gets the only block, with 7 in it if it came
/// by an id.
fn one_of_two(region: &Region, id: BlockId, other: Option<BlockId>) {
    let (one, two) = (region.join(), region.join());
    let thread = thread::spawn(move || (take(&pool(&one), id), one));
    let other = match other {
        Some(id) => take(&pool(&two), id),
        None => claim(&pool(&two)).then_some(7),
    };
    let (value, _one) = thread.join().unwrap();
    let got: Vec<_> = value.into_iter().chain(other).collect();
    assert_eq!(got, [7], "{value:?} {other:?}");
    let last = region.join();
    assert!(!claim(&pool(&last)), "it is had");
}

/// One dies with two blocks, one of them sent: each comes back once. Up to three preemptions.
///
/// ```text
///   survivor                              survivor
///   first: the dead one's -> me           first: the dead one's -> me
///   second: sent by it -> me              second: sent by it -> me
/// ```
fn two_of_the_dead(search: Search) {
    search.check(|| {
        let region = Region::new(&TWO);
        let at = region.join();
        let dying = pool(&at);
        let _ = dying.try_claim().unwrap().into_raw();
        let _ = dying.try_claim().unwrap().send(1).unwrap();
        at.port().end();
        let threads = [region.join(), region.join()].map(|at| {
            thread::spawn(move || {
                let pool = pool(&at);
                (u32::from(claim(&pool)) + u32::from(claim(&pool)), at)
            })
        });
        let got = threads.map(|thread| thread.join().unwrap());
        assert_eq!(got[0].0 + got[1].0, 2);
    });
}
