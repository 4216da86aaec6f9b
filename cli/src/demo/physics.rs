//! The plant: a cart with a pendulum standing on it, pushed by a force.
//!
//! A uniform rod of length `2 * HALF_LENGTH`, hinged on a cart without friction; angle 0 is
//! upright. The equations are those of Barto, Sutton and Anderson (1983), integrated by fourth-order
//! Runge-Kutta in steps of a millisecond at most.

use std::f64::consts::FRAC_PI_2;

/// Kilograms of the cart.
const CART: f64 = 1.0;
/// Kilograms of the rod.
const ROD: f64 = 0.2;
/// Metres from the hinge to the rod's centre.
const HALF_LENGTH: f64 = 1.0;
/// Metres per second squared.
const GRAVITY: f64 = 9.81;
/// The strongest push, in newtons, either way.
pub const FORCE_LIMIT: f64 = 40.0;
/// The longest step of the integration, in seconds.
const LONGEST_STEP: f64 = 1e-3;

/// Position, velocity, angle, angle rate; metres, radians and seconds.
pub type State = [f64; 4];

/// How the run begins: standing still, off balance.
pub const START: State = [0.0, 0.0, 0.1, 0.0];

/// The angle of a state.
pub fn angle(state: &State) -> f64 {
    state[2]
}

/// Whether the pendulum has fallen.
pub fn has_fallen(state: &State) -> bool {
    angle(state).abs() >= FRAC_PI_2
}

/// The state's rate of change under a force.
fn rate(state: &State, force: f64) -> State {
    let [_, velocity, angle, spin] = *state;
    let (sin, cos) = angle.sin_cos();
    let total = CART + ROD;
    let push = (force + ROD * HALF_LENGTH * spin * spin * sin) / total;
    let inertia = HALF_LENGTH * (4.0 / 3.0 - ROD * cos * cos / total);
    let turn = (GRAVITY * sin - cos * push) / inertia;
    [velocity, push - ROD * HALF_LENGTH * turn * cos / total, spin, turn]
}

fn moved(state: &State, rate: &State, seconds: f64) -> State {
    std::array::from_fn(|i| state[i] + rate[i] * seconds)
}

/// The state after `seconds` under a constant force.
pub fn advance(state: &State, force: f64, seconds: f64) -> State {
    let force = force.clamp(-FORCE_LIMIT, FORCE_LIMIT);
    let steps = (seconds / LONGEST_STEP).ceil().max(1.0);
    let step = seconds / steps;
    let mut state = *state;
    for _ in 0..steps as u64 {
        let a = rate(&state, force);
        let b = rate(&moved(&state, &a, step / 2.0), force);
        let c = rate(&moved(&state, &b, step / 2.0), force);
        let d = rate(&moved(&state, &c, step), force);
        let mean = std::array::from_fn(|i| (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]) / 6.0);
        state = moved(&state, &mean, step);
    }
    state
}

/// Disturbances of the pendulum, and noise of the sensors. The same in every run.
pub struct Disturbance(u64);

impl Disturbance {
    /// From the beginning.
    pub fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    /// Uniform in -1 to 1 (xorshift64*).
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        bits as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// A gust: changes the angle rate at random, as much in a second whatever the rate is.
    pub fn push(&mut self, state: &mut State, seconds: f64) {
        const STRENGTH: f64 = 0.05;
        state[3] += STRENGTH * seconds.sqrt() * self.uniform();
    }

    /// The sensors' readings.
    pub fn measure(&mut self, state: &State) -> State {
        const BLUR: State = [1e-4, 1e-3, 1e-4, 1e-3];
        std::array::from_fn(|i| state[i] + BLUR[i] * self.uniform())
    }
}

#[cfg(test)]
mod tests {
    use super::{Disturbance, START, State, advance, angle, has_fallen};
    use crate::demo::control;

    /// Runs for 20 s; the controller's answer is withheld while `stalled` says so. The worst angle,
    /// or `None` if it fell.
    fn run(rate: u32, control: bool, stalled: impl Fn(u64) -> bool) -> Option<f64> {
        let period = 1.0 / f64::from(rate);
        let gains = control::design(period);
        let (mut state, mut force, mut worst) = (START, 0.0, angle(&START));
        let mut disturbance = Disturbance::new();
        for step in 0..u64::from(rate) * 20 {
            let seen = disturbance.measure(&state);
            if control && !stalled(step) {
                force = control::force(&gains, &seen);
            }
            state = advance(&state, force, period);
            disturbance.push(&mut state, period);
            worst = f64::max(worst, angle(&state).abs());
            if has_fallen(&state) {
                return None;
            }
        }
        Some(worst)
    }

    #[test]
    fn it_falls_without_a_controller() {
        assert_eq!(run(1000, false, |_| false), None);
    }

    #[test]
    fn it_stays_up_with_one_at_any_rate() {
        for rate in [20, 50, 100, 1000, 10_000] {
            let worst = run(rate, true, |_| false);
            assert!(worst.is_some_and(|worst| worst < 0.2), "{rate} Hz: {worst:?}");
        }
    }

    #[test]
    fn it_survives_a_controller_that_hiccups() {
        // Two hundred milliseconds once a second, and sixty ten times as often.
        let long = run(1000, true, |step| step % 1000 > 800);
        assert!(long.is_some_and(|worst| worst < 0.8), "{long:?}");
        let often = run(1000, true, |step| step % 100 > 40);
        assert!(often.is_some_and(|worst| worst < 0.8), "{often:?}");
        // A controller that is killed as often as possible, and replaced as late as the plant allows.
        let killed = run(1000, true, |step| step % 225 > 25);
        assert!(killed.is_some_and(|worst| worst < 0.8), "{killed:?}");
    }

    #[test]
    fn energy_is_kept_without_force() {
        // A pendulum let go near the top comes back near the top on the other side.
        let mut state: State = [0.0, 0.0, 0.1, 0.0];
        let mut highest = 0.0_f64;
        for _ in 0..20_000 {
            state = advance(&state, 0.0, 1e-3);
            highest = highest.max(angle(&state));
        }
        let back = 2.0 * std::f64::consts::PI - 0.1;
        assert!((highest - back).abs() < 1e-3, "{highest}");
    }
}
