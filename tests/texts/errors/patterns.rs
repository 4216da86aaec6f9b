//! The errors of lanes, broadcasts, calls and contracts, and of what goes with them.

use std::time::Duration;

use strait::ChannelError;
use strait::broadcast::{BroadcastRecvError, BroadcastTryRecvError};
use strait::call::{CallError, PartError, Ran, ServeError, ServeLanesError, Ticket, TryCallError};
use strait::contract::{
    ByteStreamError, Difference, FunctionError, OpenContractError, ServeContractError, difference,
};
use strait::error::{ChangeError, Late, RecvLanesError, ResetError, TryRecvLanesError, Violation};
use strait::format::AttachError;
use strait::format::describe::DescriptionError;
use strait::pool::PoolError;
use strait::region::JoinError;

use super::{Told, WHO, channel_errors, tell};

pub fn of_patterns(all: &mut Vec<Told>) {
    let violation = Violation::Index;
    let (lane, needed) = (3, 9);
    tell(
        all,
        [
            TryRecvLanesError::Empty,
            TryRecvLanesError::TooSmall { lane, needed },
            TryRecvLanesError::WrongSize { needed: 9 },
            TryRecvLanesError::Fault { lane, violation },
        ],
    );
    tell(
        all,
        [
            RecvLanesError::TimedOut,
            RecvLanesError::PeerGone,
            RecvLanesError::Replaced,
            RecvLanesError::TooSmall { lane, needed },
            RecvLanesError::WrongSize { needed: 9 },
            RecvLanesError::Fault { lane, violation },
        ],
    );
    tell(all, [TryCallError::Full, TryCallError::WrongSize, TryCallError::Fault(violation)]);
    tell(
        all,
        [
            CallError::Full,
            CallError::WrongSize,
            CallError::TimedOut { ticket: Ticket::from_bits(1) },
            CallError::PeerDied { ran: Ran::No },
            CallError::PeerDied { ran: Ran::Maybe },
            CallError::Replaced { ran: Ran::No },
            CallError::Replaced { ran: Ran::Maybe },
            CallError::Refused { code: 7 },
            CallError::UnknownTicket,
            CallError::Fault(violation),
        ],
    );
    tell(all, [ServeError::Replaced]);
    tell(all, [ServeLanesError::Replaced]);
    tell(all, [ServeError::Empty, ServeError::TimedOut, ServeError::WrongSize, ServeError::Fault(violation)]);
    let fault = PartError::Fault(violation);
    tell(all, [PartError::Full, PartError::TimedOut, PartError::Cancelled, PartError::WrongSize, fault]);
    let fault = ServeLanesError::Fault { lane, violation };
    tell(all, [ServeLanesError::Empty, ServeLanesError::TimedOut, ServeLanesError::WrongSize, fault]);
    let (lost, fault) = (7, BroadcastTryRecvError::Fault(violation));
    let lagged = BroadcastTryRecvError::Lagged { lost };
    tell(all, [BroadcastTryRecvError::Empty, lagged, BroadcastTryRecvError::Contended, fault]);
    let fault = BroadcastRecvError::Fault(violation);
    let (timed_out, gone) = (BroadcastRecvError::TimedOut, BroadcastRecvError::PeerGone);
    tell(all, [BroadcastRecvError::Replaced]);
    tell(all, [timed_out, gone, BroadcastRecvError::Lagged { lost }, fault]);
    tell(all, [ChangeError::PeerGone, ChangeError::Replaced]);
    let fault = PoolError::Fault(violation);
    let (empty, gone) = ([PoolError::Empty, PoolError::TimedOut], [PoolError::Gone, PoolError::NotOwner]);
    tell(all, empty.into_iter().chain(gone).chain([PoolError::HardwareLock, fault]));
    let small = DescriptionError::TooSmall { needed: 9 };
    tell(all, [DescriptionError::Place, DescriptionError::Checksum, small]);
    tell(all, [Late { by: Duration::from_millis(3) }]);
    let in_use = |who| ResetError::InUse { place: 3, who };
    let channels = channel_errors().into_iter().map(ResetError::Channel);
    tell(all, channels.chain([in_use(Some(WHO)), in_use(None), ResetError::Held]));
    tell(all, [JoinError::ReadOnly, JoinError::TableFull, JoinError::Attach(AttachError::NotARegion)]);
}

pub fn of_contracts(all: &mut Vec<Told>) {
    let functions = [
        FunctionError::TimedOut { ran: Ran::No },
        FunctionError::TimedOut { ran: Ran::Maybe },
        FunctionError::ServerGone { ran: Ran::No },
        FunctionError::ServerGone { ran: Ran::Maybe },
        FunctionError::Refused { code: 7 },
        FunctionError::Full,
        FunctionError::WrongAnswer,
        FunctionError::Fault(Violation::Length),
    ];
    tell(all, functions);
    let ours = "Drive\nmove_to(u32)->u32\n";
    let theirs =
        ["Valve\n", "Drive\n", "Drive\nmove_to(u64)->u32\n", "Drive\nmove_to(u32)\n", "Drive\ngo(u32)\n"];
    let found: Vec<Difference> = theirs.iter().filter_map(|theirs| difference(ours, theirs)).collect();
    assert_eq!(found.len(), theirs.len());
    tell(all, found.into_iter().map(OpenContractError::Differs));
    tell(
        all,
        [
            OpenContractError::DiffersSomewhere,
            OpenContractError::Channel(ChannelError::NotFound),
            OpenContractError::BufferTooShort { needed: 100 },
            OpenContractError::NoAnswer(FunctionError::TimedOut { ran: Ran::Maybe }),
        ],
    );
    tell(all, [ServeContractError::Replaced]);
    let serve = [ServeContractError::TimedOut, ServeContractError::ClientGone];
    let violation = Violation::Length;
    let faults = [ServeContractError::Fault(violation), ServeContractError::LaneFault { lane: 3, violation }];
    tell(all, serve.into_iter().chain(faults));
    tell(all, [ByteStreamError::TimedOut, ByteStreamError::Closed]);
}
