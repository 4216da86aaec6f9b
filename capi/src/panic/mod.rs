//! Who answers for a panic. There is none to be expected; but the language wants somebody named.

#[cfg(target_os = "none")]
mod bare;
#[cfg(not(target_os = "none"))]
mod hosted;
