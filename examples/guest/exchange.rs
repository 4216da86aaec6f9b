//! Typed slots and latest values, of lengths that are no multiples of words, in both directions.

use strait::Region;

use crate::plan::value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Values of each slot.
const ROUNDS: u8 = 3;

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Host,
    Guest,
}

impl Side {
    /// The start of the names of channels to the other side, and from it.
    fn names(self) -> (&'static str, &'static str) {
        if self == Self::Host { ("down", "up") } else { ("up", "down") }
    }
}

/// Puts values into every channel to the other side.
pub fn put_all(region: &Region, side: Side, salt: u8) -> Result<()> {
    let to = side.names().0;
    send::<12>(region, to, salt)?;
    send::<20>(region, to, salt)?;
    send::<104>(region, to, salt)?;
    send::<999>(region, to, salt)?;
    publish::<5>(region, to, salt)?;
    publish::<40>(region, to, salt)?;
    publish::<1000>(region, to, salt)
}

/// Takes those of the other side, and compares them.
pub fn take_all(region: &Region, side: Side, salt: u8) -> Result<()> {
    let from = side.names().1;
    recv::<12>(region, from, salt)?;
    recv::<20>(region, from, salt)?;
    recv::<104>(region, from, salt)?;
    recv::<999>(region, from, salt)?;
    read::<5>(region, from, salt)?;
    read::<40>(region, from, salt)?;
    read::<1000>(region, from, salt)
}

fn send<const N: usize>(region: &Region, to: &str, salt: u8) -> Result<()> {
    let mut producer = region.typed_producer::<[u8; N]>(&format!("{to} {N}"))?;
    for round in 0..ROUNDS {
        producer.try_send(&value(salt.wrapping_add(round)))?;
    }
    Ok(())
}

fn recv<const N: usize>(region: &Region, from: &str, salt: u8) -> Result<()> {
    let name = format!("{from} {N}");
    let mut consumer = region.typed_consumer::<[u8; N]>(&name)?;
    for round in 0..ROUNDS {
        if consumer.try_recv()? != value(salt.wrapping_add(round)) {
            return Err(format!("{name}: other bytes than were sent").into());
        }
    }
    Ok(())
}

fn publish<const N: usize>(region: &Region, to: &str, salt: u8) -> Result<()> {
    region.latest_writer::<[u8; N]>(&format!("{to} latest {N}"))?.publish(&value(salt));
    Ok(())
}

fn read<const N: usize>(region: &Region, from: &str, salt: u8) -> Result<()> {
    let name = format!("{from} latest {N}");
    match region.latest_reader::<[u8; N]>(&name)?.read().value() {
        Some(found) if found == value(salt) => Ok(()),
        found => Err(format!("{name}: {}", if found.is_some() { "other bytes" } else { "nothing" }).into()),
    }
}
