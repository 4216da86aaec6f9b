//! A pool of blocks: claimed, written, handed over, taken and given back, by participants whose deaths are staged.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::common::{Member, Region, TestPort};
use strait_core::format::inspect::{LockState, PermitState, lock_state, permits};
use strait_core::format::{Entry, Kind};
use strait_core::ground::entry::at;
use strait_core::pool::{Block, BlockId, Pool, PoolError};
use strait_core::protocol::pool::{NUMBER, SENT};
use strait_core::{Channel, ChannelError, Plan, Violation, WaitPolicy};

const LEN: u32 = 100;
const PLAN: Plan = Plan::new(&[
    Channel::pool("images", 3, LEN),
    Channel::pool("other", 1, 8),
    Channel::slots::<BlockId>("ids", 8),
])
.line(4)
.participants(6);

fn images(member: &Member) -> Pool<TestPort> {
    member.pool("images").unwrap()
}

fn all<'p>(pool: &'p Pool<TestPort>) -> Vec<Block<'p, TestPort>> {
    let blocks: Vec<_> = std::iter::from_fn(|| pool.try_claim().ok()).collect();
    let mut indices: Vec<_> = blocks.iter().map(Block::index).collect();
    indices.sort_unstable();
    indices.dedup();
    assert_eq!(indices.len(), blocks.len(), "a block is claimed once");
    blocks
}

fn word(region: &Region, entry: &Entry, index: u32, word: u32) -> u32 {
    let first = entry.block_c + entry.blocks(region.look().header().line).unwrap().permits;
    assert!(first + 16 * index < region.mem().len());
    first + at::BLOCK_WORDS * index + word
}

fn sent(pool: &Pool<TestPort>, bytes: &[u8]) -> BlockId {
    let mut block = pool.try_claim().unwrap();
    assert_eq!(block.write(0, bytes), bytes.len());
    block.send(bytes.len()).unwrap()
}

fn bytes(block: &Block<'_, TestPort>) -> Vec<u8> {
    let mut bytes = vec![0; block.len()];
    assert_eq!(block.read(0, &mut bytes), block.len());
    bytes
}

#[test]
fn what_is_sent_is_taken_once_and_comes_back() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (camera, viewer) = (images(&a), images(&b));
    assert_eq!((camera.capacity(), camera.block_len()), (3, 100));
    for round in 0..20_u8 {
        let id = sent(&camera, &[round; 70]);
        let block = viewer.take(id).unwrap();
        assert_eq!((bytes(&block), block.from()), (vec![round; 70], None));
        assert_eq!((block.len(), block.capacity(), block.is_empty()), (70, 100, false));
        assert_eq!(viewer.take(id).err(), Some(PoolError::Gone), "it is taken");
        assert_eq!(camera.take(id).err(), Some(PoolError::Gone));
        block.release().unwrap();
        assert_eq!(viewer.take(id).err(), Some(PoolError::Gone), "it was given back");
    }
    assert_eq!(all(&camera).len(), 3);
}

#[test]
fn nothing_outside_a_block_is_written_or_read() {
    let region = Region::new(&PLAN);
    let a = region.join();
    let pool = images(&a);
    let mut blocks = all(&pool);
    for (fill, block) in (1..).zip(&mut blocks) {
        assert_eq!(block.write(0, &[fill; 300]), 100);
        assert_eq!(block.write(98, &[fill; 8]), 2);
        assert_eq!((block.write(100, &[9]), block.write(usize::MAX, &[9])), (0, 0));
    }
    for (fill, block) in (1..).zip(&blocks) {
        assert_eq!(bytes(block), [fill; 100]);
        assert_eq!((block.read(99, &mut [0; 8]), block.read(101, &mut [0; 8])), (1, 0));
        assert_eq!((block.as_slice(), block.is_empty()), (None, false), "peers are not trusted");
    }
    assert!(region.is_intact());
}

#[test]
fn a_trusted_pool_shows_the_bytes_themselves() {
    let region = Region::new(&PLAN);
    let a = region.join();
    // SAFETY: the participants of this test keep the protocol.
    let trusted = unsafe { a.attachment.clone().trusting_peers() };
    let pool = trusted.pool("images").unwrap();
    let mut block = pool.try_claim().unwrap();
    block.as_mut_slice().unwrap().fill(7);
    let block = pool.take(block.send(33).unwrap()).unwrap();
    assert_eq!(block.as_slice(), Some(&[7; 33][..]));
}

