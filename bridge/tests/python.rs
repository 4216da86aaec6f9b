//! A peer in Python that has Zenoh and no strait reads and writes the keys.

mod common;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::{Bridge, Place, State, Torque, endpoint, until};

#[test]
#[ignore = "needs Python with eclipse-zenoh, named by STRAIT_PYTHON; the lane `bridge` runs it"]
fn a_python_peer_without_strait_reads_and_writes_the_keys() {
    let python = std::env::var("STRAIT_PYTHON").expect("STRAIT_PYTHON names a Python");
    let (place, at) = (Place::new("near"), endpoint());
    let words = format!("--zenoh plant --listen {at} --out torque,state --in back,steps,square");
    let bridge = Bridge::start(&[], &place.name, &words);
    let is_over = AtomicBool::new(false);
    let mut state = place.region.latest_writer::<State>("state").expect("a role");
    state.publish(&State { count: 5, square: 25 });
    let mut back = place.region.latest_reader::<f64>("back").expect("a reader");
    let mut steps = place.region.typed_consumer::<u32>("steps").expect("a role");
    let status = thread::scope(|scope| {
        scope.spawn(|| {
            let mut torque = place.region.typed_producer::<Torque>("torque").expect("a role");
            let mut server = place.region.call_server::<u64, u64>("square").expect("a role");
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                if torque.try_send(&Torque { count, twice: 2 * count }).is_ok() {
                    count += 1;
                }
                let _ = server.serve_timeout(Duration::from_millis(5), |n| n * n);
            }
        });
        let hash = place.region.channel("torque").expect("a channel").type_hash;
        let status = Command::new(python)
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer.py"), &at, &format!("{hash:016x}")])
            .status();
        is_over.store(true, Ordering::Relaxed);
        status
    });
    assert!(status.expect("Python").success(), "{}", bridge.said());
    until("the value from Python", || back.read().value() == Some(0.75));
    until("the step from Python", || steps.try_recv() == Ok(41));
}
