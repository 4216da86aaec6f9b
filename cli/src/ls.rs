//! `strait ls`: the named regions.

use serde_json::{Value, json};
use strait::{Region, RegionName};

use crate::args::Ls;
use crate::error::{Error, Result};
use crate::observe;
use crate::print;
use crate::region_arg::RegionArg;
use crate::text;

/// Lists the named regions: name, size, how many participants are alive, channels.
pub fn run(wanted: &Ls) -> Result<()> {
    let names = RegionName::list().map_err(|error| Error::failed(error.to_string()))?;
    let seen = names.into_iter().map(|name| {
        let arg = RegionArg::Named(name.clone());
        let opened = arg.region().and_then(|region| {
            observe::open(&arg, &region).map_err(|error| Error::failed(error.to_string()))
        });
        (name, opened)
    });
    if wanted.json {
        let regions: Vec<Value> = seen.map(|(name, opened)| json_of(&name, opened)).collect();
        return print::out(&format!("{}\n", json!({ "regions": regions })));
    }
    let mut rows = vec![["NAME", "SIZE", "ALIVE", "CHANNELS"].map(String::from).to_vec()];
    rows.extend(seen.map(|(name, opened)| row(&name, opened)));
    if rows.len() == 1 {
        print::note("there are no named regions");
        return Ok(());
    }
    print::out(&text::table(&rows, &[0, 3]))
}

/// The names of a region's channels.
fn channels(region: &Region) -> Vec<String> {
    let each_once = region.channels().filter(|entry| entry.lane.index == 0 && entry.fanout.index == 0);
    each_once.filter_map(|entry| entry.name().map(text::printable)).collect()
}

fn row(name: &str, opened: Result<Region>) -> Vec<String> {
    let shown = text::printable(name);
    match opened {
        Ok(region) => {
            let size = text::bytes(u64::from(region.header().total_len));
            vec![shown, size, observe::living(&region).len().to_string(), channels(&region).join(", ")]
        }
        Err(error) => vec![shown, "?".into(), "?".into(), format!("({})", text::printable(error.line()))],
    }
}

fn json_of(name: &str, opened: Result<Region>) -> Value {
    match opened {
        Ok(region) => json!({
            "name": name,
            "bytes": region.header().total_len,
            "alive": observe::living(&region).len(),
            "participants": observe::participants(&region).len(),
            "channels": channels(&region),
        }),
        Err(error) => json!({ "name": name, "error": error.line() }),
    }
}
