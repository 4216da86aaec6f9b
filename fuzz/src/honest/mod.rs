//! The target `honest`: peers that keep the protocol, leave and die, against executable models.
//!
//! Queues are first in, first out: nothing is lost, nothing comes twice but what the consumer's options allow
//! after a death, and every count is right. Locks have one owner, values are whole, permits come back.

mod frames;
mod latest;
mod locks;
mod values;

use strait_core::{ConsumerOptions, Delivery};

use crate::input::Input;

/// The most operations of a run.
const MOST: usize = 400;

/// How a consumer receives, and what the model needs to know of it.
#[derive(Clone, Copy)]
struct Receiving {
    options: ConsumerOptions,
    every: u32,
    at_most_once: bool,
}

impl Receiving {
    fn read(input: &mut Input<'_>) -> Self {
        let (every, at_most_once) = ([1, 2, 4, 64][input.below(4)], input.flag());
        let delivery = if at_most_once { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        let options = ConsumerOptions::new().delivery(delivery).release_every(every);
        Self { options, every: if at_most_once { 1 } else { every }, at_most_once }
    }
}

/// Where a ring's positions begin: at 0, or so that they wrap soon.
fn start(input: &mut Input<'_>, unit: u32) -> u32 {
    if input.flag() { 0 } else { 0_u32.wrapping_sub(unit * input.below(64) as u32) }
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.below(7) {
        0 | 1 => frames::run(&mut input),
        2 => values::run::<u8>(&mut input),
        3 => values::run::<[u32; 3]>(&mut input),
        4 => values::run::<[u64; 9]>(&mut input),
        5 => latest::run(&mut input),
        _ => locks::run(&mut input),
    }
}
