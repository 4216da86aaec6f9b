//! The channels of a recording, and what becomes of their messages.

use std::collections::HashMap;
use std::rc::Rc;

use mcap::records::{Channel, MessageHeader};
use serde_json::Value;
use strait::Region;
use strait::format::Entry;

use crate::args::Play;
use crate::error::{Error, Result};
use crate::observe;
use crate::print;
use crate::record::plan::PlannedRegion;
use crate::region_arg::RegionArg;
use crate::see::sender::{self, Sender, Sent};
use crate::see::types::{Tree, Type};
use crate::see::{self, Scene, schema, value};
use crate::text::printable;

use super::Tried;
use super::check::Check;
use super::expect::Message;

/// A region that is played into.
struct Place {
    /// As the recording calls it.
    name: String,
    description: String,
    arg: RegionArg,
    region: Region,
    scene: Scene,
}

/// A channel of the recording, or one lane of it.
struct Track {
    region: usize,
    name: String,
    lane: u32,
    title: String,
    topic: String,
    /// The tag of the next message.
    tag: u32,
    /// Whether the bytes are recorded beside the fields.
    has_raw: bool,
    /// The number of the message before.
    last: Option<u32>,
    ty: Option<Rc<Type>>,
    end: End,
}

/// Where a track's messages go.
enum End {
    Sent(Box<Sender>),
    Checked(Box<Check>),
    Skipped,
}

impl Track {
    /// Whether the user means it by this word: all of a channel, or a lane as it is shown or as its topic has it.
    fn is_named(&self, word: &str) -> bool {
        word == self.name || word == self.title || word == format!("{}/{}", self.name, self.lane)
    }
}

/// What a channel of the file is.
#[derive(Clone, Copy)]
enum Role {
    Json(usize),
    Raw(usize),
    Tags,
    Other,
}

/// A message on its way.
pub struct Sending {
    track: usize,
    is_checked: bool,
    message: Message,
}

impl Sending {
    /// Whether it is an answer to be compared.
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }
}

/// All channels.
pub struct Tracks<'a> {
    wanted: &'a Play,
    places: Vec<Place>,
    tracks: Vec<Track>,
    /// By the ids of the file at hand.
    roles: HashMap<u16, Role>,
}

impl<'a> Tracks<'a> {
    /// Of no file yet.
    pub fn new(wanted: &'a Play) -> Self {
        Self { wanted, places: Vec::new(), tracks: Vec::new(), roles: HashMap::new() }
    }

    /// Forgets the ids of the file before.
    pub fn next_file(&mut self) {
        self.roles.clear();
    }

    /// Whether there is no channel.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// Opens a region of the recording, or makes it.
    pub fn region(&mut self, planned: PlannedRegion) -> Result<()> {
        if self.places.iter().any(|place| place.name == planned.name) {
            return Ok(());
        }
        let arg = match &self.wanted.into {
            Some(_) if !self.places.is_empty() => {
                return Err(Error::failed(
                    "has several regions, and --into names one; play it without --into",
                ));
            }
            Some(arg) => arg.clone(),
            None => RegionArg::parse(planned.name.clone().into()).map_err(|why| {
                let name = printable(&planned.name);
                Error::failed(format!("'{name}' is no name of a region: {why}; give another one with --into"))
            })?,
        };
        let place = arg.region()?;
        let region = match observe::join_if_there(&arg, &place)? {
            Some(region) => region,
            None => {
                let region = planned.create(&place).map_err(|why| Error::at(&arg, why))?;
                print::note(&format!("{arg}: was made here, and stays"));
                region
            }
        };
        let scene = Scene::open(&arg)?;
        let PlannedRegion { name, description, .. } = planned;
        self.places.push(Place { name, description, arg, region, scene });
        Ok(())
    }

    /// Takes a channel of the file, and its role in the region.
    pub fn channel(&mut self, channel: &Channel) -> Result<()> {
        if self.roles.contains_key(&channel.id) {
            return Ok(());
        }
        let role = self.role(channel)?;
        self.roles.insert(channel.id, role);
        Ok(())
    }

