//! Pipes: what only holds where they are named pipes of Windows.
#![cfg(windows)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::skip;
use strait_os::pipe::{
    BindError, ConnectError, ImpersonateError, MessageListener, MessagePart, Pipe, PipeError, PipeListener,
    PipeName, PipeOptions, User,
};
use strait_os::windows::Sddl;
use strait_os::windows::{ImpersonationExt as _, PipeOptionsExt as _};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, GetLastError, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, GetSecurityInfo, SDDL_REVISION_1, SE_KERNEL_OBJECT,
};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, TOKEN_QUERY};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleA, GetProcAddress};
use windows_sys::Win32::System::Pipes::{CreateNamedPipeW, PIPE_UNLIMITED_INSTANCES};
use windows_sys::Win32::System::Threading::{GetCurrentThread, OpenThreadToken};

const LONG: Duration = Duration::from_secs(30);
const VAIN: Duration = Duration::from_millis(50);

fn unique() -> PipeName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    PipeName::new(&format!("windows-{}-{count}", std::process::id())).expect("a name")
}

fn path(name: &PipeName) -> String {
    format!(r"\\.\pipe\{name}")
}

/// Whether this is wine, which says so.
fn is_wine() -> bool {
    // SAFETY: the name is a string with its end; this library is always there.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr().cast()) };
    // SAFETY: as above.
    unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()) }.is_some()
}

/// A client that knows nothing of this crate.
fn stranger(name: &PipeName) -> File {
    File::options().read(true).write(true).open(path(name)).expect("a server")
}

#[test]
fn a_program_that_knows_only_the_name_is_met() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let mut theirs = stranger(&name);
    let mut ours = listener.accept_timeout(LONG).expect("a client");
    theirs.write_all(b"hello").expect("written");
    let mut buf = [0; 16];
    assert_eq!(ours.read_timeout(&mut buf, LONG), Ok(5));
    assert_eq!(ours.write_timeout(b"answer", LONG), Ok(6));
    let mut answer = [0; 6];
    theirs.read_exact(&mut answer).expect("read");
    assert_eq!(&answer, b"answer");
    assert_eq!(ours.peer().expect("known").user(), Some(&User::current()));
}

#[test]
fn a_write_of_no_bytes_is_not_the_end() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let mut theirs = stranger(&name);
    let mut ours = listener.accept_timeout(LONG).expect("a client");
    assert_eq!(theirs.write(b"").expect("written"), 0);
    assert_eq!(ours.read_timeout(&mut [0; 8], VAIN), Err(PipeError::TimedOut));
    assert_eq!(theirs.write(b"").expect("written"), 0);
    theirs.write_all(b"x").expect("written");
    assert_eq!(ours.read_timeout(&mut [0; 8], LONG), Ok(1));
    drop(theirs);
    assert_eq!(ours.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
}

#[test]
fn a_strangers_message_is_read_in_parts() {
    let name = unique();
    let mut listener = MessageListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let mut theirs = stranger(&name);
    let mut ours = listener.accept_timeout(LONG).expect("a client");
    theirs.write_all(&[7; 250]).expect("written");
    let mut buf = [0; 100];
    for (len, more) in [(100, true), (100, true), (50, false)] {
        assert_eq!(ours.recv_timeout(&mut buf, LONG), Ok(MessagePart { len, more }));
    }
}

#[test]
fn a_second_first_instance_is_denied() {
    let test = "a_second_first_instance_is_denied";
    let name = unique();
    let _listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    assert_eq!(PipeListener::bind(&name, &PipeOptions::new()).err(), Some(BindError::AlreadyExists));
    let path: Vec<u16> = path(&name).encode_utf16().chain([0]).collect();
    let first = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
    let most = PIPE_UNLIMITED_INSTANCES;
    // SAFETY: the path ends in a zero, and no attributes are given.
    let handle = unsafe { CreateNamedPipeW(path.as_ptr(), first, 0, most, 0, 0, 0, null()) };
    // SAFETY: it reads a number of the calling thread.
    let code = unsafe { GetLastError() };
    if handle != INVALID_HANDLE_VALUE {
        // SAFETY: the call made the handle, and nobody else knows it.
        drop(unsafe { File::from_raw_handle(handle) });
    }
    if is_wine() {
        // That we pass the flag, a test beside `open_mode` sees.
        return skip(test, "wine 8 ignores FILE_FLAG_FIRST_PIPE_INSTANCE");
    }
    assert_eq!((handle, code), (INVALID_HANDLE_VALUE, ERROR_ACCESS_DENIED));
}

