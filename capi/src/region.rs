//! Regions in memory that the caller supplies.

use core::ffi::c_void;
use core::ptr::NonNull;

use strait_core::format::participants::{self, Card};
use strait_core::{
    Attachment,
    format::{Contents, Header},
    port::{Ident, Liveness, Mem, Port},
};

use crate::cancel::HeldOff;
use crate::handle::{self, Handle};
use crate::plan::with_plan;
use crate::port::{CPort, Shared, Source};
use crate::storage::Kind;
use crate::{arg, strait_plan_t, strait_region_t, strait_status, strait_system_t};

/// An attachment, and what its ports share.
#[repr(C)]
pub(crate) struct Region {
    shared: Shared,
    attachment: Attachment<CPort>,
    /// Whose seat is given up when the region is closed.
    seated: Option<Ident>,
}

impl Handle for strait_region_t {
    type Object = Region;
    const KIND: Kind = Kind::Region;
}

/// Opens a region in `handle`, with the source that `look` finds, as the participant that `join` makes of the
/// caller. That comes after all checks, and what it took is given back if the region turns out unfit in spite of
/// them, which takes a liar: so where the answer is not `Ok`, no place and no token is kept.
///
/// # Safety
///
/// As for [`handle::open`]; memory that a source is made of must stay valid until the region is closed.
pub(crate) unsafe fn open_region(
    handle: *mut strait_region_t,
    system: strait_system_t,
    look: impl FnOnce() -> Result<Source, strait_status>,
    join: impl FnOnce(&Mem, &Header, &strait_system_t) -> Result<Option<Ident>, strait_status>,
) -> strait_status {
    let _whole = HeldOff::begin();
    let make = |place: NonNull<Region>| {
        let source = look()?;
        let shared = place.cast::<Shared>(); // Its first field.
        // SAFETY: the place is the storage's own.
        unsafe { shared.write(Shared::new(system)) };
        // SAFETY: it is in the storage, which is not moved; `close` ensures that no port is left.
        let port = unsafe { CPort::new(shared, source) };
        let mut attachment = Attachment::attach(port)?;
        let seated = join(attachment.port().mem(), attachment.header(), &system)?;
        if let Some(me) = seated {
            let port = attachment.port().seated(me);
            attachment = Attachment::attach(port).inspect_err(|_| {
                participants::leave(attachment.port().mem(), attachment.header(), me);
                // SAFETY: the participant has just left the table, and no role was claimed in its name.
                unsafe { system.release(me) };
            })?;
        }
        // SAFETY: the place is the storage's own.
        let whole = unsafe { &raw mut (*place.as_ptr()).attachment };
        // SAFETY: as above.
        unsafe { whole.write(attachment) };
        // SAFETY: the place is the storage's own.
        let seat = unsafe { &raw mut (*place.as_ptr()).seated };
        // SAFETY: as above.
        unsafe { seat.write(seated) };
        Ok(())
    };
    // SAFETY: the caller's promise; each field is written before the answer `Ok`.
    crate::status::status(unsafe { handle::open_in_place(handle, make) })
}

/// Of a source that takes no part, or that takes part already.
pub(crate) fn no_more(_: &Mem, _: &Header, _: &strait_system_t) -> Result<Option<Ident>, strait_status> {
    Ok(None)
}

/// Shows `using` the attachment of an open region.
///
/// # Safety
///
/// As for [`handle::with`], but for other objects of the region, which may be in use.
pub(crate) unsafe fn attached<R>(
    region: *const strait_region_t,
    using: impl FnOnce(&Attachment<CPort>) -> Result<R, strait_status>,
) -> Result<R, strait_status> {
    let region = handle::place(region.cast_mut())?;
    // SAFETY: a region is there (H1), and only its count of ports changes while it is open.
    using(unsafe { &region.as_ref().attachment })
}

