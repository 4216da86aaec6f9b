//! The drive as a server of calls, a producer in one lane of a log, and the writer of a broadcast. It is killed at
//! any instruction, and hangs on request with a call taken.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use drive_firmware::{Board, join};
use drive_link::DRIVE;
use drive_link::patterns::{Ask, DRIVE_LANE, Line, State, Told, ask};
use semihosting::{println, process};
use strait_core::{
    Attachment, BroadcastWriter, CallServer, ChannelError, Interrupted, ServeError, TrySendError,
    TypedProducer,
};

/// Rounds without a call before the Linux process is taken for gone.
const PATIENCE: u32 = 20_000_000;

type Server = CallServer<Ask, Told, Board>;

struct Drive {
    /// What a dead boot had taken, its client is told.
    told: Server,
    /// What a dead boot had taken, runs again.
    again: Server,
    log: TypedProducer<Line, Board>,
    state: BroadcastWriter<State, Board>,
    boot: u32,
}

impl Drive {
    /// Takes the drive's roles, over from the last boot if there was one.
    fn open(region: &Attachment<Board>) -> Result<Self, ChannelError> {
        let mut drive = Self {
            told: region.call_server("told")?,
            again: region.call_server("again")?,
            log: region.typed_lane_producer("log", DRIVE_LANE)?,
            state: region.broadcast_writer("state")?,
            boot: region.port().boot,
        };
        drive.again.set_interrupted(Interrupted::Again);
        Ok(drive)
    }

    /// One round; whether there was a call.
    fn step(&mut self) -> bool {
        let line = Line::new(self.log.next_sequence(), self.boot);
        match self.log.try_send(&line) {
            Ok(()) => self.publish(0),
            Err(TrySendError::Full) => {}
            Err(error) => panic!("the log: {error}"),
        }
        self.serve(|drive| &mut drive.told) | self.serve(|drive| &mut drive.again)
    }

    fn publish(&mut self, hangs: u32) {
        let number = self.state.published() as u32 + 1;
        self.state.publish(&State { number, triple: number.wrapping_mul(3), boot: self.boot, hangs });
    }

    fn serve(&mut self, server: impl Fn(&mut Self) -> &mut Server) -> bool {
        let (ask, again) = match server(self).try_next() {
            Ok((ask, reply)) => {
                let again = reply.is_again();
                reply.keep();
                (ask, u32::from(again))
            }
            Err(ServeError::Empty) => return false,
            Err(error) => panic!("calls: {error}"),
        };
        if ask.what == ask::HANG && ask.number == self.boot {
            self.hang();
        }
        let told = Told {
            number: ask.number,
            triple: ask.number.wrapping_mul(3),
            boot: self.boot,
            again,
            lines: self.log.next_sequence(),
            states: self.state.published() as u32,
        };
        server(self).reply().expect("it was kept").answer(&told);
        if ask.what == ask::STOP {
            println!("PASS boot {}: told to stop", self.boot);
            process::exit(0);
        }
        true
    }

    /// Dies with a call taken: as far as the drive is concerned, the power fails here.
    fn hang(&mut self) {
        self.publish(1);
        (0..PATIENCE).for_each(|_| core::hint::spin_loop());
        panic!("nobody pulled the plug");
    }
}

#[drive_firmware::entry]
fn main() -> ! {
    let region = join(DRIVE).expect("the region");
    let mut drive = Drive::open(&region).expect("the roles");
    drive.publish(0);
    let mut idle = 0;
    while idle < PATIENCE {
        idle = if drive.step() { 0 } else { idle + 1 };
    }
    panic!("the Linux process is gone");
}
