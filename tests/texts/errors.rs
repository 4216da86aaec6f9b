//! Every error says, in one line, which thing is wrong, why, and what to do about it; and no error advises to
//! remove what may be somebody else's.
//!
//! The list below is compared with the sources: a new error, or a new variant of one, must be entered here.
#![cfg(all(target_os = "linux", not(miri)))]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use strait::error::{
    LocalError, PlanError, PublishError, SemaphoreError, UnlockError, Violation, WaitAnyError, WrongSize,
};
use strait::format::participants::TableFull;
use strait::format::{AttachError, FormatError, Kind};
use strait::port::{Ident, Probe};
use strait::stream::EncodeError;
use strait::{ChannelError, LockError, OsError, RecvError, SendError, TryRecvError, TrySendError};
use strait_core::ground::plan::Fault;

mod guests;
mod patterns;
mod system;
mod windows;

/// The name of an error's type, of its variant as `Debug` prints it, and its text.
struct Told {
    of: &'static str,
    variant: String,
    text: String,
}

fn tell<E: Error>(all: &mut Vec<Told>, errors: impl IntoIterator<Item = E>) {
    let of = std::any::type_name::<E>().split('<').next().unwrap_or_default();
    let of = of.rsplit("::").next().unwrap_or_default();
    for error in errors {
        let debug = format!("{error:?}");
        let end = debug.find(|c: char| !c.is_alphanumeric()).unwrap_or(debug.len());
        all.push(Told { of, variant: debug[..end].into(), text: error.to_string() });
    }
}

const OS: OsError = OsError::new("open the thing", 13);
const WHO: Ident = Ident::new(3, 5).expect("an identity");

fn channel_errors() -> Vec<ChannelError> {
    vec![
        ChannelError::NotFound,
        ChannelError::Kind { found: Kind::Frames },
        ChannelError::Type,
        ChannelError::Busy,
        ChannelError::ReadOnly,
        ChannelError::Domain { planned: 2 },
        ChannelError::NoCommonAtomics,
        ChannelError::Lanes { count: 4 },
        ChannelError::NoLane { count: 4 },
        ChannelError::TooManyLanes { count: 4 },
        ChannelError::Consumers { count: 4 },
        ChannelError::NoConsumer { count: 4 },
        ChannelError::NoConsumer { count: 0 },
        ChannelError::Damaged("capacity"),
        ChannelError::Fault(Violation::Index),
    ]
}

fn of_the_core(all: &mut Vec<Told>) {
    let faults = [
        Fault::Name,
        Fault::Duplicate,
        Fault::Capacity,
        Fault::Geometry,
        Fault::Count,
        Fault::Line,
        Fault::Participants,
        Fault::TooLarge,
        Fault::Apart,
        Fault::Doorbell,
        Fault::Period,
        Fault::Lanes,
        Fault::Description,
        Fault::Consumers,
    ];
    for fault in faults {
        let text = PlanError { channel: Some(1), fault }.to_string();
        let text = text.strip_prefix("channel 1 of the plan: ").expect("the channel's number").into();
        all.push(Told { of: "Fault", variant: format!("{fault:?}"), text });
    }
    let plan = PlanError { channel: Some(1), fault: Fault::Line };
    tell(all, [plan]);
    let big = AttachError::BigEndianHost;
    tell(
        all,
        [
            big,
            AttachError::Misaligned { align: 64 },
            AttachError::TooShort { needed: 2, found: 1 },
            AttachError::Uninitialised,
            AttachError::ByteOrder,
            AttachError::NotARegion,
            AttachError::Version { found: 9 },
            AttachError::Features { unknown: 8 },
            AttachError::Header,
            AttachError::Checksum,
            AttachError::Mixed,
            AttachError::Apart,
            AttachError::Line { needed: 64, found: 32 },
            AttachError::Cached { from: 1, payload: 2 },
        ],
    );
    let short = FormatError::TooShort { needed: 2, found: 1 };
    let misaligned = FormatError::Misaligned { align: 64 };
    tell(all, [FormatError::BigEndianHost, FormatError::Plan(plan), misaligned, short]);
    tell(all, [PublishError::TooLarge { max: 9 }, PublishError::WrongSize { needed: 8 }]);
    tell(
        all,
        [
            WaitAnyError::TimedOut,
            WaitAnyError::Replaced { index: 2 },
            WaitAnyError::NoDoorbell,
            WaitAnyError::TooMany { most: 128 },
        ],
    );
    let local = [LocalError::Format(short), LocalError::Attach(big), LocalError::Table(TableFull)];
    tell(all, [LocalError::Created].into_iter().chain(local));
    tell(
        all,
        [
            SemaphoreError::Empty,
            SemaphoreError::TimedOut,
            SemaphoreError::Replaced,
            SemaphoreError::Overflow,
            SemaphoreError::Contended,
            SemaphoreError::Fault(Violation::State),
        ],
    );
    tell(all, [TableFull]);
    tell(all, channel_errors());
    of_endpoints(all);
    tell(all, [EncodeError::Full, EncodeError::TooLarge]);
}