#[test]
fn a_block_is_sent_on_and_taken_back() {
    let region = Region::new(&PLAN);
    let (a, b, c) = (region.join(), region.join(), region.join());
    let (camera, filter, viewer) = (images(&a), images(&b), images(&c));
    let id = sent(&camera, b"raw");
    assert_eq!(camera.sent().collect::<Vec<_>>(), [id]);
    assert_eq!(filter.sent().count(), 0);
    // The queue was full: it takes the block back, and sends it again.
    let id = camera.take(id).unwrap().send(3).unwrap();
    let mut block = filter.take(id).unwrap();
    block.write(3, b" and cooked");
    let on = block.send(14).unwrap();
    assert_eq!(on.index, id.index);
    assert!(on.number & !31 != id.number & !31, "written to: another generation");
    assert_eq!(viewer.take(id).err(), Some(PoolError::Gone), "that was the filter's");
    assert_eq!(bytes(&viewer.take(on).unwrap()), b"raw and cooked");
    // Without a write it is sent on as it is, no longer than it was.
    let first = sent(&camera, b"raw");
    let id = filter.take(first).unwrap().send(99).unwrap();
    assert_eq!((id.index, id.number), (first.index, first.number + 1));
    assert_eq!(bytes(&viewer.take(id).unwrap()), b"raw");
}

#[test]
fn a_dropped_block_is_given_back_also_by_a_panic() {
    let region = Region::new(&PLAN);
    let a = region.join();
    let pool = images(&a);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _blocks = all(&pool);
        panic!("with all blocks");
    }));
    assert!(panicked.is_err());
    assert_eq!(all(&pool).len(), 3);
}

#[test]
fn raw_blocks_are_made_blocks_again() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (pool, other) = (images(&a), images(&b));
    let raw = pool.take(sent(&pool, b"four")).unwrap().into_raw();
    assert_eq!((raw.len, raw.renewed), (4, false));
    // SAFETY: refused, since it is another participant's.
    assert_eq!(unsafe { other.from_raw(raw) }.err(), Some(PoolError::NotOwner));
    // SAFETY: made of a block of this pool, and given once.
    let block = unsafe { pool.from_raw(raw) }.unwrap();
    assert_eq!(bytes(&block), b"four");
    drop(block);
    // SAFETY: refused, since it was given back.
    assert_eq!(unsafe { pool.from_raw(raw) }.err(), Some(PoolError::NotOwner));
    let forged = strait_core::pool::RawBlock { index: 3, ..raw };
    // SAFETY: refused, since there is no such block.
    assert_eq!(unsafe { pool.from_raw(forged) }.err(), Some(PoolError::Fault(Violation::Index)));
}

#[test]
fn waits_end_in_time_or_with_a_block() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (mut waiting, holding) = (images(&a), images(&b));
    waiting.set_wait_policy(WaitPolicy { spin: 0, ..WaitPolicy::parking() });
    let mut blocks = all(&holding);
    assert_eq!(waiting.try_claim().err(), Some(PoolError::Empty));
    assert_eq!(waiting.claim_timeout(Duration::from_millis(1)).err(), Some(PoolError::TimedOut));
    std::thread::scope(|scope| {
        let waiter = scope.spawn(move || waiting.claim_timeout(Duration::from_secs(60)).map(drop));
        while region.counts.sleeps.load(std::sync::atomic::Ordering::Relaxed) < 2 {
            std::thread::yield_now();
        }
        blocks.pop();
        assert_eq!(waiter.join().unwrap(), Ok(()));
    });
}

