//! The status that every function returns, and its text.

use core::ffi::{CStr, c_char};

use strait_core::{
    ChannelError, LockError, PublishError, RecvError, RecvLanesError, SemaphoreError, SendError,
    TryRecvError, TryRecvLanesError, TrySendError, UnlockError, Violation,
    format::{AttachError, FormatError},
    pool::PoolError,
};

/// How a call went. Where it is not said otherwise, everything but `STRAIT_STATUS_OK` has changed nothing.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum strait_status {
    /// It went well.
    Ok = 0,

    /// A pointer is null that must not be, or a number is out of range.
    BadArgument = 1,
    /// A pointer is not aligned as its type asks, or memory not as the region asks.
    Misaligned = 2,
    /// The storage holds no open object of this kind, or was moved since it was opened.
    NotOpen = 3,
    /// The storage holds an open object already; or the region still has open objects.
    InUse = 4,
    /// The call does not fit what the mutex is in: it is not locked, is locked already, or awaits repair. Of a server:
    /// no request is taken.
    WrongState = 5,
    /// The bytes are not as many as the channel's type has.
    WrongSize = 6,

    /// The region is shorter than it must be.
    TooShort = 20,
    /// The region is not initialised: its creator has not finished, or died.
    Uninitialised = 21,
    /// The region was made by a machine of the other byte order, or this is one.
    ByteOrder = 22,
    /// This is not a strait region.
    NotARegion = 23,
    /// The region has another version of the format.
    Version = 24,
    /// The region has features that this library does not know, or keeps its payload apart for caches that are
    /// not coherent, which this interface does not serve.
    Features = 25,
    /// Header, directory or channel contradict themselves: damaged.
    Damaged = 26,
    /// Every place in the participant table is taken.
    TableFull = 27,
    /// The plan cannot work.
    BadPlan = 28,

    /// There is no such channel or region.
    NotFound = 40,
    /// The channel is of another kind.
    Kind = 41,
    /// The channel carries another type.
    Type = 42,
    /// Another participant has the role or the lock, and is not proven dead.
    Busy = 43,
    /// The region was opened to look only.
    ReadOnly = 44,
    /// The plan gives the role to another domain.
    Domain = 45,
    /// The plan gives the lock to two domains, which cannot compare and swap one word.
    NoCommonAtomics = 46,
    /// A peer wrote what no honest peer writes. Of a queue, every later call returns this too.
    Fault = 47,
    /// This process is a forked child of the one that opened the region.
    Forked = 48,

    /// No space that the producer knows of; it may come. A consumer tells of what it is done with in groups, of a
    /// quarter of the ring at most, and the message in use counts: one that drops what is refused plans a ring a third
    /// larger than what it must hold.
    Full = 60,
    /// There is nothing now; it may come.
    Empty = 61,
    /// It took longer than the time allowed.
    TimedOut = 62,
    /// Longer than the channel's maximum; it can never fit.
    TooLarge = 63,
    /// The buffer is shorter than the message, which stays where it is. (Of a latest value or a broadcast: the
    /// buffer holds its beginning.)
    TooSmall = 64,
    /// The value read is the one that was read last.
    Stale = 65,
    /// Others were faster in each of a bounded number of tries, of a semaphore's word too; try again.
    Contended = 66,
    /// The writer has overtaken this reader, which has lost values; the next call goes on behind them.
    Lagged = 67,
    /// The other side of the queue is proven dead, or was there and has left; of a receive, all that it sent was
    /// received. Only where `..._end_with_peer` or `..._end_with_writer` is set.
    PeerGone = 68,
    /// The region was removed, or made anew under its name, and no other participant is left in it that may live, so nobody
    /// can come. Threads that share this participant do not count. Close all, and open the region again. From
    /// calls that wait, once a probe period. A call that ends so was withdrawn and has not run.
    Replaced = 69,

    /// Locked, and the last owner died with the lock: repair, and mark the value consistent or roll back.
    OwnerDied = 80,
    /// This participant has the lock already.
    Deadlock = 81,
    /// The lock was given up unrepaired; re-initialise it.
    Poisoned = 82,
    /// The lock was not this participant's any more when it was given back. It is open, and not locked. Of a pool: the
    /// block is not this participant's, or its id leads to it no more.
    NotOwner = 83,
    /// The dead owner was editing in place, so there is nothing to roll back to: repair.
    InPlace = 84,
    /// The count would pass its maximum.
    Overflow = 85,
    /// The queues do not share a doorbell, or were not opened through one region.
    NoDoorbell = 86,

    /// There is something under this name or path already.
    AlreadyExists = 100,
    /// No space on the file system.
    NoSpace = 101,
    /// The system does not permit it.
    NotPermitted = 102,
    /// The file is not to be trusted: its kind, owner, mode or number of names.
    NotTrusted = 103,
    /// The name cannot be one, or the directory does not exist.
    BadName = 104,
    /// The memory could not be locked.
    NotLocked = 105,
    /// This system cannot do it, or some other error of the system.
    System = 106,
    /// The socket's other end is closed.
    Closed = 107,

    /// The server is proven dead; no server has acted on the request, and none ever will.
    DidNotRun = 120,
    /// The server is proven dead, or was succeeded; the request may have run.
    MayHaveRun = 121,
    /// The server refused the request.
    Refused = 122,
    /// The ticket names no call that is out.
    UnknownTicket = 123,
    /// The client wants no more parts: it has cancelled the call.
    Cancelled = 124,
}

