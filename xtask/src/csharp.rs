//! The lane `csharp`: the C# library is compiled by mono's compiler, and its tests run under mono, over the shared C
//! library and beside a Rust process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::native;
use crate::parts::parts;
use crate::run::{Outcome, Run};
use crate::{cache, lanes};

const PACKAGES: &[&str] =
    &["gcc", "libc6-dev", "mono-mcs", "mono-runtime", "libmono-system4.0-cil", "libmono-system-core4.0-cil"];

/// Mono's compiler is of C# 7.2, which has no `unmanaged`; what it would refuse is refused at run time.
const REPLACED: (&str, &str) = (": unmanaged", ": struct");

/// The library, its tests and its example, compiled and run.
pub fn lane() -> Outcome {
    prepare().and_then(|folder| run(&folder)).unwrap_or_else(|outcome| outcome)
}

fn prepare() -> Result<String, Outcome> {
    lanes::packages(PACKAGES)?;
    cache::target("csharp")
}

fn run(folder: &str) -> Result<Outcome, Outcome> {
    let partner = native::path("target/debug/examples/partner")?;
    let libraries = format!("{folder}/native");
    let layout = format!("{folder}/layout");
    let mono = |program: &str| {
        Run::new("mono".into(), "mono", &format!("--debug {folder}/{program}"))
            .with("LD_LIBRARY_PATH", &libraries)
            .with("STRAIT_LAYOUT", &format!("{layout}.txt"))
            .with("STRAIT_PARTNER", &partner)
            .run()
    };
    let helper = || {
        let built =
            Run::new("gcc".into(), "gcc", &format!("-std=c99 -Wall -Werror -Icapi/include -o {layout}"))
                .word("csharp/Tests/layout.c")
                .run();
        if built != Outcome::Passed {
            return built;
        }
        Run::new("sh".into(), "sh", "-c").word(&format!("{layout} > {layout}.txt")).run()
    };
    Ok(parts(&[
        ("the C library", &|| native::cargo("rustc --quiet -p strait-capi --lib --crate-type cdylib").run()),
        ("its name", &|| named(&libraries)),
        ("the partner", &|| native::cargo("build --quiet --example partner").run()),
        ("the layout", &helper),
        ("the library", &|| compile(folder, "Strait", "-target:library", "Strait.dll")),
        ("the tests", &|| compile(folder, "Tests", "-r:System.Core.dll", "Tests.exe")),
        ("the example", &|| compile(folder, "Example", "", "Example.exe")),
        ("run", &|| mono("Tests.exe")),
        ("run the example", &|| mono("Example.exe")),
    ]))
}

/// Gives the C library the name under which it is installed.
fn named(libraries: &str) -> Outcome {
    let copy = || {
        fs::create_dir_all(libraries)?;
        fs::copy("target/debug/libstrait_capi.so", format!("{libraries}/libstrait.so"))
    };
    match copy() {
        Ok(_) => Outcome::Passed,
        Err(error) => Outcome::Failed(format!("the C library cannot be copied: {error}")),
    }
}

/// Compiles the sources in `csharp/NAME` as mono's compiler takes them.
fn compile(folder: &str, name: &str, options: &str, to: &str) -> Outcome {
    let sources = match rewritten(&format!("csharp/{name}"), &format!("{folder}/{name}")) {
        Ok(sources) => sources,
        Err(error) => return Outcome::Failed(format!("csharp/{name}: {error}")),
    };
    let reference = if name == "Strait" { String::new() } else { format!("-r:{folder}/Strait.dll") };
    let options =
        format!("-debug -unsafe -warnaserror+ -langversion:latest {options} {reference} -out:{folder}/{to}");
    let compiler = Run::new("mcs".into(), "mcs", &options);
    sources.iter().fold(compiler, |compiler, source| compiler.word(&source.to_string_lossy())).run()
}

/// Copies the sources, and replaces what mono's compiler does not know. Returns their paths.
fn rewritten(from: &str, to: &str) -> io::Result<Vec<PathBuf>> {
    // A source that was renamed must not be compiled twice.
    if Path::new(to).exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    let mut sources = Vec::new();
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let (true, Some(name)) = (path.extension().is_some_and(|end| end == "cs"), path.file_name()) else {
            continue;
        };
        let source = Path::new(to).join(name);
        fs::write(&source, fs::read_to_string(&path)?.replace(REPLACED.0, REPLACED.1))?;
        sources.push(source);
    }
    sources.sort();
    Ok(sources)
}
