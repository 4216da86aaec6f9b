//! The costs of the operations on a Cortex-M3, measured, and compared with `ports/COSTS.md`.
//!
//! Code is the size of an operation's function and of all that it calls, but for what is called to
//! panic. Steps are the instructions executed from the call to the return, counted in QEMU's log of
//! executed instructions, one at a time; a row has the most that any of its calls took. Memory is what
//! the program itself says.
//!
//! ```sh
//! STRAIT_WRITE_COSTS=1 cargo xtask test firmware    # rewrites the table
//! ```

mod elf;
mod table;
mod trace;

use std::collections::BTreeMap;
use std::fs;

use crate::run::{Outcome, together};

use super::lab::{LIMIT, Lab, verdict};
use super::trial::Trial;

const TABLE: &str = "ports/COSTS.md";
const TARGET: &str = "thumbv7m-none-eabi";
const MACHINE: &str = "qemu-system-arm -M mps2-an385 -icount shift=5,sleep=off -display none -monitor none \
                       -serial none -semihosting";
/// The most bytes that a port with one queue may take: code, constants and the table of vectors.
const MINIMAL: u32 = 2048;

/// Everything that was measured.
#[derive(Debug, Default, PartialEq)]
pub struct Costs {
    /// Bytes of code, by operation.
    pub code: BTreeMap<String, u32>,
    /// Most instructions, by scene.
    pub steps: BTreeMap<String, u32>,
    /// Bytes of memory, by thing; four lines each, or one.
    pub memory: BTreeMap<String, Vec<u32>>,
}

/// Builds, measures, compares.
pub fn run(lab: &Lab) -> Outcome {
    match lab.build("costs", TARGET) {
        Outcome::Passed => {}
        failed => return failed,
    }
    let minimal = lab.try_on(MACHINE, TARGET, "minimal");
    let table = measure(lab).and_then(|costs| {
        aims(&costs)?;
        if std::env::var_os("STRAIT_WRITE_COSTS").is_some() {
            fs::write(TABLE, table::write(&costs)).map_err(|error| format!("{TABLE}: {error}"))?;
            return Ok(format!("wrote {TABLE}"));
        }
        let text = fs::read_to_string(TABLE).map_err(|error| format!("{TABLE}: {error}"))?;
        table::compare(&table::read(&text), &costs)
    });
    together(&[("minimal", minimal), ("costs", verdict("costs", table))])
}

/// The programs that call the operations.
const PROGRAMS: [&str; 2] = ["probes", "pattern-probes"];

fn measure(lab: &Lab) -> Result<Costs, String> {
    let mut costs = Costs::default();
    for program in PROGRAMS {
        measure_one(lab, program, &mut costs)?;
    }
    costs.code.insert("minimal port, all of it".into(), elf::text(&lab.image(TARGET, "minimal"))?);
    Ok(costs)
}

/// Adds what a program shows.
fn measure_one(lab: &Lab, program: &str, costs: &mut Costs) -> Result<(), String> {
    let (image, log) = (lab.image(TARGET, program), format!("{}/executed.log", lab.folder));
    let line = format!("{MACHINE} -singlestep -d exec,nochain -D {log} -kernel {image}");
    let output = Trial::start(&line)?.output(LIMIT)?;
    let functions = elf::functions(&image)?;
    let executed = fs::read_to_string(&log).map_err(|error| format!("{log}: {error}"))?;
    let _ = fs::remove_file(&log);
    costs.code.extend(elf::code(&functions));
    costs.steps.extend(trace::steps(&executed, &elf::probes(&functions), &output)?);
    for line in output.lines().filter_map(|line| line.strip_prefix("ram ")) {
        let mut parts = line.rsplit('|');
        let bytes = parts.next().and_then(|bytes| bytes.parse().ok());
        let (Some(bytes), Some(_), Some(thing)) = (bytes, parts.next(), parts.next()) else {
            return Err(format!("what is `{line}`?"));
        };
        costs.memory.entry(thing.into()).or_default().push(bytes);
    }
    Ok(())
}

/// The goals: a queue no larger than heapless's, and a port in 2 KiB.
fn aims(costs: &Costs) -> Result<(), String> {
    let code = |name: &str| costs.code.get(name).copied().ok_or(format!("no {name} was measured"));
    for (ours, theirs) in [("static_push", "heapless_enqueue"), ("static_pop", "heapless_dequeue")] {
        let (ours_takes, theirs_takes) = (code(ours)?, code(theirs)?);
        if ours_takes > theirs_takes {
            return Err(format!("{ours} takes {ours_takes} bytes, {theirs} {theirs_takes}"));
        }
    }
    match code("minimal port, all of it")? {
        bytes if bytes < MINIMAL => Ok(()),
        bytes => Err(format!("the minimal port takes {bytes} bytes")),
    }
}
