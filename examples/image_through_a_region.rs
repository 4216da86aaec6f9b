//! Data of variable length through a region of some megabytes: an image's path and its bytes, each behind its
//! length, written by one program and read by another.
//!
//! Asserts that the reader has the very file that the path leads to, and that it is a PNG of the right size
//! whose checksums all fit.

mod common;

use std::path::Path;

use common::{Folder, Other, PATIENCE, Result};
use strait::{Channel, Plan, RegionName, RegionOptions};

/// A ring has a power of two, and a frame half of it at most: so 16 MiB for images of up to 8 MiB.
const PLAN: Plan = Plan::new(&[Channel::frames("images", 16 << 20, (8 << 20) - 16).consumer_may_block()]);

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 960;

/// The checksum of PNG's chunks.
fn crc32(parts: &[&[u8]]) -> u32 {
    let shift = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
    let bytes = parts.iter().flat_map(|part| part.iter());
    !bytes.fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

/// The checksum of zlib's streams.
fn adler32(bytes: &[u8]) -> u32 {
    let next = |(a, b), byte: &u8| ((a + u32::from(*byte)) % 65521, (b + a + u32::from(*byte)) % 65521);
    let (a, b) = bytes.iter().fold((1, 0), next);
    b << 16 | a
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = crc32(&[kind, data]).to_be_bytes();
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc].concat()
}

/// A picture of a colour gradient, stored without compression.
fn png() -> Vec<u8> {
    let pixel = |x: u32, y: u32| [x as u8, y as u8, (x ^ y) as u8];
    let line = |y| std::iter::once(0).chain((0..WIDTH).flat_map(move |x| pixel(x, y)));
    let pixels: Vec<u8> = (0..HEIGHT).flat_map(line).collect();
    let mut stream = vec![0x78, 0x01];
    let blocks = pixels.chunks(65535).count();
    for (i, block) in pixels.chunks(65535).enumerate() {
        let len = block.len() as u16;
        stream.push(u8::from(i + 1 == blocks));
        stream.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
        stream.extend(block);
    }
    stream.extend(adler32(&pixels).to_be_bytes());
    let header = [&WIDTH.to_be_bytes()[..], &HEIGHT.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &stream), chunk(b"IEND", &[])].concat();
    [b"\x89PNG\r\n\x1A\n", &chunks[..]].concat()
}

/// The width and height of a PNG whose checksums fit.
fn size_of_png(mut png: &[u8]) -> Option<(u32, u32)> {
    let number = |bytes: &[u8]| Some(u32::from_be_bytes(*bytes.first_chunk()?));
    png = png.strip_prefix(b"\x89PNG\r\n\x1A\n")?;
    let size = (number(png.get(8..)?)?, number(png.get(12..)?)?);
    while !png.is_empty() {
        let (chunk, rest) = png.split_at_checked(12 + number(png)? as usize)?;
        let (data, crc) = chunk.split_at(chunk.len() - 4);
        (number(crc)? == crc32(&[&data[4..]])).then_some(())?;
        png = rest;
    }
    Some(size)
}

/// Makes an image and hands it over.
fn write(name: &str, path: &str) -> Result<()> {
    let image = png();
    std::fs::write(path, &image)?;
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut images = region.producer("images")?;
    let mut frame = images.reserve(4 + path.len() + 4 + image.len())?;
    let mut at = 0;
    for part in [path.as_bytes(), &image] {
        at += frame.write(at, &(part.len() as u32).to_le_bytes());
        at += frame.write(at, part);
    }
    frame.commit();
    Ok(())
}

/// A part behind its length, and what follows it.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*len) as usize)
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => read(),
        ["write", name, path] => write(name, path),
        _ => common::usage("none"),
    })
}

fn read() -> Result<()> {
    let folder = Folder::new("image")?;
    let name = common::fresh_name("image");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut images = region.consumer("images")?;
    let writer = Other::start(&["write", &name, &folder.path("gradient.png")])?;

    let mut buffer = vec![0; images.max_len() as usize];
    let received = images.recv_timeout(&mut buffer, PATIENCE)?;
    let (path, rest) = part(&buffer[..received.len]).ok_or("no path")?;
    let (image, rest) = part(rest).ok_or("no image")?;
    assert!(rest.is_empty());
    let path = Path::new(std::str::from_utf8(path)?);
    assert!(image == std::fs::read(path)?, "the file that the path leads to");
    assert_eq!(size_of_png(image), Some((WIDTH, HEIGHT)));
    println!("{}: {WIDTH} x {HEIGHT} pixels, {} bytes", path.display(), image.len());
    writer.finish()?;
    RegionName::new(&name)?.remove()?;
    Ok(())
}
