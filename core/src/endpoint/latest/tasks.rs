//! Waiting in tasks for a latest value: see [`tasks`](crate::endpoint::tasks).

use crate::endpoint::park_word::Sleepers;
use crate::endpoint::tasks::{Due, WakerRegistration};
use crate::ground::message::Message;
use crate::ground::port::Port;
use crate::ground::ring::Value;
use crate::ground::tasks::{AsyncWait, WaiterId};

use super::change_error::ChangeError;
use super::reader::LatestReader;
use super::reading::ValueInfo;

/// Waits for a change of a latest value, which `read` reads if there is one.
async fn change<T: Value + ?Sized, P: Port + AsyncWait, R>(
    reader: &mut LatestReader<T, P>,
    mut read: impl FnMut(&mut LatestReader<T, P>) -> Option<R>,
) -> Result<R, ChangeError> {
    let (port, park_word, policy) = (reader.port.clone(), reader.park_word.clone(), reader.waiting.policy);
    let who = WaiterId::of(reader);
    let mut due = Due::of(&port, policy);
    let look = || {
        let found = read(reader).map(Ok);
        if found.is_some() {
            return found;
        }
        let error = if reader.ends_with_peer() && reader.is_writer_gone() {
            ChangeError::PeerGone
        } else if due.asks() && reader.is_replaced() {
            ChangeError::Replaced
        } else {
            return None;
        };
        // The writer may have published its last value between the look and its end.
        read(reader).map(Ok).or(Some(Err(error)))
    };
    WakerRegistration { port, park_word, sleepers: Sleepers::Many, policy, who }.until(look).await
}

impl<T: Value + ?Sized, P: Port + AsyncWait> LatestReader<T, P> {
    /// Reads a value that this reader has not seen, waiting for it as long as it takes. If the future is
    /// dropped before it is ready, the value counts as not seen.
    ///
    /// # Errors
    ///
    /// [`ChangeError`], if no change can come.
    pub async fn changed(&mut self) -> Result<T, ChangeError>
    where
        T: Message,
    {
        change(self, Self::read_fresh).await
    }

    /// As [`changed`](Self::changed), into `into`, as [`read_into`](Self::read_into) does.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn changed_into(&mut self, into: &mut T) -> Result<ValueInfo, ChangeError> {
        change(self, |this| this.read_fresh_into(into)).await
    }
}
