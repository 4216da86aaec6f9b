//! The errors of regions in the memory of devices.

use strait::port::Ident;
use strait::unix::WindowError;
use strait::{CreateError, OpenError};

use super::{Told, tell};

pub fn of_windows(all: &mut Vec<Told>, open: Vec<OpenError>, create: Vec<CreateError>) {
    tell(
        all,
        [
            WindowError::Unaligned { offset: 8, page: 4096 },
            WindowError::OutOfRange { end: 8192, len: 4096 },
            WindowError::LengthUnknown,
            WindowError::DescriptorAccess,
            WindowError::AlreadyExists,
            WindowError::Occupied,
            WindowError::InUse { who: Ident::new(1, 1).expect("an identity") },
            WindowError::NoPciDevice { vendor: 0x1AF4, device: 0x1110 },
            WindowError::NoPciMemory { memory: 2 },
            WindowError::NoUioDevice { number: 0 },
            WindowError::NoUioMap { number: 0, map: 1, maps: 1 },
            WindowError::UioShort { size: 64, page: 4096 },
            WindowError::UioOffset { start: 128 },
        ],
    );
    tell(all, open.into_iter().map(WindowError::Open));
    tell(all, create.into_iter().map(WindowError::Create));
}
