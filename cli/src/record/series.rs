//! A number over time, in as many pieces as a drawing can show, however long it goes on.

/// The most pieces. When there are as many, each becomes twice as long.
const MOST: usize = 2048;

/// The least and the most number in a piece of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// When it begins, in nanoseconds.
    pub at: u64,
    pub least: f64,
    pub most: f64,
}

/// Numbers as they came.
pub struct Series {
    pieces: Vec<Piece>,
    /// How long a piece is, in nanoseconds.
    each: u64,
}

impl Series {
    /// None yet.
    pub fn new() -> Self {
        Self { pieces: Vec::new(), each: 1 << 20 }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Adds a number that came then. What is none is left out.
    pub fn add(&mut self, at: u64, number: f64) {
        if !number.is_finite() {
            return;
        }
        while self.pieces.len() >= MOST {
            self.each = self.each.saturating_mul(2);
            self.thin();
        }
        push(&mut self.pieces, Piece { at, least: number, most: number }, self.each);
    }

    /// Joins pieces that now are one.
    fn thin(&mut self) {
        let pieces = std::mem::take(&mut self.pieces);
        for piece in pieces {
            push(&mut self.pieces, piece, self.each);
        }
    }
}

fn push(pieces: &mut Vec<Piece>, piece: Piece, each: u64) {
    match pieces.last_mut() {
        Some(last) if last.at / each == piece.at / each => {
            (last.least, last.most) = (last.least.min(piece.least), last.most.max(piece.most));
        }
        _ => pieces.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Series};

    #[test]
    fn a_long_run_keeps_its_ends_and_its_extremes() {
        let mut series = Series::new();
        let count = 1_000_000_u64;
        for n in 0..count {
            let number = if n == 777_777 { -5.0 } else { n as f64 };
            series.add(n * 10_000_000, number);
        }
        series.add(count * 10_000_000, f64::NAN);
        let pieces = series.pieces();
        assert!((MOST / 4..=MOST).contains(&pieces.len()), "{}", pieces.len());
        assert_eq!((pieces[0].at, pieces[0].least), (0, 0.0));
        assert_eq!(pieces.last().map(|piece| piece.most), Some((count - 1) as f64));
        assert_eq!(pieces.iter().map(|piece| piece.least).fold(f64::MAX, f64::min), -5.0);
        assert!(pieces.is_sorted_by_key(|piece| piece.at));
    }
}
