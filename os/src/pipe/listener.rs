//! Listening and connecting, for pipes of bytes and of messages.

use core::time::Duration;
use std::sync::Arc;

use super::cancel::Cancel;
use super::error::{BindError, ConnectError, PipeError};
use super::limit::Limit;
use super::name::PipeName;
use super::options::{MOST_INSTANCES, PipeOptions};
use super::retry::connect_by;
use super::seats::{Seat, Seats};
use crate::sys::pipe::{self, Connection, Kind};

/// A server. Clones share its clients and their number.
#[derive(Debug)]
pub(super) struct Listener {
    system: pipe::Listener,
    seats: Seats,
    pub(super) cancel: Cancel,
}

impl Listener {
    pub(super) fn bind(name: &PipeName, kind: Kind, options: &PipeOptions) -> Result<Self, BindError> {
        let asked = options.instances;
        if asked == 0 || asked > MOST_INSTANCES {
            return Err(BindError::Instances { asked });
        }
        let system = pipe::Listener::bind(name.as_str(), kind, &options.system)?;
        Ok(Self { system, seats: Seats::new(asked), cancel: options.cancel.clone() })
    }

    pub(super) fn try_clone(&self) -> Result<Self, BindError> {
        let system = self.system.try_clone().map_err(BindError::Os)?;
        Ok(Self { system, seats: self.seats.clone(), cancel: self.cancel.clone() })
    }

    /// The next client, once there is one and there is room for it.
    pub(super) fn accept(&self, limit: Limit) -> Result<(Connection, Arc<Seat>), PipeError> {
        let wait = self.cancel.wait(limit);
        let failed = |failure| limit.error(failure);
        let turn = self.system.turn(wait).map_err(failed)?;
        let seat = self.seats.take_until(limit, |how_long| self.cancel.nap(how_long))?;
        let connection = turn.accept(wait).map_err(failed)?;
        Ok((connection, Arc::new(seat)))
    }
}

/// Connects, and checks which user serves. Tries again for `timeout` if nobody does, or there is no room.
pub(super) fn connect(
    name: &PipeName,
    kind: Kind,
    options: &PipeOptions,
    timeout: Duration,
) -> Result<Connection, ConnectError> {
    let nap = |how_long| options.cancel.nap(how_long);
    connect_by(timeout, nap, || {
        let server = options.server();
        Ok(Connection::connect(name.as_str(), kind, server.0, &options.system)?)
    })
}
