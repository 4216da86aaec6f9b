//! By the thread's cancelability state.

use core::ffi::c_int;
use core::marker::PhantomData;

/// `PTHREAD_CANCEL_DISABLE`.
const DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// While this lives, the calling thread is not cancelled.
pub(crate) struct HeldOff {
    before: c_int,
    /// It is of the thread that made it.
    _thread: PhantomData<*const ()>,
}

impl HeldOff {
    /// From here on.
    pub fn begin() -> Self {
        let mut before = DISABLE;
        // SAFETY: the state is one of two, and the old one goes into a local. It cannot fail.
        unsafe { pthread_setcancelstate(DISABLE, &raw mut before) };
        Self { before, _thread: PhantomData }
    }
}

impl Drop for HeldOff {
    fn drop(&mut self) {
        let mut own = 0;
        // SAFETY: the state is what the same function returned in this thread.
        unsafe { pthread_setcancelstate(self.before, &raw mut own) };
    }
}