    fn role(&mut self, channel: &Channel) -> Result<Role> {
        let about = |key: &str| channel.metadata.get(key).map(String::as_str);
        if about("tags").is_some() {
            return Ok(Role::Tags);
        }
        let (Some(region), Some(name)) = (about("region"), about("channel")) else { return Ok(Role::Other) };
        let Some(region) = self.places.iter().position(|place| place.name == region) else {
            return Ok(Role::Other);
        };
        let lane: u32 = about("lane").and_then(|lane| lane.parse().ok()).unwrap_or(0);
        let hash = about("type_hash").and_then(|hash| u64::from_str_radix(hash, 16).ok()).unwrap_or(0);
        let topic = channel.topic.strip_suffix("/raw").filter(|_| hash != 0).unwrap_or(&channel.topic);
        let known = self.tracks.iter().position(|track| track.region == region && track.topic == topic);
        let n = match known {
            Some(n) => n,
            None => {
                let track = self.open(region, name, lane, hash, topic)?;
                self.tracks.push(track);
                self.tracks.len() - 1
            }
        };
        if channel.message_encoding == "json" {
            return Ok(Role::Json(n));
        }
        self.tracks[n].has_raw = true;
        Ok(Role::Raw(n))
    }

    fn open(&self, region: usize, name: &str, lane: u32, hash: u64, topic: &str) -> Result<Track> {
        let place = &self.places[region];
        let at = format!("{}, {}", place.arg, printable(name));
        let fail = |why: String| Error::at(&at, why);
        let all = place.region.channels();
        let entry: Option<Entry> = all
            .filter(|entry| entry.name() == Some(name) && entry.fanout.consumer().is_none())
            .find(|entry| entry.lane.index == lane);
        let title = entry.as_ref().map_or_else(|| name.to_owned(), see::title);
        let mut track = Track {
            region,
            name: name.to_owned(),
            lane,
            title,
            topic: topic.to_owned(),
            tag: 0,
            has_raw: false,
            last: None,
            ty: None,
            end: End::Skipped,
        };
        if self.wanted.skip.iter().any(|word| track.is_named(word)) {
            return Ok(track);
        }
        let entry = entry.ok_or_else(|| {
            fail("the region has no such channel, but the recording has; leave it out with --skip".into())
        })?;
        if entry.type_hash != hash {
            return Err(fail(
                "the region's channel has another type than the recorded one; leave it out with --skip"
                    .into(),
            ));
        }
        sender::check_kind(&entry).map_err(fail)?;
        track.ty =
            place.scene.type_of(&entry).or_else(|| Type::of_channel(&entry, &place.description).map(Rc::new));
        track.end = if self.wanted.check.iter().any(|word| track.is_named(word)) {
            let followed = place.scene.follow(&entry, false)?;
            End::Checked(Box::new(Check::new(&place.region, followed, track.ty.clone())))
        } else {
            let advice = "leave it out with --skip, or compare it with --check";
            sender::check_free(&place.region, &entry).map_err(|why| fail(format!("{why}; or {advice}")))?;
            End::Sent(Box::new(Sender::open(&place.region, &entry, lane).map_err(fail)?))
        };
        Ok(track)
    }

    /// Takes a message of the file; returns it if it goes somewhere.
    pub fn message(&mut self, header: &MessageHeader, data: &[u8]) -> Result<Option<Sending>> {
        let (n, is_json) = match self.roles.get(&header.channel_id) {
            Some(Role::Json(n)) => (*n, true),
            Some(Role::Raw(n)) => (*n, false),
            Some(Role::Tags) => return self.take_tag(data).map(|()| None),
            Some(Role::Other) | None => return Ok(None),
        };
        let track = &mut self.tracks[n];
        if is_json && track.has_raw || matches!(track.end, End::Skipped) {
            return Ok(None);
        }
        let is_checked = matches!(track.end, End::Checked(_));
        let lost = track.last.map_or(0, |last| header.sequence.wrapping_sub(last).wrapping_sub(1));
        if is_checked && lost != 0 {
            return Err(Error::failed(format!(
                "{}: the recorder missed messages before number {}, so answers cannot be compared",
                track.title, header.sequence
            )));
        }
        track.last = Some(header.sequence);
        let bytes = if is_json { from_json(track, data) } else { Ok(data.to_vec()) };
        let bytes = bytes.map_err(|why| {
            Error::failed(format!("message {} of {}: {}", header.sequence, track.title, printable(&why)))
        })?;
        Ok(Some(Sending { track: n, is_checked, message: Message { tag: track.tag, bytes } }))
    }

