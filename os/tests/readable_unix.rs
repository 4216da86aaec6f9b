//! One thread that waits for receivers of a region and for descriptors at once.
#![cfg(unix)]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::Name;
use strait_core::{Channel, Plan, WaitAnyError, WaitPolicy};
use strait_os::RegionOptions;
use strait_os::unix::wait_ready_or_readable;

const PLAN: Plan = Plan::new(&[
    Channel::slots::<u32>("queue", 4).consumer_may_block(),
    Channel::calls::<u32, u32>("calls", 4).clients(2),
    Channel::slots::<u32>("polled", 4),
]);
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(10);
/// Sleeps at once, and looks by itself too seldom for a test to pass by that.
const DEEP: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: LONG };

#[test]
fn both_end_a_wait_and_both_are_told() {
    let name = Name::new();
    let region = name.region().open_or_create(&PLAN, &RegionOptions::new()).unwrap();
    let mut queue = region.typed_consumer::<u32>("queue").unwrap();
    let mut tx = region.typed_producer::<u32>("queue").unwrap();
    let (mut own, mut peer) = UnixStream::pair().unwrap();
    let (idle, gone) = UnixStream::pair().unwrap();
    for policy in [DEEP, WaitPolicy::parking(), WaitPolicy { park: false, ..DEEP }] {
        let mut wait = |own: &UnixStream, timeout| {
            let fds = [idle.as_fd(), own.as_fd()];
            wait_ready_or_readable(region.port(), &mut [&mut queue], &fds, policy, timeout)
                .map(|found| (found.receivers.collect::<Vec<_>>(), found.descriptors.collect::<Vec<_>>()))
        };
        assert_eq!(wait(&own, SHORT), Err(WaitAnyError::TimedOut));
        peer.write_all(b"1").unwrap();
        assert_eq!(wait(&own, LONG), Ok((vec![], vec![1])));
        tx.try_send(&1).unwrap();
        assert_eq!(wait(&own, LONG), Ok((vec![0], vec![1])));
        own.read_exact(&mut [0]).unwrap();
        assert_eq!(wait(&own, LONG), Ok((vec![0], vec![])));
        queue.try_recv().unwrap();
    }
    drop(gone);
    let fds = [idle.as_fd()];
    let found = wait_ready_or_readable(region.port(), &mut [&mut queue], &fds, DEEP, LONG).unwrap();
    assert!(found.descriptors.contains(0), "one that has ended is ready");
    let found = wait_ready_or_readable(region.port(), &mut [], &fds, DEEP, LONG).unwrap();
    assert!(found.descriptors.contains(0) && found.receivers.is_empty());
    let found = wait_ready_or_readable(region.port(), &mut [&mut queue], &[], DEEP, SHORT);
    assert_eq!(found, Err(WaitAnyError::TimedOut));
    let many = [idle.as_fd(); 129];
    let found = wait_ready_or_readable(region.port(), &mut [&mut queue], &many, DEEP, LONG);
    assert_eq!(found, Err(WaitAnyError::TooMany { most: 128 }));
    let mut polled = region.typed_consumer::<u32>("polled").unwrap();
    let found = wait_ready_or_readable(region.port(), &mut [&mut polled], &fds, DEEP, LONG);
    assert_eq!(found, Err(WaitAnyError::NoDoorbell));
}

/// A thread sends, one writes, and one serves calls; the wait ends for each in its turn, long before the probe period.
#[test]
fn a_sleeper_is_woken_by_each() {
    let name = Name::new();
    let region = name.region().open_or_create(&PLAN, &RegionOptions::new()).unwrap();
    let mut queue = region.typed_consumer::<u32>("queue").unwrap();
    let mut client = region.lane_call_client::<u32, u32>("calls", 1).unwrap();
    let (mut own, mut peer) = UnixStream::pair().unwrap();
    let started = Instant::now();
    for turn in 0..9 {
        let ticket = (turn % 3 == 2).then(|| client.try_call(&turn).unwrap());
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(SHORT);
                let region = name.region().open(&RegionOptions::new()).unwrap();
                match turn % 3 {
                    0 => region.typed_producer::<u32>("queue").unwrap().try_send(&turn).unwrap(),
                    1 => peer.write_all(b"x").unwrap(),
                    _ => {
                        let mut server: strait_core::LanesServer<u32, u32, _, 2> =
                            region.lanes_call_server("calls").unwrap();
                        assert_eq!(server.serve(|_, &n| n), Ok(1));
                    }
                }
            });
            let fds = [own.as_fd()];
            let receivers: &mut [&mut dyn strait_core::Waitable] = &mut [&mut queue, &mut client];
            let found = wait_ready_or_readable(region.port(), receivers, &fds, DEEP, LONG).unwrap();
            let found = (found.receivers.collect::<Vec<_>>(), found.descriptors.collect::<Vec<_>>());
            match turn % 3 {
                0 => assert_eq!(found, (vec![0], vec![])),
                1 => assert_eq!(found, (vec![], vec![0])),
                _ => assert_eq!(found, (vec![1], vec![])),
            }
        });
        match turn % 3 {
            0 => assert_eq!(queue.try_recv(), Ok(turn)),
            1 => own.read_exact(&mut [0]).unwrap(),
            _ => assert_eq!(client.poll(ticket.unwrap()), Ok(Some(turn))),
        }
    }
    assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use strait_core::Attachment;
    use strait_os::linux::{EventPort, doorbell};

    /// The doorbell is one more descriptor: no ring is lost, and nothing is polled.
    #[test]
    fn a_doorbell_ends_the_same_sleep() {
        let (name, bell) = (Name::new(), doorbell().unwrap());
        let join = |own, peers| {
            let region = name.region().open_or_create(&PLAN, &RegionOptions::new()).unwrap();
            Attachment::attach(EventPort::new(region.port().clone(), own, peers)).unwrap()
        };
        let here = join(bell.try_clone().unwrap(), vec![]);
        let there = join(doorbell().unwrap(), vec![bell]);
        let mut queue = here.typed_consumer::<u32>("queue").unwrap();
        let mut tx = there.typed_producer::<u32>("queue").unwrap();
        let (mut own, mut peer) = UnixStream::pair().unwrap();
        let started = Instant::now();
        const COUNT: u32 = 2000;
        thread::scope(|scope| {
            scope.spawn(move || {
                for n in 0..COUNT {
                    while tx.try_send(&n).is_err() {
                        thread::yield_now();
                    }
                    if n % 4 == 0 {
                        peer.write_all(&[1]).unwrap();
                    }
                }
            });
            let (mut messages, mut bytes) = (0, 0);
            while (messages, bytes) != (COUNT, COUNT / 4) {
                let fds = [own.as_fd()];
                let found = here.port().wait_ready_or_readable(&mut [&mut queue], &fds, DEEP, LONG).unwrap();
                if found.receivers.contains(0) {
                    while let Ok(n) = queue.try_recv() {
                        assert_eq!(n, messages);
                        messages += 1;
                    }
                }
                if found.descriptors.contains(0) {
                    // None at the end of the stream, which may be found before the last messages are.
                    bytes += own.read(&mut [0]).unwrap() as u32;
                }
            }
        });
        assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
        let found = here.port().wait_ready_or_readable(&mut [&mut queue], &[own.as_fd()], DEEP, SHORT);
        // A ring may be left over; the end of the other stream is not: it is readable.
        assert!(found.unwrap().descriptors.contains(0));
    }
}
