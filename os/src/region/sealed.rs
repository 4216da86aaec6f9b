//! Regions without a name, which are handed over.

use strait_core::Plan;

use super::{CreateError, Region, create};
use crate::RegionOptions;
use crate::sys::New;

/// Regions in sealed memory, which has no name and which no peer can cut short: on Unix the one kind for peers
/// that are not trusted.
///
/// | | Linux | other Unix | Windows |
/// | --- | --- | --- | --- |
/// | memory | a sealed memfd | none: [`Unsupported`](CreateError::Unsupported) | a section without a name |
/// | `SystemPort::share` hands it over | a Unix socket, which takes its descriptor | | another process, which is sent the handle's number |
/// | `SealedRegion::receive` takes it from | that socket, after checking seals and length | | that handle, after checking its object |
///
/// Each system hands over something else, so both functions have other parameters on Unix and on Windows.
///
/// # Examples
///
/// On Linux:
///
/// ```
/// # #[cfg(target_os = "linux")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::os::unix::net::UnixStream;
/// use strait_core::{Channel, Plan};
/// use strait_os::{RegionOptions, SealedRegion};
///
/// const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
///
/// let (ours, theirs) = UnixStream::pair()?;
/// let region = SealedRegion::create(&PLAN, &RegionOptions::new())?;
/// region.port().share(&ours)?;
/// let mut commands = region.producer("commands")?;
/// commands.try_send(7, b"home")?;
///
/// // The peer, which has the other end of the socket:
/// let region = SealedRegion::receive(&theirs, &RegionOptions::new())?;
/// assert!(region.port().is_sealed());
/// let mut buf = [0; 256];
/// assert_eq!(region.consumer("commands")?.try_recv(&mut buf)?.len, 4);
/// # Ok(())
/// # }
/// # #[cfg(not(target_os = "linux"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SealedRegion(());

impl SealedRegion {
    /// Creates a region in sealed memory and takes part in it. Its space is reserved, so memory that runs out is an error
    /// here and no signal later; but where a memory cgroup limits this process (a container), all its pages count against
    /// that limit here, and the system may end the process instead.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create(plan: &Plan<'_>, options: &RegionOptions) -> Result<Region, CreateError> {
        create(plan, options, New::sealed)
    }
}
