//! The system's own mechanisms: pipe, socket, message queue, event counter. Polled without blocking,
//! or asleep where sleep is what is measured.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_open, mq_receive, mq_send, mq_unlink};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};
use nix::sys::stat::Mode as Permissions;
use nix::unistd::{pipe2, read, write};

use crate::ends::{Copies, Link, Read, Receiver, Sender, Write, poll};
use crate::error::Result;
use crate::job::{Job, Metric};

/// Whether a receiver is to sleep.
fn sleeps(job: &Job) -> bool {
    job.metric == Metric::Wake
}

/// `None` for "not now"; any other error ends the process, because the figures would be meaningless.
fn now<T>(result: nix::Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Errno::EAGAIN | Errno::EINTR) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Another handle to the same end.
fn again(fd: &OwnedFd) -> Result<OwnedFd> {
    fd.try_clone().map_err(|error: io::Error| error.to_string())
}

/// A pipe of the capacity that all have.
pub struct Pipe(OwnedFd, OwnedFd, Job);

/// An end of a pipe.
pub struct PipeEnd(OwnedFd);

impl Link for Pipe {
    type Tx = Copies<PipeEnd>;
    type Rx = Copies<PipeEnd>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let flags = if sleeps(job) { OFlag::empty() } else { OFlag::O_NONBLOCK };
        let (rx, tx) = pipe2(flags).map_err(|error| format!("pipe: {error}"))?;
        let wanted = (job.slots() * job.size).clamp(4096, 1 << 20);
        fcntl(&tx, FcntlArg::F_SETPIPE_SZ(wanted as i32))
            .map_err(|error| format!("F_SETPIPE_SZ: {error}"))?;
        Ok(Self(tx, rx, job.clone()))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Copies::new(PipeEnd(again(&self.0)?), &self.2))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Copies::new(PipeEnd(again(&self.1)?), &self.2))
    }
}

impl Write for PipeEnd {
    fn write(&mut self, message: &[u8]) -> bool {
        let Some(mut done) = now(write(&self.0, message)) else { return false };
        while done < message.len() {
            done += poll(|| now(write(&self.0, &message[done..])));
        }
        true
    }
}

impl Read for PipeEnd {
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        let Some(mut done) = now(read(&self.0, buffer)) else { return false };
        while done < buffer.len() {
            done += poll(|| now(read(&self.0, &mut buffer[done..])));
        }
        true
    }
}

/// A pair of Unix sockets that keep messages apart.
pub struct Seqpacket(OwnedFd, OwnedFd, Job);

/// One of the sockets.
pub struct Socket(OwnedFd);

impl Link for Seqpacket {
    type Tx = Copies<Socket>;
    type Rx = Copies<Socket>;

    fn lay(job: &Job, _: u32) -> Result<Self> {
        let flags = if sleeps(job) { SockFlag::empty() } else { SockFlag::SOCK_NONBLOCK };
        let (tx, rx) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)
            .map_err(|error| format!("socketpair: {error}"))?;
        // The kernel takes what it allows.
        let _ = setsockopt(&tx, sockopt::SndBuf, &(2 * job.slots() * job.size).max(1 << 16));
        Ok(Self(tx, rx, job.clone()))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Copies::new(Socket(again(&self.0)?), &self.2))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Copies::new(Socket(again(&self.1)?), &self.2))
    }
}

impl Write for Socket {
    fn write(&mut self, message: &[u8]) -> bool {
        now(send(self.0.as_raw_fd(), message, MsgFlags::empty())) == Some(message.len())
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        now(recv(self.0.as_raw_fd(), buffer, MsgFlags::empty())) == Some(buffer.len())
    }
}

/// A POSIX message queue, whose name is gone as soon as it is open. Where the system allows fewer
/// messages than all have, it has ten.
pub struct Mq(Arc<MqdT>, Job);

/// An end of a message queue.
pub struct MqEnd(Arc<MqdT>);

/// Whether this system has it.
pub fn mq_allows(size: usize) -> std::result::Result<(), String> {
    let text =
        std::fs::read_to_string("/proc/sys/fs/mqueue/msgsize_max").map_err(|_| "no POSIX queues here")?;
    let most: usize = text.trim().parse().map_err(|_| "no POSIX queues here")?;
    if size > most { Err(format!("fs.mqueue.msgsize_max is {most}")) } else { Ok(()) }
}

impl Link for Mq {
    type Tx = Copies<MqEnd>;
    type Rx = Copies<MqEnd>;

    fn lay(job: &Job, number: u32) -> Result<Self> {
        let name = format!("/strait-bench-{}-{number}", std::process::id());
        let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_RDWR;
        let flags = if sleeps(job) { flags } else { flags | MQ_OFlag::O_NONBLOCK };
        let open = |messages: usize| {
            let attributes = MqAttr::new(0, messages as i64, job.size as i64, 0);
            mq_open(name.as_str(), flags, Permissions::S_IRUSR | Permissions::S_IWUSR, Some(&attributes))
        };
        let queue = open(job.slots()).or_else(|_| open(10)).map_err(|error| format!("mq_open: {error}"))?;
        mq_unlink(name.as_str()).map_err(|error| format!("mq_unlink: {error}"))?;
        Ok(Self(Arc::new(queue), job.clone()))
    }

    fn tx(&self) -> Result<Self::Tx> {
        Ok(Copies::new(MqEnd(self.0.clone()), &self.1))
    }

    fn rx(&self) -> Result<Self::Rx> {
        Ok(Copies::new(MqEnd(self.0.clone()), &self.1))
    }
}

impl Write for MqEnd {
    fn write(&mut self, message: &[u8]) -> bool {
        now(mq_send(&self.0, message, 0)).is_some()
    }
}

impl Read for MqEnd {
    fn read(&mut self, buffer: &mut [u8]) -> bool {
        now(mq_receive(&self.0, buffer, &mut 0)) == Some(buffer.len())
    }
}

/// A counter to sleep on, which carries nothing but the wake.
pub struct Event(EventFd);

/// An end of it.
pub struct EventEnd(OwnedFd);

impl Link for Event {
    type Tx = EventEnd;
    type Rx = EventEnd;

    fn lay(_: &Job, _: u32) -> Result<Self> {
        EventFd::from_value_and_flags(0, EfdFlags::empty())
            .map(Self)
            .map_err(|error| format!("eventfd: {error}"))
    }

    fn tx(&self) -> Result<EventEnd> {
        let end = self.0.as_fd().try_clone_to_owned();
        end.map(EventEnd).map_err(|error| format!("eventfd: {error}"))
    }

    fn rx(&self) -> Result<EventEnd> {
        self.tx()
    }
}

impl Sender for EventEnd {
    fn offer(&mut self, _: u64) -> bool {
        now(write(&self.0, &1u64.to_ne_bytes())) == Some(8)
    }
}

impl Receiver for EventEnd {
    fn accept(&mut self, seq: u64) -> bool {
        let mut count = [0; 8];
        let there = now(read(&self.0, &mut count)) == Some(8);
        assert!(!there || u64::from_ne_bytes(count) == 1, "WRONG DATA: wake {seq} came together with others");
        there
    }
}
