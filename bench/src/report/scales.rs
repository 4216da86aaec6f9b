//! How costs grow.

use std::collections::BTreeMap;

use crate::job::Metric;
use crate::many;
use crate::results::{Results, bytes};
use crate::stats::growth;

use super::text::number;

/// One cost against one number.
pub struct Scale {
    /// The quantity that grows.
    pub of: String,
    /// The cost.
    pub what: String,
    /// Numbers and medians of nanoseconds.
    pub points: Vec<(f64, f64)>,
    /// The growth, in words.
    pub growth: String,
}

impl Scale {
    /// A number as people write it.
    pub fn number(&self, number: f64) -> String {
        if ["region", "ring", "frame"].contains(&self.of.as_str()) {
            bytes(number as usize)
        } else {
            number.to_string()
        }
    }
}

/// All of them.
pub fn all(results: &Results) -> Vec<Scale> {
    let mut scales: BTreeMap<(String, String), Vec<(f64, f64)>> = BTreeMap::new();
    for key in results.keys() {
        let (of, figures) = match (key.metric, key.who.as_str()) {
            (Metric::Scale, "channels") => ("channels", ["create", "attach", "open", "send+recv"].as_slice()),
            (Metric::Scale, "readers") => ("readers", ["publish"].as_slice()),
            (Metric::Scale, "ring") => ("ring", ["ns"].as_slice()),
            (Metric::Scale, who) if many::figures(who).is_some() => {
                (who, many::figures(who).unwrap_or_default())
            }
            (Metric::Scale, _) => ("region", ["create", "attach"].as_slice()),
            (Metric::Local, "strait-frames") => ("frame", ["ns"].as_slice()),
            (Metric::Local, "strait-in-place") => ("frame", ["ns"].as_slice()),
            _ => continue,
        };
        for &figure in figures {
            let what = match (of, figure) {
                ("ring", _) => "round trip / 2".into(),
                (_, "ns") => format!("push + pop, {}", key.who),
                _ => figure.into(),
            };
            let points = scales.entry((of.into(), what)).or_default();
            points.extend(results.spread(key, figure).map(|ns| (key.size as f64, ns.median)));
        }
    }
    let name = |((of, what), points): (_, Vec<(f64, f64)>)| {
        let growth = growth(&points).unwrap_or_else(|| "one point alone".into());
        Scale { of, what, points, growth }
    };
    scales.into_iter().map(name).collect()
}

/// As a table.
pub fn table(results: &Results) -> Vec<Vec<String>> {
    let row = |scale: Scale| {
        let points = scale.points.iter();
        let points = points.map(|&(n, ns)| format!("{}: {}", scale.number(n), number(ns)));
        let mut row = vec![format!("{}, {}", scale.of, scale.what), scale.growth.clone()];
        row.push(points.collect::<Vec<_>>().join("  "));
        row
    };
    all(results).into_iter().map(row).collect()
}
