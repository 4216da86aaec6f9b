//! DEPLOYING.md names no test that does not exist.
#![cfg(all(target_os = "linux", not(miri)))]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Adds `file::function` of each test below a folder, but for what is built or hidden.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                tests(&path, found);
            }
        } else if let Some(file) = name.strip_suffix(".rs") {
            let text = fs::read_to_string(&path).expect("a source");
            for function in text.split("#[test]").skip(1) {
                let function = function.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
                found.extend(function.map(|function| format!("{file}::{function}")));
            }
        }
    }
}

#[test]
fn every_test_that_the_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    tests(root, &mut found);
    let page = fs::read_to_string(root.join("DEPLOYING.md")).expect("the page");
    let named: Vec<&str> =
        page.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains("::")).collect();
    let tests_named: Vec<_> =
        named.iter().filter(|name| name.starts_with(|c: char| c.is_lowercase())).collect();
    assert!(tests_named.len() > 20, "the page names its tests");
    for name in tests_named {
        assert!(found.contains(*name), "there is no test {name}");
    }
}

#[test]
fn every_statement_says_what_it_stands_on() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("DEPLOYING.md")).expect("the page");
    for statement in page.split("\n- ").skip(1) {
        let statement = statement.split("\n\n").next().unwrap_or(statement);
        let stands = ["Tried by", "(from ", "is from ", "ot tried", "as under"]
            .iter()
            .any(|sign| statement.contains(sign));
        assert!(stands, "neither a test nor a source: {statement}");
    }
}