use strait_status as s;

impl strait_status {
    const ALL: &[(Self, &CStr)] = &[
        (s::Ok, c"success"),
        (s::BadArgument, c"a pointer is null or a number out of range; see the function's comment in strait.h"),
        (s::Misaligned, c"a pointer or the region's memory is not aligned; place it as its type, or the plan's line, asks"),
        (s::NotOpen, c"the storage holds no open object of this kind, or was moved; open it first"),
        (s::InUse, c"the storage or region still has an open object; close it first"),
        (
            s::WrongState,
            c"the mutex is not locked, is locked already, or awaits repair; or no request is taken; see what the last call returned",
        ),
        (s::WrongSize, c"the length differs from the size of the channel's type; give as many bytes"),
        (s::TooShort, c"the region is shorter than it must be: it was cut short; make it anew"),
        (s::Uninitialised, c"the region is not initialised: its creator has not finished, or died; try again"),
        (
            s::ByteOrder,
            c"the region was made by a machine of another byte order, or this machine is big-endian; both must be little-endian",
        ),
        (s::NotARegion, c"this is not a strait region; check the name, path or memory"),
        (s::Version, c"the region has another version of the format; rebuild one side"),
        (s::Features, c"the region has features that this library does not know or does not serve; rebuild it with a newer one"),
        (s::Damaged, c"header, directory or channel contradict themselves: the region was damaged; make it anew"),
        (s::TableFull, c"every place in the region's participant table is taken or retired; plan for more, or make it anew"),
        (s::BadPlan, c"the plan cannot work; check names, capacities, sizes, line and participants"),
        (s::NotFound, c"there is no channel or region of that name, or no lane or consumer of that number; create it first, or give another"),
        (s::Kind, c"the channel is of another kind; open the endpoint that fits it"),
        (s::Type, c"the channel carries another type; build both sides from one definition"),
        (s::Busy, c"another participant has the role or the lock, and is not proven dead; try again later"),
        (s::ReadOnly, c"the region is open to look only; open it for writing"),
        (s::Domain, c"the plan gives the role to another domain; open it there, or change the plan"),
        (s::NoCommonAtomics, c"the lock's users share no atomics (two domains, or a device's memory); keep it in one domain"),
        (s::Fault, c"a peer broke the protocol; close the endpoint and check that peer"),
        (s::Forked, c"the region was opened before a fork; open it anew in the child"),
        (s::Full, c"the queue is full; try again later"),
        (s::Empty, c"the channel has nothing now; try again later"),
        (s::TimedOut, c"the channel did not get ready in the time allowed"),
        (s::TooLarge, c"the message is longer than the channel's maximum; divide it, or plan for longer ones"),
        (s::TooSmall, c"the buffer is shorter than the message; give a longer one"),
        (s::Stale, c"the value is the one that was read last; try again later"),
        (s::Contended, c"others changed the channel in every try; try again"),
        (s::Lagged, c"the reader was too slow and has lost values; go on, or use a longer ring"),
        (s::PeerGone, c"the other side of the queue died or has left; close the endpoint, or wait for a successor"),
        (s::Replaced, c"the region's name leads to another region or to none, so nobody can come; close all, and open it again"),
        (s::OwnerDied, c"the last owner died with the lock; repair the value or roll back"),
        (s::Deadlock, c"this participant has the lock already; attach once a thread"),
        (s::Poisoned, c"the lock was given up unrepaired; re-initialise it"),
        (s::NotOwner, c"the lock or block is free, or another participant holds it; nothing was changed"),
        (s::InPlace, c"the dead owner was editing in place; repair the value"),
        (s::Overflow, c"the semaphore's count would pass its maximum; release no more than was acquired"),
        (
            s::NoDoorbell,
            c"the queues do not share a doorbell; plan one for them, and open them through one region",
        ),
        (s::AlreadyExists, c"there is something under this name or path already; open it, or take another name"),
        (s::NoSpace, c"there is no space for the region; free some, or plan for less"),
        (s::NotPermitted, c"the system does not permit it; check owner and mode, a file system that is read-only, and ulimit -f"),
        (s::NotTrusted, c"the file's kind, owner, mode or number of names is not to be trusted; change that, or give another"),
        (s::BadName, c"the name cannot be one, or its directory does not exist; check both"),
        (s::NotLocked, c"the memory could not be locked; raise RLIMIT_MEMLOCK, or do not lock"),
        (s::System, c"this system cannot do it, or refused in an unusual way; try it in Rust or by strace to learn more"),
        (s::Closed, c"the socket's other end is closed; connect again"),
        (s::DidNotRun, c"the server of the calls died, and the request has not run; call again"),
        (s::MayHaveRun, c"the server of the calls died, and the request may have run; ask its successor before you call again"),
        (s::Refused, c"the server of the calls refused the request; see the code"),
        (s::UnknownTicket, c"the ticket names no call that is out; keep the one that the call returned"),
        (s::Cancelled, c"the client has cancelled the call; end or refuse it"),
    ];
}

