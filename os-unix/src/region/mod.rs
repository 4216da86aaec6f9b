//! Regions by name, by path, and without either: create, open, remove, list, receive.

mod error;

use core::fmt;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use strait_core::ground::header::{MAGIC, at};
use strait_core::{Attachment, Contents, Header, Plan, format};

use crate::error::{FromCall as _, OsError};
use crate::file::check;
use crate::file::draft::Draft;
use crate::file::os::named_dir;
use crate::map::Mapping;
use crate::name::{self, NameError, PREFIX};
use crate::options::Options;
use crate::port::{UnixPort, View};
use crate::{entropy, memfd};

pub use error::{CreateError, OpenError, OpenOrCreateError, ReceiveError, ShareError};

/// Rounds of opening and creating before a region that comes and goes is given up.
const ROUNDS: u32 = 16;

/// Where a region lies: under a name, or in a file of its own.
///
/// A *named* region lies in memory (on Linux in `/dev/shm`), so it is gone after a restart of the
/// machine, and removing it is up to its users. A region *at a path* is as lasting as its file:
/// on a disk it survives the end of all processes, and a loss of power up to the last
/// [`sync`](UnixPort::sync). For real-time work keep it in memory too: a page of a file on disk may
/// fault again whenever the system has written it back.
///
/// Either way the region appears complete or not at all, and nobody's file is ever replaced.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os_unix::{Options, Region};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
///
/// let region = Region::named("example-of-region")?;
/// # let _ = region.remove();
/// let created = region.create(&PLAN, &Options::new())?;
/// let opened = region.open(&Options::new())?;
/// assert_eq!(created.header().instance, opened.header().instance);
/// region.remove()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    path: PathBuf,
}

/// Its file.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl Region {
    /// The region of this name. Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name cannot be one, or there is no place for named regions.
    pub fn named(name: &str) -> Result<Self, NameError> {
        name::check_name(name)?;
        let dir = named_dir().map_err(NameError::NoDirectory)?;
        Ok(Self { path: dir.join(format!("{PREFIX}{name}")) })
    }

    /// The region in the file at `path`. Nothing is looked at yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file that the region is, or would be.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the region and takes part in it. Its space is reserved before it appears, so memory
    /// that runs out is an error here and no signal later.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing has appeared then.
    pub fn create(&self, plan: &Plan<'_>, options: &Options) -> Result<Attachment<UnixPort>, CreateError> {
        let len = plan_len(plan, options)?;
        if self.path.symlink_metadata().is_ok() {
            return Err(CreateError::AlreadyExists); // Early; `publish` is what makes sure.
        }
        let draft = Draft::new(&self.path, options.mode, len)?;
        let file = draft.file().try_clone();
        let file = file.map_err(|error| CreateError::from_io("dup", &error))?;
        let attachment = lay_out(file, draft.path(), Some(&self.path), plan, len, options)?;
        draft.publish(&self.path)?;
        Ok(attachment)
    }

    /// Opens the region and takes part in it, or looks at it alone if the options say read-only.
    ///
    /// Neither a link nor anything but a regular file is followed or waited for, and the file's
    /// owner, mode and number of names are checked after opening.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, options: &Options) -> Result<Attachment<UnixPort>, OpenError> {
        let (file, len) = check::open(&self.path, options)?;
        attach(file, len, Some(&self.path), options)
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
    ) -> Result<Attachment<UnixPort>, OpenOrCreateError> {
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
    /// # Errors
    ///
    /// [`OpenError::NotFound`], or why the file may not be removed.
    pub fn remove(&self) -> Result<(), OpenError> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            Err(error) => Err(match error.raw_os_error() {
                Some(nix::libc::ENOENT) => OpenError::NotFound,
                Some(nix::libc::EACCES | nix::libc::EPERM) => OpenError::NotPermitted,
                _ => OpenError::Os(OsError::io("unlink", &error)),
            }),
        }
    }

    /// The names of the named regions there are, sorted. Whether they can be opened is another
    /// question.
    ///
    /// # Errors
    ///
    /// [`OsError`] if their directory cannot be read.
    pub fn list() -> Result<Vec<String>, OsError> {
        let failed = |error: std::io::Error| OsError::io("read the directory of named regions", &error);
        let mut names = Vec::new();
        for entry in fs::read_dir(named_dir()?).map_err(failed)? {
            let file_name = entry.map_err(failed)?.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            names.extend(name.filter(|name| name::check_name(name).is_ok()).map(String::from));
        }
        names.sort();
        Ok(names)
    }

    /// Creates a region in sealed memory, which has no name and which no peer can cut short: the
    /// one kind for peers that are not trusted. Hand it over with [`UnixPort::share`].
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn sealed(plan: &Plan<'_>, options: &Options) -> Result<Attachment<UnixPort>, CreateError> {
        let len = plan_len(plan, options)?;
        let file = memfd::create(options.mode, len)?;
        memfd::seal(&file)?;
        lay_out(file, None, None, plan, len, options)
    }

    /// Receives a sealed region over a Unix socket and takes part in it. Its seals and its length
    /// are checked before it is mapped. Blocks as long as the socket does.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`].
    pub fn receive(socket: impl AsFd, options: &Options) -> Result<Attachment<UnixPort>, ReceiveError> {
        let (file, len) = memfd::accept(socket.as_fd())?;
        let mut start = [0; at::TOTAL_LEN as usize + 4];
        file.read_exact_at(&mut start, 0).map_err(|error| OsError::io("pread", &error))?;
        let word = |at: u32| {
            let at = at as usize;
            u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]])
        };
        if word(at::MAGIC) == MAGIC && word(at::TOTAL_LEN) != len {
            return Err(ReceiveError::WrongSize { header: word(at::TOTAL_LEN), found: len });
        }
        attach(file, len, None, options).map_err(ReceiveError::Open)
    }
}

