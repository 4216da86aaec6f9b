//! The messages between the demo's processes, and the region's plan.

use strait::{Channel, Message, Plan};

strait::message! {
    /// From the plant to the controller: what the sensors saw.
    pub struct Sensors {
        /// Counts up from 0.
        pub number: u64,
        /// When it was sent, on the monotonic clock.
        pub time_ns: u64 [unit = "ns"],
        pub position_m: f64 [unit = "m"],
        pub velocity_m_s: f64 [unit = "m/s"],
        pub angle_rad: f64 [unit = "rad"],
        pub angle_rate_rad_s: f64 [unit = "rad/s"],
        /// 1 in the last frame of the run.
        pub last: u64,
    }

    /// From the controller to the plant: how hard to push.
    pub struct Force {
        /// Counts up from 0.
        pub number: u64,
        /// When it was sent, on the monotonic clock.
        pub time_ns: u64 [unit = "ns"],
        /// The number of the sensor frame that it answers.
        pub answers: u64,
        /// How long that frame was on its way.
        pub waited_ns: u64 [unit = "ns"],
        /// The controller's number.
        pub controller: u64,
        pub newtons: f64 [unit = "N"],
    }

    /// The plant's state, for observers.
    pub struct Snapshot {
        /// Steps made.
        pub step: u64,
        /// Forces received.
        pub forces: u64,
        pub position_m: f64 [unit = "m"],
        pub angle_rad: f64 [unit = "rad"],
        pub angle_rate_rad_s: f64 [unit = "rad/s"],
        pub newtons: f64 [unit = "N"],
        /// The number of the controller that answered last.
        pub controller: u64,
        /// 1 after the last step.
        pub over: u64,
    }

    /// The controller's gains, which the tuner changes under a lock.
    pub struct Gains {
        /// Newtons a metre, a metre per second, a radian and a radian per second.
        pub now: [f64; 4],
        /// The same, as they were computed.
        pub design: [f64; 4],
        /// How often they were changed.
        pub updates: u64,
        /// How often the lock was taken over from a dead owner, and the table rolled back.
        pub repairs: u64,
        /// Tells half of one update and half of another from a whole one.
        pub check: u64,
    }
}

impl Gains {
    /// A table with these gains.
    pub fn new(design: [f64; 4]) -> Self {
        let mut gains = Self { now: design, design, updates: 0, repairs: 0, check: 0 };
        gains.seal();
        gains
    }

    /// Makes the check fit.
    pub fn seal(&mut self) {
        self.check = self.sum();
    }

    /// Whether this is one update, whole.
    pub fn is_whole(&self) -> bool {
        self.check == self.sum()
    }

    fn sum(&self) -> u64 {
        let gains = self.now.iter().chain(&self.design).map(|gain| gain.to_bits());
        gains.fold(self.updates, |sum, bits| sum.rotate_left(7) ^ bits)
    }
}

/// The queue from the plant to the controller.
pub const SENSORS: &str = "sensors";
/// The queue from the controller to the plant.
pub const FORCES: &str = "forces";
/// The plant's state.
pub const STATE: &str = "state";
/// The controller's gains.
pub const GAINS: &str = "gains";

/// Room for two seconds of frames and, at rates where that costs little, for ten and more: so that none
/// is lost while a process is kept from running.
fn slots(rate: u32) -> u32 {
    let ten = (rate * 10).next_power_of_two().min(1 << 15);
    (rate * 2).next_power_of_two().max(ten)
}

/// The channels for a rate.
pub fn channels(rate: u32) -> [Channel<'static>; 4] {
    [
        Channel::slots::<Sensors>(SENSORS, slots(rate)).consumer_may_block(),
        Channel::slots::<Force>(FORCES, slots(rate)).consumer_may_block(),
        Channel::latest::<Snapshot>(STATE),
        Channel::mutex::<Gains>(GAINS),
    ]
}

/// The region's plan.
pub fn plan<'a>(channels: &'a [Channel<'a>]) -> Plan<'a> {
    Plan::new(channels).participants(8).described(strait::describe!(Sensors, Force, Snapshot, Gains))
}

/// Whether a region has the demo's channels and no other.
pub fn are_ours(entries: impl Iterator<Item = strait::format::Entry>) -> bool {
    let expected =
        [(SENSORS, Sensors::HASH), (FORCES, Force::HASH), (STATE, Snapshot::HASH), (GAINS, Gains::HASH)];
    let mut expected = expected.map(|(name, hash)| (Some(name), hash)).into_iter();
    let mut same = true;
    for entry in entries {
        same &= expected.next() == Some((entry.name(), entry.type_hash));
    }
    same && expected.next().is_none()
}
