//! Virtual machines, seen from the host: whether their processes have ended.

use core::fmt;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::port::HasEnded;
use crate::sys::watch::{Connected, Peer, peer_of};
use crate::unix::{RegionWindow, WindowError};
use crate::{OpenError, OsError, Region, RegionOptions, SystemPort};

/// What the server of QEMU's device `ivshmem-doorbell` knows of the machines in one domain: whether their QEMU processes
/// have ended. The kernel takes a process's memory from it first, so that is proof of death of all programs in them.
///
/// The server [admits](Self::admit) each QEMU before it hands out the memory. A program in the server's process then
/// [opens](Self::open) the region with this proof:
///
/// - In the host's domain, its port returns `Dead` of the machine's participants once all QEMUs have ended: a peer's status is
///   `Dead`, and waits that are to end with the peer do.
/// - In the machine's domain it *stands in* for it, and takes over what the machine held: roles, and locks between its
///   programs. That is refused as long as a QEMU runs; and while somebody stands in, no QEMU is admitted. So there is one
///   machine at a time that is the domain.
///
/// A program that dies in a machine that runs stays `Unknown`, as ever: nobody outside sees it. So does everybody while a
/// QEMU runs that has closed its socket, or that the server has shut out.
///
/// # What it rests on
///
/// The QEMUs that are admitted must be all that ever have the memory as machines of this domain; so the watch is made
/// with the memory, and all of them get it from this server, by a socket that they connect themselves. Processes of the host
/// that take part in the machine's domain must have opened the region by the same watch.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use strait_core::{Channel, Plan};
/// use strait_os::RegionOptions;
/// use strait_os::linux::{GuestWatch, GuestWatchError};
/// use strait_os::unix::RegionWindow;
///
/// // Domain 0 is the host, domain 1 the guest.
/// const PLAN: Plan = Plan::new(&[Channel::latest::<f64>("speed").domains(1, 0)]);
/// # let file = &std::env::temp_dir().join(format!("doc-guest-watch-{}", std::process::id()));
/// # std::fs::write(file, [0; 1 << 20])?;
/// # let options = RegionOptions::new();
/// # use strait_os::unix::RegionOptionsExt as _;
/// # let options = options.mode(0o644);
/// let window = RegionWindow::new(file, 0);
/// drop(window.create(&PLAN, &options)?);
/// let watch = GuestWatch::new(1);
/// // In the server, for each QEMU that connects: watch.admit(&socket)?, and then the memory.
/// let region = watch.open(&window, &options)?;
/// // No machine has come and ended, so nobody may stand in for one.
/// let stand_in = watch.open(&window, &options.domain(1));
/// assert!(matches!(stand_in, Err(GuestWatchError::Running { domain: 1 })));
/// # drop(region);
/// # std::fs::remove_file(file)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GuestWatch {
    domain: u32,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// A machine has been there.
    came: bool,
    /// Those that have not been seen to have ended.
    running: Vec<Connected>,
    /// Ports of this process in the machines' domain.
    stand_ins: usize,
}

impl State {
    fn has_ended(&mut self) -> bool {
        self.running.retain(|one| !one.has_ended());
        self.came && self.running.is_empty()
    }
}

/// A port that stands in, counted for as long as a clone of it lives.
struct StandIn(GuestWatch);

impl StandIn {
    fn new(watch: &GuestWatch) -> Result<Self, GuestWatchError> {
        let mut state = watch.state();
        if !state.has_ended() {
            return Err(GuestWatchError::Running { domain: watch.domain });
        }
        state.stand_ins += 1;
        Ok(Self(watch.clone()))
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.0.state().stand_ins -= 1;
    }
}

impl GuestWatch {
    /// Of machines that are this domain; none has come yet.
    #[must_use]
    pub fn new(domain: u32) -> Self {
        Self { domain, state: Arc::default() }
    }

    /// Notes the process at the other end of this socket, before it is told anything. This process itself is none of a
    /// machine's, and is not noted. A copy of the socket is kept until that process has ended, so a server that drops a client
    /// shuts its socket down.
    ///
    /// # Errors
    ///
    /// [`GuestWatchError::StoodIn`] or [`GuestWatchError::NoProcess`]: the client must not get the memory.
    pub fn admit(&self, client: impl AsFd) -> Result<(), GuestWatchError> {
        let connected = match peer_of(client.as_fd()).map_err(GuestWatchError::Os)? {
            Peer::Us => return Ok(()),
            Peer::Nobody => return Err(GuestWatchError::NoProcess),
            Peer::Other(connected) => connected,
        };
        let mut state = self.state();
        if state.stand_ins > 0 {
            return Err(GuestWatchError::StoodIn { domain: self.domain });
        }
        state.came = true;
        state.running.push(connected);
        Ok(())
    }

    /// Returns whether machines have come, and the processes of all of them have ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state().has_ended()
    }

    /// Opens the region in the window, as [`RegionWindow::open`] does, with this proof of death; in the machines' domain to
    /// stand in for them.
    ///
    /// # Errors
    ///
    /// [`GuestWatchError::Running`] or [`GuestWatchError::Window`].
    pub fn open(&self, window: &RegionWindow, options: &RegionOptions) -> Result<Region, GuestWatchError> {
        let read_only = options.sys.map.read_only;
        let watch = self.clone();
        let has_ended: HasEnded = if options.domain == self.domain && !read_only {
            let stand_in = StandIn::new(&watch)?;
            Arc::new(move |_| stand_in.0.has_ended())
        } else {
            // A machine that came later than a participant was read is known before it has the memory.
            Arc::new(move |_| watch.has_ended())
        };
        let view = window.view(options).map_err(GuestWatchError::Window)?;
        let machine = Some((self.domain, has_ended));
        let failed = |error| GuestWatchError::Window(WindowError::Open(error));
        let port = SystemPort::with(Arc::new(view), options.domain, read_only, machine);
        let port = port.map_err(|_| failed(OpenError::TableFull))?;
        Region::attach(port).map_err(|error| failed(OpenError::Attach(error)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic with it held leaves lists that are whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Error of a [`GuestWatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuestWatchError {
    /// The machine runs, or none has come, so nobody can stand in for it.
    Running {
        /// Its domain.
        domain: u32,
    },
    /// A process of the host stands in for the machine.
    StoodIn {
        /// The machine's domain.
        domain: u32,
    },
    /// The process at the other end of the socket is not known.
    NoProcess,
    /// The region was not opened.
    Window(WindowError),
    /// A system call failed.
    Os(OsError),
}

impl fmt::Display for GuestWatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running { domain } => write!(
                f,
                "no machine of domain {domain} has ended for certain, so no process of the host can take part in the region \
                 in its place; wait until its QEMU has ended"
            ),
            Self::StoodIn { domain } => write!(
                f,
                "a process of the host takes part in the region as domain {domain}, so no machine of that domain can; close \
                 that region first"
            ),
            Self::NoProcess => f.write_str(
                "the process that connected the socket has ended, or is in another PID namespace, so its end could not be \
                 proven; let QEMU connect by itself, in a namespace that this one sees",
            ),
            Self::Window(error) => error.fmt(f),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for GuestWatchError {}
