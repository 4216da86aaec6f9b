//! What a participant's death, or its stop, does to the others, with real processes; in one program, which is linked once.

#[path = "../common/mod.rs"]
mod common;
#[cfg(any(target_os = "linux", windows))]
#[path = "../common/in_turn.rs"]
mod in_turn;
#[cfg(any(target_os = "linux", windows))]
#[path = "../common/onlooker.rs"]
mod onlooker;

mod broken_off;
mod contract;
mod kill;
mod kill_broadcast;
mod kill_calls;
mod kill_fanout;
mod kill_lanes;
mod kill_pool;
mod kill_streams;
mod peer_gone;
