//! Shared memory by all four ways of opening: create it new, create it from a file, open what is there,
//! open it or create it.
//!
//! Asserts that each way does what it says and refuses the rest, that a read-only view sees everything and
//! can take or change nothing, and that closing gives back what the other process held.

mod common;

use common::{Folder, Other, PATIENCE, Result};
use strait::{
    Channel, ChannelError, CreateError, OpenError, Plan, Reading, RegionFile, RegionName, RegionOptions,
};

const PLAN: Plan = Plan::new(&[
    Channel::latest::<u64>("speed"),
    Channel::frames("orders", 4096, 64).consumer_may_block(),
    Channel::frames("answers", 4096, 64).consumer_may_block(),
]);
const READ_WRITE: RegionOptions = RegionOptions::new();
const READ_ONLY: RegionOptions = RegionOptions::new().read_only(true);

/// Opens what is there, and holds a role until it is asked to close.
fn hold(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&READ_WRITE)?;
    let _orders = region.producer("orders")?;
    common::ready();
    common::until_told()
}

/// Has a read-only view.
fn look(name: &str) -> Result<()> {
    let region = RegionName::new(name)?;
    assert!(matches!(region.create(&PLAN, &READ_ONLY), Err(CreateError::ReadOnly)));
    let view = region.open(&READ_ONLY)?;
    assert_eq!(view.latest_reader::<u64>("speed")?.read(), Reading::Fresh(300));
    assert!(matches!(view.latest_writer::<u64>("speed"), Err(ChannelError::ReadOnly)));
    assert!(matches!(view.consumer("orders"), Err(ChannelError::ReadOnly)));
    Ok(())
}

/// Opens or creates, and says hello both ways; the region is the same, whichever process was first.
fn meet(name: &str, sends: &str, receives: &str) -> Result<()> {
    let region = RegionName::new(name)?.open_or_create(&PLAN, &READ_WRITE)?;
    region.producer(sends)?.try_send(0, b"hello")?;
    let mut buffer = [0; 64];
    let greeting = region.consumer(receives)?.recv_timeout(&mut buffer, PATIENCE)?;
    assert_eq!(&buffer[..greeting.len], b"hello");
    Ok(())
}

/// Opens a region in a file.
fn look_into(path: &str) -> Result<()> {
    let region = RegionFile::new(path).open(&READ_WRITE)?;
    assert_eq!(region.latest_reader::<u64>("speed")?.read(), Reading::Fresh(400));
    Ok(())
}

fn by_name() -> Result<()> {
    let name = common::fresh_name("opening-modes");
    let region = RegionName::new(&name)?;
    assert!(matches!(region.open(&READ_WRITE), Err(OpenError::NotFound)), "there is nothing yet");
    let created = region.create(&PLAN, &READ_WRITE)?;
    assert!(matches!(region.create(&PLAN, &READ_WRITE), Err(CreateError::AlreadyExists)));
    created.latest_writer::<u64>("speed")?.publish(&300);
    Other::start(&["look", &name])?.finish()?;

    let holder = Other::start_and_wait(&["hold", &name])?;
    assert!(matches!(created.producer("orders"), Err(ChannelError::Busy)), "the other process has it");
    holder.finish()?;
    drop(created.producer("orders")?);

    region.remove()?;
    assert!(matches!(region.open(&READ_WRITE), Err(OpenError::NotFound)), "newcomers find nothing");
    assert_eq!(created.latest_reader::<u64>("speed")?.read(), Reading::Fresh(300), "an open handle goes on");
    println!("created new, opened by another process, closed, removed");
    Ok(())
}

fn in_any_order() -> Result<()> {
    let name = common::fresh_name("in-any-order");
    let one = Other::start(&["meet", &name, "orders", "answers"])?;
    let _open = RegionName::new(&name)?.open_or_create(&PLAN, &READ_WRITE)?;
    let two = Other::start(&["meet", &name, "answers", "orders"])?;
    one.finish()?;
    two.finish()?;
    RegionName::new(&name)?.remove()?;
    println!("opened or created by three processes, in any order");
    Ok(())
}

fn from_a_file() -> Result<()> {
    let folder = Folder::new("opening-modes")?;
    let path = folder.path("region");
    let region = RegionFile::new(&path).create(&PLAN, &READ_WRITE)?;
    region.latest_writer::<u64>("speed")?.publish(&400);
    drop(region);
    // Nobody has it open now.
    Other::start(&["look-into", &path])?.finish()?;
    assert!(matches!(RegionFile::new(&path).create(&PLAN, &READ_WRITE), Err(CreateError::AlreadyExists)));

    let other = folder.path("letter");
    std::fs::write(&other, "Dear reader, this file is no region. ".repeat(100))?;
    assert!(RegionFile::new(&other).open(&READ_WRITE).is_err());
    assert!(std::fs::read_to_string(&other)?.starts_with("Dear reader"), "left as it was");
    println!("created in a file, opened after all had closed it");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => by_name().and_then(|()| in_any_order()).and_then(|()| from_a_file()),
        ["hold", name] => hold(name),
        ["look", name] => look(name),
        ["meet", name, sends, receives] => meet(name, sends, receives),
        ["look-into", path] => look_into(path),
        _ => common::usage("none"),
    })
}
