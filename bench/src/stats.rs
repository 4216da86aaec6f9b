//! Medians, ratios, histograms.

use hdrhistogram::Histogram;
use serde_json::Value;

/// An empty histogram of nanoseconds up to 100 s, to two digits, which never allocates again.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 100_000_000_000, 2).expect("these bounds are possible")
}

/// Adds values with their counts.
pub fn add_steps(histogram: &mut Histogram<u64>, steps: &Value) {
    for step in steps.as_array().into_iter().flatten() {
        if let (Some(value), Some(count)) = (step[0].as_u64(), step[1].as_u64()) {
            histogram.saturating_record_n(value, count);
        }
    }
}

/// A median with its least and greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half are below.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Spread {
    /// Of some values; none of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (&least, &most) = (values.first()?, values.last()?);
        let half = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 };
        Some(Self { median, least, most })
    }
}

/// How a cost grows with a number, judged by its last step: from the values at the two largest numbers.
/// A slope of the logarithms below 0.15 counts as constant, from 0.85 to 1.15 as linear.
pub fn growth(points: &[(f64, f64)]) -> Option<String> {
    let [.., (n1, cost1), (n2, cost2)] = *points else { return None };
    let slope = (cost2 / cost1).ln() / (n2 / n1).ln();
    Some(match slope {
        _ if !slope.is_finite() => return None,
        ..0.15 => "constant".into(),
        0.85..1.15 => "linear".into(),
        _ => format!("as n^{slope:.1}"),
    })
}

#[cfg(test)]
mod tests {
    use super::{Spread, growth};

    #[test]
    fn medians() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(spread(&[1.0, 4.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(spread(&[]), None);
    }

    #[test]
    fn growth_is_named_by_its_last_step() {
        let of = |cost: fn(f64) -> f64| growth(&[1.0, 10.0, 100.0, 1000.0].map(|n| (n, cost(n))));
        assert_eq!(of(|_| 7.0).as_deref(), Some("constant"));
        assert_eq!(of(|n| 40.0 + 3.0 * n).as_deref(), Some("linear"));
        assert_eq!(of(|n| n * n).as_deref(), Some("as n^2.0"));
    }
}
