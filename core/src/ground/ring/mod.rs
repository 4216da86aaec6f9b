//! Rings in a region's memory, where a position is always inside: the mask sees to it.
//!
//! # Invariants
//!
//! - G1. `capacity` is a power of two, and `capacity` times the stride (of a ring of bytes: the
//!   capacity) is at most the span's length. Checked when the ring is made; so no access by position
//!   is checked again.
//! - G2. The span starts at a multiple of 8 where its headers or whole words are used, and the stride is a
//!   multiple of what is read there: of 8 for values and buffers, of 4 for a sequence, for which a slot also has
//!   space. Checked when the ring is made.

pub mod buffers;
pub mod bytes;
pub mod places;
pub mod slots;
mod value;

pub use value::Value;

#[cfg(test)]
mod tests {
    use core::ptr::NonNull;

    use super::buffers::Buffers;
    use super::bytes::Bytes;
    use super::slots::Slots;
    use crate::ground::geometry::GRANULE;
    use crate::ground::sync::{Mem, Span};

    const LEN: u32 = 256;
    const EDGES: [u32; 17] = [0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 20, 32, 64, LEN, LEN + 1, 1 << 31, u32::MAX];

    #[repr(align(8))]
    struct Storage([u8; LEN as usize]);

    /// Gives every range of some memory that starts near its start.
    fn spans(mut each: impl FnMut(u32, Span)) {
        let mut storage = Storage([0; LEN as usize]);
        // SAFETY: the storage outlives every handle, and is reached through them alone.
        let mem = unsafe { Mem::from_raw(NonNull::from(&mut storage.0).cast(), LEN) };
        for start in 0..9 {
            for span in EDGES.into_iter().filter_map(|len| mem.range(start, len)) {
                each(start, span);
            }
        }
    }

    /// Any position leads to an aligned word inside, or the ring is not made.
    #[test]
    fn rings_of_bytes_are_aligned_and_inside() {
        spans(|start, span| {
            for capacity in EDGES {
                let Some(ring) = Bytes::new(span.clone(), capacity) else { continue };
                assert!(capacity <= span.len() && capacity >= GRANULE && start.is_multiple_of(8));
                for pos in EDGES {
                    for offset in EDGES {
                        let word = ring.header(pos, offset);
                        assert!(word.as_ptr().is_aligned());
                        assert!(is_inside(word.as_ptr(), &span));
                    }
                }
            }
        });
    }

    #[test]
    fn rings_of_slots_are_aligned_and_inside() {
        spans(|start, span| {
            for capacity in EDGES {
                for stride in EDGES {
                    check::<[u8; 0]>(start, &span, capacity, stride, 0);
                    check::<u8>(start, &span, capacity, stride, 1);
                    check::<u32>(start, &span, capacity, stride, 4);
                    check::<u64>(start, &span, capacity, stride, 8);
                    check::<[u8; 12]>(start, &span, capacity, stride, 12);
                    for size in EDGES {
                        assert!(
                            size == 8 || Slots::<u64>::new(span.clone(), capacity, stride, size).is_none()
                        );
                    }
                }
            }
        });
    }

    fn check<T: crate::Message>(start: u32, span: &Span, capacity: u32, stride: u32, size: u32) {
        if let Some(ring) = Slots::<T>::new(span.clone(), capacity, stride, size) {
            assert!(u64::from(capacity) * u64::from(stride) <= u64::from(span.len()));
            assert!(!size.is_multiple_of(8) || start.is_multiple_of(8) && stride.is_multiple_of(8));
            for pos in EDGES {
                let value = ring.read(pos);
                ring.write(pos, &value);
                let mut part = [0; 9];
                EDGES.into_iter().for_each(|offset| {
                    assert!(ring.read_part(pos, offset as usize, &mut part) <= size as usize);
                });
            }
        }
        if let Some(ring) = Slots::<T>::with_sequences(span.clone(), capacity, stride, size) {
            assert!(size + 4 <= stride, "the sequence follows the value");
            for pos in EDGES {
                // SAFETY: it was made with sequences.
                let word = unsafe { ring.sequence(pos) };
                assert!(word.as_ptr().is_aligned() && is_inside(word.as_ptr(), span));
            }
        }
    }

    #[test]
    fn buffers_are_aligned_and_inside() {
        spans(|start, span| {
            for capacity in EDGES {
                for stride in EDGES {
                    let apart = Buffers::new(span.clone(), Some(span.clone()), capacity, stride);
                    let together = Buffers::new(span.clone(), None, capacity, stride);
                    assert_eq!(apart.is_some(), together.is_some());
                    let Some(ring) = together else { continue };
                    assert!(start.is_multiple_of(8) && stride.is_multiple_of(8));
                    for (index, split) in EDGES.into_iter().flat_map(|index| [(index, false), (index, true)])
                    {
                        for offset in EDGES {
                            let word = ring.header(index, offset, split);
                            assert!(word.as_ptr().is_aligned() && is_inside(word.as_ptr(), &span));
                        }
                        ring.write_tag(index, ring.read_tag(index, split), split);
                    }
                }
            }
        });
    }

    fn is_inside(word: *mut u32, span: &Span) -> bool {
        let start = span.as_ptr(0, 0).as_ptr().addr();
        (start..=start + span.len() as usize - 4).contains(&word.addr())
    }
}
