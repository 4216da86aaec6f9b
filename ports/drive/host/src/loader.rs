//! What `remoteproc` does before it starts a core: it finds the firmware's resource table, and fills in where the memory
//! is that the firmware asks for.

use std::io;

/// What the memory is called.
pub const NAME: &str = "strait";
/// The section that the table is in.
const SECTION: &[u8] = b".resource_table";
/// The entry's kind, and the address that it has before.
const CARVEOUT: u32 = 0;
const ANY: u32 = u32::MAX;

/// Fills in the carveout of this name in an ELF image of 32 bits: `len` bytes at `da`, as the core sees it.
///
/// # Errors
///
/// There is no such table or entry, or it asks for more.
pub fn fill(image: &mut [u8], name: &str, da: u32, len: u32) -> io::Result<()> {
    let table = find_table(image).ok_or_else(|| refused("the firmware has no resource table"))?;
    if word(image, table) != Some(1) {
        return Err(refused("the resource table is not of version 1"));
    }
    let entries = word(image, table + 4).unwrap_or(0) as usize;
    let entry = (0..entries)
        .filter_map(|entry| Some(table + word(image, table + 16 + 4 * entry)? as usize))
        .find(|&at| word(image, at) == Some(CARVEOUT) && is_named(image, at + 24, name))
        .ok_or_else(|| refused("the firmware asks for no such memory"))?;
    match (word(image, entry + 4), word(image, entry + 12)) {
        (Some(there), _) if there != ANY && there != da => Err(refused("the firmware wants another address")),
        (_, Some(wanted)) if wanted <= len => {
            for (at, value) in [(4, da), (8, da), (12, len)] {
                image[entry + at..entry + at + 4].copy_from_slice(&value.to_le_bytes());
            }
            Ok(())
        }
        _ => Err(refused("the firmware asks for more memory than there is")),
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Where in the image the section is that is named so: by the table of sections, and the section with their names.
fn find_table(image: &[u8]) -> Option<usize> {
    let (sections, size) = (word(image, 32)? as usize, half(image, 46)?);
    let (count, names) = (half(image, 48)?, half(image, 50)?);
    let section = |number: usize| sections + number * size;
    let names = word(image, section(names) + 16)? as usize;
    let found = (0..count).map(section).find(|&at| {
        let name = word(image, at).and_then(|name| image.get(names + name as usize..));
        name.is_some_and(|name| name.starts_with(SECTION) && name.get(SECTION.len()) == Some(&0))
    })?;
    word(image, found + 16).map(|offset| offset as usize)
}

fn is_named(image: &[u8], at: usize, name: &str) -> bool {
    let found = image.get(at..at + 32).unwrap_or(&[]);
    found.starts_with(name.as_bytes()) && found.get(name.len()) == Some(&0)
}

fn word(image: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*image.get(at..)?.first_chunk()?))
}

fn half(image: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(*image.get(at..)?.first_chunk()?).into())
}