/// Nobody else has the new region yet, so a header that is wrong or a table that is full can only
/// come from memory that does not keep what is stored in it.
const NOT_OURS: CreateError = CreateError::Os(OsError::new("use the new region", nix::libc::EIO));

/// Checks the options for creating, and the plan.
fn plan_len(plan: &Plan<'_>, options: &Options) -> Result<u32, CreateError> {
    if options.read_only {
        return Err(CreateError::ReadOnly);
    }
    if options.mode & 0o600 != 0o600 || options.mode & !0o666 != 0 {
        return Err(CreateError::Mode { mode: options.mode });
    }
    plan.try_size().map_err(|error| CreateError::Format(strait_core::FormatError::Plan(error)))
}

/// Formats a file of zeros and takes part in what is then a region. `lies` is where the file can be
/// opened now, `will_lie` where it will lie.
fn lay_out(
    file: File,
    lies: Option<&Path>,
    will_lie: Option<&Path>,
    plan: &Plan<'_>,
    len: u32,
    options: &Options,
) -> Result<Attachment<UnixPort>, CreateError> {
    let map = Mapping::new(&file, len, options)?;
    let instance = entropy::random_u64()?;
    format(&map.mem(), plan, instance, Contents::Zeroed).map_err(CreateError::Format)?;
    let view = View::new(map, file, lies, true)?;
    let header = Header::check(view.mem()).map_err(|_| NOT_OURS)?;
    let port = UnixPort::joining(view, will_lie, &header, options.domain).map_err(|_| CreateError::Domain)?;
    Attachment::attach(port).map_err(|_| NOT_OURS)
}

/// Maps a checked file and attaches.
fn attach(
    file: File,
    len: u32,
    path: Option<&Path>,
    options: &Options,
) -> Result<Attachment<UnixPort>, OpenError> {
    let map = Mapping::new(&file, len, options)?;
    let header = Header::check(&map.mem()).map_err(OpenError::Attach)?;
    let view = View::new(map, file, path, !options.read_only)?;
    let port = if options.read_only {
        UnixPort::looking(view, path, &header, options.domain)
    } else {
        UnixPort::joining(view, path, &header, options.domain).map_err(|_| OpenError::TableFull)?
    };
    Attachment::attach(port).map_err(OpenError::Attach)
}
