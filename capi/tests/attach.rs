//! An attach that fails keeps nothing: no place in the participant table, and no token.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use strait_capi::{strait_attach, strait_region_close, strait_region_t, strait_status, strait_system_t};
use strait_core::format::{Contents, initialise};
use strait_core::port::Mem;
use strait_core::{Channel, Plan};

const PLAN: Plan = Plan::new(&[Channel::latest::<u64>("angle")]).participants(3);
/// Where the header says how long the region is.
const TOTAL_LEN: usize = 16;
const APART: Plan = PLAN.split_payload(4096);

/// Memory with a region in it, and the tokens that are held.
struct World {
    /// Keeps the memory that `base` leads to.
    _words: Vec<u64>,
    base: NonNull<u8>,
    len: u32,
    held: RefCell<HashSet<u32>>,
    /// Whether the header is damaged as soon as a token is taken.
    lies: Cell<bool>,
}

impl World {
    fn new(plan: &Plan<'_>) -> Self {
        let mut words = vec![0_u64; plan.size() / 8 + 1024];
        let start = words.as_ptr().align_offset(4096);
        let base = NonNull::new(words[start..].as_mut_ptr()).expect("not null").cast::<u8>();
        let len = plan.size() as u32;
        // SAFETY: the bytes are the vector's, aligned, and used through this handle alone for now.
        let mem = unsafe { Mem::from_raw(base.cast(), len) };
        initialise(&mem, plan, 7, Contents::Zeroed).expect("a region");
        Self { _words: words, base, len, held: RefCell::default(), lies: Cell::new(false) }
    }

    fn system(&self) -> strait_system_t {
        strait_system_t {
            context: (&raw const *self).cast_mut().cast(),
            domain: 0,
            boot: 0,
            wait: None,
            wake: None,
            now_ns: None,
            acquire: Some(acquire),
            release: Some(release),
            probe: None,
            raise: None,
            lower: None,
        }
    }

    fn attach(&self, handle: &mut MaybeUninit<strait_region_t>) -> strait_status {
        let system = self.system();
        // SAFETY: storage and memory are valid, aligned, and not moved while the region is open.
        unsafe { strait_attach(handle.as_mut_ptr(), self.base.as_ptr().cast(), self.len, &raw const system) }
    }

    /// Damages the length in the header, or mends it again.
    fn turn(&self) {
        // SAFETY: the memory is longer, and this thread alone uses it.
        let byte = unsafe { self.base.add(TOTAL_LEN) };
        // SAFETY: as above.
        let old = unsafe { byte.read() };
        // SAFETY: as above.
        unsafe { byte.write(old ^ 0xFF) };
    }
}

fn world<'a>(context: *mut c_void) -> &'a World {
    // SAFETY: the context is the world that made the system, which outlives its region.
    unsafe { &*context.cast::<World>() }
}

unsafe extern "C" fn acquire(context: *mut c_void, ident: u32) -> bool {
    let world = world(context);
    if world.lies.get() {
        world.turn();
    }
    world.held.borrow_mut().insert(ident)
}

unsafe extern "C" fn release(context: *mut c_void, ident: u32) {
    assert!(world(context).held.borrow_mut().remove(&ident), "given back twice");
}

fn close(handle: &mut MaybeUninit<strait_region_t>) -> strait_status {
    // SAFETY: the storage is valid and aligned.
    unsafe { strait_region_close(handle.as_mut_ptr()) }
}

#[test]
fn a_region_that_is_not_served_is_refused_before_a_place_is_taken() {
    let world = World::new(&APART);
    let mut handle = MaybeUninit::zeroed();
    for _ in 0..8 {
        assert_eq!(world.attach(&mut handle), strait_status::Features, "it is healthy");
        assert!(world.held.borrow().is_empty());
        assert_eq!(close(&mut handle), strait_status::NotOpen);
    }
}

#[test]
fn a_region_that_is_damaged_while_a_place_is_taken_loses_none() {
    let world = World::new(&PLAN);
    let mut handles = [const { MaybeUninit::zeroed() }; 4];
    world.lies.set(true);
    for _ in 0..8 {
        assert_eq!(world.attach(&mut handles[0]), strait_status::TooShort);
        assert!(world.held.borrow().is_empty());
        world.turn();
    }
    world.lies.set(false);
    for handle in &mut handles[..3] {
        assert_eq!(world.attach(handle), strait_status::Ok);
    }
    assert_eq!(world.attach(&mut handles[3]), strait_status::TableFull);
    assert_eq!(world.held.borrow().len(), 3);
    for handle in &mut handles[..3] {
        assert_eq!(close(handle), strait_status::Ok);
    }
    assert!(world.held.borrow().is_empty());
}
