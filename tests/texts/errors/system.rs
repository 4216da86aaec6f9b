//! The errors of regions, and of what the system has: pipes, semaphores, mutexes, streams.

use strait::error::PlanError;
use strait::format::{AttachError, FormatError};
use strait::linux::{PiLockError, PiOpenError, PiUnlockError};
use strait::pipe::{BindError, ConnectError, ImpersonateError, PipeError, PipeNameError};
use strait::region::{Exposure, NameError, ReceiveError, ShareError};
use strait::rt::RtError;
use strait::semaphore::{SemAcquireError, SemOpenError, SemReleaseError};
use strait::{CreateError, OpenError, OpenOrCreateError};
use strait_core::ground::plan::Fault;

use super::{OS, Told, tell, windows};

fn open_errors() -> Vec<OpenError> {
    vec![
        OpenError::NotFound,
        OpenError::NotPermitted { owner: None },
        OpenError::NotPermitted { owner: Some(1000) },
        OpenError::NotAFile { kind: "device" },
        OpenError::NameTaken,
        OpenError::Linked { links: 2 },
        OpenError::InUse,
        OpenError::WrongOwner { found: 1000 },
        OpenError::TooOpen(Exposure { found: 0o666, allowed: 0o600 }),
        OpenError::TooShort { len: 3 },
        OpenError::TooLong { len: 1 << 40 },
        OpenError::NoSpace,
        OpenError::Attach(AttachError::NotARegion),
        OpenError::OtherNamespace,
        OpenError::TableFull,
        OpenError::Lock(OS),
        OpenError::Os(OS),
    ]
}

fn create_errors() -> Vec<CreateError> {
    let plan = PlanError { channel: None, fault: Fault::Line };
    vec![
        CreateError::AlreadyExists,
        CreateError::NameTaken,
        CreateError::Format(FormatError::Plan(plan)),
        CreateError::Mode { mode: 0o777 },
        CreateError::ReadersMode { mode: 0o644 },
        CreateError::ReadOnly,
        CreateError::Domain,
        CreateError::NoSpace,
        CreateError::HugePages { size: 2 << 20 },
        CreateError::FileSizeLimit { limit: 4096 },
        CreateError::NoDirectory,
        CreateError::ReadOnlyFileSystem,
        CreateError::NotPermitted,
        CreateError::NotPrivileged,
        CreateError::Untrusted(OpenError::WrongOwner { found: 1000 }),
        CreateError::Lock(OS),
        CreateError::Unsupported,
        CreateError::Os(OS),
    ]
}

pub(super) fn of_regions(all: &mut Vec<Told>) {
    tell(all, [OS]);
    tell(all, open_errors());
    tell(all, create_errors());
    tell(all, open_errors().into_iter().map(OpenOrCreateError::Open));
    tell(all, create_errors().into_iter().map(OpenOrCreateError::Create));
    tell(all, [OpenOrCreateError::Contended]);
    let share = [ShareError::NotSealed, ShareError::Forked, ShareError::NotPermitted, ShareError::Closed];
    tell(all, share.into_iter().chain([ShareError::Unsupported, ShareError::Os(OS)]));
    tell(all, open_errors().into_iter().map(ReceiveError::Open));
    tell(
        all,
        [
            ReceiveError::Closed,
            ReceiveError::NotARegion,
            ReceiveError::Unsealed,
            ReceiveError::WrongSize { header: 2, found: 1 },
            ReceiveError::Unsupported,
            ReceiveError::Os(OS),
        ],
    );
    windows::of_windows(all, open_errors(), create_errors());
    let names = [NameError::Empty, NameError::TooLong, NameError::LeadingDot, NameError::Forbidden];
    tell(all, names.into_iter().chain([NameError::NoDirectory(OS)]));
}

