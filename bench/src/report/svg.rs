//! Pictures as SVG: panels with axes, lines labelled at their ends, bars.

use std::fmt::Write;

/// Colours that the colour-blind can tell apart; strait's alone are colourful.
pub const STRAIT: &[(&str, &str)] = &[
    ("strait-slots", "#0072b2"),
    ("strait-frames", "#d55e00"),
    ("strait-in-place", "#009e73"),
    ("strait-compact", "#cc79a7"),
    ("strait-static", "#b8860b"),
    ("strait-pool", "#56b4e9"),
    ("strait-latest", "#0072b2"),
];
const PEER: &str = "#a8adb3";
const PEER_TEXT: &str = "#6f757c";
const FLOOR: &str = "#222222";
const GRID: &str = "#e8eaed";
const TEXT: &str = "#333333";

/// The colour of a line, and of its label.
fn colours(who: &str) -> (&'static str, &'static str) {
    let own = STRAIT.iter().find(|(name, _)| *name == who);
    own.map_or((PEER, PEER_TEXT), |&(_, colour)| (colour, colour))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line.
pub struct Line {
    /// Whose.
    pub who: String,
    /// The label at its end.
    pub label: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
    /// A floor is black and dashed.
    pub floor: bool,
}

/// A logarithmic axis.
pub struct Axis {
    /// Its title.
    pub label: String,
    /// Values with their names.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Powers of ten that contain the values.
    pub fn decades(label: &str, values: impl Iterator<Item = f64>, name: fn(f64) -> String) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| *value > 0.0) {
            (low, high) = (low.min(value), high.max(value));
        }
        let (first, last) =
            if low > high { (0, 1) } else { (low.log10().floor() as i32, high.log10().ceil() as i32) };
        let ticks = (first..=last.max(first + 1)).map(|power| 10f64.powi(power));
        Self { label: label.into(), ticks: ticks.map(|tick| (tick, name(tick))).collect() }
    }

    fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.ticks[0].0, self.ticks[self.ticks.len() - 1].0);
        ((value.max(low * 0.5) / low).ln() / (high / low).ln()).clamp(-0.02, 1.02)
    }
}

/// Nanoseconds as people write them.
pub fn time(ns: f64) -> String {
    match ns {
        1e9.. => format!("{} s", ns / 1e9),
        1e6.. => format!("{} ms", ns / 1e6),
        1e3.. => format!("{} us", ns / 1e3),
        _ => format!("{ns} ns"),
    }
}

/// A diagram of lines.
pub struct Panel {
    /// Its heading.
    pub title: String,
    /// Along the bottom.
    pub x: Axis,
    /// Up the side.
    pub y: Axis,
    /// Peers first: later lines are drawn above.
    pub lines: Vec<Line>,
}

const LEFT: f64 = 62.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 46.0;
/// The least distance of two labels.
const APART: f64 = 12.5;

impl Panel {
    /// Draws it at this place.
    fn draw(&self, out: &mut String, (left, top): (f64, f64), (width, height): (f64, f64)) {
        let (inner_w, inner_h) = (width - LEFT - RIGHT, height - TOP - BOTTOM);
        let x = |value: f64| left + LEFT + inner_w * self.x.at(value);
        let y = |value: f64| top + TOP + inner_h * (1.0 - self.y.at(value));
        let (bottom, right) = (top + TOP + inner_h, left + LEFT + inner_w);
        text(
            out,
            (left + LEFT, top + 18.0),
            "start",
            TEXT,
            "font-weight=\"600\" font-size=\"14\"",
            &self.title,
        );
        for (value, name) in &self.x.ticks {
            rule(out, (x(*value), top + TOP), (x(*value), bottom), GRID, "");
            text(out, (x(*value), bottom + 16.0), "middle", TEXT, "", name);
        }
        for (value, name) in &self.y.ticks {
            rule(out, (left + LEFT, y(*value)), (right, y(*value)), GRID, "");
            text(out, (left + LEFT - 6.0, y(*value) + 4.0), "end", TEXT, "", name);
        }
        let middle = left + LEFT + inner_w / 2.0;
        text(out, (middle, bottom + 36.0), "middle", TEXT, "", &self.x.label);
        text(out, (left + 4.0, top + TOP - 6.0), "start", TEXT, "", &self.y.label);
        let mut labels = Vec::new();
        for line in &self.lines {
            let Some(&(end_x, end_y)) = line.points.last() else { continue };
            let (stroke, ink) = if line.floor { (FLOOR, FLOOR) } else { colours(&line.who) };
            let points = line.points.iter().map(|&(px, py)| format!("{:.1},{:.1}", x(px), y(py)));
            let points = points.collect::<Vec<_>>().join(" ");
            let ours = stroke != PEER && !line.floor;
            let style = match (line.floor, ours) {
                (true, _) => "stroke-width=\"1.5\" stroke-dasharray=\"5 4\"",
                (_, true) => "stroke-width=\"2.6\"",
                _ => "stroke-width=\"1.3\"",
            };
            let _ = writeln!(
                out,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{stroke}\" {style} stroke-linejoin=\"round\"><title>{}</title></polyline>",
                escape(&line.label)
            );
            labels.push((y(end_y), x(end_x), ink, ours, line.label.as_str()));
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        let places = spaced(&labels.iter().map(|label| label.0).collect::<Vec<_>>(), top + TOP, bottom);
        for (&(end_y, end_x, ink, ours, name), place) in labels.iter().zip(places) {
            let at = right + 10.0;
            if (place - end_y).abs() > 2.0 || (end_x - right).abs() > 2.0 {
                rule(out, (end_x + 2.0, end_y), (at - 2.0, place), ink, "stroke-width=\"0.5\"");
            }
            let weight = if ours { "font-weight=\"600\"" } else { "" };
            text(out, (at, place + 4.0), "start", ink, weight, name);
        }
    }
}

/// Heights for labels that want to be at these, which ascend: apart from one another, and within bounds
/// while there is space.
fn spaced(wanted: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut places: Vec<f64> = wanted.to_vec();
    for i in 0..places.len() {
        let least = if i == 0 { low } else { places[i - 1] + APART };
        places[i] = places[i].max(least);
    }
    let mut most = high;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - APART;
    }
    places
}

