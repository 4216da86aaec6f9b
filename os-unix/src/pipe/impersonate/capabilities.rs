//! The capabilities of one thread.

use nix::errno::Errno;
use nix::libc;

/// The kernel's version of its interface with sets of 64 bits.
const VERSION: u32 = 0x2008_0522;

/// Which thread, to the kernel.
#[repr(C)]
struct Head {
    version: u32,
    /// Zero: the calling one.
    thread: i32,
}

/// One half of each set.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The sets, low bits first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capabilities([Half; 2]);

impl Capabilities {
    pub(super) fn of_this_thread() -> Result<Self, Errno> {
        let mut head = Head { version: VERSION, thread: 0 };
        let mut halves = [Half::default(); 2];
        let (head, into) = (&raw mut head, halves.as_mut_ptr());
        // SAFETY: the kernel writes the version that it knows to the head, and two halves for this version; both
        // are locals with the kernel's layout.
        Errno::result(unsafe { libc::syscall(libc::SYS_capget, head, into) })?;
        Ok(Self(halves))
    }

    /// Whether none is in effect.
    pub(super) fn is_powerless(&self) -> bool {
        self.0.iter().all(|half| half.effective == 0)
    }

    /// The same with none in effect. They stay permitted, so that the thread may take them back.
    pub(super) fn without_power(self) -> Self {
        Self(self.0.map(|half| Half { effective: 0, ..half }))
    }

    /// Makes them this thread's.
    pub(super) fn apply(&self) -> Result<(), Errno> {
        let mut head = Head { version: VERSION, thread: 0 };
        // SAFETY: the kernel writes to the head alone, which is a local, and reads two halves for this version;
        // both have the kernel's layout.
        Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut head, self.0.as_ptr()) }).map(drop)
    }
}
