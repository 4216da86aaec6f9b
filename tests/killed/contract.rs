//! Contracts over this system's sockets: limits of time over many reads, and ends that go.
#![cfg(not(miri))]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use strait::contract::{
    ByteStream, ByteStreamError, FunctionError, OpenContractError, ServeContractError, Timed,
};

const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

strait::contract! {
    contract Clock: client ClockClient, server ClockServer {
        fn after(ticks: u64) -> u64;
        post reset(ticks: u64);
    }
}

struct Ticks(u64);

impl ClockServer for Ticks {
    fn after(&mut self, ticks: &u64) -> Result<u64, u16> {
        self.0 += ticks;
        Ok(self.0)
    }

    fn reset(&mut self, ticks: &u64) {
        self.0 = *ticks;
    }
}

fn line() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

fn buffers() -> ([u8; Clock::STREAM_BUFFER], [u8; Clock::STREAM_BUFFER]) {
    ([0; Clock::STREAM_BUFFER], [0; Clock::STREAM_BUFFER])
}

#[test]
fn a_contract_runs_over_tcp_until_the_client_is_gone() {
    let (near, far) = line();
    let server = thread::spawn(move || {
        let (mut into, mut out) = buffers();
        let mut requests = Clock::accept(Timed::new(far), &mut into, &mut out).unwrap();
        let mut ticks = Ticks(0);
        let end = loop {
            match Clock::serve(&mut requests, &mut ticks, PATIENCE) {
                Ok(_) => {}
                Err(end) => break end,
            }
        };
        (end, ticks.0)
    });
    let (mut into, mut out) = buffers();
    let mut clock = Clock::connect(Timed::new(near), &mut into, &mut out, PATIENCE).unwrap();
    assert_eq!(clock.after(&3, PATIENCE), Ok(3));
    clock.reset(&10).unwrap();
    assert_eq!(clock.after(&4, PATIENCE), Ok(14));
    drop(clock);
    assert_eq!(server.join().unwrap(), (ServeContractError::ClientGone, 14));
}

#[test]
fn no_time_still_takes_what_is_there() {
    let (near, far) = line();
    let mut far = Timed::new(far);
    far.limit(Duration::ZERO);
    assert_eq!(far.read(&mut [0; 8]), Err(ByteStreamError::TimedOut));
    (&near).write_all(&[7; 3]).unwrap();
    // Until the bytes have come.
    far.limit(PATIENCE);
    assert_eq!(far.read(&mut [0; 1]), Ok(1));
    far.limit(Duration::ZERO);
    assert_eq!(far.read(&mut [0; 8]), Ok(2));
    assert_eq!(far.read(&mut [0; 8]), Err(ByteStreamError::TimedOut));
    assert!(far.failure().is_none());
}

/// Bytes that come one by one must not prolong a call: each of them would be in time by itself.
#[test]
fn a_server_that_drips_is_out_of_time() {
    let (near, mut far) = line();
    let server = thread::spawn(move || {
        while far.write_all(&[0]).is_ok() {
            thread::sleep(Duration::from_millis(2));
        }
    });
    let (mut into, mut out) = buffers();
    let start = Instant::now();
    let error = Clock::connect(Timed::new(near), &mut into, &mut out, SHORT).err();
    let told = FunctionError::TimedOut { ran: strait::call::Ran::Maybe };
    assert_eq!(error, Some(OpenContractError::NoAnswer(told)));
    assert!(start.elapsed() >= SHORT && start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    server.join().unwrap();
}

#[test]
fn a_stream_that_ends_ends_the_question() {
    let (near, mut far) = line();
    let server = thread::spawn(move || {
        // Closed with bytes unread, which resets the connection on most systems, and ends it on all.
        far.read_exact(&mut [0; 4]).unwrap();
    });
    let (mut into, mut out) = buffers();
    let error = Clock::connect(Timed::new(near), &mut into, &mut out, PATIENCE).err();
    let told = FunctionError::ServerGone { ran: strait::call::Ran::Maybe };
    assert_eq!(error, Some(OpenContractError::NoAnswer(told)));
    server.join().unwrap();
}

#[cfg(unix)]
#[test]
fn a_contract_runs_over_a_unix_socket() {
    let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    let server = thread::spawn(move || {
        let (mut into, mut out) = buffers();
        let mut requests = Clock::accept(Timed::new(far), &mut into, &mut out).unwrap();
        while Clock::serve(&mut requests, &mut Ticks(1), PATIENCE).is_ok() {}
    });
    let (mut into, mut out) = buffers();
    let mut clock = Clock::connect(Timed::new(near), &mut into, &mut out, PATIENCE).unwrap();
    assert_eq!(clock.after(&3, PATIENCE), Ok(4));
    drop(clock);
    server.join().unwrap();
}
