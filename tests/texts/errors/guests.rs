//! The errors of virtual machines' doorbells, and of what proves their end and other cores'.

use strait::OpenError;
use strait::linux::{GuestWatchError, RemoteWatchError, VfioError};
use strait::unix::WindowError;

use super::{OS, Told, tell};

pub fn of_guests(all: &mut Vec<Told>) {
    tell(
        all,
        [
            VfioError::NoDevice,
            VfioError::NoIommu,
            VfioError::NoModule,
            VfioError::NotBound,
            VfioError::NotViable,
            VfioError::NotPermitted,
            VfioError::Busy,
            VfioError::NoInterrupts,
            VfioError::NoNumber,
            VfioError::NoVector { vector: 1, count: 1 },
            VfioError::Os(OS),
        ],
    );
    tell(
        all,
        [
            GuestWatchError::Running { domain: 1 },
            GuestWatchError::StoodIn { domain: 1 },
            GuestWatchError::NoProcess,
            GuestWatchError::Window(WindowError::Open(OpenError::NotFound)),
            GuestWatchError::Os(OS),
        ],
    );
    tell(
        all,
        [
            RemoteWatchError::NoState,
            RemoteWatchError::NoPeer { peer: 1024, len: 4096 },
            RemoteWatchError::OwnDomain { domain: 1 },
            RemoteWatchError::Window(WindowError::Open(OpenError::NotFound)),
            RemoteWatchError::Os(OS),
        ],
    );
}
