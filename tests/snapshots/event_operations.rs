//! The operations of events.

use strait::{Channel, Listener, Notifier, Plan, RegionPlace, SystemPort, port::Port};

use super::operation::{Act, First, Operation, Past, Seen};
use super::queues::{open, plan};

const NAME: &str = "event";
const EVENT: &[Channel<'_>] = &[Channel::event(NAME).consumer_may_block()];
const PLAN: Plan<'_> = plan(EVENT);

/// Every operation of events. What survivors see: how often the event was notified. Its code is that number.
pub fn all() -> Vec<Operation> {
    let of = |name, victim, before, after| {
        Operation::new(name, PLAN, victim, survive).sees([before, 0], [after, 0])
    };
    vec![
        of("event-notify-first", notify::<0>, 0, 1),
        of("event-notify", notify::<5>, 5, 6),
        of("event-notify-wakes", notify_wakes, 5, 6),
        of("event-take-over-notifier", open_notifier, 3, 3).past(Past::Deaths(|region| {
            let mut notifier = region.notifier(NAME).expect("nobody has it");
            notify_all(&mut notifier, 3);
            Box::new(notifier)
        })),
        of("event-drop-notifier", drop_notifier, 3, 3),
    ]
}

/// Notifies so often that there were `times` notifications.
fn notify_all(notifier: &mut Notifier<SystemPort>, times: u32) {
    (1..=times).for_each(|code| notifier.notify(code));
}

fn notify<const BEFORE: u32>(region: &RegionPlace) -> Act {
    let mut notifier = open(region).notifier(NAME).expect("nobody has it");
    notify_all(&mut notifier, BEFORE);
    Box::new(move || {
        notifier.notify(BEFORE + 1);
        Box::new(notifier)
    })
}

fn notify_wakes(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut notifier = region.notifier(NAME).expect("nobody has it");
    notify_all(&mut notifier, 5);
    let entry = region.channel(NAME).expect("it is planned");
    region.port().mem().setup_write(entry.wait_b, 1);
    Box::new(move || {
        notifier.notify(6);
        Box::new(notifier)
    })
}

fn open_notifier(region: &RegionPlace) -> Act {
    let region = open(region);
    Box::new(move || Box::new(region.notifier(NAME).expect("its notifier is dead")))
}

fn drop_notifier(region: &RegionPlace) -> Act {
    let region = open(region);
    let mut notifier = region.notifier(NAME).expect("nobody has it");
    notify_all(&mut notifier, 3);
    Box::new(move || {
        drop(notifier);
        Box::new(region)
    })
}

/// The survivors: a listener has counted what was notified, and is told of what a new notifier adds. They see how often
/// that was.
fn survive(region: &RegionPlace, first: First) -> Seen {
    let region = &open(region);
    let listen = || region.listener(NAME).expect("anybody may listen");
    let claim = || region.notifier(NAME).expect("the notifier's role can be claimed");
    let (mut listener, mut notifier);
    match first {
        First::Producer => {
            notifier = claim();
            listener = listen();
        }
        First::Consumer => {
            listener = listen();
            notifier = claim();
        }
    }
    let seen = listener.total();
    let total = go_on(&mut notifier, &mut listener, seen);
    drop(notifier);
    go_on(&mut claim(), &mut listener, total);
    [seen, 0]
}

/// Notifies a few times, once and several times between two looks.
fn go_on(notifier: &mut Notifier<SystemPort>, listener: &mut Listener<SystemPort>, before: u64) -> u64 {
    assert_eq!(notifier.total(), before, "what the notifier has counted is what its listeners have");
    let mut total = before;
    for times in [1, 3, 2] {
        (0..times).for_each(|n| notifier.notify((total + n + 1) as u32));
        total += times;
        let notified = listener.try_wait().expect("it was notified");
        assert_eq!((notified.count.get(), u64::from(notified.code)), (times, total));
        assert_eq!(listener.try_wait(), None, "told once");
    }
    total
}
