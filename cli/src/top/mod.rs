//! `strait top`: regions as they are now, again and again.

mod app;
mod cells;
mod details;
mod picture;
mod region;
mod screen;
mod snapshot;
mod system;
mod view;

use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::args::Top;
use crate::error::{Error, Result, reason};
use crate::print;

use app::{Act, App, Regions};
use screen::Screen;
use view::Look;

/// How long a frame stays at most: the times in it are those since something happened.
const SLICE: Duration = Duration::from_millis(200);

/// Shows the regions until the user has seen enough, or once.
pub fn run(wanted: &Top) -> Result<()> {
    let mut regions = Regions::open(wanted)?;
    if !wanted.once && !wanted.json {
        return live(App::new(regions, wanted.every));
    }
    let started = Instant::now();
    thread::sleep(wanted.every);
    regions.look(&mut Vec::new())?;
    print::out(&match wanted.json {
        true => format!("{}\n", snapshot::json(&regions, started.elapsed())),
        false => snapshot::text(&regions),
    })
}

fn live(mut app: App) -> Result<()> {
    let look = Look { has_colour: screen::has_colour(), has_unicode: system::shows_unicode() };
    let mut screen = Screen::take()?;
    system::guard().map_err(|error| Error::at("the handlers of signals", error))?;
    let mut looked = Instant::now();
    loop {
        if !app.is_paused && looked.elapsed() >= app.every {
            app.look()?;
            looked = Instant::now();
        }
        screen.draw(|frame| view::draw(frame, &app, look))?;
        let failed = |error: std::io::Error| Error::at("the terminal", reason(&error));
        let next = app.every.saturating_sub(looked.elapsed());
        let mut wait = if app.is_paused { SLICE } else { next.min(SLICE) };
        // What has been typed meanwhile is done before the next frame.
        while event::poll(wait).map_err(failed)? {
            wait = Duration::ZERO;
            let Event::Key(key) = event::read().map_err(failed)? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            match app.press(key) {
                Act::Nothing => {}
                Act::Quit => return Ok(()),
                Act::Stop => system::stop(),
            }
        }
    }
}
