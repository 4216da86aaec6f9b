//! A mailslot: several processes write into one queue, and one reads. One writer is killed with a message half
//! written, and holds up nobody; another takes its lane over.
//!
//! Asserts that each writer's messages come in order, that none is lost, and that each came from the lane that its
//! writer has.

mod common;

use common::{Other, PATIENCE, Result};
use strait::{Channel, LanesConsumer, PeerStatus, Plan, RegionName, RegionOptions};

/// How many may write at once.
const WRITERS: usize = 3;
const PLAN: Plan = Plan::new(&[Channel::frames("mail", 4096, 64)
    .producers(WRITERS as u32)
    .consumer_may_block()
    .producer_may_block()]);
/// The letters of each writer.
const LETTERS: u32 = 500;

/// Takes this lane, and writes all its letters.
fn write(name: &str, lane: u32) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let mut mail = region.lane_producer("mail", lane)?;
    // A successor goes on where the dead one stopped: the letters are numbered by lane.
    for number in mail.next_sequence()..LETTERS {
        mail.send_timeout(number, format!("from lane {lane}").as_bytes(), PATIENCE)?;
    }
    Ok(())
}

/// Takes any lane, writes one letter, and never gets the second one done.
fn unlucky_writer(name: &str) -> Result<()> {
    let region = RegionName::new(name)?.open(&RegionOptions::new())?;
    let (_, mut mail) = region.free_lane_producer("mail")?;
    mail.try_send(0, b"from lane 0")?;
    let mut letter = mail.reserve(20)?;
    letter.write(0, b"from la");
    common::ready();
    common::until_told() // It is killed in there.
}

fn read() -> Result<()> {
    let name = common::fresh_name("mailslot");
    let region = RegionName::new(&name)?.create(&PLAN, &RegionOptions::new())?;
    let mut mail: LanesConsumer<_, WRITERS> = region.lanes_consumer("mail")?;
    let mut next = [0; WRITERS];
    let mut receive = |mail: &mut LanesConsumer<_, WRITERS>| -> Result<()> {
        let mut buffer = [0; 64];
        let got = mail.recv_timeout(&mut buffer, PATIENCE)?;
        let text = std::str::from_utf8(&buffer[..got.message.len])?;
        assert_eq!(text, format!("from lane {}", got.lane));
        let next = &mut next[got.lane as usize];
        assert_eq!((got.message.tag, got.message.sequence), (*next, *next), "in order, none lost");
        *next += 1;
        Ok(())
    };

    // The first that takes any lane gets lane 0.
    let unlucky = if common::PROVES_DEATH { Some(Other::start_and_wait(&["die", &name])?) } else { None };
    let others = ["1", "2"].map(|lane| Other::start(&["write", &name, lane]));
    let mut letters = LETTERS * others.len() as u32;
    if let Some(unlucky) = unlucky {
        receive(&mut mail)?;
        unlucky.kill()?;
        assert_eq!(mail.peer(0), Some(PeerStatus::Dead));
        // The other writers go on; the dead one's lane is another writer's now.
        let heir = Other::start(&["write", &name, "0"])?;
        for _ in 1..LETTERS {
            receive(&mut mail)?;
        }
        for _ in 0..letters {
            receive(&mut mail)?;
        }
        heir.finish()?;
        letters = 0;
    }
    for _ in 0..letters {
        receive(&mut mail)?;
    }
    for other in others {
        other?.finish()?;
    }
    assert!(mail.is_empty());
    println!("{next:?} letters, by lane");
    RegionName::new(&name)?.remove()?;
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => read(),
        ["write", name, lane] => write(name, lane.parse()?),
        ["die", name] => unlucky_writer(name),
        _ => common::usage("none"),
    })
}
