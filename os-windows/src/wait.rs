//! Sleeping until a word of the region changes.
//!
//! Each wait point has an event of its own, named after the region's instance and the word's offset.
//! The first sleeper creates it. A waker opens it by its name: if there is none, nobody sleeps.
//! (The core asks for a wake only where somebody has said that he sleeps, so sending costs no call
//! of the system while nobody waits.) The event goes with the last process that has it open.
//!
//! `WaitOnAddress`, which would need no object, reaches the threads of its own process only.
//!
//! # If a wake is lost
//!
//! The event stays set after a wake, so that it reaches all sleepers, and the next sleeper resets
//! it before it looks at the word. A thread that has looked but does not sleep yet may miss that wake
//! then, if somebody else goes to sleep at the same word in the same moment. He sleeps as long as
//! nobody wakes him, but never longer than his probe period. Nothing else is ever lost: the word is
//! changed before the event is set, and looked at after it was taken back.
//!
//! # Time-outs
//!
//! Windows looks at time-outs once a tick, which is 15.6 ms unless some program asked for shorter
//! ones (`timeBeginPeriod`), and ends them up to a tick late. So a sleeper whose peer died between
//! publication and wake may need a probe period and a tick. A wake is not late: it does not wait for
//! a tick. [`pause`] uses a timer of higher resolution where there is one (Windows 10 of 2018).
//!
//! Where no event can be created (an app container may not create any in the machine's namespace), the
//! sleeper polls: it looks every millisecond, or every tick.

use core::time::Duration;
use std::os::windows::io::{AsRawHandle, OwnedHandle, RawHandle};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use strait_core::port::RELAXED;
use strait_core::port::WaitPoint;
use windows_sys::Win32::Foundation::WAIT_OBJECT_0;
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, OpenEventW, ResetEvent, SYNCHRONIZATION_SYNCHRONIZE, SetEvent,
    WaitForMultipleObjects, WaitForSingleObject,
};

use crate::name::Space;
use crate::security::{Descriptor, own};

/// The most events that the system waits for at once.
const MOST: usize = 64;

/// How long a sleeper without an event naps.
const NAP: Duration = Duration::from_millis(1);

/// The events of one region that this process has open.
#[derive(Debug)]
pub(crate) struct Events {
    space: Space,
    instance: u64,
    security: Descriptor,
    /// By the offset of the word. None is closed before the value is dropped.
    open: Mutex<Vec<(u32, OwnedHandle)>>,
}

impl Events {
    /// None yet. Those that sleepers here create are named in `space`.
    pub(crate) fn new(space: Space, instance: u64, security: Descriptor) -> Self {
        Self { space, instance, security, open: Mutex::default() }
    }

    /// See [`strait_core::port::Wait::wait`].
    pub(crate) fn wait(&self, point: WaitPoint<'_>, expected: u32, timeout: Duration) {
        let Some(event) = self.event(point.offset, |name| self.create(name)) else {
            return nap(&[(point, expected)], timeout);
        };
        if is_set(event) {
            // SAFETY: the handle is open until `self` is dropped.
            unsafe { ResetEvent(event) };
        }
        // ORDERING: relaxed. A waker changes the word before it sets the event, and the calls
        // that take the event back or create it go through the event's lock in the kernel: if this is
        // still the old value, he has yet to set it. What it guards is loaded by the caller.
        if point.word.load(RELAXED) != expected {
            return;
        }
        // SAFETY: the handle is open until `self` is dropped.
        unsafe { WaitForSingleObject(event, millis(timeout)) };
    }

    /// See [`strait_core::port::Wait::wait_any`]. Words of another region have no event here, and are polled.
    pub(crate) fn wait_any(&self, points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
        let mut events: [RawHandle; MOST] = [core::ptr::null_mut(); MOST];
        let all = points.len() <= MOST
            && points.iter().zip(&mut events).all(|((point, _), event)| {
                let own = point.instance == self.instance;
                let found = if own { self.event(point.offset, |name| self.create(name)) } else { None };
                found.map(|found| *event = found).is_some()
            });
        if !all {
            return nap(points, timeout);
        }
        for &event in events.iter().take(points.len()).filter(|event| is_set(**event)) {
            // SAFETY: the handle is open until `self` is dropped.
            unsafe { ResetEvent(event) };
        }
        // ORDERING: relaxed, as in `wait`.
        if points.iter().any(|(point, expected)| point.word.load(RELAXED) != *expected) {
            return;
        }
        // SAFETY: so many handles are there, and open until `self` is dropped.
        unsafe { WaitForMultipleObjects(points.len() as u32, events.as_ptr(), 0, millis(timeout)) };
    }

    /// See [`strait_core::port::Wait::wake`].
    pub(crate) fn wake(&self, point: WaitPoint<'_>) {
        if let Some(event) = self.event(point.offset, |name| open(&name)) {
            // SAFETY: the handle is open until `self` is dropped.
            unsafe { SetEvent(event) };
        }
    }

    /// The event of the word at `offset`, found by `find` if it is not open yet.
    fn event(&self, offset: u32, find: impl FnOnce(Vec<u16>) -> Option<OwnedHandle>) -> Option<RawHandle> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, event)) = open.iter().find(|(at, _)| *at == offset) {
            return Some(event.as_raw_handle());
        }
        let event = find(self.space.object(self.instance, "wait", offset))?;
        let raw = event.as_raw_handle();
        open.push((offset, event));
        Some(raw)
    }

    fn create(&self, name: Vec<u16>) -> Option<OwnedHandle> {
        let attributes = self.security.attributes();
        let (manual_reset, set) = (1, 0);
        // SAFETY: the attributes and the name, which ends in a zero, live until the call is over.
        let event = unsafe { CreateEventW(&raw const attributes, manual_reset, set, name.as_ptr()) };
        // SAFETY: the call made the handle, and nobody else knows it.
        let created = (!event.is_null()).then(|| unsafe { own(event) });
        // It asked for all rights; a user that may only wait and wake asks for these.
        created.or_else(|| open(&name))
    }
}

fn open(name: &[u16]) -> Option<OwnedHandle> {
    let rights = EVENT_MODIFY_STATE | SYNCHRONIZATION_SYNCHRONIZE;
    // SAFETY: the name ends in a zero.
    let event = unsafe { OpenEventW(rights, 0, name.as_ptr()) };
    // SAFETY: the call made the handle, and nobody else knows it.
    (!event.is_null()).then(|| unsafe { own(event) })
}

fn is_set(event: RawHandle) -> bool {
    // SAFETY: the caller keeps the handle open.
    unsafe { WaitForSingleObject(event, 0) == WAIT_OBJECT_0 }
}

/// The time in milliseconds, rounded up, and less than for ever.
fn millis(timeout: Duration) -> u32 {
    u32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

fn nap(points: &[(WaitPoint<'_>, u32)], timeout: Duration) {
    let start = Instant::now();
    // ORDERING: relaxed, as the caller looks again at what it waits for, with its own ordering.
    while points.iter().all(|(point, expected)| point.word.load(RELAXED) == *expected) {
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(NAP.min(left));
    }
}
