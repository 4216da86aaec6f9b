//! There are no modes here, and no sockets that take descriptors.

extern crate std;

use std::string::String;

use strait::{Region, RegionOptions, SystemPort};

use crate::strait_status;

/// The options, if they ask for none of these.
pub(crate) fn with_access(
    options: RegionOptions,
    mode: u32,
    readers: bool,
    owner: Option<u32>,
) -> Result<RegionOptions, strait_status> {
    if mode == 0 && !readers && owner.is_none() { Ok(options) } else { Err(strait_status::System) }
}

/// Not here: names are no files.
pub(crate) fn path_in(_directory: &str, _name: &str) -> Result<String, strait_status> {
    Err(strait_status::System)
}

/// Not here.
///
/// # Safety
///
/// None.
pub(crate) unsafe fn share(_port: &SystemPort, _socket: i32) -> Result<(), strait_status> {
    Err(strait_status::System)
}

/// Not here.
///
/// # Safety
///
/// None.
pub(crate) unsafe fn receive(_socket: i32, _options: &RegionOptions) -> Result<Region, strait_status> {
    Err(strait_status::System)
}