fn of_endpoints(all: &mut Vec<Told>) {
    let fault = Violation::Walk;
    tell(
        all,
        [TrySendError::Full, TrySendError::TooLarge, TrySendError::WrongSize, TrySendError::Fault(fault)],
    );
    tell(all, [SendError::TimedOut, SendError::TooLarge, SendError::WrongSize, SendError::Fault(fault)]);
    tell(all, [SendError::PeerGone, SendError::Replaced, SendError::Fault(Violation::Forked)]);
    tell(all, [RecvError::PeerGone, RecvError::Replaced, RecvError::Fault(Violation::Forked)]);
    tell(all, [PublishError::Forked]);
    patterns::of_patterns(all);
    let (small, wrong) = (TryRecvError::TooSmall { needed: 9 }, TryRecvError::WrongSize { needed: 8 });
    tell(all, [TryRecvError::Empty, small, wrong, TryRecvError::Fault(fault)]);
    let (small, wrong) = (RecvError::TooSmall { needed: 9 }, RecvError::WrongSize { needed: 8 });
    tell(all, [RecvError::TimedOut, small, wrong, RecvError::Fault(fault)]);
    tell(all, [WrongSize { needed: 8 }]);
    tell(
        all,
        [
            LockError::Busy,
            LockError::TimedOut,
            LockError::Replaced,
            LockError::Deadlock,
            LockError::Poisoned,
            LockError::Fault(Violation::State),
        ],
    );
    let fault = UnlockError::Fault(Violation::State);
    tell(all, [UnlockError::NotOwner, fault, UnlockError::HardwareLock, UnlockError::GivenUp]);
    use strait::format::RecoverError;
    let channels = channel_errors().into_iter().map(RecoverError::Channel);
    let others = [
        RecoverError::Held { owner: WHO, probe: Probe::Alive },
        RecoverError::Held { owner: WHO, probe: Probe::Unknown },
        RecoverError::InPlace { from: WHO },
        RecoverError::Poisoned,
        RecoverError::Changed,
        RecoverError::Fault(Violation::State),
        RecoverError::HardwareLock,
    ];
    tell(all, channels.chain(others));
}

fn all() -> Vec<Told> {
    let mut all = Vec::new();
    of_the_core(&mut all);
    system::of_regions(&mut all);
    system::of_pipes(&mut all);
    patterns::of_contracts(&mut all);
    system::of_the_system(&mut all);
    guests::of_guests(&mut all);
    system::of_streams(&mut all);
    all
}

/// Errors of this build's other systems and features.
fn is_elsewhere(of: &str, path: &Path) -> bool {
    // By its file, for Unix has another error of the name `WindowError`.
    let is_on_windows =
        path.components().any(|part| ["windows", "os-windows"].iter().any(|name| part.as_os_str() == *name));
    let on_streams = ["RingPipeError", "StreamRecvError", "StreamSendError"];
    is_on_windows || cfg!(not(feature = "embedded-io-07")) && on_streams.contains(&of)
}

/// States that pass, or that the caller asked for: there is nothing to do but to go on.
const STATES: [&str; 5] = ["TimedOut", "Cancelled", "Closed", "PeerLeft", "UnexpectedEof"];

/// Texts that advise to remove something: a region or mutex of the caller's own.
const REMOVALS: [(&str, &str); 3] =
    [("PiOpenError", "OtherNamespace"), ("PiOpenError", "Exhausted"), ("PiLockError", "Fault")];

