//! The root of the crate shows what an application names, and no more: the rest is in modules.

const ROOT: &str = include_str!("../../src/lib.rs");

/// The names of one `pub use`, without its path.
fn names(used: &str) -> Vec<&str> {
    let list = match used.split_once('{') {
        Some((_, list)) => list.trim_end_matches('}'),
        None => used.rsplit("::").next().expect("a path"),
    };
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// All names that the root takes from elsewhere, modules too.
fn root() -> Vec<&'static str> {
    let uses = ROOT.split("\npub use ").skip(1).filter_map(|rest| rest.split_once(';'));
    uses.flat_map(|(used, _)| names(used)).filter(|name| !name.starts_with("__")).collect()
}

#[test]
fn the_root_shows_about_fifty_names() {
    let root = root();
    let (modules, items): (Vec<&str>, Vec<&str>) = root
        .iter()
        .partition(|name| name.starts_with(|first: char| first.is_lowercase()) && !name.starts_with("wait"));
    println!("{} names, and the modules {modules:?}", items.len());
    // `CreateError` stays where it always was.
    assert!(items.contains(&"CreateError"), "{items:?}");
    assert!((40..=60).contains(&items.len()), "{} names at the root: {items:?}", items.len());
}
