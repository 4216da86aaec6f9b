//! The paths of queues with several consumers. They have a region and a type of their own: what else uses a function
//! decides whether it is inlined.

use strait::fanout::{FanoutConsumer, FanoutProducer};
use strait::{Channel, Plan, Region, SystemPort, TryRecvError, TrySendError};

use super::paths::Outcome::{self, Done, Nothing, Wrong};
use super::paths::{repeat, show};

/// A value that no other path has.
type Value = [i64; 1];

/// Slots of each queue.
const SLOTS: u32 = 64;

/// The channels: with two consumers, and with eight.
pub const PLAN: Plan = Plan::new(&[
    Channel::slots::<Value>("fanout-2", SLOTS).consumers(2),
    Channel::slots::<Value>("fanout-8", SLOTS).consumers(8),
]);

type Tx = FanoutProducer<Value, SystemPort>;
type Rx = FanoutConsumer<Value, SystemPort>;

#[inline(never)]
extern "C" fn send(tx: &mut Tx, value: &mut Value) -> Outcome {
    match tx.try_send(value) {
        Ok(()) => Done,
        Err(TrySendError::Full) => Nothing,
        Err(_) => Wrong,
    }
}

#[inline(never)]
extern "C" fn receive(rx: &mut Rx, value: &mut Value) -> Outcome {
    match rx.try_recv() {
        Ok(message) => {
            *value = message;
            Done
        }
        Err(TryRecvError::Empty) => Nothing,
        Err(_) => Wrong,
    }
}

/// Shows every path: a send costs the same for any number of consumers, but for the one that looks at them.
pub fn show_fanout(region: &Region) {
    let value = &mut [1];
    for (channel, consumers) in [("fanout-2", 2), ("fanout-8", 8)] {
        let named = |path: &str| format!("{channel}/{path}");
        let mut tx: Tx = region.fanout_producer(channel).expect("nobody has it");
        let join = |index| region.fanout_consumer(channel, index).expect("nobody has it");
        let mut all: Vec<Rx> = (0..consumers).map(join).collect();
        repeat(2, send, &mut tx, value);
        show(&named("send"), send, &mut tx, value, Done);
        repeat(1, receive, &mut all[0], value);
        show(&named("receive"), receive, &mut all[0], value, Done);
        repeat(1, receive, &mut all[0], value);
        assert_eq!(receive(&mut all[0], value), Nothing);
        show(&named("receive-empty"), receive, &mut all[0], value, Nothing);
        // All the space that is known is used up, and all consumers have released three.
        repeat(SLOTS - 3, send, &mut tx, value);
        for rx in &mut all[1..] {
            repeat(3, receive, rx, value);
        }
        all.iter_mut().for_each(Rx::flush);
        show(&named("send-looks-at-consumers"), send, &mut tx, value, Done);
    }
}
