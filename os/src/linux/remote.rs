//! Firmware of another core, or a machine beside this one, by what the kernel or the hypervisor says of its state.

use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strait_core::format::participants;
use strait_core::port::{Ident, Port as _};

use crate::port::HasEnded;
use crate::sys::remote::{Said, Source};
use crate::unix::{RegionWindow, WindowError};
use crate::{OpenError, OsError, Region, RegionOptions, SystemPort};

/// Where the kernel shows the cores that it starts and stops.
const REMOTE_CORES: &str = "/sys/class/remoteproc";

/// Proof that the participants of another domain have ended, from the state of the core or machine that is that domain:
/// firmware that the kernel starts and stops by `remoteproc`, or a peer of a hypervisor's `ivshmem` of version 2.
///
/// A region that is [opened](Self::open) with it returns `Dead` of such a participant if it was seen while its core ran, and
/// the core is stopped now: a peer's status is `Dead`, and waits that are to end with the peer do. Its roles stay its
/// own, for the core's next run to take over.
///
/// # Why it must be seen first
///
/// The kernel says `offline` after it has stopped a core. But it also says so while it starts one, until some time after the
/// first instruction, and a hypervisor's peer has state 0 until it says otherwise. So what says `offline` and is in the
/// region may be the last run or the next one. A participant that was there before the state was `running` is not of the next
/// one. It is seen when the region is opened, and whenever something asks for it: each wait does once a probe period, and so
/// does a peer's status. A program that neither waits nor asks while the core runs is told nothing when that stops,
/// and `Unknown` counts as alive.
///
/// | `state` of remoteproc | word of the state table | of a participant seen before |
/// | --- | --- | --- |
/// | `running`, `attached` | not 0 | `Unknown`; it is seen now |
/// | `crashed`: it may go on until it is stopped | | `Unknown`; it is seen now |
/// | `offline` | 0 | `Dead` |
/// | others, or the device is gone | | `Unknown` |
///
/// # What it rests on
///
/// The core, or the peer's machine, is the domain, alone, and is reset or stopped before its state says so; its stores are in
/// memory by then. A peer of a state table writes a number other than 0 to its device's register when it starts, and
/// neither writes 0 nor resets the device while a program of it takes part.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::fs;
/// use strait_core::{Channel, PeerStatus, Plan};
/// use strait_os::RegionOptions;
/// use strait_os::linux::{RemoteState, RemoteWatch};
/// use strait_os::unix::RegionWindow;
///
/// // Domain 0 is Linux, domain 1 the firmware.
/// const PLAN: Plan = Plan::new(&[Channel::frames("events", 4096, 64).domains(1, 0)]);
/// # let folder = std::env::temp_dir().join(format!("doc-remote-watch-{}", std::process::id()));
/// # fs::create_dir_all(&folder)?;
/// # let (state, memory) = (&folder.join("state"), &folder.join("memory"));
/// # fs::write(memory, [0; 1 << 20])?;
/// # use strait_os::unix::RegionOptionsExt as _;
/// # let options = RegionOptions::new().mode(0o644);
/// fs::write(state, "running\n")?; // As the kernel does.
/// let window = RegionWindow::new(memory, 0); // Reserved memory, through UIO for instance.
/// drop(window.create(&PLAN, &options)?);
///
/// // `RemoteWatch::remoteproc(0, 1)?` for /sys/class/remoteproc/remoteproc0.
/// let watch = RemoteWatch::state_file(state, 1)?;
/// let region = watch.open(&window, &options)?;
/// let events = region.consumer("events")?;
/// assert_eq!(events.peer(), PeerStatus::Absent); // Nobody has joined as the firmware yet.
/// assert_eq!(watch.state(), RemoteState::Running);
/// # fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RemoteWatch {
    domain: u32,
    watched: Arc<Mutex<Watched>>,
}

#[derive(Debug)]
struct Watched {
    source: Source,
    /// Those that were there before a look at which the core had been started, the last ones at the end. An identity comes
    /// again only after a million joins of its place.
    seen: Vec<Ident>,
}

/// As many are remembered: more than have roles at a time. Beyond that the first are forgotten, and are `Unknown`.
const SEEN: usize = 256;

impl Watched {
    /// Whether it has ended, of a participant that was read before this is called.
    fn has_ended(&mut self, who: Ident) -> bool {
        match self.source.said() {
            Said::Runs | Said::Crashed => {
                if !self.seen.contains(&who) {
                    if self.seen.len() == SEEN {
                        self.seen.remove(0);
                    }
                    self.seen.push(who);
                }
                false
            }
            Said::Stopped => self.seen.contains(&who),
            Said::Nothing => false,
        }
    }
}

/// The state of a core or machine, as it is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteState {
    /// It runs.
    Running,
    /// It has crashed, and is not stopped yet.
    Crashed,
    /// It is stopped, or is being started.
    Stopped,
    /// It is in another state, or the device is gone.
    Unknown,
}

