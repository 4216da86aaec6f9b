//! Where regions are: under a sign in a namespace, or in files.

use core::fmt;
use std::path::{Path, PathBuf};

use strait_os_base::OsError;

use crate::failed::OpenFailed;
use crate::file::draft;
use crate::name::Space;
use crate::section::{self, Sign};

/// The name or the file that a region has, or would have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub(crate) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Named { space: Space, name: String },
    File(PathBuf),
}

impl Place {
    /// The place of a name in this session.
    ///
    /// # Errors
    ///
    /// None.
    pub fn named(name: &str) -> Result<Self, OsError> {
        Ok(Self(Kind::Named { space: Space::Local, name: name.into() }))
    }

    /// The place of a name in the machine.
    ///
    /// # Errors
    ///
    /// None.
    pub fn global(name: &str) -> Result<Self, OsError> {
        Ok(Self(Kind::Named { space: Space::Global, name: name.into() }))
    }

    /// The place in a file.
    #[must_use]
    pub fn file(path: PathBuf) -> Self {
        Self(Kind::File(path))
    }

    /// The file; a name has none.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Named { .. } => None,
            Kind::File(path) => Some(path),
        }
    }

    /// Clears the name's sign, or renames the file out of the way.
    pub fn remove(&self) -> Result<(), OpenFailed> {
        match &self.0 {
            Kind::Named { space, name } => {
                let sign = Sign::open(*space, name, false)?.ok_or(OpenFailed::NotFound)?;
                if sign.clear() { Ok(()) } else { Err(OpenFailed::NotFound) }
            }
            Kind::File(path) => draft::remove(path),
        }
    }

    /// The names in this session under which regions stand.
    pub fn names() -> Result<Vec<String>, OsError> {
        let mut names = section::names(Space::Local)?;
        names.retain(|name| match Sign::open(Space::Local, name, true) {
            Ok(Some(sign)) => stands(&sign, Space::Local).is_some(),
            Ok(None) => false,
            Err(_) => true,
        });
        Ok(names)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Named { space, name } => write!(f, "{}\\{name}", space.prefix()),
            Kind::File(path) => path.display().fmt(f),
        }
    }
}

/// The region that stands under a sign; `None` if none does, or nobody has it any more.
pub(crate) fn stands(sign: &Sign, space: Space) -> Option<u64> {
    let instance = sign.instance()?;
    match section::open_memory(space, instance, true) {
        Ok(None) => None,
        Ok(Some(_)) | Err(_) => Some(instance),
    }
}
