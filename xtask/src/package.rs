//! The lane `package`: every package that is published is packed, and what was packed is built by itself.

use crate::cache;
use crate::parts::parts;
use crate::run::{Outcome, Run};

/// In the order in which they are published: each depends on earlier ones alone.
pub const PUBLISHED: &[&str] =
    &["strait-core", "strait-os-base", "strait-os-unix", "strait-os-windows", "strait-os", "strait"];

/// Packs everything, and builds what is published.
pub fn lane() -> Outcome {
    let target = match cache::target("package") {
        Ok(target) => target,
        Err(outcome) => return outcome,
    };
    let cargo = |args: &str| Run::cargo(args).with("CARGO_TARGET_DIR", &target).run();
    let published = PUBLISHED.iter().map(|name| format!(" -p {name}")).collect::<String>();
    parts(&[
        // No dependency is without a version, and every manifest can be one of a registry.
        ("manifests", &|| cargo("package --quiet --workspace --no-verify --allow-dirty")),
        // No file is missing that a source includes.
        ("builds", &|| cargo(&format!("package --quiet --allow-dirty{published}"))),
    ])
}

#[cfg(test)]
mod tests {
    use super::PUBLISHED;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn manifests() -> Vec<(PathBuf, String)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = fs::read_to_string(root.join("Cargo.toml")).expect("the workspace");
        let line = text.lines().find(|line| line.starts_with("members = ")).expect("its members");
        let members = line.split('"').skip(1).step_by(2);
        members
            .map(|member| {
                let path = root.join(member).join("Cargo.toml");
                let text = fs::read_to_string(&path).expect("a manifest");
                (path, text)
            })
            .collect()
    }

    #[test]
    fn what_is_published_is_what_the_manifests_say() {
        let mut found: Vec<String> = manifests()
            .iter()
            .filter(|(_, text)| !text.contains("publish = false"))
            .map(|(_, text)| {
                text.lines().find(|line| line.starts_with("name = ")).expect("a name").to_owned()
            })
            .collect();
        let mut listed: Vec<String> = PUBLISHED.iter().map(|name| format!("name = {name:?}")).collect();
        found.sort();
        listed.sort();
        assert_eq!(found, listed);
    }

    #[test]
    fn what_is_published_is_described() {
        for (path, text) in manifests().iter().filter(|(_, text)| !text.contains("publish = false")) {
            for key in ["description", "license", "documentation", "keywords", "categories"] {
                assert!(text.contains(&format!("\n{key}")), "{} has no {key}", path.display());
            }
        }
    }
}
