//! Zenoh's session, and the keys.

use std::path::Path;

use zenoh::key_expr::KeyExpr;
use zenoh::{Config, Session, Wait};

use crate::args::Wanted;

/// The key under which the region's types are asked for.
pub const TYPES: &str = "@types";
/// The key under which the bridge's counts are asked for.
pub const STATS: &str = "@stats";
/// Behind a channel's key: which message comes next.
pub const NEXT: &str = "@next";
/// Behind a channel's key: which message a receiving bridge waits for.
pub const TAKEN: &str = "@taken";

/// Opens the session that the user asked for. Without a file of Zenoh's it looks for nobody, and listens and connects
/// only where it is told.
///
/// # Errors
///
/// What is wrong, and with what.
pub fn open(wanted: &Wanted) -> Result<Session, String> {
    let mut config = match &wanted.config {
        Some(path) => from_file(path)?,
        None => {
            let mut config = Config::default();
            for key in ["scouting/multicast/enabled", "scouting/gossip/enabled"] {
                insert(&mut config, key, "false")?;
            }
            insert(&mut config, "mode", "\"peer\"")?;
            insert(&mut config, "listen/endpoints", "[]")?;
            config
        }
    };
    for (key, endpoints) in [("listen/endpoints", &wanted.listen), ("connect/endpoints", &wanted.connect)] {
        if !endpoints.is_empty() {
            insert(&mut config, key, &serde_json::json!(endpoints).to_string())?;
        }
    }
    zenoh::open(config).wait().map_err(|error| format!("the Zenoh session cannot be opened: {error}"))
}

fn from_file(path: &Path) -> Result<Config, String> {
    Config::from_file(path)
        .map_err(|error| format!("{}: is no Zenoh configuration that can be read: {error}", path.display()))
}

fn insert(config: &mut Config, key: &str, value: &str) -> Result<(), String> {
    config.insert_json5(key, value).map_err(|error| format!("Zenoh does not take {value} as {key}: {error}"))
}

/// A key under the prefix that the user gave.
///
/// # Errors
///
/// The prefix or the channel's name is none that Zenoh takes.
pub fn key(prefix: &str, parts: &[&str]) -> Result<KeyExpr<'static>, String> {
    let text = [&[prefix], parts].concat().join("/");
    let bad = |why: String| format!("'{text}' cannot be a key of Zenoh: {why}");
    let key = KeyExpr::try_from(text.clone()).map_err(|error| bad(error.to_string()))?;
    if key.is_wild() { Err(bad("it has a wildcard".into())) } else { Ok(key.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn names_that_mean_something_to_zenoh_are_refused() {
        assert_eq!(key("plant/arm", &["torque", "@next"]).expect("a key").as_str(), "plant/arm/torque/@next");
        for (prefix, name) in
            [("plant/", "torque"), ("", "torque"), ("plant", "a*"), ("plant", "**"), ("plant", "a#b")]
        {
            assert!(key(prefix, &[name]).is_err(), "{prefix} {name}");
        }
    }
}
