//! Control runs: one named ordering is weakened, and some model must fail then.

extern crate std;

use core::sync::atomic::Ordering;
use std::collections::BTreeSet;
use std::string::String;
use std::sync::{Mutex, OnceLock};
use std::vec::Vec;

use super::super::order::Order;

/// The request of a control run, from the variable `STRAIT_WEAKEN`.
enum Control {
    Nothing,
    /// Weaken the ordering of this name.
    Weaken(String),
    /// Weaken none, but note which are used: the variable is `?`.
    Note,
}

fn control() -> &'static Control {
    static CONTROL: OnceLock<Control> = OnceLock::new();
    CONTROL.get_or_init(|| match std::env::var("STRAIT_WEAKEN") {
        Err(_) => Control::Nothing,
        Ok(name) if name == "?" => Control::Note,
        Ok(name) => Control::Weaken(name),
    })
}

static USED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The names of the orderings that have been used so far, if this process was started with
/// `STRAIT_WEAKEN=?`. Only models that use an ordering can fail when it is weakened.
#[must_use]
pub fn used_orderings() -> Vec<&'static str> {
    USED.lock().expect("nobody dies in here").iter().copied().collect()
}

impl Order {
    /// The ordering, or Relaxed if the control run weakens this one.
    pub(super) fn resolve(self) -> Ordering {
        if self.is_weakened() { Ordering::Relaxed } else { self.ordering }
    }

    pub(super) fn is_weakened(self) -> bool {
        match control() {
            Control::Nothing => false,
            Control::Weaken(name) => name == self.name,
            Control::Note => {
                USED.lock().expect("nobody dies in here").insert(self.name);
                false
            }
        }
    }
}
