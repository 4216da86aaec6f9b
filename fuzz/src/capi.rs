//! The target `capi`: the C interface, with arguments at the edges of what its header allows.
//!
//! Every pointer is null, misaligned, or leads to storage of its own on the heap of exactly the size that
//! is stated, so that AddressSanitizer sees an access beyond it. The memory is laid out by an arbitrary plan,
//! or by a good one, or holds arbitrary bytes; a peer stores anything in it between the calls.

mod arguments;
mod calls;
mod system;

use std::ffi::CString;
use std::ptr;

use strait_capi::{
    strait_attach, strait_channel_t, strait_format, strait_observe, strait_plan_size, strait_plan_t,
    strait_region_close, strait_region_ident, strait_region_t, strait_status, strait_status_text,
    strait_type_hash,
};
use strait_core::port::Ident;

use crate::attach;
use crate::input::Input;
use crate::world::Region;
use calls::Objects;
use system::system_of;

/// Calls a function of the C interface.
macro_rules! call {
    ($call:expr) => {{
        // SAFETY: each pointer is null, misaligned, or leads to as many bytes as the length beside it, which
        // are this run's own; texts end with a NUL; objects stay where they are while they are open.
        unsafe { $call }
    }};
}
use call;

/// The most operations of a run.
const MOST: usize = 300;

/// The longest region of an arbitrary plan that is laid out.
const LONGEST: u32 = 1 << 16;

/// Storage of an object, zeroed, on the heap.
struct Storage<T>(Box<std::mem::MaybeUninit<T>>);

impl<T> Storage<T> {
    fn new() -> Self {
        Self(Box::new(std::mem::MaybeUninit::zeroed()))
    }

    /// Where it is; now and then null or misaligned.
    fn pointer(&mut self, input: &mut Input<'_>) -> *mut T {
        match input.byte() {
            255 => ptr::null_mut(),
            254 => self.0.as_mut_ptr().wrapping_byte_add(1),
            _ => self.0.as_mut_ptr(),
        }
    }

    fn whole(&mut self) -> *mut T {
        self.0.as_mut_ptr()
    }
}

/// The channels of a good plan.
const NAMES: [&str; 7] = ["frames", "slots", "compact", "latest", "mutex", "semaphore", "permits"];
const HASH: u64 = 77;
const SIZE: u32 = 13;

fn good_channels(names: &[CString]) -> Vec<strait_channel_t> {
    let shapes = [(1, 128, 48), (2, 4, SIZE), (3, 4, SIZE), (4, 0, SIZE), (5, 0, SIZE), (6, 5, 1), (7, 3, 0)];
    let channels = shapes.iter().zip(names).map(|(&(kind, capacity, size), name)| strait_channel_t {
        name: name.as_ptr(),
        kind,
        capacity,
        size,
        flags: 1 | u32::from(kind < 4) << 1,
        type_hash: if (2..6).contains(&kind) { HASH } else { 0 },
        doorbell: u32::from(kind < 4),
        producer_domain: 0,
        consumer_domain: 0,
        producers: 0,
        urgent_lanes: 0,
        answer_size: 0,
        answer_hash: 0,
        consumers: 0,
        period_us: 0,
    });
    channels.collect()
}

fn small_or_any(input: &mut Input<'_>) -> u32 {
    if input.flag() { input.edge() } else { 1 << input.below(9) }
}

fn any_channels(names: &[CString], input: &mut Input<'_>) -> Vec<strait_channel_t> {
    let channel = |name: &CString| strait_channel_t {
        name: if input.byte() == 255 { ptr::null() } else { name.as_ptr() },
        kind: input.below(11) as u32,
        capacity: small_or_any(input),
        size: small_or_any(input),
        flags: if input.byte() == 255 { input.edge() } else { input.below(4) as u32 },
        type_hash: if input.flag() { 0 } else { input.wide() },
        doorbell: input.below(3) as u32,
        producer_domain: if input.byte() < 250 { 0 } else { input.edge() },
        consumer_domain: if input.byte() < 250 { 0 } else { input.edge() },
        producers: 0,
        urgent_lanes: 0,
        answer_size: small_or_any(input),
        answer_hash: if input.flag() { 0 } else { input.wide() },
        consumers: if input.byte() < 200 { 0 } else { small_or_any(input) },
        period_us: 0,
    };
    names.iter().map(channel).collect()
}

