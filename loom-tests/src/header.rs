//! A region's header: seen complete, or not at all.

use strait_core::model::loom::thread;
use strait_core::model::{Died, Region};
use strait_core::{
    Channel, Plan,
    format::{AttachError, Contents, Header, initialise},
};

use crate::models;
use crate::search::ALL;

models! {
    "attach_while_it_is_formatted" => attach_while_it_is_formatted(),
    "the_creator_dies" => the_creator_dies(),
}

const PLAN: Plan<'static> = Plan::new(&[Channel::compact::<u8>("q", 1)]).line(4).participants(1);

/// Checks the region's header, and its directory too if it is there.
fn is_there(region: &Region) -> bool {
    match Header::check(region.mem()) {
        Ok(header) => {
            assert_eq!(header.channels(region.mem()).count(), 1);
            true
        }
        Err(error) => {
            assert_eq!(error, AttachError::Uninitialised);
            false
        }
    }
}

/// ```text
///   creator                               another
///   directory, header, checksum           magic
///   magic                                 if it is there: header, directory, checksum
/// ```
fn attach_while_it_is_formatted() {
    ALL.check(|| {
        let region = Region::unformatted(&PLAN);
        let creating = region.clone();
        let creator = thread::spawn(move || initialise(creating.mem(), &PLAN, 1, Contents::Zeroed).unwrap());
        let early = is_there(&region);
        creator.join().unwrap();
        assert!(is_there(&region));
        assert!(!early || region.join().typed_producer::<u8>("q").is_ok());
    });
}

/// The creator dies at any step: the region is there, or says that it is not initialised.
///
/// ```text
///   creator                               another
///   directory, header, checksum           magic
///   (killed somewhere here)               if it is there: header, directory, checksum
///   magic
/// ```
fn the_creator_dies() {
    ALL.each_death(|death| {
        let region = Region::unformatted(&PLAN);
        let creating = region.clone();
        let creator = thread::spawn(move || {
            death.run(&creating.port(), || initialise(creating.mem(), &PLAN, 1, Contents::Unknown).unwrap())
        });
        let early = is_there(&region);
        let end = creator.join().unwrap();
        // The magic is the last that is stored.
        assert_eq!(is_there(&region), end != Err(Died));
        assert!(!early || end.is_ok());
    });
}
