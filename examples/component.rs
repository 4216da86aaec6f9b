//! A component that is found by what it does, whatever its channel is called, and refused when it does something else.
//!
//! Asserts that a client finds the drive among the channels of a region, and that a client of a newer contract is told
//! which function has changed, before anything has run.

mod common;

use common::{Other, PATIENCE, Result};
use strait::contract::{Difference, FunctionError, OpenContractError, ServeContractError, is_of};
use strait::{Channel, Plan, RegionName, RegionOptions};

strait::message! {
    /// Where an axis is to go.
    struct Target { axis: u32, speed: f32, angle_rad: f64 }
    /// Where it is.
    struct Position { angle_rad: f64 }
    /// The number of a drive's axes.
    struct Axes { count: u32 }
}

strait::contract! {
    /// What a drive does.
    contract Drive: client DriveClient, server DriveServer {
        /// Moves, and returns where the axis has stopped.
        fn move_to(target: Target) -> Position;
        /// Stops an axis.
        post stop(axis: u32);
        /// Ends the drive's process.
        fn end(code: u32) -> Axes;
    }
}

/// The contract of next year's drive, whose stop has an answer.
mod newer {
    use super::{Axes, Position, Target};

    strait::contract! {
        /// What next year's drive does.
        pub(super) contract Drive: client DriveClient, server DriveServer {
            /// Moves, and returns where the axis has stopped.
            fn move_to(target: Target) -> Position;
            /// Stops an axis, and returns where it is.
            fn stop(axis: u32) -> Position;
            /// Ends the drive's process.
            fn end(code: u32) -> Axes;
        }
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::latest::<f64>("temperature"),
    Channel::calls::<u32, u32>("gripper", 1),
    Drive::plan_channel("left arm", 4),
]);

/// The server's reason to refuse.
const NO_SUCH_AXIS: u16 = 1;

#[derive(Default)]
struct Arm {
    angles: [f64; 3],
    stops: u32,
    ended: bool,
}

impl DriveServer for Arm {
    fn move_to(&mut self, target: &Target) -> std::result::Result<Position, u16> {
        let angle_rad = self.angles.get_mut(target.axis as usize).ok_or(NO_SUCH_AXIS)?;
        *angle_rad = target.angle_rad;
        Ok(Position { angle_rad: *angle_rad })
    }

    fn stop(&mut self, _axis: &u32) {
        self.stops += 1;
    }

    fn end(&mut self, code: &u32) -> std::result::Result<Axes, u16> {
        assert_eq!((*code, self.stops), (7, 1));
        self.ended = true;
        Ok(Axes { count: self.angles.len() as u32 })
    }
}

/// The component: serves until it is told to end.
fn serve(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut requests = Drive::server(&region, "left arm")?;
    let mut arm = Arm::default();
    while !arm.ended {
        match Drive::serve(&mut requests, &mut arm, PATIENCE) {
            Err(ServeContractError::TimedOut) => return Err("nobody needs the arm".into()),
            served => served?,
        };
    }
    Ok(())
}

fn use_it() -> Result<()> {
    let name = common::fresh_name("component");
    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let arm = Other::start(&["serve", &name])?;

    let found = region.channels().find(is_of::<Drive>).ok_or("the region has no drive")?;
    let channel = found.name().ok_or("the channel has no name")?;
    assert_eq!(channel, "left arm");

    // A client of another contract is told what differs. Nothing has run.
    let refused = newer::Drive::client(&region, channel, PATIENCE).err().ok_or("another contract came in")?;
    println!("{refused}");
    assert!(
        matches!(refused, OpenContractError::Differs(Difference::Answer { function }) if function.as_str() == "stop")
    );

    let mut drive = Drive::client(&region, channel, PATIENCE)?;
    let at = drive.move_to(&Target { axis: 1, speed: 0.5, angle_rad: 0.25 }, PATIENCE)?;
    assert_eq!(at.angle_rad, 0.25);
    drive.stop(&1)?;
    let nowhere = drive.move_to(&Target { axis: 9, speed: 0.5, angle_rad: 0.25 }, PATIENCE);
    assert_eq!(nowhere, Err(FunctionError::Refused { code: NO_SUCH_AXIS }));
    let axes = drive.end(&7, PATIENCE)?;
    println!("found a drive of {} axes at \"{channel}\"", axes.count);

    arm.finish()?;
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => use_it(),
        ["serve", name] => serve(name),
        _ => common::usage("none"),
    })
}
