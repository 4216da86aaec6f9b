//! The report as text, for the terminal.

use std::fmt::Write;

use crate::floors;
use crate::goals::{self, Goal};
use crate::job::Mode;
use crate::results::{Key, Results};

use super::rows::{self, Row};
use super::text::{number, spread};
use super::{causes, scales, tails};

/// Columns as wide as they must be; the first is left-aligned, and so are those named.
fn columns(rows: &[Vec<String>], left: &[usize]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|i| width(i).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[i] - cell.chars().count());
            let cell =
                if i == 0 || left.contains(&i) { format!("{cell}{pad}") } else { format!("{pad}{cell}") };
            line += &cell;
            line += "  ";
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn cells(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The mark of a row that a peer has won, and the reason.
pub fn verdict(row: &Row) -> String {
    match (row.lost(), causes::of(row)) {
        (true, Some((letter, _))) => format!("LOSS ({letter})"),
        (true, None) => "LOSS, not explained".into(),
        (false, _) if row.peer.is_none() => "no peer".into(),
        (false, _) => String::new(),
    }
}

/// The mark of a goal.
pub fn judged(goal: &Goal) -> &'static str {
    match goal.met() {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "not measured",
    }
}

/// The whole table.
pub fn text(results: &Results) -> String {
    let compared = rows::compare(results);
    let sections = [
        ("Floors, ns: median [least greatest] of the rounds", floors_table(results)),
        (
            "Strait against its best peer. x floor and peer / strait are taken within each round; above 1\n\
             strait is ahead. Further contenders of strait are shown where a peer beats them.",
            comparisons(&compared),
        ),
        (
            "Tails, us from the intended time of sending; rates in percent of each one's own saturation",
            columns(&tails::table(results), &[1, 2]),
        ),
        ("Scale, ns; growth by the last step", columns(&scales::table(results), &[1, 2])),
        ("Goals", goals_table(&goals::judge(results))),
    ];
    let mut text = home(results);
    for (heading, table) in sections.iter().filter(|(_, table)| !table.is_empty()) {
        let _ = write!(text, "\n{heading}\n{table}");
    }
    let [all, lost, others] = rows::count(&compared);
    let _ = writeln!(
        text,
        "\nIn {lost} of {all} disciplines a peer is ahead of strait's fastest, \
         and of a slower contender of strait {others} times more. Why, at length, stands in PERFORMANCE.md; in short:"
    );
    for (letter, why) in
        causes::ALL.iter().filter(|cause| compared.iter().any(|row| causes::of(row) == Some(**cause)))
    {
        let _ = writeln!(text, "  {letter}  {why}");
    }
    for (who, why) in &results.absent {
        let _ = writeln!(text, "not there: {who}: {why}");
    }
    text
}

/// Below this distance in ns two cores share more than a bus.
const NEAR: f64 = 80.0;

/// Where the two cores were.
pub fn home(results: &Results) -> String {
    let Some(middle) = results.home.middle else { return String::new() };
    let near = if middle < NEAR { ": so near that they may be two threads of one core" } else { "" };
    let (part, middle) = (results.home.part * 100.0, number(middle));
    if results.home.part > 0.99 {
        return format!("The two cores were {middle} ns apart (PP1-dir) all the time{near}.\n");
    }
    format!(
        "The two cores were {middle} ns apart (PP1-dir) in {part:.0} % of the measurements{near}.\n\
         What was measured while they were elsewhere, or moved, is not comparable and set aside.\n"
    )
}

fn floors_table(results: &Results) -> String {
    let mut rows = Vec::new();
    for floor in floors::ALL.iter().filter(|floor| floor.name != floors::HICCUPS) {
        for (mode, note) in [(Mode::Threads, ""), (Mode::Processes, ", between processes")] {
            let key = Key { mode, ..Key::floor(floor.name) };
            if let Some(ns) = results.spread(&key, "ns") {
                rows.push(vec![floor.name.into(), spread(&ns), format!("{}{note}", floor.what)]);
            }
        }
    }
    columns(&rows, &[2])
}

fn comparisons(compared: &[Row]) -> String {
    if compared.is_empty() {
        return String::new();
    }
    let mut rows =
        vec![cells(&["what", "strait", "ns", "x floor", "", "best peer", "ns", "peer / strait", ""])];
    for row in compared {
        let mut cells = vec![row.what.clone(), row.ours.clone(), number(row.ns.median)];
        match &row.floor {
            Some((name, ratio)) => cells.extend([spread(ratio), (*name).into()]),
            None => cells.extend([String::new(), String::new()]),
        }
        match &row.peer {
            Some((who, ns, ratio)) => cells.extend([who.clone(), number(ns.median), spread(ratio)]),
            None => cells.extend([String::new(), String::new(), String::new()]),
        }
        cells.push(verdict(row));
        rows.push(cells);
    }
    columns(&rows, &[1, 4, 5, 8])
}

fn goals_table(goals: &[Goal]) -> String {
    if goals.iter().all(|goal| goal.value.is_none()) {
        return String::new();
    }
    let mut rows = Vec::new();
    for goal in goals {
        let value = goal.value.map_or("-".into(), |value| spread(&value));
        let limit = format!("<= {}", number(goal.limit));
        rows.push(vec![goal.text.clone(), value, limit, goal.unit.into(), judged(goal).into()]);
    }
    columns(&rows, &[3, 4])
}
