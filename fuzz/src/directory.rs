//! The target `directory`: arbitrary plans. One that works is laid out, and what is found when attaching is
//! what was planned, in blocks that do not overlap.

use strait_core::format::participants::places_of;
use strait_core::{
    Attachment, BroadcastStart, Channel, ChannelError, Plan,
    format::{Contents, Entry, FormatError, Header, Kind, ValueType, initialise},
    port::Cache,
};

use crate::input::Input;
use crate::world::Region;

/// The longest region that is laid out.
const MOST: u32 = 1 << 17;

/// A channel's parameters, beside its name.
#[derive(Clone, Copy, Debug)]
struct Wanted<'d> {
    name: &'d str,
    kind: Kind,
    capacity: u32,
    values: ValueType,
    domains: (u32, u32),
    consumer_may_block: bool,
    producer_may_block: bool,
    doorbell: u32,
}

fn small_or_any(input: &mut Input<'_>) -> u32 {
    match input.below(4) {
        0 => input.edge(),
        1 => 1 << input.below(12),
        _ => input.below(256) as u32,
    }
}

impl<'d> Wanted<'d> {
    fn read(input: &mut Input<'d>) -> Self {
        let len = input.below(34);
        let name = std::str::from_utf8(input.bytes(len)).unwrap_or("not text");
        let kinds = [
            Kind::Frames,
            Kind::Slots,
            Kind::Compact,
            Kind::Latest,
            Kind::Mutex,
            Kind::Semaphore,
            Kind::Permits,
            Kind::Broadcast,
        ];
        let kind = kinds[input.below(kinds.len())];
        let (capacity, size) = (small_or_any(input), small_or_any(input));
        let has_type = !matches!(kind, Kind::Frames | Kind::Semaphore | Kind::Permits);
        let hash = if has_type { input.wide() } else { 0 };
        let flags = input.byte();
        Self {
            name,
            kind,
            capacity,
            values: ValueType { hash, size },
            domains: if flags & 4 == 0 { (0, 0) } else { (input.below(4) as u32, input.edge()) },
            consumer_may_block: flags & 1 == 1,
            producer_may_block: flags & 2 == 2,
            doorbell: if flags & 8 == 0 { 0 } else { u32::from(flags >> 4) },
        }
    }

    fn channel(&self) -> Channel<'d> {
        let Self { name, capacity, values, .. } = *self;
        let mut channel = match self.kind {
            Kind::Frames => Channel::frames(name, capacity, values.size),
            Kind::Slots => Channel::slots_of(name, capacity, values),
            Kind::Compact => Channel::compact_of(name, capacity, values),
            Kind::Latest if values.hash == 0 => Channel::latest_bytes(name, values.size).buffers(capacity),
            Kind::Latest => Channel::latest_of(name, values).buffers(capacity),
            Kind::Broadcast if values.hash == 0 => Channel::broadcast_bytes(name, capacity, values.size),
            Kind::Broadcast => Channel::broadcast_of(name, capacity, values),
            Kind::Mutex => Channel::mutex_of(name, values),
            Kind::Semaphore => Channel::semaphore(name, values.size, capacity),
            _ => Channel::permits(name, capacity),
        };
        channel = channel.domains(self.domains.0, self.domains.1);
        if self.consumer_may_block {
            channel = channel.consumer_may_block();
        }
        if self.producer_may_block {
            channel = channel.producer_may_block();
        }
        if self.doorbell != 0 {
            channel = channel.doorbell(self.doorbell);
        }
        channel
    }

    fn assert_found(&self, entry: &Entry) {
        assert_eq!((entry.name(), entry.kind), (Some(self.name), self.kind));
        assert!(self.doorbell == 0 || self.kind.is_queue(), "{self:?}");
        assert_eq!((entry.domain_a, entry.domain_b), self.domains);
        let capacity = if self.kind == Kind::Mutex { 2 } else { self.capacity };
        assert_eq!(entry.capacity, capacity, "{self:?}");
        let size = if self.kind == Kind::Permits { 0 } else { self.values.size };
        assert_eq!((entry.max_len, entry.type_hash), (size, self.values.hash), "{self:?}");
        let sleeps = self.consumer_may_block || self.doorbell != 0 || self.kind == Kind::Permits;
        assert_eq!((entry.wait_a != 0, entry.wait_b != 0), (self.producer_may_block, sleeps), "{self:?}");
    }
}

/// The words and bytes of a channel, shared doorbells left out: where they begin, and where they end.
fn ranges(entry: &Entry, line: u32) -> Vec<(u32, u32)> {
    // Their end has both words to sleep on, but the channel has only what was planned.
    let blocks = entry.blocks(line).expect("a sound entry");
    let own = u32::from(entry.wait_b > entry.block_c) + u32::from(entry.wait_a != 0);
    let len_c = (blocks.wait_b + own * line).next_multiple_of(line.max(8));
    let mut ranges =
        vec![(entry.block_a, entry.block_a + blocks.len_a), (entry.block_c, entry.block_c + len_c)];
    if entry.block_b != 0 {
        ranges.push((entry.block_b, entry.block_b + blocks.len_b));
    }
    if entry.split_payload {
        ranges.push((entry.data, entry.data + blocks.len_data));
    }
    ranges.retain(|(from, to)| from < to);
    ranges
}

