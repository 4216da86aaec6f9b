//! `cargo xtask install`: the C interface where a C or C++ build finds it: headers, libraries, and the files
//! for pkg-config, CMake and man; with the tool's manual pages and completions.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::native::{self, TOOL};
use crate::run::{Outcome, Run};

/// The number in the shared library's soname. It changes when programs must be linked anew.
const SOVERSION: &str = "0";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is made from the templates in `capi/pkg`, before it is installed.
const MADE: &str = "target/install";

/// Where to install.
#[derive(Debug, PartialEq)]
pub struct Choice {
    /// Absolute, and as the installed files will know it.
    prefix: PathBuf,
    /// The libraries' folder, below the prefix.
    libdir: String,
}

/// Reads the words after `cargo xtask install`.
///
/// # Errors
///
/// One line for the user.
pub fn parse(words: &[String]) -> Result<Choice, String> {
    let (mut prefix, mut libdir) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let kept = match option {
            "--prefix" => &mut prefix,
            "--libdir" => &mut libdir,
            _ => return Err(format!("unknown word `{word}` after install; there are --prefix and --libdir")),
        };
        let value = value.or_else(|| words.next().cloned()).filter(|value| !value.is_empty());
        let value =
            value.ok_or_else(|| format!("{option} needs a folder, as in `{option} {}`", sample(option)))?;
        if kept.replace(value).is_some() {
            return Err(format!("{option} is given twice; give it once"));
        }
    }
    let prefix = prefix.ok_or("install needs --prefix DIR, as in `--prefix /usr/local`")?;
    if prefix.contains(['"', '$', '\\', '\n']) {
        return Err(format!(
            "the prefix `{prefix}` has a quote, `$`, backslash or line end in it; use another folder"
        ));
    }
    let libdir = libdir.unwrap_or_else(|| "lib".into());
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_.+-".contains(c);
    if libdir.split('/').any(|part| ["", ".", ".."].contains(&part)) || !libdir.chars().all(plain) {
        return Err(format!("--libdir is a folder below the prefix, as in `lib64`, and `{libdir}` is not"));
    }
    let prefix = std::path::absolute(&prefix).map_err(|error| format!("--prefix {prefix}: {error}"))?;
    Ok(Choice { prefix, libdir })
}

fn sample(option: &str) -> &'static str {
    if option == "--prefix" { "/usr/local" } else { "lib64" }
}

/// Builds the libraries and installs everything, below `DESTDIR` if that is set.
pub fn run(choice: &Choice) -> Outcome {
    let stage = env::var("DESTDIR").ok().filter(|stage| !stage.is_empty());
    match install(choice, stage.as_deref()) {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    }
}

/// As [`run`], with the folder that stands for the root of the file system.
///
/// # Errors
///
/// The first step that failed, and why.
pub fn install(choice: &Choice, stage: Option<&str>) -> Result<(), String> {
    if env::consts::FAMILY != "unix" || env::consts::OS == "macos" {
        return Err(format!(
            "install knows systems with ELF libraries, and this is {}; `cargo build -p strait-capi --profile capi` \
             makes the static library, and capi/include has the headers",
            env::consts::OS
        ));
    }
    build()?;
    let made = |name: &str| make(choice, name);
    let library = format!("{}/libstrait.so.{VERSION}", choice.libdir);
    let packages = format!("{}/cmake/strait", choice.libdir);
    let files = [
        ("644", "capi/include/strait.h".into(), "include/strait.h".into()),
        ("644", "capi/include/strait.hpp".into(), "include/strait.hpp".into()),
        ("644", "target/capi/libstrait_capi.a".into(), format!("{}/libstrait.a", choice.libdir)),
        ("755", "target/capi/libstrait_capi.so".into(), library),
        ("644", made("strait.pc")?, format!("{}/pkgconfig/strait.pc", choice.libdir)),
        ("644", made("straitConfig.cmake")?, format!("{packages}/straitConfig.cmake")),
        ("644", made("straitConfigVersion.cmake")?, format!("{packages}/straitConfigVersion.cmake")),
        ("644", made("strait.3")?, "share/man/man3/strait.3".into()),
    ];
    let root = staged(&choice.prefix, stage);
    for (mode, from, to) in files {
        put(mode, &from, &root.join(to))?;
    }
    install_manuals(&root)?;
    let folder = root.join(&choice.libdir);
    link(&format!("libstrait.so.{VERSION}"), &folder.join(format!("libstrait.so.{SOVERSION}")))?;
    link(&format!("libstrait.so.{SOVERSION}"), &folder.join("libstrait.so"))
}

/// Where shells look for the completions of the tool, and which they are.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/strait"),
    ("zsh", "share/zsh/site-functions/_strait"),
    ("fish", "share/fish/vendor_completions.d/strait.fish"),
];

