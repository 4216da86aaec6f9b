//! What the state of another core says of its participants, with a file in the place of the kernel's, and a table in the
//! place of a hypervisor's. Processes play the core, of whose tokens this kernel knows nothing. Numbers are those of the
//! fault list.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::common::{Helper, Scratch, end_in_a_while, forget_tokens, hear, ident, probe, role, say};
use strait_core::port::{Ident, Port as _, Probe};
use strait_core::{Channel, ChannelError, PeerStatus, Plan, RecvError};
use strait_os::linux::{RemoteState, RemoteWatch, RemoteWatchError};
use strait_os::unix::{RegionWindow, WindowError};
use strait_os::{OpenError, Region, RegionOptions};

const PLAN: Plan<'static> =
    Plan::new(&[Channel::slots::<u64>("events", 64).consumer_may_block().domains(1, 0)]);

const OURS: RegionOptions = RegionOptions::new();
const THEIRS: RegionOptions = RegionOptions::new().domain(1);

/// Where the state is.
enum State {
    /// In a file.
    Text(PathBuf),
    /// In the word of this peer of a table.
    Word(File, u32),
}

/// The board: reserved memory, the state, and the core.
struct Board {
    scratch: Scratch,
    window: RegionWindow,
    state: State,
}

fn private(path: &PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("its mode");
}

impl Board {
    fn with_memory() -> (Scratch, RegionWindow) {
        let scratch = Scratch::new();
        let memory = scratch.path("memory");
        private(&memory, &vec![0; 1 << 20]);
        let window = RegionWindow::new(&memory, 0);
        drop(window.create(&PLAN, &OURS).expect("create"));
        (scratch, window)
    }

    fn with_state_file() -> (Self, RemoteWatch) {
        let (scratch, window) = Self::with_memory();
        let path = scratch.path("state");
        let board = Self { scratch, window, state: State::Text(path.clone()) };
        board.says("offline\n");
        (board, RemoteWatch::state_file(path, 1).expect("a watch"))
    }

    fn with_state_table() -> (Self, RemoteWatch) {
        let (scratch, window) = Self::with_memory();
        let path = scratch.path("table");
        private(&path, &[0; 4096]);
        let table = RegionWindow::new(&path, 0);
        let state = State::Word(File::options().write(true).open(path).expect("the table"), 3);
        (Self { scratch, window, state }, RemoteWatch::state_table(&table, &OURS, 3, 1).expect("a watch"))
    }

    /// By the words of the kernel; a hypervisor has numbers.
    fn says(&self, state: &str) {
        match &self.state {
            State::Text(path) => fs::write(path, state).expect("the state"),
            State::Word(table, peer) => {
                let word = u32::from(state != "offline\n");
                table.write_all_at(&word.to_le_bytes(), u64::from(4 * peer)).expect("the state");
            }
        }
    }

    /// Firmware that runs, and who it is.
    fn boots(&self) -> (Helper, Ident) {
        let mut core = Helper::start("core", self.scratch.path("memory"));
        let who = core.hear_ident();
        (core, who)
    }
}

#[test]
fn helper() {
    let Some((role, memory)) = role() else { return };
    end_in_a_while();
    assert_eq!(role, "core");
    let region = RegionWindow::new(memory, 0).open(&THEIRS).expect("open");
    let mut events = region.typed_producer::<u64>("events").expect("the producer");
    events.try_send(&7).expect("space");
    forget_tokens();
    say(&ident(&region).word().to_string());
    hear();
}

fn dead_only_by_the_state((board, watch): (Board, RemoteWatch)) {
    let ours: Region = watch.open(&board.window, &OURS).expect("open");
    let plain = board.window.open(&OURS).expect("open");
    let mut events = ours.typed_consumer::<u64>("events").expect("the consumer");

    // The kernel says so while it starts the core, too, which may have joined by then.
    let (mut core, who) = board.boots();
    assert_eq!(watch.state(), RemoteState::Stopped);
    assert_eq!((probe(&ours, who), events.peer()), (Probe::Unknown, PeerStatus::Present));
    board.says("running\n");
    assert_eq!((probe(&ours, who), events.peer()), (Probe::Unknown, PeerStatus::Present));
    core.kill();
    assert_eq!(probe(&ours, who), Probe::Unknown, "that it has ended is not said yet");
    board.says("offline\n");
    assert_eq!((probe(&ours, who), events.peer()), (Probe::Dead, PeerStatus::Dead));
    assert_eq!(probe(&plain, who), Probe::Unknown, "that one was opened without the watch");
    assert_eq!(events.try_recv().expect("what was committed"), 7);
    events.end_with_peer(true);
    assert_eq!(events.recv_timeout(Duration::from_secs(20)).err(), Some(RecvError::PeerGone));
    assert_eq!(ours.typed_producer::<u64>("events").err(), Some(ChannelError::Domain { planned: 1 }));

    // The next run takes its role over, while the state is the one of the last run still.
    let (_core, next) = board.boots();
    assert_ne!(who, next);
    assert_eq!((probe(&ours, who), probe(&ours, next)), (Probe::Dead, Probe::Unknown));
    assert_eq!(events.peer(), PeerStatus::Present);
    assert_eq!(events.try_recv().expect("of the next run"), 7);
    board.says("running\n");
    // A region that is opened while the core runs has seen it.
    let later = watch.open(&board.window, &OURS).expect("open");
    board.says("offline\n");
    assert_eq!((probe(&later, next), probe(&ours, next)), (Probe::Dead, Probe::Dead));
}

