//! A pool in the region format, byte for byte, both ways.

use crate::common::Region;
use crate::common::listing::Listing;
use static_assertions::const_assert_eq;
use strait_core::format::Kind;
use strait_core::pool::{BlockId, PoolError};
use strait_core::{Channel, Plan};

const PLAN: Plan<'_> =
    Plan::new(&[Channel::pool("images", 3, 10), Channel::slots::<BlockId>("ids", 2)]).line(4).participants(2);
const LISTING: &str = include_str!("golden/pool.hex");

const_assert_eq!(Kind::Pool.code(), 10);

#[test]
fn blocks_that_are_sent_and_owned_produce_the_listing() {
    let region = Region::new(&PLAN);
    let (camera, viewer) = (region.join(), region.join());
    let (images, shown) = (camera.pool("images").unwrap(), viewer.pool("images").unwrap());
    let mut block = images.try_claim().unwrap();
    assert_eq!(block.write(0, b"an image"), 8);
    let id = block.send(8).unwrap();
    camera.typed_producer("ids").unwrap().try_send(&id).unwrap();
    let mut block = images.try_claim().unwrap();
    assert_eq!(block.write(0, b"abc"), 3);
    let _owned = shown.take(block.send(3).unwrap()).unwrap().into_raw();
    Listing::parse(LISTING).assert_matches(&region.bytes());
}

#[test]
fn the_listing_is_gone_on_with() {
    let region = Region::from_bytes(&Listing::parse(LISTING).bytes);
    let member = region.join();
    let pool = member.pool("images").unwrap();
    let id = member.typed_consumer::<BlockId>("ids").unwrap().try_recv().unwrap();
    let mut bytes = [0; 10];
    let block = pool.take(id).unwrap();
    assert_eq!((block.len(), block.read(0, &mut bytes)), (8, 8));
    assert_eq!(&bytes[..8], b"an image");
    // Its participants are dead here: the block that one of them owned comes back.
    let others: Vec<_> = (0..2).map(|_| pool.try_claim().unwrap()).collect();
    assert!(others.iter().any(|block| block.from().is_some()));
    assert_eq!(pool.try_claim().err(), Some(PoolError::Empty));
}
