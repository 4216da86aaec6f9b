//! Queues: everything that is sent arrives, once, in order, whole.
use strait_core::model::{self, loom};
use strait_core::{Channel, Plan, TryRecvError};

const PLAN: Plan = Plan::new(&[Channel::slots::<u32>("q", 2)]).line(4).participants(2);
const FRAMES: Plan = Plan::new(&[Channel::frames("q", 64, 16)]).line(4).participants(2);

#[test]
fn slots_of_two() {
    model::check(|| {
        let region = model::Region::new(&PLAN);
        let mut tx = region.join().typed_producer::<u32>("q").unwrap();
        let mut rx = region.join().typed_consumer::<u32>("q").unwrap();
        let sender = loom::thread::spawn(move || {
            let mut sent = 0;
            for value in 1..=3 {
                sent += u32::from(tx.try_send(&value).is_ok());
            }
            sent
        });
        let mut got = Vec::new();
        for _ in 0..2 {
            if let Ok(value) = rx.try_recv() {
                got.push(value);
            }
        }
        let sent = sender.join().unwrap();
        while let Ok(value) = rx.try_recv() {
            got.push(value);
        }
        assert_eq!(got.len() as u32, sent);
        assert!(got.is_sorted());
    });
}

#[test]
fn frames_wrap() {
    model::check(|| {
        let region = model::Region::new(&FRAMES);
        let mut tx = region.join().producer("q").unwrap();
        let mut rx = region.join().consumer("q").unwrap();
        let sender = loom::thread::spawn(move || {
            (1..=3).filter(|n: &u8| tx.try_send(u32::from(*n), &[*n; 8]).is_ok()).count()
        });
        let mut got = Vec::new();
        let mut buf = [0; 16];
        for _ in 0..2 {
            match rx.try_recv(&mut buf) {
                Ok(f) => {
                    assert_eq!(buf[..f.len], [f.tag as u8; 8]);
                    got.push(f.tag)
                }
                Err(e) => assert_eq!(e, TryRecvError::Empty),
            }
        }
        let sent = sender.join().unwrap();
        while let Ok(f) = rx.try_recv(&mut buf) {
            assert_eq!(buf[..f.len], [f.tag as u8; 8]);
            got.push(f.tag)
        }
        assert_eq!(got.len(), sent);
        assert!(got.is_sorted());
    });
}
