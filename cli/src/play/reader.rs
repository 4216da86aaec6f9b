//! Reading a recording from its beginning to its end, a chunk at a time.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use mcap::McapError;
use mcap::records::{Channel, MessageHeader, Record, op};
use mcap::sans_io::linear_reader::{LinearReadEvent, LinearReader, LinearReaderOptions};

use crate::error::{Error, Result, reason};
use crate::print;
use crate::record::plan::{self, PlannedRegion};
use crate::text::printable;

use super::input;

/// The longest record, and the longest chunk, that is taken into memory.
const MAX_RECORD: usize = 64 << 20;
/// Bytes read at once.
const BLOCK: usize = 1 << 16;

/// A recording that is read.
pub struct Reader {
    path: PathBuf,
    file: Box<dyn Read>,
    records: LinearReader,
    /// The record at hand; its place is used again and again.
    data: Vec<u8>,
    messages: u64,
    is_complete: bool,
}

/// What is in a recording, as far as it matters.
pub enum Event<'a> {
    Region(PlannedRegion),
    Channel(Channel),
    Message { header: MessageHeader, data: &'a [u8] },
}

impl Reader {
    /// Opens a file, or standard input until `is_over`.
    pub fn open(path: &Path, is_over: &Arc<AtomicBool>) -> Result<Self> {
        let file: Box<dyn Read> = if print::is_stream(path) {
            Box::new(input::Input::start(Arc::clone(is_over)))
        } else {
            let failed =
                |error: std::io::Error| Error::at(printable(&path.display().to_string()), reason(&error));
            let file = File::open(path).map_err(failed)?;
            if file.metadata().map_err(failed)?.is_dir() {
                return Err(Error::at(
                    printable(&path.display().to_string()),
                    "is a directory; give a recording",
                ));
            }
            Box::new(file)
        };
        // Nothing of a chunk is believed before all of it is read and matches its checksum.
        let options = LinearReaderOptions::default()
            .with_skip_end_magic(true)
            .with_prevalidate_chunk_crcs(true)
            .with_record_length_limit(MAX_RECORD);
        Ok(Self {
            path: path.to_owned(),
            file,
            records: LinearReader::new_with_options(options),
            data: Vec::new(),
            messages: 0,
            is_complete: false,
        })
    }

    /// Whether the end of the recording was in the file.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// An error in what the file holds.
    pub fn at(&self, error: Error) -> Error {
        if error.line().is_empty() { error } else { Error::at(self.name(), error.line()) }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        if print::is_stream(&self.path) {
            return "standard input".into();
        }
        printable(&self.path.display().to_string())
    }

    fn wrong(&self, error: McapError) -> Error {
        let after = format!("after {} messages, which are whole", self.messages);
        Error::failed(match error {
            McapError::BadMagic => {
                format!("{}: is no MCAP file; give a file that `strait record` made", self.name())
            }
            McapError::UnexpectedEof => {
                format!("{}: is cut off in the middle of a record, {after}", self.name())
            }
            McapError::UnsupportedCompression(how) => {
                format!("{}: is compressed by {}; first run: mcap decompress", self.name(), printable(&how))
            }
            error => format!("{}: is damaged, {after}: {}", self.name(), printable(&error.to_string())),
        })
    }

    /// What comes next; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Event<'_>>> {
        let opcode = loop {
            let opcode = match self.fill()? {
                None => return Ok(None),
                Some(opcode) => opcode,
            };
            match opcode {
                // What follows is a summary, which has the channels once more.
                op::CHANNEL | op::MESSAGE if !self.is_complete => break opcode,
                op::DATA_END | op::FOOTER => self.is_complete = true,
                op::METADATA if !self.is_complete => {
                    if let Some(region) = self.region()? {
                        return Ok(Some(Event::Region(region)));
                    }
                }
                _ => {}
            }
        };
        match mcap::parse_record(opcode, &self.data) {
            Ok(Record::Channel(channel)) => Ok(Some(Event::Channel(channel))),
            Ok(Record::Message { header, .. }) => {
                self.messages += 1;
                let at = self.data.len().min(MESSAGE_HEADER);
                Ok(Some(Event::Message { header, data: &self.data[at..] }))
            }
            Ok(_) => Ok(None),
            Err(error) => Err(self.wrong(error)),
        }
    }

    fn region(&self) -> Result<Option<PlannedRegion>> {
        let metadata = match mcap::parse_record(op::METADATA, &self.data) {
            Ok(Record::Metadata(metadata)) => metadata,
            Ok(_) => return Ok(None),
            Err(error) => return Err(self.wrong(error)),
        };
        if metadata.name != plan::NAME {
            return Ok(None);
        }
        let region = PlannedRegion::read(&metadata.metadata);
        region
            .map(Some)
            .map_err(|why| Error::at(self.name(), format!("what it says of its region: {}", printable(&why))))
    }

    /// Reads the next record into `data`; returns its kind.
    fn fill(&mut self) -> Result<Option<u8>> {
        loop {
            let wanted = match self.records.next_event() {
                None => return Ok(None),
                Some(Ok(LinearReadEvent::ReadRequest(wanted))) => wanted,
                Some(Ok(LinearReadEvent::Record { data, opcode })) => {
                    self.data.clear();
                    self.data.extend_from_slice(data);
                    return Ok(Some(opcode));
                }
                Some(Err(error)) => return Err(self.wrong(error)),
            };
            let place = self.records.insert(wanted.min(BLOCK));
            let count = match self.file.read(place) {
                Ok(count) => count,
                Err(error) => return Err(Error::at(self.name(), reason(&error))),
            };
            self.records.notify_read(count);
        }
    }
}

/// Bytes of a message's record before the message itself.
const MESSAGE_HEADER: usize = 22;
