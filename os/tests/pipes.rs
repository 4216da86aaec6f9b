//! Pipes: what holds on every system.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Helper, command, end_in_a_while, eventually, hear, role, say};
use strait_os::pipe::{
    BindError, Canceller, ConnectError, ImpersonateError, MAX_MESSAGE, MessageListener, MessagePart,
    MessagePipe, Pipe, PipeError, PipeListener, PipeName, PipeOptions, ReadEnd, User, WriteEnd,
};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A wait that is to be in vain.
const VAIN: Duration = Duration::from_millis(50);

const OPTIONS: PipeOptions = PipeOptions::new();

/// A name that nobody else uses.
fn unique() -> PipeName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    name(&format!("test-{}-{count}", std::process::id()))
}

fn name(text: &str) -> PipeName {
    PipeName::new(text).expect("a name")
}

/// A pipe of bytes within this process.
fn bytes() -> (Pipe, Pipe) {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    let client = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
    (listener.accept_timeout(LONG).expect("a client"), client)
}

/// A pipe of messages within this process.
fn messages() -> (MessagePipe, MessagePipe) {
    let name = unique();
    let mut listener = MessageListener::bind(&name, &OPTIONS).expect("a listener");
    let client = MessagePipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
    (listener.accept_timeout(LONG).expect("a client"), client)
}

fn write_all(pipe: &mut Pipe, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let len = pipe.write_timeout(bytes, LONG).expect("room");
        bytes = &bytes[len..];
    }
}

fn read_exactly(pipe: &mut Pipe, len: usize) -> Vec<u8> {
    let mut all = vec![0; len];
    let mut at = 0;
    while at < len {
        at += pipe.read_timeout(&mut all[at..], LONG).expect("bytes");
    }
    all
}

/// Bytes that a lost, doubled or swapped block would show in.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

/// All parts of one message, through a buffer of this length.
fn receive_whole(pipe: &mut MessagePipe, buffer: usize) -> Vec<u8> {
    let mut buf = vec![0; buffer];
    let mut all = Vec::new();
    loop {
        let MessagePart { len, more } = pipe.recv_timeout(&mut buf, LONG).expect("a part");
        assert!(len > 0 || !more, "parts have bytes");
        all.extend_from_slice(&buf[..len]);
        if !more {
            return all;
        }
    }
}

