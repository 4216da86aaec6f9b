//! Events: something has happened, so often, and this was the last code.
//!
//! An event is a latest value whose listeners count its versions. So there is no queue of notifications that
//! could be full: a listener that was busy learns at once how many it slept through.
//!
//! # Guarantees
//!
//! - [`Notifier::notify`] never waits and takes as many steps as publishing a latest value of 4 bytes.
//! - The counts that a listener gets add up to the notifications since it was opened, whatever it missed in between;
//!   of codes it gets the newest.
//! - Any number of listeners; each has its own count and takes nothing from the others. They may map
//!   the region read-only, and then look once a millisecond.
//!
//! # If a peer dies or misbehaves
//!
//! A notifier that dies has either notified or not. Its successor goes on counting. A notifier that misbehaves can make
//! a listener see wrong counts and codes, and nothing else.

use core::num::NonZeroU64;
use core::time::Duration;

use crate::ground::ident::Ident;
use crate::ground::plan::EVENT;
use crate::ground::port::Port;
use crate::ground::tasks::{AsyncWait, WaiterId};

use super::attachment::Attachment;
use super::error::ChannelError;
use super::latest::{ChangeError, LatestReader, LatestWriter, Reading};
use super::peer_watch::Prospect;
use super::role::PeerStatus;
use super::wait_any::{Waitable, sealed};
use super::wait_policy::{WaitPolicy, WakeCheck};

/// What has happened since a listener looked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notified {
    /// How many notifications there were.
    pub count: NonZeroU64,
    /// The code of the newest one.
    pub code: u32,
}

/// The side of an event that notifies. One at a time; taken over from a dead owner.
///
/// How it works: the diagram is in `core/src/protocol/latest.rs`.
///
/// # Examples
///
/// ```
/// use strait_core::{Channel, Plan, StaticRegion, port::NoSystem};
/// const PLAN: Plan = Plan::new(&[Channel::event("limit switch")]).participants(2);
/// static REGION: StaticRegion<{ PLAN.size() }> = StaticRegion::new();
///
/// let region = REGION.create(&PLAN, 1, &NoSystem).unwrap();
/// let mut listener = region.listener("limit switch").unwrap();
/// let mut notifier = region.notifier("limit switch").unwrap();
/// assert_eq!(listener.try_wait(), None);
/// notifier.notify(7);
/// notifier.notify(8);
/// let notified = listener.try_wait().unwrap();
/// assert_eq!((notified.count.get(), notified.code), (2, 8));
/// assert_eq!(listener.try_wait(), None);
/// ```
pub struct Notifier<P: Port> {
    /// Publishes the codes.
    writer: LatestWriter<u32, P>,
}

/// A side of an event that is notified. Any number of them.
///
/// A listener counts from the moment it is opened. [`total`](Self::total) has what was before.
///
/// # Examples
///
/// See [`Notifier`].
pub struct Listener<P: Port> {
    /// Reads the codes.
    pub(super) reader: LatestReader<u32, P>,
    /// How many notifications were counted.
    counted: u64,
}

impl<P: Port> Attachment<P> {
    /// Claims the notifier's role of an [event](crate::Channel::event).
    ///
    /// # Errors
    ///
    /// [`ChannelError`]; the role is then as it was, or free.
    pub fn notifier(&self, name: &str) -> Result<Notifier<P>, ChannelError> {
        Ok(Notifier { writer: self.latest_writer(name)? })
    }

    /// Opens a listener of an [event](crate::Channel::event). Claims nothing, stores nothing: a read-only mapping
    /// will do.
    ///
    /// # Errors
    ///
    /// [`ChannelError`].
    pub fn listener(&self, name: &str) -> Result<Listener<P>, ChannelError> {
        let mut listener = Listener { reader: self.latest_reader(name)?, counted: 0 };
        listener.try_wait();
        Ok(listener)
    }
}

