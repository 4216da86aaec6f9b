//! A file that is written: under a name of its own until it is complete.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf, is_separator};

use crate::error::{Error, Result, reason, reason_and_advice};
use crate::os;
use crate::print;

/// Bytes that are written at a time.
const BUFFER: usize = 1 << 18;
/// Bytes after which storage is waited for, so that the end does not have to wait for all of them.
const SYNC: u64 = 1 << 28;
/// The suffix of temporary names.
const SUFFIX: &str = ".strait-part";
/// How much of the file's own name they have, so that they never get too long.
const STEM: usize = 200;

/// Where what is received goes.
pub enum Sink {
    /// A file, which is there when it is complete.
    File(Output),
    /// Standard output, which has each piece as it comes.
    Stream,
}

impl Sink {
    /// Of the path that the user gave.
    pub fn create(path: &Path) -> Result<Self> {
        if print::is_stream(path) { Ok(Self::Stream) } else { Output::create(path).map(Self::File) }
    }

    /// The temporary file, if there is one.
    pub fn part(&self) -> Option<&Path> {
        match self {
            Self::File(output) => Some(&output.part),
            Self::Stream => None,
        }
    }

    /// Writes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::File(output) => output.write(bytes),
            // Nothing is kept for later: its reader may wait for it.
            Self::Stream => write_out(bytes),
        }
    }

    /// All of it is there.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::File(output) => output.finish(),
            Self::Stream => Ok(()),
        }
    }
}

/// Writes to standard output. Unlike a text, what is not read to its end is an error.
fn write_out(bytes: &[u8]) -> Result<()> {
    let mut stdout = stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| Error::at("standard output", reason(&error)))
}

/// A file on its way. Dropped before [`finish`](Self::finish), it was never there.
pub struct Output {
    file: Option<BufWriter<File>>,
    /// Bytes that were written, and the most that may be.
    written: u64,
    longest: u64,
    unsynced: u64,
    part: PathBuf,
    target: PathBuf,
}

impl Output {
    /// Creates the temporary file beside the target.
    pub fn create(target: &Path) -> Result<Self> {
        let target = resolve(target)?;
        let name = target.file_name().ok_or_else(|| is_directory(&target))?;
        let dir = directory_of(&target);
        let name = name.to_string_lossy();
        let stem = &name[..name.floor_char_boundary(STEM)];
        let part = dir.join(format!(".{stem}.{}{SUFFIX}", std::process::id()));
        let failed = |error: std::io::Error| {
            let shown = dir.display();
            if dir.is_dir() {
                return Error::failed(format!("{shown}: no file can be created there: {}", reason(&error)));
            }
            Error::failed(format!("{shown}: there is no such directory; create it, or give another path"))
        };
        let file = File::options().write(true).create_new(true).open(&part).map_err(failed)?;
        let file = Some(BufWriter::with_capacity(BUFFER, file));
        Ok(Self { file, written: 0, longest: os::longest_file(), unsynced: 0, part, target })
    }

    /// Checks that a file can be written there, before anything else is done. It is then as if it never was there.
    pub fn check(path: &Path) -> Result<()> {
        Sink::create(path).map(drop)
    }

    /// Writes a whole text.
    pub fn put(path: &Path, text: &str) -> Result<()> {
        let mut sink = Sink::create(path)?;
        sink.write(text.as_bytes())?;
        sink.finish()
    }

    /// Writes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        self.written += bytes.len() as u64;
        if self.written > self.longest {
            return Err(too_long(&self.target, self.longest));
        }
        file.write_all(bytes).map_err(|error| failed(&self.target, &error))?;
        self.unsynced += bytes.len() as u64;
        if self.unsynced >= SYNC {
            self.unsynced = 0;
            file.get_ref().sync_data().map_err(|error| failed(&self.target, &error))?;
        }
        Ok(())
    }

    /// Gives the file its name, once all of it is on storage. It replaces one that was there, and
    /// takes over its permissions.
    pub fn finish(mut self) -> Result<()> {
        let failed = |error: &std::io::Error| failed(&self.target, error);
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|error| failed(error.error()))?;
            if let Ok(old) = fs::metadata(&self.target) {
                file.set_permissions(old.permissions()).map_err(|error| failed(&error))?;
            }
            file.sync_all().map_err(|error| failed(&error))?;
        }
        fs::rename(&self.part, &self.target).map_err(|error| failed(&error))?;
        // Only now does the file have its name after a loss of power too.
        os::sync_directory(directory_of(&self.target)).map_err(|error| failed(&error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let _ = file.into_parts(); // Its last bytes need not be written.
        }
        // Not there any more, if it was finished.
        let _ = fs::remove_file(&self.part);
    }
}

/// The error in place of the signal by which the system ends a process that writes more.
fn too_long(target: &Path, longest: u64) -> Error {
    Error::failed(format!(
        "{}: this process may not make files of more than {longest} bytes; raise that limit (ulimit -f); nothing \
         was kept",
        target.display()
    ))
}

fn failed(target: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("{}: {}; nothing was kept", target.display(), reason_and_advice(error)))
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

fn is_directory(path: &Path) -> Error {
    Error::failed(format!("{}: is a directory; give the name of a file", path.display()))
}

/// The file's final path: links are followed, and only a regular file is replaced.
fn resolve(target: &Path) -> Result<PathBuf> {
    if target.to_string_lossy().ends_with(is_separator) {
        return Err(is_directory(target));
    }
    let at = |error: std::io::Error| Error::failed(format!("{}: {}", target.display(), reason(&error)));
    let resolved = match target.symlink_metadata() {
        Ok(found) if found.is_symlink() => fs::canonicalize(target).map_err(|error| {
            let shown = target.display();
            Error::failed(format!(
                "{shown}: is a link that leads nowhere ({}); give another path",
                reason(&error)
            ))
        })?,
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(error)),
        _ => target.to_path_buf(),
    };
    match resolved.symlink_metadata() {
        Ok(found) if found.is_dir() => Err(is_directory(target)),
        Ok(found) if !found.is_file() => {
            Err(Error::failed(format!("{}: is no regular file; give another name", target.display())))
        }
        _ => Ok(resolved),
    }
}
