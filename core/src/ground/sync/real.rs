//! The real backend: words are atomics in raw memory.
//!
//! # Invariants
//!
//! - M1. `Mem::base` points to `len` bytes, valid for reads (and for writes, unless nothing is ever
//!   stored) for as long as any handle made from it is used ([`Mem::from_raw`]). Attaching checks their
//!   alignment; a word checks it again.
//! - M2. All access to those bytes is atomic, so a peer that writes at any moment causes wrong
//!   values at worst, never a data race.
//! - M3. Every offset is checked against the length before it becomes a pointer.
//! - M4. What is handed out of this crate borrows its `Mem`. The handles without a lifetime ([`WordRef`] of a
//!   region, [`Span`], a second `Mem`) are made within this crate alone, by endpoints that keep a clone of the
//!   port beside them, or by an unsafe function.

use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::AtomicU32;

use super::cas;
use super::copy;
use super::order::{Order, RELAXED};

pub use core::hint::spin_loop;

/// How often to look before anything else.
#[inline(always)]
#[must_use]
pub fn spins(asked: u32) -> u32 {
    asked
}

/// A point before a store to shared memory, at which a test can end the program.
#[inline(always)]
fn crash_point() {
    #[cfg(strait_crash_points)]
    super::crash::point();
}

/// Whether slices of the memory itself are available at all.
pub const HAS_SLICES: bool = true;

/// A shared 32-bit word: little-endian in memory, naturally aligned.
#[repr(transparent)]
pub struct Word(AtomicU32);

impl Word {
    /// A word of its own, outside any region.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }

    /// Loads the word.
    #[inline(always)]
    pub fn load(&self, order: Order) -> u32 {
        self.0.load(order.ordering)
    }

    /// Stores the word.
    #[inline(always)]
    pub fn store(&self, value: u32, order: Order) {
        crash_point();
        self.0.store(value, order.ordering);
    }

    /// Loads a word that another word publishes, as it publishes a payload.
    #[inline(always)]
    pub fn read_plain(&self) -> u32 {
        self.load(RELAXED)
    }

    /// Stores a word that another word publishes, as it publishes a payload.
    #[inline(always)]
    pub fn write_plain(&self, value: u32) {
        self.store(value, RELAXED);
    }

    /// Replaces `current` by `new`; returns the value found.
    ///
    /// # Errors
    ///
    /// The value found, if it was not `current`.
    #[inline]
    pub fn compare_exchange(&self, current: u32, new: u32, order: Order) -> Result<u32, u32> {
        crash_point();
        cas::compare_exchange(&self.0, current, new, order.ordering)
    }

    /// The word's address, for ports that hand it to a kernel.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u32 {
        self.0.as_ptr()
    }
}

/// A fence of the given order.
#[inline(always)]
pub fn fence(order: Order) {
    core::sync::atomic::fence(order.ordering);
}

/// Keeps stores in order across this point, for those who find the memory after its writer's end.
///
/// Between two stores that no peer tells apart, but the successor of a program does that ends in between. A
/// process that is killed has stored what it has executed; a core that is reset loses its store buffer, so the
/// machine has to keep the order too. That costs nothing where it does anyway, as on x86.
#[inline(always)]
pub fn in_order() {
    core::sync::atomic::fence(core::sync::atomic::Ordering::Release);
}

/// A handle on one word of a region.
#[derive(Clone)]
pub struct WordRef(NonNull<Word>);

// SAFETY: a `WordRef` is a shared reference to an atomic word (M1, M2).
unsafe impl Send for WordRef {}
// SAFETY: as above.
unsafe impl Sync for WordRef {}

impl From<&'static Word> for WordRef {
    /// A handle on a word that is never freed, and so outlives it.
    fn from(word: &'static Word) -> Self {
        Self(NonNull::from(word))
    }
}

impl Deref for WordRef {
    type Target = Word;

    #[inline(always)]
    fn deref(&self) -> &Word {
        // SAFETY: the pointer was made from a `'static` word; or by `Mem::word_ref` or `Span::word` from a
        // checked, aligned offset (M3) in memory that outlives the handle (M1, M4).
        unsafe { self.0.as_ref() }
    }
}

