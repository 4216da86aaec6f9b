//! A second writer of the format: what a sender stores, store by store, in the order in which it
//! stores it. Written from the format's description, without the crate's protocols, so that a death
//! between any two stores can be staged.

use strait_core::format::Entry;
use strait_core::ground::entry::at;

/// One store.
#[derive(Clone, Debug)]
pub struct Store {
    pub at: u32,
    pub bytes: Vec<u8>,
}

fn word(at: u32, value: u32) -> Store {
    Store { at, bytes: value.to_le_bytes().to_vec() }
}

/// A copy into the region, which is several stores.
fn copy(at: u32, bytes: &[u8]) -> Vec<Store> {
    let chunks = bytes.chunks(8).enumerate();
    chunks.map(|(i, chunk)| Store { at: at + 8 * i as u32, bytes: chunk.to_vec() }).collect()
}

pub fn load(image: &[u8], at: u32) -> u32 {
    let at = at as usize;
    u32::from_le_bytes([image[at], image[at + 1], image[at + 2], image[at + 3]])
}

pub fn apply(image: &mut [u8], stores: &[Store]) {
    for store in stores {
        let at = store.at as usize;
        image[at..at + store.bytes.len()].copy_from_slice(&store.bytes);
    }
}

/// The images that a death leaves: before the first store, after it, ..., after the last.
pub fn deaths(before: &[u8], stores: &[Store]) -> Vec<Vec<u8>> {
    let mut image = before.to_vec();
    let mut images = vec![image.clone()];
    for store in stores {
        apply(&mut image, std::slice::from_ref(store));
        images.push(image.clone());
    }
    images
}

/// The stores that send a frame.
pub fn frame(image: &[u8], entry: &Entry, tag: u32, payload: &[u8]) -> Vec<Store> {
    let mask = entry.capacity - 1;
    let tail = load(image, entry.block_a + at::MARK);
    let sequence = load(image, entry.block_a + at::MARK_SEQUENCE);
    let need = 16 + (payload.len() as u32).div_ceil(16) * 16;
    let to_end = entry.capacity - (tail & mask);
    let pos = if need > to_end { tail.wrapping_add(to_end) } else { tail };
    let next = pos.wrapping_add(need);
    let place = |pos: u32| entry.data + (pos & mask);

    let mut stores = copy(place(pos) + 16, payload);
    stores.push(word(place(pos) + 4, tag));
    stores.push(word(place(pos) + 8, sequence));
    stores.push(word(place(pos) + 12, 0));
    stores.push(word(place(next), 0));
    stores.push(word(place(pos), 0x8000_0000 | payload.len() as u32));
    if pos != tail {
        stores.push(word(place(tail), 0xFFFF_FFFF));
    }
    stores.push(word(entry.block_a + at::MARK_SEQUENCE, sequence.wrapping_add(1)));
    stores.push(word(entry.block_a + at::MARK, next));
    stores
}

/// The stores that send a value through a queue of slots.
pub fn slot(image: &[u8], entry: &Entry, value: &[u8]) -> Vec<Store> {
    let tail = load(image, entry.block_a + at::MARK);
    let slot = entry.data + (tail & (entry.capacity - 1)) * entry.stride;
    let mut stores = copy(slot, value);
    stores.push(word(slot + entry.stride - 4, tail.wrapping_add(1)));
    stores.push(word(entry.block_a + at::MARK, tail.wrapping_add(1)));
    stores
}

/// The stores that send a value through a compact queue.
pub fn compact(image: &[u8], entry: &Entry, value: &[u8]) -> Vec<Store> {
    let tail = load(image, entry.block_a + at::MARK);
    let mut stores = copy(entry.data + (tail & (entry.capacity - 1)) * entry.stride, value);
    stores.push(word(entry.block_a + at::MARK, tail.wrapping_add(1)));
    stores
}

/// The stores that publish a latest value.
pub fn latest(image: &[u8], entry: &Entry, tag: u32, value: &[u8]) -> Vec<Store> {
    let buffer = |count: u32| entry.data + ((count / 2) & (entry.capacity - 1)) * entry.stride;
    let newest = load(image, entry.block_a + at::NEWEST);
    let lap = load(image, buffer(newest) + at::LAP);
    let count = newest.wrapping_add(2);
    let base = buffer(count);
    let mut stores = vec![
        word(base + at::COUNT, count | 1),
        word(base + at::LAP, if count == 0 { lap + 1 } else { lap }),
        word(base + at::VALUE_TAG, tag),
        word(base + at::VALUE_LEN, value.len() as u32),
    ];
    stores.extend(copy(base + at::VALUE, value));
    stores.push(word(base + at::COUNT, count));
    stores.push(word(entry.block_a + at::NEWEST, count));
    stores
}

/// CRC-32C, bit by bit.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 },
        )
    })
}

/// Makes the checksum of an image's header and directory right again, whatever their content, as far as
/// the image goes.
pub fn seal(image: &mut [u8]) {
    let channels = u64::from(load(image, 56));
    let end = (128 + channels * 128).min(image.len() as u64) as usize;
    image[60..64].fill(0);
    let crc = crc32c(&image[..end]);
    image[60..64].copy_from_slice(&crc.to_le_bytes());
}
