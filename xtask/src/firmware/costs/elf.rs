//! Functions of a program, and what they call, as binutils show them.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// A function.
#[derive(Debug, Default)]
pub struct Function {
    pub start: u32,
    pub bytes: u32,
    pub calls: BTreeSet<String>,
}

/// The prefixes of the probes' names, by the primitive that each measures.
const PROBES: &[&str] = &[
    "heapless_",
    "static_",
    "typed_",
    "frames_",
    "latest_",
    "mutex_",
    "semaphore_",
    "permits_",
    "region_",
    "lanes_",
    "fanout_",
    "broadcast_",
    "calls_",
    "event_",
];

fn is_probe(name: &str) -> bool {
    PROBES.iter().any(|start| name.starts_with(start)) || name == "open_consumer"
}

/// The program's functions.
pub fn functions(image: &str) -> Result<BTreeMap<String, Function>, String> {
    Ok(parse(&output("arm-none-eabi-objdump", &["-d", image])?))
}

fn parse(listing: &str) -> BTreeMap<String, Function> {
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    let mut current = String::new();
    for line in listing.lines() {
        if let Some((start, name)) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            current = name.into();
            let start = u32::from_str_radix(start, 16).unwrap_or(0);
            functions.insert(current.clone(), Function { start, ..Function::default() });
            continue;
        }
        // "    4280:\te9d0 2100 \tldrd\tr2, r1, [r0]"
        let Some((_, rest)) = line.trim_start().split_once(":\t") else { continue };
        let Some(function) = functions.get_mut(&current) else { continue };
        let mut columns = rest.split('\t');
        let digits = columns.next().unwrap_or("").bytes().filter(u8::is_ascii_hexdigit).count();
        function.bytes += digits as u32 / 2;
        let target = columns.nth(1).and_then(|operands| operands.split_once('<'));
        if let Some(name) = target.map(|(_, name)| name.trim_end_matches('>'))
            && !name.contains('+')
            && name != current
        {
            function.calls.insert(name.into());
        }
    }
    functions
}

/// Bytes of each probe and of all that it calls.
pub fn code(functions: &BTreeMap<String, Function>) -> BTreeMap<String, u32> {
    let probes = functions.keys().filter(|name| is_probe(name));
    probes.map(|name| (name.clone(), closure(functions, name))).collect()
}

fn closure(functions: &BTreeMap<String, Function>, name: &str) -> u32 {
    let (mut seen, mut open, mut bytes) = (BTreeSet::new(), vec![name], 0);
    while let Some(name) = open.pop() {
        // The functions called to panic are not part of an operation.
        if name.contains("panick") || !seen.insert(name) {
            continue;
        }
        if let Some(function) = functions.get(name) {
            bytes += function.bytes;
            open.extend(function.calls.iter().map(String::as_str));
        }
    }
    bytes
}

/// Where the probes start.
pub fn probes(functions: &BTreeMap<String, Function>) -> BTreeSet<u32> {
    functions.iter().filter(|(name, _)| is_probe(name)).map(|(_, function)| function.start).collect()
}

/// Bytes of code, constants and vectors of a program.
pub fn text(image: &str) -> Result<u32, String> {
    let shown = output("arm-none-eabi-size", &[image])?;
    let bytes = shown.lines().nth(1).and_then(|line| line.split_whitespace().next());
    bytes.and_then(|bytes| bytes.parse().ok()).ok_or(format!("what is `{shown}`?"))
}

fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{code, parse};

    #[test]
    fn a_probe_counts_with_what_it_calls() {
        let listing = "
00000400 <static_push>:
     400:\tb580      \tpush\t{r7, lr}
     402:\tf7ff fffd \tbl\t500 <helper>
     406:\tf7ff fffd \tbl\t600 <core_panicking>
     40a:\te7f9      \tb.n\t400 <static_push>
     40c:\te7f9      \tb.n\t402 <static_push+0x2>

00000500 <helper>:
     500:\tf7ff fffe \tbl\t500 <helper>
     504:\t4770      \tbx\tlr

00000600 <core_panicking>:
     600:\te7fe      \tb.n\t600 <core_panicking>
";
        let code = code(&parse(listing));
        assert_eq!(code.into_iter().collect::<Vec<_>>(), [("static_push".to_owned(), 14 + 6)]);
    }
}
