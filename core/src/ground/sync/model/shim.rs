//! The model's side of the sync shim: the names and signatures of the real backend.

extern crate std;

use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;
use std::collections::BTreeSet;
use std::string::String;
use std::sync::{Arc, Mutex, OnceLock};
use std::vec::Vec;

use loom::cell::UnsafeCell;

use super::super::order::Order;
use super::death::step;
pub use super::memory::Word;
use super::memory::Words;

/// The request of a control run, from the variable `STRAIT_WEAKEN`.
enum Control {
    Nothing,
    /// Weaken the ordering of this name.
    Weaken(String),
    /// Weaken none, but note which are used: the variable is `?`.
    Note,
}

fn control() -> &'static Control {
    static CONTROL: OnceLock<Control> = OnceLock::new();
    CONTROL.get_or_init(|| match std::env::var("STRAIT_WEAKEN") {
        Err(_) => Control::Nothing,
        Ok(name) if name == "?" => Control::Note,
        Ok(name) => Control::Weaken(name),
    })
}

static USED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The names of the orderings that have been used so far, if this process was started with
/// `STRAIT_WEAKEN=?`. Only models that use an ordering can fail when it is weakened.
#[must_use]
pub fn used_orderings() -> Vec<&'static str> {
    USED.lock().expect("nobody dies in here").iter().copied().collect()
}

impl Order {
    /// The ordering, or Relaxed if the control run weakens this one.
    pub(super) fn resolve(self) -> Ordering {
        if self.is_weakened() { Ordering::Relaxed } else { self.ordering }
    }

    fn is_weakened(self) -> bool {
        match control() {
            Control::Nothing => false,
            Control::Weaken(name) => name == self.name,
            Control::Note => {
                USED.lock().expect("nobody dies in here").insert(self.name);
                false
            }
        }
    }
}

/// A fence of the given order.
pub fn fence(order: Order) {
    if step() && !order.is_weakened() {
        loom::sync::atomic::fence(order.ordering);
    }
}

/// Nothing here: in a model, what the dead have stored is there by the proof of their death, in their order. A real
/// fence would only hide that a named ordering beside it is missing.
pub fn in_order() {}

/// Lets others run.
pub fn spin_loop() {
    loom::thread::yield_now();
}

/// How often to look before anything else: once is as good as often, where all orders are tried.
#[must_use]
pub fn spins(_asked: u32) -> u32 {
    0
}

/// Slices of a model region do not exist.
pub const HAS_SLICES: bool = false;

/// A handle on one word of a region.
#[derive(Clone)]
pub struct WordRef(At);

#[derive(Clone)]
enum At {
    Region { words: Arc<Words>, index: usize },
    Outside(&'static Word),
}

impl From<&'static Word> for WordRef {
    /// A handle on a word that is never freed, and so outlives it.
    fn from(word: &'static Word) -> Self {
        Self(At::Outside(word))
    }
}

impl Deref for WordRef {
    type Target = Word;

    fn deref(&self) -> &Word {
        match &self.0 {
            At::Region { words, index } => &words.0[*index],
            At::Outside(word) => word,
        }
    }
}

/// A model region's memory.
#[derive(Clone)]
pub struct Mem(pub(crate) Arc<Words>);

impl Mem {
    /// The alignment that every region needs at least.
    pub const ALIGN: usize = 8;

    /// Not available in a model.
    ///
    /// # Panics
    ///
    /// Always.
    ///
    /// # Safety
    ///
    /// As in the real backend.
    #[must_use]
    pub unsafe fn from_raw(_base: NonNull<u8>, _len: u32) -> Self {
        panic!("raw memory cannot be model-checked; use strait::model::Region")
    }

