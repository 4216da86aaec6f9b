//! What `strait top` knows, and what the keys do to it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use strait::RegionName;

use crate::args::Top;
use crate::error::{Error, Result};
use crate::region_arg::RegionArg;

use super::cells::{Line, Order};
use super::region::{Presence, Watched};

/// News that are kept.
const NEWS: usize = 100;
/// The time from one look to the next, at least and at most.
const EVERY: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(60)];

/// The regions that are watched.
pub struct Regions {
    pub all: Vec<Watched>,
    /// Whether regions are added as they come, and forgotten when they go.
    every_one: bool,
}

impl Regions {
    /// Opens the regions that the user named; all, if none.
    pub fn open(wanted: &Top) -> Result<Self> {
        let now = Instant::now();
        let all = wanted.regions.iter().map(|arg| Watched::open(arg, now)).collect::<Result<_>>()?;
        let mut regions = Self { all, every_one: wanted.regions.is_empty() };
        regions.find(now, &mut Vec::new())?;
        Ok(regions)
    }

    /// None.
    #[cfg(test)]
    pub fn none() -> Self {
        Self { all: Vec::new(), every_one: false }
    }

    /// Looks again; what has happened is added to `news`.
    pub fn look(&mut self, news: &mut Vec<String>) -> Result<()> {
        let now = Instant::now();
        self.all.iter_mut().for_each(|region| region.look(now, news));
        self.find(now, news)
    }

    fn find(&mut self, now: Instant, news: &mut Vec<String>) -> Result<()> {
        if !self.every_one {
            return Ok(());
        }
        self.all.retain(|region| region.presence != Presence::Gone);
        for name in RegionName::list().map_err(|error| Error::failed(error.to_string()))? {
            if !self.all.iter().any(|region| region.is_named(&name)) {
                // One that cannot be opened is not watched; `strait ls` says why.
                if let Ok(region) = Watched::open(&RegionArg::Named(name), now) {
                    news.push(format!("{} is there, a new one", region.name));
                    self.all.push(region);
                }
            }
        }
        self.all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// All channels, as in the plans.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.all.iter().flat_map(|region| {
            let rows = region.picture.channels.iter().zip(&region.rows);
            rows.map(move |(sample, row)| Line { region, sample, row })
        })
    }
}

/// What is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Channels,
    Participants,
    Help,
}

/// What a key asks for beyond what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Nothing,
    Quit,
    /// To stop this process, as Ctrl-Z does.
    Stop,
}

/// The program's state.
pub struct App {
    pub regions: Regions,
    pub order: Order,
    pub is_reversed: bool,
    /// What the lines that are shown contain.
    pub filter: String,
    /// Whether keys are added to the filter.
    pub is_typing: bool,
    pub is_paused: bool,
    pub view: View,
    pub every: Duration,
    /// The region and the channel of the chosen line.
    pub chosen: Option<(String, String)>,
    /// The first participant that is shown.
    pub scroll: usize,
    /// What has happened, and when.
    pub news: VecDeque<(Instant, String)>,
}

impl App {
    /// As it begins.
    pub fn new(regions: Regions, every: Duration) -> Self {
        Self {
            regions,
            order: Order::Plan,
            is_reversed: false,
            filter: String::new(),
            is_typing: false,
            is_paused: false,
            view: View::Channels,
            every,
            chosen: None,
            scroll: 0,
            news: VecDeque::new(),
        }
    }

    /// Looks at the regions again.
    pub fn look(&mut self) -> Result<()> {
        let mut news = Vec::new();
        self.regions.look(&mut news)?;
        let now = Instant::now();
        self.news.extend(news.into_iter().map(|line| (now, line)));
        let too_many = self.news.len().saturating_sub(NEWS);
        self.news.drain(..too_many);
        Ok(())
    }

    /// The lines to show, in their order.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let filter = self.filter.to_lowercase();
        let mut lines: Vec<Line<'_>> = self.regions.lines().filter(|line| line.contains(&filter)).collect();
        lines.sort_by(|a, b| self.order.compare(a, b));
        if self.is_reversed {
            lines.reverse();
        }
        lines
    }

    /// Which of the lines is the chosen one: the first, if the one that was is not there.
    pub fn chosen_of(&self, lines: &[Line<'_>]) -> usize {
        let is_chosen = |line: &Line<'_>| {
            self.chosen
                .as_ref()
                .is_some_and(|(region, title)| *region == line.region.name && *title == line.sample.title)
        };
        lines.iter().position(is_chosen).unwrap_or(0)
    }

    fn choose(&mut self, by: isize) {
        if self.view == View::Participants {
            let count: usize = self.regions.all.iter().map(|one| one.picture.participants.len()).sum();
            self.scroll = self.scroll.saturating_add_signed(by).min(count.saturating_sub(1));
            return;
        }
        let lines = self.lines();
        let at = self.chosen_of(&lines).saturating_add_signed(by).min(lines.len().saturating_sub(1));
        let chosen = lines.get(at).map(|line| (line.region.name.clone(), line.sample.title.clone()));
        self.chosen = chosen;
    }

    fn toggle(&mut self, view: View) {
        self.view = if self.view == view { View::Channels } else { view };
    }

    /// Does what a key asks for.
    pub fn press(&mut self, key: KeyEvent) -> Act {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Act::Quit,
                KeyCode::Char('z') => Act::Stop,
                _ => Act::Nothing,
            };
        }
        if self.is_typing {
            match key.code {
                KeyCode::Enter => self.is_typing = false,
                KeyCode::Esc => (self.is_typing, self.filter) = (false, String::new()),
                KeyCode::Backspace => {
                    self.filter.pop();
                }
                KeyCode::Char(c) => self.filter.push(c),
                _ => {}
            }
            return Act::Nothing;
        }
        match key.code {
            KeyCode::Char('q') => return Act::Quit,
            KeyCode::Esc if self.view != View::Channels => self.view = View::Channels,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('s') => self.order = self.order.step(1),
            KeyCode::Char('S') => self.order = self.order.step(-1),
            KeyCode::Char('r') => self.is_reversed = !self.is_reversed,
            KeyCode::Char('/') => (self.is_typing, self.view) = (true, View::Channels),
            KeyCode::Char(' ' | 'p') => self.is_paused = !self.is_paused,
            KeyCode::Char('+') => self.every = (self.every * 2).min(EVERY[1]),
            KeyCode::Char('-') => self.every = (self.every / 2).max(EVERY[0]),
            KeyCode::Tab => self.toggle(View::Participants),
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.toggle(View::Help),
            KeyCode::Down | KeyCode::Char('j') => self.choose(1),
            KeyCode::Up | KeyCode::Char('k') => self.choose(-1),
            KeyCode::PageDown => self.choose(10),
            KeyCode::PageUp => self.choose(-10),
            KeyCode::Home => self.choose(isize::MIN),
            KeyCode::End => self.choose(isize::MAX),
            _ => {}
        }
        Act::Nothing
    }
}
