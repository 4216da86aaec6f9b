//! One thread asleep on the words of several channels, and of several regions, which other processes send to.

use std::time::{Duration, Instant};

use crate::common::{ASLEEP, Helper, Place, hear, role_for_a_while, say};
use strait_core::{Channel, Plan, Reading, WaitAnyError, WaitPolicy, Waitable, wait_any};
use strait_os::{Region, RegionOptions};

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u32>("queue", 4).consumer_may_block(),
    Channel::event("event"),
    Channel::latest::<u64>("latest").consumer_may_block(),
]);
const LONG: Duration = Duration::from_secs(20);
/// Sleeps at once, and looks by itself too seldom for a test to pass by that.
const DEEP: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };

fn open(place: &Place) -> Region {
    place.region().open_or_create(&PLAN, &RegionOptions::new()).expect("a region")
}

/// The receivers of two regions of one plan: of each channel one.
#[test]
fn another_process_wakes_a_thread_that_sleeps_on_the_words_of_two_regions() {
    let places = [Place::local(), Place::local()];
    let [one, two] = places.each_ref().map(open);
    let mut helper = Helper::start("send", format!("{} {}", places[0].text, places[1].text));
    assert_eq!(helper.hear(), "ready");
    let (mut queue, mut other_queue) =
        (one.typed_consumer::<u32>("queue").unwrap(), two.typed_consumer::<u32>("queue").unwrap());
    let (mut event, mut other_event) = (one.listener("event").unwrap(), two.listener("event").unwrap());
    let mut latest = two.latest_reader::<u64>("latest").unwrap();
    let started = Instant::now();
    for (index, what) in
        [(0, "0 queue"), (1, "1 queue"), (2, "0 event"), (3, "1 event"), (4, "1 latest")].repeat(3)
    {
        helper.tell(what);
        let all: &mut [&mut dyn Waitable] =
            &mut [&mut queue, &mut other_queue, &mut event, &mut other_event, &mut latest];
        assert_eq!(wait_any(one.port(), all, DEEP, LONG), Ok(index), "{what}");
        match index {
            0 => assert_eq!(queue.try_recv(), Ok(7)),
            1 => assert_eq!(other_queue.try_recv(), Ok(7)),
            2 => assert_eq!(event.try_wait().map(|notified| notified.code), Some(7)),
            3 => assert_eq!(other_event.try_wait().map(|notified| notified.code), Some(7)),
            _ => assert_eq!(latest.read(), Reading::Fresh(7)),
        }
    }
    // One that is missed costs the whole time.
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
    let all: &mut [&mut dyn Waitable] = &mut [&mut queue, &mut other_event];
    assert_eq!(wait_any(one.port(), all, DEEP, ASLEEP), Err(WaitAnyError::TimedOut));
}

fn send_role(places: &str) {
    let regions: Vec<_> = places.split(' ').map(|text| open(&Place::told(text))).collect();
    say("ready");
    loop {
        let said = hear();
        // The receiver is to be asleep by then; the test holds without that as well.
        std::thread::sleep(ASLEEP / 4);
        let (which, channel) = said.split_once(' ').expect("two words");
        let region = &regions[which.parse::<usize>().expect("a number")];
        match channel {
            "queue" => region.typed_producer::<u32>("queue").unwrap().try_send(&7).unwrap(),
            "event" => region.notifier("event").unwrap().notify(7),
            _ => region.latest_writer::<u64>("latest").unwrap().publish(&7),
        }
    }
}

/// A thread that sleeps on several words takes no processor time to speak of.
#[cfg(target_os = "linux")]
#[test]
fn a_sleep_on_several_words_is_a_sleep() {
    use nix::time::{ClockId, clock_gettime};
    let place = Place::local();
    let region = open(&place);
    let mut queue = region.typed_consumer::<u32>("queue").unwrap();
    let mut event = region.listener("event").unwrap();
    let time = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock"));
    let (before, wait) = (time(), Duration::from_millis(500));
    let found = wait_any(region.port(), &mut [&mut queue, &mut event], DEEP, wait);
    assert_eq!(found, Err(WaitAnyError::TimedOut));
    let took = time() - before;
    assert!(took < wait / 4, "{took:?} of {wait:?}");
}

#[test]
fn helper() {
    let Some((role, places)) = role_for_a_while() else { return };
    match role.as_str() {
        "send" => send_role(&places),
        other => panic!("no such role: {other}"),
    }
}