/// A region's memory.
///
/// What is reached through it cannot outlive it, and safe code cannot have a second one:
///
/// ```compile_fail,E0597
/// # use strait_core::{Channel, Plan, StaticRegion, port::{NoSystem, Port}};
/// # const PLAN: Plan = Plan::new(&[Channel::frames("log", 256, 32)]).line(4).participants(2);
/// let word = {
///     let region = Box::new(StaticRegion::<{ PLAN.size() }>::new());
///     let attachment = region.create(&PLAN, 1, &NoSystem).unwrap();
///     attachment.port().mem().word(0)
/// };
/// word.unwrap();
/// ```
///
/// ```compile_fail,E0277
/// fn is_clone<T: Clone>() {}
/// is_clone::<strait_core::port::Mem>();
/// ```
pub struct Mem {
    base: NonNull<u8>,
    len: u32,
}

// SAFETY: all access through `Mem` is atomic (M2).
unsafe impl Send for Mem {}
// SAFETY: as above.
unsafe impl Sync for Mem {}

impl Mem {
    /// The alignment that every region needs at least.
    pub const ALIGN: usize = 8;

    /// Takes `len` bytes at `base` as a region's memory.
    ///
    /// # Safety
    ///
    /// The bytes must be valid for reads and writes for as long as
    /// the handle or anything made from it is used (for reads alone, if only readers are made from
    /// it), and until then this program may access them only atomically.
    #[must_use]
    pub const unsafe fn from_raw(base: NonNull<u8>, len: u32) -> Self {
        Self { base, len }
    }

    /// A second handle on the same memory, for a clone of a port.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw): the memory must stay valid for as long as the new handle is used too.
    #[must_use]
    pub const unsafe fn share(&self) -> Self {
        Self { base: self.base, len: self.len }
    }

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

    /// Whether the memory starts at a multiple of `align`.
    #[must_use]
    pub fn is_aligned(&self, align: usize) -> bool {
        align != 0 && self.base.as_ptr().addr().is_multiple_of(align)
    }

    /// The word at `offset`, or `None` if it is outside or unaligned.
    #[must_use]
    pub fn word(&self, offset: u32) -> Option<&Word> {
        let word = self.word_ref(offset)?;
        // SAFETY: aligned and inside (M3), and valid while `self` is borrowed (M1).
        Some(unsafe { word.0.as_ref() })
    }

    /// The `len` bytes at `offset`, or `None` if they are not all inside.
    #[must_use]
    pub fn span(&self, offset: u32, len: u32) -> Option<Part<'_>> {
        Some(Part { span: self.range(offset, len)?, mem: PhantomData })
    }

    /// As [`word`](Self::word), for one that keeps the port (M4).
    #[must_use]
    pub(crate) fn word_ref(&self, offset: u32) -> Option<WordRef> {
        self.range(offset, 4)?.word(0)
    }

    /// As [`span`](Self::span), for one that keeps the port (M4).
    #[must_use]
    pub(crate) fn range(&self, offset: u32, len: u32) -> Option<Span> {
        let end = offset.checked_add(len)?;
        if end > self.len {
            return None;
        }
        // SAFETY: `offset <= len`, so the pointer stays within the memory or at its end (M1, M3).
        let base = unsafe { self.base.add(offset as usize) };
        Some(Span { base, len })
    }

    /// Reads a word that is written once, before the region is published.
    #[must_use]
    pub fn setup_read(&self, offset: u32) -> u32 {
        self.word(offset).map_or(0, |word| word.load(RELAXED))
    }

    /// Writes a word before the region is published.
    pub fn setup_write(&self, offset: u32, value: u32) {
        if let Some(word) = self.word(offset) {
            word.store(value, RELAXED);
        }
    }
}

/// A checked range of a region's memory, which borrows it.
pub struct Part<'m> {
    span: Span,
    mem: PhantomData<&'m Mem>,
}

impl Part<'_> {
    /// Copies bytes from `at` on out of the region.
    ///
    /// # Panics
    ///
    /// If they are not all inside the range.
    pub fn read(&self, at: u32, into: &mut [u8]) {
        self.span.read(at, into);
    }

    /// Copies bytes into the region, from `at` on.
    ///
    /// # Panics
    ///
    /// If they are not all inside the range.
    pub fn write(&self, at: u32, from: &[u8]) {
        self.span.write(at, from);
    }

    /// The address of the `len` bytes at `at`.
    ///
    /// # Panics
    ///
    /// If they are not all inside the range.
    #[must_use]
    pub fn as_ptr(&self, at: u32, len: usize) -> NonNull<u8> {
        self.span.as_ptr(at, len)
    }
}

