//! The guest: the first process of a machine that has nothing else, and ends with it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use strait::options::{ConsumerOptions, Delivery};
use strait::unix::RegionWindow;
use strait::{
    Consumer, Lock, Mutex, Producer, Region, RegionOptions, SystemPort, TryRecvError, TrySendError,
};

use crate::alone::{self, BUFFERS};
use crate::bells;
use crate::control::{self, Found};
use crate::exchange::{Side, put_all, take_all};
use crate::party;
use crate::plan::{DOORBELLS, FRAME, GUEST, Locked, WINDOW, tag, value};
use crate::three::{ARM, PARTY, X86};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Between two looks: a wake does not cross the border of a machine.
const LOOK: Duration = Duration::from_micros(50);

const FILE_SYSTEMS: [(&str, &str); 3] = [("devtmpfs", "/dev"), ("sysfs", "/sys"), ("proc", "/proc")];

/// Serves the host until it says that this is the end, or kills the machine.
pub fn run() -> Result<()> {
    let is_asked = |what: &str| std::env::args().any(|parameter| parameter == what);
    let served = mount_all().and_then(|()| match () {
        () if is_asked(DOORBELLS) => bells::serve(),
        () if is_asked(PARTY) => take_part(),
        () if is_asked(BUFFERS) => alone::serve(),
        () => serve(),
    });
    if let Err(error) = served {
        println!("guest: {error}");
    }
    match reboot(RebootMode::RB_POWER_OFF)? {}
}

fn mount_all() -> Result<()> {
    for (kind, folder) in FILE_SYSTEMS {
        fs::create_dir_all(folder)?;
        mount(Some(kind), folder, Some(kind), MsFlags::empty(), None::<&str>)?;
    }
    Ok(())
}

/// One of the three parties; on ARM in memory that is mapped as a device's, which is the harder of the two.
fn take_part() -> Result<()> {
    let best = RegionWindow::ivshmem()?;
    if cfg!(target_arch = "aarch64") {
        return party::run(
            RegionWindow::new(best.path().ok_or("no path")?.with_file_name("resource2"), 0),
            ARM,
        );
    }
    party::run(best, X86)
}

fn serve() -> Result<()> {
    let best = RegionWindow::ivshmem()?;
    let folder = best.path().and_then(Path::parent).unwrap_or(Path::new("/")).to_owned();
    let mut hello = Some(match control::try_all(&folder.join("resource2"))? {
        Found::AnyIsFine => "any".to_owned(),
        Found::Unchecked(worked) => format!("works: {}", worked.join(", ")),
        Found::Checked(died, tried) => {
            format!("checked: {died} of {tried} old copies died, as they must, and none of the core's")
        }
    });
    let mut next = Some(best);
    while let Some(window) = next {
        let region = window.len(WINDOW).open(&RegionOptions::new().domain(GUEST))?;
        let mut link = Link::open(&region)?;
        if let Some(hello) = hello.take() {
            link.answer(tag::HELLO, hello.as_bytes())?;
        }
        next = link.serve(&region)?.map(|file| RegionWindow::new(folder.join(file), 0));
    }
    Ok(())
}

/// The frames from the host and to it.
struct Link {
    down: Consumer<SystemPort>,
    up: Producer<SystemPort>,
}

impl Link {
    fn open(region: &Region) -> Result<Self> {
        // Whatever a killed guest has answered is not asked again; what it was at may be lost.
        let options = ConsumerOptions::new().delivery(Delivery::AtMostOnce);
        Ok(Self { down: region.consumer_with("down", options)?, up: region.producer("up")? })
    }

    /// Does what the host asks for until the end, or returns the mapping in which to go on.
    fn serve(&mut self, region: &Region) -> Result<Option<String>> {
        let mut buf = [0; FRAME];
        loop {
            let got = match self.down.try_recv(&mut buf) {
                Ok(got) => got,
                Err(TryRecvError::Empty) => {
                    std::thread::sleep(LOOK);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let asked = &buf[..got.len];
            match got.tag {
                tag::ECHO => self.answer(tag::ECHO, asked)?,
                tag::VALUES => {
                    let salt = *asked.first().ok_or("no salt")?;
                    take_all(region, Side::Guest, salt)?;
                    put_all(region, Side::Guest, !salt)?;
                    self.answer(tag::VALUES, &[!salt])?;
                }
                tag::LOCK => self.answer(tag::LOCK, lock(region).as_bytes())?,
                tag::HOLD => {
                    hold(region)?;
                    self.answer(tag::HOLD, &[])?;
                }
                tag::REOPEN => {
                    self.answer(tag::REOPEN, asked)?;
                    return Ok(Some(String::from_utf8_lossy(asked).into_owned()));
                }
                tag::END => {
                    self.answer(tag::END, &[])?;
                    return Ok(None);
                }
                other => return Err(format!("the host asks for {other}").into()),
            }
        }
    }

    fn answer(&mut self, tag: u32, bytes: &[u8]) -> Result<()> {
        loop {
            match self.up.try_send(tag, bytes) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full) => std::thread::sleep(LOOK),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Changes the value under the lock, and says how that went.
fn lock(region: &Region) -> String {
    let mut mutex: Mutex<Locked, SystemPort> = match region.mutex("lock") {
        Ok(mutex) => mutex,
        Err(error) => return format!("refused: {error}"),
    };
    let (mut guard, found) = match mutex.try_lock() {
        Ok(Lock::Held(guard)) => (guard, "free"),
        Ok(Lock::OwnerDied(recovery)) => match recovery.roll_back() {
            Ok(guard) => (guard, "its owner had died"),
            Err(_) => return "not repaired".into(),
        },
        Err(error) => return format!("not locked: {error}"),
    };
    let before = guard.get();
    guard.set(&value(9));
    let whole = guard.get() == value(9) && (before == [0; 24] || before == value(9));
    format!("{found}{}", if whole { "" } else { ", and its value is broken" })
}

/// Takes the lock for as long as the machine runs.
fn hold(region: &Region) -> Result<()> {
    let mutex: Mutex<Locked, SystemPort> = region.mutex("lock")?;
    // Neither is dropped: the machine is killed.
    let mutex = Box::leak(Box::new(mutex));
    match mutex.try_lock()? {
        Lock::Held(guard) => std::mem::forget(guard),
        Lock::OwnerDied(_) => return Err("somebody had died with the lock".into()),
    }
    Ok(())
}