/// Installs the manual pages of the tool and the completions of its command lines; the tool itself makes them.
fn install_manuals(root: &Path) -> Result<(), String> {
    let pages = format!("{MADE}/man1");
    let _ = fs::remove_dir_all(&pages); // Pages of commands that are no more.
    passed("the tool", native::tool().run())?;
    passed("the manual pages", Run::new(TOOL.into(), TOOL, &format!("man {pages}")).run())?;
    let made = fs::read_dir(&pages).map_err(|error| format!("cannot read {pages}: {error}"))?;
    for page in made.flatten() {
        let name = page.file_name();
        put("644", &page.path().to_string_lossy(), &root.join("share/man/man1").join(name))?;
    }
    for (shell, to) in COMPLETIONS {
        let from = format!("{MADE}/strait.{shell}");
        let make = Run::new("sh".into(), "sh", "-c").word(&format!("{TOOL} completions {shell} > {from}"));
        passed("the completions", make.run())?;
        put("644", &from, &root.join(to))?;
    }
    Ok(())
}

/// Builds the static library, and the shared one with its soname.
fn build() -> Result<(), String> {
    let args = "rustc -p strait-capi --lib --profile capi --crate-type staticlib,cdylib -- -C";
    let soname = format!("link-arg=-Wl,-soname,libstrait.so.{SOVERSION}");
    passed("the build", native::cargo(args).word(&soname).run())
}

/// Fills a template in. Returns the path of the result.
fn make(choice: &Choice, name: &str) -> Result<String, String> {
    let template = format!("capi/pkg/{name}.in");
    let text = fs::read_to_string(&template).map_err(|error| format!("cannot read {template}: {error}"))?;
    let path = format!("{MADE}/{name}");
    fs::create_dir_all(MADE)
        .and_then(|()| fs::write(&path, filled(choice, &text)))
        .map_err(|error| format!("cannot write {path}: {error}"))?;
    Ok(path)
}

/// A template's text with everything in it that is between `@` signs.
fn filled(choice: &Choice, template: &str) -> String {
    let mut numbers = VERSION.split('.');
    let mut number = || numbers.next().unwrap_or("0");
    let (major, minor) = (number(), number());
    // From `LIBDIR/cmake/strait`.
    let up = vec![".."; choice.libdir.split('/').count() + 2].join("/");
    let pointer = size_of::<*const u8>().to_string();
    [
        ("@PREFIX@", choice.prefix.to_string_lossy().as_ref()),
        ("@LIBDIR@", &choice.libdir),
        ("@VERSION@", VERSION),
        ("@SOVERSION@", SOVERSION),
        ("@MAJOR@", major),
        ("@MINOR@", minor),
        ("@POINTER@", &pointer),
        ("@UP@", &up),
    ]
    .iter()
    .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// The prefix as a path to write to: below `stage`, if there is one.
fn staged(prefix: &Path, stage: Option<&str>) -> PathBuf {
    match stage {
        Some(stage) => Path::new(stage).join(prefix.strip_prefix("/").unwrap_or(prefix)),
        None => prefix.to_owned(),
    }
}

/// Copies a file. The old one is unlinked and not overwritten, since a running program may have it mapped.
fn put(mode: &str, from: &str, to: &Path) -> Result<(), String> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    let install = Run::new("install".into(), "install", &format!("-m {mode} {from}"));
    passed(&to.display().to_string(), install.word(&to.to_string_lossy()).run())
}

fn link(to: &str, path: &Path) -> Result<(), String> {
    let link = Run::new("ln".into(), "ln", &format!("-sf {to}"));
    passed(&path.display().to_string(), link.word(&path.to_string_lossy()).run())
}

fn passed(what: &str, outcome: Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) | Outcome::Failed(why) => Err(format!("{what}: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, VERSION, filled, parse, staged};
    use std::path::Path;

    fn read(line: &str) -> Result<Choice, String> {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong_and_what_to_give() {
        for (line, part) in [
            ("", "needs --prefix DIR"),
            ("--prefix", "--prefix /usr/local"),
            ("--prefix=", "--prefix /usr/local"),
            ("--prefix a --prefix b", "twice"),
            ("--prefix a --libdir", "--libdir lib64"),
            ("--prefix a --libdir /usr/lib", "below the prefix"),
            ("--prefix a --libdir ../lib", "below the prefix"),
            ("--prefix $HOME", "another folder"),
            ("/usr/local", "--prefix and --libdir"),
        ] {
            let message = read(line).expect_err(line);
            assert!(message.contains(part), "{line}: {message}");
            assert!(!message.contains('\n'), "{line}: {message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_installed_files_know_the_prefix_and_not_the_stage() {
        let choice = read("--prefix=/opt/strait --libdir lib/x86_64-linux-gnu").expect("a good line");
        assert_eq!(filled(&choice, "@PREFIX@/@LIBDIR@"), "/opt/strait/lib/x86_64-linux-gnu");
        assert_eq!(filled(&choice, "@UP@ @VERSION@"), format!("../../../.. {VERSION}"));
        assert_eq!(staged(&choice.prefix, Some("/tmp/stage")), Path::new("/tmp/stage/opt/strait"));
        assert_eq!(staged(&choice.prefix, None), Path::new("/opt/strait"));
    }
}
