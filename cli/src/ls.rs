//! `strait ls`: the named regions.

use strait::RegionName;

use crate::error::{Error, Result};
use crate::observe;
use crate::print;
use crate::region_arg::RegionArg;
use crate::text;

/// Lists the named regions: name, size, how many participants are alive, channels.
pub fn run() -> Result<()> {
    let names = RegionName::list().map_err(|error| Error::failed(error.to_string()))?;
    if names.is_empty() {
        print::note("there are no named regions");
        return Ok(());
    }
    let mut rows = vec![["NAME", "SIZE", "ALIVE", "CHANNELS"].map(String::from).to_vec()];
    rows.extend(names.into_iter().map(row));
    print::out(&text::table(&rows, &[0, 3]))
}

fn row(name: String) -> Vec<String> {
    let shown = text::printable(&name);
    let arg = RegionArg::Named(name);
    let opened = arg
        .region()
        .and_then(|region| observe::open(&arg, &region).map_err(|error| Error::failed(error.to_string())));
    match opened {
        Ok(attachment) => {
            let channels = attachment
                .channels()
                .filter(|entry| entry.lane.index == 0 && entry.fanout.index == 0)
                .filter_map(|entry| entry.name().map(text::printable));
            let channels: Vec<String> = channels.collect();
            let size = text::bytes(u64::from(attachment.header().total_len));
            vec![shown, size, observe::living(&attachment).len().to_string(), channels.join(", ")]
        }
        Err(error) => vec![shown, "?".into(), "?".into(), format!("({})", text::printable(error.line()))],
    }
}
