//! Names in a program whose file has capabilities: whoever starts it chooses its environment, and not its directory.
#![cfg(target_os = "linux")]

use std::env;
use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::libc;
use strait_os::RegionName;

/// The name of the variable that makes the test the other program.
const PART: &str = "STRAIT_TEST_PART";
/// A user without rights.
const NOBODY: u32 = 65534;
/// What the other program returns where it has no more rights than those of whoever started it.
const NO_MORE_RIGHTS: i32 = 77;

/// Gives the file a capability that the program has from its start; `false` where that is not allowed.
fn set_capability(file: &Path) -> bool {
    // Revision 2, effective; CAP_NET_RAW permitted, nothing inheritable.
    let words: [u32; 5] = [0x0200_0001, 1 << 13, 0, 0, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let file = CString::new(file.as_os_str().as_bytes()).expect("no zero");
    // SAFETY: two strings that end with a zero, and as many bytes as are said.
    let result = unsafe {
        libc::setxattr(file.as_ptr(), c"security.capability".as_ptr(), bytes.as_ptr().cast(), bytes.len(), 0)
    };
    result == 0
}

#[test]
fn fault_136_a_program_with_capabilities_of_its_file_takes_no_directory() {
    if env::var_os(PART).is_some() {
        // SAFETY: reads a list that the kernel made for this process.
        if unsafe { libc::getauxval(libc::AT_SECURE) } == 0 {
            std::process::exit(NO_MORE_RIGHTS);
        }
        // The variable names a directory that is not there, which is an error where it is looked at.
        assert!(env::var_os("STRAIT_DIR").is_some());
        RegionName::new("privileged").expect("a name in the system's directory");
        RegionName::list().expect("the system's directory");
        return;
    }
    let scratch = env::temp_dir().join(format!("strait-capable-{}", std::process::id()));
    fs::create_dir(&scratch).expect("a directory");
    fs::set_permissions(&scratch, Permissions::from_mode(0o755)).expect("a mode");
    let program = scratch.join("capable");
    fs::copy(env::current_exe().expect("this program"), &program).expect("a copy");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("a mode");
    let started = set_capability(&program).then(|| {
        let mut command = Command::new(&program);
        command.args([
            "--exact",
            "directory_linux::fault_136_a_program_with_capabilities_of_its_file_takes_no_directory",
        ]);
        command.env(PART, "capable").env("STRAIT_DIR", scratch.join("none"));
        command.current_dir("/").uid(NOBODY).gid(NOBODY).output()
    });
    fs::remove_dir_all(&scratch).expect("removed");
    match started {
        None => println!("skipped: this user may give files no capabilities"),
        Some(Err(error)) => println!("skipped: no program is started as another user: {error}"),
        Some(Ok(output)) if output.status.code() == Some(NO_MORE_RIGHTS) => {
            println!("skipped: the capabilities of a file give no rights here");
        }
        Some(Ok(output)) => {
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
        }
    }
}
