//! What the opening of a WebSocket is accepted with (RFC 6455, 4.2.2): a text that only somebody who knows what a
//! WebSocket is makes of the client's key.

use sha1_smol::Sha1;

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The field `Sec-WebSocket-Accept` of the reply to this `Sec-WebSocket-Key`.
pub fn of(key: &str) -> String {
    let mut hash = Sha1::from(key);
    hash.update(GUID);
    base64(&hash.digest().bytes())
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=three.len()].copy_from_slice(three);
        let word = u32::from_be_bytes(word);
        for n in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * n)) as usize % 64];
            text.push(if n <= three.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{base64, of};

    #[test]
    fn the_example_of_the_standard_is_accepted() {
        assert_eq!(of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn any_bytes_are_four_digits_for_three() {
        // RFC 4648, 10.
        let all = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|len| base64(&b"foobar"[..len])), all);
        assert_eq!(base64(&[0xff, 0xfb, 0xf0]), "//vw");
    }
}
