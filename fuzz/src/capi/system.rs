//! The functions that a program in C supplies, over a staged region.

use std::ffi::c_void;
use std::time::Duration;

use strait_capi::{STRAIT_ALIVE, STRAIT_DEAD, STRAIT_UNKNOWN, strait_system_t};
use strait_core::port::{Clock, Ident, Liveness, Port, Probe, Wait};

use crate::world::{FuzzPort, Region};

/// The functions that a participant of this region supplies.
pub(super) fn system_of(region: &Region) -> strait_system_t {
    strait_system_t {
        context: std::ptr::from_ref(region).cast_mut().cast(),
        domain: 0,
        boot: 3,
        wait: Some(wait),
        wake: Some(wake),
        now_ns: Some(now_ns),
        acquire: Some(acquire),
        release: Some(release),
        probe: Some(probe),
        raise: Some(raise),
        lower: Some(lower),
    }
}

/// The port of nobody.
///
/// # Safety
///
/// `context` must be what `system_of` put there, and the region must still be there.
unsafe fn port<'r>(context: *mut c_void) -> FuzzPort<'r> {
    // SAFETY: the caller's promise.
    let region = unsafe { &*context.cast::<Region>() };
    region.port(None)
}

unsafe extern "C" fn wait(context: *mut c_void, _: *const u32, _: u64, _: u32, _: u32, timeout_ns: u64) {
    // SAFETY: called by strait alone, with the region's context.
    unsafe { port(context) }.pause(Duration::from_nanos(timeout_ns));
}

unsafe extern "C" fn wake(context: *mut c_void, _: *const u32, _: u64, _: u32) {
    // SAFETY: as above.
    unsafe { port(context) }.pause(Duration::ZERO);
}

unsafe extern "C" fn now_ns(context: *mut c_void) -> u64 {
    // SAFETY: as above.
    unsafe { port(context) }.now_ns()
}

unsafe extern "C" fn acquire(context: *mut c_void, ident: u32) -> bool {
    let who = Ident::from_word(ident).expect("an identity");
    // SAFETY: as above.
    let port = unsafe { port(context) };
    // SAFETY: called by strait alone, which publishes the identity next.
    unsafe { port.acquire(who) }.is_ok()
}

unsafe extern "C" fn release(context: *mut c_void, ident: u32) {
    let who = Ident::from_word(ident).expect("an identity");
    // SAFETY: as above.
    let port = unsafe { port(context) };
    // SAFETY: called by strait alone, when the identity is used no more.
    unsafe { port.release(who) };
}

unsafe extern "C" fn probe(context: *mut c_void, ident: u32) -> u32 {
    let who = Ident::from_word(ident).expect("an identity");
    // SAFETY: as above.
    match unsafe { port(context) }.probe(who) {
        Probe::Alive => STRAIT_ALIVE,
        Probe::Dead => STRAIT_DEAD,
        Probe::Unknown => STRAIT_UNKNOWN,
    }
}

unsafe extern "C" fn raise(context: *mut c_void) -> u32 {
    // SAFETY: as above.
    unsafe { port(context) }.raise()
}

unsafe extern "C" fn lower(context: *mut c_void, raised: u32) {
    // SAFETY: as above.
    unsafe { port(context) }.lower(raised);
}
