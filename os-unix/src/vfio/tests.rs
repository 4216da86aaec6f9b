//! What a machine lacks is found in the order in which it is to be mended.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{Device, Places, VfioError, order};

/// A system's folders, of a test's own, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make(&self, path: &str) {
        fs::create_dir_all(self.0.join(path)).expect("a folder");
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.0.join(path), text).expect("a file");
    }

    fn fails_as(&self, wanted: VfioError) {
        let places = Places {
            devices: self.0.join("devices"),
            driver: self.0.join("drivers/vfio-pci"),
            files: self.0.join("files"),
        };
        assert_eq!(Device::open(&places).expect_err("no such device"), wanted);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_missing_is_told_in_order() {
    let folder = Folder(std::env::temp_dir().join(format!("strait-vfio-{}", std::process::id())));
    folder.fails_as(VfioError::NoDevice);
    folder.make("devices/0000:00:03.0");
    folder.write("devices/0000:00:03.0/vendor", "0x1af4\n");
    folder.write("devices/0000:00:03.0/device", "0x1110\n");
    folder.fails_as(VfioError::NoIommu);
    let link = |to: &str, name: &str| {
        symlink(to, folder.0.join("devices/0000:00:03.0").join(name)).expect("a link");
    };
    link("../../groups/7", "iommu_group");
    folder.fails_as(VfioError::NoModule);
    folder.make("drivers/vfio-pci");
    folder.fails_as(VfioError::NoModule);
    folder.make("files");
    folder.write("files/vfio", "");
    folder.fails_as(VfioError::NotBound);
    link("../../drivers/vfio-pci", "driver");
    // The group's file is not there.
    folder.fails_as(VfioError::NoModule);
    // What is there now is no group.
    folder.write("files/7", "");
    let places = Places {
        devices: folder.0.join("devices"),
        driver: folder.0.join("drivers/vfio-pci"),
        files: folder.0.join("files"),
    };
    assert!(matches!(Device::open(&places), Err(VfioError::Os(_))));
}

#[test]
fn an_order_names_peer_and_vector() {
    assert_eq!(order(3, 1), 0x3_0001);
}
