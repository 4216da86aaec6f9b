//! The lane `peers`: participants and onlookers written from FORMAT.md in other languages, against this crate.

use std::fs;

use crate::lanes::packages;
use crate::run::{Outcome, Run, together};

const TARGET: &str = "target/peers";

/// A follower in Python, and a participant in C# which is killed and succeeded.
pub fn peers() -> Outcome {
    if let Err(outcome) = packages(&["python3", "mono-mcs", "mono-runtime"]) {
        return outcome;
    }
    if let Err(error) = fs::create_dir_all(TARGET) {
        return Outcome::Failed(format!("{TARGET} cannot be made: {error}"));
    }
    let program = format!("{TARGET}/peer.exe");
    let compiler = format!("-unsafe -warnaserror+ -out:{program} examples/peers/peer.cs");
    let compiled = Run::new("mcs".into(), "mcs", &compiler).run();
    if compiled != Outcome::Passed {
        return together(&[("the C# peer", compiled)]);
    }
    Run::cargo("run --quiet --example peers --")
        .word("python3 examples/peers/follow.py")
        .word(&format!("mono {program}"))
        .run()
}
