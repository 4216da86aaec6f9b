//! How these models stage a death with the lock, and record how far its owner came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use strait_core::model::{Death, Port, Region};
use strait_core::{
    Attachment, Lock, LockError, WaitPolicy,
    port::{Clock, Ident, Port as _},
};

use crate::mutex::{LONG, Table, count_up, held, open, whole};

pub const PROBE: Duration = WaitPolicy::parking().probe;

pub fn ident(at: &Attachment<Port>) -> Ident {
    at.port().ident().expect("it has joined")
}

pub fn now(at: &Attachment<Port>) -> Duration {
    Duration::from_nanos(at.port().now_ns())
}

/// How far the owner has come.
#[derive(Clone, Default)]
pub struct Stage(Arc<AtomicU32>);

impl Stage {
    pub const LOCKED: u32 = 1;
    pub const UNLOCKING: u32 = 2;
    pub const UNLOCKED: u32 = 3;

    pub fn reach(&self, stage: u32) {
        self.0.store(stage, Ordering::SeqCst);
    }

    /// Whether this number of recoveries is right after a death here: none before the lock and after it, one
    /// with the lock; in the calls themselves either.
    pub fn allows(&self, recoveries: u32) -> bool {
        match self.0.load(Ordering::SeqCst) {
            Self::LOCKED => recoveries == 1,
            Self::UNLOCKED => recoveries == 0,
            _ => recoveries <= 1,
        }
    }
}

/// Locks, counts up, and unlocks.
pub fn turn(mutex: &mut Table, stage: &Stage) {
    let mut guard = held(mutex.lock_timeout(LONG));
    stage.reach(Stage::LOCKED);
    count_up(&mut guard);
    stage.reach(Stage::UNLOCKING);
    guard.unlock().unwrap();
    stage.reach(Stage::UNLOCKED);
}

/// Dies with the lock, without a change.
pub fn die_with_the_lock(at: &Attachment<Port>) {
    let mut mutex = open(at);
    let death = Death::before(3).run(at.port(), || {
        let guard = held(mutex.try_lock());
        loop {
            let _ = guard.takeovers();
        }
    });
    assert!(death.is_err());
}

/// Dies with the lock while it edits the value, half of which is 9 then.
pub fn die_in_place(region: &Region) {
    let at = region.join();
    let mut mutex = open(&at);
    let death = Death::before(6).run(at.port(), || {
        held(mutex.try_lock()).edit_in_place(|edit| {
            edit.write(0, &9_u32.to_le_bytes());
            loop {
                edit.write(0, &9_u32.to_le_bytes());
            }
        });
    });
    assert!(death.is_err());
}

/// Tries to lock, repairs by fives what may be half written, and looks at the value. Returns whether it
/// got the lock.
pub fn settle(mutex: &mut Table) -> bool {
    let guard = match mutex.try_lock() {
        Ok(Lock::OwnerDied(recovery)) if recovery.was_in_place() => {
            let recovery = recovery.roll_back().err().expect("there is nothing to go back to");
            recovery.repair(|value| *value = [5; 2]).unwrap()
        }
        Ok(Lock::OwnerDied(recovery)) => recovery.roll_back().ok().unwrap(),
        Ok(Lock::Held(guard)) => guard,
        Err(error) => {
            assert_eq!(error, LockError::Busy);
            return false;
        }
    };
    match whole(guard.get()) {
        0 => assert_eq!(guard.version(), 0),
        5 | 9 => assert_ne!(guard.version(), 0, "it was changed"),
        other => panic!("nobody wrote {other}"),
    }
    true
}