/// A checked range of a region's memory, of one that keeps the port beside it (M4).
#[derive(Clone)]
pub struct Span {
    base: NonNull<u8>,
    len: u32,
}

// SAFETY: all access through `Span` is atomic (M2).
unsafe impl Send for Span {}
// SAFETY: as above.
unsafe impl Sync for Span {}

impl Span {
    /// Bytes from which it matters in which order a payload is written.
    pub const LONG: usize = copy::LONG;

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

    /// Whether the range starts at a multiple of `align`.
    #[must_use]
    pub fn is_aligned(&self, align: usize) -> bool {
        align != 0 && self.base.as_ptr().addr().is_multiple_of(align)
    }

    #[inline(always)]
    fn at(&self, at: u32, len: usize) -> NonNull<u8> {
        let end = at as usize + len;
        assert!(end >= len && end <= self.len as usize, "an offset of our own is wrong");
        // SAFETY: `at + len <= self.len`, checked above (M1, M3).
        unsafe { self.base.add(at as usize) }
    }

    /// The word at `at`, or `None` if it is outside or unaligned.
    #[inline]
    #[must_use]
    pub fn word(&self, at: u32) -> Option<WordRef> {
        if at > self.len.checked_sub(4)? {
            return None;
        }
        let word = self.at(at, 4).cast::<Word>();
        word.is_aligned().then_some(WordRef(word))
    }

    /// The word at `at`, which the caller has aligned to 4 and kept inside.
    ///
    /// # Panics
    ///
    /// If it is outside or unaligned, which would be a fault of this crate.
    #[inline(always)]
    #[must_use]
    pub fn header(&self, at: u32) -> WordRef {
        let word = self.at(at, 4).cast::<Word>();
        assert!(word.is_aligned(), "an offset of our own is wrong");
        WordRef(word)
    }

    /// The word at `at`, unchecked.
    ///
    /// # Safety
    ///
    /// The address at `at` must be a multiple of 4, and 4 bytes there must be inside the span.
    #[inline(always)]
    #[must_use]
    pub unsafe fn word_within(&self, at: u32) -> WordRef {
        // SAFETY: inside, by the caller's promise.
        WordRef(unsafe { self.base.add(at as usize) }.cast())
    }

    /// As [`read`](Self::read), unchecked; with `aligned`, `at` is a multiple of 8 and the span starts at
    /// one.
    ///
    /// # Safety
    ///
    /// `into.len()` bytes at `at` must be inside the span, and aligned if `aligned` is set.
    #[inline(always)]
    pub unsafe fn read_within(&self, at: u32, into: &mut [u8], aligned: bool) {
        // SAFETY: inside, by the caller's promise.
        let from = unsafe { self.base.add(at as usize) };
        // SAFETY: valid for `into.len()` bytes, by the caller's promise.
        unsafe { copy::read(from.as_ptr(), into, aligned) };
    }

    /// As [`write`](Self::write), unchecked; `aligned` as for [`read_within`](Self::read_within).
    ///
    /// # Safety
    ///
    /// `from.len()` bytes at `at` must be inside the span, and aligned if `aligned` is set.
    #[inline(always)]
    pub unsafe fn write_within(&self, at: u32, from: &[u8], aligned: bool) {
        // SAFETY: inside, by the caller's promise.
        let into = unsafe { self.base.add(at as usize) };
        crash_point();
        // SAFETY: valid for `from.len()` bytes, by the caller's promise.
        unsafe { copy::write(into.as_ptr(), from, aligned) };
    }

    /// As [`read_within`](Self::read_within), for a few words, of a length that the compiler knows.
    ///
    /// # Safety
    ///
    /// As there; `at` and the length must be multiples of 8.
    #[inline(always)]
    pub unsafe fn read_few_within(&self, at: u32, into: &mut [u8]) {
        // SAFETY: inside, by the caller's promise.
        let from = unsafe { self.base.add(at as usize) };
        // SAFETY: valid for `into.len()` bytes and aligned, by the caller's promise.
        unsafe { copy::read_few(from.as_ptr(), into) };
    }

