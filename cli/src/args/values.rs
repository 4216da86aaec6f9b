//! The values of arguments, each with the error that says what would do.

use std::time::Duration;

use crate::region_arg::RegionArg;

type Parsed<T> = std::result::Result<T, String>;

fn number(word: &str) -> Parsed<f64> {
    word.parse().map_err(|_| "not a number".to_string())
}

/// The length of a run.
pub fn demo_seconds(word: &str) -> Parsed<f64> {
    let seconds = number(word)?;
    if (0.1..=86_400.0).contains(&seconds) { Ok(seconds) } else { Err("give 0.1 to 86400 seconds".into()) }
}

/// The time from one kill to the next.
pub fn kill_every(word: &str) -> Parsed<Duration> {
    let millis = number(word)?;
    if (50.0..=3_600_000.0).contains(&millis) {
        Ok(Duration::from_secs_f64(millis / 1000.0))
    } else {
        Err("give 50 to 3600000 milliseconds; the next controller needs some to take over".into())
    }
}

/// The time from one line to the next.
pub fn every(word: &str) -> Parsed<Duration> {
    let millis = number(word)?;
    if (1.0..=3_600_000.0).contains(&millis) {
        Ok(Duration::from_secs_f64(millis / 1000.0))
    } else {
        Err("give 1 to 3600000 milliseconds".into())
    }
}

/// How many stations the plant has.
pub const STATION_COUNT: usize = 9;

/// A station of the plant.
pub fn station(word: &str) -> Parsed<usize> {
    let number = word.parse().ok().filter(|&number| number < STATION_COUNT);
    number.ok_or_else(|| format!("there are stations 0 to {}", STATION_COUNT - 1))
}

/// How long to wait.
pub fn timeout(word: &str) -> Parsed<Duration> {
    let seconds = number(word)?;
    if (0.1..=1e6).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("give 0.1 to 1000000 seconds".into())
    }
}

/// The size of a file, in bytes.
#[cfg(feature = "record")]
pub fn megabytes(word: &str) -> Parsed<u64> {
    let megabytes = number(word)?;
    if (0.1..=1e6).contains(&megabytes) {
        Ok((megabytes * 1e6) as u64)
    } else {
        Err("give 0.1 to 1000000 megabytes".into())
    }
}

/// Two CPUs.
pub fn cpus(word: &str) -> Parsed<(usize, usize)> {
    let pair = word.split_once(',').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    pair.ok_or("give two CPU numbers with a comma between them, like 0,1".into())
}

/// Bytes of a ring.
pub fn capacity(word: &str) -> Parsed<u32> {
    let bytes: u32 = word.parse().map_err(|_| "not a number of bytes".to_string())?;
    if bytes.is_power_of_two() && (64..=1 << 30).contains(&bytes) {
        Ok(bytes)
    } else {
        Err("give a power of two from 64 to 1073741824".into())
    }
}

/// A channel's name.
pub fn channel(word: &str) -> Parsed<String> {
    if word.is_empty() || word.len() > 31 || word.contains(['/', '\0']) {
        return Err("a channel's name has 1 to 31 bytes and no slash".into());
    }
    Ok(word.into())
}

/// A region's name, and no path.
pub fn named(word: &str) -> Parsed<RegionArg> {
    match RegionArg::parse(word.into())? {
        RegionArg::At(_) => Err("not a name".into()),
        arg => Ok(arg),
    }
}
