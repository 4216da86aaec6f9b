//! The lanes `tsan` and `asan`: the real backend under ThreadSanitizer and AddressSanitizer.
//!
//! ThreadSanitizer watches plain memory: what is written before a message and read after it must be
//! ordered by the queue. Of the shared bytes it can say one thing only, that nobody touches them
//! otherwise than atomically. It takes no notice of fences. So it does not see one that is missing: that a
//! sleeper is woken and that a latest value is whole is the models' business. And it would give a false
//! alarm where plain memory is handed over by a fence, which happens nowhere here. Nothing is
//! suppressed.
//!
//! AddressSanitizer watches buffers, queues and regions on stack and heap. It does not see that one
//! part of a region is not another.
//!
//! Neither sees into assembly, so the copies are done a word at a time. Each lane has controls, tests
//! that do wrong on purpose: their report must come, or silence would mean nothing.

use std::env::consts::ARCH;

use crate::lanes::{Debian, file_of};
use crate::run::{Outcome, Run, together};

/// The sanitizers' runtimes, of the LLVM that Debian's Rust is built with.
const RUNTIMES: &str = "libclang-rt-22-dev";

/// Threads over one mapping, in order and under a scribbler.
const THREADS: &str = "-p strait --test threads --test scribble";

/// A sanitizer, and the cargo that builds everything with it, the standard library too: what an
/// uninstrumented library hands from thread to thread would look like races.
struct Sanitizer {
    debian: Debian,
    target: &'static str,
    flags: String,
}

impl Sanitizer {
    /// Installs what it needs. `name` is what the compiler calls it, `archives` are its runtime, and
    /// `target` is where the results go.
    fn new(name: &str, archives: &[&str], target: &'static str) -> Result<Self, Outcome> {
        let debian = Debian::with(&[RUNTIMES, "lld"])?;
        let mut runtime = String::new();
        for archive in archives {
            let end = format!("/libclang_rt.{archive}-{ARCH}.a");
            let path = file_of(RUNTIMES, &end)
                .ok_or_else(|| Outcome::Failed(format!("{RUNTIMES} holds no file {end}")))?;
            runtime = format!("{runtime},{path}");
        }
        let flags = format!(
            "--cfg strait_word_copies -Zsanitizer={name} -Zexternal-clangrt -Clink-arg=-fuse-ld=lld \
             -Clink-arg=-Wl,--whole-archive{runtime},--no-whole-archive,--export-dynamic -Clink-arg=-lm"
        );
        Ok(Self { debian, target, flags })
    }

    fn test(&self, args: &str) -> Run {
        let build = format!("-Zbuild-std=std,panic_unwind,test --target {ARCH}-unknown-linux-gnu");
        self.debian.cargo(self.target, &format!("test {build} {args}")).with("RUSTFLAGS", &self.flags)
    }
}

/// What turns addresses in a report into names and lines.
const SYMBOLS: &str = "external_symbolizer_path=/usr/bin/addr2line";

/// A control's own command: the test `name` of one file, and nothing else.
fn only(file: &str, name: &str) -> String {
    format!("-p strait --test {file} -- --ignored --exact {name}")
}

/// The tests in which threads meet, under ThreadSanitizer.
pub fn tsan() -> Outcome {
    let sanitizer = match Sanitizer::new("thread", &["tsan"], "target/tsan") {
        Ok(sanitizer) => sanitizer,
        Err(outcome) => return outcome,
    };
    let test = |args: &str| sanitizer.test(args).with("TSAN_OPTIONS", SYMBOLS);
    let core = "-p strait-core --lib --test latest --test lies --test regressions --test statics \
                --test takeover --test wait";
    let race = |file, name| test(&only(file, name)).run_to_fail("ThreadSanitizer: data race");
    together(&[
        ("core", test(core).run()),
        ("threads", test(THREADS).run()),
        ("control: a plain copy", race("scribble", "control_a_plain_copy")),
        ("control: no order", race("threads", "control_a_message_without_order")),
    ])
}

/// The same and the randomised tests, under AddressSanitizer.
pub fn asan() -> Outcome {
    let sanitizer = match Sanitizer::new("address", &["asan", "asan_static"], "target/asan") {
        Ok(sanitizer) => sanitizer,
        Err(outcome) => return outcome,
    };
    let test = |args: &str| {
        sanitizer
            .test(args)
            // Tests that stage a death leak what the dead one held.
            .with("ASAN_OPTIONS", &format!("detect_leaks=0,{SYMBOLS}"))
            // The randomised tests take minutes without.
            .with("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
    };
    let core = "-p strait-core --lib --test attach --test latest --test lies --test lies_state \
                --test random_images --test regressions --test spsc --test spsc_frames --test spsc_typed \
                --test statics --test takeover";
    together(&[
        ("core", test(core).run()),
        ("threads", test(THREADS).run()),
        (
            "control: an overrun",
            test(&only("scribble", "control_a_copy_past_the_end"))
                .run_to_fail("AddressSanitizer: heap-buffer-overflow"),
        ),
    ])
}
