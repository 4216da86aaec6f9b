//! Messages that a client sends into a region, where the user allows that.

use serde_json::Value;
use strait::format::Entry;

use crate::observe;
use crate::see::sender::{self, Sender, Sent};
use crate::see::types::Tree;
use crate::see::value::{from_hex, from_json};
use crate::see::{Scene, schema};

/// Sends one message, as `strait send` does: the sender's role is taken if nobody alive has it, and given back.
///
/// An error is a part of a line for the user.
pub fn publish(scene: &Scene, entry: &Entry, data: &[u8]) -> Result<(), String> {
    let (tag, bytes) = read(scene, entry, data)?;
    sender::check_kind(entry)?;
    sender::check_free(scene.region(), entry)?;
    let place = scene.arg.region().map_err(|error| error.line().to_owned())?;
    let region = observe::join(&scene.arg, &place).map_err(|error| error.line().to_owned())?;
    if region.header().instance != scene.region().header().instance {
        return Err("the region was replaced meanwhile; send again".into());
    }
    match Sender::open(&region, entry, entry.lane.index)?.send(tag, &bytes)? {
        Sent::Yes => Ok(()),
        Sent::Full => Err("there is no space; its receiver is behind".into()),
    }
}

/// The tag and the bytes of a message in JSON.
fn read(scene: &Scene, entry: &Entry, data: &[u8]) -> Result<(u32, Vec<u8>), String> {
    let value: Value = serde_json::from_slice(data).map_err(|error| error.to_string())?;
    if let Some(ty) = scene.type_of(entry) {
        let bytes = match ty.tree {
            Tree::Struct(_) => from_json(&ty.tree, &value)?,
            _ => from_json(&ty.tree, &value[schema::ALONE])?,
        };
        return Ok((0, bytes));
    }
    let tag = match &value["tag"] {
        Value::Null => 0,
        tag => tag.as_u64().and_then(|tag| u32::try_from(tag).ok()).ok_or("'tag' is no whole number")?,
    };
    let digits = value["bytes"].as_str().ok_or("'bytes' is missing; give two hexadecimal digits a byte")?;
    let bytes = from_hex(&format!("0x{digits}")).ok_or("'bytes' is not two hexadecimal digits a byte")?;
    Ok((tag, bytes))
}
