//! A channel as topics of an MCAP file.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufWriter;

use mcap::records::MessageHeader;
use mcap::{McapError, Writer};
use serde_json::json;
use strait::observe::Observed;

use crate::error::Error;
use crate::region_arg::RegionArg;
use crate::see::types::Tree;
use crate::see::{Followed, Scene, value};

use super::schema;

/// The file that is recorded into.
pub type File = Writer<BufWriter<fs::File>>;

/// Why a message was not recorded.
pub enum Failed {
    File(McapError),
    Tool(Error),
}

/// A channel that is recorded, and the topics that it is recorded as.
pub struct Topic {
    followed: Followed,
    /// Its name among the topics.
    name: String,
    json: Option<u16>,
    raw: Option<u16>,
    /// The topic of the region that tells what was missed.
    missed: u16,
    /// How many messages were seen.
    pub seen: u64,
    /// How many missed messages that topic knows of.
    told: u64,
}

/// The part of a topic's name that names the region.
fn region_name(arg: &RegionArg) -> String {
    match arg {
        RegionArg::Named(name) => name.clone(),
        RegionArg::At(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

impl Topic {
    /// Puts the channel's topics into the file.
    pub fn new(file: &mut File, scene: &Scene, followed: Followed, raw: bool) -> Result<Self, McapError> {
        let region = region_name(&scene.arg);
        let name = format!("/{region}/{}", followed.title());
        let entry = &followed.entry;
        let about = BTreeMap::from([
            ("kind".to_owned(), entry.kind.name().to_owned()),
            ("type_hash".to_owned(), format!("{:016x}", entry.type_hash)),
        ]);
        let json = match &followed.ty {
            Some(ty) => {
                let title = if ty.name.is_empty() { followed.name.clone() } else { ty.name.clone() };
                let schema = file.add_schema(&title, "jsonschema", schema::of(ty).to_string().as_bytes())?;
                Some(file.add_channel(schema, &name, "json", &about)?)
            }
            None => None,
        };
        let raw = match json {
            None => Some(file.add_channel(0, &name, "raw", &about)?),
            Some(_) if raw => Some(file.add_channel(0, &format!("{name}/raw"), "raw", &about)?),
            Some(_) => None,
        };
        let of_missed = json!({ "type": "object", "properties": {
            "topic": { "type": "string" },
            "missed": { "type": "integer", "description": "messages of the topic that were not seen, in all" },
        } });
        let schema = file.add_schema("strait.Missed", "jsonschema", of_missed.to_string().as_bytes())?;
        let missed = file.add_channel(schema, &format!("/{region}/missed"), "json", &BTreeMap::new())?;
        Ok(Self { followed, name, json, raw, missed, seen: 0, told: 0 })
    }

    /// The channel.
    pub fn followed(&self) -> &Followed {
        &self.followed
    }

    /// Its name among the topics.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Records what has come, and shows it to `also`; returns how many messages.
    pub fn take(&mut self, file: &mut File, now: u64, mut also: impl FnMut(&[u8])) -> Result<usize, Failed> {
        let Self { followed, json, raw, seen: count, .. } = self;
        let mut failed = None;
        let taken = followed.take(|followed, seen, bytes| {
            *count += 1;
            also(bytes);
            let written = write(file, followed, (*json, *raw), seen, bytes, now);
            written.map_err(|error| {
                failed = Some(error);
                Error::failed("the file cannot be written")
            })
        });
        match (failed, taken) {
            (Some(error), _) => Err(Failed::File(error)),
            (None, taken) => taken.map_err(Failed::Tool),
        }
    }

    /// Records how many messages were missed, if that has changed.
    pub fn tell_missed(&mut self, file: &mut File, now: u64) -> Result<(), McapError> {
        let missed = self.missed();
        if missed == self.told {
            return Ok(());
        }
        self.told = missed;
        let told = json!({ "topic": self.name, "missed": missed });
        let header = MessageHeader { channel_id: self.missed, sequence: 0, log_time: now, publish_time: now };
        file.write_to_known_channel(&header, told.to_string().as_bytes())
    }

    /// How many messages were missed in all.
    pub fn missed(&self) -> u64 {
        self.followed.missed()
    }
}

fn write(
    file: &mut File,
    followed: &Followed,
    (json, raw): (Option<u16>, Option<u16>),
    seen: &Observed,
    bytes: &[u8],
    now: u64,
) -> Result<(), McapError> {
    let header = |channel_id| {
        // When it was sent is not known: it was seen at once, or as soon as its turn came.
        MessageHeader { channel_id, sequence: seen.number as u32, log_time: now, publish_time: now }
    };
    // A latest value of another length than its type is recorded as it is.
    let ty = followed.ty.as_ref().filter(|ty| ty.tree.size() == bytes.len());
    if let (Some(channel), Some(ty)) = (json, ty) {
        let mut object = String::with_capacity(8 * bytes.len());
        let is_alone = !matches!(ty.tree, Tree::Struct(_));
        if is_alone {
            object.extend(["{\"", schema::ALONE, "\":"]);
        }
        value::write_json(&ty.tree, bytes, &mut object);
        if is_alone {
            object.push('}');
        }
        file.write_to_known_channel(&header(channel), object.as_bytes())?;
    }
    match raw {
        Some(channel) => file.write_to_known_channel(&header(channel), bytes),
        None => Ok(()),
    }
}
