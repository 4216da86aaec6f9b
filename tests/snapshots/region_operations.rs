//! The operations of regions themselves: creating, joining, leaving.

use strait::{
    Channel, OpenError, Plan, Region, RegionOptions, RegionPlace,
    format::{AttachError, participants},
    port::{Ident, Port},
};

use super::operation::{Act, First, Operation, Past, Seen};
use super::queues::{Frames, Queue, open, plan, survive};

/// Participants that fit.
const SEATS: u32 = 2;

const CHANNELS: &[Channel<'_>] = &[Channel::frames(Frames::NAME, 1024, 64)];
const PLAN: Plan<'_> = plan(CHANNELS).participants(SEATS);

/// Every operation of regions.
pub fn all() -> Vec<Operation> {
    let of = |name, victim| Operation::new(name, PLAN, victim, survive_members);
    vec![
        Operation::new("region-create", PLAN, create, survive_creator)
            .past(Past::Nothing)
            .sees([0, 0], [1, 0]),
        of("region-join", join).sees([1, 1], [2, 1]),
        of("region-join-over-dead", join)
            .past(Past::Deaths(|region| Box::new(region.clone())))
            .sees([1, 0], [2, 1]),
        of("region-leave", leave).sees([2, 1], [2, 2]),
    ]
}

fn create(region: &RegionPlace) -> Act {
    let region = region.clone();
    Box::new(move || Box::new(region.create(&PLAN, &RegionOptions::new()).expect("the name is free")))
}

fn join(region: &RegionPlace) -> Act {
    let region = region.clone();
    Box::new(move || Box::new(open(&region)))
}

fn leave(region: &RegionPlace) -> Act {
    let member = open(region);
    Box::new(move || {
        drop(member);
        Box::new(())
    })
}

/// The survivors of a creator: they open a region that is complete, or get the error that there is none; then
/// they make it. They see whether it was complete.
fn survive_creator(region: &RegionPlace, first: First) -> Seen {
    let complete = match region.open(&RegionOptions::new()) {
        Ok(attachment) => {
            assert_eq!(attachment.channels().count(), CHANNELS.len(), "a region that opens is complete");
            drop(attachment);
            survive::<Frames>(region, first);
            survive_members(region, first);
            true
        }
        // A creator's file has no name before it is complete; as a copy it may have one.
        Err(OpenError::NotFound) => false,
        Err(OpenError::TooShort { .. } | OpenError::Attach(AttachError::Uninitialised)) => {
            region.remove().expect("what is no region can be removed");
            false
        }
        Err(error) => panic!("half a region, reported as: {error}"),
    };
    if !complete {
        drop(region.create(&PLAN, &RegionOptions::new()).expect("it can be made again"));
        survive::<Frames>(region, first);
    }
    [complete.into(), 0]
}

/// The survivors of a member: they look at the table, and then as many of them join as there are seats.
/// They see how often the first seat was taken, and how often it was left or lost by death.
fn survive_members(region: &RegionPlace, _: First) -> Seen {
    let look = region.open(&RegionOptions::new().read_only(true)).expect("anybody may look");
    let listed = participants::list(look.port().mem(), look.header(), look.port());
    let dead: Vec<Ident> = listed.map(|member| member.ident).collect();
    let members: Vec<Region> = (0..SEATS).map(|_| open(region)).collect();
    assert!(
        matches!(region.open(&RegionOptions::new()), Err(OpenError::TableFull)),
        "that many places are taken"
    );
    let idents: Vec<Ident> = members.iter().filter_map(|member| member.port().ident()).collect();
    assert_eq!(idents.len(), members.len(), "a member has a name");
    assert!(idents.iter().all(|ident| !dead.contains(ident)), "no name is given out twice");
    let first = idents.iter().find(|ident| ident.place() == 1).expect("the first seat is taken");
    let taken = u64::from(first.epoch()) - 1;
    let stayed = dead.iter().filter(|ident| ident.place() == 1).count() as u64;
    [taken, taken - stayed]
}