    fn take_tag(&mut self, data: &[u8]) -> Result<()> {
        let told: Value = serde_json::from_slice(data).unwrap_or_default();
        let tag = told["tag"].as_u64().and_then(|tag| u32::try_from(tag).ok());
        let (Some(topic), Some(tag)) = (told["topic"].as_str(), tag) else {
            return Err(Error::failed("a message of its topic of tags is damaged"));
        };
        if let Some(track) = self.tracks.iter_mut().find(|track| track.topic == topic) {
            track.tag = tag;
        }
        Ok(())
    }

    /// Tries to send a message.
    pub fn send(&mut self, sending: &Sending) -> Result<Tried> {
        let track = &mut self.tracks[sending.track];
        let End::Sent(sender) = &mut track.end else { return Ok(Tried::Done) };
        match sender.send(sending.message.tag, &sending.message.bytes) {
            Ok(Sent::Yes) => Ok(Tried::Done),
            Ok(Sent::Full) => {
                Ok(Tried::Not(format!("{}: there is no space, and nobody has received", track.title)))
            }
            Err(why) => Err(Error::at(&track.title, why)),
        }
    }

    /// Takes a recorded answer, if there is room for it.
    pub fn expect(&mut self, sending: &Sending) -> Result<Tried> {
        match &mut self.tracks[sending.track].end {
            End::Checked(check) => check.expect(&sending.message),
            End::Sent(_) | End::Skipped => Ok(Tried::Done),
        }
    }

    fn checks(&self) -> impl Iterator<Item = &Check> {
        self.tracks.iter().filter_map(|track| match &track.end {
            End::Checked(check) => Some(&**check),
            End::Sent(_) | End::Skipped => None,
        })
    }

    /// Looks for answers; returns how many have come.
    pub fn look(&mut self) -> Result<usize> {
        let mut came = 0;
        for track in &mut self.tracks {
            if let End::Checked(check) = &mut track.end {
                came += check.look()?;
            }
        }
        Ok(came)
    }

    /// Whether all recorded answers have come.
    pub fn is_settled(&mut self) -> Result<Tried> {
        let open = self.checks().map(Check::is_settled).find(|tried| matches!(tried, Tried::Not(_)));
        Ok(open.unwrap_or(Tried::Done))
    }

    /// Checks that no more answers have come than were recorded.
    pub fn check_surplus(&self) -> Result<()> {
        self.checks().try_for_each(Check::check_surplus)
    }

    /// Checks that what the user named is there.
    pub fn check_names(&self) -> Result<()> {
        for word in self.wanted.check.iter().chain(&self.wanted.skip) {
            if !self.tracks.iter().any(|track| track.is_named(word)) {
                let there: Vec<&str> = self.tracks.iter().map(|track| &*track.title).collect();
                let there = printable(&there.join(", "));
                return Err(Error::failed(format!(
                    "the recording has no channel '{word}'; there are: {there}"
                )));
            }
        }
        Ok(())
    }

    /// How many are the same of each channel of answers, for programs.
    pub fn compared(&self) -> Vec<Value> {
        self.checks().map(Check::json).collect()
    }

    /// Tells how many are the same, of each channel of answers.
    pub fn tell_compared(&self) -> Result<()> {
        print::out(&self.checks().map(Check::told).collect::<String>())
    }
}

/// The bytes of a message that was recorded as JSON.
fn from_json(track: &Track, data: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let ty = track.ty.as_ref().ok_or("the type of the channel is not known; record it with --raw")?;
    let recorded: Value = serde_json::from_slice(data).map_err(|error| error.to_string())?;
    match ty.tree {
        Tree::Struct(_) => value::from_json(&ty.tree, &recorded),
        _ => value::from_json(&ty.tree, &recorded[schema::ALONE]),
    }
}
