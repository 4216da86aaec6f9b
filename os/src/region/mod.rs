//! Regions: created, opened, removed, by name, by path, or handed over.

mod error;
mod file;
mod name;
mod sealed;

use core::fmt;
use std::path::Path;

use strait_core::{
    Attachment, Plan,
    format::{Contents, FormatError, initialise},
};

use crate::sys::{self, New, View};
use crate::{OsError, RegionOptions, SystemPort};

pub use error::{CreateError, OpenError, OpenOrCreateError, ReceiveError, ShareError};
pub use file::RegionFile;
pub use name::RegionName;
pub use sealed::SealedRegion;

/// Rounds of opening and creating before something that comes and goes is given up.
pub(crate) const ROUNDS: u32 = 16;

/// A region that this process has open: what `create` and `open` return, and what endpoints are opened from.
///
/// It is this process's place in the region's participant table, unless the options said read-only. Clones of
/// its [port](Attachment::port), which every endpoint holds, are the same participant.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan, TypedProducer};
/// use strait_os::{Region, RegionName, RegionOptions, SystemPort};
///
/// const PLAN: Plan = Plan::new(&[Channel::slots::<f32>("torque", 64)]);
///
/// /// An endpoint in a struct of one's own names the port that it works through.
/// struct Controller {
///     torque: TypedProducer<f32, SystemPort>,
/// }
///
/// impl Controller {
///     fn open(region: &Region) -> Result<Self, strait_core::ChannelError> {
///         Ok(Self { torque: region.typed_producer("torque")? })
///     }
/// }
///
/// # let name = &format!("doc-region-{}", std::process::id());
/// let name = RegionName::new(name)?;
/// let region = name.create(&PLAN, &RegionOptions::new())?;
/// let mut controller = Controller::open(&region)?;
/// controller.torque.try_send(&0.5)?;
/// name.remove()?;
/// # Ok(())
/// # }
/// ```
pub type Region = Attachment<SystemPort>;

/// Where a region is: under a [name](RegionName) or in a [file](RegionFile). Both deref to this.
///
/// Either way the region appears complete or not at all, and nobody's is ever replaced. A creator that dies
/// half-way leaves nothing that is in the way of the next.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::{RegionFile, RegionName, RegionOptions, RegionPlace};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
///
/// // A program whose user chooses where the region is:
/// fn place(arg: &str) -> Result<RegionPlace, Box<dyn std::error::Error>> {
///     Ok(if arg.contains('/') { RegionFile::new(arg).into() } else { RegionName::new(arg)?.into() })
/// }
///
/// # let arg = &format!("doc-region-place-{}", std::process::id());
/// let place = place(arg)?;
/// let region = place.open_or_create(&PLAN, &RegionOptions::new())?;
/// assert!(region.port().is_current()?);
/// place.remove()?;
/// assert!(!region.port().is_current()?, "it works on, but nobody can open it any more");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionPlace(sys::Place);

impl RegionPlace {
    /// Creates the region and takes part in it. Its space is reserved before it appears, so memory
    /// that runs out is an error here and no signal later; but where a memory cgroup limits this process (a
    /// container), all pages of a region in memory count against that limit here, and the system may end the
    /// process instead.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing has appeared then.
    pub fn create(&self, plan: &Plan<'_>, options: &RegionOptions) -> Result<Region, CreateError> {
        create(plan, options, |len, options| New::at(&self.0, len, options))
    }

    /// Opens the region and takes part in it, or looks at it alone if the options say read-only.
    ///
    /// Its owner, and whom it lets in, are checked after opening; a file must be a regular one with one name
    /// (on Unix a named region too, which is a file there), and is followed through no link.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self, options: &RegionOptions) -> Result<Region, OpenError> {
        open(View::open(&self.0, &options.sys)?, options)
    }

    /// Opens the region, or creates it if it is not there, whichever process is first. An existing region
    /// need not be of the same plan: what is in it is checked channel by channel as endpoints are
    /// opened.
    ///
    /// # Errors
    ///
    /// [`OpenOrCreateError`].
    pub fn open_or_create(
        &self,
        plan: &Plan<'_>,
        options: &RegionOptions,
    ) -> Result<Region, OpenOrCreateError> {
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

    /// Takes the region's name away, alive or not. Processes that have it open keep its memory until
    /// they close it; a later `open` finds nothing.
    ///
    /// A file at a path is removed only if it starts as a region does: a damaged region, one of another version, and
    /// one that was never initialised (zeros) may go. What has a name goes whatever it is.
    ///
    /// On Windows a file that is open is renamed, and is deleted when its last handle is closed.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotFound`], or why it may not be removed, or is no region.
    pub fn remove(&self) -> Result<(), OpenError> {
        Ok(self.0.remove()?)
    }

    /// The file that the region is, or would be. `None` for a name on Windows, where that is no file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.path()
    }
}

/// Its file; for a name on Windows, the name with that of its namespace.
impl fmt::Display for RegionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Lays a new region out, takes part in it, and lets it appear.
fn create(
    plan: &Plan<'_>,
    options: &RegionOptions,
    reserve: impl FnOnce(u32, &sys::Options) -> Result<New, error::CreateFailed>,
) -> Result<Region, CreateError> {
    if options.sys.map.read_only {
        return Err(CreateError::ReadOnly);
    }
    let len = plan.try_size().map_err(|error| CreateError::Format(FormatError::Plan(error)))?;
    let new = reserve(len, &options.sys)?;
    initialise(new.mem(), plan, new.instance(), Contents::Zeroed).map_err(CreateError::Format)?;
    let (view, mut publication) = new.into_view()?;
    let port = SystemPort::new(view, options).map_err(|_| CreateError::Domain)?;
    // Dropped before the publication: on Windows a file that is mapped cannot be deleted.
    let region = Region::attach(port).map_err(|_| CreateError::Os(OsError::NOT_KEPT))?;
    publication.publish(region.port().view())?;
    Ok(region)
}

/// Takes part in a region that is mapped, or looks at it.
pub(crate) fn open(view: View, options: &RegionOptions) -> Result<Region, OpenError> {
    let port = SystemPort::new(view, options).map_err(|_| OpenError::TableFull)?;
    Region::attach(port).map_err(OpenError::Attach)
}
