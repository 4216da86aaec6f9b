//! The guest with doorbells: it loads the modules, binds the device to `vfio-pci`, and sleeps on the interrupt.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use nix::kmod::{ModuleInitFlags, finit_module};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use strait::linux::{EventPort, GuestDoorbells, VfioError};
use strait::options::WaitPolicy;
use strait::unix::RegionWindow;
use strait::{Attachment, RegionOptions, TryRecvError};

use crate::plan::{GUEST, HOST_CLIENT, Told, VECTOR, WINDOW, YES};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Modules of the kernel, which are loaded in the order of their names.
const MODULES: &str = "/modules";
const DRIVER: &str = "vfio-pci";

/// Longer than all of the run: nothing but a doorbell ends a sleep.
const NEVER: Duration = Duration::from_secs(3600);

/// Answers each question when it is rung for, until the machine is killed.
pub fn serve() -> Result<()> {
    // Each step, before it is done, is what is missing.
    missing(VfioError::NoModule)?;
    load()?;
    missing(VfioError::NotBound)?;
    let window = RegionWindow::ivshmem()?;
    let memory = window.path().ok_or("no device")?;
    bind(memory.parent().ok_or("no device")?)?;
    let bells = GuestDoorbells::open()?;
    missing(VfioError::Busy)?;
    println!("as client {} of the server, through {}", bells.number()?, memory.display());
    bells.ring(HOST_CLIENT, VECTOR)?;

    let region = window.len(WINDOW).open(&RegionOptions::new().domain(GUEST))?;
    let (own, host) = (bells.doorbell(VECTOR)?, bells.peer(HOST_CLIENT, VECTOR)?);
    let at = Attachment::attach(EventPort::new(region.port().clone(), own, vec![host]))?;
    let mut questions = at.typed_consumer::<u64>("questions")?;
    let mut answers = at.typed_producer::<Told>("answers")?;
    // Held until the machine is killed.
    let mut state = at.latest_writer::<u64>("state")?;
    state.publish(&YES);
    let mut calls = at.call_server::<u64, u64>("calls")?;
    let policy = WaitPolicy { spin: 0, park: true, probe: NEVER };
    loop {
        match questions.try_recv() {
            Ok(question) => answers.try_send(&told(question * 2)?)?,
            // Another call than the one that is taken does not wake.
            Err(TryRecvError::Empty) if calls.has_reply() => {
                at.port().wait_ready_or_readable(&mut [&mut questions], &[], policy, NEVER)?;
            }
            Err(TryRecvError::Empty) => {
                at.port().wait_ready_or_readable(&mut [&mut questions, &mut calls], &[], policy, NEVER)?;
                if let Ok((_, reply)) = calls.try_next() {
                    reply.keep();
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The doorbells cannot be opened, for this reason.
fn missing(wanted: VfioError) -> Result<()> {
    match GuestDoorbells::open() {
        Err(error) if error == wanted => Ok(()),
        other => Err(format!("{other:?}, where it should be {wanted:?}").into()),
    }
}

/// An answer, how often this process has slept so far, and how long it has worked, in microseconds.
fn told(answer: u64) -> Result<Told> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    let worked = used.user_time() + used.system_time();
    Ok([answer, used.voluntary_context_switches() as u64, worked.num_microseconds() as u64])
}

fn load() -> Result<()> {
    let mut modules: Vec<_> = fs::read_dir(MODULES)?.collect::<std::io::Result<_>>()?;
    modules.sort_by_key(fs::DirEntry::file_name);
    for module in modules {
        finit_module(File::open(module.path())?, c"", ModuleInitFlags::empty())
            .map_err(|error| format!("{}: {error}", module.path().display()))?;
    }
    Ok(())
}

/// Gives the device in this folder to the driver.
fn bind(device: &Path) -> Result<()> {
    let address = device.file_name().ok_or("no address")?;
    fs::write(device.join("driver_override"), DRIVER)?;
    fs::write("/sys/bus/pci/drivers_probe", address.as_encoded_bytes())?;
    Ok(())
}
