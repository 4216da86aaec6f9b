//! The gain table, as everybody locks it.

use std::time::Duration;

use strait::{Guard, Lock, LockError, Mutex, Region, SystemPort};

use super::frames::{GAINS, Gains};
use super::part::Answer;

/// A handle on the gain table.
pub struct GainTable(Mutex<Gains, SystemPort>);

/// Outcome of locking the table.
pub struct Locked<'t> {
    pub guard: Guard<'t, Gains, SystemPort>,
    /// Its last owner died with it, and the table was rolled back.
    pub repaired: bool,
}

impl GainTable {
    pub fn open(attachment: &Region) -> Answer<Self> {
        attachment.mutex(GAINS).map(Self).map_err(|error| format!("{GAINS}: {error}"))
    }

    /// The table, if nobody alive has it.
    pub fn try_lock(&mut self) -> Answer<Option<Locked<'_>>> {
        match self.0.try_lock() {
            Err(LockError::Busy) => Ok(None),
            result => locked(result).map(Some),
        }
    }

    /// The table, once nobody alive has it.
    pub fn lock(&mut self, timeout: Duration) -> Answer<Locked<'_>> {
        locked(self.0.lock_timeout(timeout))
    }
}

fn locked(result: Result<Lock<'_, Gains, SystemPort>, LockError>) -> Answer<Locked<'_>> {
    let lock = result.map_err(|error| format!("{GAINS}: {error}"))?;
    let repaired = matches!(lock, Lock::OwnerDied(_));
    let Ok(mut guard) = lock.or_roll_back() else {
        return Err(format!("{GAINS}: its last owner died, and it could not be rolled back"));
    };
    if repaired {
        guard.update(|gains| gains.repairs += 1);
    }
    if !guard.get().is_whole() {
        return Err(format!("{GAINS}: half of one update and half of another"));
    }
    Ok(Locked { guard, repaired })
}