    /// A second handle on the same memory.
    ///
    /// # Safety
    ///
    /// None needed in a model; as in the real backend for the one signature.
    #[must_use]
    pub unsafe fn share(&self) -> Self {
        self.clone()
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.0.0.len() as u32 * 4
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the memory starts at a multiple of `align`: there is no address to check.
    #[must_use]
    pub fn is_aligned(&self, _align: usize) -> bool {
        true
    }

    /// The word at `offset`, or `None` if it is outside or unaligned.
    #[must_use]
    pub fn word(&self, offset: u32) -> Option<&Word> {
        if offset.is_multiple_of(4) { self.0.0.get(offset as usize / 4) } else { None }
    }

    /// As [`word`](Self::word), counted: a model's memory is.
    #[must_use]
    pub fn word_ref(&self, offset: u32) -> Option<WordRef> {
        self.range(offset, 4)?.word(0)
    }

    /// The `len` bytes at `offset`, or `None` if they are not all inside.
    #[must_use]
    pub fn span(&self, offset: u32, len: u32) -> Option<Span> {
        self.range(offset, len)
    }

    /// [`span`](Self::span).
    #[must_use]
    pub(crate) fn range(&self, offset: u32, len: u32) -> Option<Span> {
        let end = offset.checked_add(len)?;
        (end <= self.len()).then(|| Span { words: self.0.clone(), base: offset, len })
    }

    /// Reads a word that is written once, before the region is published. In a region that was
    /// made [unformatted](crate::model::Region::unformatted), a race with its writer fails the model.
    #[must_use]
    pub fn setup_read(&self, offset: u32) -> u32 {
        self.word(offset).map_or(0, |word| word.read_plain())
    }

    /// Writes a word before the region is published. Races as in [`setup_read`](Self::setup_read).
    pub fn setup_write(&self, offset: u32, value: u32) {
        if let Some(word) = self.word(offset) {
            word.write_plain(value);
        }
    }
}

/// A checked range of a region's memory.
#[derive(Clone)]
pub struct Span {
    words: Arc<Words>,
    base: u32,
    len: u32,
}

impl Span {
    /// As everywhere else.
    pub const LONG: usize = 256;

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the range starts at a multiple of `align`, as the region does.
    #[must_use]
    pub fn is_aligned(&self, align: usize) -> bool {
        align != 0 && (self.base as usize).is_multiple_of(align)
    }

    fn at(&self, at: u32, len: usize) -> u32 {
        assert!(at as usize + len <= self.len as usize, "an offset of our own is wrong");
        self.base + at
    }

    /// The word at `at`, or `None` if it is outside or unaligned.
    #[must_use]
    pub fn word(&self, at: u32) -> Option<WordRef> {
        if at > self.len.checked_sub(4)? || !(self.base + at).is_multiple_of(4) {
            return None;
        }
        Some(self.header(at))
    }

    /// The word at `at`.
    ///
    /// # Panics
    ///
    /// If it is outside, which would be a fault of this crate.
    #[must_use]
    pub fn header(&self, at: u32) -> WordRef {
        WordRef(At::Region { words: self.words.clone(), index: self.at(at, 4) as usize / 4 })
    }

    /// The word at `at`; checked here as anywhere in a model.
    ///
    /// # Panics
    ///
    /// If it is outside.
    ///
    /// # Safety
    ///
    /// None needed in a model; as in the real backend for the one signature.
    #[must_use]
    pub unsafe fn word_within(&self, at: u32) -> WordRef {
        self.header(at)
    }

    /// [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the read races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn read_within(&self, at: u32, into: &mut [u8], _aligned: bool) {
        self.read(at, into);
    }

