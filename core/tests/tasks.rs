//! Waiting in tasks: woken by what they wait for, polled by anybody at any time, dropped at any await.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::common::{Member, Region};
use strait_core::{
    BroadcastRecvError, BroadcastStart, Channel, Plan, RecvError, SendError, TryRecvError, WaitPolicy,
    port::{WaiterId, Wakers},
};

const PLAN: Plan<'_> = Plan::new(&[
    Channel::frames("frames", 256, 112).consumer_may_block().producer_may_block(),
    Channel::slots::<u32>("slots", 2).consumer_may_block().producer_may_block(),
    Channel::compact::<u32>("a", 4).doorbell(1),
    Channel::compact::<u32>("b", 4).doorbell(1),
    Channel::compact::<u32>("polled", 4),
    Channel::latest::<u32>("latest").consumer_may_block(),
    Channel::latest_bytes("bytes", 16).consumer_may_block(),
    Channel::broadcast::<u32>("broadcast", 4).consumer_may_block(),
])
.participants(4);

fn setup() -> (Region, Member, Member) {
    let region = Region::new(&PLAN);
    let (a, b) = (region.join(), region.join());
    (region, a, b)
}

/// Counts how often a task was woken.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A task polled by hand.
struct Task {
    count: Arc<Count>,
    waker: Waker,
}

impl Task {
    fn new() -> Self {
        let count = Arc::<Count>::default();
        Self { waker: Waker::from(count.clone()), count }
    }

    fn poll<T>(&self, future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(&self.waker))
    }

    fn wakes(&self) -> u32 {
        self.count.0.load(Relaxed)
    }
}

#[test]
fn a_frame_wakes_and_is_received() {
    let (region, a, b) = setup();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let (task, mut buffer) = (Task::new(), [0; 112]);
    {
        let mut future = pin!(rx.recv(&mut buffer));
        assert!(task.poll(future.as_mut()).is_pending());
        assert_eq!((task.wakes(), region.tasks()), (0, 1));
        tx.try_send(5, b"here").unwrap();
        assert_eq!((task.wakes(), region.tasks()), (1, 0));
        let Poll::Ready(Ok(got)) = task.poll(future.as_mut()) else { panic!("it is there") };
        assert_eq!((got.tag, got.len), (5, 4));
    }
    assert_eq!((&buffer[..4], region.tasks()), (&b"here"[..], 0));
    // What is there already takes one poll, and no waker.
    tx.try_send(6, b"more").unwrap();
    let mut small = [0; 2];
    assert_eq!(task.poll(pin!(rx.recv(&mut small))), Poll::Ready(Err(RecvError::TooSmall { needed: 4 })));
    assert!(task.poll(pin!(rx.recv(&mut buffer))).is_ready());
    assert_eq!((task.wakes(), region.tasks()), (1, 0));
}

#[test]
fn space_wakes_and_is_taken() {
    let (region, a, b) = setup();
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    let mut rx = b.typed_consumer::<u32>("slots").unwrap();
    let task = Task::new();
    assert_eq!(tx.try_send_batch([1, 2]), Ok(2));
    {
        let mut future = pin!(tx.send(&3));
        assert!(task.poll(future.as_mut()).is_pending());
        assert_eq!(rx.try_recv(), Ok(1));
        rx.release();
        assert_eq!(task.wakes(), 1);
        assert_eq!(task.poll(future.as_mut()), Poll::Ready(Ok(())));
    }
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(2), Ok(3)));
    assert_eq!((region.tasks(), tx.refused()), (0, 0));
    let mut frames = a.producer("frames").unwrap();
    assert_eq!(task.poll(pin!(frames.send(0, &[0; 113]))), Poll::Ready(Err(SendError::TooLarge)));
}

