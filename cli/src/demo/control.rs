//! The controller: linear state feedback, optimal for a quadratic cost (LQR).
//!
//! The model is the plant's own, linearised around upright by central differences over one control
//! step; the gains come from iterating the discrete Riccati equation until they stand still.

use super::physics::{FORCE_LIMIT, State, advance};

type Matrix = [[f64; 4]; 4];

/// The cost per second of being off by a metre, a metre per second, a radian and a radian per second.
const COST: State = [1.0, 1.0, 10.0, 1.0];
/// The cost per second of a newton.
const FORCE_COST: f64 = 0.05;
/// Above 1 kHz the gains hardly change any more, but take many more iterations.
const SHORTEST_STEP: f64 = 1e-3;
const MOST_ITERATIONS: u32 = 200_000;

/// The gains for control steps of this many seconds.
pub fn design(period: f64) -> State {
    let period = period.max(SHORTEST_STEP);
    let (a, b) = linearise(period);
    riccati(&a, &b, period)
}

/// The force that answers a state.
pub fn force(gains: &State, state: &State) -> f64 {
    let force: f64 = gains.iter().zip(state).map(|(gain, value)| -gain * value).sum();
    force.clamp(-FORCE_LIMIT, FORCE_LIMIT)
}

/// One step as `a * state + b * force`, near upright.
fn linearise(period: f64) -> (Matrix, State) {
    const SMALL: f64 = 1e-4;
    let mut a = [[0.0; 4]; 4];
    for column in 0..4 {
        let mut state = [0.0; 4];
        state[column] = SMALL;
        let plus = advance(&state, 0.0, period);
        state[column] = -SMALL;
        let minus = advance(&state, 0.0, period);
        for row in 0..4 {
            a[row][column] = (plus[row] - minus[row]) / (2.0 * SMALL);
        }
    }
    let plus = advance(&[0.0; 4], SMALL, period);
    let minus = advance(&[0.0; 4], -SMALL, period);
    (a, std::array::from_fn(|row| (plus[row] - minus[row]) / (2.0 * SMALL)))
}

fn riccati(a: &Matrix, b: &State, period: f64) -> State {
    let mut p = [[0.0; 4]; 4];
    for i in 0..4 {
        p[i][i] = COST[i] * period;
    }
    let mut gains = [0.0; 4];
    for _ in 0..MOST_ITERATIONS {
        // gains = (r + b'Pb)^-1 b'PA;  P = Q + A'P(A - b gains)
        let pb: State = std::array::from_fn(|i| dot(&p[i], b));
        let weight = FORCE_COST * period + dot(&pb, b);
        let next: State = std::array::from_fn(|j| (0..4).map(|i| pb[i] * a[i][j]).sum::<f64>() / weight);
        let closed: Matrix = std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] - b[i] * next[j]));
        let pc = product(&p, &closed);
        let apc: Matrix =
            std::array::from_fn(|i| std::array::from_fn(|j| (0..4).map(|k| a[k][i] * pc[k][j]).sum()));
        for i in 0..4 {
            for j in 0..4 {
                let cost = if i == j { COST[i] * period } else { 0.0 };
                // P is symmetric; what rounding adds to that would grow without end.
                p[i][j] = cost + (apc[i][j] + apc[j][i]) / 2.0;
            }
        }
        let moved = next.iter().zip(&gains).map(|(new, old)| (new - old).abs()).fold(0.0, f64::max);
        gains = next;
        if moved < 1e-9 {
            break;
        }
    }
    gains
}

fn dot(a: &State, b: &State) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..4).map(|k| a[i][k] * b[k][j]).sum()))
}

#[cfg(test)]
mod tests {
    use super::design;

    #[test]
    fn the_gains_are_those_of_the_equation_and_not_of_its_rounding() {
        // At 1 kHz close to the continuous case, where the first is -sqrt(1 / 0.05).
        let gains = design(1e-3);
        assert!((gains[0] + 20.0_f64.sqrt()).abs() < 0.1, "{gains:?}");
        assert!((-100.0..-50.0).contains(&gains[2]), "{gains:?}");
    }
}