/// What errors are of. Each text names one.
const THINGS: [&str; 31] = [
    "call",
    "contract",
    "function",
    "broadcast",
    "region",
    "memory",
    "plan",
    "channel",
    "capacity",
    "name",
    "line",
    "participants",
    "payload",
    "queue",
    "frame",
    "value",
    "lock",
    "mutex",
    "semaphore",
    "permit",
    "role",
    "receivers",
    "pipe",
    "stream",
    "buffer",
    "file",
    "socket",
    "process",
    "thread",
    "message",
    "priority",
];

/// What is wrong with a text.
fn flaws(told: &Told) -> Vec<&'static str> {
    let text = told.text.as_str();
    let lower = text.to_lowercase();
    let mut flaws = Vec::new();
    let mut check = |wrong: bool, flaw| {
        if wrong {
            flaws.push(flaw);
        }
    };
    check(text.is_empty() || text.contains('\n'), "is not one line");
    check(text.len() > 300, "is too long");
    check(text.starts_with(char::is_uppercase), "starts with a capital");
    check(text.ends_with('.'), "ends with a full stop");
    check(text.contains("  "), "has two spaces in a row");
    check(text.contains(" lie ") || text.contains(" lies "), "says that something lies somewhere");
    check(text.starts_with("it "), "does not say what it speaks of");
    // A device of the caller's own, or the system, says the rest.
    let others = ["Os", "OsError", "Io", "Unfinished"].contains(&told.variant.as_str());
    let system = others || told.text.contains("(os error");
    check(!system && !THINGS.iter().any(|thing| lower.contains(thing)), "names no thing");
    let advises = text.contains("; ") || text.contains(" must ");
    check(!system && !advises && !STATES.contains(&told.variant.as_str()), "says nothing of what to do");
    let removes = ["remove", "delete", "unlink", "erase"].iter().any(|word| lower.contains(word));
    // Of a region in a region, the text is that of what is wrong with it.
    let comes_and_goes = told.variant == "Contended";
    let may = REMOVALS.contains(&(told.of, told.variant.as_str())) || comes_and_goes;
    check(removes && !may, "advises to remove what may be somebody else's");
    flaws
}

#[test]
fn every_error_names_the_thing_the_reason_and_the_remedy() {
    let mut bad = String::new();
    for told in all() {
        for flaw in flaws(&told) {
            bad += &format!("{}::{} {flaw}: {}\n", told.of, told.variant, told.text);
        }
    }
    assert!(bad.is_empty(), "{bad}");
}

/// The variants of the enum `name` in a source file, by its indentation.
fn variants<'a>(source: &'a str, name: &str) -> Option<BTreeSet<&'a str>> {
    let start = [" {\n", "<E> {\n"].iter().find_map(|end| source.find(&format!("pub enum {name}{end}")))?;
    let body = source[start..].split("\n}\n").next()?;
    let lines = body.lines().skip(1).filter_map(|line| line.strip_prefix("    "));
    let lines = lines.filter(|line| line.starts_with(char::is_uppercase));
    Some(lines.map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()).collect())
}

fn each_source(folder: &Path, visit: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            each_source(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path, &fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn no_error_and_no_variant_of_one_is_left_out() {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in all() {
        told.entry(one.of.into()).or_default().insert(one.variant);
    }
    let mut missing = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["core/src", "os/src", "os-base/src", "os-unix/src", "os-windows/src", "src"] {
        each_source(&root.join(folder), &mut |path, source| {
            let impls = source.split("core::error::Error for ").skip(1);
            let errors = impls.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            let faults = source.contains("pub enum Fault {").then_some("Fault");
            for of in errors.chain(faults).filter(|of| !is_elsewhere(of, path)) {
                let Some(found) = told.get(of) else {
                    missing.push(of.to_string());
                    continue;
                };
                let variants = variants(source, of).unwrap_or_default();
                missing
                    .extend(variants.iter().filter(|v| !found.contains(**v)).map(|v| format!("{of}::{v}")));
            }
        });
    }
    assert!(missing.is_empty(), "enter these in the lists above: {missing:?}");
}
