//! Signals are noted by their handlers, and acted upon by a thread that gives the terminal back first. The thread that
//! draws may be stuck: in a read of half a key, or in a write that the terminal does not take.

use std::env;
use std::io::{self, stdin};
use std::mem;
use std::os::fd::AsFd;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::crossterm::terminal::disable_raw_mode;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::{flag, low_level};

use super::super::screen;

/// How long a signal may go unnoticed.
const SLICE: Duration = Duration::from_millis(50);
/// How long to wait for the end of a frame.
const PATIENCE: Duration = Duration::from_millis(500);

/// Gives the terminal back from now on when a signal ends or stops this process, and ends it if the terminal goes.
///
/// # Errors
///
/// The system's.
pub fn guard() -> io::Result<()> {
    let ending = Arc::new(AtomicUsize::new(0));
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        flag::register_usize(signal, Arc::clone(&ending), signal as usize)?;
    }
    let (stopping, going_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    flag::register(SIGTSTP, Arc::clone(&stopping))?;
    flag::register(SIGCONT, Arc::clone(&going_on))?;
    thread::Builder::new().spawn(move || {
        loop {
            thread::sleep(SLICE);
            match ending.load(Ordering::Relaxed) {
                0 => {}
                signal => {
                    give_back(PATIENCE);
                    let _ = low_level::emulate_default_handler(signal as i32);
                }
            }
            if is_gone() {
                process::exit(1);
            }
            if stopping.swap(false, Ordering::Relaxed) {
                stop();
            }
            if going_on.swap(false, Ordering::Relaxed) {
                renew();
            }
        }
    })?;
    Ok(())
}

/// Stops this process until it is told to go on.
pub fn stop() {
    lend(|| {
        let _ = low_level::emulate_default_handler(SIGTSTP);
    });
}

/// Whether the terminal is no longer there.
fn is_gone() -> bool {
    let stdin = stdin();
    let mut found = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    poll(&mut found, PollTimeout::ZERO).is_ok()
        && found[0].revents().is_some_and(|found| found.intersects(gone))
}

/// Whether the terminal shows more than ASCII, as far as the environment says.
pub fn shows_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| {
        let value = env::var(name).unwrap_or_default();
        (!value.is_empty()).then(|| value.to_ascii_lowercase())
    });
    locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"))
}

/// Gives the terminal back for as long as `meanwhile` takes.
fn lend(meanwhile: impl FnOnce()) {
    let _writing = screen::WRITING.lock();
    screen::leave();
    meanwhile();
    take_again();
}

/// Takes it again after others have used it.
fn renew() {
    let _writing = screen::WRITING.lock();
    take_again();
}

fn take_again() {
    // Its modes may be others by now.
    let _ = disable_raw_mode();
    let _ = screen::enter();
    screen::IS_STALE.store(true, Ordering::Relaxed);
}

/// Gives it back for ever, also in the middle of a frame that the terminal does not take.
fn give_back(patience: Duration) {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Ok(writing) = screen::WRITING.try_lock() {
            mem::forget(writing); // Nobody writes after this.
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    screen::leave();
}
