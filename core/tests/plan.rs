//! Plans: every refusal, names at their limits, many channels, doorbells.

use crate::common::Region;
use strait_core::ground::plan::Fault;
use strait_core::{Channel, Message, Plan, PlanError, TrySendError, format::ValueType};

fn fault(plan: &Plan<'_>) -> (Option<usize>, Fault) {
    let PlanError { channel, fault } = plan.try_size().expect_err("the plan cannot work");
    (channel, fault)
}

fn one(channel: Channel<'_>) -> Result<u32, Fault> {
    Plan::new(&[channel]).try_size().map_err(|error| {
        assert_eq!(error.channel, Some(0));
        error.fault
    })
}

#[test]
fn names_have_1_to_31_bytes() {
    let (longest, too_long) = ("x".repeat(31), "x".repeat(32));
    assert!(one(Channel::frames(&longest, 64, 16)).is_ok());
    for name in ["", "a/b", "/", "a\0b", &too_long] {
        assert_eq!(one(Channel::frames(name, 64, 16)), Err(Fault::Name), "{name:?}");
    }
}

#[test]
fn names_are_utf8_and_found_by_it() {
    let (longest, crossing) = ("x".repeat(31), "é".repeat(16));
    assert_eq!(crossing.len(), 32);
    assert_eq!(one(Channel::frames(&crossing, 64, 16)), Err(Fault::Name));
    let names = ["é", "ключ", "温度", "🦀", &longest, &crossing[..30]];
    let channels = names.map(|name| Channel::frames(name, 64, 16));
    let region = Region::new(&Plan::new(&channels).line(4).participants(1));
    let member = region.join();
    for (name, entry) in names.iter().zip(member.channels()) {
        assert_eq!(entry.name(), Some(*name));
        member.producer(name).unwrap();
    }
}

#[test]
fn two_channels_with_one_name_are_refused() {
    let plan = [Channel::frames("a", 64, 16), Channel::frames("b", 64, 16), Channel::compact::<u8>("a", 4)];
    assert_eq!(fault(&Plan::new(&plan)), (Some(2), Fault::Duplicate));
}

#[test]
fn capacities_are_powers_of_two() {
    for capacity in [0, 3, 6, 96, 1000, (1 << 30) + 1, u32::MAX] {
        assert_eq!(one(Channel::frames("f", capacity, 16)), Err(Fault::Capacity), "{capacity}");
        assert_eq!(one(Channel::slots::<u8>("s", capacity)), Err(Fault::Capacity), "{capacity}");
        assert_eq!(one(Channel::compact::<u8>("c", capacity)), Err(Fault::Capacity), "{capacity}");
        assert_eq!(one(Channel::latest::<u8>("l").buffers(capacity)), Err(Fault::Capacity), "{capacity}");
    }
}

#[test]
fn a_capacity_beyond_the_largest_ring_is_a_fault_of_the_capacity() {
    assert_eq!(one(Channel::compact::<u8>("c", 1 << 31)), Err(Fault::Capacity));
    assert_eq!(one(Channel::frames("f", 1 << 31, 16)), Err(Fault::Capacity));
}

#[test]
fn a_frame_takes_half_the_ring_at_most() {
    for capacity in [64_u32, 128, 256, 4096, 1 << 20] {
        let largest = capacity / 2 - 16;
        assert!(one(Channel::frames("f", capacity, largest)).is_ok());
        assert_eq!(one(Channel::frames("f", capacity, largest + 1)), Err(Fault::Geometry));
    }
    for capacity in [1, 16, 32] {
        assert_eq!(one(Channel::frames("f", capacity, 0)), Err(Fault::Geometry), "{capacity}");
    }
    assert_eq!(one(Channel::frames("f", 64, u32::MAX)), Err(Fault::TooLarge));
}

