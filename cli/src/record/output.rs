//! The files that are recorded into: one, or one after the other.

use std::cell::Cell;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use mcap::{McapError, WriteOptions, Writer};

use crate::error::{Error, Result, reason, reason_and_advice};
use crate::os;
use crate::print;
use crate::text::printable;

/// The file that is recorded into.
pub type File = Writer<Counted>;

/// A file that counts what is written.
pub struct Counted {
    inner: BufWriter<fs::File>,
    written: Rc<Cell<u64>>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.written.set(self.written.get() + count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// When a file is full.
#[derive(Clone, Copy, Default)]
pub struct Split {
    /// Bytes of a file.
    pub size: Option<u64>,
    /// How long one is recorded into.
    pub time: Option<Duration>,
}

/// Where the recording goes.
pub struct Output {
    given: PathBuf,
    split: Split,
    /// How many files there are.
    count: u32,
    path: PathBuf,
    file: File,
    written: Rc<Cell<u64>>,
    since: Instant,
}

/// The error of a file.
pub fn failed(path: &Path, error: McapError) -> Error {
    let is_stream = print::is_stream(path);
    let path = if is_stream { "standard output".into() } else { printable(&path.display().to_string()) };
    Error::failed(match error {
        McapError::Io(error) if is_stream => format!("{path}: {}", reason_and_advice(&error)),
        McapError::Io(error) => {
            format!("{path}: {}; what was written before is kept", reason_and_advice(&error))
        }
        error => format!("{path}: {error}"),
    })
}

/// The name of file `number` of a recording that is split: `run-000.mcap` of `run.mcap`.
fn numbered(given: &Path, number: u32) -> PathBuf {
    let mut name = given.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number:03}"));
    if let Some(extension) = given.extension() {
        name.push(".");
        name.push(extension);
    }
    given.with_file_name(name)
}

fn open(path: &Path, written: &Rc<Cell<u64>>) -> Result<File> {
    let file = match print::is_stream(path) {
        true => os::standard_output(),
        false => OpenOptions::new().write(true).create_new(true).open(path),
    };
    let file = file.map_err(|error| {
        let path = printable(&path.display().to_string());
        Error::failed(match error.kind() {
            io::ErrorKind::AlreadyExists => format!("{path}: is there already; give another name"),
            _ => format!("{path}: {}", reason(&error)),
        })
    })?;
    // A chunk is written as a whole: a recorder that is killed leaves no half of one but the last.
    let options = WriteOptions::new()
        .compression(None)
        .disable_seeking(true)
        .profile("")
        .library(concat!("strait ", env!("CARGO_PKG_VERSION")));
    written.set(0);
    let counted = Counted { inner: BufWriter::new(file), written: Rc::clone(written) };
    Writer::with_options(counted, options).map_err(|error| failed(path, error))
}

impl Output {
    /// Creates the first file.
    pub fn create(given: &Path, split: Split) -> Result<Self> {
        let is_split = split.size.is_some() || split.time.is_some();
        let path = if is_split { numbered(given, 0) } else { given.to_owned() };
        let written = Rc::default();
        let file = open(&path, &written)?;
        Ok(Self { given: given.to_owned(), split, count: 1, path, file, written, since: Instant::now() })
    }

    /// The file that is written now.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The error of that file.
    pub fn failed(&self, error: McapError) -> Error {
        failed(&self.path, error)
    }

    /// Whether the next file is due.
    pub fn is_full(&self) -> bool {
        self.split.size.is_some_and(|size| self.written.get() >= size)
            || self.split.time.is_some_and(|time| self.since.elapsed() >= time)
    }

    /// Puts what was recorded into the file.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|error| failed(&self.path, error))
    }

    /// Completes the file and begins the next one.
    pub fn next(&mut self) -> Result<()> {
        self.finish()?;
        self.path = numbered(&self.given, self.count);
        self.file = open(&self.path, &self.written)?;
        self.count += 1;
        self.since = Instant::now();
        Ok(())
    }

    /// Completes the last file.
    pub fn finish(&mut self) -> Result<()> {
        self.file.finish().map_err(|error| failed(&self.path, error))?;
        Ok(())
    }

    /// Whether it is standard output.
    pub fn is_stream(&self) -> bool {
        print::is_stream(&self.given)
    }

    /// How many files there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The last of them.
    pub fn path(&self) -> String {
        printable(&self.path.display().to_string())
    }

    /// What was written, for people.
    pub fn told(&self) -> String {
        let path = self.path();
        if self.count == 1 { path } else { format!("{} files, the last of them {path}", self.count) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::numbered;

    #[test]
    fn files_are_numbered_before_their_ending() {
        // Paths are compared, not texts: Windows joins with a backslash.
        assert_eq!(numbered(Path::new("a/run.mcap"), 7), Path::new("a/run-007.mcap"));
        assert_eq!(numbered(Path::new("run"), 1000), Path::new("run-1000"));
    }
}