#[test]
fn each_reader_sees_each_change_once() {
    let (region, a, b) = setup();
    let mut writer = a.latest_writer::<u32>("latest").unwrap();
    let mut readers = [b.latest_reader::<u32>("latest").unwrap(), b.latest_reader::<u32>("latest").unwrap()];
    let tasks = [Task::new(), Task::new()];
    let [one, other] = &mut readers;
    {
        let (mut one, mut other) = (pin!(one.changed()), pin!(other.changed()));
        assert!(tasks[0].poll(one.as_mut()).is_pending());
        assert!(tasks[1].poll(other.as_mut()).is_pending());
        writer.publish(&7);
        assert_eq!((tasks[0].wakes(), tasks[1].wakes()), (1, 1), "a wake wakes all");
        assert_eq!(tasks[0].poll(one), Poll::Ready(Ok(7)));
        assert_eq!(tasks[1].poll(other), Poll::Ready(Ok(7)));
    }
    assert!(tasks[0].poll(pin!(one.changed())).is_pending(), "seen");
    let mut bytes = (a.latest_writer::<[u8]>("bytes").unwrap(), b.latest_reader::<[u8]>("bytes").unwrap());
    bytes.0.publish_from(3, b"value").unwrap();
    let Poll::Ready(Ok(info)) = tasks[0].poll(pin!(bytes.1.changed_into(&mut [0; 16]))) else {
        panic!("fresh")
    };
    assert_eq!((info.tag, info.len, region.tasks()), (3, 5, 0));
}

#[test]
fn each_reader_of_a_broadcast_receives_each_value_or_its_loss() {
    let (region, a, b) = setup();
    let mut writer = a.broadcast_writer::<u32>("broadcast").unwrap();
    let open = || b.broadcast_reader::<u32>("broadcast", BroadcastStart::Newest).unwrap();
    let (mut one, mut other) = (open(), open());
    let tasks = [Task::new(), Task::new()];
    {
        let (mut one, mut other) = (pin!(one.recv()), pin!(other.recv()));
        assert!(tasks[0].poll(one.as_mut()).is_pending());
        assert!(tasks[1].poll(other.as_mut()).is_pending());
        writer.publish(&7);
        assert_eq!((tasks[0].wakes(), tasks[1].wakes()), (1, 1), "a wake wakes all");
        assert_eq!(tasks[0].poll(one), Poll::Ready(Ok(7)));
        assert_eq!(tasks[1].poll(other), Poll::Ready(Ok(7)));
    }
    assert!(tasks[0].poll(pin!(one.recv())).is_pending(), "received once");
    (8..=12).for_each(|number| writer.publish(&number));
    let lost = Err(BroadcastRecvError::Lagged { lost: 4 });
    assert_eq!(tasks[0].poll(pin!(one.recv())), Poll::Ready(lost));
    let mut value = 0;
    assert_eq!(
        tasks[0].poll(pin!(one.recv_into(&mut value))).map(|got| got.map(|info| info.number)),
        Poll::Ready(Ok(6))
    );
    assert_eq!((value, region.tasks()), (12, 0));
}

/// A future is dropped after each number of polls, with a message sent before each of them or not.
#[test]
fn a_dropped_future_takes_nothing_and_leaves_nothing() {
    for polls in 0..4 {
        for sent_before in 0..=4 {
            let (region, a, b) = setup();
            let mut tx = a.typed_producer::<u32>("slots").unwrap();
            let mut rx = b.typed_consumer::<u32>("slots").unwrap();
            let task = Task::new();
            let mut got = None;
            {
                let mut future = pin!(rx.recv());
                for poll in 0..polls {
                    if poll == sent_before {
                        tx.try_send(&9).unwrap();
                    }
                    if let Poll::Ready(value) = task.poll(future.as_mut()) {
                        got = Some(value);
                        break;
                    }
                }
            }
            assert_eq!(region.tasks(), 0);
            if sent_before >= polls {
                tx.try_send(&9).unwrap();
            }
            assert_eq!(got.unwrap_or_else(|| rx.try_recv().map_err(|_| RecvError::TimedOut)), Ok(9));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        }
    }
}

#[test]
fn a_dropped_send_sends_nothing() {
    let (region, a, b) = setup();
    let mut tx = a.typed_producer::<u32>("slots").unwrap();
    let mut rx = b.typed_consumer::<u32>("slots").unwrap();
    tx.try_send_batch([1, 2]).unwrap();
    let task = Task::new();
    assert!(task.poll(pin!(tx.send(&3))).is_pending());
    assert_eq!(region.tasks(), 0);
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((rx.try_recv(), task.wakes()), (Err(TryRecvError::Empty), 0));
}

