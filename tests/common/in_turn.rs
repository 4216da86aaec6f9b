//! A server and its clients in several lanes, killed in turn.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::common::Kid;

/// Kills the server and one of the clients in turn, as often as there are rounds: what clients asked for runs in its order
/// and never twice. A round ends when `goes_on` says so of its start, of how often the client ran that was served least, and
/// of its number. `act` returns who asked for what ran next, and its number with that client. Returns how much ran.
pub fn killed_in_turn(
    (lanes, rounds): (usize, u32),
    server: impl Fn() -> Kid,
    client: impl Fn() -> Kid,
    goes_on: impl Fn(Instant, u32, u32) -> bool,
    mut act: impl FnMut() -> Option<(u64, u64)>,
) -> u32 {
    let mut serving = server();
    let mut clients: VecDeque<_> = (0..lanes).map(|_| client()).collect();
    let mut last = HashMap::new();
    let mut all = 0;
    for round in 0..rounds {
        let (started, mut callers) = (Instant::now(), HashMap::new());
        // The last of as many as there are lanes: a client that was killed may have asked for something before.
        let least = |callers: &HashMap<u64, u32>| {
            let mut counts: Vec<_> = callers.values().copied().collect();
            counts.sort_unstable_by(|one, other| other.cmp(one));
            counts.get(lanes - 1).copied().unwrap_or(0)
        };
        while goes_on(started, least(&callers), round) {
            while let Some((who, number)) = act() {
                let before = last.insert(who, number);
                assert!(before.is_none_or(|before| before < number), "{number} of {who} after {before:?}");
                *callers.entry(who).or_default() += 1;
                all += 1;
            }
        }
        if round % 2 == 0 {
            serving.kill();
            serving = server();
        } else {
            clients.pop_front().unwrap().kill();
            clients.push_back(client());
        }
    }
    all
}