/// Whatever a dead participant had, owned or sent, comes back once.
#[test]
fn fault_127_blocks_of_the_dead_come_back_once() {
    let region = Region::new(&PLAN);
    let (dying, a, b) = (region.join(), region.join(), region.join());
    let (who, pool) = (dying.ident(), images(&dying));
    let id = sent(&pool, b"one");
    let owned = pool.try_claim().unwrap().into_raw();
    let taken = pool.take(sent(&pool, b"two")).unwrap().into_raw();
    assert_ne!(owned.index, taken.index);
    let (a, b) = (images(&a), images(&b));
    assert_eq!(a.try_claim().err(), Some(PoolError::Empty), "it lives");
    dying.die(pool);
    // What it owned comes first; what it has sent stays in its queue as long as something else is left.
    let one = a.try_claim().unwrap();
    let two = b.try_claim().unwrap();
    assert_eq!((one.from(), two.from()), (Some(who), Some(who)));
    assert_ne!(one.index(), two.index());
    assert!(one.index() != id.index && two.index() != id.index);
    let three = a.try_claim().unwrap();
    assert_eq!((three.index(), three.from()), (id.index, Some(who)));
    assert_eq!(b.take(id).err(), Some(PoolError::Gone));
    assert_eq!(b.try_claim().err(), Some(PoolError::Empty), "each came back once");
    drop((one, two, three));
    assert_eq!(all(&b).len(), 3);
}

#[test]
fn fault_127_what_the_dead_have_sent_is_taken() {
    let region = Region::new(&PLAN);
    let (dying, a) = (region.join(), region.join());
    let pool = images(&dying);
    let id = sent(&pool, b"the last image");
    dying.die(pool);
    let viewer = images(&a);
    let block = viewer.take(id).unwrap();
    assert_eq!((&bytes(&block)[..], block.from()), (&b"the last image"[..], None));
}

/// A consumer dies with a block, and its successor gets the same id from its queue once more.
#[test]
fn fault_128_a_successor_takes_the_block_of_the_dead_with_the_same_id() {
    let region = Region::new(&PLAN);
    let (a, dying, c) = (region.join(), region.join(), region.join());
    let (camera, viewer, successor) = (images(&a), images(&dying), images(&c));
    let id = sent(&camera, b"again");
    let who = dying.ident();
    forget(viewer.take(id).unwrap());
    assert_eq!(successor.take(id).err(), Some(PoolError::Gone), "it lives");
    // As if it had died before it stored its number.
    let turn = word(&region, &region.entry("images"), id.index, at::TURN);
    assert_eq!(region.peek(turn), id.number);
    dying.die(viewer);
    let block = successor.take(id).unwrap();
    assert_eq!((&bytes(&block)[..], block.from()), (&b"again"[..], Some(who)));
    forget(block);
    region.poke(turn, id.number - 1);
    c.die(successor);
    let last = region.join();
    assert_eq!(bytes(&images(&last).take(id).unwrap()), b"again");
}

