//! The drive: answers commands, follows the setpoint, counts the bytes of files, and dies on command.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::time::Duration;

use drive_firmware::{Board, join, rung};
use drive_link::{DRIVE, LONGEST, Setpoint, Shaft, tag};
use semihosting::{println, process};
use strait_core::{
    Attachment, ChannelError, Consumer, ConsumerOptions, LatestReader, LatestWriter, Producer, Reading,
    WaitPolicy, wait_any,
};

/// Looks before the controller is taken for gone.
const PATIENCE: u32 = 50_000_000;
/// Sleeps in which nothing came before it is: two minutes.
const SLEEPS: u32 = 12_000;
/// How long a sleep is at most: after as long a new setpoint is looked for.
const PERIOD: Duration = Duration::from_millis(10);
/// Sleeps at once.
const AT_ONCE: WaitPolicy = WaitPolicy { spin: 0, park: true, probe: PERIOD };

/// A file, as `strait send` divides it: the first frame, pieces, the last frame.
const FILE_BEGIN: u32 = u32::from_le_bytes(*b"STF1");
const FILE_DATA: u32 = u32::from_le_bytes(*b"STFd");
const FILE_END: u32 = u32::from_le_bytes(*b"STFe");

struct Drive {
    commands: Consumer<Board>,
    events: Producer<Board>,
    files: Consumer<Board>,
    setpoint: LatestReader<Setpoint, Board>,
    shaft: LatestWriter<Shaft, Board>,
    port: Board,
    now: Shaft,
    file_bytes: u32,
}

impl Drive {
    /// Takes the drive's roles, over from the last boot if there was one.
    fn open(region: &Attachment<Board>) -> Result<Self, ChannelError> {
        // A command that is done with is released at once, so that at most one comes again.
        let options = ConsumerOptions::new().release_every(1);
        Ok(Self {
            commands: region.consumer_with("commands", options)?,
            events: region.producer("events")?,
            files: region.consumer("files")?,
            setpoint: region.latest_reader("setpoint")?,
            shaft: region.latest_writer("shaft")?,
            port: region.port().clone(),
            now: Shaft { boot: region.port().boot, number: 0, angle: 0, hangs: 0, rung: 0 },
            file_bytes: 0,
        })
    }

    /// One round; whether there was anything to do.
    fn step(&mut self) -> bool {
        self.follow() | self.obey() | self.store()
    }

    fn follow(&mut self) -> bool {
        let Reading::Fresh(wanted) = self.setpoint.read() else { return false };
        assert_eq!(wanted.angle, 3 * wanted.number, "half a value");
        self.now = Shaft { number: wanted.number, angle: wanted.angle, ..self.now };
        self.publish();
        true
    }

    fn publish(&mut self) {
        self.now.rung = rung();
        self.shaft.publish(&self.now);
    }

    /// Until a command or a piece of a file is there, or it is time to look at the setpoint.
    fn sleep(&mut self) {
        let port = self.port.clone();
        let _ = wait_any(&port, &mut [&mut self.commands, &mut self.files], AT_ONCE, PERIOD);
    }

    fn obey(&mut self) -> bool {
        let mut buffer = [0; LONGEST];
        let Ok(command) = self.commands.try_recv(&mut buffer) else { return false };
        let number = buffer.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        match command.tag {
            tag::ECHO => self.report(tag::ECHO, &buffer[..command.len]),
            tag::HANG if number == self.now.boot => self.hang(),
            tag::HANG => {} // It comes again, because it was never released: this boot lives.
            tag::STOP => {
                self.commands.release();
                println!("PASS boot {}: told to stop", self.now.boot);
                process::exit(0);
            }
            other => panic!("a command of tag {other}"),
        }
        true
    }

    fn store(&mut self) -> bool {
        let mut buffer = [0; LONGEST];
        let Ok(piece) = self.files.try_recv(&mut buffer) else { return false };
        match piece.tag {
            FILE_BEGIN => self.file_bytes = 0,
            FILE_DATA => self.file_bytes += piece.len as u32,
            FILE_END => self.report(tag::FILE, &self.file_bytes.to_le_bytes()),
            other => panic!("a file's frame of tag {other}"),
        }
        true
    }

    fn report(&mut self, tag: u32, payload: &[u8]) {
        for _ in 0..PATIENCE {
            if self.events.try_send(tag, payload).is_ok() {
                return;
            }
        }
        panic!("nobody takes the events");
    }

    /// Dies in the middle of a frame: as far as the drive is concerned, the power fails here.
    fn hang(&mut self) {
        let mut half = self.events.reserve(200).expect("space, for nobody else is there");
        half.set_tag(tag::HALF);
        half.write(0, &[0xFF; 100]);
        self.now.hangs = 1;
        self.publish();
        (0..PATIENCE).for_each(|_| core::hint::spin_loop());
        panic!("nobody pulled the plug");
    }
}

#[drive_firmware::entry]
fn main() -> ! {
    let region = join(DRIVE).expect("the region");
    let mut drive = Drive::open(&region).expect("the roles");
    drive.publish();
    let mut idle = 0;
    while idle < SLEEPS {
        if drive.step() {
            idle = 0;
        } else {
            drive.sleep();
            idle += 1;
        }
    }
    panic!("the controller is gone");
}
