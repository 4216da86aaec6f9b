//! FAULTS.md lists every test of a fault, and no test or model that does not exist.
#![cfg(all(target_os = "linux", not(miri)))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A test or model: its file's name (of a folder's `mod.rs`, the folder's) and its own.
type Name = (String, String);

/// The entry of one fault in FAULTS.md.
struct Listed {
    names: BTreeSet<Name>,
    has_no_test: bool,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The entries of FAULTS.md: each begins with its number in bold, and goes on up to the next or to an
/// empty line.
fn listed(text: &str) -> BTreeMap<u32, Listed> {
    let mut all = BTreeMap::new();
    for entry in text.split("\n- **").skip(1) {
        let entry = entry.split("\n\n").next().expect("a text has a beginning");
        let (number, text) = entry.split_once("**").expect("the number ends in asterisks");
        let quoted = text.split('`').skip(1).step_by(2);
        let names = quoted.filter_map(|name| name.split_once("::"));
        let names = names.map(|(file, name)| (file.to_owned(), name.to_owned())).collect();
        let listed = Listed { names, has_no_test: text.contains("No test yet") };
        let number = number.parse().expect("a number");
        assert!(all.insert(number, listed).is_none(), "FAULTS.md lists fault {number} twice");
    }
    all
}

/// Calls `visit` with each Rust file's name and content, but for what is built or hidden.
fn each_source(folder: &Path, visit: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                each_source(&path, visit);
            }
        } else if let Some(stem) = name.strip_suffix(".rs") {
            let parent = folder.file_name().unwrap_or_default().to_string_lossy();
            let file = if stem == "mod" { &parent } else { stem };
            visit(file, &fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// The functions and, in the models, the names that a file defines.
fn names(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) {
            names.insert(name);
        } else if let Some((name, _)) = line.strip_prefix('"').and_then(|rest| rest.split_once("\" => ")) {
            names.insert(name);
        }
    }
    names
}

/// The numbers in `fault_02_03_the_next_one`, `fault_12_and_40_neither` and the like.
fn numbers(name: &str) -> Vec<u32> {
    let Some(rest) = name.strip_prefix("fault_").or(name.strip_prefix("faults_")) else { return Vec::new() };
    let words = rest.split('_').filter(|word| *word != "and");
    words.map_while(|word| word.parse().ok()).collect()
}

#[test]
fn each_fault_test_is_listed_and_each_listed_test_exists() {
    let text = fs::read_to_string(root().join("FAULTS.md")).expect("FAULTS.md");
    let listed = listed(&text);
    assert!(listed.keys().copied().eq(1..=listed.len() as u32), "a number is missing in FAULTS.md");
    let mut wrong = Vec::new();
    let mut found = BTreeSet::new();
    each_source(root(), &mut |file, text| {
        for name in names(text) {
            let full = (file.to_owned(), name.to_owned());
            for number in numbers(name) {
                if !listed.get(&number).is_some_and(|fault| fault.names.contains(&full)) {
                    wrong.push(format!("{file}::{name} is not listed under fault {number}"));
                }
            }
            found.insert(full);
        }
    });
    for (number, fault) in &listed {
        if fault.names.is_empty() && !fault.has_no_test {
            wrong.push(format!("fault {number} lists no test; say \"No test yet\" if there is none"));
        }
        let missing = fault.names.iter().filter(|name| !found.contains(name));
        wrong.extend(
            missing.map(|(file, name)| format!("fault {number} lists {file}::{name}: there is none")),
        );
    }
    assert!(wrong.is_empty(), "FAULTS.md and the tests disagree; mend the list:\n{}", wrong.join("\n"));
}

#[test]
fn numbers_are_read_from_names() {
    assert_eq!(numbers("fault_02_dead_right_after"), [2]);
    assert_eq!(numbers("fault_02_03_the_next_one"), [2, 3]);
    assert_eq!(numbers("fault_12_and_40_neither"), [12, 40]);
    assert_eq!(numbers("faults_45_and_46_short"), [45, 46]);
    assert_eq!(numbers("a_fault_is_latched"), []);
}