impl<P: Port> Notifier<P> {
    /// Notifies all listeners, with a code for the newest. Never waits; four stores, a fence, and a look whether a
    /// listener sleeps.
    #[inline]
    pub fn notify(&mut self, code: u32) {
        self.writer.publish(&code);
    }

    /// How often the event was notified, by all notifiers so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.writer.published()
    }

    /// Sets how a notification finds out whether a listener sleeps.
    pub fn set_wake_check(&mut self, check: WakeCheck) {
        self.writer.set_wake_check(check);
    }

    /// The dead participant this role was taken over from, if it was.
    #[must_use]
    pub fn taken_over_from(&self) -> Option<Ident> {
        self.writer.taken_over_from()
    }
}

impl<P: Port> Listener<P> {
    /// What has been notified since the last look, if anything. Two loads if nothing, and otherwise as many steps as
    /// [`LatestReader::read`].
    ///
    /// `None` also if the notifier was faster than every try: then the next look finds it.
    #[inline]
    pub fn try_wait(&mut self) -> Option<Notified> {
        if !self.reader.has_fresh() {
            return None;
        }
        let reading = self.reader.read();
        self.count(reading)
    }

    /// Waits up to `timeout` for a notification.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Option<Notified> {
        let reading = self.reader.wait_for_change(timeout);
        self.count(reading)
    }

    /// The state of the notifier, as far as known. One load, and one probe if somebody has the role.
    #[must_use]
    pub fn notifier(&self) -> PeerStatus {
        self.reader.writer()
    }

    /// Whether nobody can come to notify any more: the region was [removed, or made anew](Port::is_current), and the notifier
    /// is absent or dead. Then waits end within a probe period, as if the time were up; open the region again. System
    /// calls: ask where a wait has found nothing.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.reader.is_replaced()
    }

    /// Sets whether [`wait_timeout`](Self::wait_timeout) ends when the notifier is gone, as if the time were up: when it
    /// is proven dead, or was there and has left. One that has not come yet is waited for. Off unless set. Asked once a
    /// [probe period](WaitPolicy::probe), and when the time is up; [`notifier`](Self::notifier) says whether it was that.
    pub fn end_with_notifier(&mut self, on: bool) {
        self.reader.end_with_writer(on);
    }

    /// How many notifications this listener has counted, from the first that there ever was.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counted
    }

    /// Sets how it waits.
    pub fn set_wait_policy(&mut self, policy: WaitPolicy) {
        self.reader.set_wait_policy(policy);
    }

    fn count(&mut self, reading: Reading<u32>) -> Option<Notified> {
        let Reading::Fresh(code) = reading else { return None };
        let number = self.reader.info()?.number;
        // A notifier that misbehaves may count backwards.
        let count = NonZeroU64::new(number.saturating_sub(self.counted))?;
        self.counted = number;
        Some(Notified { count, code })
    }
}

impl<P: Port + AsyncWait> Listener<P> {
    /// Waits for a notification as long as it takes. If the future is dropped before it is ready, nothing was counted.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], if no notification can come.
    pub async fn wait(&mut self) -> Result<Notified, ChangeError> {
        loop {
            let code = self.reader.changed().await?;
            if let Some(notified) = self.count(Reading::Fresh(code)) {
                return Ok(notified);
            }
        }
    }
}

impl<P: Port> Waitable for Listener<P> {}
impl<P: Port> sealed::Sealed for Listener<P> {
    fn has_data(&mut self) -> bool {
        sealed::Sealed::has_data(&mut self.reader)
    }

    fn place(&self) -> sealed::Place<'_> {
        sealed::Sealed::place(&self.reader)
    }

    fn who(&self) -> WaiterId {
        WaiterId::of(&self.reader)
    }

    fn prospect(&self) -> Option<Prospect<'_>> {
        self.reader.prospect()
    }

    fn searches(&self) -> bool {
        self.reader.ends_with_peer()
    }

    fn search(&mut self) -> bool {
        self.reader.finds_peer_gone()
    }
}

const _: () = assert!(EVENT.size == 4, "a code has 32 bits");
