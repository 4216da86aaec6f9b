//! Memory that is going to be a region.

use std::fs::File;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::path::{Path, PathBuf};

use strait_core::port::Mem;
use strait_os_base::{Mapped, MappedRegion, OsError};
use windows_sys::Win32::Foundation::ERROR_ALREADY_EXISTS;

use crate::entropy;
use crate::error::FromCall as _;
use crate::error::FromOs as _;
use crate::failed::CreateFailed;
use crate::file::draft::Draft;
use crate::liveness::{EventTokens, FileTokens, Tokens};
use crate::map;
use crate::name::Space;
use crate::options::Options;
use crate::place::{Kind, Place, stands};
use crate::section::{self, Sign};
use crate::security::{self, Descriptor, Sort};
use crate::view::{ANYWHERE, Home, View};
use crate::wait::Events;

/// The new memory, all zeros.
enum Source {
    /// A section, and the sign of its name if it gets one.
    Memory {
        memory: OwnedHandle,
        sign: Option<Sign>,
        space: Space,
    },
    File {
        file: File,
        path: PathBuf,
    },
}

/// Zeros that are going to be a region, and that nobody else can find yet.
pub struct New {
    /// Dropped before the publication: a file that is mapped cannot be deleted.
    map: Mapped,
    source: Source,
    instance: u64,
    options: Options,
    security: Descriptor,
    publication: Publication,
}

impl New {
    /// Reserves the space of a region at a place, where nothing appears yet.
    pub fn at(place: &Place, len: u32, options: &Options) -> Result<Self, CreateFailed> {
        match &place.0 {
            Kind::Named { space, name } => Self::named(*space, name, len, options),
            Kind::File(path) => Self::in_file(path, len, options),
        }
    }

    fn named(space: Space, name: &str, len: u32, options: &Options) -> Result<Self, CreateFailed> {
        let security = Descriptor::of(options)?;
        let sign = Sign::open_or_create(space, name, &security)?;
        security::check(sign.handle(), Sort::Object, options)?;
        if stands(&sign, space).is_some() {
            return Err(CreateFailed::AlreadyExists); // Early; `publish` is what makes sure.
        }
        let (old, instance) = (sign.instance(), new_instance()?);
        let memory = section::create_memory(Some(space), instance, len, &security);
        let memory = memory.map_err(|error| match CreateFailed::from_os(error) {
            // Nobody else knows the name, so it was the creation that was denied.
            CreateFailed::NotPermitted if space == Space::Global => CreateFailed::NotPrivileged,
            other => other,
        })?;
        let memory = memory.ok_or(OsError::numbered("CreateFileMapping", ERROR_ALREADY_EXISTS))?;
        let map = map::shared(memory.as_handle(), Some(len), &options.map)?;
        let source = Source::Memory { memory, sign: Some(sign), space };
        Ok(Self::mapped(map, source, instance, *options, security, Publication(Means::Sign { old })))
    }

    fn in_file(path: &Path, len: u32, options: &Options) -> Result<Self, CreateFailed> {
        let (security, instance) = (Descriptor::of(options)?, new_instance()?);
        if path.symlink_metadata().is_ok() {
            return Err(CreateFailed::AlreadyExists); // Early; `publish` is what makes sure.
        }
        let (draft, file) = Draft::new(path, &security, len)?;
        let section = section::of_file(&file, options).map_err(CreateFailed::from_os)?;
        let map = map::shared(section.as_handle(), Some(len), &options.map)?;
        let source = Source::File { file, path: path.into() };
        let publication = Publication(Means::Draft(draft, path.into()));
        Ok(Self::mapped(map, source, instance, *options, security, publication))
    }

    /// Reserves the space of a region in a section without a name.
    pub fn sealed(len: u32, options: &Options) -> Result<Self, CreateFailed> {
        let (security, instance) = (Descriptor::of(options)?, new_instance()?);
        let memory = section::create_memory(None, instance, len, &security);
        let memory = memory.map_err(CreateFailed::from_os)?.ok_or(OsError::NOT_KEPT)?;
        let map = map::shared(memory.as_handle(), Some(len), &options.map)?;
        let source = Source::Memory { memory, sign: None, space: ANYWHERE };
        Ok(Self::mapped(map, source, instance, *options, security, Publication(Means::None)))
    }

    fn mapped(
        map: Mapped,
        source: Source,
        instance: u64,
        options: Options,
        security: Descriptor,
        publication: Publication,
    ) -> Self {
        Self { map, source, instance, options, security, publication }
    }

    /// The memory to lay the region out in.
    #[must_use]
    pub fn mem(&self) -> &Mem {
        self.map.mem()
    }

    /// The region's number, never 0.
    #[must_use]
    pub fn instance(&self) -> u64 {
        self.instance
    }

    /// The region that was laid out, and what makes it appear.
    pub fn into_view(self) -> Result<(View, Publication), CreateFailed> {
        // Dropped from the last to the first if this fails: the mapping before the publication.
        let Self { publication, security, options, instance, source, map } = self;
        let region = MappedRegion::check(map).map_err(|_| OsError::NOT_KEPT)?;
        let view = match source {
            Source::Memory { memory, sign, space } => {
                let tokens = EventTokens::create(space, instance, Descriptor::of(&options)?)?;
                let events = Events::new(space, instance, security);
                let home = match sign {
                    Some(sign) => Home::Named { sign, _memory: memory, instance },
                    None => Home::Sealed(memory),
                };
                View::new(region, Tokens::Event(tokens), events, home)
            }
            Source::File { file, path } => {
                let tokens = FileTokens::new(file, true)?;
                let events = Events::new(ANYWHERE, instance, security);
                View::new(region, Tokens::File(tokens), events, Home::File(path))
            }
        };
        Ok((view, publication))
    }
}

/// Gives a new region its name. Dropped before that, it leaves nothing behind.
#[derive(Debug)]
pub struct Publication(Means);

#[derive(Debug)]
enum Means {
    /// The sign that the view has open, in the place of a region that is gone.
    Sign { old: Option<u64> },
    /// Renaming the file.
    Draft(Draft, PathBuf),
    /// It gets none.
    None,
}

impl Publication {
    /// Gives the region its name, in one step. Never replaces what has the name already.
    pub fn publish(&mut self, view: &View) -> Result<(), CreateFailed> {
        match &mut self.0 {
            Means::Sign { old } if !view.publish(*old) => Err(CreateFailed::AlreadyExists),
            Means::Sign { .. } | Means::None => Ok(()),
            Means::Draft(draft, path) => draft.publish(path),
        }
    }
}

fn new_instance() -> Result<u64, OsError> {
    Ok(entropy::random_u64()?.max(1))
}
