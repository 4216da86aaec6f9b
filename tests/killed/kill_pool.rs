//! Real processes that hand blocks of a pool over, killed at random points.
#![cfg(any(target_os = "linux", windows))]

use std::time::{Duration, Instant};

use crate::common::{Kid, Name, PATIENCE, role, tell};
use strait::options::{ConsumerOptions, WaitPolicy};
use strait::pool::{Block, BlockId, Pool, PoolError};
use strait::{Channel, Plan, Region, RegionOptions, SystemPort, TypedProducer};

/// Words of a block, all the same: what is half written shows.
const WORDS: usize = 512;
const LEN: usize = 8 * WORDS;
const BLOCKS: u32 = 16;

/// In both queues, and with their ends, are fewer blocks than there are: so nobody claims what the dead have sent.
const PLAN: Plan = Plan::new(&[
    Channel::pool("images", BLOCKS, LEN as u32),
    Channel::slots::<BlockId>("raw", 4).consumer_may_block().producer_may_block(),
    Channel::slots::<BlockId>("cooked", 4).consumer_may_block().producer_may_block(),
]);
const ROUNDS: u32 = 20;

type Images = Pool<SystemPort>;

fn filled(images: &Images, number: u64) -> Block<'_, SystemPort> {
    let mut block = images.claim_timeout(PATIENCE).expect("the dead give back what they had");
    let bytes = [number; WORDS].map(u64::to_le_bytes);
    assert_eq!(block.write(0, bytes.as_flattened()), LEN);
    block
}

/// The number of a block that is whole.
fn number(block: &Block<'_, SystemPort>) -> u64 {
    let mut bytes = [[0; 8]; WORDS];
    assert_eq!(block.read(0, bytes.as_flattened_mut()), LEN);
    let words = bytes.map(u64::from_le_bytes);
    assert!(words.iter().all(|&word| word == words[0]), "{} and others", words[0]);
    words[0]
}

fn send(queue: &mut TypedProducer<BlockId, SystemPort>, block: Block<'_, SystemPort>) {
    let id = block.send(LEN).expect("it is ours");
    queue.send_timeout(&id, PATIENCE).expect("there will be space");
}

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region: Region = region.open(&RegionOptions::new()).expect("the test made the region");
    let images = region.pool("images").unwrap();
    match role.as_str() {
        "send-for-ever" => {
            let mut raw = region.typed_producer::<BlockId>("raw").unwrap();
            tell("ready");
            for next in 0.. {
                send(&mut raw, filled(&images, next));
            }
        }
        "filter-for-ever" => {
            let options = ConsumerOptions::new().release_every(1);
            let mut raw = region.typed_consumer_with::<BlockId>("raw", options).unwrap();
            let mut cooked = region.typed_producer::<BlockId>("cooked").unwrap();
            tell("ready");
            loop {
                match images.take(raw.recv_timeout(PATIENCE).unwrap()) {
                    Ok(block) => {
                        number(&block);
                        send(&mut cooked, block);
                    }
                    Err(error) => assert_eq!(error, PoolError::Gone, "the dead one's work was done"),
                }
            }
        }
        other => panic!("no such role: {other}"),
    }
}

/// Somewhere within 5 ms, but not before something has happened.
fn goes_on(started: Instant, events: u32, round: u32) -> bool {
    let took = started.elapsed();
    assert!(took < PATIENCE, "{events} events are all that happened");
    took < Duration::from_micros(200 + u64::from(round) * 977 % 5000) || events < 20
}

/// Every block can be claimed, once.
fn all_come_back(images: &Images) {
    let blocks: Vec<_> = std::iter::from_fn(|| images.try_claim().ok()).collect();
    assert_eq!(blocks.len() as u32, BLOCKS, "each comes back exactly once");
}

#[test]
fn fault_127_blocks_of_cameras_killed_at_random_all_come_back() {
    let name = Name::new("pool-cameras");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let mut images = region.pool("images").unwrap();
    images.set_wait_policy(WaitPolicy { probe: Duration::from_millis(1), ..WaitPolicy::parking() });
    let mut raw = region.typed_consumer::<BlockId>("raw").unwrap();
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_pool::child", "send-for-ever", &name);
        kid.hear();
        let (started, mut events) = (Instant::now(), 0);
        while goes_on(started, events, round) {
            let Ok(id) = raw.try_recv() else { continue };
            assert_eq!(number(&images.take(id).unwrap()), u64::from(events));
            events += 1;
        }
        kid.kill();
        // What it has sent is there still.
        while let Ok(id) = raw.try_recv() {
            assert_eq!(number(&images.take(id).unwrap()), u64::from(events));
            events += 1;
        }
        all_come_back(&images);
    }
}

#[test]
fn fault_128_filters_killed_at_random_lose_no_image_and_repeat_none() {
    let name = Name::new("pool-filters");
    let region = name.region().create(&PLAN, &RegionOptions::new()).unwrap();
    let images = region.pool("images").unwrap();
    let mut raw = region.typed_producer::<BlockId>("raw").unwrap();
    let mut cooked = region.typed_consumer::<BlockId>("cooked").unwrap();
    let (mut sent, mut seen) = (0, 0);
    let mut receive = |seen: &mut u64| match cooked.try_recv().map(|id| images.take(id)) {
        Ok(Ok(block)) => {
            assert_eq!(number(&block), *seen);
            *seen += 1;
        }
        // A successor has sent it again.
        Ok(Err(error)) => assert_eq!(error, PoolError::Gone),
        Err(_) => {}
    };
    for round in 0..ROUNDS {
        let mut kid = Kid::spawn("kill_pool::child", "filter-for-ever", &name);
        kid.hear();
        let (started, first) = (Instant::now(), seen);
        while goes_on(started, (seen - first) as u32, round) {
            if raw.len() < 3 {
                send(&mut raw, filled(&images, sent));
                sent += 1;
            }
            receive(&mut seen);
        }
        kid.kill();
    }
    let _last = Kid::spawn("kill_pool::child", "filter-for-ever", &name);
    let started = Instant::now();
    while seen < sent {
        receive(&mut seen);
        assert!(started.elapsed() < PATIENCE, "{seen} of {sent} have come");
    }
    all_come_back(&images);
}
