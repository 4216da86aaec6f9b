//! The pictures of the report.

use std::collections::BTreeMap;

use crate::contenders;
use crate::job::{Metric, Mode};
use crate::results::{Key, Results, bytes, ratio};

use super::svg::{self, Axis, Bar, Line, Panel, time};
use super::{rows, scales, tails};

/// All pictures with their file names, in the order of the report; those without figures are left out.
pub fn all(results: &Results) -> Vec<(&'static str, String)> {
    let over_size = |metric, batches: &[usize]| {
        let modes = [Mode::Threads, Mode::Processes].into_iter();
        let panels = modes.flat_map(|mode| batches.iter().map(move |&batch| (mode, batch)));
        panels.filter_map(|(mode, batch)| over_size(results, metric, mode, batch)).collect::<Vec<_>>()
    };
    let wide = (760.0, 430.0);
    let mut charts = Vec::new();
    let mut add = |name, panels: Vec<Panel>, across, size| {
        if !panels.is_empty() {
            charts.push((name, svg::panels(&panels, across, size)));
        }
    };
    add("latency.svg", over_size(Metric::Latency, &[1]), 1, wide);
    add("stream.svg", over_size(Metric::Stream, &[1, 8, 64]), 1, wide);
    add("tails.svg", percentiles(results), 1, (800.0, 360.0));
    add("scale.svg", growths(results), 2, (540.0, 280.0));
    let peers = ratios(results);
    if !peers.is_empty() {
        charts.push(("peers.svg", svg::bars("What peers take, where strait's fastest takes 1", &peers)));
    }
    charts
}

/// Peers first, so that strait is drawn above them.
fn layered(mut lines: Vec<Line>) -> Vec<Line> {
    let ours = |line: &Line| contenders::named(&line.who).is_some_and(|who| who.ours);
    lines.sort_by_key(|line| (line.floor, ours(line)));
    lines
}

fn over_size(results: &Results, metric: Metric, mode: Mode, batch: usize) -> Option<Panel> {
    let mut points: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    let mut sizes = BTreeMap::new();
    for key in results.keys().filter(|key| (key.metric, key.mode, key.batch) == (metric, mode, batch)) {
        if let Some(ns) = results.spread(key, "ns") {
            points.entry(&key.who).or_default().push((key.size as f64, ns.median));
            sizes.insert(key.size, key);
        }
    }
    if sizes.len() < 2 {
        return None;
    }
    let floor = sizes.iter().filter_map(|(&size, key)| {
        let (_, series) = rows::floor(results, key, "ns")?;
        Some((size as f64, crate::stats::Spread::of(series.into_iter().flatten())?.median))
    });
    let (what, floor_label) = match metric {
        Metric::Latency => ("Round trip / 2", "floor: PP1-dir"),
        _ => ("Stream, time a message", "floor: line stream, BW"),
    };
    let mut lines: Vec<Line> = points
        .into_iter()
        .map(|(who, points)| Line { who: who.into(), label: who.into(), points, floor: false })
        .collect();
    lines.push(Line { who: String::new(), label: floor_label.into(), points: floor.collect(), floor: true });
    let side = if mode == Mode::Threads { "two threads" } else { "two processes" };
    let many = if metric == Metric::Stream { format!(", batch {batch}") } else { String::new() };
    let ticks = sizes.keys().filter(|&&size| size != 56 || !sizes.contains_key(&64));
    let ticks = ticks.map(|&size| (size as f64, bytes(size))).collect();
    Some(Panel {
        title: format!("{what} between {side}{many}"),
        x: Axis { label: "bytes of payload".into(), ticks },
        y: decades(&lines),
        lines: layered(lines),
    })
}

fn decades(lines: &[Line]) -> Axis {
    Axis::decades("", lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)), time)
}

/// Quantiles from the median on, so that one in 10, 100, 1000 are equally far apart.
const RARE: &[f64] = &[2.0, 4.0, 10.0, 20.0, 50.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5];

