//! The results of a run: a table, JSON, pictures.

mod causes;
mod charts;
mod html;
mod rows;
mod scales;
mod svg;
mod table;
mod tails;
mod text;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::Result;
use crate::plan::Plan;
use crate::results::Results;

fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("cannot write to {}: {error}; give another folder with --out", path.display())
}

/// Makes the folder and tries it, before the long run.
pub fn writable(out: &Path) -> Result<()> {
    let probe = out.join(".probe");
    fs::create_dir_all(out)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| failed(out, &error))
}

/// Prints the table, and writes all other forms of the report.
pub fn write(out: &Path, machine: &Value, plan: &Plan, results: &Results, seconds: f64) -> Result<()> {
    let text = table::text(results);
    println!("{text}");
    let json = json!({
        "machine": machine,
        "rounds": plan.rounds,
        "seconds": seconds,
        "results": results.json(),
    });
    let put = |name: &str, content: &str| {
        let path = out.join(name);
        fs::write(&path, content).map_err(|error| failed(&path, &error))
    };
    put("results.json", &json.to_string())?;
    let charts = charts::all(results);
    charts.iter().try_for_each(|(name, svg)| put(name, svg))?;
    put("report.html", &html::page(machine, plan, results, &charts, &text))?;
    let page = out.join("report.html");
    println!("report: {}", page.canonicalize().unwrap_or(page).display());
    Ok(())
}
