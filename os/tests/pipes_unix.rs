//! Pipes as Unix sockets: access, the remains of a dead server, and the errors of a misbehaving
//! peer.
#![cfg(target_os = "linux")]

#[path = "common/process.rs"]
mod process;
#[path = "common/scratch.rs"]
mod scratch;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, setsockopt, socket, sockopt,
};
use nix::unistd::{Gid, Uid, geteuid, setfsuid, setgid, setgroups, setuid};
use process::{Helper, eventually, hear, say, skip};
use scratch::Scratch;
use std::os::fd::AsRawFd;
use strait_os::pipe::{
    BindError, ConnectError, ImpersonateError, MessageListener, MessagePart, MessagePipe, Pipe, PipeError,
    PipeListener, PipeName, PipeOptions, User,
};
use strait_os::unix::UserExt as _;

const LONG: Duration = Duration::from_secs(30);
const VAIN: Duration = Duration::from_millis(50);
const NOBODY: u32 = 65534;

fn unique(test: &str) -> PipeName {
    PipeName::new(&format!("unix-{}-{test}", std::process::id())).expect("a name")
}

fn dir(kind: &str) -> PathBuf {
    PathBuf::from(format!("/dev/shm/strait-{kind}-{}", geteuid()))
}

/// The files of one name.
fn files(kind: &str, name: &PipeName) -> Vec<PathBuf> {
    let dir = dir(kind);
    let all = [dir.join(name.as_str()), dir.join(format!(".{name}.lock"))];
    all.into_iter().filter(|path| path.symlink_metadata().is_ok()).collect()
}

/// In a helper: becomes nobody, with one further group.
fn become_nobody(further: u32) {
    setgroups(&[Gid::from_raw(further)]).expect("root may");
    setgid(Gid::from_raw(NOBODY)).expect("root may");
    setuid(Uid::from_raw(NOBODY)).expect("root may");
}

#[test]
fn the_directory_is_private_and_left_empty() {
    let name = unique("dir");
    let listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let found = fs::symlink_metadata(dir("pipes")).expect("the directory");
    assert_eq!((found.mode() & 0o7777, found.uid()), (0o700, geteuid().as_raw()));
    assert_eq!(files("pipes", &name).len(), 2);
    let clone = listener.try_clone().expect("another");
    drop(listener);
    assert_eq!(files("pipes", &name).len(), 2, "a clone serves on");
    drop(clone);
    assert_eq!(files("pipes", &name).len(), 0);
}

#[test]
fn what_a_killed_server_left_is_reclaimed() {
    let name = unique("stale");
    let mut helper = Helper::start("serve", name.as_str());
    assert_eq!(helper.hear(), "serving");
    assert_eq!(PipeListener::bind(&name, &PipeOptions::new()).err(), Some(BindError::AlreadyExists));
    helper.kill();
    assert_eq!(files("pipes", &name).len(), 2, "it left them");
    let error = Pipe::connect_timeout(&name, &PipeOptions::new(), VAIN).err();
    assert_eq!(error, Some(ConnectError::NotFound), "a socket without a server");
    let listener = PipeListener::bind(&name, &PipeOptions::new()).expect("free");
    drop(Pipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("we serve"));
    drop(listener);
    assert_eq!(files("pipes", &name).len(), 0);
}

#[test]
fn servers_that_race_for_a_name_get_it_one_at_a_time() {
    let name = unique("race");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let name = name.clone();
            std::thread::spawn(move || {
                let mut served = 0;
                for _ in 0..500 {
                    let Ok(mut listener) = PipeListener::bind(&name, &PipeOptions::new()) else { continue };
                    let client = Pipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("we serve");
                    let server = listener.try_accept().expect("our client, nobody else's");
                    drop((client, server));
                    served += 1;
                }
                served
            })
        })
        .collect();
    let served: u32 = threads.into_iter().map(|thread| thread.join().expect("no clash")).sum();
    assert!(served > 0);
    assert_eq!(files("pipes", &name).len(), 0);
}

#[test]
fn somebody_elses_file_is_not_removed() {
    let name = unique("file");
    drop(PipeListener::bind(&name, &PipeOptions::new()).expect("so that there is a directory"));
    let path = dir("pipes").join(name.as_str());
    fs::write(&path, "notes").expect("a file");
    let error = PipeListener::bind(&name, &PipeOptions::new()).err();
    assert_eq!(error, Some(BindError::AlreadyExists));
    assert_eq!(fs::read(&path).expect("still there"), b"notes");
    fs::remove_file(&path).expect("ours");
    assert_eq!(files("pipes", &name).len(), 0);
}

