//! What format, attach and open refuse: an error for each reason, in the documented order.

use crate::common::golden::{LINE_4, LINE_128, Sample};
use crate::common::{Region, raw};
use strait_core::ground::format::Contents;
use strait_core::ground::header::{self, MAGIC, VERSION};
use strait_core::{
    Channel, ChannelError, Plan,
    format::{AttachError, FormatError, Header, Kind},
    port::Mem,
};

/// An image in which everything is wrong that can be wrong.
fn ruin() -> Vec<u8> {
    let mut bytes = Region::new(&LINE_4).bytes();
    for (at, value) in [
        (header::at::MAGIC, 0),
        (header::at::VERSION, 7),
        (header::at::INCOMPAT, 0x10),
        (header::at::TOTAL_LEN, 1 << 20),
        (header::at::LINE, 3),
    ] {
        put(&mut bytes, at, value);
    }
    bytes
}

fn put(bytes: &mut [u8], at: u32, value: u32) {
    bytes[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
}

fn check(bytes: &[u8]) -> Result<Header, AttachError> {
    Header::check(Region::from_bytes(bytes).mem())
}

#[test]
fn attach_refuses_in_the_documented_order() {
    let mut image = ruin();
    let whole = image.len() as u32;
    let shifted = Region::from_bytes(&[0; 256]);
    let base = shifted.mem().span(4, 64).unwrap().as_ptr(0, 64);
    // SAFETY: inside the region's memory, which outlives the handle; that it is not aligned is what
    // attach must find before it touches anything.
    let misaligned = unsafe { Mem::from_raw(base, 64) };
    assert_eq!(Header::check(&misaligned), Err(AttachError::Misaligned { align: 8 }));
    assert_eq!(check(&image[..64]), Err(AttachError::TooShort { needed: 128, found: 64 }));
    assert_eq!(check(&image[..0]), Err(AttachError::TooShort { needed: 128, found: 0 }));
    assert_eq!(check(&image), Err(AttachError::Uninitialised));
    put(&mut image, header::at::MAGIC, MAGIC.swap_bytes());
    assert_eq!(check(&image), Err(AttachError::ByteOrder));
    put(&mut image, header::at::MAGIC, u32::from_le_bytes(*b"\x7fELF"));
    assert_eq!(check(&image), Err(AttachError::NotARegion));
    put(&mut image, header::at::MAGIC, MAGIC);
    assert_eq!(check(&image), Err(AttachError::Version { found: 7 }));
    put(&mut image, header::at::VERSION, VERSION);
    assert_eq!(check(&image), Err(AttachError::Features { unknown: 0x10 }));
    put(&mut image, header::at::INCOMPAT, 0);
    assert_eq!(check(&image), Err(AttachError::TooShort { needed: 1 << 20, found: whole }));
    put(&mut image, header::at::TOTAL_LEN, whole);
    assert_eq!(check(&image), Err(AttachError::Header));
    put(&mut image, header::at::LINE, 4);
    assert_eq!(check(&image).map(|header| header.line), Ok(4));
    put(&mut image, header::at::CRC, 0);
    assert_eq!(check(&image), Err(AttachError::Checksum));
}

#[test]
fn a_header_that_contradicts_itself_is_refused() {
    let sound = Region::new(&LINE_4).bytes();
    let contradictions = [
        (header::at::LINE, 0),
        (header::at::LINE, 2),
        (header::at::LINE, 8192),
        (header::at::LINE, 12),
        (header::at::PARTICIPANTS, 127),
        (header::at::PARTICIPANTS, 0),
        (header::at::PARTICIPANTS, u32::MAX - 3),
        (header::at::PARTICIPANT_COUNT, 0),
        (header::at::PARTICIPANT_COUNT, 512),
        (header::at::PARTICIPANT_COUNT, u32::MAX),
        (header::at::CHANNEL_COUNT, u32::MAX),
        (header::at::CHANNEL_COUNT, 5),
        (header::at::HEADER_LEN, 64),
        (header::at::ENTRY_LEN, 0),
        (header::at::TOTAL_LEN, 64),
    ];
    for (at, value) in contradictions {
        let mut image = sound.clone();
        put(&mut image, at, value);
        assert_eq!(check(&image), Err(AttachError::Header), "{value} at {at}");
    }
    // The line may ask for more alignment than the memory has; found before the checksum.
    let mut image = sound.clone();
    put(&mut image, header::at::LINE, 4096);
    assert_eq!(check(&image), Err(AttachError::Checksum));
}

#[test]
fn compat_bits_are_for_those_who_know_them() {
    let mut image = Region::new(&LINE_4).bytes();
    put(&mut image, header::at::COMPAT, 0x8000_0001);
    assert_eq!(check(&image), Err(AttachError::Checksum), "the checksum covers them");
    raw::seal(&mut image);
    assert_eq!(check(&image).map(|header| header.compat), Ok(0x8000_0001));
}

#[test]
fn every_bit_of_header_and_directory_is_covered_by_the_checksum() {
    let sound = Region::new(&LINE_4).bytes();
    for bit in 0..(128 + 4 * 128) * 8 {
        let mut image = sound.clone();
        image[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&image).is_err(), "bit {bit} goes unnoticed");
    }
}

