//! The header in the repository is what cbindgen makes of this crate. To make it anew:
//! `STRAIT_WRITE_HEADER=1 cargo test -p strait-capi --test capi header::`.

use std::path::Path;
use std::{env, fs};

#[test]
fn the_header_is_the_one_that_is_made() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("the configuration is sound");
    let made = cbindgen::Builder::new()
        .with_crate(here)
        .with_config(config)
        .generate()
        .expect("the crate can be read");
    let mut fresh = Vec::new();
    made.write(&mut fresh);
    let fresh = String::from_utf8(fresh).expect("a header is text");
    // Text for readers of the Rust source only.
    let fresh = without_safety(&fresh);
    let path = here.join("include/strait.h");
    if env::var_os("STRAIT_WRITE_HEADER").is_some() {
        fs::write(&path, &fresh).expect("the header can be written");
    }
    let kept = fs::read_to_string(&path).expect("there is a header");
    assert!(kept == fresh, "include/strait.h is not what cbindgen makes now; the head of this test says how");
}

/// Leaves out the `# Safety` sections: the header's head says the same of all functions.
fn without_safety(header: &str) -> String {
    let mut left = String::new();
    let mut skipping = false;
    for line in header.lines() {
        if line.trim() == "// # Safety" {
            skipping = true;
            // And the empty line before it.
            left.truncate(left.trim_end_matches("//\n").len());
        }
        if !line.trim().starts_with("//") {
            skipping = false;
        }
        if !skipping {
            left.push_str(line);
            left.push('\n');
        }
    }
    left
}