#[test]
fn a_server_that_lets_nobody_in_is_obeyed() {
    let test = "a_server_that_lets_nobody_in_is_obeyed";
    let name = unique();
    // The system alone. The user that runs this test is another one.
    let options = PipeOptions::new().sddl(Sddl::new("D:P(A;;GA;;;SY)").expect("a descriptor"));
    let listener = PipeListener::bind(&name, &options).expect("a listener");
    let client = Pipe::connect_timeout(&name, &PipeOptions::new(), VAIN);
    drop(listener);
    if is_wine() {
        return skip(test, "wine 8 does not enforce the security descriptor of a pipe");
    }
    assert_eq!(client.err(), Some(ConnectError::NotPermitted));
}

#[test]
fn the_security_descriptor_is_given_to_the_system() {
    let test = "the_security_descriptor_is_given_to_the_system";
    let name = unique();
    let listener = PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
    let text = access_list(&stranger(&name));
    drop(listener);
    if is_wine() && !text.contains(";;;AU)") {
        return skip(test, &format!("wine 8 does not keep the security descriptor of a pipe: {text}"));
    }
    assert!(text.contains(&format!(";;;{})", User::current())), "{text}");
    assert!(text.contains("(A;;0x12019b;;;AU)"), "{text}");
}

/// The access to an open object.
fn access_list(open: &File) -> String {
    let (what, mut descriptor) = (DACL_SECURITY_INFORMATION, null_mut());
    let (handle, none, not) = (open.as_raw_handle(), null_mut(), null_mut());
    let at = &raw mut descriptor;
    // SAFETY: the handle is open, and the pointer a local's; nothing else is asked for.
    let code = unsafe { GetSecurityInfo(handle, SE_KERNEL_OBJECT, what, none, none, not, not, at) };
    assert_eq!(code, 0, "read back");
    let (mut text, mut len) = (null_mut(), 0);
    let to_text = ConvertSecurityDescriptorToStringSecurityDescriptorW;
    // SAFETY: the descriptor is the system's, and the pointers locals'.
    let converted = unsafe { to_text(descriptor, SDDL_REVISION_1, what, &raw mut text, &raw mut len) };
    assert_ne!(converted, 0);
    // SAFETY: so long is the text, by the system's word.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, len as usize) })
}

#[test]
fn a_client_is_impersonated_only_if_it_says_so() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    for allows in [false, true] {
        let options = PipeOptions::new().may_impersonate(allows);
        let mut client = Pipe::connect_timeout(&name, &options, LONG).expect("a server");
        let mut server = listener.accept_timeout(LONG).expect("a client");
        client.write_timeout(b"x", LONG).expect("room");
        server.read_timeout(&mut [0; 8], LONG).expect("a byte");
        assert_eq!(client.impersonate().err(), Some(ImpersonateError::NotPermitted), "a client does not");
        match server.impersonate() {
            Ok(rights) => {
                if !allows {
                    // That the flags are passed, a test beside `client_flags` sees.
                    assert!(is_wine());
                    skip("identification only", "wine 8 does not heed the level that a client sets");
                }
                assert!(acts_as_another());
                assert_eq!(rights.user(), User::current());
            }
            Err(error) => assert_eq!((error, allows), (ImpersonateError::NotPermitted, false)),
        }
        assert!(!acts_as_another(), "reverted");
    }
}

/// Whether this thread has another token than its process.
fn acts_as_another() -> bool {
    let mut token = null_mut();
    // SAFETY: it names this thread.
    let thread = unsafe { GetCurrentThread() };
    // SAFETY: the pointer is a local's.
    let has = unsafe { OpenThreadToken(thread, TOKEN_QUERY, 1, &raw mut token) } != 0;
    if has {
        // SAFETY: the call made the handle, and nobody else knows it.
        drop(unsafe { File::from_raw_handle(token) });
    }
    has
}
