//! A region of two domains, seen from processes: each takes part in its own, and judges nobody else.

use crate::common::{Place, ident, probe};
use strait_core::{
    Channel, ChannelError, Plan,
    port::{Ident, Port, Probe},
};
use strait_os::{CreateError, OpenError, RegionOptions, SealedRegion};

const PLAN: Plan<'static> = Plan::new(&[
    Channel::frames("down", 4096, 256).domains(0, 1),
    Channel::frames("up", 4096, 256).domains(1, 0),
])
.participants(2);

fn two() -> RegionOptions {
    RegionOptions::new().domain(1)
}

#[test]
fn a_process_takes_part_in_the_domain_that_its_options_name() {
    let place = Place::local();
    let here = place.region().create(&PLAN, &RegionOptions::new()).expect("create");
    let there = place.region().open(&two()).expect("open");
    assert_eq!((here.port().domain(), ident(&here).place()), (0, 1));
    assert_eq!((there.port().domain(), ident(&there).place()), (1, 3));
    assert_eq!(here.producer("up").err(), Some(ChannelError::Domain { planned: 1 }));
    let (mut down, mut up) = (here.producer("down").unwrap(), there.producer("up").unwrap());
    let (mut at_there, mut at_here) = (there.consumer("down").unwrap(), here.consumer("up").unwrap());
    down.try_send(1, b"go").unwrap();
    up.try_send(2, b"gone").unwrap();
    assert_eq!(at_there.try_recv_frame::<256>().unwrap().payload(), b"go");
    assert_eq!(at_here.try_recv_frame::<256>().unwrap().payload(), b"gone");
}

/// Nobody holds a token for firmware, which does not make it dead.
#[test]
fn of_other_domains_nothing_is_known() {
    let place = Place::local();
    let here = place.region().create(&PLAN, &RegionOptions::new()).expect("create");
    let there = place.region().open(&two()).expect("open");
    let looks = place.region().open(&RegionOptions::new().read_only(true)).expect("open");
    for judge in [&here, &looks] {
        assert_eq!(probe(judge, ident(&there)), Probe::Unknown, "a living participant");
        assert_eq!(probe(judge, Ident::new(4, 1).unwrap()), Probe::Unknown, "one that never was");
    }
    assert_eq!(probe(&there, ident(&here)), Probe::Unknown);
    // Of its own domain it is not Unknown, where the system proves deaths at all.
    if cfg!(any(target_os = "linux", windows)) {
        assert_eq!(probe(&there, Ident::new(4, 1).unwrap()), Probe::Dead);
    }
}

#[test]
fn a_domain_that_the_plan_does_not_name_has_no_places() {
    let place = Place::local();
    let nowhere = RegionOptions::new().domain(2);
    assert_eq!(place.region().create(&PLAN, &nowhere).err(), Some(CreateError::Domain));
    assert_eq!(place.region().open(&nowhere).err(), Some(OpenError::NotFound), "nothing has appeared");
    let _here = place.region().create(&PLAN, &RegionOptions::new()).expect("create");
    assert_eq!(place.region().open(&nowhere).err(), Some(OpenError::TableFull));
    assert_eq!(SealedRegion::create(&PLAN, &nowhere).err(), Some(CreateError::Domain));
}