fn percentiles(results: &Results) -> Vec<Panel> {
    let tails = tails::all(results);
    let mut loads: Vec<u32> = tails.iter().map(|tail| tail.load).filter(|&load| load > 0).collect();
    loads.dedup();
    let panel = |load: u32| {
        let shown = tails.iter().filter(|tail| tail.load == load || tail.load == 0);
        let lines = shown.map(|tail| {
            let floor = tail.load == 0;
            let mode = if tail.mode == Mode::Threads { "threads" } else { "processes" };
            let label =
                if floor { "hiccups of an empty spin".into() } else { format!("{}, {mode}", tail.who) };
            // Rarer quantiles than the number of samples supports are not shown.
            let told = RARE.iter().filter(|&&rare| rare * 3.0 <= tail.latencies.len() as f64);
            let at = |&rare: &f64| (rare, tail.latencies.value_at_quantile(1.0 - 1.0 / rare) as f64);
            Line { who: tail.who.clone(), label, points: told.map(at).collect(), floor }
        });
        let lines: Vec<Line> = lines.collect();
        let names = [
            (2.0, "50 %"),
            (10.0, "90 %"),
            (1e2, "99 %"),
            (1e3, "99.9 %"),
            (1e4, "99.99 %"),
            (1e5, "99.999 %"),
        ];
        Panel {
            title: format!("Latency from the intended time of sending, at {load} % of saturation"),
            x: Axis {
                label: "percentile".into(),
                ticks: names.map(|(rare, name)| (rare, name.into())).into(),
            },
            y: decades(&lines),
            lines: layered(lines),
        }
    };
    loads.into_iter().map(panel).collect()
}

fn growths(results: &Results) -> Vec<Panel> {
    let scales = scales::all(results);
    let panels = scales.chunk_by(|a, b| a.of == b.of).map(|group| {
        // A logarithm has no place for 0; it stands where a half would.
        let x = |n: f64| if n == 0.0 { 0.5 } else { n };
        let colours = ["strait-slots", "strait-frames", "strait-in-place", "strait-compact"];
        let lines = group.iter().zip(colours.iter().cycle()).map(|(scale, who)| Line {
            who: (*who).into(),
            label: format!("{}: {}", scale.what.replace("push + pop, ", ""), scale.growth),
            points: scale.points.iter().map(|&(n, ns)| (x(n), ns)).collect(),
            floor: false,
        });
        let lines: Vec<Line> = lines.collect();
        let shown = group[0].points.iter().filter(|point| point.0 != 56.0);
        let ticks = shown.map(|&(n, _)| (x(n), group[0].number(n)));
        let title = match group[0].of.as_str() {
            "channels" => "Channels in the region",
            "readers" => "Readers of a latest value: publishing",
            "region" => "Bytes of the region",
            "ring" => "Bytes of a ring: a frame of 1 MiB, in place",
            _ => "Bytes of a frame: send and receive in one thread",
        };
        Panel {
            title: title.into(),
            x: Axis { label: String::new(), ticks: ticks.collect() },
            y: decades(&lines),
            lines,
        }
    });
    panels.filter(|panel| panel.x.ticks.len() > 1).collect()
}

/// The disciplines whose peers are all shown.
const BARS: &[(Metric, usize, usize, &str)] = &[
    (Metric::Latency, 8, 1, "Latency, 8 B"),
    (Metric::Latency, 65_536, 1, "Latency, 64 KiB"),
    (Metric::Stream, 8, 1, "Stream, 8 B, one by one"),
    (Metric::Stream, 8, 64, "Stream, 8 B, batches of 64"),
    (Metric::Stream, 64, 1, "Stream, 64 B, one by one"),
    (Metric::Stream, 1024, 1, "Stream, 1 KiB, one by one"),
    (Metric::Stream, 65_536, 1, "Stream, 64 KiB, one by one"),
    (Metric::Local, 8, 1, "Push and pop in one thread, 8 B"),
    (Metric::Latest, 56, 1, "Latest value, read unchanged, 56 B"),
    (Metric::Wake, 8, 1, "Wake of a sleeper"),
];

fn ratios(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    for &(metric, size, batch, name) in BARS {
        for (mode, side) in [(Mode::Threads, "threads"), (Mode::Processes, "processes")] {
            let is = |key: &&Key| {
                (key.metric, key.size, key.batch, key.mode) == (metric, size, batch, mode)
                    && !(metric == Metric::Latency && ["strait-latest", "triple_buffer"].contains(&&*key.who))
            };
            let median = |key: &&Key| results.spread(key, "ns").map_or(f64::INFINITY, |ns| ns.median);
            let (ours, peers): (Vec<&Key>, Vec<&Key>) = results
                .keys()
                .filter(is)
                .partition(|key| contenders::named(&key.who).is_some_and(|who| who.ours));
            let best = ours.into_iter().min_by(|a, b| median(a).total_cmp(&median(b)));
            let Some(best) = best else { continue };
            let own = results.series(best, "ns");
            let mut group: Vec<Bar> = peers
                .into_iter()
                .filter_map(|peer| {
                    let ratio = ratio(&results.series(peer, "ns"), &own)?;
                    let group = format!("{name}, {side} ({})", best.who);
                    Some(Bar { group, who: peer.who.clone(), ratio })
                })
                .collect();
            group.sort_by(|a, b| a.ratio.median.total_cmp(&b.ratio.median));
            bars.extend(group);
        }
    }
    bars
}
