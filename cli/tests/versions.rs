//! A region of another version of the format is called that by the tool, whatever its other words hold.

use std::fs;

use crate::common::{Place, dump, run};
use strait::format::AttachError;
use strait::{Channel, OpenError, Plan, RegionFile, RegionOptions};

#[test]
fn another_version_is_called_that() {
    let place = Place::new();
    let channels = [Channel::frames("frames", 1024, 100), Channel::mutex::<u64>("lock")];
    let region = place.region().create(&Plan::new(&channels), &RegionOptions::new()).expect("a region");
    let file = place.path("later");
    let mut bytes = dump(&region);
    for version in [2_u32, 0, u32::MAX] {
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        bytes[8..64].fill(0x5A);
        let _ = fs::remove_file(&file);
        // By the library, with the mode that it asks for.
        let made = RegionFile::new(&file);
        drop(made.create(&Plan::new(&channels), &RegionOptions::new()).expect("a region"));
        fs::write(&file, &bytes).expect("a file");
        let error = made.open(&RegionOptions::new()).err();
        assert_eq!(error, Some(OpenError::Attach(AttachError::Version { found: version })));
        // And by each command that opens one.
        let (from, out) = (place.file("in", 10), place.path("out"));
        let commands: [&[&str]; 4] = [
            &["inspect", &file],
            &["unlock", &file, "lock"],
            &["send", &file, "frames", "--file", &from],
            &["recv", &file, "frames", "--out", &out],
        ];
        for words in commands {
            let line = run(words).refused(1);
            assert!(line.contains(&format!("format version {version}")), "{words:?}: {line}");
        }
        // It may go.
        run(&["rm", &file]).ok();
        assert!(!fs::exists(&file).expect("a look"));
    }
}
