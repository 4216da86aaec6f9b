//! The report as one page that needs nothing else.

use std::fmt::Write;

use serde_json::Value;

use crate::floors;
use crate::goals;
use crate::plan::Plan;
use crate::results::{Key, Results};

use super::text::{number, spread};
use super::{rows, table};

const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:1100px;margin:2em auto;padding:0 1em}\
h1{font-size:1.6em;margin-bottom:0}h2{margin-top:2em;border-bottom:1px solid #ddd}\
table{border-collapse:collapse;font-size:13px}td,th{padding:2px 10px;text-align:right;border-bottom:1px solid #eee}\
td:first-child,th:first-child,td.l,th.l{text-align:left}.loss{color:#b3261e;font-weight:600}.good{color:#00795a}\
.facts{color:#555;font-size:13px}svg{max-width:100%;height:auto;display:block;margin:1em 0}pre{font-size:12px;overflow:auto}\
.tile{display:inline-block;border:1px solid #ddd;border-radius:6px;padding:.5em 1em;margin:.3em .5em .3em 0}\
.tile b{display:block;font-size:1.6em}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The page.
pub fn page(
    machine: &Value,
    plan: &Plan,
    results: &Results,
    charts: &[(&str, String)],
    text: &str,
) -> String {
    let mut out = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Where strait stands</title>\
         <style>{STYLE}</style><h1>Where strait stands</h1>"
    );
    let fact = |key: &str| match &machine[key] {
        Value::String(text) => escape(text),
        other => escape(&other.to_string()),
    };
    let _ = write!(
        out,
        "<p class=\"facts\">{} &middot; {} cores, sides on CPUs {} &middot; Linux {} &middot; {} &middot; commit {}<br>\
         {} rounds, each figure from a fresh process, order shuffled in each round &middot; \
         median [least greatest] &middot; load at the start {} &middot; <code>{}</code></p>",
        fact("cpu"),
        fact("cores"),
        fact("pinned"),
        fact("kernel"),
        fact("date"),
        fact("commit"),
        plan.rounds,
        fact("load"),
        fact("command"),
    );
    let _ = write!(out, "<p class=\"facts\">{}</p>", escape(&table::home(results)));
    let compared = rows::compare(results);
    let judged = goals::judge(results);
    let count = |met: bool| judged.iter().filter(|goal| goal.met() == Some(met)).count();
    let [all, lost, _] = rows::count(&compared);
    for (number, name) in [
        (all - lost, "disciplines without a peer ahead"),
        (lost, "disciplines lost"),
        (count(true), "goals met"),
        (count(false), "goals missed"),
    ] {
        let _ = write!(out, "<div class=\"tile\"><b>{number}</b>{name}</div>");
    }
    for (name, svg) in charts {
        let heading = match *name {
            "latency.svg" => "Latency",
            "stream.svg" => "Streams",
            "tails.svg" => "Tails",
            "scale.svg" => "Scale",
            _ => "Against peers",
        };
        let _ = write!(out, "<h2>{heading}</h2>{svg}");
    }
    out += "<h2>Goals</h2><table><tr><th>goal<th>measured<th>limit<th class=l>unit<th class=l>";
    for goal in &judged {
        let class = if goal.met() == Some(false) { "l loss" } else { "l good" };
        let value = goal.value.map_or("-".into(), |value| spread(&value));
        let (limit, verdict) = (number(goal.limit), table::judged(goal));
        let _ = write!(
            out,
            "<tr><td>{}<td>{value}<td>&le; {limit}<td class=l>{}<td class=\"{class}\">{verdict}",
            escape(&goal.text),
            goal.unit
        );
    }
    out += "</table><h2>Losses and wins</h2><table><tr><th>what<th class=l>strait<th>ns<th>x floor<th class=l>\
            <th class=l>best peer<th>ns<th>peer / strait<th class=l>";
    for row in &compared {
        let (floor, name) =
            row.floor.as_ref().map_or((String::new(), ""), |(name, ratio)| (spread(ratio), *name));
        let (who, ns, ratio) = row
            .peer
            .as_ref()
            .map_or(Default::default(), |(who, ns, ratio)| (who.clone(), number(ns.median), spread(ratio)));
        let class = if row.lost() { " class=loss" } else { "" };
        let _ = write!(
            out,
            "<tr{class}><td>{}<td class=l>{}<td>{}<td>{floor}<td class=l>{name}<td class=l>{who}<td>{ns}<td>{ratio}<td class=l>{}",
            escape(&row.what),
            row.ours,
            number(row.ns.median),
            table::verdict(row)
        );
    }
    out += "</table><h2>Floors</h2><table><tr><th>floor<th>ns<th class=l>";
    for floor in floors::ALL {
        if let Some(ns) = results.spread(&Key::floor(floor.name), "ns") {
            let _ = write!(out, "<tr><td>{}<td>{}<td class=l>{}", floor.name, spread(&ns), floor.what);
        }
    }
    let _ = writeln!(out, "</table><h2>As text</h2><pre>{}</pre></html>", escape(text));
    out
}