/// Memory laid out by a plan; `None` if it does not work, or is too long.
fn planned(names: &[CString], input: &mut Input<'_>) -> Option<Region> {
    let good = input.flag();
    let channels = if good { good_channels(names) } else { any_channels(names, input) };
    let count = if input.byte() == 255 { input.edge() } else { channels.len() as u32 };
    // More than there are, only where that many are refused at once.
    let count = if count > channels.len() as u32 { count.max(33) } else { count };
    let plan = strait_plan_t {
        channels: channels.as_ptr(),
        channel_count: count,
        line: if good { 4 } else { small_or_any(input) },
        participants: if good { 4 } else { small_or_any(input) },
        description: ptr::null(),
    };
    let mut size = 0_u32;
    assert_eq!(call!(strait_plan_size(&raw const plan, ptr::null_mut())), strait_status::BadArgument);
    assert_eq!(call!(strait_plan_size(ptr::null(), &raw mut size)), strait_status::BadArgument);
    let status = call!(strait_plan_size(&raw const plan, &raw mut size));
    if status != strait_status::Ok {
        assert!(!good || count as usize != channels.len(), "a good plan does not work: {status:?}");
        return None;
    }
    if size > LONGEST {
        return None;
    }
    let region = Region::zeroed(size);
    let memory = region.start().cast();
    let short = call!(strait_format(memory, size - 4, &raw const plan, 1, true));
    assert_ne!(short, strait_status::Ok, "too short a memory was formatted");
    let zeroed = input.flag();
    assert_eq!(call!(strait_format(memory, size, &raw const plan, 7, zeroed)), strait_status::Ok);
    Some(region)
}

/// Opens a region, and sees to it that one that fails takes no place in the table.
fn open(storage: &mut Storage<strait_region_t>, region: &Region, looks: bool, input: &mut Input<'_>) {
    let len = region.mem().len();
    let len = if input.byte() == 255 { len.min(input.edge()) } else { len };
    let memory = if input.byte() == 255 { ptr::null_mut() } else { region.start().cast() };
    let living = region.living();
    let at = storage.pointer(input);
    let status = if looks {
        call!(strait_observe(at, memory, len))
    } else {
        let system = system_of(region);
        call!(strait_attach(at, memory, len, &raw const system))
    };
    if status != strait_status::Ok {
        assert_eq!(region.living(), living, "{status:?}, and a place was taken");
    }
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core or the interface.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.below(4);
    let own = input.bytes(8).iter().copied().filter(|&byte| byte != 0).collect::<Vec<u8>>();
    let mut names: Vec<CString> =
        NAMES.iter().map(|&name| CString::new(name).expect("a text without a NUL")).collect();
    let region = match how {
        0 => {
            let mut bytes = Input::new(input.bytes(2000));
            let how = bytes.byte();
            Some(Region::from_bytes(&attach::image(&mut bytes, how)))
        }
        _ => planned(&names, &mut input),
    };
    let Some(region) = region else { return };
    names.push(CString::new(own).expect("a text without a NUL"));
    let hash = call!(strait_type_hash(names[7].as_ptr()));
    assert_ne!(hash, 0);
    let mut regions = [Storage::<strait_region_t>::new(), Storage::new()];
    let mut objects = [Objects::new(), Objects::new()];
    open(&mut regions[0], &region, false, &mut input);
    open(&mut regions[1], &region, false, &mut input);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let who = input.below(2);
        match input.below(24) {
            0 => open(&mut regions[who], &region, input.flag(), &mut input),
            1 => region.lie(&mut input, if how == 1 { 0 } else { 128 }),
            2 => {
                let closed = call!(strait_region_close(regions[who].pointer(&mut input)));
                assert!(closed != strait_status::Ok || objects[who].is_empty(), "closed under open objects");
            }
            3 => {
                // It dies: its storage is another's from here on.
                let me = call!(strait_region_ident(regions[who].whole()));
                if let Some(me) = Ident::from_word(me) {
                    region.declare_dead(me);
                }
                objects[who] = Objects::new();
                regions[who] = Storage::new();
                region.dead_lower();
            }
            4 => {
                let text = strait_status_text(input.edge() as i32);
                assert!(!text.is_null());
            }
            _ => objects[who].call(regions[who].whole(), &names, &mut input),
        }
        region.check_calls();
    }
    for (objects, region) in objects.iter_mut().zip(&mut regions) {
        objects.close_all();
        let closed = call!(strait_region_close(region.whole()));
        assert!(matches!(closed, strait_status::Ok | strait_status::NotOpen), "{closed:?}");
    }
}
