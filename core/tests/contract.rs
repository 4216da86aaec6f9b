//! Contracts over a region: calls, hashes, what differs, and sides that lie or panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::common::Region;
use strait_core::contract::{
    Carrier, Contract, Difference, FunctionError, OpenContractError, RegionCarrier, ServeContractError,
    difference,
};
use strait_core::format::ValueType;
use strait_core::{CallError, Channel, ChannelError, Plan, Ran};

const NOW: Duration = Duration::ZERO;
const TOO_FAR: u16 = 7;

strait_core::message! {
    struct Target { angle_rad: f64, axis: u32, reserved: u32 }
    struct Position { angle_rad: f64 }
    struct Reason { code: u32 }
    struct Stopped { trace: [u16; 50] }
    struct Line { text: [u8; 24] }
}

strait_core::contract! {
    /// What a drive does.
    contract Drive: client DriveClient, server DriveServer {
        /// Moves, and returns where it has stopped.
        fn move_to(target: Target) -> Position;
        /// Stops.
        fn stop(why: Reason) -> Stopped;
        /// For the log.
        post note(line: Line);
    }
}

/// The same list of another contract, with one thing changed in each.
mod other {
    use super::{Line, Position, Reason, Stopped, Target};

    strait_core::contract! {
        pub contract Valve: client ValveClient, server ValveServer {
            fn move_to(target: Target) -> Position;
            fn stop(why: Reason) -> Stopped;
            post note(line: Line);
        }
    }
    pub mod renamed {
        use super::*;
        strait_core::contract! {
            pub contract Drive: client DriveClient, server DriveServer {
                fn move_to(target: Target) -> Position;
                fn stop_now(why: Reason) -> Stopped;
                post note(line: Line);
            }
        }
    }
    pub mod argument {
        use super::*;
        strait_core::contract! {
            pub contract Drive: client DriveClient, server DriveServer {
                fn move_to(target: Target) -> Position;
                fn stop(why: u32) -> Stopped;
                post note(line: Line);
            }
        }
    }
    pub mod answer {
        use super::*;
        strait_core::contract! {
            pub contract Drive: client DriveClient, server DriveServer {
                fn move_to(target: Target) -> Position;
                fn stop(why: Reason) -> Stopped;
                fn note(line: Line) -> u32;
            }
        }
    }
    pub mod shorter {
        use super::*;
        strait_core::contract! {
            pub contract Drive: client DriveClient, server DriveServer {
                fn move_to(target: Target) -> Position;
                fn stop(why: Reason) -> Stopped;
            }
        }
    }
}

#[derive(Default)]
struct Motor {
    at: f64,
    lines: Vec<[u8; 24]>,
    stops: u32,
}

impl DriveServer for Motor {
    fn move_to(&mut self, target: &Target) -> Result<Position, u16> {
        assert_ne!(target.axis, 13, "axis 13 makes this server panic");
        if target.angle_rad.abs() > 3.0 {
            return Err(TOO_FAR);
        }
        self.at = target.angle_rad;
        Ok(Position { angle_rad: self.at })
    }

    fn stop(&mut self, why: &Reason) -> Result<Stopped, u16> {
        self.stops += 1;
        Ok(Stopped { trace: [why.code as u16; 50] })
    }

    fn note(&mut self, line: &Line) {
        self.lines.push(line.text);
    }
}

fn target(angle_rad: f64, axis: u32) -> Target {
    Target { angle_rad, axis, reserved: 0 }
}

const PLAN: Plan = Plan::new(&[Drive::plan_channel("drive", 4)]).participants(8);

