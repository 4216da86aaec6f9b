//! A seat in the region's participant table.

use strait_core::ground::sync::WordRef;
use strait_core::protocol::table;
use strait_core::{Header, Ident};

use crate::port::View;

/// A place in the table that is ours.
pub(crate) struct Seat {
    ident: Ident,
    state: WordRef,
}

impl Seat {
    /// Who we are.
    pub(crate) fn ident(&self) -> Ident {
        self.ident
    }

    /// Leaves the table. The caller then gives the token back.
    pub(crate) fn leave(&self) {
        table::leave(&self.state, self.ident);
    }
}

/// Takes the first place that is free, or whose last occupant is proven dead.
pub(crate) fn join(view: &View, header: &Header) -> Option<Seat> {
    (1..=header.participant_count).find_map(|slot| {
        let state = view.mem().word(header.participant(slot)?)?;
        let ident = table::try_join(slot, &state, view)?;
        Some(Seat { ident, state })
    })
}
