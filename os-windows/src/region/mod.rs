//! Regions by name, by path, and without either: create, open, remove, list, receive.

mod error;

use core::fmt;
use std::fs::File;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::path::{Path, PathBuf};

use strait_core::{AttachError, Attachment, Contents, Header, Plan, format};
use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, ERROR_IO_DEVICE};

use crate::entropy;
use crate::error::{FromCall as _, OsError};
use crate::file::check;
use crate::file::draft::{self, Draft};
use crate::liveness::{EventTokens, FileTokens, Tokens};
use crate::map::{MapError, Mapping};
use crate::name::{self, NameError, Space};
use crate::options::Options;
use crate::port::{Home, View, WindowsPort};
use crate::section::{self, Sign};
use crate::security::{self, Descriptor, Sort};
use crate::wait::Events;

pub use error::{CreateError, OpenError, OpenOrCreateError, ReceiveError, ShareError};

/// Rounds of opening and creating before a region that comes and goes is given up.
const ROUNDS: u32 = 16;

/// Where objects of regions without a name are named: peers may be in different sessions.
const ANYWHERE: Space = Space::Global;

/// Where a region lies: under a name, or in a file of its own.
///
/// A *named* region is a section in the system's paging file. It is there as long as some process has
/// it open, and no longer. A region *at a path* is as lasting as its file: it survives the end of all
/// processes, and a loss of power up to the last [`sync`](WindowsPort::sync). For real-time work
/// prefer a name: a page of a file may fault again whenever the system has written it back.
///
/// Either way the region appears complete or not at all, and nobody's is ever replaced. A creator that
/// dies half-way leaves nothing that is in the way of the next.
///
/// ```
/// # #[cfg(windows)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os_windows::{Options, Region};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
///
/// let region = Region::named("example-of-region")?;
/// let created = region.create(&PLAN, &Options::new())?;
/// let opened = region.open(&Options::new())?;
/// assert_eq!(created.header().instance, opened.header().instance);
/// region.remove()?;
/// # Ok(())
/// # }
/// # #[cfg(not(windows))] fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Named { space: Space, name: String },
    File(PathBuf),
}

/// Its name, with that of the namespace, or its file.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Named { space, name } => write!(f, "{}\\{name}", space.prefix()),
            Place::File(path) => path.display().fmt(f),
        }
    }
}

impl Region {
    /// The region of this name in this session (`Local\`). Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name cannot be one.
    pub fn named(name: &str) -> Result<Self, NameError> {
        Self::in_space(Space::Local, name)
    }

    /// The region of this name in the whole machine (`Global\`). To create it takes the privilege
    /// `SeCreateGlobalPrivilege`, which services and administrators have; to open it takes none.
    /// Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name cannot be one.
    pub fn global(name: &str) -> Result<Self, NameError> {
        Self::in_space(Space::Global, name)
    }

    fn in_space(space: Space, name: &str) -> Result<Self, NameError> {
        name::check_name(name)?;
        Ok(Self { place: Place::Named { space, name: name.into() } })
    }

