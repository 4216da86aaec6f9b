//! Semaphores: what only holds where they are objects of Windows.
#![cfg(windows)]

use strait_os::windows::NamedSemaphoreExt as _;
use strait_os::windows::{NamedMutex, Sddl};
use strait_os::{NamedSemaphore, SemOpenError};

fn unique(test: &str) -> String {
    format!("st-windows-{}-{test}", std::process::id())
}

#[test]
fn a_name_is_the_sessions_or_the_machines() {
    let name = unique("names");
    let first = NamedSemaphore::create(&name, 1).expect("create");
    drop(NamedSemaphore::open(&format!("Local\\{name}")).expect("the same, said at length"));
    assert_eq!(NamedSemaphore::open(&format!("Global\\{name}")).err(), Some(SemOpenError::NotFound));
    assert_eq!(NamedSemaphore::remove(&name), Ok(()));
    drop(first);
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::NotFound), "it went with the last");
    for wrong in ["\\a", "Elsewhere\\a", "Session\\a", "Global\\", "Global\\a\\b", "Local\\.a"] {
        assert_eq!(NamedSemaphore::create(wrong, 1).err(), Some(SemOpenError::Name));
        assert_eq!(NamedSemaphore::open(wrong).err(), Some(SemOpenError::Name));
    }
    let machine = format!("Global\\{name}");
    let _whole = NamedSemaphore::create(&machine, 1).expect("needs no privilege");
    drop(NamedSemaphore::open(&machine).expect("open"));
}

#[test]
fn a_name_of_something_else_is_refused() {
    let name = unique("kind");
    let _mutex = NamedMutex::create(&name).expect("create");
    assert_eq!(NamedSemaphore::create(&name, 1).err(), Some(SemOpenError::WrongKind));
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::WrongKind));
    assert_eq!(NamedSemaphore::open_or_create(&name, 1).err(), Some(SemOpenError::WrongKind));
}

#[test]
fn who_is_not_let_in_is_told_so() {
    let name = unique("denied");
    let nobody = Sddl::new("D:P(A;;GA;;;S-1-0-0)").expect("a descriptor");
    let _ours = NamedSemaphore::create_with_sddl(&name, 1, &nobody).expect("create");
    assert_eq!(NamedSemaphore::open(&name).err(), Some(SemOpenError::NotPermitted));
    assert_eq!(NamedSemaphore::open_or_create(&name, 1).err(), Some(SemOpenError::NotPermitted));
}
