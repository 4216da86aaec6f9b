//! Names in a directory of the program's choice, and in the one that `STRAIT_DIR` names.
#![cfg(unix)]

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use strait_core::{Channel, Plan};
use strait_os::pipe::{PipeListener, PipeName, PipeOptions};
use strait_os::unix::RegionNameExt as _;
use strait_os::{NameError, OpenError, RegionName, RegionOptions};

const PLAN: Plan = Plan::new(&[Channel::frames("commands", 4096, 256)]);
/// The name of the variable that makes a test the other program, and tells it what to do.
const PART: &str = "STRAIT_TEST_PART";

/// A private directory.
struct Scratch(PathBuf);

impl Scratch {
    fn new(label: &str) -> Self {
        let path = env::temp_dir().join(format!("strait-{label}-{}", std::process::id()));
        fs::create_dir(&path).expect("a directory");
        fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("a mode");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The test of this name in a process of its own, with this directory in its environment.
fn other(test: &str, part: &str, directory: &Path) -> bool {
    let program = env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", &format!("directory_unix::{test}"), "--nocapture"]);
    let output = command.env(PART, part).env("STRAIT_DIR", directory).output().expect("started");
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}{}", String::from_utf8_lossy(&output.stderr));
    output.status.success() && printed.contains("1 passed")
}

#[test]
fn a_name_in_a_directory_is_a_region_of_its_own() {
    let scratch = Scratch::new("in-directory");
    let name = RegionName::in_directory(&scratch.0, "arm").expect("a name");
    let region = name.create(&PLAN, &RegionOptions::new()).expect("created");
    assert_eq!(RegionName::list_in(&scratch.0).expect("listed"), ["arm"]);
    assert!(
        !RegionName::list().expect("listed").contains(&"arm".into()) || env::var_os("STRAIT_DIR").is_some()
    );

    let again = RegionName::in_directory(&scratch.0, "arm").expect("a name");
    let opened = again.open(&RegionOptions::new()).expect("opened");
    region.producer("commands").expect("a role").try_send(7, b"home").expect("sent");
    let mut buf = [0; 256];
    assert_eq!(opened.consumer("commands").expect("a role").try_recv(&mut buf).expect("received").len, 4);

    name.remove().expect("removed");
    assert!(!region.port().is_current().expect("known"));
    assert!(matches!(again.open(&RegionOptions::new()), Err(OpenError::NotFound)));
}

#[test]
fn a_directory_that_others_can_change_is_refused_and_why_is_said() {
    let scratch = Scratch::new("refused");
    let refusal = |directory: &Path| match RegionName::in_directory(directory, "arm") {
        Err(NameError::NoDirectory(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refusal(Path::new("here")).contains("absolute"));
    assert!(refusal(&scratch.0.join("none")).contains("does not exist"));
    fs::set_permissions(&scratch.0, Permissions::from_mode(0o777)).expect("a mode");
    assert!(refusal(&scratch.0).contains("sticky"));
    assert!(RegionName::list_in(&scratch.0).is_err());
    // As /dev/shm is.
    fs::set_permissions(&scratch.0, Permissions::from_mode(0o1777)).expect("a mode");
    RegionName::in_directory(&scratch.0, "arm").expect("a name");
    assert_eq!(RegionName::in_directory(&scratch.0, "a/b"), Err(NameError::Forbidden));
}

#[test]
fn the_variable_moves_names_and_pipes() {
    match env::var(PART).as_deref() {
        Ok("create") => {
            let name = RegionName::new("moved").expect("a name");
            drop(name.create(&PLAN, &RegionOptions::new()).expect("created"));
            assert_eq!(RegionName::list().expect("listed"), ["moved"]);
            let pipe = PipeName::new("moved").expect("a name");
            drop(PipeListener::bind(&pipe, &PipeOptions::new()).expect("bound"));
            return;
        }
        Ok(_) => {
            assert!(matches!(RegionName::new("moved"), Err(NameError::NoDirectory(_))));
            let pipe = PipeName::new("moved").expect("a name");
            assert!(PipeListener::bind(&pipe, &PipeOptions::new()).is_err());
            return;
        }
        Err(_) => {}
    }
    let scratch = Scratch::new("variable");
    let test = "the_variable_moves_names_and_pipes";
    assert!(other(test, "create", &scratch.0));
    assert!(scratch.0.join("strait.moved").exists());
    let entries = fs::read_dir(&scratch.0).expect("read").flatten();
    let names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().any(|name| name.starts_with("strait-pipes-")), "{names:?}");
    assert!(other(test, "refuse", &scratch.0.join("none")));
    // A program without the variable names the same region by the directory.
    let name = RegionName::in_directory(&scratch.0, "moved").expect("a name");
    assert!(name.open(&RegionOptions::new()).is_ok());
}