    /// The region in the file at `path`. Nothing is looked at yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::File(path.into()) }
    }

    /// The file that the region is, or would be; `None` if it has a name instead.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Named { .. } => None,
            Place::File(path) => Some(path),
        }
    }

    /// Creates the region and takes part in it. Its space is reserved before it appears, so memory
    /// that runs out is an error here and not later.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing has appeared then.
    pub fn create(&self, plan: &Plan<'_>, options: &Options) -> Result<Attachment<WindowsPort>, CreateError> {
        let len = plan_len(plan, options)?;
        let security = Descriptor::of(options).map_err(CreateError::Os)?;
        let new = New { plan, len, options, security };
        match &self.place {
            Place::Named { space, name } => create_named(*space, name, new),
            Place::File(path) => create_at(path, new),
        }
    }

    /// Opens the region and takes part in it, or looks at it alone if the options say read-only.
    ///
    /// Its owner, and whom it lets in, are checked after opening; a file is followed through no link,
    /// and must be a regular one.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, options: &Options) -> Result<Attachment<WindowsPort>, OpenError> {
        match &self.place {
            Place::Named { space, name } => open_named(*space, name, options),
            Place::File(path) => {
                let (file, len) = check::open(path, options)?;
                let section = section::of_file(&file, options).map_err(OpenError::Os)?;
                let map = Mapping::new(section.as_handle(), Some(len), options)?;
                let header = Header::check(&map.mem()).map_err(OpenError::Attach)?;
                let tokens = FileTokens::new(file, !options.read_only).map_err(reopened)?;
                let security = Descriptor::of(options)?;
                let events = Events::new(ANYWHERE, header.instance, security);
                let home = Home::File(path.clone());
                attach(View::new(map, Tokens::File(tokens), events, home), &header, options)
            }
        }
    }

    /// Opens the region, or creates it if it is not there, whoever is first. An existing region
    /// need not be of the same plan: what is in it is checked channel by channel as endpoints are
    /// opened.
    ///
    /// # Errors
    ///
    /// [`OpenOrCreateError`].
    pub fn open_or_create(
        &self,
        plan: &Plan<'_>,
        options: &Options,
    ) -> Result<Attachment<WindowsPort>, OpenOrCreateError> {
        for _ in 0..ROUNDS {
            match self.open(options) {
                Err(OpenError::NotFound) => {}
                other => return other.map_err(OpenOrCreateError::Open),
            }
            match self.create(plan, options) {
                Err(CreateError::AlreadyExists) => {}
                other => return other.map_err(OpenOrCreateError::Create),
            }
        }
        Err(OpenOrCreateError::Contended)
    }

    /// Takes the region's name away, alive or not. Those who have it open go on in its memory until
    /// they close it; newcomers find nothing.
    ///
    /// A file that somebody has open is renamed, and goes with the last who has.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotFound`], or why it may not be removed.
    pub fn remove(&self) -> Result<(), OpenError> {
        match &self.place {
            Place::Named { space, name } => {
                let sign = Sign::open(*space, name, false)?.ok_or(OpenError::NotFound)?;
                if sign.clear() { Ok(()) } else { Err(OpenError::NotFound) }
            }
            Place::File(path) => draft::remove(path),
        }
    }

    /// The names of the regions that there are in this session, sorted. Whether they can be opened is
    /// another question.
    ///
    /// # Errors
    ///
    /// [`OsError`] if the system does not tell.
    pub fn list() -> Result<Vec<String>, OsError> {
        let mut names = section::names(Space::Local)?;
        names.retain(|name| match Sign::open(Space::Local, name, true) {
            Ok(Some(sign)) => stands(&sign, Space::Local).is_some(),
            Ok(None) => false,
            Err(_) => true,
        });
        names.sort();
        Ok(names)
    }

    /// Creates a region in a section without a name, which no peer can cut short. Hand it over with
    /// [`WindowsPort::share`].
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn sealed(plan: &Plan<'_>, options: &Options) -> Result<Attachment<WindowsPort>, CreateError> {
        let len = plan_len(plan, options)?;
        let security = Descriptor::of(options).map_err(CreateError::Os)?;
        let instance = new_instance()?;
        let memory = section::create_memory(None, instance, len, &security);
        let memory = memory.map_err(CreateError::from_os)?.ok_or(NOT_OURS)?;
        let new = New { plan, len, options, security };
        lay_out(memory, ANYWHERE, instance, new, Home::Sealed)
    }

    /// Takes part in a sealed region whose handle this process was given, as [`WindowsPort::share`]
    /// says. What the handle is of is checked before it is used.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive(handle: OwnedHandle, options: &Options) -> Result<Attachment<WindowsPort>, ReceiveError> {
        let map = match Mapping::new(handle.as_handle(), None, options) {
            Err(MapError::Map(_)) => return Err(ReceiveError::NotARegion),
            other => other.map_err(|error| ReceiveError::Open(error.into()))?,
        };
        open_memory(map, ANYWHERE, None, options, || Home::Sealed(handle)).map_err(ReceiveError::Open)
    }
}

