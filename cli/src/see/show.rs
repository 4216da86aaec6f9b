//! A message as a line: for people, or a JSON object.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use strait::format::Entry;

use crate::text::printable;

use super::types::Type;
use super::value::{self, Leaf, hex};

/// A message, and what is known of it.
pub struct Shown<'a> {
    pub entry: &'a Entry,
    pub ty: Option<&'a Type>,
    pub number: u64,
    pub tag: u32,
    /// How many messages before it were missed.
    pub missed: u64,
    pub bytes: &'a [u8],
    /// The fields to show; all, if empty.
    pub fields: &'a [String],
}

impl<'a> Shown<'a> {
    /// The fields to show, if the type of the message is known.
    pub fn leaves(&self) -> Option<Vec<Leaf<'a>>> {
        let mut leaves = self.ty?.leaves(self.bytes)?;
        let fields = self.fields;
        leaves.retain(|leaf| fields.is_empty() || fields.iter().any(|field| leaf.is_in(field)));
        Some(leaves)
    }

    /// The number of the lane, of one of several.
    fn lane(&self) -> Option<u32> {
        self.entry.lane.is_one_of_many().then_some(self.entry.lane.index)
    }

    /// The line for people.
    pub fn text(&self) -> String {
        let mut line = format!("{} #{} ", super::title(self.entry), self.number);
        match self.leaves() {
            Some(leaves) => {
                for leaf in leaves {
                    let equals = if leaf.path.is_empty() { "" } else { "=" };
                    line.push_str(&format!(" {}{equals}{}", leaf.path, leaf.text()));
                }
            }
            None => {
                if self.entry.type_hash == 0 {
                    line.push_str(&format!(" tag={}", self.tag));
                }
                line.push_str(&format!(" 0x{}", hex(self.bytes)));
            }
        }
        if self.missed > 0 {
            line.push_str(&format!("  ({} missed before)", self.missed));
        }
        printable(&line)
    }

    /// The line for programs.
    pub fn json(&self) -> Value {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut line = json!({
            "channel": self.entry.name(),
            "number": self.number,
            "missed": self.missed,
            "time_ns": u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        });
        if let Some(lane) = self.lane() {
            line["lane"] = json!(lane);
        }
        match (self.leaves(), self.ty) {
            (Some(_), Some(ty)) if self.fields.is_empty() => {
                line["value"] = value::json(&ty.tree, self.bytes)
            }
            (Some(leaves), _) => {
                let chosen: Map<String, Value> =
                    leaves.iter().map(|leaf| (leaf.path.clone(), leaf.json())).collect();
                line["value"] = Value::Object(chosen);
            }
            _ => {
                line["tag"] = json!(self.tag);
                line["bytes"] = json!(hex(self.bytes));
            }
        }
        line
    }
}
