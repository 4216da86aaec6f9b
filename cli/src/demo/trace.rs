//! Angle and force over time, in as many pieces as a drawing can show.

use serde_json::{Value, json};

/// The most pieces.
const PIECES: u64 = 2000;

/// The least and the most value of one piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// The piece's first step.
    pub step: u64,
    /// Radians.
    pub angle: [f64; 2],
    /// Newtons.
    pub force: [f64; 2],
}

/// A run's trace.
pub struct Trace {
    /// Steps in a piece.
    each: u64,
    pieces: Vec<Piece>,
}

impl Trace {
    /// The trace of a run of this many steps.
    pub fn new(steps: u64) -> Self {
        Self { each: steps.div_ceil(PIECES).max(1), pieces: Vec::new() }
    }

    /// Adds what was at one step.
    pub fn add(&mut self, step: u64, angle: f64, force: f64) {
        let widen = |range: &mut [f64; 2], value: f64| *range = [range[0].min(value), range[1].max(value)];
        match self.pieces.last_mut() {
            Some(piece) if step < piece.step + self.each => {
                widen(&mut piece.angle, angle);
                widen(&mut piece.force, force);
            }
            _ => self.pieces.push(Piece { step, angle: [angle; 2], force: [force; 2] }),
        }
    }

    /// The trace for another process.
    pub fn to_json(&self) -> Value {
        let pieces = self
            .pieces
            .iter()
            .map(|piece| json!([piece.step, piece.angle[0], piece.angle[1], piece.force[0], piece.force[1]]));
        pieces.collect()
    }
}

/// The pieces of another process's trace.
pub fn read(trace: &Value) -> Option<Vec<Piece>> {
    let piece = |value: &Value| {
        let number = |i: usize| value[i].as_f64();
        Some(Piece {
            step: value[0].as_u64()?,
            angle: [number(1)?, number(2)?],
            force: [number(3)?, number(4)?],
        })
    };
    trace.as_array()?.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::{Piece, Trace, read};

    #[test]
    fn pieces_keep_what_was_least_and_most() {
        let mut trace = Trace::new(4000);
        for step in 0..5 {
            trace.add(step, step as f64, -(step as f64));
        }
        let pieces = read(&trace.to_json()).expect("its own format");
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1], Piece { step: 2, angle: [2.0, 3.0], force: [-3.0, -2.0] });
    }
}
