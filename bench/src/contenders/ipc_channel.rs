//! ipc-channel: a channel of bytes.

use ipc_channel::TryRecvError;
use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, bytes_channel};

use crate::ends::{Copies, Halves, Link, Receiver, Write};
use crate::error::Result;
use crate::job::Job;
use crate::payload::{self, WORD};

/// A channel of bytes.
pub struct Bytes(Halves<IpcBytesSender, IpcBytesReceiver>, Job);

/// The receiving end, which makes a vector for each message, and the words of one.
pub struct Rx(IpcBytesReceiver, usize);

impl Link for Bytes {
    type Tx = Copies<IpcBytesSender>;
    type Rx = Rx;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let (tx, rx) = bytes_channel().map_err(|error| format!("ipc-channel: {error}"))?;
        Ok(Self(Halves::new(tx, rx), job.clone()))
    }

    fn tx(&self) -> Result<Self::Tx> {
        self.0.tx().map(|end| Copies::new(end, &self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        self.0.rx().map(|end| Rx(end, self.1.size / WORD))
    }
}

impl Write for IpcBytesSender {
    fn write(&mut self, message: &[u8]) -> bool {
        self.send(message).is_ok()
    }
}

impl Receiver for Rx {
    fn accept(&mut self, seq: u64) -> bool {
        match self.0.try_recv() {
            Ok(message) => {
                payload::check(seq, self.1, payload::sum_bytes(&message));
                true
            }
            Err(TryRecvError::Empty) => false,
            Err(error) => panic!("ipc-channel: {error:?}"),
        }
    }
}
