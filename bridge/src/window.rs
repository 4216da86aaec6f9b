//! How far a queue's messages may run ahead of the bridges that receive them.
//!
//! Every receiving bridge tells each second, and each time it has written some messages, how many of a run it is done
//! with. The sending bridge takes no more from its queue while as many are out as its user lets be: the queue fills up, and its
//! producer is refused, as with a consumer in the same machine. That is also the most that a link which is cut can lose.
//! Receivers that are no bridge tell nothing, and bound nothing: for those Zenoh's own congestion control holds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::stamp::Stamp;

/// The power of two of the fewest messages that a bridge lets be out.
pub const LEAST: u32 = 6;
/// The power of two of the most.
pub const MOST: u32 = 13;

/// How long a receiver may be silent, while there are others, before it is forgotten: longer than Zenoh's lease of 10 s.
const SILENT: Duration = Duration::from_secs(15);

/// Receivers that are remembered.
const MOST_RECEIVERS: usize = 64;

/// What is known of the receivers of one queue.
pub struct Window {
    /// Messages that may be out.
    ahead: u64,
    /// Whether Zenoh knows of any subscriber.
    is_matched: AtomicBool,
    /// The number of the message that comes next.
    next: AtomicU64,
    /// The number of the first message that may not be sent yet.
    end: AtomicU64,
    receivers: Mutex<HashMap<u64, (u64, Instant)>>,
    /// The window has moved.
    moved: Condvar,
}

impl Window {
    /// Of so many messages, without receivers.
    pub fn new(ahead: u64) -> Self {
        Self {
            ahead,
            is_matched: AtomicBool::new(false),
            next: AtomicU64::new(0),
            end: AtomicU64::new(u64::MAX),
            receivers: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// Whether the message of this number may be sent.
    pub fn is_open(&self, next: u64) -> bool {
        self.next.store(next, Ordering::Relaxed);
        self.is_matched.load(Ordering::Relaxed) && next < self.end.load(Ordering::Relaxed)
    }

    /// Waits up to `timeout` until the message of this number may be sent.
    pub fn wait(&self, next: u64, timeout: Duration) {
        // What opens the window does so with the lock held.
        let receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_closed = |_: &mut HashMap<_, _>| !self.is_open(next);
        drop(self.moved.wait_timeout_while(receivers, timeout, is_closed));
    }

    /// Zenoh has seen the first subscriber come, or the last one go.
    pub fn set_matched(&self, is_matched: bool) {
        self.update(|receivers| {
            if !is_matched {
                receivers.clear();
            }
            self.is_matched.store(is_matched, Ordering::Relaxed);
        });
    }

    /// Takes what a receiver tells: the stamp's source is the receiver, its order the message of `run` that it waits for.
    /// A receiver that has seen nothing of this run waits for the next one.
    pub fn told(&self, run: u64, stamp: &Stamp) {
        let next = self.next.load(Ordering::Relaxed);
        self.update(|receivers| {
            let is_known = receivers.contains_key(&stamp.source);
            if !is_known && receivers.len() >= MOST_RECEIVERS {
                return;
            }
            let (done, heard) = receivers.entry(stamp.source).or_insert((next, Instant::now()));
            *heard = Instant::now();
            if stamp.run == run {
                // What it cannot have seen yet, it has not.
                *done = stamp.order.min(next.saturating_add(1));
            }
        });
    }

    /// Forgets receivers that are silent.
    pub fn expire(&self) {
        self.update(|receivers| receivers.retain(|_, (_, heard)| heard.elapsed() < SILENT));
    }

    fn update(&self, change: impl FnOnce(&mut HashMap<u64, (u64, Instant)>)) {
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut receivers);
        let end = receivers.values().map(|(done, _)| done.saturating_add(self.ahead)).min();
        self.end.store(end.unwrap_or(u64::MAX), Ordering::Relaxed);
        self.moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{MOST_RECEIVERS, Window};
    use crate::stamp::Stamp;

    const AHEAD: u64 = 512;

    fn told(source: u64, run: u64, order: u64) -> Stamp {
        Stamp { source, run, order, ..Stamp::default() }
    }

    #[test]
    fn the_slowest_receiver_bounds_the_window() {
        let window = Window::new(AHEAD);
        assert!(!window.is_open(0), "nobody listens");
        window.set_matched(true);
        assert!(window.is_open(u64::MAX - 1), "a subscriber that tells nothing bounds nothing");
        assert!(window.is_open(5));
        window.told(1, &told(10, 0, 0));
        assert!(window.is_open(5 + AHEAD - 1) && !window.is_open(5 + AHEAD));
        window.told(1, &told(11, 1, 9));
        window.told(1, &told(10, 1, 7));
        assert!(window.is_open(7 + AHEAD - 1) && !window.is_open(7 + AHEAD));
        window.set_matched(false);
        assert!(!window.is_open(0));
        window.set_matched(true);
        assert!(window.is_open(7 + AHEAD));
    }

    #[test]
    fn a_sender_that_waits_goes_on_as_soon_as_the_window_opens() {
        let window = Window::new(AHEAD);
        window.set_matched(true);
        assert!(window.is_open(0));
        window.told(1, &told(1, 0, 0));
        assert!(!window.is_open(AHEAD));
        thread::scope(|scope| {
            scope.spawn(|| window.told(1, &told(1, 1, 1)));
            window.wait(AHEAD, Duration::from_secs(60));
        });
        assert!(window.is_open(AHEAD));
        window.set_matched(false);
        thread::scope(|scope| {
            scope.spawn(|| window.set_matched(true));
            window.wait(AHEAD, Duration::from_secs(60));
        });
        assert!(window.is_open(AHEAD));
        window.told(1, &told(1, 1, 1));
        let start = Instant::now();
        window.wait(2 * AHEAD, Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20), "it waits while the window is closed");
    }

    #[test]
    fn a_receiver_that_lies_neither_opens_the_window_for_ever_nor_fills_the_memory() {
        let window = Window::new(AHEAD);
        window.set_matched(true);
        assert!(window.is_open(0));
        window.told(1, &told(1, 1, u64::MAX));
        assert!(!window.is_open(2 * AHEAD));
        for source in 0..10 * MOST_RECEIVERS as u64 {
            window.told(1, &told(source, 0, 0));
        }
        assert!(window.receivers.lock().expect("no panic").len() <= MOST_RECEIVERS);
    }
}
