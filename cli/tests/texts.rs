//! What the tool says when it refuses: one line that names the thing, in plain words, and that never advises to
//! remove what may be somebody else's.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::{Place, run};
use strait::{Channel, Plan, RegionOptions};

/// Commands that must fail, and a part of the name of what is wrong.
fn refusals(place: &Place) -> Vec<(Vec<String>, String)> {
    let file = place.file("in", 1000);
    let (out, nowhere, dir) = (place.path("out"), place.path("no/where"), place.path(""));
    let (short, zeros, link) = (place.file("short", 3), place.path("zeros"), place.path("link"));
    fs::write(&zeros, [0; 8192]).expect("a file");
    symlink(place.path("gone"), &link).expect("a link");
    let name = place.name.clone();
    let other = format!("{name}-other");
    vec![
        refusal(&["inspect", &other], &other),
        refusal(&["inspect", &nowhere], &nowhere),
        refusal(&["inspect", &dir], "directory"),
        refusal(&["inspect", "/dev/null"], "/dev/null"),
        refusal(&["inspect", "/dev/zero"], "/dev/zero"),
        refusal(&["inspect", &file], &file),
        refusal(&["inspect", &short], &short),
        refusal(&["inspect", &zeros], &zeros),
        refusal(&["inspect", &link], &link),
        refusal(&["rm", &other], &other),
        refusal(&["rm", &dir], &dir),
        refusal(&["rm", &file], &file),
        refusal(&["rm", "/dev/null"], "/dev/null"),
        refusal(&["rm", &name], "in use"),
        refusal(&["unlock", &name, "none"], "none"),
        refusal(&["unlock", &name, "frames"], "frames"),
        refusal(&["unlock", &other, "lock"], &other),
        refusal(&["send", &name, "values", "--file", &file], "values"),
        refusal(&["send", &name, "frames", "--file", &nowhere], &nowhere),
        refusal(&["send", &name, "frames", "--file", &dir], &dir),
        refusal(&["recv", &name, "values", "--out", &out], "values"),
        refusal(&["recv", &name, "frames", "--out", &nowhere], "no"),
        refusal(&["recv", &name, "frames", "--out", &dir], "directory"),
        refusal(&["recv", &name, "frames", "--out", &link], &link),
        refusal(&["recv", &name, "frames", "--out", "/dev/null"], "/dev/null"),
    ]
}

fn refusal(words: &[&str], part: &str) -> (Vec<String>, String) {
    (words.iter().map(ToString::to_string).collect(), part.into())
}

#[test]
fn every_refusal_is_a_line_that_names_the_thing() {
    let place = Place::new();
    let channels = [Channel::frames("frames", 1024, 100), Channel::latest::<u64>("values")];
    let plan = Plan::new(&channels);
    let region = place.region().create(&plan, &RegionOptions::new()).expect("a region");
    let _taken = (region.producer("frames").expect("a role"), region.consumer("frames").expect("a role"));
    let mut bad = String::new();
    for (words, part) in refusals(&place) {
        let line = run(&words).refused(1);
        let text = line.trim_start_matches("strait: ").trim_end();
        let mut flaw = |wrong: bool, what: &str| {
            if wrong {
                bad += &format!("{words:?} {what}: {text}\n");
            }
        };
        flaw(!text.contains(&part), "does not name the thing");
        flaw(text.starts_with(char::is_uppercase), "starts with a capital");
        flaw(text.ends_with('.') || text.len() > 400, "is no short line");
        flaw(text.contains("(os error"), "shows the system's number");
        flaw(text.contains("remove") && !text.contains("not removed"), "advises to remove something");
        flaw(text.contains(" lie ") || text.contains(" lies "), "says that something lies somewhere");
    }
    assert!(bad.is_empty(), "{bad}");
    assert!(place.has_region(), "what was refused was not done");
}
