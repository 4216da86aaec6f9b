//! All endpoints of the region.

use strait_core::{
    Consumer, LatestReader, LatestWriter, Mutex, Permits, Producer, Semaphore, TypedConsumer, TypedProducer,
    WakeCheck,
};

use super::{ODD, Value};
use crate::exercise::options;
use crate::input::Input;
use crate::world::{FuzzPort, Member, POLICY};

type Tx<'r, T> = Option<TypedProducer<T, FuzzPort<'r>>>;
type Rx<'r, T> = Option<TypedConsumer<T, FuzzPort<'r>>>;
type Writer<'r> = Option<LatestWriter<Value, FuzzPort<'r>>>;
type Reader<'r> = Option<LatestReader<Value, FuzzPort<'r>>>;
type Handle<'r> = Option<Mutex<Value, FuzzPort<'r>>>;

/// All endpoints of a region; what could not be opened is not there.
pub(super) struct Ends<'r> {
    pub(super) frames: (Option<Producer<FuzzPort<'r>>>, Option<Consumer<FuzzPort<'r>>>),
    pub(super) slots: (Tx<'r, Value>, Rx<'r, Value>),
    pub(super) compact: (Tx<'r, Value>, Rx<'r, Value>),
    pub(super) odd: (Tx<'r, [u8]>, Rx<'r, [u8]>),
    pub(super) latest: (Writer<'r>, Reader<'r>),
    pub(super) bytes: (Option<LatestWriter<[u8], FuzzPort<'r>>>, Option<LatestReader<[u8], FuzzPort<'r>>>),
    pub(super) mutex: (Handle<'r>, Handle<'r>),
    pub(super) odd_mutex: Option<Mutex<[u8], FuzzPort<'r>>>,
    pub(super) semaphore: Option<Semaphore<FuzzPort<'r>>>,
    pub(super) permits: (Option<Permits<FuzzPort<'r>>>, Option<Permits<FuzzPort<'r>>>),
}

impl<'r> Ends<'r> {
    /// Opens all, for the two participants.
    pub(super) fn open(a: &Member<'r>, b: &Member<'r>, input: &mut Input<'_>) -> Self {
        let mut ends = Self {
            frames: (a.producer("frames").ok(), b.consumer_with("frames", options(input)).ok()),
            slots: (a.typed_producer("slots").ok(), b.typed_consumer_with("slots", options(input)).ok()),
            compact: (a.typed_producer("compact").ok(), b.typed_consumer("compact").ok()),
            odd: (a.typed_producer_of("odd", ODD).ok(), b.typed_consumer_of("odd", ODD, options(input)).ok()),
            latest: (a.latest_writer("latest").ok(), b.latest_reader("latest").ok()),
            bytes: (a.latest_writer::<[u8]>("bytes").ok(), b.latest_reader::<[u8]>("bytes").ok()),
            mutex: (a.mutex("mutex").ok(), b.mutex("mutex").ok()),
            odd_mutex: a.mutex_of("odd mutex", ODD).ok(),
            semaphore: a.semaphore("semaphore").ok(),
            permits: (a.permits("permits").ok(), b.permits("permits").ok()),
        };
        let check = [WakeCheck::Fenced, WakeCheck::default()][input.below(2)];
        if let Some(tx) = &mut ends.frames.0 {
            tx.set_wait_policy(POLICY);
            tx.set_wake_check(check);
        }
        if let Some(rx) = &mut ends.frames.1 {
            rx.set_wait_policy(POLICY);
        }
        for (tx, rx) in [&mut ends.slots, &mut ends.compact] {
            if let (Some(tx), Some(rx)) = (tx, rx) {
                tx.set_wait_policy(POLICY);
                rx.set_wait_policy(POLICY);
            }
        }
        if let (Some(latest), Some(bytes)) = (&mut ends.latest.1, &mut ends.bytes.1) {
            latest.set_wait_policy(POLICY);
            bytes.set_wait_policy(POLICY);
        }
        for mutex in [&mut ends.mutex.0, &mut ends.mutex.1].into_iter().flatten() {
            mutex.set_wait_policy(POLICY);
        }
        if let (Some(semaphore), (Some(one), Some(other))) = (&mut ends.semaphore, &mut ends.permits) {
            semaphore.set_wait_policy(POLICY);
            one.set_wait_policy(POLICY);
            other.set_wait_policy(POLICY);
        }
        ends
    }
}
