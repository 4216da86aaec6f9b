//! A terminal of 80 x 24 characters, and the tool in it.
#![allow(dead_code, missing_docs)]

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};

use crate::common::{LONG, strait};

const ROWS: NonZeroU16 = NonZeroU16::new(24).expect("not 0");
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).expect("not 0");
const SIZE: Winsize = Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };

/// Held while there are descriptors that a child that is started just then would keep open.
pub static STARTING: Mutex<()> = Mutex::new(());

pub struct Terminal {
    /// The side of whoever sits at the terminal.
    keys: Option<File>,
    /// The program's side.
    program: OwnedFd,
    child: Child,
    screen: vt100::Parser,
    /// All that was written.
    bytes: Vec<u8>,
    before: Termios,
}

impl Terminal {
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    pub fn start_with(args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = strait(args);
        command.env("TERM", "xterm-256color").env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR");
        Self::spawn(command.envs(env.iter().copied()))
    }

    pub fn spawn(command: &mut Command) -> Self {
        let starting = STARTING.lock();
        let mut pair = openpty(Some(&SIZE), None).expect("a terminal");
        // The copies are closed in children.
        pair.master = pair.master.try_clone().expect("a descriptor");
        pair.slave = pair.slave.try_clone().expect("a descriptor");
        drop(starting);
        let before = tcgetattr(&pair.slave).expect("its modes");
        let side = || Stdio::from(pair.slave.try_clone().expect("a descriptor"));
        let child = command.stdin(side()).stdout(side()).stderr(side()).spawn().expect("the tool");
        let (keys, program) = (Some(File::from(pair.master)), pair.slave);
        let screen = vt100::Parser::new(ROWS, COLUMNS, 0);
        Self { keys, program, child, screen, bytes: Vec::new(), before }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types.
    pub fn press(&mut self, keys: &str) {
        self.keys.as_mut().expect("open").write_all(keys.as_bytes()).expect("room for keys");
    }

    /// Takes in what the program has written.
    fn pump(&mut self) {
        let Some(keys) = &mut self.keys else { return };
        loop {
            let mut ready = [PollFd::new(keys.as_fd(), PollFlags::POLLIN)];
            let count = poll(&mut ready, PollTimeout::ZERO).expect("a poll");
            if count == 0 || !ready[0].revents().is_some_and(|found| found.contains(PollFlags::POLLIN)) {
                return;
            }
            let mut buffer = [0; 4096];
            let len = keys.read(&mut buffer).unwrap_or(0);
            self.screen.process(&buffer[..len]);
            self.bytes.extend(&buffer[..len]);
            if len == 0 {
                return;
            }
        }
    }

    /// What is on the screen.
    pub fn text(&mut self) -> String {
        self.pump();
        self.screen.screen().contents()
    }

    /// Waits for what is to be seen, and returns the screen.
    pub fn wait(&mut self, what: &str, so: impl FnMut(&str) -> bool) -> String {
        self.wait_while(what, so, || {})
    }

    /// As [`wait`](Self::wait), with something to do meanwhile.
    pub fn wait_while(
        &mut self,
        what: &str,
        mut so: impl FnMut(&str) -> bool,
        mut meanwhile: impl FnMut(),
    ) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            if so(&text) {
                return text;
            }
            assert!(start.elapsed() < LONG, "{what} is not to be seen:\n{text}");
            meanwhile();
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the program's end, and returns its status or signal.
    pub fn end(&mut self) -> (Option<i32>, Option<i32>) {
        let start = Instant::now();
        loop {
            self.pump();
            if let Some(status) = self.child.try_wait().expect("a status") {
                self.pump();
                return (status.code(), status.signal());
            }
            assert!(start.elapsed() < LONG, "it goes on:\n{}", self.screen.screen().contents());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Takes the terminal away.
    pub fn close(&mut self) {
        self.keys = None;
    }

    pub fn wait_until_stopped(&mut self) {
        let start = Instant::now();
        loop {
            self.pump();
            let state = Command::new("ps").args(["-o", "stat=", "-p", &self.pid().to_string()]).output();
            if state.expect("ps").stdout.first() == Some(&b'T') {
                return;
            }
            assert!(start.elapsed() < LONG, "it was not stopped");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn is_in_raw_mode(&self) -> bool {
        let modes = tcgetattr(&self.program).expect("its modes");
        !modes.local_flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO)
    }

    /// Checks that the terminal is as it was before.
    pub fn assert_given_back(&mut self) {
        self.pump();
        let modes = tcgetattr(&self.program).expect("its modes");
        assert_eq!(modes, self.before, "the modes are others");
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the other screen is still shown");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
    }

    /// Whether anything was written in a colour.
    pub fn has_coloured(&self) -> bool {
        String::from_utf8_lossy(&self.bytes).contains("\x1b[38;5;")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
