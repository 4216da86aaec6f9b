//! Laying a plan out in memory: the region's header, directory and participant table.

use core::fmt;

use super::describe::{self, DESCRIBED};
use super::entry::ENTRY_LEN;
use super::header::{APART, HEADER_LEN, MAGIC, PARTICIPANT_DOMAIN, PARTICIPANT_LEN, VERSION, at, checksum};
use super::plan::{Plan, PlanError};
use super::sync::order::{RELAXED, magic};
use super::sync::{Mem, in_order};

/// The content of a region's memory before it is formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Zeros throughout, as a new file or mapping has them.
    Zeroed,
    /// Anything: format zeroes it first.
    Unknown,
}

/// Lays a plan out in memory, so that others can attach. The magic is written last: an attach before
/// that, or after this program died half-way, returns
/// [`Uninitialised`](super::header::AttachError::Uninitialised).
///
/// `instance` should be unpredictable, or at least never the same twice; it distinguishes a region from a
/// later one of the same name. Takes steps in proportion to the region's length ([`Contents::Unknown`])
/// or to the number of channels. Payload that is split off is not touched, because it may be cached, and
/// need not be zero.
///
/// # Errors
///
/// [`FormatError`] if the plan cannot work or the memory is too short or misaligned. Nothing has
/// been written then.
///
/// # Examples
///
/// ```
/// use core::ptr::NonNull;
/// use strait_core::format::{Contents, Header, initialise};
/// use strait_core::{Channel, Plan, port::Mem};
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("angle")]).participants(2);
/// #[repr(align(128))]
/// struct Memory([u8; PLAN.size()]);
///
/// let mut memory = Memory([0; PLAN.size()]);
/// let base = NonNull::from(&mut memory.0).cast();
/// // SAFETY: the bytes outlive `mem`, and are accessed through it alone.
/// let mem = unsafe { Mem::from_raw(base, PLAN.size() as u32) };
/// initialise(&mem, &PLAN, 1, Contents::Zeroed).unwrap();
/// assert_eq!(Header::check(&mem).unwrap().instance, 1);
/// ```
pub fn initialise(mem: &Mem, plan: &Plan<'_>, instance: u64, contents: Contents) -> Result<(), FormatError> {
    if cfg!(target_endian = "big") {
        return Err(FormatError::BigEndianHost);
    }
    let total = plan.try_size().map_err(FormatError::Plan)?;
    let payload = plan.payload_start() as u32;
    let align = plan.align();
    if !mem.is_aligned(align as usize) {
        return Err(FormatError::Misaligned { align });
    }
    if mem.len() < total {
        return Err(FormatError::TooShort { needed: total, found: mem.len() });
    }
    if let Some(word) = mem.word(at::MAGIC) {
        word.store(0, RELAXED); // ORDERING: nobody may be attached while a region is formatted.
        // But an attach may come, or this program end: what follows is not seen before the magic is gone.
        in_order();
    }
    if contents == Contents::Unknown {
        for offset in (4..if payload == 0 { total } else { payload }).step_by(4) {
            mem.setup_write(offset, 0);
        }
    }
    let plan_hash = write_directory(mem, plan).map_err(FormatError::Plan)?;
    if plan.description_len() != 0 {
        describe::write(mem, plan.participants_end(), plan.description());
    }
    write_header(mem, plan, total, instance, plan_hash);
    let crc = checksum(mem, plan.entry_count() as u32);
    mem.setup_write(at::CRC, crc);
    if let Some(word) = mem.word(at::MAGIC) {
        word.store(MAGIC, magic::STORE); // ORDERING(magic): all of the header is ordered before it.
    }
    Ok(())
}

fn write_directory(mem: &Mem, plan: &Plan<'_>) -> Result<u64, PlanError> {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut start = plan.start()?;
    let parts = |i: usize| (0..plan.entries_of(i)).map(move |part| (i, part));
    for (place, (i, part)) in (0..plan.channels().len()).flat_map(parts).enumerate() {
        let (entry, next) = plan.place(i, part, start)?;
        let offset = HEADER_LEN + place as u32 * ENTRY_LEN;
        for (n, word) in entry.to_words().into_iter().enumerate() {
            mem.setup_write(offset + 4 * n as u32, word);
            hash = (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        start = next;
    }
    write_participants(mem, plan);
    Ok(hash)
}

/// Places for the participants of each domain, one domain after the other.
fn write_participants(mem: &Mem, plan: &Plan<'_>) {
    let mut at = plan.participants_start();
    let mut last = None;
    while let Some(domain) = plan.domain_after(last) {
        for _ in 0..plan.places_each() {
            mem.setup_write(at, 0);
            mem.setup_write(at + PARTICIPANT_DOMAIN, domain);
            at += PARTICIPANT_LEN;
        }
        last = Some(domain);
    }
}

fn write_header(mem: &Mem, plan: &Plan<'_>, total: u32, instance: u64, plan_hash: u64) {
    let described = plan.description_len();
    let words = [
        (at::VERSION, VERSION),
        (at::HEADER_LEN, HEADER_LEN),
        (at::ENTRY_LEN, ENTRY_LEN),
        (at::TOTAL_LEN, total),
        (at::COMPAT, if described == 0 { 0 } else { DESCRIBED }),
        (at::DESCRIPTION, if described == 0 { 0 } else { plan.participants_end() }),
        (at::DESCRIPTION_LEN, described),
        (at::INCOMPAT, if plan.payload_start() == 0 { 0 } else { APART }),
        (at::PAYLOAD, plan.payload_start() as u32),
        (at::INSTANCE, instance as u32),
        (at::INSTANCE + 4, (instance >> 32) as u32),
        (at::PLAN_HASH, plan_hash as u32),
        (at::PLAN_HASH + 4, (plan_hash >> 32) as u32),
        (at::LINE, plan.line_size()),
        (at::PARTICIPANTS, plan.participants_start()),
        (at::PARTICIPANT_COUNT, plan.participant_count()),
        (at::CHANNEL_COUNT, plan.entry_count() as u32),
    ];
    for (offset, value) in words {
        mem.setup_write(offset, value);
    }
}

/// Error of formatting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// The format is little-endian, and so must the host be.
    BigEndianHost,
    /// The plan cannot work.
    Plan(PlanError),
    /// The memory does not start at a multiple of `align`.
    Misaligned {
        /// The alignment asked for: the plan's line, at least 8.
        align: u32,
    },
    /// The memory is shorter than the plan asks.
    TooShort {
        /// The plan's size.
        needed: u32,
        /// The memory's length.
        found: u32,
    },
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BigEndianHost => {
                f.write_str("strait's regions must be on a little-endian machine, and this one is big-endian")
            }
            Self::Plan(error) => error.fmt(f),
            Self::Misaligned { align } => write!(f, "the memory must start at a multiple of {align} bytes"),
            Self::TooShort { needed, found } => {
                write!(
                    f,
                    "the plan needs {needed} bytes, the memory has {found}; give more, or plan for less"
                )
            }
        }
    }
}

impl core::error::Error for FormatError {}
