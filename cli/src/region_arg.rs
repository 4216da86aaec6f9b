//! The argument REGION: a name, or a path if it holds a slash (on Windows, or a backslash).

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf, is_separator};

use strait::{RegionFile, RegionName, RegionPlace, region::check_name};

use crate::error::{Error, Result};

/// Where a region is, as the user said it.
#[derive(Clone, Debug)]
pub enum RegionArg {
    /// A named region.
    Named(String),
    /// A region in a file.
    At(PathBuf),
}

impl RegionArg {
    /// Reads the argument.
    pub fn parse(word: OsString) -> std::result::Result<Self, String> {
        if word.to_string_lossy().contains(is_separator) {
            return Ok(Self::At(word.into()));
        }
        let name = word.into_string().map_err(|_| "a region's name must be UTF-8".to_string())?;
        check_name(&name).map_err(|error| error.to_string())?;
        Ok(Self::Named(name))
    }

    /// What the user gave.
    pub fn word(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::At(path) => path.display().to_string(),
        }
    }

    /// The region there. It is not opened yet.
    pub fn region(&self) -> Result<RegionPlace> {
        match self {
            Self::Named(name) => match RegionName::new(name) {
                Ok(name) => Ok(name.into()),
                Err(error) => Err(Error::at(self, error)),
            },
            Self::At(path) => Ok(RegionFile::new(path).into()),
        }
    }

    /// The error of a command that finds no region there.
    pub fn not_found(&self) -> Error {
        Error::failed(match self {
            Self::Named(name) if Path::new(name).is_file() => {
                format!(
                    "{self}: there is none of that name; to give the file of that name here, write ./{name}"
                )
            }
            Self::Named(_) => {
                format!("{self}: there is none of that name; `strait ls` shows those there are")
            }
            Self::At(_) => {
                format!("{self}: there is no such file; a name without a slash means a named region")
            }
        })
    }
}

impl fmt::Display for RegionArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "region '{name}'"),
            Self::At(path) => write!(f, "region {}", path.display()),
        }
    }
}
