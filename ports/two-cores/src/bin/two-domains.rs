//! The two cores as two domains: messages by loads and stores, roles by the plan, and locks with a lock
//! register only.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use cortex_m_rt::entry;
use two_cores::{Kind, first};

#[entry]
fn main() -> ! {
    first(Kind::TwoDomains)
}