pub(super) fn of_pipes(all: &mut Vec<Told>) {
    let bind = [BindError::AlreadyExists, BindError::NotPermitted, BindError::Instances { asked: 0 }];
    tell(all, bind.into_iter().chain([BindError::Unsupported, BindError::Os(OS)]));
    tell(
        all,
        [
            ConnectError::NotFound,
            ConnectError::Busy,
            ConnectError::WrongKind,
            ConnectError::WrongUser,
            ConnectError::NotPermitted,
            ConnectError::Cancelled,
            ConnectError::Unsupported,
            ConnectError::Os(OS),
        ],
    );
    tell(
        all,
        [
            PipeError::NotReady,
            PipeError::TimedOut,
            PipeError::Cancelled,
            PipeError::PeerEnded,
            PipeError::Broken,
            PipeError::TooLarge,
            PipeError::Fault,
            PipeError::Unsupported,
            PipeError::Os(OS),
        ],
    );
    let impersonate = [ImpersonateError::NotPermitted, ImpersonateError::Nested];
    tell(all, impersonate.into_iter().chain([ImpersonateError::Unsupported, ImpersonateError::Os(OS)]));
    let names = [PipeNameError::Empty, PipeNameError::TooLong, PipeNameError::LeadingDot];
    tell(all, names.into_iter().chain([PipeNameError::Forbidden]));
}

pub(super) fn of_the_system(all: &mut Vec<Told>) {
    tell(
        all,
        [
            SemOpenError::Name,
            SemOpenError::AlreadyExists,
            SemOpenError::NotFound,
            SemOpenError::NoDirectory,
            SemOpenError::NotPermitted,
            SemOpenError::Initial { asked: 9, max: 8 },
            SemOpenError::Mode { mode: 0o777 },
            SemOpenError::WrongKind,
            SemOpenError::NoSpace,
            SemOpenError::Os(OS),
        ],
    );
    tell(all, [SemAcquireError::Empty, SemAcquireError::TimedOut, SemAcquireError::Os(OS)]);
    let overflow = SemReleaseError::Overflow { released: 1 };
    tell(all, [overflow, SemReleaseError::Os { released: 1, error: OS }]);
    let asked = RtError::Priority { asked: 100, lowest: 1, highest: 99 };
    let others = [RtError::NotPermitted, RtError::NoCpu, RtError::Cpu { cpu: 99 }, RtError::Unsupported];
    tell(all, [asked].into_iter().chain(others).chain([RtError::Os(OS)]));
    tell(all, open_errors().into_iter().map(PiOpenError::Open));
    tell(all, create_errors().into_iter().map(PiOpenError::Create));
    tell(
        all,
        [
            PiOpenError::Name(NameError::Empty),
            PiOpenError::Unsupported,
            PiOpenError::NotFound,
            PiOpenError::Contended,
            PiOpenError::ReadOnly,
            PiOpenError::NotAMutex,
            PiOpenError::OtherNamespace { theirs: 1, ours: 2 },
            PiOpenError::Exhausted,
            PiOpenError::Os(OS),
        ],
    );
    tell(
        all,
        [
            PiLockError::Busy,
            PiLockError::TimedOut,
            PiLockError::Deadlock,
            PiLockError::Poisoned,
            PiLockError::Abandoned,
            PiLockError::Fault,
            PiLockError::Forked,
            PiLockError::Os(OS),
        ],
    );
    tell(all, [PiUnlockError::NotOwner, PiUnlockError::Os(OS)]);
}

#[cfg(feature = "embedded-io-07")]
pub(super) fn of_streams(all: &mut Vec<Told>) {
    use embedded_io::ErrorKind;
    use strait::error::Violation;
    use strait::io::RingPipeError;
    use strait::stream::{StreamRecvError, StreamSendError};

    let kind = ErrorKind::TimedOut;
    let pipe = [RingPipeError::TimedOut, RingPipeError::PeerDied, RingPipeError::PeerLeft];
    let more = [RingPipeError::Closed, RingPipeError::NoSpace, RingPipeError::Fault(Violation::Length)];
    tell(all, pipe.into_iter().chain(more));
    let recv = [StreamRecvError::Io(kind), StreamRecvError::Closed, StreamRecvError::UnexpectedEof];
    let more = [StreamRecvError::TooLarge { needed: 9 }, StreamRecvError::Garbage];
    tell(all, recv.into_iter().chain(more));
    let send = [StreamSendError::TooLarge, StreamSendError::Io(kind), StreamSendError::Unfinished(kind)];
    tell(all, send.into_iter().chain([StreamSendError::Closed]));
}

#[cfg(not(feature = "embedded-io-07"))]
pub(super) fn of_streams(_all: &mut Vec<Told>) {}
