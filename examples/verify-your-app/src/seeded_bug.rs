//! How the drive was written at first. It looks right, and passed every test on a bench: the stop is
//! looked at before each wait. The model checker needs a moment to lose it.

use strait::{RecvError, port::Port};

use crate::drive::{Drive, PATIENCE, Stopped};

/// [`Drive::run`], with the bug.
pub fn run<P: Port>(drive: &mut Drive<P>) -> Stopped {
    loop {
        if drive.stop.try_recv().is_ok() {
            return Stopped::ByOperator;
        }
        // A stop that comes here waits for the next job.
        match drive.jobs.recv_timeout(PATIENCE) {
            Ok(job) => drive.work(job),
            Err(RecvError::TimedOut) => {
                if let Some(stopped) = drive.is_alone() {
                    return stopped;
                }
            }
            Err(_) => return Stopped::Damaged,
        }
    }
}