#[test]
fn a_directory_that_others_may_change_is_refused() {
    let test = "a_directory_that_others_may_change_is_refused";
    if !geteuid().is_root() {
        return skip(test, "only root can make another user's directory");
    }
    // As user 4711, for whom nobody else serves.
    let path = PathBuf::from("/dev/shm/strait-pipes-4711");
    let mut helper = Helper::start("bind-as-4711", unique("wrong").as_str());
    helper.tell("bind");
    assert_eq!(helper.hear(), "None", "whatever the umask");
    assert_eq!(fs::symlink_metadata(&path).expect("the directory").mode() & 0o7777, 0o700);
    fs::remove_dir(&path).expect("it is empty");
    for (owner, mode, result) in [
        (4711, 0o700, "None"),
        (4711, 0o600, "None"), // As an older version left it under that umask.
        (4711, 0o720, "Some(NotPermitted)"),
        (4711, 0o1777, "Some(NotPermitted)"),
        (NOBODY, 0o700, "Some(NotPermitted)"),
    ] {
        fs::create_dir(&path).expect("nobody's yet");
        std::os::unix::fs::chown(&path, Some(owner), None).expect("root may");
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("root may");
        helper.tell("bind");
        assert_eq!(helper.hear(), result, "{owner} {mode:o}");
        if result != "None" {
            let options = PipeOptions::new().served_by(&User::from_uid(4711));
            let error = Pipe::connect_timeout(&unique("wrong"), &options, VAIN).err();
            assert_eq!(error, Some(ConnectError::WrongUser));
        }
        fs::remove_dir(&path).expect("it is empty");
    }
}

#[test]
fn another_user_gets_in_only_where_the_public_is_served() {
    let test = "another_user_gets_in_only_where_the_public_is_served";
    if !geteuid().is_root() {
        return skip(test, "only root can become somebody else");
    }
    let name = unique("public");
    let _private = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let mut public = PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
    let mut helper = Helper::start("connect-as-nobody", name.as_str());
    assert_eq!(helper.hear(), "private: Some(NotPermitted)");
    let pipe = public.accept_timeout(LONG).expect("the helper");
    let peer = pipe.peer().expect("known");
    assert_eq!(peer.user(), Some(&User::from_uid(NOBODY)));
    assert_eq!(peer.pid(), Some(helper.child.id()));
    assert_eq!(helper.hear(), "public: 0");
    assert_eq!(helper.hear(), "squat: Err(NotFound)");
}

#[test]
fn root_opens_files_with_its_clients_rights_and_gets_its_own_back() {
    let test = "root_opens_files_with_its_clients_rights_and_gets_its_own_back";
    if !geteuid().is_root() {
        return skip(test, "only root may act as another user");
    }
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path(name);
    let put = |name: &str, mode: u32, uid: u32, gid: u32| {
        fs::write(path(name), name).expect("a file");
        std::os::unix::fs::chown(path(name), Some(uid), Some(gid)).expect("root may");
        fs::set_permissions(path(name), PermissionsExt::from_mode(mode)).expect("root may");
    };
    fs::set_permissions(&scratch.0, PermissionsExt::from_mode(0o755)).expect("ours");
    fs::create_dir(path("closed")).expect("a directory");
    put("closed/open", 0o644, 0, 0);
    fs::set_permissions(path("closed"), PermissionsExt::from_mode(0o700)).expect("ours");
    put("all", 0o644, 0, 0);
    put("roots", 0o600, 0, 0);
    put("theirs", 0o600, NOBODY, 0);
    put("their groups", 0o040, 0, NOBODY);
    put("their further groups", 0o040, 0, 4712);
    put("another groups", 0o040, 0, 4713);

    let name = unique("rights");
    let mut listener = PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
    let helper = Helper::start("stay-as-nobody", name.as_str());
    let pipe = listener.accept_timeout(LONG).expect("the helper");
    let allowed = |name: &str| fs::File::open(path(name)).is_ok();
    let (ask, asked) = std::sync::mpsc::channel();
    let closed = path("closed/open");
    let other = std::thread::spawn(move || asked.recv().is_ok() && fs::File::open(closed).is_ok());
    let rights = pipe.impersonate().expect("root may");
    for name in ["all", "theirs", "their groups", "their further groups"] {
        assert!(allowed(name), "{name}");
    }
    for name in ["roots", "another groups", "closed/open"] {
        assert!(!allowed(name), "{name}");
    }
    ask.send(()).expect("the other thread");
    assert!(other.join().expect("the other thread"), "other threads keep their rights");
    rights.revert();
    assert!(allowed("roots") && allowed("closed/open"));
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _rights = pipe.impersonate().expect("root may");
        assert!(!allowed("roots"));
        std::panic::resume_unwind(Box::new("a panic in between"));
    }));
    assert!(unwound.is_err() && allowed("roots") && allowed("another groups"));
    drop(helper);
}