/// Returns a status's text, which is never null and never freed. Any number is legal.
#[unsafe(no_mangle)]
pub extern "C" fn strait_status_text(status: i32) -> *const c_char {
    let found = strait_status::ALL.iter().find(|(known, _)| *known as i32 == status);
    found.map_or(c"a status that this library does not know", |(_, text)| text).as_ptr()
}

impl From<AttachError> for strait_status {
    fn from(error: AttachError) -> Self {
        match error {
            AttachError::BigEndianHost | AttachError::ByteOrder => s::ByteOrder,
            AttachError::Misaligned { .. } => s::Misaligned,
            AttachError::TooShort { .. } => s::TooShort,
            AttachError::Uninitialised => s::Uninitialised,
            AttachError::NotARegion => s::NotARegion,
            AttachError::Version { .. } => s::Version,
            AttachError::Features { .. } | AttachError::Apart => s::Features,
            _ => s::Damaged,
        }
    }
}

impl From<FormatError> for strait_status {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::BigEndianHost => s::ByteOrder,
            FormatError::Misaligned { .. } => s::Misaligned,
            FormatError::TooShort { .. } => s::TooShort,
            _ => s::BadPlan,
        }
    }
}

impl From<ChannelError> for strait_status {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::NotFound => s::NotFound,
            ChannelError::Kind { .. } => s::Kind,
            ChannelError::Type => s::Type,
            ChannelError::Lanes { .. } => s::Kind,
            ChannelError::NoLane { .. } => s::NotFound,
            ChannelError::TooManyLanes { .. } => s::TooLarge,
            ChannelError::Consumers { .. } => s::Kind,
            ChannelError::NoConsumer { count: 0 } => s::Kind,
            ChannelError::NoConsumer { .. } => s::NotFound,
            ChannelError::Busy => s::Busy,
            ChannelError::ReadOnly => s::ReadOnly,
            ChannelError::Domain { .. } => s::Domain,
            ChannelError::NoCommonAtomics => s::NoCommonAtomics,
            ChannelError::Fault(_) => s::Fault,
            _ => s::Damaged,
        }
    }
}