/// Nobody else has the new region yet, so a header that is wrong or a table that is full can only
/// come from memory that does not keep what is stored in it.
const NOT_OURS: CreateError = CreateError::Os(OsError::new("use the new region", ERROR_IO_DEVICE as i32));

/// A region to be made.
struct New<'a> {
    plan: &'a Plan<'a>,
    len: u32,
    options: &'a Options,
    security: Descriptor,
}

/// Checks the options for creating, and the plan.
fn plan_len(plan: &Plan<'_>, options: &Options) -> Result<u32, CreateError> {
    if options.read_only {
        return Err(CreateError::ReadOnly);
    }
    plan.try_size().map_err(|error| CreateError::Format(strait_core::FormatError::Plan(error)))
}

fn new_instance() -> Result<u64, CreateError> {
    Ok(entropy::random_u64().map_err(CreateError::Os)?.max(1))
}

/// The region that stands under a sign; `None` if none does, or nobody has it any more.
fn stands(sign: &Sign, space: Space) -> Option<u64> {
    let instance = sign.instance()?;
    match section::open_memory(space, instance, true) {
        Ok(None) => None,
        Ok(Some(_)) | Err(_) => Some(instance),
    }
}

fn create_named(space: Space, name: &str, new: New<'_>) -> Result<Attachment<WindowsPort>, CreateError> {
    let sign = Sign::open_or_create(space, name, &new.security)?;
    security::check(sign.handle(), Sort::Object, new.options)?;
    if stands(&sign, space).is_some() {
        return Err(CreateError::AlreadyExists); // Early; `publish` is what makes sure.
    }
    let old = sign.instance();
    let instance = new_instance()?;
    let memory = section::create_memory(Some(space), instance, new.len, &new.security);
    let memory = memory.map_err(|error| match CreateError::from_os(error) {
        // Nobody else knows the name, so it was the creation that was denied.
        CreateError::NotPermitted if space == Space::Global => CreateError::NotPrivileged,
        other => other,
    })?;
    let memory =
        memory.ok_or(CreateError::Os(OsError::numbered("CreateFileMapping", ERROR_ALREADY_EXISTS)))?;
    let home = |memory| Home::Named { sign, _memory: memory, instance };
    let attachment = lay_out(memory, space, instance, new, home)?;
    if attachment.port().publish(old) { Ok(attachment) } else { Err(CreateError::AlreadyExists) }
}

fn create_at(path: &Path, new: New<'_>) -> Result<Attachment<WindowsPort>, CreateError> {
    if path.symlink_metadata().is_ok() {
        return Err(CreateError::AlreadyExists); // Early; `publish` is what makes sure.
    }
    let (mut draft, file) = Draft::new(path, &new.security, new.len)?;
    let attachment = lay_out_file(file, path, new)?;
    match draft.publish(path) {
        Ok(()) => Ok(attachment),
        Err(error) => {
            drop(attachment); // A file that is mapped cannot be deleted.
            Err(error)
        }
    }
}

/// Formats a new section and takes part in what is then a region.
fn lay_out(
    memory: OwnedHandle,
    space: Space,
    instance: u64,
    new: New<'_>,
    home: impl FnOnce(OwnedHandle) -> Home,
) -> Result<Attachment<WindowsPort>, CreateError> {
    let map = Mapping::new(memory.as_handle(), Some(new.len), new.options)?;
    format(&map.mem(), new.plan, instance, Contents::Zeroed).map_err(CreateError::Format)?;
    let security = Descriptor::of(new.options).map_err(CreateError::Os)?;
    let tokens = Tokens::Event(EventTokens::create(space, instance, security).map_err(CreateError::Os)?);
    let events = Events::new(space, instance, new.security);
    join_new(View::new(map, tokens, events, home(memory)))
}

