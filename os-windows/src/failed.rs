//! Why the system refused: the enums of `strait_os_base`, and how this system's answers become them.

use strait_os_base::OsError;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_COMMITMENT_LIMIT, ERROR_DIRECTORY, ERROR_DISK_FULL,
    ERROR_FILE_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_HANDLE_DISK_FULL, ERROR_INVALID_HANDLE,
    ERROR_PATH_NOT_FOUND, ERROR_PRIVILEGE_NOT_HELD, ERROR_WRITE_PROTECT,
};

use crate::error::FromOs;
use crate::options::{Exposure, Owner};
use crate::section::SignError;
use crate::security::Distrust;

pub(crate) type CreateFailed = strait_os_base::CreateFailed<Owner, Exposure>;
pub(crate) type OpenFailed = strait_os_base::OpenFailed<Owner, Exposure>;
pub(crate) type ReceiveFailed = strait_os_base::ReceiveFailed<Owner, Exposure>;

impl FromOs for CreateFailed {
    fn from_os(error: OsError) -> Self {
        match error.code() as u32 {
            ERROR_ALREADY_EXISTS | ERROR_FILE_EXISTS => Self::AlreadyExists,
            ERROR_DISK_FULL | ERROR_HANDLE_DISK_FULL | ERROR_COMMITMENT_LIMIT => Self::NoSpace,
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_DIRECTORY => Self::NoDirectory,
            ERROR_ACCESS_DENIED | ERROR_WRITE_PROTECT => Self::NotPermitted,
            ERROR_PRIVILEGE_NOT_HELD => Self::NotPrivileged,
            ERROR_INVALID_HANDLE => Self::NameTaken,
            _ => Self::Os(error),
        }
    }
}

impl From<SignError> for CreateFailed {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Foreign => Self::NameTaken,
            SignError::NotPrivileged => Self::NotPrivileged,
            SignError::Map(failed) => failed.into(),
            SignError::Os(error) => Self::from_os(error),
        }
    }
}

impl From<Distrust> for CreateFailed {
    fn from(error: Distrust) -> Self {
        Self::Untrusted(error.into())
    }
}

impl FromOs for OpenFailed {
    fn from_os(error: OsError) -> Self {
        match error.code() as u32 {
            ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => Self::NotFound,
            ERROR_ACCESS_DENIED => Self::NotPermitted { owner: None },
            ERROR_INVALID_HANDLE => Self::NameTaken,
            _ => Self::Os(error),
        }
    }
}

impl From<SignError> for OpenFailed {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Foreign => Self::NameTaken,
            SignError::NotPrivileged => Self::NotPermitted { owner: None }, // Of creating alone.
            SignError::Map(failed) => failed.into(),
            SignError::Os(error) => Self::from_os(error),
        }
    }
}

impl From<Distrust> for OpenFailed {
    fn from(error: Distrust) -> Self {
        match error {
            Distrust::Owner { found } => Self::WrongOwner { found },
            Distrust::TooOpen { found } => Self::TooOpen(Exposure { found }),
            Distrust::Os(error) => Self::Os(error),
        }
    }
}
