//! The operator's side.

use strait::{Attachment, ChannelError, TrySendError, TypedProducer, port::Port};

/// The operator's panel.
pub struct Panel<P: Port> {
    jobs: TypedProducer<u32, P>,
    stop: TypedProducer<u32, P>,
}

impl<P: Port> Panel<P> {
    /// Takes the panel's roles in the region.
    pub fn open(region: &Attachment<P>) -> Result<Self, ChannelError> {
        Ok(Self { jobs: region.typed_producer("jobs")?, stop: region.typed_producer("stop")? })
    }

    /// Orders a job; `false` if the drive has too many waiting. Then the operator may try again.
    pub fn order(&mut self, job: u32) -> bool {
        self.jobs.try_send(&job).is_ok()
    }

    /// Stops the drive. Once this has returned, the stop cannot be lost, whatever becomes of the
    /// panel: it is in a queue of its own, which no job can fill. Full means that a stop waits
    /// there already.
    pub fn emergency_stop(&mut self) -> Result<(), TrySendError> {
        match self.stop.try_send(&1) {
            Ok(()) | Err(TrySendError::Full) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