    /// As [`write_within`](Self::write_within), for a few words, of a length that the compiler knows.
    ///
    /// # Safety
    ///
    /// As there; `at` and the length must be multiples of 8.
    #[inline(always)]
    pub unsafe fn write_few_within(&self, at: u32, from: &[u8]) {
        // SAFETY: inside, by the caller's promise.
        let into = unsafe { self.base.add(at as usize) };
        crash_point();
        // SAFETY: valid for `from.len()` bytes and aligned, by the caller's promise.
        unsafe { copy::write_words(into.as_ptr(), from) };
    }

    /// Copies bytes that were handed over by a Release/Acquire pair out of the region.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    #[inline(always)]
    pub fn read(&self, at: u32, into: &mut [u8]) {
        let from = self.at(at, into.len());
        // SAFETY: `from` is valid for `into.len()` bytes, by the check in `at`.
        unsafe { copy::read(from.as_ptr(), into, false) };
    }

    /// Copies bytes into a part of the region that is the caller's until it is published.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    #[inline(always)]
    pub fn write(&self, at: u32, from: &[u8]) {
        let into = self.at(at, from.len());
        crash_point();
        // SAFETY: `into` is valid for `from.len()` bytes, by the check in `at`.
        unsafe { copy::write(into.as_ptr(), from, false) };
    }

    /// As [`read`](Self::read), for bytes that an honest peer may be writing at the same time. Reads
    /// whole words from `at` on, and past the end of `into` up to the next multiple of 8.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    ///
    /// # Safety
    ///
    /// `at` must be a multiple of 8, and the span must start at one.
    #[inline(always)]
    pub unsafe fn read_racing_within(&self, at: u32, into: &mut [u8]) {
        let from = self.at(at, into.len().next_multiple_of(8));
        // SAFETY: `from` is valid for as many bytes, by the check in `at`; and aligned, by the caller's promise.
        unsafe { copy::read_words(from.as_ptr(), into) };
    }

    /// As [`write`](Self::write), for bytes that an honest peer may be reading at the same time. Writes
    /// whole words from `at` on, with zeros up to the next multiple of 8.
    ///
    /// # Panics
    ///
    /// If the range is outside, which would be a fault of this crate.
    ///
    /// # Safety
    ///
    /// As for [`read_racing_within`](Self::read_racing_within).
    #[inline(always)]
    pub unsafe fn write_racing_within(&self, at: u32, from: &[u8]) {
        let into = self.at(at, from.len().next_multiple_of(8));
        crash_point();
        // SAFETY: as in `read_racing_within`.
        unsafe { copy::write_words(into.as_ptr(), from) };
    }

    /// The bytes at `at`, for callers that guarantee that all peers are honest.
    #[inline(always)]
    #[must_use]
    pub fn as_ptr(&self, at: u32, len: usize) -> NonNull<u8> {
        self.at(at, len)
    }
}

/// A payload cell outside any region, for the stand-alone queue.
pub struct Cell<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: a cell is only a place; the protocol decides which side may access it when, and its methods are
// unsafe for that reason. The values cross threads, hence `T: Send`.
unsafe impl<T: Send> Sync for Cell<T> {}

impl<T> Cell<T> {
    /// An empty cell.
    #[must_use]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// An array of empty cells.
    #[must_use]
    pub const fn array<const N: usize>() -> [Self; N] {
        [const { Self::new() }; N]
    }

    /// Moves a value in.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself.
    #[inline(always)]
    pub unsafe fn put(&self, value: T) {
        // SAFETY: the pointer is valid, and exclusive by the caller's promise.
        unsafe { self.0.get().write(MaybeUninit::new(value)) };
    }

    /// Moves the value out.
    ///
    /// # Safety
    ///
    /// The caller has the cell to itself, and it holds a value.
    #[inline(always)]
    pub unsafe fn take(&self) -> T {
        // SAFETY: the pointer is valid, and exclusive by the caller's promise.
        let value = unsafe { self.0.get().read() };
        // SAFETY: the caller promises that it was put there.
        unsafe { value.assume_init() }
    }

    /// The place of the value, which may be there or not. To access it the caller must have the cell to itself.
    #[inline(always)]
    #[must_use]
    pub fn as_ptr(&self) -> *mut T {
        self.0.get().cast()
    }
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A `const fn` where the backend allows it.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis const fn $($rest)*
    };
}
pub(crate) use const_fn;
