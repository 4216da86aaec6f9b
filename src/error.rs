//! Errors that a program rarely names: what went wrong in a plan, at a lock, or by a peer's misbehaviour.
//!
//! The errors of everyday calls, as [`ChannelError`](crate::ChannelError) and [`RecvError`](crate::RecvError), are at
//! the root; those of a subject are beside it, as in [`region`](crate::region) and [`pipe`](crate::pipe).

pub use strait_core::{
    ChangeError, Late, LocalError, PlanError, PublishError, RecvLanesError, SemaphoreError,
    TryRecvLanesError, UnlockError, Violation, WaitAnyError, WrongSize,
};

pub use strait_core::format::ResetError;
