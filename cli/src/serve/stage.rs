//! The regions and channels that one client is told of.

use serde_json::{Value, json};
use strait::RegionName;
use strait::format::Entry;

use crate::region_arg::RegionArg;
use crate::see::types::Type;
use crate::see::{Scene, schema};

/// Regions at once, of those that nobody named.
const MAX_REGIONS: usize = 64;

/// The regions that a client sees.
pub struct Stage {
    /// Those that the user named; all named regions, if none.
    wanted: Vec<RegionArg>,
    regions: Vec<Shown>,
    next_id: u32,
}

/// A region that a client sees.
pub struct Shown {
    pub name: String,
    pub scene: Scene,
    pub channels: Vec<ShownChannel>,
    /// The channel that tells what was missed.
    pub missed: u32,
}

/// A channel that a client sees.
pub struct ShownChannel {
    pub id: u32,
    pub entry: Entry,
    pub topic: String,
}

/// What has changed.
#[derive(Default)]
pub struct Changes {
    /// Channels to advertise.
    pub come: Vec<Value>,
    /// The numbers of channels that are gone.
    pub gone: Vec<u32>,
}

impl Stage {
    /// Sees nothing yet.
    pub fn new(wanted: &[RegionArg]) -> Self {
        Self { wanted: wanted.to_vec(), regions: Vec::new(), next_id: 1 }
    }

    /// Looks which regions there are now. One that was replaced is another one.
    pub fn refresh(&mut self) -> Changes {
        let mut changes = Changes::default();
        self.regions.retain(|shown| {
            let stays = shown.scene.is_still || shown.scene.is_current();
            if !stays {
                changes.gone.extend(shown.channels.iter().map(|channel| channel.id));
                changes.gone.push(shown.missed);
            }
            stays
        });
        for arg in self.args() {
            let name = name_of(&arg);
            let is_new = self.regions.iter().all(|shown| shown.name != name);
            // One that cannot be opened may be in the making; it is tried again.
            if let (true, Some(scene)) = (is_new, Scene::open_quietly(&arg)) {
                let shown = self.show(name, scene);
                changes.come.extend(shown.advertised());
                self.regions.push(shown);
            }
        }
        changes
    }

    fn args(&self) -> Vec<RegionArg> {
        if !self.wanted.is_empty() {
            return self.wanted.clone();
        }
        let mut names = RegionName::list().unwrap_or_default();
        names.truncate(MAX_REGIONS);
        names.into_iter().map(RegionArg::Named).collect()
    }

    fn id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    fn show(&mut self, name: String, scene: Scene) -> Shown {
        let entries = scene.entries();
        let channels = entries
            .into_iter()
            .map(|entry| ShownChannel { id: self.id(), topic: topic(&name, &entry), entry })
            .collect();
        Shown { channels, missed: self.id(), name, scene }
    }

    /// The channel of this number, and its region.
    pub fn channel(&self, id: u32) -> Option<(&Shown, &ShownChannel)> {
        let mut all =
            self.regions.iter().flat_map(|shown| shown.channels.iter().map(move |one| (shown, one)));
        all.find(|(_, channel)| channel.id == id)
    }

    /// The channel of this topic, and its region.
    pub fn topic(&self, topic: &str) -> Option<(&Shown, &ShownChannel)> {
        let mut all =
            self.regions.iter().flat_map(|shown| shown.channels.iter().map(move |one| (shown, one)));
        all.find(|(_, channel)| channel.topic == topic)
    }

    /// Whether there is a channel of this number that tells what was missed.
    pub fn is_missed(&self, id: u32) -> bool {
        self.regions.iter().any(|shown| shown.missed == id)
    }
}

/// The part of topics that names a region.
fn name_of(arg: &RegionArg) -> String {
    match arg {
        RegionArg::Named(name) => name.clone(),
        RegionArg::At(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    }
}

fn topic(region: &str, entry: &Entry) -> String {
    let name = entry.name().unwrap_or_default();
    match entry.lane.is_one_of_many() {
        true => format!("/{region}/{name}/{}", entry.lane.index),
        false => format!("/{region}/{name}"),
    }
}

impl Shown {
    fn advertised(&self) -> Vec<Value> {
        let advertise = |id: u32, topic: &str, name: &str, schema: &Value| {
            json!({
                "id": id, "topic": topic, "encoding": "json", "schemaName": name,
                "schema": schema.to_string(), "schemaEncoding": "jsonschema",
            })
        };
        let mut all: Vec<Value> = self
            .channels
            .iter()
            .map(|channel| match self.scene.type_of(&channel.entry) {
                Some(ty) => {
                    advertise(channel.id, &channel.topic, title(&ty, &channel.entry), &schema::of(&ty))
                }
                None => advertise(channel.id, &channel.topic, "strait.Bytes", &of_bytes()),
            })
            .collect();
        all.push(advertise(self.missed, &format!("/{}/missed", self.name), "strait.Missed", &of_missed()));
        all
    }
}

fn title<'a>(ty: &'a Type, entry: &'a Entry) -> &'a str {
    if ty.name.is_empty() { entry.name().unwrap_or_default() } else { &ty.name }
}

/// The schema of a message whose type is not known.
fn of_bytes() -> Value {
    json!({ "type": "object", "properties": {
        "tag": { "type": "integer" },
        "bytes": { "type": "string", "description": "in hexadecimal" },
    } })
}

fn of_missed() -> Value {
    json!({ "type": "object", "properties": {
        "topic": { "type": "string" },
        "missed": { "type": "integer", "description": "messages of the topic that came too fast to be seen, in all" },
        "left_out": { "type": "integer", "description": "messages that were seen, and not sent as they were too many" },
    } })
}
