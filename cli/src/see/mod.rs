//! Looking on: the channels of a region, followed without a role, with the types that the region describes.

#[cfg(any(feature = "record", feature = "serve"))]
pub mod schema;
pub mod sender;
pub mod show;
pub mod types;
pub mod value;

use std::rc::Rc;

use strait::format::describe::Description;
use strait::format::{Entry, Kind};
use strait::observe::{Begin, Follower, Observed};
use strait::port::Port;
use strait::{OpenError, Region, RegionOptions, SystemPort};

use crate::error::{Error, Result};
use crate::observe;
use crate::print;
use crate::region_arg::RegionArg;

use types::Type;

/// Messages taken from one channel before the next one's turn comes.
const TURN: usize = 256;

/// A region that is looked at.
pub struct Scene {
    /// What the user called it.
    pub arg: RegionArg,
    region: Region,
    /// Whether this is a copy of a region that others can cut short.
    pub is_copy: bool,
    /// Whether it is a copy, or one in a file in which nobody takes part: nothing changes there any more.
    pub is_still: bool,
    description: String,
}

/// A channel that is followed, or one lane of it.
pub struct Followed {
    /// Its name.
    #[cfg(feature = "record")]
    pub name: String,
    pub entry: Entry,
    /// The type of its values, if that is known.
    pub ty: Option<Rc<Type>>,
    follower: Follower<SystemPort>,
    buffer: Vec<u8>,
    has_failed: bool,
}

impl Scene {
    /// Opens a region to look at it, with the types that it describes.
    pub fn open(arg: &RegionArg) -> Result<Self> {
        let mut scene = Self::open_undescribed(arg)?;
        if scene.is_copy && !observe::living(&scene.region).is_empty() {
            print::note(&format!(
                "{arg}: other users may change its length, so only what is there now is shown; run as its owner, and \
                 give it a mode that lets no others write, to see what comes"
            ));
        }
        scene.description = describe(&scene.region).unwrap_or_else(|error| {
            print::note(&format!("{arg}: {error}"));
            String::new()
        });
        Ok(scene)
    }

    /// Opens a region to look at it.
    pub fn open_undescribed(arg: &RegionArg) -> Result<Self> {
        let place = arg.region()?;
        // A live one is mapped. One that others can cut short meanwhile is copied.
        let (region, is_copy) = match place.open(&RegionOptions::new().read_only(true)) {
            Ok(region) => (region, false),
            Err(_) => match observe::open(arg, &place) {
                Ok(region) => (region, true),
                Err(OpenError::NotFound) => return Err(arg.not_found()),
                Err(error) => return Err(Error::at(arg, error)),
            },
        };
        let is_file = matches!(arg, RegionArg::At(_));
        let is_still = is_copy || is_file && observe::living(&region).is_empty();
        Ok(Self { arg: arg.clone(), region, is_copy, is_still, description: String::new() })
    }

    /// Opens a region that may come and go, and says nothing if it cannot.
    #[cfg(feature = "serve")]
    pub fn open_quietly(arg: &RegionArg) -> Option<Self> {
        Self::open(arg).ok()
    }

    /// The region itself.
    #[cfg(any(feature = "record", feature = "serve", feature = "top"))]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// What the region says of its types.
    #[cfg(feature = "record")]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether the region still is under its name.
    pub fn is_current(&self) -> bool {
        self.region.port().is_current().unwrap_or(true)
    }

    /// The channels that can be followed.
    pub fn entries(&self) -> Vec<Entry> {
        self.region.channels().filter(can_be_followed).collect()
    }

    /// The kind of the channel of this name, if there is one.
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        self.region.channels().find(|entry| entry.name() == Some(name)).map(|entry| entry.kind)
    }

    /// The type of a channel's values, if it is known.
    pub fn type_of(&self, entry: &Entry) -> Option<Rc<Type>> {
        Type::of_channel(entry, &self.description).map(Rc::new)
    }

    /// Follows a channel; from what is there if `oldest`, or nothing will come.
    pub fn follow(&self, entry: &Entry, oldest: bool) -> Result<Followed> {
        let begin = if oldest || self.is_still { Begin::Oldest } else { Begin::Newest };
        let name = entry.name().unwrap_or_default().to_owned();
        let follower = Follower::open(&self.region, entry, begin)
            .map_err(|error| Error::at(format!("{}, {name}", self.arg), error))?;
        let buffer = vec![0; entry.max_len as usize];
        Ok(Followed {
            #[cfg(feature = "record")]
            name,
            entry: *entry,
            ty: self.type_of(entry),
            follower,
            buffer,
            has_failed: false,
        })
    }
}

