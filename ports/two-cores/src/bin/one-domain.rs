//! The two cores as one domain: they compare and swap one word, so all of strait is there.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use cortex_m_rt::entry;
use two_cores::{Kind, first};

#[entry]
fn main() -> ! {
    first(Kind::OneDomain)
}
