//! The screen, drawn. Everything that is said by a colour is said by a word too.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Text, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState, Wrap};
use strait::port::Probe;

use crate::observe::{self, Member, Pid};

use super::app::{App, View};
use super::cells::{HEADS, Line, Order, seconds, short, spark};
use super::details;
use super::region::{Presence, Watched};

/// Widths of the columns under [`HEADS`]: what is longer is cut.
const WIDTHS: [u16; HEADS.len()] = [6, 4, 4, 7, 5, 5, 13];
/// The least width of a screen that shows kinds.
const WIDE: u16 = 100;
/// Lines for the chosen channel, and for participants.
const DETAILS: u16 = 5;
const PARTICIPANTS: u16 = 2;

const HELP: &str = "\
q, Ctrl-C    quit                    space, p     pause
s, S         sort by the next column, the one before
r            the other way round     up, down     choose a channel (j, k)
/            filter: Enter keeps it, Esc takes it away
tab          participants            + -          look less often, more often
?, h         this help

RATE/s   messages, calls, values or changes a second, and their past beside it
FILL     how much of the capacity is taken; HIGH: the most that ever was
REFUSED  sends that found no space   LAG      messages not taken, calls out
TAKEN    takeovers of roles from the dead

STATE, what is wrong first: FAULT of the producer/consumer, a dead owner, late
against the plan, a consumer that leaves no space, a lock's holder, calls out

Nothing here changes a region: no role is taken, no word stored, nobody woken.";

/// How the terminal can be drawn on.
#[derive(Clone, Copy)]
pub struct Look {
    pub has_colour: bool,
    pub has_unicode: bool,
}

impl Look {
    fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn alert(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self.has_colour { style.fg(Color::Red) } else { style }
    }

    fn faint(self) -> Style {
        if self.has_colour { Style::new().fg(Color::DarkGray) } else { Style::new() }
    }
}

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, app: &App, look: Look) {
    let parts = [
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(DETAILS),
        Constraint::Length(PARTICIPANTS),
        Constraint::Length(1),
        Constraint::Length(1),
    ];
    let [title, main, chosen, people, news, keys] = Layout::vertical(parts).areas(frame.area());
    let lines = app.lines();
    frame.render_widget(title_line(app, lines.len(), title.width).style(look.bar()), title);
    match app.view {
        View::Channels => {
            channels(frame, app, &lines, look, main);
            if let Some(line) = lines.get(app.chosen_of(&lines)) {
                let text: Vec<Text<'_>> = details::of(line).into_iter().map(Text::from).collect();
                frame.render_widget(Paragraph::new(text), chosen);
            }
            frame.render_widget(Paragraph::new(brief(app, look)).wrap(Wrap { trim: true }), people);
        }
        View::Participants => participants(frame, app, look, main.union(people)),
        View::Help => frame.render_widget(Paragraph::new(HELP), main.union(people)),
    }
    if let Some((when, what)) = app.news.back() {
        let ago = seconds(Instant::now().saturating_duration_since(*when));
        frame.render_widget(Text::from(format!("{what} ({ago} ago)")).style(look.alert()), news);
    }
    frame.render_widget(keys_line(app).style(look.bar()), keys);
}

/// What the title begins with, and how short a region's name may become there.
const TITLE: &str = "strait top  ";
const SHORTEST: usize = 5;

fn title_line(app: &App, shown: usize, width: u16) -> Text<'static> {
    let regions = &app.regions.all;
    let count = |probe| regions.iter().map(|region| region.picture.count(probe)).sum::<usize>();
    let channels: usize = regions.iter().map(|region| region.picture.channels.len()).sum();
    let what = match &regions[..] {
        [] => "no region yet".to_owned(),
        [one] => format!("{}{}", one.name, presence(one)),
        many => format!("{} regions", many.len()),
    };
    let of = if shown == channels { String::new() } else { format!("{shown} of ") };
    let unknown = match count(Probe::Unknown) {
        0 => String::new(),
        unknown => format!(", {unknown} unknown"),
    };
    let counts = format!(
        "{of}{channels} channels  {} alive, {} dead{unknown}",
        count(Probe::Alive),
        count(Probe::Dead)
    );
    let reversed = if app.is_reversed { ", reversed" } else { "" };
    let paused = if app.is_paused { "PAUSED  " } else { "" };
    let right = format!("{paused}every {}  by {}{reversed}", seconds(app.every), app.order.word());
    let room = usize::from(width).saturating_sub(right.chars().count() + 1);
    // The counts matter more than the whole of a long name.
    let beside = TITLE.len() + 2 + counts.chars().count();
    let left = format!("{TITLE}{}  {counts}", cut(&what, room.saturating_sub(beside).max(SHORTEST)));
    let left: String = left.chars().take(room).collect();
    Text::from(format!("{left:room$} {right}"))
}

