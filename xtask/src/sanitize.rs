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

use crate::cache;
use crate::lanes::{Debian, file_of};
use crate::parts::parts;
use crate::run::{Outcome, Run};
use crate::sysroot::{self, Library, STD};

/// The sanitizers' runtimes, of the LLVM that Debian's Rust is built with.
const RUNTIMES: &str = "libclang-rt-22-dev";

/// The standard libraries are built with the same sanitizers: what an uninstrumented one hands from thread to
/// thread would look like races.
const TSAN: Library = Library { name: "tsan", flags: "-Zsanitizer=thread -Zexternal-clangrt", ..STD };
const ASAN: Library = Library { name: "asan", flags: "-Zsanitizer=address -Zexternal-clangrt", ..STD };

/// Threads over one mapping, in order and under a scribbler.
const THREADS: &str = "-p strait --test threads --test scribble";

/// Those of the core in which threads meet.
pub const TSAN_CORE: &str = "-p strait-core --test sanitized -- broadcast:: fanout:: latest:: lies:: regressions:: statics:: \
    takeover:: wait::";

/// Those of the core with images that are damaged or random, and others.
pub const ASAN_CORE: &str = "-p strait-core --test sanitized -- attach:: broadcast:: fanout:: latest:: lies:: lies_state:: \
    random_images:: regressions:: spsc:: spsc_frames:: spsc_typed:: statics:: takeover::";

/// A sanitizer, and the cargo that builds everything with it.
struct Sanitizer {
    debian: Debian,
    target: String,
    flags: String,
    folder: String,
}

impl Sanitizer {
    /// Installs what it needs, and builds its standard library. `archives` are its runtime.
    fn new(library: &Library, archives: &[&str]) -> Result<Self, Outcome> {
        let debian = Debian::with(&[RUNTIMES, "lld"])?;
        let target = format!("{ARCH}-unknown-linux-gnu");
        let mut runtime = String::new();
        for archive in archives {
            let end = format!("/libclang_rt.{archive}-{ARCH}.a");
            let path = file_of(RUNTIMES, &end)
                .ok_or_else(|| Outcome::Failed(format!("{RUNTIMES} holds no file {end}")))?;
            runtime = format!("{runtime},{path}");
        }
        let sysroot = sysroot::flag(&debian, library, &[&target])?;
        let flags = format!(
            "--cfg strait_word_copies {} {sysroot} -Clink-arg=-fuse-ld=lld \
             -Clink-arg=-Wl,--whole-archive{runtime},--no-whole-archive,--export-dynamic -Clink-arg=-lm",
            library.flags
        );
        Ok(Self { debian, target, flags, folder: cache::target(library.name)? })
    }

    fn test(&self, args: &str) -> Run {
        let args = format!("test --target {} {args}", self.target);
        self.debian.optimized_cargo(&self.folder, &self.flags, &args)
    }
}

/// The program that turns addresses in a report into names and lines.
const SYMBOLS: &str = "external_symbolizer_path=/usr/bin/addr2line";

/// A control's own command: the test `name` of one file, and nothing else.
fn only(file: &str, name: &str) -> String {
    format!("-p strait --test {file} -- --ignored --exact {name}")
}

/// The tests in which threads meet, under ThreadSanitizer.
pub fn tsan() -> Outcome {
    let sanitizer = match Sanitizer::new(&TSAN, &["tsan"]) {
        Ok(sanitizer) => sanitizer,
        Err(outcome) => return outcome,
    };
    let test = |args: &str| sanitizer.test(args).with("TSAN_OPTIONS", SYMBOLS);
    let race = |file, name| test(&only(file, name)).run_to_fail("ThreadSanitizer: data race");
    parts(&[
        ("core", &|| test("-p strait-core --lib").run()),
        ("core, from outside", &|| test(TSAN_CORE).run()),
        ("threads", &|| test(THREADS).run()),
        ("control: a plain copy", &|| race("scribble", "control_a_plain_copy")),
        ("control: no order", &|| race("threads", "control_a_message_without_order")),
    ])
}

/// The same and the randomised tests, under AddressSanitizer.
pub fn asan() -> Outcome {
    let sanitizer = match Sanitizer::new(&ASAN, &["asan", "asan_static"]) {
        Ok(sanitizer) => sanitizer,
        Err(outcome) => return outcome,
    };
    let test = |args: &str| {
        sanitizer
            .test(args)
            // Tests that stage a death leak what the dead one held.
            .with("ASAN_OPTIONS", &format!("detect_leaks=0,{SYMBOLS}"))
    };
    let overrun = only("scribble", "control_a_copy_past_the_end");
    parts(&[
        ("core", &|| test("-p strait-core --lib").run()),
        ("core, from outside", &|| test(ASAN_CORE).run()),
        ("threads", &|| test(THREADS).run()),
        ("control: an overrun", &|| test(&overrun).run_to_fail("AddressSanitizer: heap-buffer-overflow")),
    ])
}
