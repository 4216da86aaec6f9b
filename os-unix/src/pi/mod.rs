//! The kernel's side of the mutex with priority inheritance, and the page that it is in. Its protocol, and
//! the documentation, are `strait_os::linux`'s.

pub mod futex;
mod page;

pub use page::{Failed, Page, Words, create, path_of, remove};