impl From<TrySendError> for strait_status {
    fn from(error: TrySendError) -> Self {
        match error {
            TrySendError::Full => s::Full,
            TrySendError::TooLarge => s::TooLarge,
            TrySendError::WrongSize => s::WrongSize,
            TrySendError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<SendError> for strait_status {
    fn from(error: SendError) -> Self {
        match error {
            SendError::TimedOut => s::TimedOut,
            SendError::PeerGone => s::PeerGone,
            SendError::Replaced => s::Replaced,
            SendError::TooLarge => s::TooLarge,
            SendError::WrongSize => s::WrongSize,
            SendError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<TryRecvError> for strait_status {
    fn from(error: TryRecvError) -> Self {
        match error {
            TryRecvError::Empty => s::Empty,
            TryRecvError::TooSmall { .. } => s::TooSmall,
            TryRecvError::WrongSize { .. } => s::WrongSize,
            TryRecvError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<RecvError> for strait_status {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::TimedOut => s::TimedOut,
            RecvError::PeerGone => s::PeerGone,
            RecvError::Replaced => s::Replaced,
            RecvError::TooSmall { .. } => s::TooSmall,
            RecvError::WrongSize { .. } => s::WrongSize,
            RecvError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<TryRecvLanesError> for strait_status {
    fn from(error: TryRecvLanesError) -> Self {
        match error {
            TryRecvLanesError::Empty => s::Empty,
            TryRecvLanesError::TooSmall { .. } => s::TooSmall,
            TryRecvLanesError::WrongSize { .. } => s::WrongSize,
            TryRecvLanesError::Fault { violation: Violation::Forked, .. } => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<RecvLanesError> for strait_status {
    fn from(error: RecvLanesError) -> Self {
        match error {
            RecvLanesError::TimedOut => s::TimedOut,
            RecvLanesError::PeerGone => s::PeerGone,
            RecvLanesError::Replaced => s::Replaced,
            RecvLanesError::TooSmall { .. } => s::TooSmall,
            RecvLanesError::WrongSize { .. } => s::WrongSize,
            RecvLanesError::Fault { violation: Violation::Forked, .. } => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<PublishError> for strait_status {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::WrongSize { .. } => s::WrongSize,
            PublishError::Forked => s::Forked,
            _ => s::TooLarge,
        }
    }
}

impl From<LockError> for strait_status {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy => s::Busy,
            LockError::TimedOut => s::TimedOut,
            LockError::Replaced => s::Replaced,
            LockError::Deadlock => s::Deadlock,
            LockError::Poisoned => s::Poisoned,
            LockError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<UnlockError> for strait_status {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::NotOwner => s::NotOwner,
            UnlockError::GivenUp => s::Poisoned,
            _ => s::Fault,
        }
    }
}

impl From<SemaphoreError> for strait_status {
    fn from(error: SemaphoreError) -> Self {
        match error {
            SemaphoreError::Empty => s::Empty,
            SemaphoreError::TimedOut => s::TimedOut,
            SemaphoreError::Replaced => s::Replaced,
            SemaphoreError::Overflow => s::Overflow,
            SemaphoreError::Contended => s::Contended,
            SemaphoreError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

impl From<PoolError> for strait_status {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Empty => s::Empty,
            PoolError::TimedOut => s::TimedOut,
            PoolError::Gone | PoolError::NotOwner => s::NotOwner,
            PoolError::HardwareLock => s::Contended,
            PoolError::Fault(Violation::Forked) => s::Forked,
            _ => s::Fault,
        }
    }
}

/// A result of this crate's, as the header gives it.
pub(crate) fn status(result: Result<(), strait_status>) -> strait_status {
    result.err().unwrap_or(strait_status::Ok)
}
