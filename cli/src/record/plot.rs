//! Fields over time, as a drawing: one panel a field, and a curve for each element of an array.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::see::types::Scalar;
use crate::see::{Followed, field_of, value};
use crate::svg::{escaped, line, nice, text, tick};

use super::series::{Piece, Series};

/// The most panels, and the most curves in one.
const PANELS: usize = 12;
const CURVES: usize = 6;

/// The drawing's width, and the positions in it, in pixels.
const WIDTH: f64 = 1120.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 1096.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 130.0;
const STEP: f64 = 186.0;

const COLOURS: [&str; CURVES] = ["#1f6fb4", "#2a8a57", "#d1495b", "#7a4fc4", "#c77f1a", "#4b4a47"];
const STYLE: &str = "\
text{font:13px system-ui,'Segoe UI','Helvetica Neue',Arial,sans-serif;fill:#52514e}
.title{font-size:16px;font-weight:600;fill:#1f1e1d}
.name{font-weight:600;fill:#1f1e1d}
.grid{stroke:#e6e4df;stroke-width:1}
.zero{stroke:#b5b3ad;stroke-width:1}
polyline{fill:none;stroke-width:1.4;stroke-linejoin:round}
";

/// The fields that are drawn.
pub struct Plot {
    panels: Vec<Panel>,
    /// Fields that the user did not choose and that have no place.
    pub left_out: usize,
}

/// A field.
struct Panel {
    /// Which of the followed channels it is of, and the bytes of a message of that.
    channel: usize,
    len: usize,
    title: String,
    /// Where its scalars are in a message.
    first: usize,
    scalar: Scalar,
    size: usize,
    curves: Vec<Series>,
}

impl Plot {
    /// Of the fields that the words name, or the first of all there are.
    pub fn new(channels: &[(String, &Followed)], words: &[String]) -> Result<Self> {
        let mut all = Vec::new();
        for (n, (title, followed)) in channels.iter().enumerate() {
            all.extend(fields(n, title, followed));
        }
        let is_of = |word: &str, channel: usize, path: &str| {
            field_of(&channels[channel].1.entry, word).is_some_and(|field| {
                let inner = path.strip_prefix(field);
                field.is_empty()
                    || inner.is_some_and(|inner| inner.is_empty() || inner.starts_with(['.', '[']))
            })
        };
        for word in words {
            if !all.iter().any(|(path, panel)| is_of(word, panel.channel, path)) {
                // The lanes of a channel, and regions, may have the same ones.
                let there: BTreeSet<String> =
                    all.iter().map(|(path, panel)| joined(&channels[panel.channel].1.name, path)).collect();
                let there: Vec<String> = there.into_iter().collect();
                let there = if there.is_empty() { "none".into() } else { there.join(", ") };
                return Err(Error::failed(format!("there is no field '{word}' to draw; there are: {there}")));
            }
        }
        if all.is_empty() {
            return Err(Error::failed(
                "there is nothing to draw: the regions describe no type of their messages",
            ));
        }
        let chosen = all.into_iter().filter(|(path, panel)| {
            words.is_empty() || words.iter().any(|word| is_of(word, panel.channel, path))
        });
        let mut panels: Vec<Panel> = chosen.map(|(_, panel)| panel).collect();
        let left_out = panels.len().saturating_sub(PANELS);
        if left_out > 0 && !words.is_empty() {
            return Err(Error::failed(format!(
                "{} fields are more than a drawing has room for; choose {PANELS} at most",
                panels.len()
            )));
        }
        panels.truncate(PANELS);
        Ok(Self { panels, left_out })
    }

    /// Adds a message of a channel.
    pub fn add(&mut self, channel: usize, bytes: &[u8], at: u64) {
        let of_it = |panel: &&mut Panel| panel.channel == channel && panel.len == bytes.len();
        for panel in self.panels.iter_mut().filter(of_it) {
            let scalars = bytes[panel.first..].chunks_exact(panel.size);
            for (curve, scalar) in panel.curves.iter_mut().zip(scalars) {
                curve.add(at, value::number(panel.scalar, scalar));
            }
        }
    }

    /// The drawing.
    pub fn draw(&self, title: &str) -> String {
        let height = TOP + STEP * self.panels.len() as f64 + 20.0;
        let all = || self.panels.iter().flat_map(|panel| &panel.curves).flat_map(Series::pieces);
        let begin = all().map(|piece| piece.at).min().unwrap_or(0);
        let end = all().map(|piece| piece.at).max().unwrap_or(0);
        let seconds = ((end - begin) as f64 / 1e9).max(1e-3);
        let x = |at: u64| LEFT + (RIGHT - LEFT) * ((at - begin) as f64 / 1e9 / seconds);
        let title = escaped(title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fdfcfa\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"32\">{title}</text>\n"
        );
        for (n, panel) in self.panels.iter().enumerate() {
            panel.draw(&mut svg, TOP + STEP * n as f64, &x);
        }
        let (step, bottom) = (nice(seconds / 5.0), TOP + STEP * (self.panels.len() - 1) as f64 + PANEL);
        for i in 0..=(seconds / step + 1e-9) as u32 {
            let at = LEFT + (RIGHT - LEFT) * f64::from(i) * step / seconds;
            svg.push_str(&line("zero", [at, bottom], [at, bottom + 5.0]));
            svg.push_str(&text("", at, bottom + 20.0, "middle", &tick(f64::from(i) * step, step)));
        }
        svg.push_str(&text("", (LEFT + RIGHT) / 2.0, bottom + 42.0, "middle", "time, seconds"));
        svg.push_str("</svg>\n");
        svg
    }
}

fn joined(name: &str, path: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") }
}

/// The fields of a channel's messages, each with its path; none if their type is not known.
fn fields(channel: usize, title: &str, followed: &Followed) -> Vec<(String, Panel)> {
    let Some(ty) = &followed.ty else { return Vec::new() };
    let zeros = vec![0; ty.tree.size()];
    let mut first = 0;
    let panels = ty.leaves(&zeros).unwrap_or_default().into_iter().filter_map(|leaf| {
        let at = first;
        first += leaf.bytes().len();
        let (scalar, size, count) = leaf.scalars()?;
        let unit = leaf.unit().map_or(String::new(), |unit| format!(", {unit}"));
        let title = format!("{}{unit}", joined(title, &leaf.path));
        let curves = (0..count.min(CURVES)).map(|_| Series::new()).collect();
        Some((leaf.path, Panel { channel, len: zeros.len(), title, first: at, scalar, size, curves }))
    });
    panels.collect()
}

impl Panel {
    fn draw(&self, svg: &mut String, top: f64, x: &impl Fn(u64) -> f64) {
        let all = || self.curves.iter().flat_map(Series::pieces);
        let least = all().map(|piece| piece.least).fold(f64::INFINITY, f64::min);
        let most = all().map(|piece| piece.most).fold(f64::NEG_INFINITY, f64::max);
        if self.curves.len() > 1 {
            let names = (0..self.curves.len()).rev().zip(0..);
            for (n, from_right) in names {
                let at = RIGHT - 36.0 * f64::from(from_right);
                let name = format!("<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"end\" ", top - 10.0);
                svg.push_str(&format!("{name}style=\"fill:{}\">[{n}]</text>\n", COLOURS[n]));
            }
        }
        if least > most {
            svg.push_str(&text("name", LEFT, top - 10.0, "start", &self.title));
            svg.push_str(&line("zero", [LEFT, top + PANEL], [RIGHT, top + PANEL]));
            svg.push_str(&text("", LEFT + 8.0, top + PANEL / 2.0, "start", "nothing came"));
            return;
        }
        // A constant has a line in the middle.
        let spare = if most - least < 1e-9 * most.abs().max(1e-3) { most.abs().max(1.0) * 0.1 } else { 0.0 };
        let (least, most) = (least - spare, most + spare);
        let step = nice((most - least) / 3.0);
        let (first, last) = ((least / step).floor(), (most / step).ceil());
        let y = |value: f64| top + PANEL * (last - value / step) / (last - first);
        // Where all numbers begin with the same digits, the labels are without them.
        let is_far = first.abs().max(last.abs()) > 1e4;
        let base = if is_far { first * step } else { 0.0 };
        let from = if is_far { format!("  (from {base})") } else { String::new() };
        svg.push_str(&text("name", LEFT, top - 10.0, "start", &format!("{}{from}", self.title)));
        for i in 0..=(last - first) as u32 {
            let value = (first + f64::from(i)) * step;
            let at = y(value);
            svg.push_str(&line(if value == 0.0 { "zero" } else { "grid" }, [LEFT, at], [RIGHT, at]));
            let is_long = (last - first) * step >= 1e7;
            let shown = value - base;
            let label = if is_long && shown != 0.0 { format!("{shown:.2e}") } else { tick(shown, step) };
            let plus = if is_far { "+" } else { "" };
            svg.push_str(&text("", LEFT - 8.0, at + 4.0, "end", &format!("{plus}{label}")));
        }
        for (curve, colour) in self.curves.iter().zip(COLOURS) {
            svg.push_str(&polyline(curve.pieces(), colour, x, y));
        }
    }
}

/// A curve through the least and most of each piece.
fn polyline(pieces: &[Piece], colour: &str, x: impl Fn(u64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut points = String::new();
    let mut last = f64::NAN;
    for piece in pieces {
        let (at, low, high) = (x(piece.at), y(piece.least), y(piece.most));
        // The nearer end first, so that the line does not zigzag.
        let ends = if (low - last).abs() <= (high - last).abs() { [low, high] } else { [high, low] };
        for y in &ends[..if low == high { 1 } else { 2 }] {
            points.push_str(&format!("{at:.1},{y:.1} "));
        }
        last = ends[1];
    }
    if pieces.len() == 1 {
        // A line without a length is not drawn.
        points.push_str(&format!("{:.1},{last:.1}", x(pieces[0].at) + 2.0));
    }
    format!("<polyline style=\"stroke:{colour}\" points=\"{}\"/>\n", points.trim_end())
}
