//! The archive that a kernel unpacks as its first file system, in the format `newc`.

use std::fmt::Write as _;

/// An archive that is being written.
#[derive(Default)]
pub struct Archive(Vec<u8>);

/// Device files that a program finds open, or wants, before it has mounted anything: name, and number in two parts.
pub const DEVICES: [(&str, u32, u32); 2] = [("dev/console", 5, 1), ("dev/null", 1, 3)];

impl Archive {
    /// A program, which is started by its name.
    pub fn program(&mut self, name: &str, bytes: &[u8]) {
        self.entry(name, 0o100_755, (0, 0), bytes);
    }

    pub fn folder(&mut self, name: &str) {
        self.entry(name, 0o040_755, (0, 0), &[]);
    }

    pub fn device(&mut self, name: &str, major: u32, minor: u32) {
        self.entry(name, 0o020_600, (major, minor), &[]);
    }

    /// The whole of it.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.0
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), bytes: &[u8]) {
        let (size, name_size) = (bytes.len() as u32, name.len() as u32 + 1);
        // Number, mode, owner, group, links, time, size, device, device of a device file, length of the name, sum.
        let fields = [0, mode, 0, 0, 1, 0, size, 0, 0, device.0, device.1, name_size, 0];
        let mut header = String::from("070701");
        for field in fields {
            // Writing to a string cannot fail.
            let _ = write!(header, "{field:08x}");
        }
        self.0.extend(header.as_bytes());
        self.0.extend(name.as_bytes());
        self.0.push(0);
        self.pad();
        self.0.extend(bytes);
        self.pad();
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::Archive;

    #[test]
    fn entries_are_headers_names_and_bytes_in_fours() {
        let mut archive = Archive::default();
        archive.program("init", b"12345");
        let bytes = archive.finish();
        assert_eq!(bytes.len() % 4, 0);
        let text = String::from_utf8(bytes).expect("text");
        let head = "070701\
            00000000000081ed00000000000000000000000100000000\
            0000000500000000000000000000000000000000\
            0000000500000000init\0";
        assert!(text.starts_with(head), "{text}");
        assert_eq!(&text[116..124], "12345\0\0\0");
        assert!(text[124..].starts_with("070701") && text.contains("TRAILER!!!\0"));
    }
}
