//! Messages between windows, `WM_COPYDATA` above all: for meeting programs that talk so.
//!
//! A [`MessageWindow`] receives; it is never seen, and needs no display. A [`RemoteWindow`] is somebody's
//! window to send to, found by its class or title.
//!
//! | | the sender waits | carries |
//! | --- | --- | --- |
//! | [`send_data`](RemoteWindow::send_data) (`WM_COPYDATA`) | until it is handled, or its time is over | a tag and bytes, which the system copies |
//! | [`send`](RemoteWindow::send) (`SendMessageTimeout`) | until it is handled, or its time is over | two numbers |
//! | [`post`](RemoteWindow::post) (`PostMessage`) | not at all | two numbers |
//!
//! # Guarantees
//!
//! - Every call has a bound. A receiver that does not handle its messages costs the sender its time-out.
//! - The receiver sees a copy, and never the sender's memory; it may not write to it either.
//!
//! # If a peer dies
//!
//! The sender gets [`WindowSendError::Gone`], or `TimedOut` if it died with the message in hand.
//!
//! # If a peer lies
//!
//! Any program of the same desktop and of no lower rights can send anything, under any name: neither sender
//! nor tag prove who it is. Take what comes as a stranger's.
//!
//! # Under wine 8
//!
//! Of programs that start while wine's desktop does, some get no window, ever (`CreateWindowEx` fails without a
//! reason); started again, they do.
//!
//! # When not to use it
//!
//! Between programs of one's own: a pipe says who is at the other end, and a region is faster.

mod error;
mod receive;
mod send;

pub use error::{WindowError, WindowSendError};
pub use receive::{MessageWindow, WindowMessage};
pub use send::RemoteWindow;

use windows_sys::Win32::UI::WindowsAndMessaging::WM_USER;

/// Whether the numbers of this message are numbers to the system too, and not addresses of something: those
/// that are left to programs are.
fn is_for_programs(message: u32) -> bool {
    (WM_USER..=0xFFFF).contains(&message)
}
