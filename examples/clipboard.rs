//! A clipboard: the newest value, in several formats side by side, and each program takes the first that it knows.
//!
//! Asserts that a program that knows one format and one that prefers another both get the text, and that whoever
//! pastes copies nothing of a value that was replaced meanwhile.

mod common;

use common::{Other, PATIENCE, Result};
use strait::{Channel, LatestReader, Plan, Reading, RegionName, RegionOptions, SystemPort, formats};

const PLAN: Plan = Plan::new(&[Channel::latest_bytes("clipboard", 4096).consumer_may_block()]);

/// The formats.
const UTF_8: u32 = 1;
const UTF_16: u32 = 2;

const TEXT: &str = "Größe: 10 µm";

/// Copies the text, as both formats.
fn copy(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut buffer = [0; 4096];
    let len = formats::write(&mut buffer, &[(UTF_16, &wide), (UTF_8, TEXT.as_bytes())]).ok_or("too long")?;
    region.latest_writer::<[u8]>("clipboard")?.publish_from(formats::TAG, &buffer[..len])?;
    Ok(())
}

/// What is on the clipboard, in the first of these formats that is there.
fn paste(clipboard: &mut LatestReader<[u8], SystemPort>, knows: &[u32]) -> Result<(u32, Vec<u8>)> {
    let mut buffer = [0; 4096];
    let value = clipboard.read_into(&mut buffer).value().ok_or("the clipboard is empty")?;
    if value.tag != formats::TAG {
        return Err("the clipboard has something else".into());
    }
    let (format, bytes) = formats::find(&buffer[..value.len], knows).ok_or("no format that is known here")?;
    Ok((format, bytes.to_vec()))
}

fn look() -> Result<()> {
    let name = common::fresh_name("clipboard");
    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut clipboard = region.latest_reader::<[u8]>("clipboard")?;
    assert_eq!(clipboard.read_into(&mut []), Reading::Empty);
    let other = Other::start(&["copy", &name])?;
    clipboard.wait_for_change_into(&mut [], PATIENCE);

    let (format, narrow) = paste(&mut clipboard, &[UTF_8])?;
    assert_eq!((format, std::str::from_utf8(&narrow)?), (UTF_8, TEXT));
    let (format, wide) = paste(&mut clipboard, &[UTF_16, UTF_8])?;
    let wide: Vec<u16> = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    assert_eq!((format, String::from_utf16(&wide)?.as_str()), (UTF_16, TEXT));
    assert!(paste(&mut clipboard, &[7]).is_err(), "a program that knows neither");

    // The program that copied has ended, and what it copied stays.
    other.finish()?;
    assert_eq!(paste(&mut clipboard, &[UTF_8])?.1, TEXT.as_bytes());
    RegionName::new(&name)?.remove()?;
    println!("pasted: {TEXT}");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => look(),
        ["copy", name] => copy(name),
        _ => common::usage("none"),
    })
}
