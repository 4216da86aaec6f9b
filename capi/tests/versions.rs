//! A region of another version of the format is called that in C.
#![cfg(feature = "os")]

use std::ffi::{CStr, CString};
use std::fs;
use std::mem::MaybeUninit;

use strait::{Channel, Plan, RegionFile, RegionOptions};
use strait_capi::{strait_open, strait_region_t, strait_status, strait_status_text};

#[test]
fn another_version_is_called_that() {
    let path = std::env::temp_dir().join(format!("capi-versions-{}", std::process::id()));
    let channels = [Channel::latest::<u64>("angle")];
    drop(RegionFile::new(&path).create(&Plan::new(&channels), &RegionOptions::new()).expect("a region"));
    let mut bytes = fs::read(&path).expect("its bytes");
    bytes[4] = 2;
    bytes[8..64].fill(0x5A);
    fs::write(&path, &bytes).expect("a later version");
    let place = CString::new(path.to_str().expect("UTF-8")).expect("no NUL");
    let mut region = MaybeUninit::<strait_region_t>::zeroed();
    // SAFETY: the storage is zeroed and stays here, and the place ends with a NUL.
    let status = unsafe { strait_open(region.as_mut_ptr(), place.as_ptr(), 0) };
    let _ = fs::remove_file(&path);
    assert_eq!(status as i32, strait_status::Version as i32);
    // SAFETY: a text that ends with a NUL, and is never freed.
    let text = unsafe { CStr::from_ptr(strait_status_text(status as i32)) };
    assert!(text.to_string_lossy().contains("version"), "{text:?}");
}
