//! `strait ls`: the named regions.

use strait::RegionName;

use crate::error::{Error, Result};
use crate::look;
use crate::place::Place;
use crate::text;

/// Lists the named regions: name, size, how many participants are alive, channels.
pub fn run() -> Result<()> {
    let names = RegionName::list().map_err(|error| Error::failed(error.to_string()))?;
    if names.is_empty() {
        text::note("there are no named regions");
        return Ok(());
    }
    let mut rows = vec![["NAME", "SIZE", "ALIVE", "CHANNELS"].map(String::from).to_vec()];
    rows.extend(names.into_iter().map(row));
    text::out(&text::table(&rows, &[0, 3]))
}

fn row(name: String) -> Vec<String> {
    let shown = text::printable(&name);
    let place = Place::Named(name);
    let opened = place
        .region()
        .and_then(|region| look::open(&place, &region).map_err(|error| Error::failed(error.to_string())));
    match opened {
        Ok(attachment) => {
            let channels = attachment.channels().filter_map(|entry| entry.name().map(text::printable));
            let channels: Vec<String> = channels.collect();
            let size = text::bytes(u64::from(attachment.header().total_len));
            vec![shown, size, look::living(&attachment).len().to_string(), channels.join(", ")]
        }
        Err(error) => vec![shown, "?".into(), "?".into(), format!("({})", text::printable(error.line()))],
    }
}
