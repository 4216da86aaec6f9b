//! Images of regions that no honest program makes: random bytes, sound regions that were damaged, and
//! directories that were forged well enough to pass every check.

use strait_core::ground::{fanout::Fanout, header, lane::Lane};
use strait_core::{
    Message,
    format::{Entry, Kind, ValueType},
};

use super::raw::seal;
use super::seed::Rng;

/// Values that sit at the edges of something.
fn edge(rng: &mut Rng) -> u32 {
    const EDGES: [u32; 24] = [
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        9,
        15,
        16,
        17,
        63,
        64,
        65,
        127,
        128,
        256,
        1 << 16,
        1 << 30,
        (1 << 31) - 1,
        1 << 31,
        (1 << 31) + 16,
        u32::MAX - 15,
        u32::MAX,
    ];
    match rng.below(4) {
        0 => rng.word(),
        1 => 1 << 31 | rng.below(200) as u32,
        2 => EDGES[rng.below(EDGES.len())].wrapping_add(16),
        _ => EDGES[rng.below(EDGES.len())],
    }
}

fn flip(image: &mut [u8], rng: &mut Rng, from: usize, to: usize) {
    for _ in 0..=rng.below(16) {
        let bit = from * 8 + rng.below((to - from) * 8);
        image[bit / 8] ^= 1 << (bit % 8);
    }
}

