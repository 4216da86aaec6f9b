//! An onlooker while others are killed: it takes no part, and no verdict of a test may depend on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use strait::observe::{Begin, Follower};
use strait::{RegionOptions, RegionPlace};

use crate::common::Name;

/// Follows all channels of a region that can be followed, read-only, until it is ended or dropped.
pub struct Onlooker {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Onlooker {
    /// Begins to look at the region of this name.
    pub fn of(name: &Name) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (place, over) = (name.region(), Arc::clone(&is_over));
        Self { is_over, thread: Some(thread::spawn(move || follow(&place, &over))) }
    }

    /// Looks a last time; returns how many messages it has seen.
    pub fn end(mut self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().map_or(0, |thread| thread.join().expect("it has seen no damage"))
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn follow(place: &RegionPlace, is_over: &AtomicBool) -> u64 {
    let region = place.open(&RegionOptions::new().read_only(true)).expect("the test made the region");
    let followed = region.channels().filter_map(|entry| Follower::open(&region, &entry, Begin::Oldest).ok());
    let mut followers: Vec<_> = followed.collect();
    let (mut seen, mut buffer) = (0, [0; 1024]);
    loop {
        let is_last = is_over.load(Ordering::Relaxed);
        for follower in &mut followers {
            // As many as come between two looks: nobody is overtaken for ever by a sender that does nothing else.
            for _ in 0..256 {
                let Some(_) = follower.look(&mut buffer).expect("killed, and not broken") else { break };
                seen += 1;
            }
        }
        if is_last {
            return seen;
        }
        thread::sleep(Duration::from_micros(500));
    }
}