/// Runs `client` on a thread while `server` serves, until the client is done.
fn both<T: Send, S>(client: impl FnOnce() -> T + Send, mut serve: impl FnMut() -> S) -> T {
    std::thread::scope(|threads| {
        let client = threads.spawn(client);
        while !client.is_finished() {
            serve();
            std::thread::yield_now();
        }
        client.join().expect("the client does not panic")
    })
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn functions_are_called_and_posted_in_order() {
    let region = Region::new(&PLAN);
    let mut requests = Drive::server(&region.join(), "drive").unwrap();
    let mut motor = Motor::default();
    let client = || {
        let mut drive = Drive::client(&region.join(), "drive", PATIENCE).unwrap();
        drive.note(&Line { text: [1; 24] }).unwrap();
        assert_eq!(drive.move_to(&target(1.5, 0), PATIENCE), Ok(Position { angle_rad: 1.5 }));
        assert_eq!(drive.move_to(&target(9.0, 0), PATIENCE), Err(FunctionError::Refused { code: TOO_FAR }));
        drive.note(&Line { text: [2; 24] }).unwrap();
        assert_eq!(drive.stop(&Reason { code: 5 }, PATIENCE).unwrap().trace, [5; 50]);
    };
    both(client, || Drive::serve(&mut requests, &mut motor, NOW));
    assert_eq!((motor.lines, motor.stops, motor.at), (vec![[1; 24], [2; 24]], 1, 1.5));
    let idle = Drive::serve(&mut requests, &mut Motor::default(), NOW);
    assert_eq!(idle, Err(ServeContractError::TimedOut));
}

#[test]
fn text_and_hash_stay_what_they_are() {
    assert_eq!(
        Drive::TEXT,
        "Drive\n\
         move_to({angle_rad:f64@0;axis:u32@8;reserved:u32@12;size=16})->{angle_rad:f64@0;size=8}\n\
         stop({code:u32@0;size=4})->{trace:[50]u16@0;size=100}\n\
         note({text:[24]u8@0;size=24})\n"
    );
    // Both are in memory: a change of either makes old programs and new ones refuse each other.
    assert_eq!(Drive::HASH, 0x5BE3_7D1F_D394_5DFB);
    let region = Region::new(&PLAN);
    let entry = region.join().channel("drive").unwrap();
    assert_eq!((entry.type_hash, entry.max_len), (Drive::HASH, 4 + 24));
    assert_eq!((entry.answer.hash, entry.answer.size), (0x6B15_8774_7F82_8B6B, 4 + 100));
}

fn names(found: Option<Difference>) -> String {
    found.map_or("nothing".into(), |found| found.to_string())
}

#[test]
fn the_first_difference_is_named() {
    let ours = Drive::TEXT;
    assert_eq!(difference(ours, ours), None);
    let cases = [
        (other::Valve::TEXT, "this side is built for contract `Drive`, the other for `Valve`"),
        (other::renamed::Drive::TEXT, "function 2 is `stop` on this side and `stop_now` on the other"),
        (other::argument::Drive::TEXT, "function `stop` takes another argument on the other side"),
        (other::answer::Drive::TEXT, "function `note` has another answer on the other side"),
        (other::shorter::Drive::TEXT, "the other side has no function `note`"),
        ("", "this side is built for contract `Drive`, the other for ``"),
        ("Dri", "this side is built for contract `Drive`, the other for `Dri`"),
    ];
    for (theirs, said) in cases {
        assert_eq!(names(difference(ours, theirs)), said);
    }
    let longer = difference(other::shorter::Drive::TEXT, ours);
    assert_eq!(names(longer), "the other side has a function `note`, and this side has none");
    let back = difference(other::answer::Drive::TEXT, ours);
    assert_eq!(names(back), "function `note` has another answer on the other side");
}

/// Whatever the other side writes is compared without a panic, and only what can be shown is shown.
#[test]
fn any_text_is_compared() {
    for cut in 0..=Drive::TEXT.len() {
        let cut_off = difference(Drive::TEXT, &Drive::TEXT[..cut]);
        assert_eq!(cut_off.is_none(), cut == Drive::TEXT.len(), "cut at {cut}: {cut_off:?}");
        for garbage in ["\n", "(", ")", "\u{1b}[2J", "é", &"x".repeat(5000)] {
            let theirs = format!("{}{garbage}{}", &Drive::TEXT[..cut], &Drive::TEXT[cut..]);
            let found = difference(Drive::TEXT, &theirs).expect("something was put in");
            assert!(found.to_string().chars().all(|c| c.is_ascii_graphic() || c == ' '), "{found}");
        }
    }
}

#[test]
fn a_server_names_what_differs() {
    let region = Region::new(&PLAN);
    let mut requests = Drive::server(&region.join(), "drive").unwrap();
    let client = || {
        let renamed = other::renamed::Drive::client(&region.join(), "drive", PATIENCE).err();
        let valve = other::Valve::client(&region.join(), "drive", PATIENCE).err();
        (renamed, valve)
    };
    let mut motor = Motor::default();
    let (renamed, valve) = both(client, || Drive::serve(&mut requests, &mut motor, NOW));
    let said = [renamed, valve].map(|error| error.expect("another contract").to_string());
    assert_eq!(
        said,
        [
            "the contracts differ: function 2 is `stop_now` on this side and `stop` on the other; \
             build both sides from one definition",
            "the contracts differ: this side is built for contract `Valve`, the other for `Drive`; \
             build both sides from one definition",
        ]
    );
    // The right client still comes in, and no function has run.
    assert!(Drive::client(&region.join(), "drive", NOW).is_ok());
    assert_eq!((motor.stops, motor.lines.len()), (0, 0));
}

#[test]
fn without_a_server_the_difference_is_not_known() {
    let region = Region::new(&PLAN);
    let error = other::Valve::client(&region.join(), "drive", NOW).err();
    assert_eq!(error, Some(OpenContractError::DiffersSomewhere));
    let _client = Drive::client(&region.join(), "drive", NOW).unwrap();
    let busy = other::Valve::client(&region.join(), "drive", NOW).err();
    assert_eq!(busy, Some(OpenContractError::DiffersSomewhere));
}

/// There is no heap for messages of any length.
#[test]
fn a_contract_of_long_messages_is_refused_without_a_question() {
    const LONG: Plan = Plan::new(&[Long::plan_channel("drive", 1)]).participants(8);
    let region = Region::new(&LONG);
    let mut requests = Long::server(&region.join(), "drive").unwrap();
    let error = Drive::client(&region.join(), "drive", PATIENCE).err();
    assert_eq!(error, Some(OpenContractError::DiffersSomewhere));
    struct Never;
    impl LongServer for Never {
        fn send(&mut self, _: &[u8; 2000]) -> Result<u8, u16> {
            unreachable!("nobody sends")
        }
    }
    assert_eq!(Long::serve(&mut requests, &mut Never, NOW), Err(ServeContractError::TimedOut));
}

strait_core::contract! {
    contract Long: client LongClient, server LongServer {
        fn send(image: [u8; 2000]) -> u8;
    }
}

#[test]
fn a_server_of_another_contract_is_refused() {
    let region = Region::new(&PLAN);
    assert_eq!(other::Valve::server(&region.join(), "drive").err(), Some(ChannelError::Type));
}

/// The question which contract a server has could be an order to a server that has none.
#[test]
fn a_channel_of_no_contract_is_not_asked() {
    const PLAIN: Plan =
        Plan::new(&[Channel::calls::<[u32; 7], [u32; 26]>("drive", 4), Channel::slots::<u32>("queue", 4)])
            .participants(8);
    let region = Region::new(&PLAIN);
    let channel = |error| Some(OpenContractError::Channel(error));
    assert_eq!(Drive::client(&region.join(), "drive", PATIENCE).err(), channel(ChannelError::Type));
    let mut server = region.join().call_server::<[u32; 7], [u32; 26]>("drive").unwrap();
    assert!(server.try_next().is_err(), "nothing was asked");
    assert!(matches!(
        Drive::client(&region.join(), "queue", NOW).err(),
        Some(OpenContractError::Channel(ChannelError::Kind { .. }))
    ));
    assert_eq!(Drive::client(&region.join(), "none", NOW).err(), channel(ChannelError::NotFound));
}

#[test]
fn a_function_that_panics_refuses_its_request() {
    let region = Region::new(&PLAN);
    let mut requests = Drive::server(&region.join(), "drive").unwrap();
    let mut motor = Motor::default();
    let client = || {
        let mut drive = Drive::client(&region.join(), "drive", PATIENCE).unwrap();
        let panicked = drive.move_to(&target(0.0, 13), PATIENCE);
        (panicked, drive.move_to(&target(0.5, 1), PATIENCE))
    };
    let mut panics = 0;
    let (first, second) = both(client, || {
        let served = catch_unwind(AssertUnwindSafe(|| Drive::serve(&mut requests, &mut motor, NOW)));
        panics += u32::from(served.is_err());
    });
    assert_eq!(first, Err(FunctionError::Refused { code: 0 }));
    assert_eq!((second, panics), (Ok(Position { angle_rad: 0.5 }), 1));
}

#[test]
fn a_client_that_asks_for_no_function_is_refused() {
    let region = Region::new(&PLAN);
    let mut requests = Drive::server(&region.join(), "drive").unwrap();
    let client = || {
        let mut carrier = RegionCarrier::<Drive, _>::open(&region.join(), "drive", PATIENCE).unwrap();
        let unknown = [4, 5, u32::MAX].map(|number| carrier.call(number, &[0; 24], &mut [0; 8], PATIENCE));
        // More than the channel's requests have, and less than the function's argument: zeros come for the rest.
        let long = carrier.call(1, &[0; 25], &mut [0; 8], PATIENCE);
        let short = carrier.call(1, &[0; 3], &mut [0; 8], PATIENCE);
        (unknown, long, short)
    };
    let mut motor = Motor::default();
    let (unknown, long, short) = both(client, || Drive::serve(&mut requests, &mut motor, NOW));
    assert_eq!(unknown, [Err(FunctionError::Refused { code: 0 }); 3]);
    assert_eq!((long, short), (Err(FunctionError::WrongAnswer), Ok(())));
}

/// A server that says it has the contract, and answers nonsense.
#[test]
fn an_answer_to_another_function_is_none() {
    let region = Region::new(&PLAN);
    let entry = region.join().channel("drive").unwrap();
    let types = ValueType { hash: entry.type_hash, size: entry.max_len };
    let mut liar = region.join().call_server_of("drive", types, entry.answer).unwrap();
    let mut request = vec![0; types.size as usize];
    let client = || {
        let mut drive = Drive::client(&region.join(), "drive", PATIENCE).unwrap();
        drive.move_to(&target(1.0, 0), PATIENCE)
    };
    let told = both(client, || {
        if let Ok(reply) = liar.try_next_into(&mut request) {
            let mut answer = vec![0xEE; entry.answer.size as usize];
            answer[..4].copy_from_slice(&2_u32.to_le_bytes());
            reply.answer_from(&answer).unwrap();
        }
    });
    assert_eq!(told, Err(FunctionError::WrongAnswer));
}

/// A text without an end, and one of other bytes than text.
#[test]
fn a_server_that_lies_about_its_text_is_not_believed_for_ever() {
    let region = Region::new(&PLAN);
    let entry = region.join().channel("drive").unwrap();
    let types = ValueType { hash: entry.type_hash, size: entry.max_len };
    let mut liar = region.join().call_server_of("drive", types, entry.answer).unwrap();
    let mut request = vec![0; types.size as usize];
    let mut asked = 0;
    let client = || other::Valve::client(&region.join(), "drive", PATIENCE).err();
    let told = both(client, || {
        if let Ok(reply) = liar.try_next_into(&mut request) {
            asked += 1;
            reply.answer_from(&vec![0xEE; entry.answer.size as usize]).unwrap();
        }
    });
    let Some(OpenContractError::Differs(Difference::Contract { theirs, .. })) = told else {
        panic!("{told:?}")
    };
    assert_eq!((theirs.as_str(), asked), ("?".repeat(40).as_str(), 1));
}

#[test]
fn a_call_without_an_answer_in_time_is_given_up() {
    let region = Region::new(&PLAN);
    let mut requests = Drive::server(&region.join(), "drive").unwrap();
    let mut drive = Drive::client(&region.join(), "drive", NOW).unwrap();
    // More calls than places: none of them keeps its place, once the server has seen it.
    for _ in 0..8 {
        let late = drive.stop(&Reason { code: 1 }, NOW);
        assert_eq!(late, Err(FunctionError::TimedOut { ran: Ran::No }));
        let mut motor = Motor::default();
        assert_eq!(Drive::serve(&mut requests, &mut motor, NOW), Err(ServeContractError::TimedOut));
        assert_eq!(motor.stops, 0, "what will never run does not run");
    }
    for _ in 0..4 {
        drive.note(&Line { text: [0; 24] }).unwrap();
    }
    assert_eq!(drive.note(&Line { text: [0; 24] }), Err(FunctionError::Full));
    assert_eq!(FunctionError::from(CallError::Full), FunctionError::Full);
}

#[test]
fn a_function_ends_when_its_server_dies_and_says_whether_it_may_have_run() {
    let region = Region::new(&PLAN);
    let mut drive = Drive::client(&region.join(), "drive", NOW).unwrap();
    let dying = region.join();
    let mut requests = Drive::server(&dying, "drive").unwrap();
    drive.note(&Line { text: [0; 24] }).unwrap();
    // It has taken the post, and neither answered nor refused it.
    requests.calls().try_next_into(&mut [0; 28]).unwrap().keep();
    dying.die(requests);
    let gone = Err(FunctionError::ServerGone { ran: Ran::No });
    assert_eq!(drive.move_to(&target(1.0, 0), PATIENCE), gone);
    // Its successor does not run the post again, and serves on.
    let mut requests = Drive::server(&region.join(), "drive").unwrap();
    let mut motor = Motor::default();
    let moved =
        both(|| drive.move_to(&target(1.0, 0), PATIENCE), || Drive::serve(&mut requests, &mut motor, NOW));
    assert_eq!((moved, motor.lines.len()), (Ok(Position { angle_rad: 1.0 }), 0));
}

strait_core::contract! {
    /// Names that are also Rust's, and those of the contract's own functions.
    contract Odd: client OddClient, server OddServer {
        fn r#move(target: u32) -> u64;
        fn open(number: u8) -> u8;
        fn serve(number: u8) -> u8;
        fn carrier(number: u8) -> u8;
    }
}

#[test]
fn any_name_can_be_a_function() {
    struct Adds;
    impl OddServer for Adds {
        fn r#move(&mut self, target: &u32) -> Result<u64, u16> {
            Ok(u64::from(*target) + 1)
        }
        fn open(&mut self, number: &u8) -> Result<u8, u16> {
            Ok(number + 2)
        }
        fn serve(&mut self, number: &u8) -> Result<u8, u16> {
            Ok(number + 3)
        }
        fn carrier(&mut self, number: &u8) -> Result<u8, u16> {
            Ok(number + 4)
        }
    }
    const ODD: Plan = Plan::new(&[Odd::plan_channel("odd", 1)]).participants(8);
    assert_eq!(Odd::TEXT, "Odd\nmove(u32)->u64\nopen(u8)->u8\nserve(u8)->u8\ncarrier(u8)->u8\n");
    let region = Region::new(&ODD);
    let mut requests = Odd::server(&region.join(), "odd").unwrap();
    let client = || {
        let mut odd = Odd::client(&region.join(), "odd", PATIENCE).unwrap();
        let moved = odd.r#move(&1, PATIENCE);
        (moved, [odd.open(&1, PATIENCE), odd.serve(&1, PATIENCE), odd.carrier(&1, PATIENCE)])
    };
    let (moved, rest) = both(client, || Odd::serve(&mut requests, &mut Adds, NOW));
    assert_eq!((moved, rest), (Ok(2), [Ok(3), Ok(4), Ok(5)]));
}
