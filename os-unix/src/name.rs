//! Names of the system's semaphores.

/// Whether it is 1 to 200 bytes without a slash or a control character, and no dot in front.
pub(crate) fn check_name(name: &str) -> Result<(), ()> {
    let forbidden = |c: char| c == '/' || c.is_control();
    let legal = !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && !name.contains(forbidden);
    if legal { Ok(()) } else { Err(()) }
}