#[test]
fn another_process_echoes_bytes_and_both_know_who_they_are() {
    let name = unique();
    let mut helper = Helper::start("echo", name.as_str());
    let mut pipe = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("the helper serves");
    let server = pipe.peer().expect("the system knows");
    write_all(&mut pipe, b"hello");
    assert_eq!(read_exactly(&mut pipe, 5), b"hello");
    let client: Vec<String> = helper.hear().split(' ').map(String::from).collect();
    assert_eq!(client[1], User::current().to_string());
    assert_eq!(server.user(), Some(&User::current()));
    assert_eq!(User::parse(&client[1]), Some(User::current()));
    if cfg!(any(target_os = "linux", windows)) {
        assert_eq!(client[0], std::process::id().to_string());
        assert_eq!(server.pid(), Some(helper.child.id()));
    }
    helper.tell("close");
    assert_eq!(pipe.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    assert!(pipe.is_readable().expect("an answer"), "a read would not wait");
    assert!(helper.wait().success());
}

#[test]
fn bytes_pass_both_ways_at_once() {
    const LEN: usize = 3_000_001;
    let (server, client) = bytes();
    let run = |pipe: Pipe| {
        let mut writer = pipe.try_clone().expect("a handle");
        let write = thread::spawn(move || {
            write_all(&mut writer, &pattern(LEN));
            writer.flush_timeout(LONG).expect("a reader");
        });
        let mut reader = pipe;
        let read = thread::spawn(move || assert!(read_exactly(&mut reader, LEN) == pattern(LEN)));
        [write, read]
    };
    for thread in run(server).into_iter().chain(run(client)) {
        thread.join().expect("its half");
    }
}

#[test]
fn waits_end_in_time_and_tries_do_not_wait() {
    let (name, other) = (unique(), unique());
    let start = Instant::now();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    assert_eq!(listener.try_accept().err(), Some(PipeError::NotReady));
    assert_eq!(listener.accept_timeout(VAIN).err(), Some(PipeError::TimedOut));
    assert_eq!(listener.accept_timeout(Duration::ZERO).err(), Some(PipeError::TimedOut));
    assert_eq!(Pipe::connect_timeout(&other, &OPTIONS, VAIN).err(), Some(ConnectError::NotFound));
    let mut client = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
    let mut server = listener.accept_timeout(LONG).expect("a client");
    assert_eq!(client.try_read(&mut [0; 8]), Err(PipeError::NotReady));
    assert_eq!(client.read_timeout(&mut [0; 8], VAIN), Err(PipeError::TimedOut));
    assert_eq!(client.is_readable(), Ok(false));
    assert!(start.elapsed() >= 3 * VAIN);
    assert_eq!(server.is_writable(), Ok(true));
    assert_eq!((client.try_read(&mut []), client.try_write(&[])), (Ok(0), Ok(0)));

    // Whatever was taken before the pipe was full arrives, and nothing of what was refused.
    let mut written = Vec::new();
    let block = pattern(10_000);
    loop {
        match server.write_timeout(&block, VAIN) {
            Ok(len) => written.extend_from_slice(&block[..len]),
            Err(error) => break assert_eq!(error, PipeError::TimedOut),
        }
    }
    assert_eq!(server.try_write(&block), Err(PipeError::NotReady));
    assert_eq!(server.is_writable(), Ok(false));
    assert!(read_exactly(&mut client, written.len()) == written);
    assert_eq!(client.read_timeout(&mut [0; 8], VAIN), Err(PipeError::TimedOut));
    assert!(eventually(|| server.is_writable() == Ok(true)));
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_cancel_ends_one_wait() {
    let canceller = Canceller::new().expect("a canceller");
    let options = PipeOptions::new().canceller(&canceller);
    let (name, nobody) = (unique(), unique());
    let mut listener = PipeListener::bind(&name, &options).expect("a listener");
    // It is used once for each wish, a while later.
    let (pulls, wishes) = std::sync::mpsc::channel::<()>();
    let puller = thread::spawn(move || {
        while wishes.recv().is_ok() {
            thread::sleep(VAIN);
            canceller.cancel();
        }
    });
    let pull = || pulls.send(()).expect("the puller");
    pull();
    assert_eq!(listener.accept_timeout(LONG).err(), Some(PipeError::Cancelled));
    pull();
    assert_eq!(Pipe::connect_timeout(&nobody, &options, LONG).err(), Some(ConnectError::Cancelled));
    let mut client = Pipe::connect_timeout(&name, &options, LONG).expect("a server");
    let mut server = listener.accept_timeout(LONG).expect("a client");
    pull();
    assert_eq!(client.read_timeout(&mut [0; 8], LONG), Err(PipeError::Cancelled));
    assert_eq!(client.read_timeout(&mut [0; 8], VAIN), Err(PipeError::TimedOut), "one wait, not two");
    write_all(&mut server, b"later");
    assert_eq!(read_exactly(&mut client, 5), b"later", "nothing was lost");
    while client.try_write(&[0; 65_536]).is_ok() {}
    pull();
    assert_eq!(client.write_timeout(&[0; 65_536], LONG), Err(PipeError::Cancelled));
    client.set_canceller(None);
    pull();
    assert_eq!(
        client.read_timeout(&mut [0; 8], 3 * VAIN),
        Err(PipeError::TimedOut),
        "it is not its any more"
    );
    assert_eq!(
        listener.accept_timeout(LONG).err(),
        Some(PipeError::Cancelled),
        "the next one, if none waits"
    );
    drop(pulls);
    puller.join().expect("the puller");
}

#[test]
fn messages_of_every_length_stay_whole() {
    let (mut server, mut client) = messages();
    let lengths = [0, 1, 99, 100, 101, 0, 0, 32_767, 32_768, 32_769, 65_536, 1 << 20, 3];
    let sender = thread::spawn(move || {
        for len in lengths {
            client.send_timeout(&pattern(len), LONG).expect("a receiver");
        }
        client.flush_timeout(LONG).expect("a receiver");
    });
    for len in lengths {
        assert!(receive_whole(&mut server, 100) == pattern(len), "{len} bytes");
    }
    sender.join().expect("the sender");
    assert_eq!(server.recv_timeout(&mut [0; 100], LONG), Err(PipeError::PeerEnded));
}

#[test]
fn a_megabyte_from_another_process_into_a_hundred_bytes() {
    let name = unique();
    let mut listener = MessageListener::bind(&name, &OPTIONS).expect("a listener");
    let mut helper = Helper::start("send-megabyte", name.as_str());
    let mut pipe = listener.accept_timeout(LONG).expect("the helper");
    assert!(receive_whole(&mut pipe, 100) == pattern(1 << 20));
    assert_eq!(receive_whole(&mut pipe, 100), b"");
    pipe.send_timeout(b"thanks", LONG).expect("a receiver");
    assert_eq!(helper.hear(), "MessagePart { len: 6, more: false }");
    assert_eq!(pipe.recv_timeout(&mut [0; 100], LONG), Err(PipeError::PeerEnded));
}

#[test]
fn messages_wait_are_tried_and_cancelled_as_bytes_are() {
    let (mut server, mut client) = messages();
    assert_eq!(server.try_recv(&mut [0; 8]), Err(PipeError::NotReady));
    assert_eq!(server.recv_timeout(&mut [0; 8], VAIN), Err(PipeError::TimedOut));
    assert_eq!(server.is_readable(), Ok(false));
    assert_eq!(client.try_send(&vec![0; MAX_MESSAGE + 1]), Err(PipeError::TooLarge));
    let canceller = Canceller::new().expect("a canceller");
    server.set_canceller(Some(&canceller));
    let puller = thread::spawn(move || {
        thread::sleep(VAIN);
        canceller.cancel();
    });
    assert_eq!(server.recv_timeout(&mut [0; 8], LONG), Err(PipeError::Cancelled));
    puller.join().expect("the puller");

    let mut sent = 0_u32;
    loop {
        let message = [&sent.to_le_bytes()[..], &[0; 8000]].concat();
        match client.send_timeout(&message, VAIN) {
            Ok(()) => sent += 1,
            Err(error) => break assert_eq!(error, PipeError::TimedOut),
        }
    }
    assert_eq!(client.try_send(&[0; 8000]), Err(PipeError::NotReady));
    for number in 0..sent {
        assert_eq!(receive_whole(&mut server, 3000)[..4], number.to_le_bytes());
    }
    assert_eq!(
        server.recv_timeout(&mut [0; 8], VAIN),
        Err(PipeError::TimedOut),
        "what was refused never comes"
    );
    client.send_timeout(b"after", LONG).expect("room again");
    assert_eq!(receive_whole(&mut server, 3), b"after");
}

#[test]
fn a_killed_peers_bytes_arrive_and_then_its_end() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    let mut helper = Helper::start("write-and-stay", name.as_str());
    let mut pipe = listener.accept_timeout(LONG).expect("the helper");
    assert_eq!(helper.hear(), "written");
    write_all(&mut pipe, b"never read");
    helper.kill();
    assert_eq!(read_exactly(&mut pipe, 6), b"before");
    assert_eq!(pipe.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    assert_eq!(pipe.try_read(&mut [0; 8]), Err(PipeError::PeerEnded), "and so it stays");
    assert!(eventually(|| pipe.try_write(b"x") == Err(PipeError::PeerEnded)));
}

#[test]
fn what_was_sent_arrives_though_the_sender_has_gone() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    for server_goes in [true, false] {
        let client = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
        let server = listener.accept_timeout(LONG).expect("a client");
        let (mut goes, mut stays) = if server_goes { (server, client) } else { (client, server) };
        write_all(&mut stays, b"never read");
        write_all(&mut goes, b"farewell");
        drop(goes);
        assert_eq!(read_exactly(&mut stays, 8), b"farewell");
        assert_eq!(stays.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    }
    let (mut server, mut client) = messages();
    server.send_timeout(b"never received", LONG).expect("room");
    client.send_timeout(b"farewell", LONG).expect("room");
    drop(client);
    assert_eq!(receive_whole(&mut server, 3), b"farewell");
    assert_eq!(server.recv_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
}

#[test]
fn a_killed_peer_ends_a_wait() {
    let name = unique();
    let mut listener = MessageListener::bind(&name, &OPTIONS).expect("a listener");
    let mut helper = Helper::start("connect-messages", name.as_str());
    let mut pipe = listener.accept_timeout(LONG).expect("the helper");
    assert_eq!(helper.hear(), "connected");
    let killer = thread::spawn(move || {
        thread::sleep(VAIN);
        helper.kill();
    });
    let start = Instant::now();
    assert_eq!(pipe.recv_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    assert!(start.elapsed() < LONG);
    killer.join().expect("the killer");
    assert!(eventually(|| pipe.try_send(b"x") == Err(PipeError::PeerEnded)));
}

#[test]
fn a_name_is_one_servers_and_free_when_it_has_died() {
    let name = unique();
    let mut helper = Helper::start("echo", name.as_str());
    drop(Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("the helper serves"));
    let taken = |result: Option<BindError>| assert_eq!(result, Some(BindError::AlreadyExists));
    taken(PipeListener::bind(&name, &OPTIONS).err());
    taken(MessageListener::bind(&name, &OPTIONS).err());
    helper.kill();
    let mut listener = None;
    assert!(eventually(|| {
        listener = PipeListener::bind(&name, &OPTIONS).ok();
        listener.is_some()
    }));
    let mut client = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("we serve now");
    let server = listener.as_mut().expect("bound").accept_timeout(LONG).expect("a client");
    drop(listener);
    let error = Pipe::connect_timeout(&name, &OPTIONS, VAIN).err();
    // Windows: the client that is left holds the name, but no server has room.
    assert!(matches!(error, Some(ConnectError::NotFound | ConnectError::Busy)), "{error:?}");
    assert_eq!(client.try_read(&mut [0; 8]), Err(PipeError::NotReady), "a client outlives the listener");
    drop(server);
    assert_eq!(client.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    drop(client);
    assert!(eventually(|| PipeListener::bind(&name, &OPTIONS).is_ok()), "free");
}

#[test]
fn as_many_instances_as_asked_for() {
    for asked in [0, 254, u32::MAX] {
        let error = PipeListener::bind(&unique(), &PipeOptions::new().instances(asked)).err();
        assert_eq!(error, Some(BindError::Instances { asked }));
    }
    let name = unique();
    let mut listener = PipeListener::bind(&name, &PipeOptions::new().instances(2)).expect("a listener");
    let mut second = listener.try_clone().expect("another");
    let connect = || Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
    let client = connect();
    let one = listener.accept_timeout(LONG).expect("a client");
    let _client = connect();
    let _two = second.accept_timeout(LONG).expect("a client");
    let third = connect();
    assert_eq!(listener.try_accept().err(), Some(PipeError::NotReady));
    assert_eq!(second.accept_timeout(VAIN).err(), Some(PipeError::TimedOut));
    drop((client, one));
    let mut served = listener.accept_timeout(VAIN).or_else(|_| second.accept_timeout(LONG)).expect("room");
    drop(third);
    assert_eq!(served.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
}

#[test]
fn four_threads_serve_many_clients() {
    const CLIENTS: usize = 40;
    let name = unique();
    let listener = PipeListener::bind(&name, &PipeOptions::new().instances(4)).expect("a listener");
    let servers: Vec<_> = (0..4)
        .map(|_| {
            let mut listener = listener.try_clone().expect("another");
            thread::spawn(move || {
                for _ in 0..CLIENTS / 4 {
                    let mut pipe = listener.accept_timeout(LONG).expect("a client");
                    let request = read_exactly(&mut pipe, 4);
                    write_all(&mut pipe, &request);
                }
            })
        })
        .collect();
    drop(listener);
    let clients: Vec<_> = (0..CLIENTS as u32)
        .map(|number| {
            let name = name.clone();
            thread::spawn(move || {
                let mut pipe = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
                write_all(&mut pipe, &number.to_le_bytes());
                assert_eq!(read_exactly(&mut pipe, 4), number.to_le_bytes());
            })
        })
        .collect();
    for thread in clients.into_iter().chain(servers) {
        thread.join().expect("its part");
    }
}

#[test]
fn kinds_do_not_mix() {
    let (of_bytes, of_messages) = (unique(), unique());
    let _bytes = PipeListener::bind(&of_bytes, &OPTIONS).expect("a listener");
    let _messages = MessageListener::bind(&of_messages, &OPTIONS).expect("a listener");
    let error = MessagePipe::connect_timeout(&of_bytes, &OPTIONS, LONG).err();
    assert_eq!(error, Some(ConnectError::WrongKind));
    assert_eq!(Pipe::connect_timeout(&of_messages, &OPTIONS, LONG).err(), Some(ConnectError::WrongKind));
}

#[test]
fn a_half_close_ends_one_way() {
    let (mut server, mut client) = bytes();
    write_all(&mut client, b"request");
    if cfg!(windows) {
        return assert_eq!(client.close_write(), Err(PipeError::Unsupported));
    }
    client.close_write().expect("half of it");
    assert_eq!(read_exactly(&mut server, 7), b"request");
    assert_eq!(server.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    write_all(&mut server, b"answer");
    assert_eq!(read_exactly(&mut client, 6), b"answer");
    assert_eq!(client.try_write(b"more"), Err(PipeError::PeerEnded));
}

#[test]
fn a_childs_streams_are_redirected() {
    let (mut to_child, child_in) = WriteEnd::pair().expect("a pipe");
    let (mut from_child, child_out) = ReadEnd::pair().expect("a pipe");
    let mut start = command("cat", "");
    let mut child = start.stdin(child_in).stdout(child_out).spawn().expect("a child");
    drop(start); // It holds the child's ends.
    let mut output = Vec::new();
    let mut buf = [0; 1000];
    let mut written = 0;
    let input = pattern(200_000).iter().map(|byte| byte | 0x80).collect::<Vec<u8>>();
    // One thread does both: neither call waits for the other's sake.
    while written < input.len() {
        match to_child.try_write(&input[written..]) {
            Ok(len) => written += len,
            Err(error) => assert_eq!(error, PipeError::NotReady),
        }
        match from_child.read_timeout(&mut buf, Duration::from_millis(1)) {
            Ok(len) => output.extend_from_slice(&buf[..len]),
            Err(error) => assert_eq!(error, PipeError::TimedOut),
        }
    }
    to_child.flush_timeout(LONG).unwrap_or_else(|error| assert_eq!(error, PipeError::TimedOut));
    drop(to_child);
    loop {
        match from_child.read_timeout(&mut buf, LONG) {
            Ok(len) => output.extend_from_slice(&buf[..len]),
            Err(error) => break assert_eq!(error, PipeError::PeerEnded),
        }
    }
    // Around it stands what the test program itself prints.
    let echoed: Vec<u8> = output.into_iter().filter(|&byte| byte >= 0x80).collect();
    assert!(echoed == input, "{} of {} bytes", echoed.len(), input.len());
    assert!(child.wait().expect("its end").success());
}

#[test]
fn a_childs_streams_time_out_and_end() {
    let (mut to_child, child_in) = WriteEnd::pair().expect("a pipe");
    let (mut from_child, child_out) = ReadEnd::pair().expect("a pipe");
    let mut start = command("stay", "");
    let mut child = start.stdin(child_in).stdout(child_out).stderr(Stdio::null()).spawn().expect("a child");
    drop(start);
    // The test program prints a line or two at first.
    while from_child.read_timeout(&mut [0; 1000], 20 * VAIN).is_ok() {}
    assert_eq!(from_child.read_timeout(&mut [0; 8], VAIN), Err(PipeError::TimedOut));
    assert_eq!(from_child.try_read(&mut [0; 8]), Err(PipeError::NotReady));
    assert_eq!(from_child.is_readable(), Ok(false));
    assert_eq!(to_child.is_writable(), Ok(true));
    while to_child.try_write(&[0; 4096]).is_ok() {}
    assert_eq!(to_child.write_timeout(&[0; 4096], VAIN), Err(PipeError::TimedOut));
    let canceller = Canceller::new().expect("a canceller");
    from_child.set_canceller(Some(&canceller));
    canceller.cancel();
    assert_eq!(from_child.read_timeout(&mut [0; 8], LONG), Err(PipeError::Cancelled));
    child.kill().expect("it is there");
    child.wait().expect("its end");
    assert_eq!(from_child.read_timeout(&mut [0; 8], LONG), Err(PipeError::PeerEnded));
    assert!(eventually(|| to_child.try_write(&[0; 8]) == Err(PipeError::PeerEnded)));
}

#[test]
fn a_server_opens_files_with_its_clients_rights() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    let options = PipeOptions::new().may_impersonate(true);
    let mut client = Pipe::connect_timeout(&name, &options, LONG).expect("a server");
    let mut server = listener.accept_timeout(LONG).expect("a client");
    write_all(&mut client, b"a request");
    read_exactly(&mut server, 9);
    let rights = server.impersonate().expect("the same user");
    let file = std::fs::File::open(std::env::current_exe().expect("our own path"));
    rights.revert();
    let mut start = [0; 4];
    file.expect("readable").read_exact(&mut start).expect("some bytes");
    drop(server.impersonate().expect("again"));
}

#[test]
fn a_thread_acts_for_one_client_at_a_time() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    let options = PipeOptions::new().may_impersonate(true);
    let mut client = Pipe::connect_timeout(&name, &options, LONG).expect("a server");
    let mut server = listener.accept_timeout(LONG).expect("a client");
    write_all(&mut client, b"a request");
    read_exactly(&mut server, 9);
    let outer = server.impersonate().expect("the same user");
    assert_eq!(server.impersonate().err(), Some(ImpersonateError::Nested));
    assert_eq!(server.impersonate().err(), Some(ImpersonateError::Nested), "the refusal changes nothing");
    let elsewhere = thread::scope(|scope| scope.spawn(|| server.impersonate().map(drop)).join());
    assert_eq!(elsewhere.expect("no panic"), Ok(()), "another thread");
    drop(outer);
    drop(server.impersonate().expect("again"));
}

#[test]
fn wrong_arguments_and_wrong_users_are_errors() {
    let name = unique();
    let mut listener = PipeListener::bind(&name, &OPTIONS).expect("a listener");
    let stranger = User::parse(if cfg!(windows) { "S-1-5-21-1-2-3-4711" } else { "4711" }).expect("a user");
    let options = PipeOptions::new().served_by(&stranger);
    let error = Pipe::connect_timeout(&name, &options, VAIN).expect_err("not theirs");
    assert!(matches!(error, ConnectError::WrongUser | ConnectError::NotFound), "{error:?}");
    assert_eq!(User::parse("nobody in particular"), None);
    // On Windows the refused server has seen a client that has left.
    let server = thread::spawn(move || {
        let mut byte = [0];
        while listener.accept_timeout(LONG).expect("a client").read_timeout(&mut byte, LONG).is_err() {}
        byte
    });
    let mut client = Pipe::connect_timeout(&name, &OPTIONS, LONG).expect("a server");
    write_all(&mut client, b"x");
    assert_eq!(server.join().expect("the server"), *b"x");
}

#[cfg(feature = "embedded-io-07")]
#[test]
fn streams_have_embedded_ios_traits() {
    use embedded_io::{Error, ErrorKind, Read, ReadExactError, ReadReady, Write, WriteReady};

    fn passes<W: Write + WriteReady, R: Read + ReadReady>(mut writer: W, mut reader: R) {
        assert!(!reader.read_ready().expect("an answer"));
        assert!(writer.write_ready().expect("an answer"));
        writer.write_all(b"hello").expect("room");
        write!(writer, " {}", 4711).expect("room");
        writer.flush().expect("room");
        let mut buf = [0; 10];
        reader.read_exact(&mut buf).expect("ten bytes");
        assert_eq!(&buf, b"hello 4711");
        drop(writer);
        assert!(eventually(|| reader.read_ready().expect("an answer")), "the end can be read");
        let Err(ReadExactError::Other(ended)) = reader.read_exact(&mut buf) else { panic!("no end") };
        assert_eq!(ended.kind(), ErrorKind::BrokenPipe);
    }

    let (server, client) = bytes();
    passes(server, client);
    let (writer, theirs) = WriteEnd::pair().expect("a pipe");
    let (mut reader, mut theirs_too) = ReadEnd::pair().expect("a pipe");
    reader.set_timeout(LONG);
    let pump = thread::spawn(move || std::io::copy(&mut { theirs }, &mut theirs_too).map(drop));
    passes(writer, reader);
    pump.join().expect("the pump").expect("it pumps");
    let (mut server, mut client) = bytes();
    client.set_timeout(VAIN);
    assert_eq!(Read::read(&mut client, &mut [0; 8]).map_err(|error| error.kind()), Err(ErrorKind::TimedOut));
    server.set_timeout(VAIN);
    let full = loop {
        if let Err(error) = Write::write(&mut server, &[0; 65_536]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::TimedOut);
}

/// The helpers that the tests start by this name.
#[test]
fn helper() {
    let Some((role, argument)) = role() else { return };
    end_in_a_while();
    match role.as_str() {
        "echo" => {
            let mut listener = PipeListener::bind(&name(&argument), &OPTIONS).expect("a listener");
            let mut pipe = listener.accept_timeout(LONG).expect("a client");
            let mut buf = [0; 1024];
            let Ok(len) = pipe.read_timeout(&mut buf, LONG) else { return drop(hear()) };
            let peer = pipe.peer().expect("the system knows");
            write_all(&mut pipe, &buf[..len]);
            let user = peer.user().expect("known").to_string();
            say(&format!("{} {user}", peer.pid().unwrap_or(0)));
            hear();
        }
        "send-megabyte" => {
            let mut pipe = MessagePipe::connect_timeout(&name(&argument), &OPTIONS, LONG).expect("a server");
            pipe.send_timeout(&pattern(1 << 20), LONG).expect("a receiver");
            pipe.send_timeout(b"", LONG).expect("a receiver");
            say(&format!("{:?}", pipe.recv_timeout(&mut [0; 8], LONG).expect("an answer")));
        }
        "write-and-stay" => {
            let mut pipe = Pipe::connect_timeout(&name(&argument), &OPTIONS, LONG).expect("a server");
            write_all(&mut pipe, b"before");
            pipe.flush_timeout(LONG).expect("a reader");
            say("written");
            hear();
        }
        "connect-messages" => {
            let _pipe = MessagePipe::connect_timeout(&name(&argument), &OPTIONS, LONG).expect("a server");
            say("connected");
            hear();
        }
        "cat" => {
            std::io::copy(&mut std::io::stdin(), &mut std::io::stdout()).expect("all of it");
            std::io::stdout().flush().expect("the test reads");
        }
        "stay" => thread::sleep(LONG),
        other => panic!("no role {other}"),
    }
}
