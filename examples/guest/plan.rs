//! What the two sides have in common.

use strait::{Channel, Plan};

/// The domains.
pub const HOST: u32 = 0;
pub const GUEST: u32 = 1;

/// The longest frame.
pub const FRAME: usize = 1024;

/// The lock's value.
pub type Locked = [u8; 24];

/// Bytes of the file or the device that the region gets.
pub const WINDOW: u32 = 1 << 20;

/// Where in the device's memory nothing is, for accesses that must not work.
pub const BESIDE: u64 = 2 << 20;

pub const PLAN: Plan<'static> = Plan::new(&[
    Channel::frames("down", 16384, FRAME as u32).domains(HOST, GUEST),
    Channel::frames("up", 16384, FRAME as u32).domains(GUEST, HOST),
    Channel::slots::<[u8; 12]>("down 12", 8).domains(HOST, GUEST),
    Channel::slots::<[u8; 12]>("up 12", 8).domains(GUEST, HOST),
    Channel::slots::<[u8; 20]>("down 20", 8).domains(HOST, GUEST),
    Channel::slots::<[u8; 20]>("up 20", 8).domains(GUEST, HOST),
    Channel::slots::<[u8; 104]>("down 104", 8).domains(HOST, GUEST),
    Channel::slots::<[u8; 104]>("up 104", 8).domains(GUEST, HOST),
    Channel::slots::<[u8; 999]>("down 999", 8).domains(HOST, GUEST),
    Channel::slots::<[u8; 999]>("up 999", 8).domains(GUEST, HOST),
    Channel::latest::<[u8; 5]>("down latest 5").domains(HOST, GUEST),
    Channel::latest::<[u8; 5]>("up latest 5").domains(GUEST, HOST),
    Channel::latest::<[u8; 40]>("down latest 40").domains(HOST, GUEST),
    Channel::latest::<[u8; 40]>("up latest 40").domains(GUEST, HOST),
    Channel::latest::<[u8; 1000]>("down latest 1000").domains(HOST, GUEST),
    Channel::latest::<[u8; 1000]>("up latest 1000").domains(GUEST, HOST),
    Channel::mutex::<Locked>("lock").domains(GUEST, GUEST),
]);

/// What the two sides have with doorbells.
pub const BELLS: Plan<'static> = Plan::new(&[
    Channel::slots::<u64>("questions", 16).consumer_may_block().domains(HOST, GUEST),
    Channel::slots::<Told>("answers", 16).consumer_may_block().domains(GUEST, HOST),
    Channel::latest::<u64>("state").domains(GUEST, HOST),
    // The guest takes the first, and ends none.
    Channel::calls::<u64, u64>("calls", 4).domains(HOST, GUEST),
]);

/// An answer, how often the guest has slept, and how long it has worked, in microseconds.
pub type Told = [u64; 3];

/// The guest's state: that it runs, and what the host says in its place.
pub const YES: u64 = 1;
pub const NO: u64 = 2;

/// The host's number at the server, which it is the first client of; the vector that wakes a side, and how many it has.
pub const HOST_CLIENT: u16 = 0;
pub const VECTOR: u16 = 0;
pub const VECTORS: usize = 1;

/// The parameter by which the kernel's command line asks the guest for doorbells.
pub const DOORBELLS: &str = "doorbells";

/// What a frame to the guest asks for, as its tag. The answer has the same.
pub mod tag {
    /// From the guest alone, once it has the region: what it found out about its memory.
    pub const HELLO: u32 = 0;
    /// The same bytes back.
    pub const ECHO: u32 = 1;
    /// A value of every slot and every latest value back.
    pub const VALUES: u32 = 2;
    /// A change under the lock, and how that went.
    pub const LOCK: u32 = 3;
    /// To take the lock and keep it.
    pub const HOLD: u32 = 4;
    /// To leave, and to open the region in the device's other mapping, whose file the frame names.
    pub const REOPEN: u32 = 5;
    /// To switch the machine off.
    pub const END: u32 = 6;
}

/// `len` bytes, which differ from those of other lengths.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (len * 31 + i * 7 + 1) as u8).collect()
}

/// The same as an array.
pub fn value<const N: usize>(salt: u8) -> [u8; N] {
    core::array::from_fn(|i| (N * 31 + i * 7) as u8 ^ salt)
}
