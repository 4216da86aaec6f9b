//! A C program whose threads are cancelled inside the library.
#![cfg(all(target_os = "linux", feature = "os"))]

use std::process::Command;

use strait::RegionName;

#[test]
fn a_cancelled_thread_breaks_no_call_off() {
    if crate::program::compiler("cc").is_none() {
        return;
    }
    let built = crate::program::build("cc", &["-std=gnu99"], "cancel.c", "cancel");
    let name = format!("capi-cancel-{}", std::process::id());
    let ended = Command::new(built).arg(&name).status().expect("the program starts");
    let _ = RegionName::new(&name).map(|name| name.remove());
    assert!(ended.success(), "{ended}");
}
