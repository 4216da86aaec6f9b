//! When to kill, and what was killed.

use std::time::{Duration, Instant};

use crate::args::Role;

/// A process that was killed.
pub struct Kill {
    /// The kind of process.
    pub role: Role,
    /// The last step of the plant's that was seen before.
    pub step: u64,
    /// When, on the monotonic clock.
    at_ns: u64,
    /// The number of the process that took its place.
    successor: u64,
    /// How long the recovery took: of a controller, from its last answer
    /// to its successor's first; of a tuner, until the gain table was rolled back.
    pub recovery_ns: Option<u64>,
}

/// Keeps the time between kills.
pub struct Killer {
    every: Duration,
    /// How many steps a controller makes at least.
    steps: u64,
    /// Not before this.
    next: Option<Instant>,
    /// From where on the controller, which is at work, has made its steps.
    from: Option<u64>,
    kills: Vec<Kill>,
}

impl Killer {
    /// Kills for the first time once a controller is at work.
    pub fn new(every: Duration, rate: u32) -> Self {
        let steps = (every.as_secs_f64() / 2.0 * f64::from(rate)) as u64;
        Self { every, steps, next: None, from: None, kills: Vec::new() }
    }

    /// Whether it is time to kill the controller, which is at work or not, at this step of the plant's. One
    /// that was slow to take over has half the time between kills at least.
    pub fn is_time(&mut self, at_work: bool, step: u64) -> bool {
        if !at_work {
            return false;
        }
        let now = Instant::now();
        let (next, from) = (*self.next.get_or_insert(now + self.every), *self.from.get_or_insert(step));
        now >= next && step >= from + self.steps
    }

    /// A process was killed.
    pub fn killed(&mut self, role: Role, step: u64, at_ns: u64, successor: u64) {
        self.kills.push(Kill { role, step, at_ns, successor, recovery_ns: None });
        if role == Role::Controller {
            self.next = self.next.map(|due| (due + self.every).max(Instant::now()));
            self.from = None;
        }
    }

    /// The gain table was rolled back, after the tuner that was killed last.
    pub fn repaired(&mut self, at_ns: u64) {
        let tuner = self.kills.iter_mut().rfind(|kill| kill.role == Role::Tuner);
        if let Some(kill) = tuner.filter(|kill| kill.at_ns < at_ns) {
            kill.recovery_ns.get_or_insert(at_ns - kill.at_ns);
        }
    }

    /// The kills, given how long there was no answer before each controller's first.
    pub fn finish(mut self, gaps: &[(u64, u64)]) -> Vec<Kill> {
        for kill in self.kills.iter_mut().filter(|kill| kill.role == Role::Controller) {
            let gap = gaps.iter().find(|(number, _)| *number == kill.successor);
            kill.recovery_ns = gap.map(|&(_, nanos)| nanos);
        }
        self.kills
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Killer, Role};

    #[test]
    fn nobody_is_killed_before_the_last_one_is_replaced() {
        let mut killer = Killer::new(Duration::from_millis(1), 20_000);
        assert!(!killer.is_time(false, 0) && !killer.is_time(true, 0));
        std::thread::sleep(Duration::from_millis(2));
        assert!(!killer.is_time(true, 9) && killer.is_time(true, 10));
        killer.killed(Role::Controller, 10, 100, 3);
        std::thread::sleep(Duration::from_millis(2));
        assert!(!killer.is_time(false, 100) && !killer.is_time(true, 101) && !killer.is_time(true, 110));
        assert!(killer.is_time(true, 111));
        killer.killed(Role::Tuner, 8, 200, 4);
        killer.repaired(150);
        killer.repaired(230);
        killer.repaired(290);
        let kills = killer.finish(&[(1, 50), (3, 40)]);
        assert_eq!(kills.iter().map(|kill| kill.recovery_ns).collect::<Vec<_>>(), [Some(40), Some(30)]);
    }
}
