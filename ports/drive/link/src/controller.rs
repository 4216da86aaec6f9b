//! The controller's side.

use strait_core::{
    Attachment, ChannelError, Consumer, LatestReader, LatestWriter, PeerStatus, Producer, Reading,
    TryRecvError, port::Port,
};

use crate::{LONGEST, Setpoint, Shaft, tag};

/// Rests between two looks, at most this many times. Without an answer by then, the drive is taken for gone.
pub struct Idle<F> {
    /// How often.
    pub patience: u32,
    /// A rest, which an event may end.
    pub rest: F,
}

/// The controller's endpoints, and what it has seen. Commands are numbered from 0. The drive may answer
/// one twice, if it was killed before it could release it, but never leave one out.
pub struct Controller<P: Port> {
    commands: Producer<P>,
    events: Consumer<P>,
    setpoint: LatestWriter<Setpoint, P>,
    shaft: LatestReader<Shaft, P>,
    sent: u32,
    answered: u32,
    /// Answers that came twice.
    pub again: u32,
    /// Events so far, which is the number that the next one must have.
    pub events_seen: u32,
}

impl<P: Port> Controller<P> {
    /// Takes the controller's roles.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] of the first role that cannot be claimed.
    pub fn open(region: &Attachment<P>) -> Result<Self, ChannelError> {
        Ok(Self {
            commands: region.producer("commands")?,
            events: region.consumer("events")?,
            setpoint: region.latest_writer("setpoint")?,
            shaft: region.latest_reader("shaft")?,
            sent: 0,
            answered: 0,
            again: 0,
            events_seen: 0,
        })
    }

    /// Commands that were answered.
    pub fn answered(&self) -> u32 {
        self.answered
    }

    /// Whether the drive is there, as far as this side can know.
    pub fn drive(&self) -> PeerStatus {
        self.events.peer()
    }

    /// Sends the next numbered command, if there is space.
    pub fn send_next(&mut self) -> bool {
        let (payload, len) = numbered(self.sent);
        let sent = self.commands.try_send(tag::ECHO, &payload[..len]).is_ok();
        self.sent += u32::from(sent);
        sent
    }

    /// Sends another command, if there is space.
    pub fn send(&mut self, tag: u32, number: u32) -> bool {
        self.commands.try_send(tag, &number.to_le_bytes()).is_ok()
    }

    /// Takes an event, if there is one: its tag and the number it carries.
    ///
    /// # Panics
    ///
    /// If one was lost, or came twice, or is not what the drive sent.
    pub fn event(&mut self) -> Option<(u32, u32)> {
        let mut buffer = [0; LONGEST];
        let event = match self.events.try_recv(&mut buffer) {
            Ok(event) => event,
            Err(TryRecvError::Empty) => return None,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(event.sequence, self.events_seen, "an event was lost, or came twice");
        self.events_seen += 1;
        assert_ne!(event.tag, tag::HALF, "half an event came");
        let number = buffer.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if event.tag == tag::ECHO {
            let (payload, len) = numbered(number);
            assert_eq!(buffer[..event.len], payload[..len], "another answer than was asked for");
            assert!(number <= self.answered, "a command was lost");
            self.again += u32::from(number < self.answered);
            self.answered = self.answered.max(number + 1);
        }
        Some((event.tag, number))
    }

    /// Sends `count` commands, many at a time, and waits until all that were ever sent are answered.
    ///
    /// # Panics
    ///
    /// As [`event`](Self::event), and if the drive does not answer.
    pub fn exchange(&mut self, count: u32, idle: &mut Idle<impl FnMut(&mut Consumer<P>)>) {
        let goal = self.sent + count;
        while self.answered < goal {
            self.wait(idle, "no answer", |this| {
                let sent = this.sent < goal && this.send_next();
                let came = this.event().is_some();
                (sent || came).then_some(())
            });
        }
    }

    /// Waits for an event of this tag, and returns the number it carries.
    ///
    /// # Panics
    ///
    /// As [`exchange`](Self::exchange).
    pub fn await_event(&mut self, tag: u32, idle: &mut Idle<impl FnMut(&mut Consumer<P>)>) -> u32 {
        loop {
            let (found, number) = self.wait(idle, "no event", Self::event);
            if found == tag {
                return number;
            }
        }
    }

    /// Where the shaft is, if the drive has ever said so.
    ///
    /// # Panics
    ///
    /// If it is half of one value and half of another.
    pub fn shaft(&mut self) -> Option<Shaft> {
        match self.shaft.read() {
            Reading::Fresh(shaft) | Reading::Stale(shaft) => {
                assert_eq!(shaft.angle, 3 * shaft.number, "half a value");
                Some(shaft)
            }
            _ => None,
        }
    }

    /// Waits until the shaft is as asked.
    ///
    /// # Panics
    ///
    /// If that does not come.
    pub fn await_shaft(
        &mut self,
        wanted: impl Fn(&Shaft) -> bool,
        idle: &mut Idle<impl FnMut(&mut Consumer<P>)>,
    ) -> Shaft {
        self.wait(idle, "the shaft does not move", |this| this.shaft().filter(&wanted))
    }

    /// Publishes these setpoints, and waits until the shaft follows the last.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn turn(&mut self, first: u32, last: u32, idle: &mut Idle<impl FnMut(&mut Consumer<P>)>) {
        for number in first..=last {
            self.setpoint.publish(&Setpoint { number, angle: 3 * number });
        }
        self.await_shaft(|shaft| shaft.number == last, idle);
    }

    /// Looks until something is there.
    fn wait<T>(
        &mut self,
        idle: &mut Idle<impl FnMut(&mut Consumer<P>)>,
        what: &str,
        mut look: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        for _ in 0..idle.patience {
            if let Some(found) = look(self) {
                return found;
            }
            (idle.rest)(&mut self.events);
        }
        panic!("{what}: the drive is gone");
    }
}

/// The payload of a numbered command: its number, and as many further bytes as that says.
fn numbered(number: u32) -> ([u8; LONGEST], usize) {
    let mut payload = [number as u8; LONGEST];
    payload[..4].copy_from_slice(&number.to_le_bytes());
    (payload, 4 + number as usize % (LONGEST - 3))
}