    /// [`write`](Self::write).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the write races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn write_within(&self, at: u32, from: &[u8], _aligned: bool) {
        self.write(at, from);
    }

    /// [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the read races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn read_few_within(&self, at: u32, into: &mut [u8]) {
        self.read(at, into);
    }

    /// [`write`](Self::write).
    ///
    /// # Panics
    ///
    /// If the range is outside, or the write races.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn write_few_within(&self, at: u32, from: &[u8]) {
        self.write(at, from);
    }

    /// Reads payload that was handed over. A race with its writer fails the model.
    ///
    /// # Panics
    ///
    /// If the range is outside, or the read races.
    pub fn read(&self, at: u32, into: &mut [u8]) {
        self.copy_out(at, into, |word| word.read_plain());
    }

    /// Writes payload that is the caller's. A race with anyone fails the model.
    ///
    /// # Panics
    ///
    /// If the range is outside, or the write races.
    pub fn write(&self, at: u32, from: &[u8]) {
        let base = self.at(at, from.len());
        let last = from.len().saturating_sub(1) / 4 * 4;
        let mut alive = true;
        self.words.touch(base, from.len(), |word, part, offset| {
            // Death comes before the first word, or between the first and the last.
            if offset == 0 || offset >= last {
                alive = step();
            }
            if !alive {
                return;
            }
            let mut bytes = word.plain().to_le_bytes();
            let count = part.len();
            bytes[part].copy_from_slice(&from[offset..offset + count]);
            word.write_alive(u32::from_le_bytes(bytes));
        });
    }

    /// Reads bytes that an honest peer may be writing at the same time, a word at a time.
    ///
    /// # Panics
    ///
    /// If the range is outside.
    pub fn read_racing(&self, at: u32, into: &mut [u8]) {
        self.copy_out(at, into, |word| word.load(super::super::order::RELAXED));
    }

    /// Writes bytes that an honest peer may be reading at the same time, a word at a time.
    ///
    /// # Panics
    ///
    /// If the range is outside.
    pub fn write_racing(&self, at: u32, from: &[u8]) {
        let base = self.at(at, from.len());
        self.words.touch(base, from.len(), |word, part, offset| {
            let mut bytes = word.plain().to_le_bytes();
            let count = part.len();
            bytes[part].copy_from_slice(&from[offset..offset + count]);
            word.store(u32::from_le_bytes(bytes), super::super::order::RELAXED);
        });
    }

    /// [`read_racing`](Self::read_racing).
    ///
    /// # Panics
    ///
    /// If the range is outside.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn read_racing_within(&self, at: u32, into: &mut [u8]) {
        self.read_racing(at, into);
    }

    /// [`write_racing`](Self::write_racing).
    ///
    /// # Panics
    ///
    /// If the range is outside.
    ///
    /// # Safety
    ///
    /// As for [`word_within`](Self::word_within).
    pub unsafe fn write_racing_within(&self, at: u32, from: &[u8]) {
        self.write_racing(at, from);
    }

    fn copy_out(&self, at: u32, into: &mut [u8], read: impl Fn(&Word) -> u32) {
        let base = self.at(at, into.len());
        self.words.touch(base, into.len(), |word, part, offset| {
            let count = part.len();
            into[offset..offset + count].copy_from_slice(&read(word).to_le_bytes()[part]);
        });
    }

    /// Not available in a model; see [`HAS_SLICES`].
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub fn as_ptr(&self, _at: u32, _len: usize) -> NonNull<u8> {
        panic!("a model region has no slices")
    }
}

/// A payload cell outside any region.
pub struct Cell<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: as in the real backend; loom checks every access.
unsafe impl<T: Send> Sync for Cell<T> {}
// SAFETY: a cell is a place for a `T`.
unsafe impl<T: Send> Send for Cell<T> {}

impl<T> Cell<T> {
    /// An empty cell.
    #[must_use]
    pub fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// An array of empty cells.
    #[must_use]
    pub fn array<const N: usize>() -> [Self; N] {
        core::array::from_fn(|_| Self::new())
    }

    /// Moves a value in.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself; loom fails the model if not.
    pub unsafe fn put(&self, value: T) {
        if step() {
            self.0.with_mut(|place| {
                // SAFETY: the pointer is loom's, valid and checked to be exclusive.
                unsafe { place.write(MaybeUninit::new(value)) };
            });
        }
    }

    /// Moves the value out.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself, and it holds a value.
    pub unsafe fn take(&self) -> T {
        self.0.with_mut(|place| {
            // SAFETY: the pointer is loom's, valid and checked to be exclusive.
            let value = unsafe { place.read() };
            // SAFETY: the caller promises that it was put there.
            unsafe { value.assume_init() }
        })
    }

    /// The place of the value, which may be there or not. The checker sees this as an access that needs the cell to
    /// itself, and sees none through the pointer.
    #[must_use]
    pub fn as_ptr(&self) -> *mut T {
        self.0.with_mut(|place| place.cast())
    }
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A `const fn` where the backend allows it: here it does not.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis fn $($rest)*
    };
}
pub(crate) use const_fn;
