//! The interrupt's side.

use core::cell::RefCell;

use strait_core::{
    LatestWriter, LockError, Mutex, Producer, Semaphore, StaticProducer, TypedConsumer, port::NoSystem,
};

use crate::sections::{self, entered};
use crate::{Port, REGION, SAMPLES, SLOTS, Shaft, Tally};

/// The interrupt's endpoints, and its counts.
pub struct Encoder {
    samples: StaticProducer<'static, u32, SLOTS>,
    events: Producer<Port>,
    commands: TypedConsumer<u32, Port>,
    shaft: LatestWriter<Shaft, Port>,
    tally: Mutex<Tally, Port>,
    credit: Semaphore<Port>,
    tick: u32,
    commanded: u32,
    /// Samples sent.
    pub sent: u32,
    /// How often it locked.
    pub locked: u32,
    /// How often the main loop did.
    pub missed: u32,
}

static ENCODER: critical_section::Mutex<RefCell<Option<Encoder>>> =
    critical_section::Mutex::new(RefCell::new(None));

/// Hands the endpoints to the interrupt.
pub fn install(encoder: Encoder) {
    critical_section::with(|cs| ENCODER.replace(cs, Some(encoder)));
}

/// Takes them back.
pub fn remove() -> Option<Encoder> {
    critical_section::with(|cs| ENCODER.take(cs))
}

/// The timer's handler.
pub fn tick() {
    sections::in_interrupt(|| {
        critical_section::with(|cs| {
            if let Some(encoder) = ENCODER.borrow_ref_mut(cs).as_mut() {
                encoder.step();
            }
        });
    });
}

impl Encoder {
    /// Joins the region as a participant of its own.
    pub fn open() -> Option<Self> {
        let region = REGION.attach(&NoSystem).ok()?;
        Some(Self {
            samples: SAMPLES.take_producer()?,
            events: region.producer("events").ok()?,
            commands: region.typed_consumer("commands").ok()?,
            shaft: region.latest_writer("shaft").ok()?,
            tally: region.mutex("tally").ok()?,
            credit: region.semaphore("credit").ok()?,
            tick: 0,
            commanded: 0,
            sent: 0,
            locked: 0,
            missed: 0,
        })
    }

    fn step(&mut self) {
        if self.messages() {
            self.sent += 1;
            self.credit.release(1).expect("the plan allows for as many");
        }
        self.lock();
    }

    /// One message of each kind: no critical section. Whether there was room for a sample.
    fn messages(&mut self) -> bool {
        let before = entered();
        self.tick += 1;
        self.shaft.publish(&Shaft { tick: self.tick, angle: 3 * self.tick });
        while let Ok(command) = self.commands.try_recv() {
            self.commanded += 1;
            assert_eq!(command, self.commanded, "a command was lost or came twice");
        }
        let sent = !self.samples.is_full()
            && self.events.try_send(self.tick, &self.tick.to_le_bytes()).is_ok()
            && self.samples.push(self.tick).is_ok();
        assert_eq!(entered(), before, "a message needed a critical section");
        sent
    }

    fn lock(&mut self) {
        match self.tally.try_lock() {
            Ok(lock) => {
                let mut tally = lock.or_roll_back().ok().expect("nobody died");
                tally.update(|tally| tally.interrupt += 1);
                tally.unlock().expect("it is ours");
                self.locked += 1;
            }
            Err(LockError::Busy) => self.missed += 1,
            Err(error) => panic!("{error}"),
        }
    }
}
