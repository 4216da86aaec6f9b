//! The machine's side.

use std::time::Duration;

use strait::{Attachment, ChannelError, PeerStatus, TypedConsumer, Waitable, port::Port, wait_any, error::WaitAnyError, options::WaitPolicy};

/// Why the drive stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The operator stopped it.
    ByOperator,
    /// The panel is dead: nobody could stop the drive any more, so it stops itself.
    PanelDied,
    /// A queue was damaged.
    Damaged,
}

/// The drive.
pub struct Drive<P: Port> {
    pub(crate) jobs: TypedConsumer<u32, P>,
    pub(crate) stop: TypedConsumer<u32, P>,
    pub(crate) port: P,
    done: Vec<u32>,
}

/// How long a drive without orders sleeps before it asks whether the panel lives.
pub(crate) const PATIENCE: Duration = Duration::from_millis(20);

impl<P: Port> Drive<P> {
    /// Takes the drive's roles in the region.
    pub fn open(region: &Attachment<P>) -> Result<Self, ChannelError> {
        Ok(Self {
            jobs: region.typed_consumer("jobs")?,
            stop: region.typed_consumer("stop")?,
            port: region.port().clone(),
            done: Vec::new(),
        })
    }

    /// Works until it is stopped.
    pub fn run(&mut self) -> Stopped {
        loop {
            // The stop stands first, so it comes first when both are there.
            let mut ways: [&mut dyn Waitable; 2] = [&mut self.stop, &mut self.jobs];
            match wait_any(&self.port, &mut ways, WaitPolicy::parking(), PATIENCE) {
                Ok(0) => return Stopped::ByOperator,
                Ok(_) => {
                    let Ok(job) = self.jobs.try_recv() else { return Stopped::Damaged };
                    self.work(job);
                }
                Err(WaitAnyError::TimedOut) => {
                    if let Some(stopped) = self.is_alone() {
                        return stopped;
                    }
                }
                Err(_) => return Stopped::Damaged,
            }
        }
    }

    /// Whether the panel is dead. Messages that it sent before still count, so ask for the proof first
    /// and look at the queue after it.
    pub(crate) fn is_alone(&mut self) -> Option<Stopped> {
        if self.stop.peer() != PeerStatus::Dead {
            return None;
        }
        Some(if self.stop.try_recv().is_ok() { Stopped::ByOperator } else { Stopped::PanelDied })
    }

    pub(crate) fn work(&mut self, job: u32) {
        self.done.push(job);
    }

    /// The jobs done.
    pub fn done(&self) -> &[u32] {
        &self.done
    }
}