/// Every side of a channel is open to its own domain, and to nobody else.
fn open(at: &Attachment<impl strait_core::port::Port>, wanted: &Wanted<'_>) {
    let name = wanted.name;
    let results = match wanted.kind {
        Kind::Frames => [at.producer(name).map(drop), at.consumer(name).map(drop)],
        Kind::Slots | Kind::Compact => [
            at.typed_producer_of(name, wanted.values).map(drop),
            at.typed_consumer_of(name, wanted.values, strait_core::ConsumerOptions::new()).map(drop),
        ],
        Kind::Latest if wanted.values.hash == 0 => {
            [at.latest_writer::<[u8]>(name).map(drop), at.latest_reader::<[u8]>(name).map(drop)]
        }
        Kind::Latest => {
            [at.latest_writer_of(name, wanted.values).map(drop), at.latest_reader::<[u8]>(name).map(drop)]
        }
        Kind::Broadcast if wanted.values.hash == 0 => [
            at.broadcast_writer::<[u8]>(name).map(drop),
            at.broadcast_reader::<[u8]>(name, BroadcastStart::Oldest).map(drop),
        ],
        Kind::Broadcast => [
            at.broadcast_writer_of(name, wanted.values).map(drop),
            at.broadcast_reader::<[u8]>(name, BroadcastStart::Oldest).map(drop),
        ],
        Kind::Mutex => [at.mutex_of(name, wanted.values).map(drop), Ok(())],
        Kind::Semaphore => [at.semaphore(name).map(drop), Ok(())],
        _ => [at.permits(name).map(drop), Ok(())],
    };
    for (result, domain) in results.into_iter().zip([wanted.domains.0, wanted.domains.1]) {
        match result {
            Ok(()) => {}
            Err(ChannelError::Domain { planned }) => assert!(planned == domain && domain != 0, "{wanted:?}"),
            Err(ChannelError::NoCommonAtomics) => assert_ne!(wanted.domains.0, wanted.domains.1),
            Err(error) => panic!("{error} for {wanted:?}"),
        }
    }
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let line = if input.below(8) == 0 { input.edge() } else { 4 << input.below(11) };
    let participants = if input.below(8) == 0 { input.edge() } else { 1 + input.below(8) as u32 };
    let apart = if input.below(4) == 0 { Some(small_or_any(&mut input)) } else { None };
    let mut wanted = Vec::new();
    while !input.is_empty() && wanted.len() < 40 {
        wanted.push(Wanted::read(&mut input));
    }
    let channels: Vec<Channel<'_>> = wanted.iter().map(Wanted::channel).collect();
    let mut plan = Plan::new(&channels).line(line).participants(participants);
    if let Some(boundary) = apart {
        plan = plan.split_payload(boundary);
    }
    let size = match plan.try_size() {
        Ok(size) => size,
        Err(error) => {
            assert!(
                error.channel.is_none_or(|index| index < channels.len()) && !error.to_string().is_empty()
            );
            let region = Region::zeroed(4096);
            let formatted = initialise(region.mem(), &plan, 1, Contents::Unknown);
            assert!(matches!(formatted, Err(FormatError::Plan(found)) if found == error), "{formatted:?}");
            return;
        }
    };
    assert!(plan.size() == size as usize && size < 1 << 31);
    // The memory of these runs is aligned to a page.
    if size > MOST || apart.is_some_and(|boundary| boundary > 4096) {
        return;
    }
    let short = Region::zeroed(size - 4);
    assert!(initialise(short.mem(), &plan, 1, Contents::Zeroed).is_err(), "too short a memory was formatted");
    let region = Region::new(&plan);
    let header = Header::check(region.mem()).expect("what was formatted is sound");
    assert_eq!((header.channel_count as usize, header.line), (channels.len(), line));
    let entries: Vec<Entry> = header.channels(region.mem()).collect();
    assert_eq!(entries.len(), wanted.len());
    let mut taken: Vec<(u32, u32)> = Vec::new();
    for (entry, wanted) in entries.iter().zip(&wanted) {
        wanted.assert_found(entry);
        taken.extend(ranges(entry, line));
    }
    taken.sort_unstable();
    assert!(taken.windows(2).all(|pair| pair[0].1 <= pair[1].0), "blocks overlap: {taken:?}");
    assert!(taken.last().is_none_or(|last| last.1 <= size));
    if apart.is_some() {
        assert!(
            Attachment::attach(region.port(None)).is_err(),
            "the payload is apart, and there is no cache"
        );
        region.set_cache(Cache { line: line.min(32), from: header.payload });
    }
    let own = places_of(region.mem(), &header, 0);
    if let Some(member) = region.try_join() {
        assert!(own.contains(&member.ident().place()));
        wanted.iter().for_each(|wanted| open(&member, wanted));
    } else {
        assert!(own.is_empty(), "a place of this domain is free");
    }
    region.assert_intact();
}
