//! The target `attach`: arbitrary bytes as a region.
//!
//! The first byte says what the rest is: bytes as they are; bytes whose header is made to pass, and whose
//! checksum is right; or a sound region and what is changed in it. 32 bytes after it choose operations.

use std::sync::LazyLock;

use strait_core::ground::header;
use strait_core::{Channel, Plan};

use crate::common::raw;
use crate::exercise;
use crate::input::Input;
use crate::world::Region;

/// How many bytes choose operations.
const OPERATIONS: usize = 32;

const CHANNELS: &[Channel<'_>] = &[
    Channel::frames("frames", 128, 48).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 4).doorbell(1),
    Channel::compact::<u8>("compact", 4).doorbell(1),
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", 20).buffers(4),
    Channel::mutex::<u32>("mutex").consumer_may_block(),
    Channel::semaphore("semaphore", 1, 5),
    Channel::permits("permits", 3),
];

/// A region in use, in which all have died.
fn sound(line: u32) -> Vec<u8> {
    let region = Region::new(&Plan::new(CHANNELS).line(line).participants(3));
    let a = region.join();
    let mut frames = a.producer("frames").expect("the role is free");
    let mut slots = a.typed_producer::<u32>("slots").expect("the role is free");
    let mut compact = a.typed_producer::<u8>("compact").expect("the role is free");
    let mut latest = a.latest_writer::<u32>("latest").expect("the role is free");
    let mut bytes = a.latest_writer::<[u8]>("bytes").expect("the role is free");
    let mut mutex = a.mutex::<u32>("mutex").expect("a mutex");
    let mut permits = a.permits("permits").expect("permits");
    for i in 0..3_u8 {
        frames.try_send(u32::from(i), &vec![i; 5 * usize::from(i)]).expect("space");
        slots.try_send(&u32::from(i)).expect("space");
        compact.try_send(&i).expect("space");
        latest.publish(&u32::from(i));
        bytes.publish_from(u32::from(i), &vec![i; usize::from(i)]).expect("short enough");
    }
    let guard = mutex.try_lock();
    let permit = permits.try_acquire();
    let image = region.bytes();
    drop((guard, permit));
    image
}

/// Such regions, with short lines and with long ones.
static SOUND: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [sound(4), sound(64)]);

/// Makes the words of a header right that say what it is, and how long; the rest is as found.
fn pass(image: &mut [u8]) {
    let len = image.len() as u32;
    for (at, value) in [
        (header::at::MAGIC, header::MAGIC),
        (header::at::VERSION, header::VERSION),
        (header::at::HEADER_LEN, 128),
        (header::at::ENTRY_LEN, 128),
        (header::at::TOTAL_LEN, len),
        (header::at::INCOMPAT, 0),
    ] {
        image[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }
}

/// A region's bytes, from all of the input.
pub fn image(input: &mut Input<'_>, how: u8) -> Vec<u8> {
    match how % 4 {
        0 => input.rest().to_vec(),
        1 => {
            let mut image = input.rest().to_vec();
            if image.len() >= 128 {
                pass(&mut image);
                raw::seal(&mut image);
            }
            image
        }
        how => {
            let mut image = SOUND[usize::from(how % 2)].clone();
            while !input.is_empty() {
                let at = 4 * input.below(image.len() / 4);
                let value = input.edge();
                image[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            raw::seal(&mut image);
            image
        }
    }
}

/// One run.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let mut operations = Input::new(input.bytes(OPERATIONS));
    let region = Region::from_bytes(&image(&mut input, how));
    exercise::everything(&region, &mut operations);
}