#[test]
fn types_are_not_empty_and_latest_values_have_two_buffers() {
    assert_eq!(one(Channel::slots::<[u32; 0]>("s", 4)), Err(Fault::Geometry));
    assert_eq!(one(Channel::compact::<[u32; 0]>("c", 4)), Err(Fault::Geometry));
    assert_eq!(one(Channel::latest::<[u32; 0]>("l")), Err(Fault::Geometry));
    assert_eq!(one(Channel::latest_bytes("l", 0)), Err(Fault::Geometry));
    assert_eq!(one(Channel::latest::<u8>("l").buffers(1)), Err(Fault::Geometry));
    assert!(one(Channel::latest::<u8>("l").buffers(2)).is_ok());
}

#[test]
fn lines_are_powers_of_two_from_4_to_4096() {
    let channels = [Channel::frames("f", 64, 16)];
    for line in [0, 1, 2, 3, 5, 12, 100, 8192, 1 << 31, u32::MAX] {
        assert_eq!(fault(&Plan::new(&channels).line(line)), (None, Fault::Line), "{line}");
    }
    for line in (2..=12).map(|bit| 1 << bit) {
        let plan = Plan::new(&channels).line(line);
        assert!(plan.size().is_multiple_of(line.max(8) as usize));
        Region::new(&plan).join().producer("f").unwrap();
    }
}

#[test]
fn participants_are_1_to_511() {
    let channels = [Channel::frames("f", 64, 16)];
    for count in [0, 512, u32::MAX] {
        assert_eq!(fault(&Plan::new(&channels).participants(count)), (None, Fault::Participants));
    }
    let region = Region::new(&Plan::new(&channels).participants(511));
    let members: Vec<_> = (0..511).map(|_| region.join().ident().place()).collect();
    assert!(members.into_iter().eq(1..=511));
}

#[test]
fn regions_stay_below_2_gib() {
    assert_eq!(one(Channel::compact::<[u8; 4]>("c", 1 << 30)), Err(Fault::TooLarge));
    assert_eq!(one(Channel::slots::<u8>("s", 1 << 30)), Err(Fault::TooLarge));
    // A type that only a machine of 64 bits could have.
    let huge = ValueType { hash: 1, size: 1 << 31 };
    assert_eq!(one(Channel::compact_of("c", 1, huge)), Err(Fault::TooLarge));
    assert_eq!(one(Channel::latest_bytes("l", (1 << 31) - 1)), Err(Fault::TooLarge));
    assert!(one(Channel::compact::<u8>("c", 1 << 30)).is_ok());
    let two = [Channel::compact::<u8>("a", 1 << 30), Channel::compact::<u8>("b", 1 << 30)];
    assert_eq!(fault(&Plan::new(&two)), (Some(1), Fault::TooLarge));
}

#[test]
fn a_plan_without_channels_works() {
    let region = Region::new(&Plan::new(&[]).line(4).participants(1));
    assert_eq!(region.join().channels().count(), 0);
}

#[test]
fn errors_name_the_channel_and_say_why() {
    let plan = [Channel::frames("good", 64, 16), Channel::frames("bad", 65, 16)];
    let text = Plan::new(&plan).try_size().unwrap_err().to_string();
    assert!(text.contains("channel 1") && text.contains("power of two"), "{text}");
}

#[test]
#[should_panic(expected = "power of two")]
fn size_panics_where_try_size_refuses() {
    let _ = Plan::new(&[Channel::frames("bad", 65, 16)]).size();
}

#[test]
fn a_thousand_channels_work() {
    let names: Vec<String> = (0..1000).map(|i| format!("channel {i}")).collect();
    let channels: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, name)| match i % 4 {
            0 => Channel::frames(name, 64, 16).doorbell(1),
            1 => Channel::slots::<u64>(name, 2).doorbell(1 + i as u32 % 7),
            2 => Channel::compact::<u8>(name, 8).consumer_may_block(),
            _ => Channel::latest::<u32>(name),
        })
        .collect();
    let region = Region::new(&Plan::new(&channels).participants(3));
    let member = region.join();
    assert_eq!(member.channels().count(), 1000);
    for i in [0, 1, 2, 3, 499, 500, 997, 998, 999] {
        let name = &names[i];
        match i % 4 {
            0 => {
                member.producer(name).unwrap().try_send(i as u32, b"x").unwrap();
                assert_eq!(member.consumer(name).unwrap().try_recv_frame::<16>().unwrap().tag(), i as u32);
            }
            1 => round_trip::<u64>(&member, name, i as u64),
            2 => round_trip::<u8>(&member, name, i as u8),
            _ => member.latest_writer::<u32>(name).unwrap().publish(&1),
        }
    }
    let mut blocks: Vec<_> = member.channels().map(|entry| entry.block_a).collect();
    blocks.dedup();
    assert_eq!(blocks.len(), 1000);
    assert!(blocks.is_sorted());
}

