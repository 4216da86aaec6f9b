//! The system's own pipes, semaphores, mutexes and windows stand alone: nothing of them knows the core.

use std::fs;
use std::path::{Path, PathBuf};

/// The sources of these subjects, above and below.
const SUBJECTS: [&str; 11] = [
    "os/src/pipe",
    "os/src/semaphore",
    "os/src/windows/named_mutex.rs",
    "os/src/windows/window.rs",
    "os-unix/src/pipe",
    "os-unix/src/semaphore",
    "os-windows/src/pipe",
    "os-windows/src/semaphore.rs",
    "os-windows/src/mutex.rs",
    "os-windows/src/object.rs",
    "os-windows/src/window",
];

/// All files in a folder and below, or the file itself.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.into()];
    }
    let inside = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    inside.flat_map(|entry| files(&entry.expect("an entry").path())).collect()
}

#[test]
fn nothing_of_them_names_the_core() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    for file in SUBJECTS.iter().flat_map(|subject| files(&top.join(subject))) {
        let text = fs::read_to_string(&file).expect("a source");
        assert!(!text.contains("strait_core"), "{} names strait_core", file.display());
    }
}
