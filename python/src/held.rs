//! What a thread holds: locks and permits, each together with the endpoint from which it borrows.
//!
//! They stay on the thread that took them, in a table that is its own. A Python object has the number of an entry, so
//! another thread that uses it finds nothing and gets an error. An entry whose object is gone is given back when its
//! thread uses the table next, or ends.

use core::time::Duration;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use pyo3::PyResult;
use self_cell::{MutBorrow, self_cell};
use strait::error::SemaphoreError;
use strait::port::Ident;
use strait::{Guard, Lock, LockError, Mutex, Permit, Permits, Recovery};

use crate::errors::{Error, InUse, raised};
use crate::port::Home;
use crate::shelf::{Shelf, closed};

/// A mutex whose type is known at run time.
pub type Bytes = Mutex<[u8], Home>;

/// A lock that is held.
pub enum Held<'m> {
    /// With whole data.
    Whole(Guard<'m, [u8], Home>),
    /// The owner died while it edited in place, so the data is torn.
    Torn(Recovery<'m, [u8], Home>),
    /// Unlocked.
    Gone,
}

self_cell! {
    /// A lock and its mutex.
    pub struct LockCell {
        owner: MutBorrow<Bytes>,
        #[not_covariant]
        dependent: Held,
    }
}

type Taken<'p> = Option<Permit<'p, Home>>;

self_cell! {
    /// A permit and its semaphore.
    pub struct PermitCell {
        owner: MutBorrow<Permits<Home>>,
        #[not_covariant]
        dependent: Taken,
    }
}

/// An entry of the table.
pub enum Thing {
    Lock { cell: LockCell, home: Arc<Shelf<Bytes>> },
    Permit { cell: PermitCell, home: Arc<Shelf<Permits<Home>>> },
}

impl Thing {
    /// Unlocks or gives the permit back, and puts the endpoint where it was taken from.
    fn give_back(self) -> PyResult<()> {
        match self {
            Self::Lock { mut cell, home } => {
                let unlocked =
                    cell.with_dependent_mut(|_, held| match core::mem::replace(held, Held::Gone) {
                        Held::Whole(guard) => raised(guard.unlock()),
                        // Dropping it poisons the lock: nobody made the data whole.
                        Held::Torn(_) | Held::Gone => Ok(()),
                    });
                home.put(cell.into_owner().into_inner());
                unlocked
            }
            Self::Permit { mut cell, home } => {
                let released = cell.with_dependent_mut(|_, permit| match permit.take() {
                    Some(permit) => raised(permit.release()),
                    None => Ok(()),
                });
                home.put(cell.into_owner().into_inner());
                released
            }
        }
    }
}

struct Entry {
    thing: Thing,
    /// Dangles when the Python object is gone.
    object: Weak<()>,
}

thread_local! {
    static TABLE: RefCell<HashMap<u64, Entry>> = RefCell::default();
}

/// A Python object's share in an entry.
pub struct Ticket {
    number: u64,
    _object: Arc<()>,
}

/// Keeps what this thread has taken.
pub fn keep(thing: Thing) -> Ticket {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // ORDERING: Relaxed; only that numbers differ matters.
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let object = Arc::new(());
    let entry = Entry { thing, object: Arc::downgrade(&object) };
    TABLE.with_borrow_mut(|table| table.insert(number, entry));
    Ticket { number, _object: object }
}

/// Gives back what this thread holds of objects that are gone.
pub fn sweep() {
    let _ = TABLE.try_with(|table| {
        let mut table = table.borrow_mut();
        let lost: Vec<u64> = table
            .iter()
            .filter(|(_, entry)| entry.object.strong_count() == 0)
            .map(|(&number, _)| number)
            .collect();
        for number in lost {
            let _ = table.remove(&number).map(|entry| entry.thing.give_back());
        }
    });
}

impl Ticket {
    /// Uses what was taken, if it is this thread that took it.
    pub fn with<R>(&self, using: impl FnOnce(&mut Thing) -> PyResult<R>) -> PyResult<R> {
        TABLE.with_borrow_mut(|table| match table.get_mut(&self.number) {
            Some(entry) => using(&mut entry.thing),
            None => Err(InUse::new_err(
                "another thread took this lock or permit, and only that one can use it and give it back",
            )),
        })
    }

    /// Gives back what was taken. If another thread took it, the ticket stays.
    pub fn give_back(self) -> Result<PyResult<()>, Self> {
        let entry = TABLE.try_with(|table| table.borrow_mut().remove(&self.number));
        match entry {
            Ok(Some(entry)) => Ok(entry.thing.give_back()),
            _ => Err(self),
        }
    }
}

/// What came of locking.
pub struct Locked {
    pub ticket: Ticket,
    /// The dead owner, if there was one.
    pub from: Option<Ident>,
    pub torn: bool,
}

/// Locks the mutex in `place`, waiting for a slice at most. It is with the lock then, and stays in its place otherwise.
pub fn lock(
    place: &mut Option<Bytes>,
    home: &Arc<Shelf<Bytes>>,
    slice: Duration,
) -> PyResult<Result<Locked, LockError>> {
    let mutex = place.take().ok_or_else(closed)?;
    let (mut from, mut torn) = (None, false);
    let cell = LockCell::try_new_or_recover(MutBorrow::new(mutex), |mutex| {
        Ok(match mutex.borrow_mut().lock_timeout(slice)? {
            Lock::Held(guard) => Held::Whole(guard),
            Lock::OwnerDied(recovery) => {
                from = Some(recovery.from());
                match recovery.roll_back() {
                    Ok(guard) => Held::Whole(guard),
                    Err(recovery) => {
                        torn = true;
                        Held::Torn(recovery)
                    }
                }
            }
        })
    });
    Ok(match cell {
        Ok(cell) => Ok(Locked { ticket: keep(Thing::Lock { cell, home: home.clone() }), from, torn }),
        Err((mutex, error)) => {
            *place = Some(mutex.into_inner());
            Err(error)
        }
    })
}

/// What came of acquiring.
pub struct Acquired {
    pub ticket: Ticket,
    pub index: u32,
    pub from: Option<Ident>,
}

/// Takes a permit of the semaphore in `place`, waiting for a slice at most. It is with the permit then, and stays in its
/// place otherwise.
pub fn acquire(
    place: &mut Option<Permits<Home>>,
    home: &Arc<Shelf<Permits<Home>>>,
    slice: Duration,
) -> PyResult<Result<Acquired, SemaphoreError>> {
    let permits = place.take().ok_or_else(closed)?;
    let (mut from, mut index) = (None, 0);
    let cell = PermitCell::try_new_or_recover(MutBorrow::new(permits), |permits| {
        let permit = permits.borrow_mut().acquire_timeout(slice)?;
        (from, index) = (permit.from(), permit.index());
        Ok(Some(permit))
    });
    Ok(match cell {
        Ok(cell) => Ok(Acquired { ticket: keep(Thing::Permit { cell, home: home.clone() }), index, from }),
        Err((permits, error)) => {
            *place = Some(permits.into_inner());
            Err(error)
        }
    })
}

/// The error of a lock or permit that was given back already.
pub fn given_back() -> pyo3::PyErr {
    Error::new_err("this lock or permit was given back; take it again")
}