fn memory(start: *mut c_void, len: u32) -> Result<Mem, strait_status> {
    let start = NonNull::new(start.cast()).ok_or(strait_status::BadArgument)?;
    // SAFETY: the caller promises that this many bytes are there until the region is closed.
    Ok(unsafe { Mem::from_raw(start, len) })
}

/// Lays a plan out in memory, so that others can attach. `instance` should be unpredictable, or at least never
/// twice the same. `zeroed` says that the memory holds zeros already; otherwise it is zeroed first. Nobody may
/// be attached to what is there.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_format(
    memory: *mut c_void,
    len: u32,
    plan: *const strait_plan_t,
    instance: u64,
    zeroed: bool,
) -> strait_status {
    let contents = if zeroed { Contents::Zeroed } else { Contents::Unknown };
    let formatted = self::memory(memory, len).and_then(|mem| {
        // SAFETY: the caller's promise.
        unsafe {
            with_plan(plan, |plan| Ok(strait_core::format::initialise(&mem, plan, instance, contents)?))
        }
    });
    crate::status::status(formatted)
}

/// Attaches to the region in `memory` and takes a place in its participant table. `system` may be null: then
/// the region is used by one program on one core (see `strait_system_t`); otherwise it is copied.
///
/// # Safety
///
/// The pointers must be null or as the crate's rules say; the memory must stay valid until the region is
/// closed, be accessed by strait alone, and the functions of `system` must do what their names promise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_attach(
    region: *mut strait_region_t,
    memory: *mut c_void,
    len: u32,
    system: *const strait_system_t,
) -> strait_status {
    let system = if system.is_null() {
        strait_system_t::NONE
    } else {
        // SAFETY: the caller's promise.
        match unsafe { arg::value(system) } {
            Ok(system) => system,
            Err(error) => return error,
        }
    };
    let look = || Ok(Source::Given { mem: self::memory(memory, len)?, me: None });
    let join = |mem: &Mem, header: &Header, system: &strait_system_t| {
        let card = Card { boot: system.boot, ..Card::default() };
        let joined = participants::join(mem, header, system.domain, system, card);
        joined.map(Some).map_err(|_| strait_status::TableFull)
    };
    // SAFETY: the caller's promise.
    unsafe { open_region(region, system, look, join) }
}

/// Attaches to the region in `memory` to look only: it can be inspected, and latest values can be read.
/// Nothing is ever stored, so memory that cannot be written will do.
///
/// # Safety
///
/// As for `strait_attach`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_observe(
    region: *mut strait_region_t,
    memory: *mut c_void,
    len: u32,
) -> strait_status {
    let look = || Ok(Source::Given { mem: self::memory(memory, len)?, me: None });
    // SAFETY: the caller's promise.
    unsafe { open_region(region, strait_system_t::NONE, look, no_more) }
}

/// Closes a region: gives up its place in the participant table. `STRAIT_STATUS_IN_USE` while an object that
/// was opened through it is open.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_region_close(region: *mut strait_region_t) -> strait_status {
    let _whole = HeldOff::begin();
    let leave = |region: NonNull<Region>| {
        // SAFETY: a region is there (H1), and only its count of ports changes while it is open.
        let region = unsafe { region.as_ref() };
        if !region.shared.has_one_port() {
            return Err(strait_status::InUse);
        }
        if let Some(me) = region.seated {
            participants::leave(region.attachment.port().mem(), region.attachment.header(), me);
            // SAFETY: the region counts no port but its own, so there is no endpoint.
            unsafe { region.shared.system.release(me) };
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { handle::close_if(region, leave) }
}

/// The identity of this participant, as it stands in owner words; 0 if it only looks, or the region is not
/// open.
///
/// # Safety
///
/// The pointer must be null or as the crate's rules say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strait_region_ident(region: *const strait_region_t) -> u32 {
    // SAFETY: the caller's promise.
    let found = unsafe { attached(region, |region| Ok(region.port().ident())) };
    found.ok().flatten().map_or(0, Ident::word)
}
