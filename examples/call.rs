//! A caller that blocks for an answer, and a post that does not: what `SendMessage` and `PostMessage` are to windows,
//! between two processes and with a bound.
//!
//! Asserts every answer, that a refusal is told, that a time-out leaves the call out, and that a caller learns of the
//! server's death.

mod common;

use std::time::Duration;

use common::{Other, PATIENCE, PROVES_DEATH, Result};
use strait::call::{CallError, Ran};
use strait::format::inspect::{CallStage, CallState, calls};
use strait::port::Port;
use strait::{CallClient, Channel, Plan, Region, RegionName, RegionOptions, SystemPort};

strait::message! {
    /// A request to the drive.
    struct Request { what: u32, axis: u32, value: f64 }
    /// The drive's answer.
    struct Answer { position: f64, moves: u64 }
}

const PLAN: Plan = Plan::new(&[Channel::calls::<Request, Answer>("drive", 8)]);

// What a request asks for.
const MOVE_TO: u32 = 1;
const POSITION: u32 = 2;
const SLEEP: u32 = 3;
const END: u32 = 4;

const AXES: usize = 3;
/// The server's reason to refuse.
const NO_SUCH_AXIS: u16 = 1;

/// The drive: serves until it is told to end.
fn serve(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut server = region.call_server::<Request, Answer>("drive")?;
    let (mut positions, mut moves) = ([0.0; AXES], 0);
    loop {
        let (request, reply) = server.next_timeout(PATIENCE)?;
        let Some(position) = positions.get_mut(request.axis as usize) else {
            reply.refuse(NO_SUCH_AXIS);
            continue;
        };
        match request.what {
            MOVE_TO => {
                *position = request.value;
                moves += 1;
            }
            SLEEP => std::thread::sleep(Duration::from_secs_f64(request.value)),
            _ => {}
        }
        reply.answer(&Answer { position: *position, moves });
        if request.what == END {
            return Ok(());
        }
    }
}

fn request(what: u32, axis: u32, value: f64) -> Request {
    Request { what, axis, value }
}

fn call() -> Result<()> {
    let name = common::fresh_name("call");
    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let mut drive: CallClient<Request, Answer, SystemPort> = region.call_client("drive")?;
    let server = Other::start(&["serve", &name])?;

    // Blocks until the answer is there, or the server is dead, or the time is over.
    let answer = drive.call_timeout(&request(MOVE_TO, 1, 0.25), PATIENCE)?;
    assert_eq!(answer, Answer { position: 0.25, moves: 1 });

    // Returns at once. What is posted is served in order with what is called.
    for n in 1..=4 {
        drive.post(&request(MOVE_TO, 2, f64::from(n)))?;
    }
    let answer = drive.call_timeout(&request(POSITION, 2, 0.0), PATIENCE)?;
    assert_eq!(answer, Answer { position: 4.0, moves: 5 });
    println!("after a call and four posts: axis 2 at {}, {} moves", answer.position, answer.moves);

    // Two calls out at once, whose answers are taken in another order.
    let first = drive.try_call(&request(POSITION, 1, 0.0))?;
    let second = drive.try_call(&request(POSITION, 2, 0.0))?;
    assert_eq!(drive.wait_timeout(second, PATIENCE)?.position, 4.0);
    assert_eq!(drive.wait_timeout(first, PATIENCE)?.position, 0.25);

    let refused = drive.call_timeout(&request(MOVE_TO, 9, 0.0), PATIENCE);
    assert_eq!(refused, Err(CallError::Refused { code: NO_SUCH_AXIS }));
    println!("there is no axis 9: {}", refused.unwrap_err());

    // A time-out proves nothing: the call is still out, and its answer comes.
    let late = drive.call_timeout(&request(SLEEP, 0, 0.5), Duration::from_millis(50));
    let Err(CallError::TimedOut { ticket }) = late else { panic!("the drive sleeps: {late:?}") };
    assert_eq!(drive.wait_timeout(ticket, PATIENCE)?.moves, 5);

    drive.call_timeout(&request(END, 0, 0.0), PATIENCE)?;
    server.finish()?;
    if PROVES_DEATH {
        killed(&region, &mut drive, &name)?;
    }
    RegionName::new(&name)?.remove()?;
    Ok(())
}

/// The server is killed with a request that it has taken, and another behind that.
fn killed(region: &Region, drive: &mut CallClient<Request, Answer, SystemPort>, name: &str) -> Result<()> {
    let server = Other::start(&["serve", name])?;
    let taken = drive.try_call(&request(SLEEP, 0, 60.0))?;
    let waiting = drive.try_call(&request(MOVE_TO, 0, 1.0))?;
    let entry = region.channel("drive")?;
    let is_taken = |call: CallState| matches!(call.stage, CallStage::Taken { .. });
    while !calls(region.port().mem(), region.header().line, &entry).next().is_some_and(is_taken) {
        std::thread::sleep(Duration::from_millis(1));
    }
    server.kill()?;
    let ends = [taken, waiting].map(|ticket| drive.wait_timeout(ticket, PATIENCE));
    let died = [Ran::Maybe, Ran::No].map(|ran| Err(CallError::PeerDied { ran }));
    assert_eq!(ends, died);
    println!("of the first: {}; of the second: {}", ends[0].unwrap_err(), ends[1].unwrap_err());
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => call(),
        ["serve", name] => serve(name),
        _ => common::usage("none"),
    })
}