impl RemoteWatch {
    /// Of the core `/sys/class/remoteproc/remoteprocN`, whose firmware takes part as `domain`.
    ///
    /// # Errors
    ///
    /// [`RemoteWatchError::NoState`] or [`RemoteWatchError::Os`].
    pub fn remoteproc(number: u32, domain: u32) -> Result<Self, RemoteWatchError> {
        let path: PathBuf = [REMOTE_CORES, &format!("remoteproc{number}"), "state"].iter().collect();
        Self::state_file(path, domain)
    }

    /// Of the core whose state is in this file, by the words of `remoteproc`: for one that is found by its name, or for a
    /// file in its place.
    ///
    /// # Errors
    ///
    /// [`RemoteWatchError::NoState`] or [`RemoteWatchError::Os`].
    pub fn state_file(path: impl AsRef<Path>, domain: u32) -> Result<Self, RemoteWatchError> {
        let path = path.as_ref();
        match Source::file(path) {
            Ok(source) => Ok(Self::new(source, domain)),
            Err(_) if !path.exists() => Err(RemoteWatchError::NoState),
            Err(error) => Err(RemoteWatchError::Os(error)),
        }
    }

    /// Of the peer of this number, which takes part as `domain`, by the state table of `ivshmem` of version 2: the section
    /// that the device's memory starts with, of one word for each peer. It is mapped to be read alone; of the options, those
    /// for the file or device count.
    ///
    /// # Errors
    ///
    /// [`RemoteWatchError::NoPeer`] or [`RemoteWatchError::Window`].
    pub fn state_table(
        table: &RegionWindow,
        options: &RegionOptions,
        peer: u32,
        domain: u32,
    ) -> Result<Self, RemoteWatchError> {
        let memory = table.memory(&options.read_only(true)).map_err(RemoteWatchError::Window)?;
        let len = memory.mem().len();
        let source = Source::table(memory, peer).ok_or(RemoteWatchError::NoPeer { peer, len })?;
        Ok(Self::new(source, domain))
    }

    fn new(source: Source, domain: u32) -> Self {
        Self { domain, watched: Arc::new(Mutex::new(Watched { source, seen: Vec::new() })) }
    }

    /// Returns the state. That it is stopped is no proof that a participant has ended; see above.
    #[must_use]
    pub fn state(&self) -> RemoteState {
        match self.watched().source.said() {
            Said::Runs => RemoteState::Running,
            Said::Crashed => RemoteState::Crashed,
            Said::Stopped => RemoteState::Stopped,
            Said::Nothing => RemoteState::Unknown,
        }
    }

    /// Opens the region in the window, as [`RegionWindow::open`] does, with this proof of death.
    ///
    /// # Errors
    ///
    /// [`RemoteWatchError::OwnDomain`] or [`RemoteWatchError::Window`].
    pub fn open(&self, window: &RegionWindow, options: &RegionOptions) -> Result<Region, RemoteWatchError> {
        let read_only = options.sys.map.read_only;
        if options.domain == self.domain && !read_only {
            return Err(RemoteWatchError::OwnDomain { domain: self.domain });
        }
        let watch = self.clone();
        // The state is read with the lock held, so that a look that is over is not taken for a later one.
        let has_ended: HasEnded = Arc::new(move |who| watch.watched().has_ended(who));
        let view = window.view(options).map_err(RemoteWatchError::Window)?;
        let machine = Some((self.domain, has_ended));
        let failed = |error| RemoteWatchError::Window(WindowError::Open(error));
        let port = SystemPort::with(Arc::new(view), options.domain, read_only, machine);
        let port = port.map_err(|_| failed(OpenError::TableFull))?;
        let region = Region::attach(port).map_err(|error| failed(OpenError::Attach(error)))?;
        // Those that are there are seen by being asked for.
        participants::list(region.port().mem(), region.header(), region.port()).for_each(drop);
        Ok(region)
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        // A panic with it held leaves a list that is whole.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Error of a [`RemoteWatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoteWatchError {
    /// There is no such state file.
    NoState,
    /// The state table has no word for the peer.
    NoPeer {
        /// Its number.
        peer: u32,
        /// Bytes of the table.
        len: u32,
    },
    /// This process would take part as the domain that is watched.
    OwnDomain {
        /// The domain.
        domain: u32,
    },
    /// The region or the table was not opened.
    Window(WindowError),
    /// A system call failed.
    Os(OsError),
}

impl fmt::Display for RemoteWatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoState => write!(
                f,
                "there is no file with the state of the other core; check the number of the core in {REMOTE_CORES}, and that \
                 /sys is mounted"
            ),
            Self::NoPeer { peer, len } => write!(
                f,
                "the state table in shared memory has {len} bytes, and no word for peer {peer}; give the peer's number as its device's register \
                 ID says it, and the table's length"
            ),
            Self::OwnDomain { domain } => write!(
                f,
                "domain {domain} of the region is the other core's, so this process cannot take part as it; give the options \
                 another domain"
            ),
            Self::Window(error) => error.fmt(f),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for RemoteWatchError {}