#[test]
fn format_refuses_memory_that_does_not_fit_and_writes_nothing() {
    let region = Region::from_bytes(&vec![0xEE; LINE_4.size() - 8]);
    let before = region.bytes();
    let needed = LINE_4.size() as u32;
    assert_eq!(
        strait_core::format::initialise(region.mem(), &LINE_4, 1, Contents::Unknown),
        Err(FormatError::TooShort { needed, found: needed - 8 })
    );
    let inner = Region::from_bytes(&vec![0xEE; LINE_128.size() + 8]);
    let len = inner.mem().len() - 8;
    let base = inner.mem().span(8, len).unwrap().as_ptr(0, len as usize);
    // SAFETY: inside the region's memory, which outlives the handle, and aligned to 8.
    let shifted = unsafe { Mem::from_raw(base, len) };
    assert_eq!(
        strait_core::format::initialise(&shifted, &LINE_128, 1, Contents::Unknown),
        Err(FormatError::Misaligned { align: 128 })
    );
    let channels = [Channel::frames("f", 48, 8)];
    let bad = Plan::new(&channels);
    assert!(matches!(
        strait_core::format::initialise(region.mem(), &bad, 1, Contents::Unknown),
        Err(FormatError::Plan(_))
    ));
    assert_eq!(region.bytes(), before);
    assert!(inner.bytes().iter().all(|&byte| byte == 0xEE));
}

#[test]
fn open_refuses_with_an_error_for_each_reason() {
    let region = Region::new(&LINE_128);
    let (a, b) = (region.join(), region.join());
    let reader = region.look();
    assert_eq!(a.producer("no such").err(), Some(ChannelError::NotFound));
    assert_eq!(a.producer("").err(), Some(ChannelError::NotFound));
    assert_eq!(a.producer("slots").err(), Some(ChannelError::Kind { found: Kind::Slots }));
    assert_eq!(a.consumer("latest").err(), Some(ChannelError::Kind { found: Kind::Latest }));
    assert_eq!(a.typed_producer::<u32>("frames").err(), Some(ChannelError::Kind { found: Kind::Frames }));
    assert_eq!(a.latest_reader::<u32>("compact").err(), Some(ChannelError::Kind { found: Kind::Compact }));
    assert_eq!(a.typed_producer::<i32>("slots").err(), Some(ChannelError::Type));
    assert_eq!(a.typed_consumer::<u32>("compact").err(), Some(ChannelError::Type));
    assert_eq!(a.latest_writer::<[u64; 2]>("latest").err(), Some(ChannelError::Type));
    assert_eq!(reader.producer("frames").err(), Some(ChannelError::ReadOnly));
    assert_eq!(reader.typed_consumer::<u32>("slots").err(), Some(ChannelError::ReadOnly));
    assert_eq!(reader.latest_writer::<Sample>("latest").err(), Some(ChannelError::ReadOnly));
    let first = a.producer("frames").unwrap();
    assert_eq!(b.producer("frames").err(), Some(ChannelError::Busy));
    assert_eq!(a.producer("frames").err(), Some(ChannelError::Busy));
    drop(first);
    b.producer("frames").unwrap();
}

#[test]
fn roles_are_for_participants_of_their_domain() {
    let channels = [Channel::frames("f", 64, 16).domains(1, 0)];
    let region = Region::new(&Plan::new(&channels).line(4).participants(2));
    let here = region.join();
    assert_eq!(here.producer("f").err(), Some(ChannelError::Domain { planned: 1 }));
    let there = region.join_domain(1);
    assert_eq!((here.ident().place(), there.ident().place()), (1, 3), "two places for each domain");
    assert_eq!(there.consumer("f").err(), Some(ChannelError::Domain { planned: 0 }));
    let mut tx = there.producer("f").unwrap();
    tx.try_send(1, b"across").unwrap();
    assert_eq!(here.consumer("f").unwrap().try_recv_frame::<16>().unwrap().payload(), b"across");
}

#[test]
fn a_kind_or_flag_of_a_later_version_is_skipped() {
    let entry = 128 + 128; // "slots"
    for (word, value) in [(32, 99), (36, 3), (36, 4), (36, 8)] {
        let mut image = Region::new(&LINE_4).bytes();
        put(&mut image, entry + word, value);
        raw::seal(&mut image);
        let region = Region::from_bytes(&image);
        let member = region.join();
        assert_eq!(member.channels().count(), 3);
        assert_eq!(member.typed_producer::<u32>("slots").err(), Some(ChannelError::NotFound));
        member.typed_producer::<u16>("compact").unwrap();
    }
}

#[test]
fn names_that_are_no_names_hide_a_channel() {
    for name in [&b"\xFF\xFEx"[..], b"", b"a\0b", &[b'x'; 32]] {
        let mut image = Region::new(&LINE_4).bytes();
        let mut padded = [0; 32];
        padded[..name.len()].copy_from_slice(name);
        image[128..160].copy_from_slice(&padded);
        raw::seal(&mut image);
        assert_eq!(Region::from_bytes(&image).look().channels().count(), 3, "{name:?}");
    }
}
