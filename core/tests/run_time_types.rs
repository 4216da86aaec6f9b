//! Channels of a type that is known at run time alone, against the same channels of a Rust type.

use std::time::Duration;

use crate::common::Region;
use strait_core::{
    Channel, ChannelError, ConsumerOptions, Lock, Mutex, Plan, PublishError, Reading, RecvError,
    TryRecvError, TrySendError, WrongSize, format::ValueType,
};

/// Of a size that no other type here has, and no multiple of 8.
type Odd = [u8; 13];

const PLAN: Plan = Plan::new(&[
    Channel::slots::<Odd>("slots", 4),
    Channel::compact::<Odd>("compact", 4),
    Channel::latest::<u64>("latest"),
    Channel::mutex::<u64>("mutex"),
])
.participants(4);

const ODD: ValueType = ValueType::of::<Odd>();
const WORD: ValueType = ValueType::of::<u64>();

#[test]
fn the_plan_is_the_same_by_either_way() {
    let channels = [
        Channel::slots_of("slots", 4, ODD),
        Channel::compact_of("compact", 4, ODD),
        Channel::latest_of("latest", WORD),
        Channel::mutex_of("mutex", WORD),
    ];
    let (one, other) = (Region::new(&PLAN), Region::new(&Plan::new(&channels).participants(4)));
    assert_eq!(one.bytes(), other.bytes());
}

#[test]
fn values_go_from_bytes_to_type_and_back() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    for name in ["slots", "compact"] {
        let mut tx = a.typed_producer_of(name, ODD).unwrap();
        let mut rx = b.typed_consumer::<Odd>(name).unwrap();
        for number in 0..10 {
            tx.try_send(&[number; 13]).unwrap();
            assert_eq!(rx.try_recv().unwrap(), [number; 13]);
        }
        drop((tx, rx));
        let mut tx = a.typed_producer::<Odd>(name).unwrap();
        let mut rx = b.typed_consumer_of(name, ODD, ConsumerOptions::new()).unwrap();
        let mut bytes = [0; 13];
        for number in 0..10 {
            tx.try_send(&[number; 13]).unwrap();
            rx.recv_into_timeout(&mut bytes, Duration::from_secs(20)).unwrap();
            assert_eq!(bytes, [number; 13]);
        }
        assert_eq!(rx.try_recv_into(&mut bytes), Err(TryRecvError::Empty));
    }
}

#[test]
fn bytes_of_another_number_are_refused_and_nothing_moves() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut tx = a.typed_producer_of("slots", ODD).unwrap();
    let mut rx = b.typed_consumer_of("slots", ODD, ConsumerOptions::new()).unwrap();
    for wrong in [&[0; 12][..], &[0; 14], &[]] {
        assert_eq!(tx.try_send(wrong), Err(TrySendError::WrongSize));
    }
    assert!(tx.is_empty());
    tx.try_send(&[7; 13]).unwrap();
    assert_eq!(rx.try_recv_into(&mut [0; 12]), Err(TryRecvError::WrongSize { needed: 13 }));
    let long = rx.recv_into_timeout(&mut [0; 14], Duration::ZERO);
    assert_eq!(long, Err(RecvError::WrongSize { needed: 13 }));
    let mut bytes = [0; 13];
    rx.try_recv_into(&mut bytes).unwrap();
    assert_eq!(bytes, [7; 13]);
}

#[test]
fn hash_and_size_must_both_be_the_channels() {
    let region = Region::new(&PLAN);
    let a = region.join();
    for wrong in [WORD, ValueType { size: 12, ..ODD }, ValueType { hash: 1, ..ODD }] {
        assert_eq!(a.typed_producer_of("slots", wrong).err(), Some(ChannelError::Type));
        let rx = a.typed_consumer_of("slots", wrong, ConsumerOptions::new());
        assert_eq!(rx.err(), Some(ChannelError::Type));
        assert_eq!(
            a.mutex_of("mutex", ValueType { hash: wrong.hash, size: 4 }).err(),
            Some(ChannelError::Type)
        );
        let latest = ValueType { size: wrong.size + 1, ..WORD };
        assert_eq!(a.latest_writer_of("latest", latest).err(), Some(ChannelError::Type));
        assert_eq!(a.latest_reader_of("latest", latest).err(), Some(ChannelError::Type));
    }
}

#[test]
fn a_latest_value_of_bytes_is_read_by_type() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut writer = a.latest_writer_of("latest", WORD).unwrap();
    let mut reader = b.latest_reader::<u64>("latest").unwrap();
    for wrong in [&[0; 7][..], &[0; 9], &[]] {
        assert_eq!(writer.publish_from(0, wrong), Err(PublishError::WrongSize { needed: 8 }));
    }
    assert_eq!(reader.read(), Reading::Empty);
    writer.publish_from(0, &7_u64.to_le_bytes()).unwrap();
    assert_eq!(reader.read(), Reading::Fresh(7));
    let mut bytes = [0; 8];
    let mut reader = b.latest_reader_of("latest", WORD).unwrap();
    assert!(reader.read_into(&mut bytes).value().is_some());
    assert_eq!(bytes, 7_u64.to_le_bytes());
}

#[test]
fn a_mutex_is_locked_set_and_repaired_by_bytes() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut typed: Mutex<u64, _> = b.mutex("mutex").unwrap();
    let mut mutex = a.mutex_of("mutex", WORD).unwrap();
    let Ok(Lock::Held(mut guard)) = mutex.try_lock() else { panic!("it is free") };
    assert_eq!(guard.set_from(&[1; 7]), Err(WrongSize { needed: 8 }));
    assert_eq!(guard.get_into(&mut [1; 9]), Err(WrongSize { needed: 8 }));
    guard.set_from(&9_u64.to_le_bytes()).unwrap();
    a.die(guard);

    let c = region.join();
    let mut mutex = c.mutex_of("mutex", WORD).unwrap();
    let Ok(Lock::OwnerDied(mut recovery)) = mutex.try_lock() else { panic!("its owner is dead") };
    let mut bytes = [0; 8];
    recovery.get_into(&mut bytes).unwrap();
    assert_eq!(u64::from_le_bytes(bytes), 9);
    assert_eq!(recovery.set_from(&[]), Err(WrongSize { needed: 8 }));
    recovery.set_from(&10_u64.to_le_bytes()).unwrap();
    let Ok(guard) = recovery.mark_consistent() else { panic!("it is ours") };
    guard.unlock().unwrap();
    let Ok(Lock::Held(guard)) = typed.try_lock() else { panic!("it is free") };
    assert_eq!(guard.get(), 10);
}

#[test]
fn a_poisoned_mutex_takes_a_new_value_of_its_size_only() {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    let mut mutex = a.mutex_of("mutex", WORD).unwrap();
    let Ok(Lock::Held(guard)) = mutex.try_lock() else { panic!("it is free") };
    a.die(guard);
    let mut mutex = b.mutex_of("mutex", WORD).unwrap();
    drop(mutex.try_lock());
    assert!(mutex.reinitialise(&[0; 7]).is_none());
    let mut guard = mutex.reinitialise(&3_u64.to_le_bytes()).expect("it was given up");
    let mut bytes = [0; 8];
    guard.get_into(&mut bytes).unwrap();
    assert_eq!(u64::from_le_bytes(bytes), 3);
    guard.set_from(&4_u64.to_le_bytes()).unwrap();
}
