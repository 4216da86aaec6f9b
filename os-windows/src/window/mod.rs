//! The system calls of `strait_os::window`.

mod receive;
mod send;

pub use receive::{Incoming, Window};
pub use send::{Remote, SendFailure};

use windows_sys::Win32::UI::WindowsAndMessaging::WM_USER;

/// Whether the numbers of this message are numbers to the system too, and not addresses of something: those
/// that are left to programs are.
fn is_for_programs(message: u32) -> bool {
    (WM_USER..=0xFFFF).contains(&message)
}
