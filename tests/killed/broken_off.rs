//! What a batch, a grant or a receive has done when its process is killed in the middle of it.
#![cfg(any(target_os = "linux", windows))]

use crate::common::{Kid, Name, linger, role, tell};
use strait::options::ConsumerOptions;
use strait::{Channel, Plan, Region, RegionOptions, TryRecvError};

const PLAN: Plan = Plan::new(&[
    Channel::frames("frames", 1024, 64),
    Channel::slots::<u32>("slots", 8),
    Channel::compact::<u32>("compact", 8),
]);

/// None is released late.
const EACH: ConsumerOptions = ConsumerOptions::new().release_every(1);

/// Lets two pass, says so, and stays.
fn stays_at(number: u32) {
    if number == 3 {
        tell("half-way");
        linger();
    }
}

fn typed(region: &Region, name: &str) {
    let mut tx = region.typed_producer::<u32>(name).expect("the role");
    let values = (1..9).inspect(|&number| stays_at(number - 1));
    tx.try_send_batch(values).expect("room");
}

#[test]
fn child() {
    let Some((task, place)) = role() else { return };
    let region = place.open(&RegionOptions::new()).expect("the test made the region");
    match task.as_str() {
        "send slots" => typed(&region, "slots"),
        "send compact" => typed(&region, "compact"),
        "send frames" => {
            let mut tx = region.producer("frames").expect("the role");
            let frames = (1..9).map(|tag| {
                stays_at(tag);
                (tag, &b"frame"[..])
            });
            tx.try_send_batch(frames).expect("room");
        }
        "grant" => {
            let mut tx = region.producer("frames").expect("the role");
            (1..3).for_each(|tag| tx.try_send(tag, b"frame").expect("room"));
            let mut grant = tx.reserve(64).expect("room");
            grant.set_tag(3);
            grant.write(0, &[0xEE; 40]);
            stays_at(3);
            grant.commit();
        }
        "recv slots" => {
            let mut rx = region.typed_consumer_with::<u32>("slots", EACH).expect("the role");
            rx.recv_batch(9, stays_at).expect("something");
        }
        "recv frames" => {
            let mut rx = region.consumer_with("frames", EACH).expect("the role");
            rx.recv_batch(9, |peek| stays_at(peek.info().tag)).expect("something");
        }
        "peek" => {
            let mut rx = region.consumer_with("frames", EACH).expect("the role");
            (0..2).for_each(|_| rx.peek().expect("a frame").release());
            rx.flush();
            let peek = rx.peek().expect("a frame");
            stays_at(peek.info().tag);
            peek.release();
        }
        _ => panic!("no such task"),
    }
}

/// A region in which a process was killed half-way; `prepare` fills it before.
fn killed(task: &str, prepare: impl FnOnce(&Region)) -> (Name, Region) {
    let name = Name::new(&format!("broken-off-{}", task.replace(' ', "-")));
    let region = name.region().create(&PLAN, &RegionOptions::new()).expect("the name is free");
    prepare(&region);
    let mut kid = Kid::spawn("broken_off::child", task, &name);
    assert_eq!(kid.hear(), "half-way");
    kid.kill();
    (name, region)
}

fn values(region: &Region, name: &str) -> Vec<u32> {
    let mut rx = region.typed_consumer::<u32>(name).expect("the role");
    std::iter::from_fn(|| rx.try_recv().ok()).collect()
}

fn tags(region: &Region) -> Vec<(u32, u32)> {
    let mut rx = region.consumer("frames").expect("the role");
    std::iter::from_fn(|| rx.try_recv_frame::<64>().ok())
        .map(|frame| (frame.tag(), frame.sequence()))
        .collect()
}

/// In a compact queue of eight they become visible in twos: a quarter of the ring at a time.
#[test]
fn a_batch_of_values_whose_process_is_killed_is_sent_so_far() {
    for (task, name, before) in
        [("send slots", "slots", &[1, 2, 3][..]), ("send compact", "compact", &[1, 2])]
    {
        let (_name, region) = killed(task, |_| {});
        let mut tx = region.typed_producer::<u32>(name).expect("its owner is dead");
        assert!(tx.taken_over_from().is_some());
        tx.try_send(&9).expect("room");
        assert_eq!(values(&region, name), [before, &[9]].concat(), "{name}");
    }
}

#[test]
fn a_batch_and_a_grant_of_frames_are_sent_so_far() {
    for task in ["send frames", "grant"] {
        let (_name, region) = killed(task, |_| {});
        let mut tx = region.producer("frames").expect("its owner is dead");
        tx.try_send(9, b"next").expect("room");
        assert_eq!(tags(&region), [(1, 0), (2, 1), (9, 2)], "{task}");
    }
}

#[test]
fn what_was_in_use_comes_again() {
    let fill = |region: &Region| {
        let mut slots = region.typed_producer::<u32>("slots").expect("the role");
        assert_eq!(slots.try_send_batch(1..5), Ok(4));
        let mut frames = region.producer("frames").expect("the role");
        (1..5).for_each(|tag| frames.try_send(tag, b"frame").expect("room"));
    };
    let (_name, region) = killed("recv slots", fill);
    assert_eq!(values(&region, "slots"), [3, 4]);
    for task in ["recv frames", "peek"] {
        let (_name, region) = killed(task, fill);
        assert_eq!(tags(&region), [(3, 2), (4, 3)], "{task}");
        let mut rx = region.consumer("frames").expect("the role");
        assert_eq!(rx.try_recv(&mut [0; 64]), Err(TryRecvError::Empty));
    }
}
