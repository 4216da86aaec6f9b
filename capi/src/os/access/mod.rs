//! Whom a region lets in, as far as systems differ.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(super) use unix::{path_in, receive, share, with_access};

#[cfg(not(unix))]
mod fallback;
#[cfg(not(unix))]
pub(super) use fallback::{path_in, receive, share, with_access};
