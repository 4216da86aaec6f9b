//! The regions of the golden vectors: one channel of each kind of queue, and a latest value.

use strait_core::{Channel, Plan};

strait_core::message! {
    pub struct Sample {
        pub time_ns: u64,
        pub value: f64,
    }
}

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 64, 16).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 4).doorbell(1),
    Channel::compact::<u16>("compact", 4).doorbell(1),
    Channel::latest::<Sample>("latest").consumer_may_block(),
];
pub const LINE_4: Plan<'_> = Plan::new(CHANNELS).line(4).participants(2);
pub const LINE_128: Plan<'_> = Plan::new(CHANNELS).participants(2);
