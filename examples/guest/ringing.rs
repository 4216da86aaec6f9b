//! The host with doorbells: the server of QEMU's device, and a process that asks. Both sides sleep between messages.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{UsageWho, getrusage};
use strait::call::{CallError, Ran};
use strait::format::inspect::{CallStage, calls};
use strait::linux::{EventPort, GuestWatch};
use strait::options::WaitPolicy;
use strait::port::Port as _;
use strait::unix::RegionWindow;
use strait::{Attachment, CallClient, PeerStatus, Region, RegionOptions, TryRecvError};

use crate::host::{MEMORY, Machine, Memory, PATIENCE, Result};
use crate::ivshmem::{News, Peer, Server};
use crate::plan::{BELLS, GUEST, HOST_CLIENT, NO, Told, VECTOR, VECTORS, WINDOW};

const ROUNDS: u64 = 300;
/// Between two questions, so that the guest has gone to sleep again.
const GAP: Duration = Duration::from_millis(2);
/// How soon the end of the emulator must show, on a machine that is busy.
const SOON: Duration = Duration::from_secs(5);

/// Runs the machine until all questions are answered, and kills it.
pub fn run(file: &str, command: &[&str]) -> Result<()> {
    let memory = File::options().read(true).write(true).create_new(true).mode(0o600).open(file)?;
    let _memory = Memory(file);
    memory.set_len(MEMORY)?;
    let window = RegionWindow::new(file, 0).len(WINDOW);
    drop(window.create(&BELLS, &RegionOptions::new())?);
    let watch = GuestWatch::new(GUEST);
    let region = watch.open(&window, &RegionOptions::new())?;
    let socket = format!("{file}.socket");
    let _socket = Memory(&socket);
    let (mut host, seen) = serve(&socket, memory, &watch)?;
    let chardev = format!("socket,path={socket},id=bell");
    let device = format!("ivshmem-doorbell,chardev=bell,vectors={VECTORS}");
    let mut machine = Machine::start(&[command, &["-chardev", &chardev, "-device", &device]].concat())?;
    // The server has told its other clients before it says so.
    let guest = match seen.recv_timeout(PATIENCE)? {
        News::Came(guest) => guest,
        news => return Err(format!("{news:?} before the machine came").into()),
    };
    host.next()?;
    let mut calls = exchange(&region, &host, guest)?;
    let (taken, left) = (calls.try_call(&1)?, calls.try_call(&2)?);
    is_taken(&region)?;

    // What the machine holds stays its own as long as it runs.
    let mut state = region.latest_reader::<u64>("state")?;
    let stand_in = RegionOptions::new().domain(GUEST);
    if state.writer() != PeerStatus::Present || watch.open(&window, &stand_in).is_ok() {
        return Err("the machine was taken for dead".into());
    }
    let start = Instant::now();
    machine.kill()?;
    if seen.recv_timeout(SOON)? != News::Gone(guest) {
        return Err("another client than the machine is gone".into());
    }
    println!("the machine was killed, which the server knew after {:.1?}", start.elapsed());
    if state.writer() != PeerStatus::Dead {
        return Err("the machine's program is not known to be dead".into());
    }
    // It is known of each call whether it may have run.
    for (ticket, ran) in [(taken, Ran::Maybe), (left, Ran::No)] {
        match calls.wait_timeout(ticket, PATIENCE) {
            Err(CallError::PeerDied { ran: found }) if found == ran => {}
            other => return Err(format!("{other:?} of a call, where it should be {ran:?}").into()),
        }
    }
    let stand_in = watch.open(&window, &stand_in)?;
    stand_in.latest_writer::<u64>("state")?.publish(&NO);
    if state.read().value() != Some(NO) {
        return Err("the host's value is not what is read".into());
    }
    println!(
        "PASSED: a guest and its host slept between messages; the guest was killed, of two calls it was known whether they may \
         have run, and the host took over its role"
    );
    Ok(())
}

