//! `strait reset`: making a channel as new, where nobody takes part in the region.

use strait::format::ResetError;
use strait::{OpenError, port::Ident};

use crate::args::Reset;
use crate::error::{Error, Result};
use crate::observe::{self, Who};
use crate::print;

/// Resets the channel, if everybody else is proven dead or has left.
pub fn run(wanted: &Reset) -> Result<()> {
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
    let name = &wanted.channel;
    match attachment.reset_channel(name) {
        Ok(()) => print::out(&format!("{name} is as new; what it held is lost\n")),
        Err(ResetError::InUse { who: Some(other), .. }) => Err(Error::failed(format!(
            "{arg} is in use by {}; a channel is reset only where nobody else takes part: end that process first",
            who(other)
        ))),
        Err(error) => Err(Error::at(format!("{arg}, {name}"), error)),
    }
}
