//! What `remoteproc` does before it starts a core: it finds the firmware's resource table, and fills in where the memory
//! is that the firmware asks for.

use std::io;

/// What the memory is called.
pub const NAME: &str = "strait";
/// The section that the table is in.
const SECTION: &[u8] = b".resource_table";
/// How an ELF file of 32 bits starts, little end first.
const ELF: &[u8] = b"\x7fELF\x01\x01";
/// The table's version.
const VERSION: u32 = 1;
/// The entry's kind, and the address that it has before.
const CARVEOUT: u32 = 0;
const ANY: u32 = u32::MAX;

/// Fills in the carveout of this name in an ELF image of 32 bits: `len` bytes at `da`, as the core sees it.
///
/// # Errors
///
/// The image is none or cut off, there is no such table or entry, or the entry asks for more memory or another address; it
/// is as it was then.
pub fn fill(image: &mut [u8], name: &str, da: u32, len: u32) -> io::Result<()> {
    if !image.starts_with(ELF) {
        return refused("the firmware is no ELF file of 32 bits; give the file that the linker wrote".into());
    }
    let Some(section) = find_section(image) else {
        return refused("the firmware's file is cut off before its sections; copy it again".into());
    };
    let Some(table) = section else {
        return refused(
            "the firmware has no section `.resource_table`; have its linker script keep one".into(),
        );
    };
    match word(image, table) {
        Some(VERSION) => {}
        Some(other) => return refused(format!("the firmware's resource table is of version {other}, not 1")),
        None => return refused("the firmware's resource table is not in its file; copy it again".into()),
    }
    let Some((entry, there, wanted)) = find_entry(image, table, name) else {
        return refused(format!("the firmware's resource table asks for no memory with the name `{name}`"));
    };
    if there != ANY && there != da {
        return refused(format!("the firmware wants `{name}` at {there:#x}, and the memory is at {da:#x}"));
    }
    if wanted > len {
        return refused(format!("the firmware wants {wanted:#x} bytes as `{name}`, and there are {len:#x}"));
    }
    for (at, value) in [(4, da), (8, da), (12, len)] {
        image[entry + at..entry + at + 4].copy_from_slice(&value.to_le_bytes());
    }
    Ok(())
}

fn refused(why: String) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// Where in the image the table's section is, by the table of sections, and the section with their names: `None` if these
/// are not all in the image, and `Some(None)` if there is no such section.
fn find_section(image: &[u8]) -> Option<Option<usize>> {
    let (sections, size) = (word(image, 32)? as usize, half(image, 46)?);
    let (count, names) = (half(image, 48)?, half(image, 50)?);
    image.get(sections..sections + count * size)?;
    let names = word(image, sections + names * size + 16)? as usize;
    for at in (0..count).map(|number| sections + number * size) {
        let (name, offset) = (word(image, at)? as usize, word(image, at + 16)? as usize);
        let name = image.get(names + name..)?;
        if name.starts_with(SECTION) && name.get(SECTION.len()) == Some(&0) {
            return Some(Some(offset));
        }
    }
    Some(None)
}