/// The server in a thread, its first client, and what it sees after that.
fn serve(socket: &str, memory: File, watch: &GuestWatch) -> Result<(Peer, Receiver<News>)> {
    let mut server = Server::new(Path::new(socket), memory, VECTORS, watch.clone())?;
    let (told, seen) = mpsc::channel();
    std::thread::spawn(move || while server.next().is_ok_and(|news| told.send(news).is_ok()) {});
    let host = Peer::connect(Path::new(socket), VECTORS)?;
    if host.memory.metadata()?.len() != MEMORY {
        return Err("the server hands out other memory".into());
    }
    let client = i64::from(HOST_CLIENT);
    match seen.recv_timeout(PATIENCE)? {
        News::Came(first) if first == client && host.number == client => Ok((host, seen)),
        news => Err(format!("{news:?}, and this is client {}", host.number).into()),
    }
}

/// Asks, sleeps until it is rung, and asks again. Returns a client, whose calls ring as well.
fn exchange(region: &Region, host: &Peer, guest: i64) -> Result<CallClient<u64, u64, EventPort>> {
    let vector = usize::from(VECTOR);
    let theirs = host.others.get(&guest).ok_or("the machine has no doorbell")?[vector].try_clone()?;
    let port = EventPort::new(region.port().clone(), host.own[vector].try_clone()?, vec![theirs]);
    let at = Attachment::attach(port)?;
    let mut questions = at.typed_producer::<u64>("questions")?;
    let mut answers = at.typed_consumer::<Told>("answers")?;
    // No sleep ends before its time but by a doorbell.
    let policy = WaitPolicy { spin: 0, park: true, probe: PATIENCE };
    heard(&host.own[vector])?;
    let mut ask = |question: u64| -> Result<Told> {
        questions.try_send(&question)?;
        loop {
            match answers.try_recv() {
                Ok(told) if told[0] == question * 2 => return Ok(told),
                Ok(told) => return Err(format!("{told:?} is no answer to {question}").into()),
                Err(TryRecvError::Empty) => {}
                Err(error) => return Err(error.into()),
            }
            at.port()
                .wait_ready_or_readable(&mut [&mut answers], &[], policy, PATIENCE)
                .map_err(|error| format!("nobody rang for the answer to {question}: {error}"))?;
        }
    };
    let first = ask(0)?;
    let (start, slept) = (Instant::now(), sleeps()?);
    let (mut last, mut asking) = (first, Duration::ZERO);
    for question in 1..=ROUNDS {
        std::thread::sleep(GAP);
        let start = Instant::now();
        last = ask(question)?;
        asking += start.elapsed();
    }
    // One of the host's sleeps is the gap.
    let (here, there) = ((sleeps()? - slept).saturating_sub(ROUNDS), last[1] - first[1]);
    let worked = Duration::from_micros(last[2] - first[2]);
    println!(
        "{ROUNDS} questions, {:.0?} each, in {:.1?}: the host slept {here} times, the guest {there}, and worked {worked:.1?}",
        asking / ROUNDS as u32,
        start.elapsed()
    );
    // On a machine that is busy, an answer may be there before the sleep.
    if here < ROUNDS / 2 || there < ROUNDS / 2 {
        return Err("a side did not sleep between messages".into());
    }
    Ok(at.call_client("calls")?)
}

/// Waits until the machine has taken the first of two calls.
fn is_taken(region: &Region) -> Result<()> {
    let (entry, start) = (region.channel("calls")?, Instant::now());
    let stages = || calls(region.port().mem(), region.header().line, &entry).map(|call| call.stage);
    while !matches!(stages().collect::<Vec<_>>()[..], [CallStage::Taken { .. }, CallStage::Waiting]) {
        if start.elapsed() > PATIENCE {
            return Err("the machine takes no call".into());
        }
        std::thread::sleep(GAP);
    }
    Ok(())
}

/// Waits for the machine to ring, which it does once it can.
fn heard(bell: &OwnedFd) -> Result<()> {
    let timeout = PollTimeout::try_from(PATIENCE)?;
    match poll(&mut [PollFd::new(bell.as_fd(), PollFlags::POLLIN)], timeout)? {
        0 => Err("the machine does not ring".into()),
        _ => Ok(File::from(bell.try_clone()?).read_exact(&mut [0; 8])?),
    }
}

/// How often this process has slept.
fn sleeps() -> Result<u64> {
    Ok(getrusage(UsageWho::RUSAGE_SELF)?.voluntary_context_switches() as u64)
}