/// Whether a channel has messages to look at.
fn can_be_followed(entry: &Entry) -> bool {
    // Of a queue with several consumers, only the first part has messages.
    let has_messages = entry.kind.is_queue() || matches!(entry.kind, Kind::Latest | Kind::Broadcast);
    has_messages && entry.fanout.consumer().is_none()
}

/// The name of a channel, and of one of several lanes its number.
pub fn title(entry: &Entry) -> String {
    let name = entry.name().unwrap_or_default();
    match entry.lane.is_one_of_many() {
        true => format!("{name}[{}]", entry.lane.index),
        false => name.to_owned(),
    }
}

/// The field that `word` names of this channel, or of this lane of it; empty if that is the channel itself. A lane is
/// named as people see it, `log[3]`, or as a topic has it, `log/3`.
pub fn field_of<'w>(entry: &Entry, word: &'w str) -> Option<&'w str> {
    let rest = word.strip_prefix(entry.name()?)?;
    let lane =
        |form: String| rest.strip_prefix(&*form).filter(|rest| rest.is_empty() || rest.starts_with('.'));
    let index = entry.lane.index;
    let of_lane = || lane(format!("[{index}]")).or_else(|| lane(format!("/{index}")));
    let rest = entry.lane.is_one_of_many().then(of_lane).flatten().unwrap_or(rest);
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.').filter(|field| !field.is_empty()) }
}

/// A region's description; empty if it has none.
pub fn describe(region: &Region) -> std::result::Result<String, strait::format::describe::DescriptionError> {
    let mem = region.port().mem();
    let Some(found) = Description::find(mem, region.header())? else { return Ok(String::new()) };
    let mut text = vec![0; found.len()];
    Ok(found.read(mem, &mut text)?.to_owned())
}

impl Followed {
    /// The name, and of one of several lanes its number, as `strait inspect` has it.
    pub fn title(&self) -> String {
        title(&self.entry)
    }

    /// The same as a part of a topic's name.
    #[cfg(feature = "record")]
    pub fn topic(&self) -> String {
        match self.lane() {
            Some(lane) => format!("{}/{lane}", self.name),
            None => self.name.clone(),
        }
    }

    /// The number of the lane, of one of several.
    #[cfg(feature = "record")]
    fn lane(&self) -> Option<u32> {
        self.entry.lane.is_one_of_many().then_some(self.entry.lane.index)
    }

    /// How many messages were missed in all.
    #[cfg(any(feature = "record", feature = "serve"))]
    pub fn missed(&self) -> u64 {
        self.follower.missed()
    }

    /// Gives each message that has come to `each`, at most a turn of them; returns how many there were. A channel that
    /// is found damaged is reported once, and then left alone.
    pub fn take(&mut self, each: impl FnMut(&Self, &Observed, &[u8]) -> Result<()>) -> Result<usize> {
        self.take_at_most(TURN, each)
    }

    /// As [`take`](Self::take), so many messages at most.
    pub fn take_at_most(
        &mut self,
        most: usize,
        mut each: impl FnMut(&Self, &Observed, &[u8]) -> Result<()>,
    ) -> Result<usize> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut count = 0;
        while count < most && !self.has_failed {
            match self.follower.look(&mut buffer) {
                Ok(None) => break,
                Ok(Some(seen)) => {
                    let len = seen.len.min(buffer.len());
                    each(self, &seen, &buffer[..len])?;
                    count += 1;
                }
                Err(violation) => {
                    self.has_failed = true;
                    print::note(&format!("{}: {violation}; it is not followed any further", self.title()));
                }
            }
        }
        self.buffer = buffer;
        Ok(count)
    }
}
