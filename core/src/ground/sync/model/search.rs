//! Keeps loom's search complete.
//!
//! loom tries another order of two steps only where it sees that they touch the same word, and of a
//! word it remembers the last access alone. So a thread that loads a word and then stores it hides,
//! by its own load, that others had loaded the word before: the orders in which the store comes
//! first are never tried (tokio-rs/loom, issues 166 and 392). A thread that takes a role over does just
//! that: it reads what is there and goes on.
//!
//! Therefore each word has, for each thread that loads it, an object of its own, which that thread
//! touches at each load, and which a store touches if loom would not see the load.

extern crate std;

use std::sync::{Arc, Mutex, MutexGuard};
use std::vec::Vec;

use loom::sync::Condvar;
use loom::thread::{self, ThreadId};

/// Touching it is an access that depends on every other, and does nothing else: nobody ever waits.
type Touch = Arc<Condvar>;

/// The threads that have loaded a word.
#[derive(Default)]
pub(super) struct Loads(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    touches: Vec<(ThreadId, Touch)>,
    /// Those that loaded the word since the last store, the last of them at the end.
    since: Vec<ThreadId>,
}

impl Loads {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("nobody dies in here")
    }

    /// Stands before a load. Returns the thread, for [`after_load`](Self::after_load).
    pub fn before_load(&self) -> ThreadId {
        let me = thread::current().id();
        let mut inner = self.inner();
        let known = inner.touches.iter().find(|(who, _)| *who == me);
        let touch = match known.map(|(_, touch)| touch.clone()) {
            Some(touch) => touch,
            None => {
                let touch = Touch::default();
                inner.touches.push((me, touch.clone()));
                touch
            }
        };
        // Touching lets others run.
        drop(inner);
        touch.notify_one();
        me
    }

    /// Stands after a load, before anyone else runs.
    pub fn after_load(&self, me: ThreadId) {
        let mut inner = self.inner();
        inner.since.retain(|&who| who != me);
        inner.since.push(me);
    }

    /// Stands before a store or a compare-and-swap.
    pub fn before_store(&self) {
        let hidden: Vec<Touch> = {
            let inner = self.inner();
            // The last of them is not hidden.
            if inner.since.len() < 2 {
                return;
            }
            let me = thread::current().id();
            let last = inner.since.last().copied();
            let is_hidden = |who: &ThreadId| *who != me && Some(*who) != last && inner.since.contains(who);
            inner.touches.iter().filter(|(who, _)| is_hidden(who)).map(|(_, touch)| touch.clone()).collect()
        };
        hidden.iter().for_each(|touch| touch.notify_one());
    }

    /// Stands after a store or a compare-and-swap, before anyone else runs.
    pub fn after_store(&self) {
        self.inner().since.clear();
    }
}
