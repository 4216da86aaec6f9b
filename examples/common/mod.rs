//! Helpers of the examples: each starts itself again as its second process, and none waits for ever.
#![allow(dead_code, reason = "each example uses its part")]

#[cfg(unix)]
#[path = "unix.rs"]
pub mod os;
#[cfg(windows)]
#[path = "windows.rs"]
pub mod os;

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How long one process waits for the other: long, because the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Whether this system proves a peer's death. Where it does not, what the dead held stays held.
pub const PROVES_DEATH: bool = cfg!(any(target_os = "linux", target_os = "android", windows));

/// Runs the role that the command line asks for.
pub fn play(role: impl FnOnce(&[&str]) -> Result<()>) -> Result<()> {
    let args: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into()).collect();
    role(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The end of a program with wrong arguments.
pub fn usage(takes: &str) -> ! {
    eprintln!("error: wrong arguments; this example takes {takes}");
    std::process::exit(2)
}

/// A name that is this run's alone: a process's number comes again.
pub fn fresh_name(of: &str) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    format!("{of}-{}-{:x}", std::process::id(), now.as_micros())
}

/// A new folder, removed when it is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(of: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(fresh_name(of));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// The path of a file in it.
    pub fn path(&self, file: &str) -> String {
        self.0.join(file).to_string_lossy().into()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The connection that comes first, if one comes in time.
pub fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                // On some systems it has this from the listener.
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The second process. It is killed when this is dropped.
pub struct Other(Child);

impl Other {
    /// Starts this program again, with arguments that name its role.
    pub fn start(args: &[&str]) -> Result<Self> {
        Ok(Self(Command::new(std::env::current_exe()?).args(args).spawn()?))
    }

    /// The same, with its standard input and output.
    pub fn start_talking(args: &[&str]) -> Result<(Self, ChildStdin, ChildStdout)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok((Self(child), stdin.ok_or("no pipe")?, stdout.ok_or("no pipe")?))
    }

    /// The same, and waits until it has called [`ready`], after which it may print no more. It then goes on
    /// until [`end`](Self::end) if it calls [`until_told`].
    pub fn start_and_wait(args: &[&str]) -> Result<Self> {
        let (mut other, stdin, stdout) = Self::start_talking(args)?;
        other.0.stdin = Some(stdin);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        if line.trim_end() != READY {
            return Err(format!("{args:?} ended early").into());
        }
        Ok(other)
    }

    /// Tells it to go on and waits until it has ended.
    pub fn end(&mut self) -> Result<ExitStatus> {
        drop(self.0.stdin.take());
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("the other process did not end in time".into())
    }

    /// The same; it must have succeeded.
    pub fn finish(mut self) -> Result<()> {
        let status = self.end()?;
        if status.success() { Ok(()) } else { Err(format!("the other process failed: {status}").into()) }
    }

    /// Kills it, whatever it does.
    pub fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

const READY: &str = "ready";

/// Tells the first process that this one has come so far.
pub fn ready() {
    println!("{READY}");
}

/// Waits until the first process says [`Other::end`], or has ended.
pub fn until_told() -> Result<()> {
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}
