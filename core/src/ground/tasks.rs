//! Support of a port for waiting tasks: it keeps their wakers until a peer wakes them.

use core::task::Waker;
use core::time::Duration;

use super::port::{Wait, WaitPoint};

/// Identifies a waiter among all that wait at one moment in one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaiterId(usize);

impl WaiterId {
    /// The sleeper that has `end` to itself, by its address. Must not be of size zero.
    #[must_use]
    pub fn of<T>(end: &T) -> Self {
        Self(core::ptr::from_ref(end).addr())
    }
}

/// Waking tasks: as [`Wait`], for waiters that are polled rather than put to sleep.
///
/// [`Wait::wake`] of this port must reach the wakers kept here for its point; and so must that of
/// every peer that is to wake this program's tasks, by an interrupt, a mailbox, an eventfd. [`Wakers`]
/// is a table to keep them in. A waker that is woken without need costs a look, and nothing else.
pub trait AsyncWait: Wait {
    /// Keeps `waker` for `who`, in place of an earlier one. It is woken, and no longer kept, by the next
    /// wake at `point` (if there is one) whose [`Wait::wake`] begins after this has returned, and when
    /// about `timeout` has passed.
    ///
    /// A port that cannot keep it wakes it before it returns; the task then polls. So does a port
    /// without timers where there is no `point`. Where there is one, such a port may leave the time-out
    /// out if its senders do not die by themselves, fence their wake checks, and keep to the protocol:
    /// the time-out only bounds the cost of those three.
    ///
    /// If a waker is kept too late for a wake, what its sender wrote before is visible when this returns. (A
    /// lock around the table sees to that.)
    fn keep(&self, who: WaiterId, point: Option<WaitPoint<'_>>, waker: &Waker, timeout: Duration);

    /// Forgets the waker kept for `who`, if there is one.
    fn forget(&self, who: WaiterId);
}

/// The wakers of up to `N` tasks, which a port protects by its own lock: a critical section, a mutex.
///
/// Wakers leave the table by value, so that a port can wake and drop them after it has released its lock:
/// a waker may own a task that waits here too. Steps: in proportion to `N`.
///
/// # Examples
///
/// ```
/// use core::task::Waker;
/// use strait_core::port::{WaiterId, Wakers};
/// let mut wakers = Wakers::<4>::new();
/// let who = WaiterId::of(&7_u32);
/// assert!(wakers.keep(who, None, Waker::noop().clone()).is_ok());
/// wakers.take_all().into_iter().flatten().for_each(Waker::wake);
/// assert!(wakers.is_empty());
/// ```
pub struct Wakers<const N: usize> {
    wakers: [Option<KeptWaker>; N],
}

struct KeptWaker {
    who: WaiterId,
    /// The instance and offset of its point.
    at: Option<(u64, u32)>,
    waker: Waker,
}

impl<const N: usize> Wakers<N> {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { wakers: [const { None }; N] }
    }

    /// Keeps a waker for `who`; returns the earlier one, if there was one.
    ///
    /// # Errors
    ///
    /// The waker, if the table is full. Wake it: its task then polls.
    pub fn keep(
        &mut self,
        who: WaiterId,
        point: Option<WaitPoint<'_>>,
        waker: Waker,
    ) -> Result<Option<Waker>, Waker> {
        let at = point.map(|point| (point.instance, point.offset));
        let own = self.wakers.iter().position(|kept| kept.as_ref().is_some_and(|kept| kept.who == who));
        let Some(place) = own.or_else(|| self.wakers.iter().position(Option::is_none)) else {
            return Err(waker);
        };
        let before = self.wakers[place].replace(KeptWaker { who, at, waker });
        Ok(before.map(|kept| kept.waker))
    }

    /// Removes and returns the waker kept for `who`.
    #[must_use]
    pub fn forget(&mut self, who: WaiterId) -> Option<Waker> {
        let place = self.wakers.iter_mut().find(|kept| kept.as_ref().is_some_and(|kept| kept.who == who))?;
        place.take().map(|kept| kept.waker)
    }

    /// Removes and returns the wakers of all waiters at `point`.
    #[must_use]
    pub fn take(&mut self, point: WaitPoint<'_>) -> [Option<Waker>; N] {
        self.take_if(|kept| kept.at == Some((point.instance, point.offset)))
    }

    /// Removes and returns all wakers.
    #[must_use]
    pub fn take_all(&mut self) -> [Option<Waker>; N] {
        self.take_if(|_| true)
    }

    fn take_if(&mut self, wanted: impl Fn(&KeptWaker) -> bool) -> [Option<Waker>; N] {
        core::array::from_fn(|i| {
            let kept = &mut self.wakers[i];
            if kept.as_ref().is_some_and(&wanted) { kept.take().map(|kept| kept.waker) } else { None }
        })
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.wakers.iter().flatten().count()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<const N: usize> Default for Wakers<N> {
    fn default() -> Self {
        Self::new()
    }
}
