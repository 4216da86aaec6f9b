//! The Rust process that the tests of other languages talk to, in one role a process: `partner ROLE NAME`.
//!
//! - `echo`: sends each reading of `there` back, with its angle doubled.
//! - `serve`: answers calls of `ask`, and refuses those of a negative angle with code 7.
//! - `hold`: takes the lock of `pair`, commits 7, and is about to commit 8 when it is killed.
//! - `tear`: takes the lock of `pair` and is killed while it edits in place.
//! - `describe`: makes the region, which describes its types, and sends an axis by `axes`, and the latest by `axis`.
//! - `pipe`: an echo server on the named pipe NAME, for one client.
//!
//! But for `describe` the region is there already, with channels of these names. Each role prints `ready` once it has its part, and goes
//! on until it is killed or its standard input ends.
//!
//! By itself it creates a region, and asserts that a reading comes back from such a partner and that the lock of one
//! that was killed comes with the value committed last.

mod common;

use common::{Other, PATIENCE, PROVES_DEATH, Result};
use strait::pipe::{PipeListener, PipeName, PipeOptions};
use strait::{Channel, Plan, Region, RegionName, RegionOptions};

strait::message! {
    /// A reading of the encoder.
    struct Reading { time_ns: u64, angle_rad: f64 }
    /// A number that shows whether it is whole.
    struct Pair { number: u64, inverse: u64 }
    /// An axis of a machine, for peers that learn its fields from the region.
    struct Axis {
        state: u32 [values = { idle = 0, moving = 1, faulty = 9 }],
        /// From the switch at the end of travel.
        position: f32 [unit = "mm"],
        corners: [Corner; 2],
        history: [i16; 4],
    }
    /// Within an axis.
    struct Corner { x: f64, y: f64 [unit = "mm"] }
}

const PLAN: Plan = Plan::new(&[
    Channel::slots::<Reading>("there", 64).consumer_may_block().producer_may_block(),
    Channel::slots::<Reading>("back", 64).consumer_may_block().producer_may_block(),
    Channel::mutex::<Pair>("pair"),
]);
const NEGATIVE: u16 = 7;

impl Pair {
    fn of(number: u64) -> Self {
        Self { number, inverse: !number }
    }
}

fn open(name: &str) -> Result<Region> {
    Ok(RegionName::new(name)?.open(&RegionOptions::new())?)
}

fn echo(name: &str) -> Result<()> {
    let region = open(name)?;
    let mut there = region.typed_consumer::<Reading>("there")?;
    let mut back = region.typed_producer::<Reading>("back")?;
    common::ready();
    loop {
        let Reading { time_ns, angle_rad } = there.recv_timeout(PATIENCE)?;
        back.send_timeout(&Reading { time_ns, angle_rad: 2.0 * angle_rad }, PATIENCE)?;
    }
}

fn serve(name: &str) -> Result<()> {
    let region = open(name)?;
    let mut server = region.call_server::<Reading, Reading>("ask")?;
    common::ready();
    loop {
        let (Reading { time_ns, angle_rad }, reply) = server.next_timeout(PATIENCE)?;
        if angle_rad < 0.0 {
            reply.refuse(NEGATIVE);
        } else {
            reply.answer(&Reading { time_ns: time_ns + 1, angle_rad });
        }
    }
}

/// Takes the lock, and dies with it: between two commits, or in the middle of an edit in place.
fn hold(name: &str, in_place: bool) -> Result<()> {
    let region = open(name)?;
    let mut pair = region.mutex::<Pair>("pair")?;
    let mut guard = pair.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?;
    guard.update(|pair| *pair = Pair::of(7));
    if in_place {
        guard.edit_in_place(|_| {
            common::ready();
            common::until_told()
        })
    } else {
        guard.update(|pair| {
            *pair = Pair::of(8);
            common::ready();
            common::until_told()
        })
    }
}

fn described(name: &str) -> Result<()> {
    let plan = [
        Channel::slots::<Axis>("axes", 4).consumer_may_block().producer_may_block(),
        Channel::latest::<Axis>("axis").consumer_may_block(),
    ];
    let plan = Plan::new(&plan).described(strait::describe!(Axis, Corner));
    let region = RegionName::new(name)?.create(&plan, &RegionOptions::new())?;
    let corners = [Corner { x: 1.0, y: 2.0 }, Corner { x: 3.0, y: 4.5 }];
    let axis = Axis { state: 1, position: 0.25, corners, history: [-1, 2, -3, 4] };
    region.typed_producer::<Axis>("axes")?.try_send(&axis)?;
    region.latest_writer::<Axis>("axis")?.publish(&axis);
    common::ready();
    common::until_told()
}

fn pipe(name: &str) -> Result<()> {
    let mut listener = PipeListener::bind(&PipeName::new(name)?, &PipeOptions::new())?;
    common::ready();
    let mut pipe = listener.accept_timeout(PATIENCE)?;
    let mut buffer = [0; 1024];
    let len = pipe.read_timeout(&mut buffer, PATIENCE)?;
    pipe.write_timeout(&buffer[..len], PATIENCE)?;
    pipe.flush_timeout(PATIENCE)?;
    Ok(())
}

fn demonstrate() -> Result<()> {
    let name = common::fresh_name("partner");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;

    let partner = Other::start_and_wait(&["echo", &name])?;
    let mut there = region.typed_producer::<Reading>("there")?;
    let mut back = region.typed_consumer::<Reading>("back")?;
    there.send_timeout(&Reading { time_ns: 1, angle_rad: 0.25 }, PATIENCE)?;
    assert_eq!(back.recv_timeout(PATIENCE)?, Reading { time_ns: 1, angle_rad: 0.5 });
    partner.kill()?;

    if PROVES_DEATH {
        Other::start_and_wait(&["hold", &name])?.kill()?;
        let mut pair = region.mutex::<Pair>("pair")?;
        let lock = pair.lock_timeout(PATIENCE)?;
        let guard = lock.or_roll_back().map_err(|_| "edited in place")?;
        assert_eq!(guard.get(), Pair::of(7), "what was committed last");
        println!("a partner that was killed with the lock left the value that it had committed");
    }
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => demonstrate(),
        ["echo", name] => echo(name),
        ["serve", name] => serve(name),
        ["hold", name] => hold(name, false),
        ["tear", name] => hold(name, true),
        ["describe", name] => described(name),
        ["pipe", name] => pipe(name),
        _ => common::usage("none, or a role (echo, serve, hold, tear, describe, pipe) and a name"),
    })
}