/// A field of the calling thread's status.
fn status(field: &str) -> String {
    let status = fs::read_to_string("/proc/thread-self/status").expect("a text");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field");
    line.split_once(':').expect("a value").1.trim().to_string()
}

#[test]
fn a_nested_guard_does_not_give_rights_back_early_or_lose_them() {
    let test = "a_nested_guard_does_not_give_rights_back_early_or_lose_them";
    if !geteuid().is_root() {
        return skip(test, "only root may act as another user");
    }
    let scratch = Scratch::new();
    fs::set_permissions(&scratch.0, PermissionsExt::from_mode(0o755)).expect("ours");
    let roots = scratch.path("roots");
    fs::write(&roots, "roots").expect("a file");
    fs::set_permissions(&roots, PermissionsExt::from_mode(0o600)).expect("ours");
    let allowed = || fs::File::open(&roots).is_ok();
    let name = unique("nested");
    let mut listener = PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
    let helpers = [0, 1].map(|_| Helper::start("stay-as-nobody", name.as_str()));
    let pipes = [0, 1].map(|_| listener.accept_timeout(LONG).expect("a helper"));
    let own = || (status("Uid"), status("Gid"), status("Groups"), status("CapEff"));
    let before = own();
    let outer = pipes[0].impersonate().expect("root may");
    for pipe in &pipes {
        assert_eq!(pipe.impersonate().err(), Some(ImpersonateError::Nested));
        assert!(!allowed(), "the outer guard lives");
    }
    assert_eq!(status("Groups"), "4712", "and its groups are the client's");
    drop(outer);
    assert!(allowed());
    assert_eq!(own(), before);
    // A server that acts as another on its own account is given that back, not root's rights.
    setfsuid(Uid::from_raw(4711));
    let before = own();
    drop(pipes[1].impersonate().expect("root may"));
    assert_eq!(own(), before);
    assert!(!allowed());
    setfsuid(Uid::from_raw(0));
    drop(helpers);
}

#[test]
fn a_client_is_not_let_in_by_a_capability_of_its_server() {
    let test = "a_client_is_not_let_in_by_a_capability_of_its_server";
    if !geteuid().is_root() {
        return skip(test, "only root may act as another user");
    }
    let scratch = Scratch::new();
    fs::set_permissions(&scratch.0, PermissionsExt::from_mode(0o755)).expect("ours");
    let closed = scratch.path("closed");
    fs::create_dir(&closed).expect("a directory");
    fs::write(closed.join("file"), "secret").expect("a file");
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).expect("ours");
    let mut bystander = std::process::Command::new("sleep");
    let mut bystander = bystander.arg("60").current_dir(&closed).spawn().expect("a process of root");
    let way = PathBuf::from(format!("/proc/{}/cwd/file", bystander.id()));
    let name = unique("way");
    let mut listener = PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
    let helper = Helper::start("stay-as-nobody", name.as_str());
    let pipe = listener.accept_timeout(LONG).expect("the helper");
    assert!(eventually(|| fs::File::open(&way).is_ok()), "root may");
    let before = status("CapEff");
    let rights = pipe.impersonate().expect("root may");
    let error = fs::File::open(&way).err().map(|error| error.kind());
    assert_eq!(error, Some(std::io::ErrorKind::PermissionDenied));
    assert_eq!(status("CapEff"), "0000000000000000");
    drop(rights);
    assert_eq!(status("CapEff"), before);
    assert!(fs::File::open(&way).is_ok());
    bystander.kill().expect("it is there");
    bystander.wait().expect("its end");
    drop(helper);

    // Nor by one that a server has which is the same user.
    let name = unique("same");
    let mut server = Helper::start("serve-with-capabilities", name.as_str());
    assert_eq!(server.hear(), "serving");
    let mut client = Helper::start("stay-as-nobody-of-nobody", name.as_str());
    assert_eq!(client.hear(), "connected");
    assert_eq!(server.hear(), "before: true, 0000000000000004");
    assert_eq!(server.hear(), "guarded: false, 0000000000000000");
    assert_eq!(server.hear(), "after: true, 0000000000000004");
}