fn presence(region: &Watched) -> &'static str {
    match region.presence {
        Presence::Live => "",
        Presence::Still => " (a copy)",
        Presence::Gone => " (GONE)",
    }
}

fn keys_line(app: &App) -> Text<'static> {
    Text::from(match (app.is_typing, app.filter.is_empty()) {
        (true, _) => format!("filter: {}_   Enter keeps it, Esc takes it away", app.filter),
        (false, false) => format!("filter: {}   Esc takes it away   q quit  s sort  ? help", app.filter),
        (false, true) => {
            "q quit  s sort  r reverse  / filter  space pause  tab participants  ? help".to_owned()
        }
    })
}

fn channels(frame: &mut Frame<'_>, app: &App, lines: &[Line<'_>], look: Look, area: Rect) {
    let is_wide = area.width >= WIDE;
    let fixed: u16 = WIDTHS.iter().map(|width| width + 1).sum::<u16>() + if is_wide { 10 } else { 0 };
    let spare = area.width.saturating_sub(fixed + 1);
    // The name takes what the bars leave: of 80 columns 18, and then half of what is more.
    let bars = (spare / 3).clamp(1, super::region::HISTORY as u16);
    let mut widths = vec![Constraint::Fill(1)];
    let mut heads = vec![head("CHANNEL", app.order == Order::Name, false)];
    if is_wide {
        widths.push(Constraint::Length(9));
        heads.push(head("KIND", false, false));
    }
    const ORDERS: [Order; HEADS.len()] = [
        Order::Rate,
        Order::Fill,
        Order::HighWater,
        Order::Refused,
        Order::Lag,
        Order::Takeovers,
        Order::State,
    ];
    for (n, name) in HEADS.into_iter().enumerate() {
        heads.push(head(name, app.order == ORDERS[n], n + 1 < HEADS.len()));
        widths.push(Constraint::Length(WIDTHS[n]));
        if n == 0 {
            heads.push(Cell::new(""));
            widths.push(Constraint::Length(bars));
        }
    }
    let several = app.regions.all.len() > 1;
    let name = usize::from(spare.saturating_sub(bars + 1));
    let rows = lines.iter().map(|line| {
        let room = several.then(|| name.saturating_sub(line.sample.title.chars().count() + 1));
        row(line, room, is_wide, bars.into(), look)
    });
    let table = Table::new(rows, widths)
        .header(Row::new(heads).style(Style::new().add_modifier(Modifier::BOLD)))
        .column_spacing(1)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let chosen = (!lines.is_empty()).then(|| app.chosen_of(lines));
    let mut state = TableState::new().with_selected(chosen);
    frame.render_stateful_widget(table, area, &mut state);
}

