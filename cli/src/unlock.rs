//! `strait unlock`: freeing a mutex whose owner is dead.

use strait::format::inspect::{LockState, lock_state};
use strait::{
    ChannelError, OpenError, Region,
    format::{Kind, RecoverError, Recovered},
    port::{Ident, Port},
};

use crate::args::Unlock;
use crate::error::{Error, Result};
use crate::observe::{self, Who};
use crate::print;

/// Recovers the lock, if its owner is proven dead, and says what was done.
pub fn run(wanted: &Unlock) -> Result<()> {
    let arg = &wanted.region;
    let region = arg.region()?;
    let failed = |error| match error {
        OpenError::NotFound => arg.not_found(),
        error => Error::at(arg, error),
    };
    // Before this process joins, because it may be given a dead one's place.
    let participants = observe::participants(&observe::open(arg, &region).map_err(failed)?);
    let attachment = observe::join_of(arg, &region, wanted.of_user)?;
    let who = |ident: Ident| Who::of(&attachment, &participants, ident);
    let name = &wanted.lock;
    match attachment.recover_mutex(name) {
        Ok(Recovered::WasFree) => print::out(&format!("{name} was free; nothing to do\n")),
        Ok(Recovered::RolledBack { from }) => print::out(&format!(
            "{name} was held by {}; rolled back to the last committed value (version {}), and freed\n",
            who(from),
            version(&attachment, name)
        )),
        Err(RecoverError::Held { owner, .. }) => Err(Error::failed(format!(
            "{name} is held by {}; only a lock whose owner is proven dead is freed",
            who(owner)
        ))),
        Err(RecoverError::InPlace { from }) => Err(Error::failed(format!(
            "{name} was held by {}, which was editing the value in place: it may be half written; \
             a program that knows the value must lock and repair it",
            who(from)
        ))),
        Err(RecoverError::Poisoned) => Err(Error::failed(format!(
            "{name} is poisoned: it was given up unrepaired; a program that knows the value must re-initialise it"
        ))),
        Err(RecoverError::Channel(ChannelError::Kind { found })) => Err(Error::failed(format!(
            "{name} is of kind {}, not a mutex{}",
            found.name(),
            match found {
                Kind::Pool => "; blocks of the dead come back when a process asks for one",
                Kind::Permits => "; permits of the dead come back when a process asks for one",
                Kind::Semaphore => "; a semaphore's count has no owner",
                _ => "; a role is taken over from the dead by the next process that opens it",
            }
        ))),
        Err(error) => Err(Error::at(format!("{arg}, {name}"), error)),
    }
}

fn version(attachment: &Region, name: &str) -> u32 {
    let entry = attachment.channel(name).ok();
    let state = entry.and_then(|entry| lock_state(attachment.port().mem(), attachment.header().line, &entry));
    match state {
        Some(LockState::Mutex { version, .. }) => version,
        _ => 0,
    }
}
