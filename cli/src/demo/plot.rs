//! The run as a drawing: angle and force over time, with the kills marked.

use crate::args::Role;

use crate::svg::{line, nice, text, tick};

use super::killer::Kill;
use super::supervisor::Outcome;
use super::trace::{self, Piece};

/// The drawing's size, and the positions of its panels, in pixels.
const WIDTH: f64 = 1120.0;
const HEIGHT: f64 = 600.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 1096.0;
const TOPS: [f64; 2] = [92.0, 332.0];
const PANEL: f64 = 208.0;

const STYLE: &str = "\
text{font:13px system-ui,'Segoe UI','Helvetica Neue',Arial,sans-serif;fill:#52514e}
.title{font-size:16px;font-weight:600;fill:#1f1e1d}
.angle-name{font-weight:600;fill:#1f6fb4}
.force-name{font-weight:600;fill:#2a8a57}
.grid{stroke:#e6e4df;stroke-width:1}
.zero{stroke:#b5b3ad;stroke-width:1}
.angle{fill:none;stroke:#1f6fb4;stroke-width:1.4;stroke-linejoin:round}
.force{fill:none;stroke:#2a8a57;stroke-width:1.2;stroke-linejoin:round}
.controller{stroke:#d1495b;stroke-width:1;stroke-opacity:.45}
.tuner{stroke:#7a4fc4;stroke-width:1.4;stroke-dasharray:3 3;stroke-opacity:.8}
";

/// Draws the run; `None` if the plant's trace cannot be read.
pub fn draw(outcome: &Outcome, rate: u32, title: &str) -> Option<String> {
    let pieces = trace::read(&outcome.plant["trace"])?;
    let rate = f64::from(rate);
    let seconds = (outcome.plant["sent"].as_u64()? as f64 / rate).max(1.0 / rate);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fdfcfa\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"32\">{title}</text>\n"
    );
    legend(&mut svg, &outcome.kills);
    let x = |step: u64| LEFT + (RIGHT - LEFT) * (step as f64 / rate / seconds).min(1.0);
    let angle: fn(&Piece) -> [f64; 2] = |piece| piece.angle.map(f64::to_degrees);
    let panels = [("angle", "degrees", angle), ("force", "newtons", |piece: &Piece| piece.force)];
    for ((name, unit, values), top) in panels.into_iter().zip(TOPS) {
        let all = || pieces.iter().flat_map(values);
        let (least, most) = (all().fold(-1e-3, f64::min), all().fold(1e-3, f64::max));
        let step = nice((most - least) / 4.0);
        let (first, last) = ((least / step).floor() as i32, (most / step).ceil() as i32);
        let y = |value: f64| top + PANEL * (f64::from(last) - value / step) / f64::from(last - first);
        for i in first..=last {
            let (value, at) = (f64::from(i) * step, y(f64::from(i) * step));
            let class = if i == 0 { "zero" } else { "grid" };
            svg.push_str(&line(class, [LEFT, at], [RIGHT, at]));
            svg.push_str(&text("", LEFT - 8.0, at + 4.0, "end", &tick(value, step)));
        }
        svg.push_str(&text(&format!("{name}-name"), LEFT, top - 10.0, "start", &format!("{name}, {unit}")));
        for kill in &outcome.kills {
            svg.push_str(&line(class(kill.role), [x(kill.step), top], [x(kill.step), top + PANEL]));
        }
        svg.push_str(&curve(name, &pieces, |piece| (x(piece.step), values(piece).map(y))));
    }
    let step = nice(seconds / 5.0);
    let bottom = TOPS[1] + PANEL;
    for i in 0..=(seconds / step + 1e-9) as u32 {
        let at = LEFT + (RIGHT - LEFT) * f64::from(i) * step / seconds;
        svg.push_str(&line("zero", [at, bottom], [at, bottom + 5.0]));
        svg.push_str(&text("", at, bottom + 20.0, "middle", &tick(f64::from(i) * step, step)));
    }
    svg.push_str(&text("", (LEFT + RIGHT) / 2.0, bottom + 42.0, "middle", "time, seconds"));
    svg.push_str("</svg>\n");
    Some(svg)
}

fn class(role: Role) -> &'static str {
    if role == Role::Tuner { "tuner" } else { "controller" }
}

/// The legend of the marks of kills that occur.
fn legend(svg: &mut String, kills: &[Kill]) {
    let mut x = LEFT;
    for (role, what) in
        [(Role::Controller, "controller killed"), (Role::Tuner, "tuner killed, with the gains locked")]
    {
        let count = kills.iter().filter(|kill| kill.role == role).count();
        if count == 0 {
            continue;
        }
        svg.push_str(&line(class(role), [x + 4.0, 44.0], [x + 4.0, 60.0]));
        svg.push_str(&text("", x + 14.0, 57.0, "start", &format!("{what} ({count})")));
        x += 210.0;
    }
}

/// A curve through the least and most of each piece.
fn curve(class: &str, pieces: &[Piece], place: impl Fn(&Piece) -> (f64, [f64; 2])) -> String {
    let mut points = String::new();
    let mut last = f64::NAN;
    for piece in pieces {
        let (x, [low, high]) = place(piece);
        // The nearer end first, so that the line does not zigzag.
        let ends = if (low - last).abs() <= (high - last).abs() { [low, high] } else { [high, low] };
        for y in &ends[..if low == high { 1 } else { 2 }] {
            points.push_str(&format!("{x:.1},{y:.1} "));
        }
        last = ends[1];
    }
    format!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.trim_end())
}
