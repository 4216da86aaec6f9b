//! A region in a test's memory, which can be joined, looked at, changed and copied.

use std::ops::Deref;
use std::sync::Arc;

use strait_core::format::participants::{self, Card};
use strait_core::ground::format::Contents;
use strait_core::port::RELAXED;
use strait_core::{
    Attachment, Plan,
    format::{Entry, Header},
};

use super::member::Member;
use super::port::TestPort;
use super::world::World;

/// The instance id of every region that these tests make.
pub const INSTANCE: u64 = 0x0123_4567_89AB_CDEF;

/// A region, shared by everything that is made from it.
#[derive(Clone)]
pub struct Region(Arc<World>);

impl Deref for Region {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Region {
    /// Memory of zeros.
    pub fn zeroed(len: u32) -> Self {
        Self(Arc::new(World::new(len)))
    }

    /// A region formatted by `plan`.
    pub fn new(plan: &Plan<'_>) -> Self {
        let region = Self::zeroed(plan.try_size().expect("the plan works"));
        strait_core::format::initialise(&region.mem, plan, INSTANCE, Contents::Zeroed)
            .expect("the plan was laid out");
        region
    }

    /// Memory with these bytes, in which nobody lives.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let region = Self::zeroed(bytes.len() as u32);
        region.write(0, bytes);
        region
    }

    /// A copy of the memory in which nobody lives: what is found after all have died at once.
    pub fn after_death_of_all(&self) -> Self {
        Self::from_bytes(&self.bytes())
    }

    /// Joins as a new participant of domain 0.
    pub fn join(&self) -> Member {
        self.join_domain(0)
    }

    /// Joins as a new participant of `domain`.
    pub fn join_domain(&self, domain: u32) -> Member {
        let header = Header::check(&self.mem).expect("the region is sound");
        let port = TestPort::new(self, None, domain);
        let me =
            participants::join(&self.mem, &header, domain, &port, Card::default()).expect("there is room");
        Member::new(TestPort::new(self, Some(me), domain))
    }

    /// Joins without a place in the table, to look only.
    pub fn look(&self) -> Attachment<TestPort> {
        Attachment::attach(TestPort::looking_at(self, None)).expect("the region is sound")
    }

    /// The entry of a channel.
    pub fn entry(&self, name: &str) -> Entry {
        self.look().channel(name).expect("the channel exists")
    }

    pub fn peek(&self, offset: u32) -> u32 {
        self.mem.word(offset).expect("an offset inside").load(RELAXED)
    }

    pub fn poke(&self, offset: u32, value: u32) {
        self.mem.word(offset).expect("an offset inside").store(value, RELAXED);
    }

    pub fn read(&self, offset: u32, into: &mut [u8]) {
        self.mem.span(offset, into.len() as u32).expect("a range inside").read(0, into);
    }

    pub fn write(&self, offset: u32, bytes: &[u8]) {
        self.mem.span(offset, bytes.len() as u32).expect("a range inside").write(0, bytes);
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.mem.len() as usize];
        self.read(0, &mut bytes);
        bytes
    }
}