/// The head of a column; that of the one that the lines are sorted by is marked.
fn head(name: &'static str, is_order: bool, is_number: bool) -> Cell<'static> {
    let style = if is_order { Style::new().add_modifier(Modifier::UNDERLINED) } else { Style::new() };
    let text = Text::from(Span::styled(name, style));
    Cell::new(if is_number { text.right_aligned() } else { text })
}

/// A channel's line, with as much of the region's name as has room, if it is needed.
fn row(line: &Line<'_>, room: Option<usize>, is_wide: bool, bars: usize, look: Look) -> Row<'static> {
    let sample = line.sample;
    let name = match room {
        Some(room) => format!("{} {}", cut(&line.region.name, room), sample.title),
        None => sample.title.clone(),
    };
    let mut cells = vec![Cell::new(name)];
    if is_wide {
        cells.push(Cell::new(sample.entry.kind.name()));
    }
    let count = HEADS.len();
    for (n, cell) in line.cells().into_iter().enumerate() {
        let text = Text::from(cell);
        cells.push(match n + 1 < count {
            true => Cell::new(text.right_aligned()),
            false if line.is_in_trouble() => Cell::new(text.style(look.alert())),
            false => Cell::new(text),
        });
        if n == 0 {
            cells.push(Cell::new(spark(&line.row.history, bars, look.has_unicode)));
        }
    }
    let row = Row::new(cells);
    if line.region.presence == Presence::Gone { row.style(look.faint()) } else { row }
}

/// A name's beginning and end, if it is longer than this.
fn cut(name: &str, room: usize) -> String {
    let count = name.chars().count();
    if count <= room {
        return name.to_owned();
    }
    let (start, end) = (room.saturating_sub(1) / 2, room / 2);
    let mut chars = name.chars();
    let mut shown: String = chars.by_ref().take(start).collect();
    shown.extend((room > 0).then_some('~'));
    shown.extend(chars.skip(count - start - end));
    shown
}

/// All participants in few words, the dead first.
fn brief(app: &App, look: Look) -> Text<'static> {
    let mut spans = vec![Span::raw("participants:")];
    let mut all: Vec<_> = app.regions.all.iter().flat_map(|region| &region.picture.participants).collect();
    all.sort_by_key(|one| one.probe != Probe::Dead);
    for one in all {
        let word = format!(" {} {}", pid(one), observe::word(one.probe));
        spans.push(if one.probe == Probe::Dead { Span::styled(word, look.alert()) } else { Span::raw(word) });
        spans.push(Span::raw(","));
    }
    let last = spans.pop().filter(|last| last.content != ",");
    spans.extend(last);
    Text::from(spans)
}

fn pid(one: &Member) -> String {
    match one.pid {
        Pid::Unknown => one.ident.to_string(),
        pid => pid.to_string(),
    }
}

fn participants(frame: &mut Frame<'_>, app: &App, look: Look, area: Rect) {
    let heads = ["REGION", "ID", "STATE", "PID", "DOMAIN", "ROLES AND LOCKS"];
    let all = app.regions.all.iter().flat_map(|region| {
        region.picture.participants.iter().map(move |one| {
            let roles = details::roles_of(region, one.ident);
            let roles = if roles.is_empty() { "-".to_owned() } else { roles.join(", ") };
            let style = if one.probe == Probe::Dead { look.alert() } else { Style::new() };
            Row::new([
                region.name.clone(),
                one.ident.to_string(),
                observe::word(one.probe).to_owned(),
                one.pid.to_string(),
                short(one.domain.into()),
                roles,
            ])
            .style(style)
        })
    });
    let widths = [
        Constraint::Length(16),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Length(8),
        Constraint::Length(6),
        Constraint::Fill(1),
    ];
    let table = Table::new(all.skip(app.scroll), widths)
        .header(Row::new(heads).style(Style::new().add_modifier(Modifier::BOLD)));
    frame.render_widget(table, area);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::app::{App, Regions, View};
    use super::{Look, cut, draw};

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_end() {
        assert_eq!(cut("plant-27135-66", 8), "pla~5-66");
        assert_eq!(
            (cut("arm", 3), cut("arms", 3), cut("arms", 1), cut("arms", 0)),
            ("arm".into(), "a~s".into(), "~".into(), String::new())
        );
    }

    #[test]
    fn no_screen_is_too_small() {
        let look = Look { has_colour: true, has_unicode: true };
        for (width, height) in [(1, 1), (3, 30), (20, 5), (80, 2), (500, 3)] {
            let mut app = App::new(Regions::none(), Duration::from_secs(1));
            let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a screen");
            for view in [View::Channels, View::Participants, View::Help] {
                app.view = view;
                terminal.draw(|frame| draw(frame, &app, look)).expect("a frame");
            }
        }
    }
}
