//! Which packages the commands name, where that changes when code moves from one crate to another.

/// The packages for Unix alone.
pub const UNIX: &str = "-p strait-os-unix -p strait-os -p strait";

/// What is for Android: the library, the tool and the C interface.
pub const ANDROID: &str = "-p strait-os-unix -p strait-os -p strait -p strait-cli -p strait-capi";

/// The libraries for Windows.
pub const WINDOWS_LIBRARIES: &str = "-p strait-core -p strait-os -p strait-os-windows -p strait";

/// The packages in which something is compiled for Windows only, but for the tool.
pub const WINDOWS_ONLY: &str = "-p strait-os -p strait-os-windows -p strait";

/// The packages of the system layer, whose tests run on Windows too.
pub const WINDOWS_SYSTEM: &str = "-p strait-os -p strait-os-windows";

/// The packages of the system layer, whose tests all run on a Unix of 32 bits too.
pub const UNIX_SYSTEM_ALL: &str = "-p strait-os -p strait-os-unix";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Of packages whose tests are one program, and some by themselves.
    #[test]
    fn no_file_of_tests_is_forgotten() {
        for (package, least) in [("capi", 15), ("cli", 15), ("core", 70), ("os", 40)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package);
            let read = |path: &str| fs::read_to_string(folder.join(path)).expect(path);
            let (program, manifest) = (read("tests/main.rs"), read("Cargo.toml"));
            let mut files = 0;
            for entry in fs::read_dir(folder.join("tests")).expect("tests") {
                let name = entry.expect("a file").file_name();
                let Some(name) = name.to_string_lossy().strip_suffix(".rs").map(str::to_owned) else {
                    continue;
                };
                let is_run = name == "main"
                    || program.contains(&format!("\nmod {name};\n"))
                    || manifest.contains(&format!("name = \"{name}\"\n"));
                assert!(is_run, "{package}/tests/{name}.rs is neither in main.rs nor in Cargo.toml");
                files += 1;
            }
            assert!(files > least, "{package}");
        }
    }

    #[test]
    fn the_system_layers_tests_that_are_picked_exist() {
        let os = Path::new(env!("CARGO_MANIFEST_DIR")).join("../os/tests");
        for picked in [crate::words::UNIX_EMULATED, crate::words::WITH_MUSL] {
            let files = picked.split(' ').filter_map(|word| word.strip_suffix("::"));
            assert!(files.clone().count() > 3, "{picked}");
            for file in files {
                assert!(os.join(file).with_extension("rs").exists(), "{file}");
            }
        }
    }

    #[test]
    fn the_cores_tests_that_are_picked_exist() {
        let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests");
        let sanitized = fs::read_to_string(core.join("sanitized.rs")).expect("the sanitizers' tests");
        let words = [crate::words::EMULATED, crate::words::EMULATED_AGAIN];
        for picked in words.into_iter().chain([crate::sanitize::TSAN_CORE, crate::sanitize::ASAN_CORE]) {
            let files = picked.split(' ').filter_map(|word| word.strip_suffix("::"));
            assert!(files.clone().count() > 5, "{picked}");
            for file in files {
                assert!(core.join(file).with_extension("rs").exists(), "{file}");
                let is_there =
                    !picked.contains("sanitized") || sanitized.contains(&format!("\nmod {file};\n"));
                assert!(is_there, "core/tests/sanitized.rs is without {file}");
            }
        }
    }
}
