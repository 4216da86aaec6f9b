//! Why a peer is ahead, where that is known. PERFORMANCE.md has the reasons at length, by the same letters.

use crate::job::Metric;

use super::rows::Row;

/// A reason: its letter, and the reason in a line.
pub type Cause = (char, &'static str);

/// Within a tenth of each other: the machine's mood decides.
const NOISE: Cause = ('n', "less than a tenth: noise");
const UNCHECKED: Cause = (
    'u',
    "the peer's sides trust each other: it works in place, or moves what need not be copied; ours is copied in and \
     out, as the peer may write at the same time",
);
const HEADER: Cause = (
    'h',
    "a frame has a header, which is checked, in the line at which the consumer looks; the peer has none",
);
const INDEX: Cause =
    ('i', "published by an index, so a second line goes over with a message; slots take one");
const LINES: Cause = (
    'l',
    "a value's sequence takes space: of 64 bytes a second line (see 2-line stream +1), of 8 half of theirs",
);
const STATE: Cause = (
    's',
    "after each message something is noted in another line, for a successor and for tools; see line stream +1",
);
const ACCOUNTS: Cause =
    ('a', "a region's queue looks for faults and wishes at each call, and counts refusals");
const FENCE: Cause = ('f', "the fence of the wake check; WakeCheck::Unfenced leaves it out");
const READERS: Cause = (
    'r',
    "any number of readers, which only load, and check before and after; the peer has one, which swaps buffers",
);
const OWNER: Cause = (
    'o',
    "a lock's word says whose it is, and a count has a limit: what is there is compared before it is changed",
);
const TURN: Cause = (
    'g',
    "a ring goes through all its bytes in turn, and those leave the cache; the peer is given the block again that it \
     has just had: see what grows with the ring",
);
const KERNEL: Cause = ('k', "most of it is the kernel's: futex wake is the floor");

/// All of them.
pub const ALL: &[Cause] =
    &[UNCHECKED, HEADER, INDEX, LINES, STATE, ACCOUNTS, FENCE, READERS, OWNER, TURN, KERNEL, NOISE];

/// Why the peer is ahead in this row; `None` if nobody knows, or it is not.
pub fn of(row: &Row) -> Option<Cause> {
    let (peer, _, ratio) = row.peer.as_ref().filter(|_| row.lost())?;
    let in_place = peer.ends_with("-in-place") || peer == "iceoryx2" || peer == "bbqueue";
    let ours = row.ours.strip_prefix("strait-").unwrap_or(&row.ours);
    Some(match (row.metric, ours) {
        _ if ratio.median >= 0.9 => NOISE,
        (Metric::Local, "slots-waking") => FENCE,
        (Metric::Local, "frames" | "in-place") => HEADER,
        (Metric::Local, "slots" | "compact") => ACCOUNTS,
        (Metric::Latest, _) | (Metric::Latency, "latest") => READERS,
        (Metric::Latency | Metric::Stream, "in-place") if row.size < 1 << 20 => HEADER,
        (Metric::Latency, "in-place") if peer == "iceoryx2" => TURN,
        (_, "in-place") => return None,
        (Metric::Latency, _) if in_place && row.size > 64 => UNCHECKED,
        (Metric::Latency, "compact" | "static") => INDEX,
        (Metric::Latency, "frames") => HEADER,
        (Metric::Stream, _) if in_place && row.size > 64 => UNCHECKED,
        (Metric::Stream, "frames") => HEADER,
        (Metric::Stream, "slots") if row.size == 64 || row.size == 8 && row.batch > 1 => LINES,
        (Metric::Stream, "slots" | "compact") if row.batch > 1 => UNCHECKED,
        (Metric::Stream, "slots") => STATE,
        (Metric::Stream, "compact" | "static") => INDEX,
        (Metric::Lock, _) => OWNER,
        (Metric::Wake, _) => KERNEL,
        _ => return None,
    })
}