/// In a helper of root: becomes nobody, but reads what it likes (CAP_DAC_READ_SEARCH, capability 2).
fn become_nobody_that_reads_all() {
    // SAFETY: the call takes numbers.
    assert_eq!(unsafe { nix::libc::prctl(nix::libc::PR_SET_KEEPCAPS, 1) }, 0);
    become_nobody(4712);
    let head: [u32; 2] = [0x2008_0522, 0];
    let halves: [u32; 6] = [4, 4, 0, 0, 0, 0];
    // SAFETY: the kernel reads a head and two halves, of as many numbers.
    let result = unsafe { nix::libc::syscall(nix::libc::SYS_capset, head.as_ptr(), halves.as_ptr()) };
    assert_eq!(result, 0, "they are permitted");
}

#[test]
fn root_that_would_keep_its_power_over_files_is_refused() {
    let test = "root_that_would_keep_its_power_over_files_is_refused";
    if !geteuid().is_root() {
        return skip(test, "only root may act as another user");
    }
    let mut helper = Helper::start("keep-power", unique("power").as_str());
    assert_eq!(helper.hear(), "before: None");
    assert_eq!(helper.hear(), "after: Some(NotPermitted)");
}

#[test]
fn who_is_not_root_acts_as_nobody_else() {
    let test = "who_is_not_root_acts_as_nobody_else";
    if !geteuid().is_root() {
        return skip(test, "only root can be two other users");
    }
    let name = unique("server");
    let mut server = Helper::start("impersonate-as-nobody", name.as_str());
    assert_eq!(server.hear(), "serving");
    let options = PipeOptions::new().public(true).served_by(&User::from_uid(NOBODY));
    let client = Pipe::connect_timeout(&name, &options, LONG).expect("the helper serves");
    assert_eq!(server.hear(), format!("{:?}", Some(ImpersonateError::NotPermitted)));
    drop(client);
}

#[test]
fn a_message_that_was_broken_off_is_reported() {
    let name = unique("broken");
    let mut listener = MessageListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let mut client = MessagePipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("a server");
    let mut server = listener.accept_timeout(LONG).expect("a client");
    assert_eq!(client.send_timeout(&vec![7; 4 << 20], VAIN), Err(PipeError::TimedOut), "nobody receives");
    let mut buf = vec![0; 1 << 20];
    while let Ok(part) = server.try_recv(&mut buf) {
        assert!(part.more && buf[..part.len].iter().all(|&byte| byte == 7));
    }
    client.send_timeout(b"the next", LONG).expect("room");
    assert_eq!(server.recv_timeout(&mut buf, LONG), Err(PipeError::Broken));
    assert_eq!(server.recv_timeout(&mut buf[..3], LONG), Ok(MessagePart { len: 3, more: true }));
    assert_eq!(server.recv_timeout(&mut buf, LONG), Ok(MessagePart { len: 5, more: false }));
    assert_eq!(buf[..5], *b" next");
    assert!(client.send_timeout(&vec![7; 4 << 20], VAIN).is_err());
    drop(client);
    let mut last = Ok(MessagePart { len: 0, more: true });
    while last.is_ok() {
        assert!(last.is_ok_and(|part| part.more));
        last = server.recv_timeout(&mut buf, LONG);
    }
    assert_eq!(last, Err(PipeError::PeerEnded), "in the middle of a message");
}

#[test]
fn a_peer_that_lies_is_a_fault() {
    let name = unique("lies");
    let mut listener = MessageListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let path = dir("pipes").join(name.as_str());
    let huge = vec![3; 100_000];
    let cases: [(&[&[u8]], usize); 7] = [
        (&[&[0x83, 1, 2]], 0),    // Flags that there are not.
        (&[&[0, 1, 2]], 0),       // The middle of nothing.
        (&[&[1]], 0),             // The start of a message without bytes in it.
        (&[&[1, 9], &[0]], 1),    // A part without bytes.
        (&[&[3, 9], &[2, 9]], 1), // An end without a start.
        (&[&huge], 0),            // More than a chunk, which is cut off.
        (&[&huge[..32_770]], 0),  // By one byte.
    ];
    for (packets, good) in cases {
        let flags = SockFlag::SOCK_CLOEXEC;
        let liar = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).expect("a socket");
        setsockopt(&liar, sockopt::SndBuf, &1_000_000).expect("a size");
        connect(liar.as_raw_fd(), &UnixAddr::new(&path).expect("an address")).expect("a server");
        for packet in packets {
            send(liar.as_raw_fd(), packet, MsgFlags::empty()).expect("sent");
        }
        let mut server = listener.accept_timeout(LONG).expect("a client");
        let mut buf = vec![0; 200_000];
        for _ in 0..good {
            assert!(server.recv_timeout(&mut buf, LONG).expect("in order").len <= 32_768);
        }
        drop(liar);
        for _ in 0..2 {
            let start = &packets[0][..packets[0].len().min(3)];
            assert_eq!(server.recv_timeout(&mut buf, LONG), Err(PipeError::Fault), "{start:?}");
        }
    }
}

