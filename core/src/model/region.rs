//! A model region.

extern crate std;

use std::sync::Arc;

use crate::endpoint::Attachment;
use crate::endpoint::participants::{self, Card};
use crate::ground::header::Header;
use crate::ground::plan::Plan;
use crate::ground::sync::Mem;

use super::port::Port;
use super::shared::Shared;

/// A region for one run of a model. Make it inside the closure that is checked, before the threads
/// start; keep the plan small (a line of 4, two or three participants, few slots), because every shared
/// word makes the search longer.
#[derive(Clone)]
pub struct Region(Arc<Shared>);

impl Region {
    /// A formatted region.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn new(plan: &Plan<'_>) -> Self {
        Self(Shared::laid_out(plan, false, true))
    }

    /// A formatted region in which every wait may also run out: time passes whenever somebody
    /// sleeps. Without it a wait ends only when it is woken, so that a lost wake is found as a
    /// deadlock.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn time_passes(plan: &Plan<'_>) -> Self {
        Self(Shared::laid_out(plan, true, true))
    }

    /// Memory of zeros, long enough for the plan, which is to be formatted while the model runs:
    /// pass [`mem`](Self::mem) to [`format`](crate::format::initialise). Nobody can join before.
    ///
    /// # Panics
    ///
    /// If the plan cannot work.
    #[must_use]
    pub fn unformatted(plan: &Plan<'_>) -> Self {
        Self(Shared::laid_out(plan, false, false))
    }

    /// The region's memory.
    #[must_use]
    pub fn mem(&self) -> &Mem {
        &self.0.mem
    }

    /// A port that takes no part in the region.
    #[must_use]
    pub fn port(&self) -> Port {
        Port::looking_at(self.0.clone())
    }

    /// Joins the region as a new participant of domain 0.
    ///
    /// # Panics
    ///
    /// If the participant table is full.
    #[must_use]
    pub fn join(&self) -> Attachment<Port> {
        self.join_as(self.port())
    }

    /// Joins the region as a new participant of `domain`, with a hardware lock where the region is to
    /// have one.
    ///
    /// # Panics
    ///
    /// If the domain's places are taken, or it has none.
    #[must_use]
    pub fn join_domain(&self, domain: u32, hardware_lock: bool) -> Attachment<Port> {
        self.join_as(Port { domain, hardware_lock, ..self.port() })
    }

    /// Joins the region as a new participant of domain 0 whose sleeps may also run out, each at any moment: it sleeps
    /// beside others that do not wake by time, and a wake may reach it when its time is just over.
    ///
    /// # Panics
    ///
    /// If the participant table is full.
    #[must_use]
    pub fn join_impatient(&self) -> Attachment<Port> {
        self.join_as(Port { is_impatient: true, ..self.port() })
    }

    fn join_as(&self, looker: Port) -> Attachment<Port> {
        let header = Header::check(&self.0.mem).expect("the region was formatted");
        let me = participants::join(&self.0.mem, &header, looker.domain, &looker, Card::default())
            .expect("the plan has room for this participant");
        Attachment::attach(Port { me: Some(me), ..looker }).expect("the region was formatted")
    }

    /// Looks at the region without joining it, as a read-only mapping does.
    ///
    /// # Panics
    ///
    /// If the region has been damaged.
    #[must_use]
    pub fn look(&self) -> Attachment<Port> {
        Attachment::attach(self.port()).expect("the region was formatted")
    }
}
