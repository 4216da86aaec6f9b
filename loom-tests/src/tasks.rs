//! Waiting in tasks: no wake is lost, and a future that is dropped leaves nothing behind.
//!
//! As for threads, nobody is woken by time unless the model says so, and a lost wake is a deadlock.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use strait_core::model::loom::sync::{Condvar, Mutex};
use strait_core::model::loom::thread;
use strait_core::model::{Port, Region};
use strait_core::{ConsumerOptions, LatestReader, Reading, TypedConsumer};

use crate::models;
use crate::queue::{Compact, Frames, Queue, Slots};
use crate::search::{ALL, Search, up_to};
use crate::spsc::sent;
use crate::waiting::{
    DOORBELL, LATEST, LONG, PROBE, assert_in_time, now, send_and_die, send_one_through_each,
};

models! {
    "recv_waits_for_send/frames" => recv_waits_for_send::<Frames<64>>(ALL),
    "recv_waits_for_send/slots_2" => recv_waits_for_send::<Slots<2>>(ALL),
    "recv_waits_for_send/compact_2" => recv_waits_for_send::<Compact<2>>(ALL),
    "send_waits_for_recv/frames" => send_waits_for_recv::<Frames<64>>(ALL),
    "send_waits_for_recv/slots_1" => send_waits_for_recv::<Slots<1>>(ALL),
    "send_waits_for_recv/compact_1" => send_waits_for_recv::<Compact<1>>(ALL),
    "both_wait/slots_1" => both_wait::<Slots<1>>(up_to(3)),
    "either_of_two" => either_of_two(up_to(2)),
    "at_one_doorbell/threads" => at_one_doorbell(up_to(3), [in_thread, in_thread]),
    "at_one_doorbell/task_and_thread" => at_one_doorbell(up_to(3), [in_task, in_thread]),
    "at_one_doorbell/thread_and_task" => at_one_doorbell(up_to(3), [in_thread, in_task]),
    "at_one_doorbell/tasks" => at_one_doorbell(up_to(3), [in_task, in_task]),
    "a_dropped_future_takes_nothing/slots_2" => a_dropped_future_takes_nothing(ALL),
    "changed_waits_for_publish" => changed_waits_for_publish(up_to(4)),
    "readers_wait/tasks" => readers_wait(up_to(3), [changed, changed]),
    "readers_wait/task_and_thread" => readers_wait(up_to(3), [changed, wait_for_change]),
    "an_unfenced_wake_is_missed/frames" => an_unfenced_wake_is_missed::<Frames<64>>(),
    "sender_dies/frames" => sender_dies::<Frames<64>>(),
    "sender_dies/slots_1" => sender_dies::<Slots<1>>(),
    "sender_dies/compact_1" => sender_dies::<Compact<1>>(),
}

/// The plainest executor: one task, whose thread sleeps until it is woken.
#[derive(Default)]
struct Alarm {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().expect("nobody dies with it") = true;
        self.bell.notify_one();
    }
}

fn block_on<T>(task: impl Future<Output = T>) -> T {
    let alarm = Arc::new(Alarm::default());
    let (waker, mut task) = (Waker::from(alarm.clone()), pin!(task));
    loop {
        if let Poll::Ready(done) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        let mut rung = alarm.rung.lock().expect("nobody dies with it");
        while !*rung {
            rung = alarm.bell.wait(rung).expect("nobody dies with it");
        }
        *rung = false;
    }
}

/// ```text
///   producer                              task
///   publish                               nothing there
///   fence                                 keep the waker
///   parked? then parked = 0,              parked = 1
///   take the waker, wake it               fence
///                                         nothing there?
///                                         be put aside
/// ```
fn recv_waits_for_send<Q: Queue>(search: Search) {
    search.check(|| {
        let region = Region::new(&Q::BLOCKING);
        let at = region.join();
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&at, ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            assert!(sent::<Q>(&mut tx, 1));
            sent::<Q>(&mut tx, 2)
        });
        assert_eq!(block_on(Q::recv_async(&mut rx)).unwrap().number, 1);
        // The second may have found the queue full.
        if producer.join().unwrap() {
            assert_eq!(block_on(Q::recv_async(&mut rx)).unwrap().number, 2);
        }
        assert!(at.port().keeps_no_waker());
    });
}

/// ```text
///   task                                  consumer
///   full: want_space = 1                  take, release: store the head
///   keep the waker                        fence
///   parked = 1                            parked? then parked = 0,
///   fence                                 take the waker, wake it
///   still full?
///   be put aside
/// ```
fn send_waits_for_recv<Q: Queue>(search: Search) {
    search.check(move || {
        let region = Region::new(&Q::BLOCKING);
        let at = region.join();
        let mut tx = Q::tx(&at).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        assert!(sent::<Q>(&mut tx, 1));
        let consumer = thread::spawn(move || {
            assert_eq!(Q::recv(&mut rx).unwrap().number, 1);
            Q::release(&mut rx);
            rx
        });
        block_on(Q::send_async(&mut tx, 101)).unwrap();
        let mut rx = consumer.join().unwrap();
        assert_eq!(Q::recv(&mut rx).unwrap().number, 101);
        assert!(at.port().keeps_no_waker());
    });
}

