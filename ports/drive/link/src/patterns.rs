//! What two machines share besides queues and latest values: calls, a log with a lane for each machine, and a
//! broadcast.

use strait_core::{Channel, Plan};

use crate::{DRIVE, LINUX};

/// Calls that can be out at once, of each channel.
pub const PLACES: u32 = 8;

/// The lane of the log in which the Linux process sends.
pub const LINUX_LANE: u32 = 0;
/// The lane of the log in which the drive sends.
pub const DRIVE_LANE: u32 = 1;

/// The drive serves, logs and broadcasts. In each word that it shares with Linux it only loads and stores.
pub const PLAN: Plan<'static> = Plan::new(&[
    Channel::calls::<Ask, Told>("told", PLACES).domains(LINUX, DRIVE),
    Channel::calls::<Ask, Told>("again", PLACES).domains(LINUX, DRIVE),
    Channel::slots::<Line>("log", 64).producers_in(&[LINUX, DRIVE]),
    Channel::broadcast::<State>("state", 16).domains(DRIVE, LINUX),
])
.participants(8);

strait_core::message! {
    /// What the drive is asked for.
    pub struct Ask {
        /// The request's number.
        pub number: u32,
        /// One of [`ask`].
        pub what: u32,
    }

    /// The drive's answer.
    pub struct Told {
        /// The request's number.
        pub number: u32,
        /// Three times that.
        pub triple: u32,
        /// The boot of the drive that answers, from 1.
        pub boot: u32,
        /// 1 if an earlier boot had taken the request.
        pub again: u32,
        /// Lines that the drive has sent, in all its boots.
        pub lines: u32,
        /// States that the drive has published, in all its boots.
        pub states: u32,
    }

    /// A line of the log.
    pub struct Line {
        /// Its number in its lane.
        pub number: u32,
        /// Three times that.
        pub triple: u32,
        /// The boot of the drive that sent it; 0 for the Linux process.
        pub boot: u32,
    }

    /// The drive's state.
    pub struct State {
        /// Its number, from 1.
        pub number: u32,
        /// Three times that.
        pub triple: u32,
        /// The boot of the drive that published it.
        pub boot: u32,
        /// 1 if the drive hangs in the middle of a call.
        pub hangs: u32,
    }
}

impl Line {
    /// A line of this number.
    #[must_use]
    pub fn new(number: u32, boot: u32) -> Self {
        Self { number, triple: number.wrapping_mul(3), boot }
    }
}

/// What a request asks for.
pub mod ask {
    /// Three times the number.
    pub const TRIPLE: u32 = 1;
    /// In the boot of this number: take the request, and hang. In later ones: three times the number.
    pub const HANG: u32 = 2;
    /// An answer, and the end of the program.
    pub const STOP: u32 = 3;
}