#[test]
fn fault_140_a_core_is_dead_if_it_was_seen_to_run_and_is_stopped() {
    dead_only_by_the_state(Board::with_state_file());
}

#[test]
fn fault_140_a_peer_of_a_state_table_is_dead_if_it_was_seen_to_run_and_is_reset() {
    dead_only_by_the_state(Board::with_state_table());
}

#[test]
fn fault_140_states_that_are_no_end_prove_nothing() {
    let (board, watch) = Board::with_state_file();
    let ours = watch.open(&board.window, &OURS).expect("open");
    let (_core, who) = board.boots();
    for (text, state) in [
        ("crashed\n", RemoteState::Crashed),
        ("suspended\n", RemoteState::Unknown),
        ("detached\n", RemoteState::Unknown),
        ("deleted\n", RemoteState::Unknown),
        ("", RemoteState::Unknown),
        ("offline and more than any state has letters\n", RemoteState::Unknown),
    ] {
        board.says(text);
        assert_eq!((watch.state(), probe(&ours, who)), (state, Probe::Unknown), "{text}");
    }
    // It was seen while it had crashed.
    board.says("offline\n");
    assert_eq!(probe(&ours, who), Probe::Dead);
}

#[test]
fn a_process_of_this_system_in_the_cores_domain_is_judged_by_its_own_token() {
    let (board, watch) = Board::with_state_file();
    board.says("running\n");
    let double = board.window.open(&THEIRS).expect("open");
    let ours = watch.open(&board.window, &OURS).expect("open");
    board.says("offline\n");
    assert_eq!(probe(&ours, ident(&double)), Probe::Alive);
}

/// Each run is a process that is killed: it is told from the next, and no event is lost or doubled.
#[test]
fn fault_140_each_of_a_hundred_runs_is_told_from_the_next() {
    const RUNS: usize = 100;
    let (board, watch) = Board::with_state_file();
    let ours = watch.open(&board.window, &OURS).expect("open");
    let mut events = ours.typed_consumer::<u64>("events").expect("the consumer");
    let mut last = None;
    for run in 0..RUNS {
        let (mut core, who) = board.boots();
        assert_eq!(probe(&ours, who), Probe::Unknown, "it starts");
        board.says("running\n");
        assert_eq!(events.peer(), PeerStatus::Present, "run {run}");
        core.kill();
        board.says("offline\n");
        assert_eq!(events.peer(), PeerStatus::Dead, "run {run}");
        assert_eq!(events.try_recv().expect("the event"), 7);
        assert!(events.try_recv().is_err(), "none twice");
        assert_ne!(last.replace(who), Some(who));
    }
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let (board, watch) = Board::with_state_file();
    let missing = board.scratch.path("no");
    assert_eq!(RemoteWatch::state_file(&missing, 1).err(), Some(RemoteWatchError::NoState));
    assert_eq!(RemoteWatch::remoteproc(4_000_000, 1).err(), Some(RemoteWatchError::NoState));
    assert_eq!(watch.open(&board.window, &THEIRS).map(drop), Err(RemoteWatchError::OwnDomain { domain: 1 }));
    let looks = watch.open(&board.window, &THEIRS.read_only(true)).expect("it only looks");
    assert!(looks.port().ident().is_none());
    let none = Err(RemoteWatchError::Window(WindowError::Open(OpenError::NotFound)));
    let nowhere = RegionWindow::new(&missing, 0);
    assert_eq!(watch.open(&nowhere, &OURS).map(drop), none);
    assert_eq!(RemoteWatch::state_table(&nowhere, &OURS, 0, 1).map(drop), none);
    let table = RegionWindow::new(board.scratch.path("memory"), 0).len(4096);
    let beyond = RemoteWatch::state_table(&table, &OURS, 1024, 1).map(drop);
    assert_eq!(beyond, Err(RemoteWatchError::NoPeer { peer: 1024, len: 4096 }));
    assert!(RemoteWatch::state_table(&table, &OURS, u32::MAX, 1).is_err());
}
