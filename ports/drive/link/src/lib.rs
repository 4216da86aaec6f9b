//! A link between a controller and a drive that share nothing but memory: the plan, the types, and the
//! controller's side of the conversation, for whatever machine it runs on.
#![no_std]
#![forbid(unsafe_code)]

mod controller;
pub mod patterns;

pub use controller::{Controller, Idle};

use strait_core::{Channel, Plan};

/// The domain of the processes of one Linux, the tool `strait` among them.
pub const LINUX: u32 = 0;
/// The drive's domain: firmware on a core of its own.
pub const DRIVE: u32 = 1;
/// The domain of a controller that is firmware on a core of its own.
pub const CORE: u32 = 2;

/// The longest command and event.
pub const LONGEST: usize = 256;

/// A link whose controller is in this domain.
pub struct Link<const CONTROLLER: u32>;

impl<const CONTROLLER: u32> Link<CONTROLLER> {
    /// The two sides share no compare-and-swap, so every role is given to one of them here. The drive
    /// needs no plan: it finds what it uses by name. It sleeps until one of two queues has something.
    pub const PLAN: Plan<'static> = Plan::new(&[
        Channel::frames("commands", 8192, LONGEST as u32).domains(CONTROLLER, DRIVE).doorbell(1),
        Channel::frames("events", 8192, LONGEST as u32).domains(DRIVE, CONTROLLER).consumer_may_block(),
        Channel::frames("files", 8192, LONGEST as u32).domains(CONTROLLER, DRIVE).doorbell(1),
        Channel::latest::<Setpoint>("setpoint").domains(CONTROLLER, DRIVE),
        Channel::latest::<Shaft>("shaft").domains(DRIVE, CONTROLLER),
    ])
    .participants(4);
}

strait_core::message! {
    /// Where the shaft should be.
    pub struct Setpoint {
        /// Counts up.
        pub number: u32,
        /// Three times that.
        pub angle: u32,
    }

    /// Where the shaft is.
    pub struct Shaft {
        /// Which boot of the drive this is, from 1.
        pub boot: u32,
        /// The setpoint that it follows.
        pub number: u32,
        /// The setpoint's angle.
        pub angle: u32,
        /// 1 while the drive hangs in the middle of a frame.
        pub hangs: u32,
        /// How often the controller's mailbox has woken the drive, in this boot.
        pub rung: u32,
    }
}

/// Tags of commands and of the events that answer them.
pub mod tag {
    /// Answer with the same bytes, of which the first four are the command's number.
    pub const ECHO: u32 = 1;
    /// In the boot of this number: write half a frame, and hang. In later ones: nothing.
    pub const HANG: u32 = 2;
    /// End the program.
    pub const STOP: u32 = 3;
    /// Event: this many bytes of a file have come through `files`.
    pub const FILE: u32 = 4;
    /// Event: what the drive never gets to commit.
    pub const HALF: u32 = 5;
}