/// Once a block was given back or written to, nobody takes it for what it held before.
#[test]
fn fault_128_no_successor_takes_what_is_not_that_message_any_more() {
    type End = fn(&Pool<TestPort>, Block<'_, TestPort>);
    let ends: [End; 3] = [
        |_, mut block| {
            block.write(0, b"half of ano");
            forget(block);
        },
        |pool, block| {
            // Given back, claimed again, and half written.
            let index = block.index();
            drop(block);
            let mut blocks = all(pool);
            blocks.iter_mut().for_each(|block| assert_eq!(block.write(0, b"half"), 4));
            assert!(blocks.iter().any(|block| block.index() == index));
            forget(blocks);
        },
        |_, block| drop(block),
    ];
    for end in ends {
        let region = Region::new(&PLAN);
        let (a, dying, c) = (region.join(), region.join(), region.join());
        let (camera, viewer, successor) = (images(&a), images(&dying), images(&c));
        let id = sent(&camera, b"once");
        end(&viewer, viewer.take(id).unwrap());
        dying.die(viewer);
        assert_eq!(successor.take(id).err(), Some(PoolError::Gone));
        assert_eq!(all(&successor).len(), 3, "and all come back");
    }
}

/// A filter dies between its send and its queue, or behind that: what came in is not lost, and nobody has it twice.
#[test]
fn fault_128_what_a_dead_filter_sent_on_is_sent_on_again() {
    for is_taken in [false, true] {
        let region = Region::new(&PLAN);
        let (a, dying, c, d) = (region.join(), region.join(), region.join(), region.join());
        let (camera, filter, successor, viewer) = (images(&a), images(&dying), images(&c), images(&d));
        let id = sent(&camera, b"through");
        let on = filter.take(id).unwrap().send(7).unwrap();
        assert_eq!(successor.take(id).err(), Some(PoolError::Gone), "it lives");
        dying.die(filter);
        if is_taken {
            let _block = viewer.take(on).unwrap();
            assert_eq!(successor.take(id).err(), Some(PoolError::Gone), "the viewer has it");
            continue;
        }
        let again = successor.take(id).unwrap().send(7).unwrap();
        assert_eq!(viewer.take(on).err(), Some(PoolError::Gone));
        assert_eq!(bytes(&viewer.take(again).unwrap()), b"through");
    }
}

/// A message that is sent on shorter is another one: the successor of its taker must not get half of it.
#[test]
fn fault_128_no_successor_takes_a_message_that_was_made_shorter() {
    let region = Region::new(&PLAN);
    let (a, dying, c, d) = (region.join(), region.join(), region.join(), region.join());
    let (camera, filter, successor, viewer) = (images(&a), images(&dying), images(&c), images(&d));
    let id = sent(&camera, b"whole");
    let on = filter.take(id).unwrap().send(3).unwrap();
    dying.die(filter);
    assert_eq!(successor.take(id).err(), Some(PoolError::Gone));
    assert_eq!(bytes(&viewer.take(on).unwrap()), b"who");
}

/// The same bytes are sent on without end, by participants that die with them: each number is sent once.
#[test]
fn fault_128_no_number_is_sent_twice() {
    let region = Region::new(&PLAN);
    let a = region.join();
    let entry = region.entry("images");
    let mut id = sent(&images(&a), b"round");
    let mut numbers = Vec::new();
    for round in 0..200 {
        if id.number & 31 > 24 {
            // The count of a generation is used up soon; a message that is sent on so often is not taken again.
            let pool = images(&a);
            let mut block = pool.take(id).unwrap();
            block.write(0, b"round");
            id = block.send(5).unwrap();
        }
        assert!(!numbers.contains(&id.number), "{round}");
        numbers.push(id.number);
        let dying = region.join();
        let pool = images(&dying);
        let turn = word(&region, &entry, id.index, at::TURN);
        let before = region.peek(turn);
        let block = pool.take(id).unwrap();
        assert_eq!(bytes(&block), b"round");
        match round % 4 {
            0 => id = block.send(5).unwrap(),
            // Dead with it, before or after it stored its number; dead between its send and its queue.
            1 => forget(block),
            2 => {
                forget(block);
                region.poke(turn, before);
            }
            _ => numbers.push(block.send(5).unwrap().number),
        }
        dying.die(pool);
        if round % 4 > 0 {
            let next = region.join();
            id = images(&next).take(id).unwrap().send(5).unwrap();
            next.leave();
        }
    }
    assert_eq!(all(&images(&a)).len(), 3);
}

/// Words and ids that no honest peer writes: nothing outside is reached, and what stays is a block that nobody gets.
#[test]
fn fault_129_forged_ids_and_words_reach_nothing_outside() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (pool, entry) = (images(&a), region.entry("images"));
    const EDGES: [u32; 12] = [0, 1, 2, 3, 4, 99, 100, 101, NUMBER, SENT, SENT | NUMBER, u32::MAX];
    for index in EDGES {
        for number in EDGES {
            let taken = pool.take(BlockId { index, number }).err();
            let is_forged = index >= 3 || number > NUMBER;
            let expected = if is_forged { PoolError::Fault(Violation::Index) } else { PoolError::Gone };
            assert_eq!(taken, Some(expected), "{index} {number:#x}");
        }
    }
    let mut seen = 0;
    for edge in EDGES.into_iter().chain([b.ident().word(), a.ident().word(), 77 << 9 | 1]) {
        for at in [at::STATE, at::TURN, at::SENDER, at::BLOCK_LEN] {
            let id = sent(&pool, b"true");
            region.poke(word(&region, &entry, id.index, at), edge);
            match pool.take(id) {
                Ok(block) => {
                    seen += 1;
                    assert!(block.len() <= 100);
                    let _ = bytes(&block);
                }
                Err(error) => assert!(
                    matches!(error, PoolError::Gone | PoolError::Fault(Violation::Length)),
                    "{error:?}"
                ),
            }
            let mut blocks = all(&pool);
            blocks.iter_mut().for_each(|block| assert_eq!(block.write(0, &[5; 200]), 100));
            drop(blocks);
            region.poke(word(&region, &entry, id.index, at::STATE), 0);
        }
    }
    assert!(seen > 0, "true ones are taken");
    assert_eq!(all(&pool).len(), 3);
    assert!(region.is_intact());
}

