//! The lane `api`: the public items of every package that is published, against the texts in `api/`.
//!
//! rustdoc writes what it knows of a crate as JSON, and cargo-public-api lists the public items of it. JSON and
//! tool must be of one version of that format, so both are pinned: the compiler is Debian's, as in other lanes.

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::lanes::{Debian, file_of, output, unavailable};
use crate::package::PUBLISHED;
use crate::parts::parts;
use crate::run::{Outcome, Run};
use crate::say::say;
use crate::sysroot::{self, STD};

/// The release of cargo-public-api, and the version of rustdoc's JSON that it reads.
const VERSION: &str = "0.52.0";
const FORMAT: &str = "57";

/// Set to write the texts anew.
const ACCEPT: &str = "STRAIT_ACCEPT_API";

/// There is nothing in this package but for Windows.
const WINDOWS: (&str, &str) = ("strait-os-windows", "x86_64-pc-windows-gnu");

/// Implementations that are the compiler's own business, and differ from one release to the next.
const NOT_OURS: [&str; 3] =
    ["core::marker::Freeze", "core::marker::StructuralPartialEq", "core::marker::UnsafeUnpin"];

/// Most lines of a difference that are shown.
const SHOWN: usize = 60;

/// Lists the public items of each package, and compares.
pub fn lane() -> Outcome {
    let lister = match Lister::new() {
        Ok(lister) => lister,
        Err(outcome) => return outcome,
    };
    let checks: Vec<_> =
        PUBLISHED.iter().map(|&package| (package, move |lister: &Lister| lister.check(package))).collect();
    let checks: Vec<_> = checks.iter().map(|(package, check)| (*package, || check(&lister))).collect();
    let listed: Vec<(&str, &dyn Fn() -> Outcome)> =
        checks.iter().map(|(package, check)| (*package, check as &dyn Fn() -> Outcome)).collect();
    parts(&listed)
}

/// What lists the items of a crate.
struct Lister {
    debian: Debian,
    rustdoc: String,
    tool: String,
    target: String,
}

impl Lister {
    fn new() -> Result<Self, Outcome> {
        let debian = Debian::with(&[])?;
        let rustdoc = file_of("rustc-web", "/bin/rustdoc")
            .ok_or_else(|| unavailable("the package rustc-web holds no rustdoc".into()))?;
        Ok(Self { debian, rustdoc, tool: tool()?, target: cache::target("api")? })
    }

    /// Compares the items of a package with its text, or writes the text.
    fn check(&self, package: &str) -> Outcome {
        let items = match self.items(package) {
            Ok(items) => items,
            Err(outcome) => return outcome,
        };
        let path = baseline(package);
        if env::var_os(ACCEPT).is_some_and(|value| value == "1") {
            let written =
                path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, items));
            return written.map_or_else(
                |error| Outcome::Failed(format!("{}: {error}", path.display())),
                |()| Outcome::Passed,
            );
        }
        let difference = difference(&fs::read_to_string(&path).unwrap_or_default(), &items);
        if difference.is_empty() {
            return Outcome::Passed;
        }
        say!("the public items of {package} differ from api/{package}.txt:");
        difference.iter().take(SHOWN).for_each(|line| say!("  {line}"));
        if difference.len() > SHOWN {
            say!("  ... and {} more", difference.len() - SHOWN);
        }
        say!(
            "If that is meant, say so in CHANGELOG.md, run `{ACCEPT}=1 cargo xtask test api`, and commit api/."
        );
        let removed = difference.iter().filter(|line| line.starts_with('-')).count();
        Outcome::Failed(format!("{removed} items removed or changed, {} added", difference.len() - removed))
    }

    /// The public items of a package, one a line.
    fn items(&self, package: &str) -> Result<String, Outcome> {
        let json = self.json(package)?;
        let of_tool = output(&self.tool, &["public-api", "--rustdoc-json", &json.to_string_lossy(), "-s"]);
        let items = of_tool
            .ok_or_else(|| Outcome::Failed(format!("cargo-public-api cannot read {}", json.display())))?;
        let ours = items.lines().filter(|line| is_ours(line));
        Ok(ours.map(|line| format!("{line}\n")).collect())
    }

    /// Has rustdoc describe the crate of a package. Returns where it did, without what is hidden.
    fn json(&self, package: &str) -> Result<PathBuf, Outcome> {
        let (sysroot, target) = match WINDOWS {
            (name, target) if name == package => {
                (sysroot::flag(&self.debian, &STD, &[target])?, format!(" --target {target}"))
            }
            _ => (String::new(), String::new()),
        };
        let args = format!("doc --no-deps --lib --all-features -p {package}{target}");
        // What is re-exported is defined in modules that are hidden.
        let flags = format!("{sysroot} -Zunstable-options --output-format=json --document-hidden-items");
        let documented = self
            .debian
            .cargo(&self.target, &sysroot, &args)
            .with("RUSTDOC", &self.rustdoc)
            .with("RUSTDOCFLAGS", flags.trim())
            .run();
        if documented != Outcome::Passed {
            return Err(documented);
        }
        let folder = Path::new(&self.target).join(if target.is_empty() { "" } else { WINDOWS.1 });
        let made = folder.join(format!("doc/{}.json", package.replace('-', "_")));
        let shown = made.with_extension("shown.json");
        let text = fs::read_to_string(&made).map_err(|error| cache::failed(&made, &error))?;
        if !text.contains(&format!("\"format_version\":{FORMAT}}}")) {
            return Err(unavailable(format!(
                "cargo-public-api {VERSION} reads version {FORMAT} of rustdoc's JSON, and {} writes another; \
                 pin a release for it in xtask/src/api.rs",
                self.debian.version().trim()
            )));
        }
        fs::write(&shown, without_hidden(&text)).map_err(|error| cache::failed(&shown, &error))?;
        Ok(shown)
    }
}

