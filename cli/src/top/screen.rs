//! The terminal, taken and given back: however this process ends, it is as it was before.

use std::env;
use std::io::{self, IsTerminal, Stdout, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::{mem, panic};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

use crate::error::{Error, Result, reason};

/// Held while something is written to the terminal, so that it is given back in between and not in the middle.
pub(super) static WRITING: Mutex<()> = Mutex::new(());
/// Whether somebody else may have written on it since the last frame.
pub(super) static IS_STALE: AtomicBool = AtomicBool::new(false);

/// The whole terminal. Dropped, it is given back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    pub fn take() -> Result<Self> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(Error::failed(
                "standard input and output are no terminal; give --once or --json for one look without one",
            ));
        }
        if env::var_os("TERM").is_some_and(|term| term == "dumb") {
            return Err(Error::failed(
                "the terminal cannot move its cursor (TERM=dumb); give --once or --json",
            ));
        }
        give_back_after_panics();
        let _writing = WRITING.lock();
        let terminal = enter().and_then(|()| Terminal::new(CrosstermBackend::new(stdout())));
        terminal.map(|terminal| Self { terminal }).map_err(|error| {
            leave();
            failed(&error)
        })
    }

    /// Draws a frame.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> Result<()> {
        let _writing = WRITING.lock();
        if IS_STALE.swap(false, Ordering::Relaxed) {
            // Not by `Terminal::clear`, which asks the terminal where its cursor is, and waits.
            self.terminal = Terminal::new(CrosstermBackend::new(stdout())).map_err(|error| failed(&error))?;
        }
        self.terminal.draw(draw).map(|_| ()).map_err(|error| failed(&error))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // For ever: nobody takes the terminal again in the last moments of this process.
        mem::forget(WRITING.lock());
        leave();
    }
}

fn failed(error: &io::Error) -> Error {
    Error::at("the terminal", reason(error))
}

pub(super) fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All), Hide)
}

/// As good as it goes: a terminal that is gone cannot be given back.
pub(super) fn leave() {
    let _ = execute!(stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

/// Gives the terminal back before a panic's message is printed, which would be lost with the screen.
fn give_back_after_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            leave();
            before(info);
        }));
    });
}

/// Whether the user wants colours.
pub fn has_colour() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(all(test, unix))]
mod tests {
    use std::env;
    use std::process::Command;

    use super::Screen;

    /// The name of the variable that makes a test a program that panics with the terminal taken.
    const PANICS: &str = "STRAIT_TEST_TOP_PANICS";

    #[test]
    fn the_panicking_one() {
        if env::var_os(PANICS).is_some() {
            let mut screen = Screen::take().expect("a terminal");
            screen.draw(|_| panic!("on purpose")).expect("a frame");
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_panic_gives_the_terminal_back_and_is_read() {
        let program = env::current_exe().expect("this program");
        let line = format!(
            "'{}' --exact top::screen::tests::the_panicking_one --nocapture; stty -a",
            program.display()
        );
        let output = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env(PANICS, "1")
            .env("TERM", "xterm")
            .output();
        let Ok(output) = output else {
            println!("SKIPPED a panic in a terminal: there is no program `script`");
            return;
        };
        let shown = String::from_utf8_lossy(&output.stdout);
        let (left, said) = (shown.rfind("\x1b[?1049l"), shown.find("on purpose"));
        assert!(
            shown.find("\x1b[?1049h") < shown.find("\x1b[?1049l") && shown.contains("\x1b[?25h"),
            "{shown}"
        );
        assert!(shown.find("\x1b[?1049l") < said && left.is_some() && said.is_some(), "{shown}");
        assert!(shown.contains(" icanon") && shown.contains(" echo "), "{shown}");
    }
}