/// Both sides are tasks, which wait for each other in turn. Up to three preemptions.
///
/// ```text
///   producer                              consumer
///   send, wait for space, send, ...       wait for a message, take it, wait, ...
/// ```
fn both_wait<Q: Queue>(search: Search) {
    search.check(|| {
        let region = Region::new(&Q::BLOCKING);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || {
            block_on(async {
                for number in [1, 3, 5] {
                    Q::send_async(&mut tx, number).await.unwrap();
                }
            });
        });
        let got = [(); 3].map(|()| block_on(Q::recv_async(&mut rx)).unwrap().number);
        assert_eq!(got, [1, 3, 5]);
        producer.join().unwrap();
    });
}

/// One task waits for two queues that share a doorbell. The first to have something ends the
/// other's future too; nothing that comes in that moment is lost, and the next wait finds it. Up to
/// two preemptions.
///
/// ```text
///   producer of a          producer of b          task
///   publish, fence,        publish, fence,        a: nothing, keep, parked = 1, fence, nothing
///   parked? wake           parked? wake           b: nothing, keep, parked = 1, fence, nothing
///                                                 be put aside; then drop both futures
/// ```
fn either_of_two(search: Search) {
    search.check(|| {
        let region = Region::new(&DOORBELL);
        let at = region.join();
        let (mut a, mut b) = (at.typed_consumer::<u32>("a").unwrap(), at.typed_consumer::<u32>("b").unwrap());
        let producers = send_one_through_each(&region);
        let (mut from_a, mut from_b) = (0, 0);
        while from_a + from_b < 2 {
            let (one, other) = block_on(either(&mut a, &mut b));
            (from_a, from_b) = (from_a + one, from_b + other);
        }
        assert_eq!((from_a, from_b), (1, 1));
        assert!(at.port().keeps_no_waker());
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

async fn either(a: &mut TypedConsumer<u32, Port>, b: &mut TypedConsumer<u32, Port>) -> (u32, u32) {
    let (mut a, mut b) = (pin!(a.recv()), pin!(b.recv()));
    poll_fn(|context| {
        if let Poll::Ready(got) = a.as_mut().poll(context) {
            return Poll::Ready((got.unwrap(), 0));
        }
        b.as_mut().poll(context).map(|got| (0, got.unwrap()))
    })
    .await
}

type Consumer = TypedConsumer<u32, Port>;

fn in_task(consumer: &mut Consumer) {
    assert_eq!(block_on(consumer.recv()), Ok(1));
}

fn in_thread(consumer: &mut Consumer) {
    assert_eq!(consumer.recv_timeout(LONG), Ok(1));
}

/// Two consumers, threads or tasks, wait at one doorbell, each for its own queue: neither hides the
/// other's wake, by what it stores before it sleeps or when it has what it waited for. Up to three preemptions.
///
/// ```text
///   producer of both       consumer of a                consumer of b
///   publish in a, fence,   word = its own value,        word = its own value,
///   word odd? then         fence                        fence
///   word = 0, wake         nothing in a?                nothing in b?
///   the same for b         sleep while it is that       sleep while it is that
/// ```
fn at_one_doorbell(search: Search, receive: [fn(&mut Consumer); 2]) {
    search.check(move || {
        let region = Region::new(&DOORBELL);
        let at = region.join();
        let mut senders = ["a", "b"].map(|name| at.typed_producer::<u32>(name).unwrap());
        let there = region.join();
        let [a, b] = ["a", "b"].map(|name| there.typed_consumer::<u32>(name).unwrap());
        let producer = thread::spawn(move || senders.iter_mut().for_each(|tx| tx.try_send(&1).unwrap()));
        let other = thread::spawn(move || {
            let mut b = b;
            receive[1](&mut b);
        });
        let mut a = a;
        receive[0](&mut a);
        [producer, other].into_iter().for_each(|thread| thread.join().unwrap());
        assert!(region.port().keeps_no_waker());
    });
}

/// A future is dropped after its first poll, whatever the sender does at the same time. What it had not
/// returned is there for the next.
///
/// ```text
///   producer                              task
///   publish                               poll once
///   fence                                 drop the future: forget the waker
///   parked? then parked = 0,              wait anew
///   take the waker, wake it
/// ```
fn a_dropped_future_takes_nothing(search: Search) {
    search.check(|| {
        let region = Region::new(&Slots::<2>::BLOCKING);
        let at = region.join();
        let mut tx = Slots::<2>::tx(&region.join()).unwrap();
        let mut rx = Slots::<2>::rx(&at, ConsumerOptions::new()).unwrap();
        let producer = thread::spawn(move || assert!(sent::<Slots<2>>(&mut tx, 1)));
        let first = block_on(async {
            let mut future = pin!(Slots::<2>::recv_async(&mut rx));
            poll_fn(|context| match future.as_mut().poll(context) {
                Poll::Ready(got) => Poll::Ready(Some(got)),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        });
        assert!(at.port().keeps_no_waker());
        let got = first.unwrap_or_else(|| block_on(Slots::<2>::recv_async(&mut rx)));
        assert_eq!(got.unwrap().number, 1);
        producer.join().unwrap();
    });
}

/// A task and the writer of a latest value. Up to four preemptions.
///
/// ```text
///   writer                                task
///   publish, fence,                       nothing new, keep the waker, parked = 1, fence
///   parked? wake all                      nothing new? be put aside
/// ```
fn changed_waits_for_publish(search: Search) {
    search.check(|| {
        let region = Region::new(&LATEST);
        let mut tx = region.join().latest_writer::<u32>("v").unwrap();
        let at = region.join();
        let mut rx: LatestReader<u32, Port> = at.latest_reader("v").unwrap();
        let writer = thread::spawn(move || (1..=3).for_each(|number| tx.publish(&number)));
        let mut seen = 0;
        while seen < 3 {
            let number = block_on(rx.changed()).unwrap();
            assert!(number > seen, "fresh");
            seen = number;
        }
        assert!(at.port().keeps_no_waker());
        writer.join().unwrap();
    });
}

type Reader = LatestReader<u32, Port>;

fn changed(reader: &mut Reader) {
    assert_eq!(block_on(reader.changed()), Ok(1));
}

fn wait_for_change(reader: &mut Reader) {
    while reader.wait_for_change(LONG) != Reading::Fresh(1) {}
}

/// Two readers of one value, tasks or threads: neither hides the other's wake. Up to three preemptions.
///
/// ```text
///   writer                 reader                       reader
///   publish, fence,        nothing new, keep the        nothing new, set bit 0,
///   bit 0 set? count up,   waker, set bit 0, fence      fence
///   wake all               nothing new? be put aside    nothing new? sleep
/// ```
fn readers_wait(search: Search, reads: [fn(&mut Reader); 2]) {
    search.check(move || {
        let region = Region::new(&LATEST);
        let mut tx = region.join().latest_writer::<u32>("v").unwrap();
        let readers = reads.map(|read| {
            let mut rx: Reader = region.join().latest_reader("v").unwrap();
            thread::spawn(move || read(&mut rx))
        });
        tx.publish(&1);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert!(region.port().keeps_no_waker());
    });
}

/// A task is missed by a sender without a fence, as a thread is; so the port must have timers then.
fn an_unfenced_wake_is_missed<Q: Queue>() {
    ALL.finds_a_deadlock(|| {
        let region = Region::new(&Q::BLOCKING);
        let mut tx = Q::tx(&region.join()).unwrap();
        let mut rx = Q::rx(&region.join(), ConsumerOptions::new()).unwrap();
        Q::unfenced(&mut tx);
        let producer = thread::spawn(move || assert!(sent::<Q>(&mut tx, 1)));
        assert_eq!(block_on(Q::recv_async(&mut rx)).unwrap().number, 1);
        producer.join().unwrap();
    });
}

/// The sender dies anywhere, also between its publication and its wake. Where the port has timers,
/// what it published is received one probe period later at the latest, without any wake.
///
/// ```text
///   producer                              task
///   publish                               nothing there, keep the waker, parked = 1
///   (killed somewhere here)               nothing there
///   parked? then parked = 0, wake         be put aside, for a probe period at most
/// ```
fn sender_dies<Q: Queue>() {
    ALL.each_death(move |death| {
        let region = Region::time_passes(&Q::BLOCKING);
        let (at, there) = (region.join(), region.join());
        let tx = Q::tx(&at).unwrap();
        let mut rx = Q::rx(&there, ConsumerOptions::new()).unwrap();
        let producer = send_and_die::<Q>(death, at, tx, there.port().clone());
        let got = block_on(async {
            let mut future = pin!(Q::recv_async(&mut rx));
            // A timer of the executor's beside the future, since the sender may have sent nothing.
            poll_fn(|context| match future.as_mut().poll(context) {
                Poll::Ready(got) => Poll::Ready(Some(got.unwrap())),
                Poll::Pending if now(there.port()) >= 3 * PROBE => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await
        });
        let received_at = now(there.port());
        let sent_at = producer.join().unwrap();
        assert_in_time(got, received_at, sent_at, || Q::recv(&mut rx).is_ok());
    });
}