/// The text of a package's items.
fn baseline(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api").join(format!("{package}.txt"))
}

/// The program, which is installed into a folder of the cache, once for all clones.
fn tool() -> Result<String, Outcome> {
    let folder = cache::folder("tools")?;
    let tool = folder.join("bin/cargo-public-api").to_string_lossy().into_owned();
    let said = || output(&tool, &["public-api", "--version"]);
    if !said().is_some_and(|said| said.trim().ends_with(VERSION)) {
        let install =
            Run::cargo(&format!("install --quiet --locked --profile dev cargo-public-api@{VERSION} --root"));
        if install.word(&folder.to_string_lossy()).run() != Outcome::Passed {
            return Err(unavailable("cargo cannot install cargo-public-api".into()));
        }
    }
    Ok(tool)
}

/// Whether a line of the list is more than what the compiler adds.
fn is_ours(line: &str) -> bool {
    let what = line.split(" for ").next().unwrap_or_default();
    !NOT_OURS.iter().any(|name| what.ends_with(name))
}

/// The JSON of a crate, in which no item lists one that is hidden; what is re-exported from a hidden module is still in it.
fn without_hidden(json: &str) -> String {
    let mut hidden = HashSet::new();
    for (at, _) in json.match_indices("\"#[doc(hidden)]\"") {
        // Quotes within a string are escaped, so this is the beginning of the item itself.
        if let Some((_, item)) = json[..at].rsplit_once("{\"id\":") {
            hidden.extend(item.split(',').next());
        }
    }
    let mut shown = String::new();
    let mut rest = json;
    while let Some((start, end)) = first_list(rest) {
        shown.push_str(&rest[..start]);
        let kept: Vec<&str> = rest[start..end].split(',').filter(|id| !hidden.contains(id)).collect();
        shown.push_str(&kept.join(","));
        rest = &rest[end..];
    }
    shown + rest
}

/// Where the first list of items is: what is between its brackets.
fn first_list(json: &str) -> Option<(usize, usize)> {
    let start =
        ["\"items\":[", "\"impls\":["].iter().filter_map(|key| Some(json.find(key)? + key.len())).min()?;
    Some((start, start + json[start..].find(']')?))
}

/// What is in one text and not in the other, in the order of the lines: with `-` what is gone, with `+` what is new.
fn difference(old: &str, new: &str) -> Vec<String> {
    let mut counts: BTreeMap<&str, i32> = BTreeMap::new();
    old.lines().for_each(|line| *counts.entry(line).or_default() -= 1);
    new.lines().for_each(|line| *counts.entry(line).or_default() += 1);
    let changed = counts.into_iter().filter(|(_, count)| *count != 0);
    changed.map(|(line, count)| format!("{} {line}", if count < 0 { '-' } else { '+' })).collect()
}

#[cfg(test)]
mod tests {
    use super::{PUBLISHED, baseline, difference, is_ours, without_hidden};
    use std::fs;

    #[test]
    fn what_is_gone_and_what_is_new_are_told_apart() {
        assert_eq!(difference("a\nb\nb\n", "b\nc\na\n"), ["- b", "+ c"]);
        assert!(difference("a\nb\n", "a\nb\n").is_empty());
    }

    #[test]
    fn what_the_compiler_adds_is_left_out() {
        assert!(!is_ours("impl core::marker::Freeze for a::B"));
        assert!(!is_ours("impl<T> core::marker::UnsafeUnpin for a::B<T> where T: core::marker::UnsafeUnpin"));
        assert!(is_ours("impl core::marker::Send for a::B"));
        assert!(is_ours("pub fn a::Freeze::get(&self)"));
    }

    #[test]
    fn what_is_hidden_is_listed_nowhere() {
        let item = |id: u32, attrs: &str, list: &str, items: &str| {
            format!("\"{id}\":{{\"id\":{id},\"attrs\":[{attrs}],\"inner\":{{\"{list}\":[{items}]}}}}")
        };
        let hidden = "{\"other\":\"#[doc(hidden)]\"}";
        let json = |root: &str, impls: &str| {
            let (module, shown) = (item(2, hidden, "items", "7"), item(3, "", "impls", impls));
            format!("{{{},{module},{shown},{}}}", item(1, "", "items", root), item(8, hidden, "items", ""))
        };
        assert_eq!(without_hidden(&json("2,3,22", "4,8")), json("3,22", "4"));
    }

    #[test]
    fn every_package_that_is_published_has_its_text_and_no_other() {
        for package in PUBLISHED {
            let text = fs::read_to_string(baseline(package)).expect("a text in api/");
            let root = format!("pub mod {}", package.replace('-', "_"));
            assert_eq!(text.lines().next(), Some(&*root));
        }
        let folder = baseline("strait").with_file_name("");
        assert_eq!(fs::read_dir(folder).expect("api/").count(), PUBLISHED.len());
    }
}
