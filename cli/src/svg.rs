//! Parts of drawings: lines, texts, and axes with round numbers.

use crate::text::printable;

/// A line from one point to another.
pub fn line(class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> String {
    format!("<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n")
}

/// A text at a point, whatever characters it has.
pub fn text(class: &str, x: f64, y: f64, anchor: &str, text: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!("class=\"{class}\" ") };
    format!("<text {class}x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(text))
}

/// The step of an axis: 1, 2 or 5 times a power of ten, no more than this.
pub fn nice(most: f64) -> f64 {
    // Powers of ten that are whole are exact; others of some systems are a little off.
    let exponent = most.log10().floor() as i32;
    let whole = 10_f64.powi(exponent.abs());
    let power = if exponent < 0 { whole.recip() } else { whole };
    [5.0, 2.0].into_iter().map(|times| times * power).find(|&step| step <= most).unwrap_or(power)
}

/// A number on an axis with this step.
pub fn tick(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    format!("{value:.digits$}")
}

/// A text in which no character is taken for markup.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '"' => shown.push_str("&quot;"),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{escaped, nice, tick};

    #[test]
    fn axes_have_round_numbers() {
        assert_eq!([0.7, 1.0, 3.9, 40.0, 0.02].map(nice), [0.5, 1.0, 2.0, 20.0, 0.02]);
        assert_eq!([tick(-0.5, 0.5), tick(20.0, 20.0), tick(0.0, 0.02)], ["-0.5", "20", "0.00"]);
    }

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escaped("a<b>&\"c\"\n"), "a&lt;b&gt;&amp;&quot;c&quot;\\n");
    }
}
