//! A struct of a fixed layout (an id, an age, ten scores), written and read in place by two programs.
//!
//! Asserts that it is packed as a program in any language would lay it out, that a reader of the latest value
//! finds it whole, and that single fields can be changed in place, under a lock.

mod common;

use std::mem::offset_of;

use common::{Other, PATIENCE, Result};
use strait::{Channel, Message, Plan, Reading, RegionName, RegionOptions};

strait::message! {
    /// The record that both programs know.
    struct Student {
        id: i32,
        age: i32,
        scores: [i32; 10],
    }
}

const PLAN: Plan = Plan::new(&[
    Channel::latest::<Student>("newest").consumer_may_block(),
    Channel::mutex::<Student>("record"),
]);
const ANNA: Student = Student { id: 7, age: 21, scores: [90, 85, 77, 60, 99, 100, 42, 88, 73, 65] };

/// The second program: corrects the record in place, and publishes a copy of it.
fn correct(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut record = region.mutex::<Student>("record")?;
    let mut guard = record.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?;
    guard.edit_in_place(|student| {
        student.write(offset_of!(Student, age), &22_i32.to_ne_bytes());
        student.write(offset_of!(Student, scores) + 6 * size_of::<i32>(), &50_i32.to_ne_bytes());
    });
    let corrected = guard.get();
    guard.unlock()?;
    region.latest_writer::<Student>("newest")?.publish(&corrected);
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => keep(),
        ["correct", name] => correct(name),
        _ => common::usage("none"),
    })
}

fn keep() -> Result<()> {
    assert_eq!(Student::SHAPE.to_string(), "{id:i32@0;age:i32@4;scores:[10]i32@8;size=48}");
    let name = common::fresh_name("struct-in-place");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut record = region.mutex::<Student>("record")?;
    record.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?.set(&ANNA);

    let mut newest = region.latest_reader::<Student>("newest")?;
    let corrector = Other::start(&["correct", &name])?;
    let Reading::Fresh(student) = newest.wait_for_change(PATIENCE) else { return Err("no news".into()) };
    let mut expected = Student { age: 22, ..ANNA };
    expected.scores[6] = 50;
    assert_eq!(student, expected);

    // The same, as the bytes that are there: any field, by its offset.
    let mut bytes = [0; size_of::<Student>()];
    let value = region.latest_reader::<[u8]>("newest")?.read_into(&mut bytes).value().ok_or("nothing")?;
    let field = |at: usize| i32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(value.len, 48);
    assert_eq!((field(0), field(4), field(8 + 4 * 6), field(8 + 4 * 9)), (7, 22, 50, 65));

    let guard = record.lock_timeout(PATIENCE)?.or_roll_back().map_err(|_| "half written")?;
    assert_eq!(guard.get(), expected, "the record itself was corrected");
    drop(guard);
    corrector.finish()?;
    RegionName::new(&name)?.remove()?;
    println!("{student:?}");
    Ok(())
}