fn rule(out: &mut String, from: (f64, f64), to: (f64, f64), colour: &str, style: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" {style}/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, at: (f64, f64), anchor: &str, colour: &str, style: &str, content: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\" {style}>{}</text>",
        at.0,
        at.1,
        escape(content)
    );
}

fn document(width: f64, height: f64, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"system-ui, sans-serif\" font-size=\"11.5\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

/// Panels side by side, this many in a row.
pub fn panels(panels: &[Panel], across: usize, (width, height): (f64, f64)) -> String {
    let mut body = String::new();
    for (i, panel) in panels.iter().enumerate() {
        let place = ((i % across) as f64 * width, (i / across) as f64 * height);
        panel.draw(&mut body, place, (width, height));
    }
    let rows = panels.len().div_ceil(across);
    document(width * across.min(panels.len()).max(1) as f64, height * rows as f64, &body)
}

/// A bar: how often the peer takes what strait takes.
pub struct Bar {
    /// The discipline.
    pub group: String,
    /// The peer.
    pub who: String,
    /// Median, least and greatest.
    pub ratio: crate::stats::Spread,
}

/// Bars on a logarithmic axis around 1: to the right strait is ahead, to the left the peer.
pub fn bars(title: &str, bars: &[Bar]) -> String {
    const ROW: f64 = 17.0;
    const LABELS: f64 = 150.0;
    const WIDTH: f64 = 860.0;
    let values = bars.iter().flat_map(|bar| [bar.ratio.median, 1.0]);
    let (mut low, mut high) = (1.0_f64, 1.0_f64);
    values.for_each(|value| (low, high) = (low.min(value), high.max(value)));
    let (low, high) = (low.min(0.5), high.max(4.0) * 1.3);
    let x = |value: f64| {
        let share = (value / low).ln() / (high / low).ln();
        LABELS + (WIDTH - LABELS - 70.0) * share.clamp(0.0, 1.0)
    };
    let groups = bars.chunk_by(|a, b| a.group == b.group).count();
    let height = 70.0 + ROW * bars.len() as f64 + 30.0 * groups as f64;
    let mut body = String::new();
    text(&mut body, (16.0, 22.0), "start", TEXT, "font-weight=\"600\" font-size=\"14\"", title);
    text(&mut body, (x(1.0) + 6.0, 42.0), "start", "#0072b2", "", "strait is ahead \u{2192}");
    text(&mut body, (x(1.0) - 6.0, 42.0), "end", "#b3261e", "", "\u{2190} LOSS: the peer is ahead");
    for tick in [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0] {
        if (low..=high).contains(&tick) {
            let colour = if tick == 1.0 { TEXT } else { GRID };
            rule(&mut body, (x(tick), 48.0), (x(tick), height - 20.0), colour, "");
            text(&mut body, (x(tick), height - 6.0), "middle", TEXT, "", &format!("{tick}x"));
        }
    }
    let mut y = 52.0;
    for group in bars.chunk_by(|a, b| a.group == b.group) {
        y += 24.0;
        text(&mut body, (16.0, y - 6.0), "start", TEXT, "font-weight=\"600\"", &group[0].group);
        for bar in group {
            let (from, to) = (x(bar.ratio.median.min(1.0)), x(bar.ratio.median.max(1.0)));
            let colour = if bar.ratio.median < 1.0 { "#b3261e" } else { PEER };
            let (w, h) = ((to - from).max(1.0), ROW - 5.0);
            let _ = writeln!(
                body,
                "<rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h}\" fill=\"{colour}\"/>"
            );
            let middle = y + h / 2.0;
            let spread = ((x(bar.ratio.least), middle), (x(bar.ratio.most), middle));
            rule(&mut body, spread.0, spread.1, "#444", "stroke-width=\"0.8\"");
            text(&mut body, (LABELS - 8.0, y + 10.0), "end", TEXT, "", &bar.who);
            let end = x(bar.ratio.median.max(bar.ratio.most).max(1.0)) + 6.0;
            text(&mut body, (end, y + 10.0), "start", TEXT, "", &format!("{:.2}", bar.ratio.median));
            y += ROW;
        }
        y += 6.0;
    }
    document(WIDTH, height, &body)
}

#[cfg(test)]
mod tests {
    use super::{APART, spaced};

    #[test]
    fn labels_keep_apart_and_within() {
        let places = spaced(&[10.0, 11.0, 12.0, 100.0], 0.0, 100.0);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= APART - 1e-9), "{places:?}");
        assert!(places.iter().all(|place| (0.0..=100.0).contains(place)), "{places:?}");
    }
}
