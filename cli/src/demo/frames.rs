//! What the demo's processes tell each other, and the region's plan.

use strait::{Channel, Frame, Plan};

strait::frame! {
    /// From the plant to the controller: what the sensors saw.
    pub struct Sensors {
        /// Counts up from 0.
        pub number: u64,
        /// When it was sent, on the monotonic clock.
        pub time_ns: u64,
        pub position_m: f64,
        pub velocity_m_s: f64,
        pub angle_rad: f64,
        pub angle_rate_rad_s: f64,
        /// 1 in the last frame of the run.
        pub last: u64,
    }

    /// From the controller to the plant: how hard to push.
    pub struct Force {
        /// Counts up from 0.
        pub number: u64,
        /// When it was sent, on the monotonic clock.
        pub time_ns: u64,
        /// The number of the sensor frame that it answers.
        pub answers: u64,
        pub newtons: f64,
    }

    /// The plant's state, for whoever wants to watch.
    pub struct Snapshot {
        /// Steps made.
        pub step: u64,
        /// Forces received.
        pub forces: u64,
        pub position_m: f64,
        pub angle_rad: f64,
        pub angle_rate_rad_s: f64,
        pub newtons: f64,
    }
}

/// The queue from the plant to the controller.
pub const SENSORS: &str = "sensors";
/// The queue from the controller to the plant.
pub const FORCES: &str = "forces";
/// The plant's state.
pub const STATE: &str = "state";

/// Room for two seconds of frames, so that none is lost while a process is kept from running.
fn slots(rate: u32) -> u32 {
    (rate * 2).next_power_of_two().max(1024)
}

/// The channels for a rate.
pub fn channels(rate: u32) -> [Channel<'static>; 3] {
    [
        Channel::slots::<Sensors>(SENSORS, slots(rate)).consumer_may_block(),
        Channel::slots::<Force>(FORCES, slots(rate)).consumer_may_block(),
        Channel::latest::<Snapshot>(STATE),
    ]
}

/// The region's plan.
pub fn plan<'a>(channels: &'a [Channel<'a>]) -> Plan<'a> {
    Plan::new(channels).participants(8)
}

/// Whether a region has the demo's channels and no other.
pub fn are_ours(entries: impl Iterator<Item = strait::Entry>) -> bool {
    let expected = [(SENSORS, Sensors::HASH), (FORCES, Force::HASH), (STATE, Snapshot::HASH)]
        .map(|(name, hash)| (Some(name), hash));
    let mut expected = expected.into_iter();
    let mut same = true;
    for entry in entries {
        same &= expected.next() == Some((entry.name(), entry.type_hash));
    }
    same && expected.next().is_none()
}