#[test]
fn a_block_that_was_taken_away_is_not_sent_or_given_back() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (pool, entry) = (images(&a), region.entry("images"));
    for send in [true, false] {
        let block = pool.try_claim().unwrap();
        let state = word(&region, &entry, block.index(), at::STATE);
        region.poke(state, b.ident().word());
        let lost = if send { block.send(1).err() } else { block.release().err() };
        assert_eq!(lost, Some(PoolError::NotOwner));
        assert_eq!(region.peek(state), b.ident().word());
    }
}

/// A number has 30 bits: behind the last comes 0.
#[test]
fn numbers_wrap() {
    let region = Region::new(&PLAN);
    let a = region.join();
    let (pool, entry) = (a.pool("other").unwrap(), region.entry("other"));
    region.poke(word(&region, &entry, 0, at::TURN), NUMBER - 70);
    let mut numbers: Vec<_> = (0..6)
        .map(|_| {
            let id = sent(&pool, b"x");
            drop(pool.take(id).unwrap());
            id.number
        })
        .collect();
    assert!(numbers.iter().all(|&number| number <= NUMBER) && numbers[5] < 200);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 6);
}

#[test]
fn it_is_seen_and_reset() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let (pool, entry) = (images(&a), region.entry("images"));
    let look = || {
        let states: Vec<_> = permits(region.mem(), 4, &entry).collect();
        (states, lock_state(region.mem(), 4, &entry))
    };
    let of = |free, sent| Some(LockState::Pool { free, sent, count: 3, waiters: false });
    assert_eq!(look(), (vec![PermitState::Free; 3], of(3, 0)));
    let (id, owned) = (sent(&pool, b"x"), pool.try_claim().unwrap().into_raw());
    let (states, state) = look();
    assert_eq!(state, of(1, 1));
    assert_eq!(states[id.index as usize], PermitState::Sent(a.ident()));
    assert_eq!(states[owned.index as usize], PermitState::Taken(a.ident()));
    region.poke(word(&region, &entry, 3 - id.index - owned.index, at::STATE), 1 << 31);
    assert_eq!(look().1, of(0, 1));
    assert_eq!(images(&b).try_claim().err(), Some(PoolError::Empty), "a word that names nobody stays");
    a.die(pool);
    let turns = || [0, 1, 2].map(|index| region.peek(word(&region, &entry, index, at::TURN)));
    let before = turns();
    b.reset_channel("images").unwrap();
    assert_eq!(look(), (vec![PermitState::Free; 3], of(3, 0)));
    assert!(turns().iter().zip(before).all(|(&turn, before)| turn != before), "of each block");
    let pool = images(&b);
    assert_eq!(pool.take(id).err(), Some(PoolError::Gone));
    let ids: Vec<_> = (0..3).map(|_| sent(&pool, b"new")).collect();
    assert!(!ids.contains(&id), "an old id is not a new one");
    assert!(b.reset_channel("images").is_err(), "its blocks are held");
}

#[test]
fn only_pools_are_opened_as_pools_and_plans_are_checked() {
    let region = Region::new(&PLAN);
    let a = region.join();
    assert_eq!(a.pool("ids").err(), Some(ChannelError::Kind { found: Kind::Slots }));
    assert_eq!(a.permits("images").err(), Some(ChannelError::Kind { found: Kind::Pool }));
    assert_eq!(region.look().pool("images").err(), Some(ChannelError::ReadOnly));
    for (count, len) in [(0, 8), (4097, 8), (1, 0), (4096, 1 << 20), (1, u32::MAX)] {
        assert!(Plan::new(&[Channel::pool("p", count, len)]).try_size().is_err(), "{count} {len}");
    }
    for (count, len) in [(1, 1), (4096, 1), (5, 8 << 20)] {
        assert!(Plan::new(&[Channel::pool("p", count, len)]).try_size().is_ok(), "{count} {len}");
    }
}
