//! Regions with pools in which anything may be wrong: an error or sane data, and nothing outside is touched.

use std::time::Duration;

use crate::common::{Member, Region};
use strait_core::format::inspect::{LockState, lock_state, permits};
use strait_core::pool::{Block, BlockId};
use strait_core::{Channel, Plan, WaitPolicy, port::Port};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::pool("images", 3, 40),
    Channel::pool("small", 5, 1),
    Channel::slots::<BlockId>("ids", 4),
    Channel::pool("one", 1, 100),
    Channel::permits("p", 2),
    Channel::pool("more", 2, 16),
    Channel::pool("most", 4, 8),
    Channel::pool("last", 2, 64),
])
.line(4)
.participants(4);
const POOLS: [&str; 6] = ["images", "small", "one", "more", "most", "last"];
const POLICY: WaitPolicy = WaitPolicy { spin: 2, park: true, probe: Duration::from_micros(20) };

/// A region in use, whose participants are dead; each pool has a block that is sent, and one that is owned.
fn used() -> Vec<u8> {
    let region = Region::new(&PLAN);
    let member = region.join();
    for name in POOLS {
        let pool = member.pool(name).unwrap();
        let _sent = pool.try_claim().unwrap().send(1).unwrap();
        let _owned = pool.try_claim().map(Block::into_raw);
    }
    region.after_death_of_all().bytes()
}

/// Opened pools, blocks that were had, and refusals.
fn exercise(member: &Member) -> [u32; 3] {
    let mut tally = [0; 3];
    let mem = member.port().mem();
    for entry in member.channels() {
        assert!(permits(mem, 4, &entry).count() <= 4096);
        if let Some(LockState::Pool { free, sent, count, .. }) = lock_state(mem, 4, &entry) {
            assert!(free + sent <= count);
        }
    }
    for name in POOLS {
        let Ok(mut pool) = member.pool(name) else { continue };
        tally[0] += 1;
        pool.set_wait_policy(POLICY);
        for index in 0..6 {
            for number in [0, 1, 33, 34, u32::MAX] {
                tally[2] += u32::from(pool.take(BlockId { index, number }).is_err());
            }
        }
        let mut blocks: Vec<_> = std::iter::from_fn(|| pool.try_claim().ok()).take(8).collect();
        for block in &mut blocks {
            tally[1] += 1;
            assert!(
                block.write(0, &[7; 200]) == pool.block_len().min(200) && block.index() < pool.capacity()
            );
            assert!(block.read(0, &mut [0; 200]) <= 200);
        }
        tally[2] += u32::from(pool.claim_timeout(Duration::ZERO).is_err());
        let ids: Vec<_> = blocks.into_iter().filter_map(|block| block.send(3).ok()).collect();
        assert!(pool.sent().all(|id| id.index < pool.capacity()));
        for id in ids {
            match pool.take(id).map(|block| (block.len(), block.read(0, &mut [0; 8]))) {
                Ok((len, read)) => assert!(len <= pool.block_len() && read <= len),
                Err(_) => tally[2] += 1,
            }
        }
    }
    tally
}

#[test]
fn fault_129_any_image_with_pools_gives_an_error_or_sane_data() {
    crate::common::damage::any_image_of(&used(), exercise);
}
