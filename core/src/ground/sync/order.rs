//! The named orderings: every ordering on a shared word that is stronger than Relaxed.
//!
//! A name is a synchronisation; its sides (`STORE`, `LOAD`, `FENCE`, ...) stand in one module, and
//! each site in the code carries `ORDERING(name)`. The control run weakens one side at a time to
//! Relaxed (a fence: to nothing) and expects a model to die of it.

use core::sync::atomic::Ordering;

/// A memory ordering with the name under which a control run can weaken it.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub(super) ordering: Ordering,
    #[cfg_attr(not(strait_loom), allow(dead_code))]
    pub(super) name: &'static str,
}

/// Relaxed: a comment at the site says why that is enough.
pub const RELAXED: Order = Order { ordering: Ordering::Relaxed, name: "relaxed" };

macro_rules! orders {
    ($($(#[$doc:meta])* $module:ident { $($side:ident = $ordering:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            pub mod $module {
                use super::{Order, Ordering};
                $(
                    #[doc = concat!("The ", stringify!($side), " side of `", stringify!($module), "`.")]
                    pub const $side: Order = Order {
                        ordering: Ordering::$ordering,
                        name: concat!(stringify!($module), ".", stringify!($side)),
                    };
                )+
            }
        )+
        /// Every named ordering, for the control run.
        pub const ALL: &[&str] = &[$($(concat!(stringify!($module), ".", stringify!($side)),)+)+];
    };
}

orders! {
    /// A region's header is complete before its magic is seen.
    magic { STORE = Release, LOAD = Acquire }
    /// A frame, slot, index or request is complete before its publication is seen.
    publish { STORE = Release, LOAD = Acquire }
    /// The consumer is done with what it read before the producer sees the space as free.
    release { STORE = Release, LOAD = Acquire }
    /// A role's words are complete before the next owner reads them, or the peer sees the role free.
    role { STORE = Release, CAS = Acquire, LOAD = Acquire }
    /// The actions of a lock's owner are seen by the next owner; those of a permit's holder by the next
    /// holder.
    lock { ACQUIRE = Acquire, RELEASE = Release }
    /// Sleeper: `parked` before the second look. Sender: publication before the look at `parked`.
    park { SLEEPER_FENCE = SeqCst, SENDER_FENCE = SeqCst }
    /// Writer: a buffer is invalidated before its data changes. Reader: data before the second look.
    latest_data { FENCE = Release, READER_FENCE = Acquire }
    /// A latest value is complete before its count is seen.
    latest_count { STORE = Release, LOAD = Acquire, AGAIN = Acquire }
    /// A lap is never seen without the invalidation that came before it.
    latest_lap { LOAD = Acquire }
    /// The newest index is seen only after its buffer is complete.
    latest_newest { STORE = Release, LOAD = Acquire }
    /// Consumer of a fan-out: its first head before it has joined; that before its look at the floor. Producer: the
    /// floor before its second look at who has joined.
    join { STORE = Release, LOAD = Acquire, CONSUMER_FENCE = SeqCst, PRODUCER_FENCE = SeqCst }
    /// The name of the server that takes a call is stored before it is seen as taken.
    call_taken { STORE = Release, LOAD = Acquire }
    /// Client: the withdrawal before the look whether the call is taken. Server: the taking before the look
    /// whether it is withdrawn.
    call_withdraw { CLIENT_FENCE = SeqCst, SERVER_FENCE = SeqCst }
    /// The server is done with a request, and its answer is complete, before the call is seen as done.
    call_done { STORE = Release, LOAD = Acquire }
}