/// Where the carveout of this name is, its address and its length; all of it is in the image.
fn find_entry(image: &[u8], table: usize, name: &str) -> Option<(usize, u32, u32)> {
    let entries = word(image, table + 4)? as usize;
    (0..entries)
        .map_while(|entry| Some(table + word(image, table + 16 + 4 * entry)? as usize))
        .filter(|&at| word(image, at) == Some(CARVEOUT) && is_named(image, at + 24, name))
        .find_map(|at| Some((at, word(image, at + 4)?, word(image, at + 12)?)))
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

#[cfg(test)]
mod tests {
    use super::{ANY, NAME, fill, word};

    const DA: u32 = 0x2100_0000;
    const LEN: u32 = 0x1000;

    /// Where these are in the image.
    const TABLE: usize = 52;
    const ENTRY: usize = TABLE + 20;
    const NAMES: usize = ENTRY + 56;
    const SECTIONS: usize = NAMES + 18;

    /// Firmware with a resource table: the header, the table, the names of sections, and at its end the table of sections.
    fn image() -> Vec<u8> {
        let mut image = vec![0; SECTIONS + 3 * 40];
        image[..6].copy_from_slice(b"\x7fELF\x01\x01");
        put(&mut image, 32, SECTIONS as u32);
        put(&mut image, 46, 40 | 3 << 16); // The size of an entry there, and their number.
        image[50] = 2; // The section of names.
        for (at, value) in [(0, 1), (4, 1), (16, 20), (24, ANY), (28, ANY), (32, LEN)] {
            put(&mut image, TABLE + at, value);
        }
        image[ENTRY + 24..][..6].copy_from_slice(NAME.as_bytes());
        image[NAMES + 1..][..15].copy_from_slice(b".resource_table");
        put(&mut image, SECTIONS + 40, 1);
        put(&mut image, SECTIONS + 56, TABLE as u32);
        put(&mut image, SECTIONS + 96, NAMES as u32);
        image
    }

    fn put(image: &mut [u8], at: usize, value: u32) {
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Why the image is refused, which must leave it as it was.
    fn refusal(mut image: Vec<u8>) -> String {
        let before = image.clone();
        let why = fill(&mut image, NAME, DA, LEN).expect_err("it is to be refused").to_string();
        assert_eq!(image, before, "{why}");
        why
    }

    /// Why it is refused with this word in it.
    fn with(at: usize, value: u32) -> String {
        let mut image = image();
        put(&mut image, at, value);
        refusal(image)
    }

    #[test]
    fn the_address_and_the_length_are_filled_in() {
        // It may ask for less, and for the address that it gets.
        for (there, wanted) in [(ANY, LEN), (ANY, 1), (DA, LEN)] {
            let mut image = image();
            put(&mut image, ENTRY + 4, there);
            put(&mut image, ENTRY + 12, wanted);
            let mut expected = image.clone();
            for (at, value) in [(4, DA), (8, DA), (12, LEN)] {
                put(&mut expected, ENTRY + at, value);
            }
            fill(&mut image, NAME, DA, LEN).unwrap();
            assert_eq!(image, expected);
        }
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        let other_name = u32::from_le_bytes(*b"data");
        for (why, part) in [
            (with(0, 0), "is no ELF file of 32 bits"),
            (refusal(Vec::new()), "is no ELF file of 32 bits"),
            (with(4, 0x0000_0102), "is no ELF file of 32 bits"), // It has 64.
            (with(NAMES + 4, other_name), "has no section `.resource_table`"),
            (with(TABLE, 2), "is of version 2, not 1"),
            (with(TABLE + 4, 0), "asks for no memory with the name `strait`"),
            (with(ENTRY, 1), "asks for no memory with the name `strait`"), // It is of another kind.
            (with(ENTRY + 24, other_name), "asks for no memory with the name `strait`"),
            (with(ENTRY + 4, 0x2000_0000), "at 0x20000000, and the memory is at 0x21000000"),
            (with(ENTRY + 12, LEN + 1), "wants 0x1001 bytes as `strait`, and there are 0x1000"),
        ] {
            assert!(why.contains(part), "`{why}`, without `{part}`");
        }
        // A longer name is another one.
        let mut longer = image();
        longer[ENTRY + 24 + NAME.len()] = b'2';
        assert!(refusal(longer).contains("no memory with the name"));
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused() {
        let whole = image();
        for len in 0..whole.len() {
            let why = refusal(whole[..len].to_vec());
            let part = if len < 6 { "no ELF" } else { "cut off" };
            assert!(why.contains(part), "at {len}: {why}");
        }
        // The sections come before the table in this one.
        assert!(with(SECTIONS + 56, whole.len() as u32).contains("is not in its file"));
    }

    #[test]
    fn no_byte_makes_it_panic() {
        let whole = image();
        for at in 0..whole.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut image = whole.clone();
                image[at] = value;
                let _ = fill(&mut image, NAME, DA, LEN);
                let mut image = whole.clone();
                put(&mut image, at.min(whole.len() - 4), u32::from_le_bytes([value; 4]));
                let _ = fill(&mut image, NAME, DA, LEN);
            }
        }
        assert_eq!(word(&whole, whole.len()), None);
    }
}
