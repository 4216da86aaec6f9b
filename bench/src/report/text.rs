//! Numbers as text.

use crate::stats::Spread;

/// A number with as many digits as say something.
pub fn number(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A median with the least and the greatest.
pub fn spread(spread: &Spread) -> String {
    format!("{} [{} {}]", number(spread.median), number(spread.least), number(spread.most))
}