fn set_words(image: &mut [u8], rng: &mut Rng, from: usize, to: usize) {
    for _ in 0..=rng.below(12) {
        let at = from + rng.below((to - from) / 4) * 4;
        let value = edge(rng);
        image[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
}

fn random_bytes(rng: &mut Rng, len: usize) -> Vec<u8> {
    (0..len).map(|_| rng.next() as u8).collect()
}

/// An entry whose geometry is sound and whose blocks are anywhere, also over one another.
fn forged_entry(rng: &mut Rng, index: usize, floor: u32, len: u32, line: u32) -> Entry {
    let kinds = [
        Kind::Frames,
        Kind::Slots,
        Kind::Compact,
        Kind::Latest,
        Kind::Mutex,
        Kind::Semaphore,
        Kind::Permits,
        Kind::Broadcast,
        Kind::Calls,
        Kind::Pool,
    ];
    let kind = kinds[rng.below(kinds.len())];
    let align = line.max(8);
    let place =
        |rng: &mut Rng| floor.next_multiple_of(align) + align * rng.below((len / align) as usize) as u32;
    let size = [1_u32, 2, 4, 4, 8, 16, 64, 100][rng.below(8)];
    let (capacity, stride, max_len) = match kind {
        Kind::Frames => {
            let capacity = 64_u32 << rng.below(4);
            (capacity, 16, rng.below(capacity as usize / 2 - 15) as u32)
        }
        Kind::Slots => {
            let used = size + 4;
            let packed = if used <= 64 { used.next_power_of_two().max(8) } else { used.next_multiple_of(64) };
            (1 << rng.below(6), if line < 64 { used.next_multiple_of(8) } else { packed }, size)
        }
        Kind::Compact => (1 << rng.below(7), size, size),
        Kind::Calls => (1 << rng.below(6), call_stride(size, line), size),
        Kind::Mutex => (2, size.next_multiple_of(align), size),
        Kind::Semaphore => (1 + size, 0, rng.below(size as usize + 2) as u32),
        Kind::Permits => (1 + rng.below(9) as u32, 0, 0),
        Kind::Pool => (1 + rng.below(9) as u32, size.next_multiple_of(line.max(16)), size),
        _ => (2 << rng.below(3), (16 + size).next_multiple_of(line.max(16)), size),
    };
    let mut name = [0; 32];
    name[..2].copy_from_slice(&[b'c', b'0' + index as u8]);
    let mut entry = Entry {
        name,
        kind,
        capacity,
        stride,
        max_len,
        type_hash: match (kind, size) {
            (Kind::Frames | Kind::Semaphore | Kind::Permits | Kind::Pool, _) => 0,
            (_, 1) => u8::HASH,
            (_, 4) => u32::HASH,
            _ => <[u8; 16]>::HASH,
        },
        lane: Lane::ONLY,
        fanout: Fanout::NONE,
        answer: match kind {
            Kind::Calls => ValueType { hash: <[u8; 16]>::HASH, size: 16 },
            _ => ValueType::NONE,
        },
        domain_a: 0,
        domain_b: 0,
        block_a: place(rng),
        block_b: place(rng),
        block_c: place(rng),
        data: 0,
        split_payload: false,
        wait_a: if rng.below(2) == 0 { 0 } else { place(rng) },
        wait_b: if rng.below(2) == 0 { 0 } else { place(rng) + 4 * rng.below(4) as u32 },
        period_us: rng.below(3) as u32,
    };
    let data = entry.blocks(line).expect("small blocks").data;
    entry.data = entry.block_a + data;
    entry
}

/// Bytes from one place of calls to the next.
fn call_stride(size: u32, line: u32) -> u32 {
    let used = size + 16;
    match used {
        _ if line < 64 => used.next_multiple_of(8),
        ..=64 => used.next_power_of_two(),
        _ => used.next_multiple_of(64),
    }
}

/// Random bytes behind a header and a directory that pass.
fn forged(rng: &mut Rng) -> Vec<u8> {
    let len = 2048 + 128 * rng.below(40);
    let mut image = if rng.below(2) == 0 { vec![0; len] } else { random_bytes(rng, len) };
    let line = 4_u32 << rng.below(6);
    let channels = 1 + rng.below(8);
    let participants = (128 + 128 * channels) as u32;
    let count = 1 + rng.below(3) as u32;
    let floor = participants + 64 * count;
    let words = [
        (header::at::MAGIC, header::MAGIC),
        (header::at::VERSION, header::VERSION),
        (header::at::HEADER_LEN, 128),
        (header::at::ENTRY_LEN, 128),
        (header::at::TOTAL_LEN, len as u32),
        (header::at::INCOMPAT, 0),
        (header::at::LINE, line),
        (header::at::PARTICIPANTS, participants),
        (header::at::PARTICIPANT_COUNT, count),
        (header::at::CHANNEL_COUNT, channels as u32),
    ];
    for (at, value) in words {
        image[at as usize..at as usize + 4].copy_from_slice(&value.to_le_bytes());
    }
    for index in 0..channels {
        let entry = forged_entry(rng, index, floor, len as u32 - floor, line);
        for (i, word) in entry.to_words().into_iter().enumerate() {
            let at = 128 + 128 * index + 4 * i;
            image[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
    }
    // Participants of this domain, and free or dead.
    for slot in 0..count {
        let at = (participants + 64 * slot) as usize;
        image[at + 4..at + 8].fill(0);
        if rng.below(3) > 0 {
            image[at..at + 4].fill(0);
        }
    }
    seal(&mut image);
    image
}

/// One image, by its kind: see the arms.
pub fn image(rng: &mut Rng, kind: usize, sound: &[Vec<u8>]) -> Vec<u8> {
    let mut image = sound[rng.below(sound.len())].clone();
    let len = image.len();
    let participants = u32::from_le_bytes([image[48], image[49], image[50], image[51]]) as usize;
    match kind % 8 {
        0 => {
            let len = rng.below(4096);
            image = random_bytes(rng, len);
            if len >= 8 && rng.below(2) == 0 {
                image[..8].copy_from_slice(b"STRT\0\0\0\0");
            }
        }
        1 | 2 => image = forged(rng),
        3 => flip(&mut image, rng, 0, len),
        4 => {
            flip(&mut image, rng, 64, participants);
            seal(&mut image);
        }
        5 => flip(&mut image, rng, participants, len),
        6 => {
            set_words(&mut image, rng, participants, len);
            if rng.below(4) == 0 {
                set_words(&mut image, rng, 16, participants);
                seal(&mut image);
            }
        }
        _ => {
            let from = rng.below(len);
            let count = rng.below(len - from);
            let noise = random_bytes(rng, count);
            image[from..from + count].copy_from_slice(&noise);
            if rng.below(3) == 0 {
                image.truncate(rng.below(len));
            }
            if image.len() > 64 && rng.below(2) == 0 {
                seal(&mut image);
            }
        }
    }
    image
}