fn round_trip<T: Message + PartialEq + std::fmt::Debug>(
    member: &crate::common::Member,
    name: &str,
    value: T,
) {
    member.typed_producer::<T>(name).unwrap().try_send(&value).unwrap();
    assert_eq!(member.typed_consumer::<T>(name).unwrap().try_recv(), Ok(value));
}

#[test]
fn channels_of_one_doorbell_share_its_word() {
    let channels = [
        Channel::frames("a", 64, 16).doorbell(1),
        Channel::frames("own", 64, 16).consumer_may_block(),
        Channel::slots::<u32>("b", 4).doorbell(2),
        Channel::compact::<u8>("c", 4).doorbell(1),
        Channel::slots::<u32>("d", 4).doorbell(2),
        Channel::frames("polled", 64, 16),
    ];
    for line in [4, 128] {
        let region = Region::new(&Plan::new(&channels).line(line).participants(1));
        let bell = |name| region.entry(name).wait_b;
        assert_eq!(bell("a"), bell("c"));
        assert_eq!(bell("b"), bell("d"));
        assert_eq!(bell("polled"), 0);
        let mut distinct = vec![bell("a"), bell("own"), bell("b"), bell("polled")];
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 4);
        let owner = region.entry("a");
        assert!(bell("a") > owner.block_c && bell("a") < region.entry("own").block_a);
    }
}

#[test]
fn wait_words_lie_apart_from_all_else() {
    let channels = [
        Channel::frames("f", 64, 16).producer_may_block().consumer_may_block(),
        Channel::slots::<u32>("s", 2).producer_may_block().doorbell(1),
        Channel::compact::<u32>("c", 2).producer_may_block().doorbell(1),
    ];
    for line in [4, 64, 128, 256] {
        let region = Region::new(&Plan::new(&channels).line(line).participants(1));
        let mut words = Vec::new();
        for entry in region.look().channels() {
            let blocks = entry.blocks(line).unwrap();
            words.extend([entry.wait_a, entry.wait_b]);
            words.extend([entry.block_c, entry.block_c + blocks.role_b, entry.block_b]);
            words.extend([entry.block_a, entry.block_a + blocks.want, entry.data]);
        }
        words.sort_unstable();
        words.dedup();
        assert!(words.windows(2).all(|pair| pair[1] - pair[0] >= line), "line {line}: {words:?}");
        assert_eq!(words.len(), 3 * 8 - 1, "only the doorbell is shared");
    }
}

#[test]
fn a_plan_is_computed_at_compile_time() {
    const PLAN: Plan<'_> = Plan::new(&[
        Channel::frames("a", 4096, 256).consumer_may_block(),
        Channel::slots::<u64>("b", 64).doorbell(1),
        Channel::compact::<[f64; 4]>("c", 2).doorbell(1),
    ]);
    const SIZE: usize = PLAN.size();
    assert_eq!(PLAN.try_size().unwrap() as usize, SIZE);
    assert!(SIZE.is_multiple_of(128) && SIZE > 4096);
}

/// A granule always stays free, so a ring of 64 bytes has room for one frame of 8 and its header, not for two.
#[test]
fn the_smallest_ring_holds_one_frame() {
    let region = Region::new(&Plan::new(&[Channel::frames("f", 64, 8)]).line(4).participants(2));
    let member = region.join();
    let (mut tx, mut rx) = (member.producer("f").unwrap(), member.consumer("f").unwrap());
    for round in 0..9 {
        tx.try_send(round, &[7; 8]).unwrap();
        assert_eq!(tx.try_send(round, &[7; 8]), Err(TrySendError::Full));
        assert_eq!(rx.try_recv(&mut [0; 8]).unwrap().tag, round);
        rx.release();
    }
}
