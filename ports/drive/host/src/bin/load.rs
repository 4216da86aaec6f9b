//! Fills the shared memory's address into firmware, as `remoteproc` does, for an emulator that starts it.
//!
//! ```text
//! load <image> <its filled copy> <address> <bytes>
//! ```
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;

use drive_host::emulator::number;
use drive_host::loader;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [image, copy, address, bytes] = &words[..] else {
        return Err("usage: load <image> <its filled copy> <address> <bytes>".into());
    };
    let mut firmware = fs::read(image)?;
    loader::fill(&mut firmware, loader::NAME, number(address)?, number(bytes)?)?;
    fs::write(copy, firmware)?;
    println!("PASS the memory is at {address}");
    Ok(())
}
