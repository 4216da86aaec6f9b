//! A channel as topics of an MCAP file.

use std::collections::BTreeMap;

use mcap::McapError;
use mcap::records::MessageHeader;
use serde_json::{Value, json};
use strait::observe::Observed;

use crate::error::Error;
use crate::region_arg::RegionArg;
use crate::see::value::template::Template;
use crate::see::{Followed, Scene, schema};

use super::output::File;

/// Bytes of a text whose memory is kept for the next one.
const KEPT: usize = 1 << 16;

/// Why a message was not recorded.
pub enum Failed {
    File(McapError),
    Tool(Error),
}

/// A channel that is recorded, and the topics that it is recorded as.
pub struct Topic {
    followed: Followed,
    region: String,
    /// Its name among the topics.
    name: String,
    has_raw: bool,
    ids: Ids,
    /// How its values are written, if their type is known.
    template: Option<Template>,
    /// The value that is written; its place is used again and again.
    text: Vec<u8>,
    /// How many messages were seen.
    pub seen: u64,
    /// How many missed messages the topic of the region that tells so knows of.
    told: u64,
}

/// The channel's topics in the file at hand.
#[derive(Clone, Copy, Default)]
struct Ids {
    json: Option<u16>,
    raw: Option<u16>,
    /// The topic of the region that tells what was missed.
    missed: u16,
    /// The topic of the region that tells the tags of messages, of one without a type.
    tags: Option<u16>,
    /// The tag that it has told last.
    tag: u32,
}

/// The part of a topic's name that names the region.
pub fn region_name(arg: &RegionArg) -> String {
    match arg {
        RegionArg::Named(name) => name.clone(),
        RegionArg::At(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

impl Topic {
    /// The topics of a channel; in no file yet.
    pub fn new(scene: &Scene, followed: Followed, raw: bool) -> Self {
        let region = region_name(&scene.arg);
        let name = format!("/{region}/{}", followed.topic());
        let has_raw = raw || followed.ty.is_none();
        let template = followed.ty.as_ref().map(|ty| Template::new(&ty.tree));
        let (ids, text) = (Ids::default(), Vec::new());
        Self { followed, region, name, has_raw, ids, template, text, seen: 0, told: 0 }
    }

    /// Puts the topics into a new file.
    pub fn begin(&mut self, file: &mut File) -> Result<(), McapError> {
        let Self { followed, region, name, has_raw, ids, .. } = self;
        let entry = &followed.entry;
        let about = BTreeMap::from([
            ("region".to_owned(), region.clone()),
            ("channel".to_owned(), followed.name.clone()),
            ("lane".to_owned(), entry.lane.index.to_string()),
            ("kind".to_owned(), entry.kind.name().to_owned()),
            ("type_hash".to_owned(), format!("{:016x}", entry.type_hash)),
        ]);
        *ids = Ids::default();
        if let Some(ty) = &followed.ty {
            let title = if ty.name.is_empty() { followed.name.clone() } else { ty.name.clone() };
            let schema = file.add_schema(&title, "jsonschema", schema::of(ty).to_string().as_bytes())?;
            ids.json = Some(file.add_channel(schema, name, "json", &about)?);
        }
        if *has_raw {
            let topic = if ids.json.is_some() { format!("{name}/raw") } else { name.clone() };
            ids.raw = Some(file.add_channel(0, &topic, "raw", &about)?);
        }
        let schema = file.add_schema("strait.Missed", "jsonschema", of_missed().to_string().as_bytes())?;
        ids.missed = file.add_channel(schema, &format!("/{region}/missed"), "json", &BTreeMap::new())?;
        if entry.type_hash == 0 {
            let schema = file.add_schema("strait.Tag", "jsonschema", of_tags().to_string().as_bytes())?;
            let about = BTreeMap::from([("tags".to_owned(), region.clone())]);
            ids.tags = Some(file.add_channel(schema, &format!("/{region}/tags"), "json", &about)?);
        }
        Ok(())
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
        let Self { followed, name, ids, template, text, seen: count, .. } = self;
        let mut failed = None;
        let taken = followed.take(|_, seen, bytes| {
            *count += 1;
            also(bytes);
            let told = tell_tag(file, name, ids, seen, now);
            let template = template.as_ref();
            told.and_then(|()| write(file, ids, template, text, seen, bytes, now)).map_err(|error| {
                failed = Some(error);
                Error::failed("the file cannot be written")
            })
        });
        text.clear();
        text.shrink_to(KEPT);
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
        let header =
            MessageHeader { channel_id: self.ids.missed, sequence: 0, log_time: now, publish_time: now };
        file.write_to_known_channel(&header, told.to_string().as_bytes())
    }

    /// How many messages were missed in all.
    pub fn missed(&self) -> u64 {
        self.followed.missed()
    }
}

fn of_missed() -> Value {
    json!({ "type": "object", "properties": {
        "topic": { "type": "string" },
        "missed": { "type": "integer", "description": "messages of the topic that were not seen, in all" },
    } })
}

fn of_tags() -> Value {
    json!({ "type": "object", "properties": {
        "topic": { "type": "string" },
        "tag": { "type": "integer", "description": "the tag of the topic's messages from here on; 0 before" },
    } })
}

/// Records the tag of a message if it is another than that of the one before.
fn tell_tag(file: &mut File, name: &str, ids: &mut Ids, seen: &Observed, now: u64) -> Result<(), McapError> {
    let Some(channel_id) = ids.tags.filter(|_| ids.tag != seen.tag) else { return Ok(()) };
    ids.tag = seen.tag;
    let told = json!({ "topic": name, "tag": seen.tag });
    let header = MessageHeader { channel_id, sequence: seen.number as u32, log_time: now, publish_time: now };
    file.write_to_known_channel(&header, told.to_string().as_bytes())
}

fn write(
    file: &mut File,
    ids: &Ids,
    template: Option<&Template>,
    text: &mut Vec<u8>,
    seen: &Observed,
    bytes: &[u8],
    now: u64,
) -> Result<(), McapError> {
    let header = |channel_id| {
        // When it was sent is not known: it was seen at once, or as soon as its turn came.
        MessageHeader { channel_id, sequence: seen.number as u32, log_time: now, publish_time: now }
    };
    // A latest value of another length than its type is recorded as it is.
    let template = template.filter(|template| template.size() == bytes.len());
    if let (Some(channel), Some(template)) = (ids.json, template) {
        text.clear();
        template.write(bytes, text);
        file.write_to_known_channel(&header(channel), text)?;
    }
    match ids.raw {
        Some(channel) => file.write_to_known_channel(&header(channel), bytes),
        None => Ok(()),
    }
}
