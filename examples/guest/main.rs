//! A virtual machine and its host on one region, in the memory of QEMU's device `ivshmem`: frames, typed slots and
//! latest values both ways, a lock within the guest, and a guest that is killed and succeeded by its next run.
//!
//! `cargo run --example guest -- host FILE COMMAND...` is the host: it lays the region out in FILE, and starts QEMU by
//! the command, twice. In the guest this program is `/init`. `cargo xtask test guest` does all of that.
//!
//! With `doorbells` in place of `host`, the two sides wake each other through the device `ivshmem-doorbell`, whose server
//! this program is then, and both sleep between messages; the guest by the driver `vfio-pci`. See `bells.rs` and `ringing.rs`.
//!
//! With `pair` and two commands with the word `and` between them, a machine of ARM, one of x86 and a process of the host
//! exchange everything that crosses machines with each other at the same time, and each of them is killed: see `pair.rs`,
//! `party.rs` and `link.rs`.
//!
//! With `buffers` and a command, the machine shares nothing: in its kernel, which has `udmabuf` and a dma-heap, two processes
//! share regions in buffers of both: see `alone.rs` and the example `dma_buf`.
//!
//! On ARM, Linux maps the device's memory so that the processor faults at accesses that are not aligned. Whether the
//! emulator does that as well is tried first: see `control.rs`.

#[cfg(target_os = "linux")]
mod alone;
#[cfg(target_os = "linux")]
mod bells;
#[cfg(target_os = "linux")]
#[path = "../common/buffers.rs"]
mod buffers;
#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod exchange;
#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
#[path = "../common/ivshmem.rs"]
mod ivshmem;
#[cfg(target_os = "linux")]
mod link;
#[cfg(target_os = "linux")]
mod pair;
#[cfg(target_os = "linux")]
mod party;
#[cfg(target_os = "linux")]
mod plan;
#[cfg(target_os = "linux")]
mod ringing;
#[cfg(target_os = "linux")]
mod three;

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::process::id() == 1 {
        return init::run();
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["host", file, command @ ..] if !command.is_empty() => host::run(file, command),
        ["pair", file, commands @ ..] => pair::run(file, commands),
        // A party needs no machine: this is how the host's runs, and how any other can.
        [three::PARTY, file, domain] => {
            party::run(strait::unix::RegionWindow::new(*file, 0), domain.parse()?)
        }
        [alone::BUFFERS, command @ ..] => alone::run(command),
        [buffers::PEER, how, number] => buffers::peer(how, number),
        ["doorbells", file, command @ ..] if !command.is_empty() => ringing::run(file, command),
        _ => {
            eprintln!(
                "error: wrong arguments; this example takes `host FILE COMMAND...`, or `doorbells` for `host`, or \
                 `pair FILE COMMAND... and COMMAND...`, or `buffers COMMAND...`"
            );
            std::process::exit(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the guest and the host of this example are Linux");
}