/// The same in a new file.
fn lay_out_file(file: File, path: &Path, new: New<'_>) -> Result<Attachment<WindowsPort>, CreateError> {
    let section = section::of_file(&file, new.options).map_err(CreateError::from_os)?;
    let map = Mapping::new(section.as_handle(), Some(new.len), new.options)?;
    let instance = new_instance()?;
    format(&map.mem(), new.plan, instance, Contents::Zeroed).map_err(CreateError::Format)?;
    let tokens = Tokens::File(FileTokens::new(file, true).map_err(CreateError::Os)?);
    let events = Events::new(ANYWHERE, instance, new.security);
    join_new(View::new(map, tokens, events, Home::File(path.into())))
}

fn join_new(view: View) -> Result<Attachment<WindowsPort>, CreateError> {
    let header = Header::check(view.mem()).map_err(|_| NOT_OURS)?;
    let port = WindowsPort::joining(view, &header).map_err(|_| NOT_OURS)?;
    Attachment::attach(port).map_err(|_| NOT_OURS)
}

fn open_named(space: Space, name: &str, options: &Options) -> Result<Attachment<WindowsPort>, OpenError> {
    for _ in 0..ROUNDS {
        let sign = Sign::open(space, name, options.read_only)?.ok_or(OpenError::NotFound)?;
        security::check(sign.handle(), Sort::Object, options)?;
        let instance = sign.instance().ok_or(OpenError::NotFound)?;
        let memory = section::open_memory(space, instance, options.read_only);
        if let Some(memory) = memory.map_err(OpenError::from_os)? {
            security::check(memory.as_handle(), Sort::Object, options)?;
            let map = Mapping::new(memory.as_handle(), None, options)?;
            let home = || Home::Named { sign, _memory: memory, instance };
            match open_memory(map, space, Some(instance), options, home) {
                // Its name was found in this namespace, so its beacon would be too: all who had it have
                // gone, this moment.
                Err(OpenError::OtherNamespace) => continue,
                other => return other,
            }
        }
        if sign.instance() == Some(instance) {
            break; // It went with the last who had it.
        }
    }
    Err(OpenError::NotFound)
}

/// Attaches to a section that is mapped, which must be of the `wanted` instance if there is one.
fn open_memory(
    map: Mapping,
    space: Space,
    wanted: Option<u64>,
    options: &Options,
    home: impl FnOnce() -> Home,
) -> Result<Attachment<WindowsPort>, OpenError> {
    let header = Header::check(&map.mem()).map_err(OpenError::Attach)?;
    if wanted.is_some_and(|wanted| wanted != header.instance) {
        return Err(OpenError::Attach(AttachError::Header));
    }
    let (joins, security) = (!options.read_only, Descriptor::of(options)?);
    let tokens = EventTokens::open(space, header.instance, security, joins);
    let tokens = Tokens::Event(tokens.ok_or(OpenError::OtherNamespace)?);
    let events = Events::new(space, header.instance, Descriptor::of(options)?);
    attach(View::new(map, tokens, events, home()), &header, options)
}

/// What it means that a file which has just been opened cannot be opened once more: it is being
/// deleted.
fn reopened(error: OsError) -> OpenError {
    match OpenError::from_os(error) {
        OpenError::NotFound | OpenError::NotPermitted => OpenError::NotFound,
        other => other,
    }
}

/// Takes part, or looks.
fn attach(view: View, header: &Header, options: &Options) -> Result<Attachment<WindowsPort>, OpenError> {
    let port = if options.read_only {
        WindowsPort::looking(view, header)
    } else {
        WindowsPort::joining(view, header).map_err(|_| OpenError::TableFull)?
    };
    Attachment::attach(port).map_err(OpenError::Attach)
}
