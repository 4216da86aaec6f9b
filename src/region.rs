//! Names of regions, whom a region lets in, and the errors of handing one over.
//!
//! What every program names is at the root: [`Region`](crate::Region), where one is, and why it was not created or
//! opened.

pub use strait_os::{Exposure, JoinError, MAX_NAME, NameError, Owner, ReceiveError, ShareError, check_name};
