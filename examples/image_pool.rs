//! Images from a camera to a viewer, without a copy: each is written into a block of a pool, and only the block's id goes
//! through a queue. The viewer gives the block back, and the camera writes the next image there.
//!
//! Asserts that every image arrives whole and in order, and that all blocks come back, also those of a camera that is
//! killed with one half written.

mod common;

use common::{Other, PATIENCE, PROVES_DEATH, Result};
use strait::pool::{BlockId, Pool};
use strait::{Channel, Plan, Region, RegionName, RegionOptions, SystemPort};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Three: one is being written, one is in the queue, and one is shown.
const BLOCKS: u32 = 3;
const IMAGES: u32 = 100;

strait::message! {
    /// What goes through the queue.
    struct Shot { image: BlockId, number: u32, time_ms: u32 }
}

const PLAN: Plan = Plan::new(&[
    Channel::pool("images", BLOCKS, (WIDTH * HEIGHT) as u32),
    Channel::slots::<Shot>("shots", 4).consumer_may_block().producer_may_block(),
]);

/// The pixels of a line of an image.
fn line(number: u32, y: usize) -> [u8; WIDTH] {
    std::array::from_fn(|x| (x + y) as u8 ^ number as u8)
}

fn camera(region: &Region) -> Result<()> {
    let (images, mut shots) = (region.pool("images")?, region.typed_producer::<Shot>("shots")?);
    for number in 0..IMAGES {
        let mut image = images.claim_timeout(PATIENCE)?;
        for y in 0..HEIGHT {
            image.write(y * WIDTH, &line(number, y));
        }
        let image = image.send(WIDTH * HEIGHT)?;
        shots.send_timeout(&Shot { image, number, time_ms: 40 * number }, PATIENCE)?;
    }
    // It dies in the middle of the next one.
    let mut image = images.claim_timeout(PATIENCE)?;
    image.write(0, &line(IMAGES, 0));
    std::process::abort()
}

/// How many blocks can be claimed now.
fn free(images: &Pool<SystemPort>) -> usize {
    let blocks: Vec<_> = std::iter::from_fn(|| images.try_claim().ok()).collect();
    blocks.len()
}

fn viewer() -> Result<()> {
    let name = common::fresh_name("pool");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let (images, mut shots) = (region.pool("images")?, region.typed_consumer::<Shot>("shots")?);
    let camera = Other::start(&["camera", &name])?;
    let mut pixels = 0;
    for number in 0..IMAGES {
        let shot = shots.recv_timeout(PATIENCE)?;
        let image = images.take(shot.image)?;
        assert_eq!((shot.number, image.len()), (number, WIDTH * HEIGHT));
        for y in 0..HEIGHT {
            let mut shown = [0; WIDTH];
            pixels += image.read(y * WIDTH, &mut shown);
            assert!(shown == line(number, y), "line {y} of image {number}");
        }
        image.release()?;
    }
    assert!(camera.finish().is_err(), "it was to end by itself, and badly");
    if PROVES_DEATH {
        assert_eq!(free(&images), BLOCKS as usize, "the dead camera's block comes back");
    }
    println!("{IMAGES} images, {pixels} pixels; none was copied into a queue, and every block came back");
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => viewer(),
        ["camera", name] => camera(&RegionName::new(name)?.open(&RegionOptions::new())?),
        _ => common::usage("none"),
    })
}
