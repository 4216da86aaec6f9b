//! Latest values: a reader gets the newest one, whole, fresh once and stale from then on; also from the
//! successor of a writer that died.

use strait_core::{Channel, LatestReader, LatestWriter, Plan, Reading};

use super::MOST;
use crate::input::Input;
use crate::world::{FuzzPort, POLICY, Region, SOON};

const LONGEST: usize = 40;

/// The last published value.
#[derive(Clone, Debug)]
struct Newest {
    number: u64,
    tag: u32,
    value: Vec<u8>,
}

fn read(reader: &mut LatestReader<[u8], FuzzPort<'_>>, seen: &mut u64, newest: Option<&Newest>, waits: bool) {
    let mut buffer = [0; LONGEST];
    let reading =
        if waits { reader.wait_for_change_into(&mut buffer, SOON) } else { reader.read_into(&mut buffer) };
    let (fresh, info) = match (reading, newest) {
        (Reading::Empty, None) => return,
        (Reading::Fresh(info), Some(_)) => (true, info),
        (Reading::Stale(info), Some(_)) => (false, info),
        (reading, newest) => panic!("{reading:?} where {newest:?} is the newest"),
    };
    let newest = newest.expect("something was published");
    assert_eq!(fresh, *seen != newest.number, "{newest:?}");
    assert_eq!((info.number, info.tag, info.len), (newest.number, newest.tag, newest.value.len()));
    assert_eq!(buffer[..info.len], newest.value);
    *seen = newest.number;
}

/// One run.
pub(super) fn run(input: &mut Input<'_>) {
    let buffers = 2 << input.below(3);
    let channel = Channel::latest_bytes("v", LONGEST as u32).buffers(buffers).consumer_may_block();
    let region = Region::new(&Plan::new(&[channel]).line([4, 64][input.below(2)]).participants(4));
    let (mut a, b) = (region.join(), region.join());
    let mut writer: Option<LatestWriter<[u8], FuzzPort<'_>>> = a.latest_writer::<[u8]>("v").ok();
    let mut readers = [(); 2].map(|()| (b.latest_reader::<[u8]>("v").expect("a reader"), 0_u64));
    readers.iter_mut().for_each(|(reader, _)| reader.set_wait_policy(POLICY));
    let (mut newest, mut count): (Option<Newest>, u64) = (None, 0);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let tx = writer.as_mut().expect("always there");
        assert_eq!(tx.published(), count);
        match input.below(8) {
            0..=2 => {
                let (tag, len) = (input.edge(), input.below(LONGEST + 2));
                let value = vec![count as u8; len];
                let published = tx.publish_from(tag, &value);
                assert_eq!(published.is_ok(), len <= LONGEST);
                if let Ok(version) = published {
                    count += 1;
                    assert_eq!(version.number(), count);
                    newest = Some(Newest { number: count, tag, value });
                }
            }
            choice @ 3..=5 => {
                let (reader, seen) = &mut readers[choice % 2];
                read(reader, seen, newest.as_ref(), input.flag());
            }
            6 => {
                drop(writer.take());
                writer = Some(a.latest_writer::<[u8]>("v").expect("the role is free"));
            }
            _ => {
                let dead = std::mem::replace(&mut a, region.join());
                let who = dead.ident();
                dead.die(writer.take());
                let tx = a.latest_writer::<[u8]>("v").expect("its owner is dead");
                assert_eq!(tx.taken_over_from(), Some(who));
                writer = Some(tx);
            }
        }
        region.check();
    }
    drop(writer);
}
