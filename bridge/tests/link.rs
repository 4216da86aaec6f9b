//! Two regions whose bridges are in two network namespaces, with a link that is cut for seconds.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{Bridge, LONG, Place, State, Torque, count, until};

/// Two network namespaces with a link between them.
struct Link {
    name: String,
    config: PathBuf,
}

impl Link {
    fn new() -> Self {
        let name = format!("sb{}", std::process::id());
        let config = std::env::temp_dir().join(format!("strait-bridge-link-{name}.json5"));
        // A peer that is silent for so long is gone.
        let text = "{ mode: 'peer', scouting: { multicast: { enabled: false } }, listen: { endpoints: [] },
            connect: { retry: { period_init_ms: 200, period_max_ms: 500 } },
            transport: { link: { tx: { lease: 1500 } } } }";
        fs::write(&config, text).expect("a file");
        let link = Self { name, config };
        for side in ["a", "b"] {
            ip(&format!("netns add {}{side}", link.name));
        }
        let (a, b) = (link.side("a"), link.side("b"));
        ip(&format!("link add {a} netns {a} type veth peer name {b} netns {b}"));
        for (side, address) in [(&a, "10.77.0.1/24"), (&b, "10.77.0.2/24")] {
            ip(&format!("-n {side} addr add {address} dev {side}"));
            ip(&format!("-n {side} link set lo up"));
        }
        link.set("up");
        link
    }

    fn side(&self, side: &str) -> String {
        format!("{}{side}", self.name)
    }

    fn set(&self, state: &str) {
        for side in [self.side("a"), self.side("b")] {
            ip(&format!("-n {side} link set {side} {state}"));
        }
    }

    fn cut(&self, time: Duration) {
        self.set("down");
        thread::sleep(time);
        self.set("up");
    }

    fn bridge(&self, side: &str, region: &str, words: &str) -> Bridge {
        let config = self.config.to_string_lossy();
        let words = format!("--zenoh plant/arm --config {config} {words}");
        Bridge::start(&["ip", "netns", "exec", &self.side(side)], region, &words)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for side in ["a", "b"] {
            let _ = Command::new("ip").args(["netns", "del", &self.side(side)]).status();
        }
        let _ = fs::remove_file(&self.config);
    }
}

fn ip(words: &str) {
    let output = Command::new("ip").args(words.split_whitespace()).output().expect("ip");
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs root and network namespaces; the lane `bridge` runs it"]
fn fault_120_a_link_that_is_cut_loses_only_what_is_told_and_latest_values_are_right_afterwards() {
    let link = Link::new();
    let (near, far) = (Place::new("near"), Place::new("far"));
    let sender = link.bridge("a", &near.name, "--listen tcp/10.77.0.1:7447 --out torque,state");
    let receiver = link.bridge("b", &far.name, "--connect tcp/10.77.0.1:7447 --in torque,state");

    let is_over = AtomicBool::new(false);
    let mut received = far.region.typed_consumer::<Torque>("torque").expect("a role");
    let mut shown = far.region.latest_reader::<State>("state").expect("a reader");
    let (sent, got, missing) = thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let mut torque = near.region.typed_producer::<Torque>("torque").expect("a role");
            let mut state = near.region.latest_writer::<State>("state").expect("a role");
            let mut count = 0;
            while !is_over.load(Ordering::Relaxed) {
                // While the link is cut the queue is full, and its producer is refused.
                if torque.send_timeout(&Torque { count, twice: 2 * count }, Duration::from_millis(20)).is_ok()
                {
                    count += 1;
                }
                state.publish(&State { count, square: count * count });
                thread::sleep(Duration::from_micros(500));
            }
            (count, count)
        });
        let (mut got, mut next, mut missing) = (0_u64, 0, 0);
        let mut take = |patience: Duration| {
            let Ok(torque) = received.recv_timeout(patience) else { return false };
            assert!(torque.count >= next && torque.twice == 2 * torque.count, "out of order");
            missing += torque.count - next;
            next = torque.count + 1;
            got += 1;
            true
        };
        let mut take_for = |time: Duration| {
            let start = Instant::now();
            while start.elapsed() < time {
                let _ = take(Duration::from_millis(10));
            }
        };
        take_for(Duration::from_secs(1));
        // Shorter than Zenoh's lease: its own transport sends it all again.
        link.cut(Duration::from_millis(700));
        take_for(Duration::from_secs(3));
        // Longer: the session is lost and opened again.
        link.cut(Duration::from_secs(4));
        take_for(Duration::from_secs(2));
        is_over.store(true, Ordering::Relaxed);
        let (sent, last) = sending.join().expect("no panic");
        until("the newest state", || shown.read().value().is_some_and(|state| state.count == last));
        let start = Instant::now();
        while take(Duration::from_secs(3)) {
            assert!(start.elapsed() < LONG, "messages come for ever");
        }
        (sent, got, missing)
    });
    let (near, far) = (sender.end(), receiver.end());
    println!("{sent} sent, {got} received, {missing} missing between them\n{near}\n{far}");
    let lost = count(&far, "torque in", "lost");
    assert_eq!(got + lost, sent, "what is missing was told: {near}{far}");
    assert!(missing <= lost && lost <= 1024, "{missing} missing, {lost} told");
    assert!(got > 500, "{near}{far}");
    assert_eq!(count(&far, "torque in", "dropped"), 0);
}