#[test]
fn descriptors_do_not_survive_an_exec() {
    let name = unique("exec");
    let mut listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
    let _client = Pipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("a server");
    let server = listener.accept_timeout(LONG).expect("a client");
    let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("a child");
    let _ours = server;
    let sockets = || {
        let fds = fs::read_dir(format!("/proc/{}/fd", child.id())).expect("it is there");
        let links = fds.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        links.filter(|link| link.to_string_lossy().contains("socket:")).count()
    };
    let ours = fs::read_dir("/proc/self/fd").expect("ours").flatten();
    let inherited = ours
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok_and(|fd| fd < 3))
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter(|link| link.to_string_lossy().contains("socket:"))
        .count();
    assert!(eventually(|| sockets() == inherited));
    child.kill().expect("it is there");
    child.wait().expect("its end");
}

#[test]
fn helper() {
    let Some((role, argument)) = process::role() else { return };
    nix::unistd::alarm::set(60); // Should the test forget this process.
    let name = PipeName::new(&argument).expect("a name");
    match role.as_str() {
        "serve" => {
            let _listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
            say("serving");
            hear();
        }
        "bind-as-4711" => {
            setgroups(&[]).expect("root may");
            setuid(Uid::from_raw(4711)).expect("root may");
            // As is usual around the making of sockets.
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
            loop {
                hear();
                say(&format!("{:?}", PipeListener::bind(&name, &PipeOptions::new()).err()));
            }
        }
        "connect-as-nobody" => {
            become_nobody(NOBODY);
            let options = PipeOptions::new().served_by(&User::from_uid(0));
            say(&format!("private: {:?}", Pipe::connect_timeout(&name, &options, VAIN).err()));
            let pipe = Pipe::connect_timeout(&name, &options.public(true), LONG).expect("a server");
            say(&format!("public: {}", pipe.peer().expect("known").user().expect("known")));
            // Our own pipe of that name is another one: a client that asks for root's does not reach it.
            let _ours = PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("ours");
            let other = PipeOptions::new().public(true).served_by(&User::from_uid(1));
            say(&format!("squat: {:?}", Pipe::connect_timeout(&name, &other, VAIN).map(drop)));
            hear();
        }
        "stay-as-nobody" => {
            become_nobody(4712);
            let options = PipeOptions::new().public(true).served_by(&User::from_uid(0));
            let _pipe = Pipe::connect_timeout(&name, &options, LONG).expect("a server");
            hear();
        }
        "serve-with-capabilities" => {
            become_nobody_that_reads_all();
            let mut listener =
                PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
            say("serving");
            let pipe = listener.accept_timeout(LONG).expect("a client");
            let look = |when| {
                say(&format!("{when}: {}, {}", fs::File::open("/etc/shadow").is_ok(), status("CapEff")))
            };
            look("before");
            let rights = pipe.impersonate().expect("the same user");
            look("guarded");
            drop(rights);
            look("after");
            hear();
        }
        "stay-as-nobody-of-nobody" => {
            become_nobody(4712);
            let options = PipeOptions::new().public(true).served_by(&User::from_uid(NOBODY));
            let _pipe = Pipe::connect_timeout(&name, &options, LONG).expect("a server");
            say("connected");
            hear();
        }
        "keep-power" => {
            let mut listener = PipeListener::bind(&name, &PipeOptions::new()).expect("a listener");
            let _client = Pipe::connect_timeout(&name, &PipeOptions::new(), LONG).expect("a server");
            let server = listener.accept_timeout(LONG).expect("a client");
            // From now on the client, which was like us, has other groups.
            setgroups(&[Gid::from_raw(4711)]).expect("root may");
            say(&format!("before: {:?}", server.impersonate().err()));
            let keep = nix::libc::SECBIT_NO_SETUID_FIXUP as nix::libc::c_ulong;
            // SAFETY: the call takes numbers.
            assert_eq!(unsafe { nix::libc::prctl(nix::libc::PR_SET_SECUREBITS, keep) }, 0, "root may");
            say(&format!("after: {:?}", server.impersonate().err()));
            hear();
        }
        "impersonate-as-nobody" => {
            become_nobody(NOBODY);
            let mut listener =
                PipeListener::bind(&name, &PipeOptions::new().public(true)).expect("a listener");
            say("serving");
            let pipe = listener.accept_timeout(LONG).expect("a client");
            say(&format!("{:?}", pipe.impersonate().err()));
            hear();
        }
        other => panic!("no role {other}"),
    }
}
