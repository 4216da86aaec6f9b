//! On what, when and of what a report is.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The output of a command, if it can be run.
fn says(program: &str, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The machine, the date, the commit and the command.
pub fn describe(cores: (usize, usize)) -> Value {
    let cpu = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, value)| value).to_owned()
    };
    let changed = if says("git", &["status", "--porcelain"]).is_empty() { "" } else { ", with changes" };
    let hypervisor = if field("flags").split(' ').any(|flag| flag == "hypervisor") { "yes" } else { "no" };
    json!({
        "cpu": format!("{} (family {}, model {})", field("model name"), field("cpu family"), field("model\t")),
        "virtual": hypervisor,
        "cores": cpu.lines().filter(|line| line.starts_with("processor")).count(),
        "pinned": [cores.0, cores.1],
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load": read("/proc/loadavg").trim(),
        "date": says("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        "commit": format!("{}{changed}", says("git", &["rev-parse", "--short", "HEAD"])),
        "command": std::env::args().skip(1).fold("cargo xtask bench".to_owned(), |line, word| line + " " + &word),
    })
}