/// Two futures of one task on one doorbell: the end of one does not end the other's sleep.
#[test]
fn a_dropped_future_leaves_its_neighbours() {
    let (region, a, b) = setup();
    let (mut rx_a, mut rx_b) = (b.typed_consumer::<u32>("a").unwrap(), b.typed_consumer::<u32>("b").unwrap());
    let mut tx_b = a.typed_producer::<u32>("b").unwrap();
    let task = Task::new();
    let mut from_b = pin!(rx_b.recv());
    assert!(task.poll(from_b.as_mut()).is_pending());
    assert!(task.poll(pin!(rx_a.recv())).is_pending());
    assert_eq!(region.tasks(), 1, "the other one's");
    tx_b.try_send(&4).unwrap();
    assert_eq!(task.wakes(), 1);
    assert_eq!(task.poll(from_b), Poll::Ready(Ok(4)));
}

/// A future that moves to another task takes its waker along.
#[test]
fn the_last_waker_counts() {
    let (region, a, b) = setup();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    let (before, now, mut buffer) = (Task::new(), Task::new(), [0; 112]);
    let mut future = pin!(rx.recv(&mut buffer));
    assert!(before.poll(future.as_mut()).is_pending());
    assert!(now.poll(future.as_mut()).is_pending());
    assert_eq!((region.tasks(), Arc::strong_count(&before.count)), (1, 2), "its task and its waker");
    tx.try_send(1, b"").unwrap();
    assert_eq!((before.wakes(), now.wakes()), (0, 1));
}

/// What is sent between the first look and the sleep is found by the second look.
#[test]
fn nothing_is_missed_on_the_way_to_sleep() {
    let (region, a, b) = setup();
    let (mut tx, mut rx) = (a.producer("frames").unwrap(), b.consumer("frames").unwrap());
    *region.hooks.on_keep.lock().unwrap() = Some(Box::new(move || tx.try_send(8, b"now").unwrap()));
    let task = Task::new();
    assert!(task.poll(pin!(rx.recv(&mut [0; 112]))).is_ready());
    assert_eq!((region.tasks(), task.wakes()), (0, 0));
}

#[test]
fn the_port_is_told_how_long() {
    let (region, _a, b) = setup();
    let mut rx = b.typed_consumer::<u32>("slots").unwrap();
    let mut polled = b.typed_consumer::<u32>("polled").unwrap();
    let probe = Duration::from_millis(7);
    rx.set_wait_policy(WaitPolicy { probe, ..WaitPolicy::parking() });
    let task = Task::new();
    assert!(task.poll(pin!(rx.recv())).is_pending());
    assert!(task.poll(pin!(polled.recv())).is_pending());
    assert_eq!(*region.counts.naps.lock().unwrap(), [(true, probe), (false, Duration::from_millis(1))]);
    assert_eq!(task.wakes(), 0);
    rx.set_wait_policy(WaitPolicy::polling());
    assert!(task.poll(pin!(rx.recv())).is_pending());
    assert_eq!((task.wakes(), region.counts.naps.lock().unwrap().len()), (1, 2), "polled again at once");
}

/// More tasks than the port has room for: the others poll.
#[test]
fn a_full_table_gives_the_waker_back() {
    let mut wakers = Wakers::<2>::new();
    let (task, names) = (Task::new(), [1, 2, 3]);
    let [one, two, three] = &names;
    let keep = |wakers: &mut Wakers<2>, name| wakers.keep(WaiterId::of(name), None, task.waker.clone());
    assert!(matches!(keep(&mut wakers, one), Ok(None)));
    assert!(matches!(keep(&mut wakers, two), Ok(None)));
    assert!(keep(&mut wakers, three).is_err());
    assert!(matches!(keep(&mut wakers, two), Ok(Some(_))), "in place of the one before");
    assert!(wakers.forget(WaiterId::of(one)).is_some() && wakers.forget(WaiterId::of(one)).is_none());
    assert!(matches!(keep(&mut wakers, three), Ok(None)));
    assert_eq!(wakers.take_all().into_iter().flatten().count(), 2);
    assert!(wakers.is_empty());
}
