//! The table: written, read back, and compared.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Costs;

const HEAD: &str = "\
# What it costs on a microcontroller

Measured on a Cortex-M3 (thumbv7m), optimised for size, by `cargo xtask test firmware`, which fails if anything takes a
tenth more than stands here. `STRAIT_WRITE_COSTS=1 cargo xtask test firmware` writes this page.
";
const CODE: &str = "Bytes of code";
const STEPS: &str = "Steps";
const MEMORY: &str = "Bytes of memory besides the values";

const CODE_TEXT: &str = "\
An operation's own function with all that it calls, each for itself, so that what several share counts in each; without
what is called to panic. Values are `u32`; a queue of them is of one type, published in the slot or by index. The minimal
port is an interrupt, a queue and a main loop, with its table of vectors, which is 1024 bytes of it.";
const STEPS_TEXT: &str = "\
Instructions from the call to the return, by QEMU's log of executed instructions: the most of many calls, round after
round, in which queues fill up, wrap and run empty. Regions have lines of 4 bytes.";
const MEMORY_TEXT: &str = "\
By the line of the plan; what stands alone has none. heapless keeps one slot free, so its queue of 8 holds 7; a half is
what its sender keeps. A channel's part is its directory entry, its words and its padding.";

/// The page.
pub fn write(costs: &Costs) -> String {
    let one = |(name, number): (&String, &u32)| (name.clone(), vec![*number]);
    let lines = ["thing", "line 4", "line 32", "line 64", "line 128"];
    let memory = costs.memory.iter().map(|(name, numbers)| (name.clone(), numbers.clone()));
    [
        HEAD.to_owned(),
        section(CODE, CODE_TEXT, &["operation", "bytes"], costs.code.iter().map(one)),
        section(STEPS, STEPS_TEXT, &["call", "instructions"], costs.steps.iter().map(one)),
        section(MEMORY, MEMORY_TEXT, &lines, memory),
    ]
    .concat()
}

fn section(
    title: &str,
    text: &str,
    columns: &[&str],
    rows: impl Iterator<Item = (String, Vec<u32>)>,
) -> String {
    let (head, rule) = (columns.join(" | "), " --- |".repeat(columns.len()));
    let mut section = format!("\n## {title}\n\n{text}\n\n| {head} |\n|{rule}\n");
    for (name, numbers) in rows {
        let cells: Vec<String> = numbers.iter().map(u32::to_string).collect();
        let rest = " |".repeat(columns.len() - 1 - numbers.len());
        // Writing to a string cannot fail.
        let _ = writeln!(section, "| {name} | {} |{rest}", cells.join(" | "));
    }
    section
}

/// The numbers of a page.
pub fn read(page: &str) -> Costs {
    let mut costs = Costs::default();
    let mut title = "";
    for line in page.lines() {
        if let Some(new) = line.strip_prefix("## ") {
            title = new;
        }
        let Some(row) = line.strip_prefix("| ") else { continue };
        let mut cells = row.split('|').map(str::trim);
        let name = cells.next().unwrap_or_default().to_owned();
        let numbers: Vec<u32> = cells.filter_map(|cell| cell.parse().ok()).collect();
        match (title, &numbers[..]) {
            (CODE, &[number]) => drop(costs.code.insert(name, number)),
            (STEPS, &[number]) => drop(costs.steps.insert(name, number)),
            (MEMORY, &[_, ..]) => drop(costs.memory.insert(name, numbers)),
            _ => {}
        }
    }
    costs
}

/// Whether what was measured keeps the limits: a tenth more, or 2, is within them; memory is exact.
///
/// # Errors
///
/// The figures that do not.
pub fn compare(limits: &Costs, found: &Costs) -> Result<String, String> {
    let mut wrong = Vec::new();
    for (what, limits, found) in
        [("bytes of code", &limits.code, &found.code), ("instructions", &limits.steps, &found.steps)]
    {
        if !limits.keys().eq(found.keys()) {
            wrong.push(format!("the rows for {what} are other ones"));
        }
        wrong.extend(
            beyond(limits, found)
                .map(|(name, limit, found)| format!("{name} takes {found} {what} instead of {limit}")),
        );
    }
    if limits.memory != found.memory {
        wrong.push("the memory is another".into());
    }
    if wrong.is_empty() {
        let rows = found.code.len() + found.steps.len() + found.memory.len();
        Ok(format!("{rows} rows of COSTS.md keep their limits; push and pop are not larger than heapless's"))
    } else {
        Err(wrong.join("; "))
    }
}

fn beyond<'a>(
    limits: &'a BTreeMap<String, u32>,
    found: &'a BTreeMap<String, u32>,
) -> impl Iterator<Item = (&'a String, u32, u32)> {
    limits.iter().filter_map(|(name, &limit)| {
        let found = *found.get(name)?;
        (found > limit + (limit / 10).max(2)).then_some((name, limit, found))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Costs;
    use super::{compare, read, write};

    fn costs(code: u32, steps: u32, memory: u32) -> Costs {
        Costs {
            code: [("push".into(), code)].into(),
            steps: [("push, full".into(), steps)].into(),
            memory: [("alone".into(), vec![memory]), ("lines".into(), vec![1, 2, 3, memory])].into(),
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(read(&write(&costs(60, 20, 44))), costs(60, 20, 44));
    }

    #[test]
    fn limits_are_kept_or_not() {
        let limits = costs(60, 20, 44);
        assert!(compare(&limits, &costs(66, 22, 44)).is_ok());
        assert!(compare(&limits, &costs(67, 20, 44)).is_err());
        assert!(compare(&limits, &costs(60, 23, 44)).is_err());
        assert!(compare(&limits, &costs(60, 20, 45)).is_err());
        assert!(compare(&limits, &Costs::default()).is_err());
    }
}
