//! A participant, whose death a test stages.

use std::ops::Deref;

use strait_core::format::participants;
use strait_core::{
    Attachment,
    port::{Ident, Liveness, Port},
};

use super::port::TestPort;

/// A participant, alive until it leaves or is killed.
pub struct Member {
    pub attachment: Attachment<TestPort>,
}

impl Deref for Member {
    type Target = Attachment<TestPort>;

    fn deref(&self) -> &Self::Target {
        &self.attachment
    }
}

impl Member {
    pub(super) fn new(port: TestPort) -> Self {
        Self { attachment: Attachment::attach(port).expect("the region is sound") }
    }

    pub fn ident(&self) -> Ident {
        self.port().ident().expect("a member has an identity")
    }

    /// Kills the participant: what it holds is never touched again, and its death is provable.
    pub fn die<E>(self, endpoints: E) {
        std::mem::forget(endpoints);
        self.port().region().declare_dead(self.ident());
    }

    /// Leaves in good order.
    pub fn leave(self) {
        let port = self.port();
        participants::leave(port.mem(), self.header(), self.ident());
        // SAFETY: a test that has a member leave uses its endpoints no more.
        unsafe { port.release(self.ident()) };
    }
}
