//! The books of one kind of channel, which its receiver keeps.

use strait::{Reading, Region, SystemPort};

use crate::parts::{LANES, claim};

strait::message! {
    /// What was received.
    #[derive(Default)]
    pub struct Book {
        /// Of each lane, the number of the message that comes next.
        pub next: [u64; 3],
        /// Messages that never came.
        pub lost: u64,
        /// Messages that came again.
        pub again: u64,
        /// What a reader was told that it has lost, or skipped; calls whose server was dead.
        pub told: u64,
        /// Messages that are torn, or are not what they should be.
        pub wrong: u64,
    }
}

/// How many released messages a successor may see again.
pub const BOUND: u64 = 4;

impl Book {
    /// How many messages have passed.
    pub fn passed(&self) -> u64 {
        self.next.iter().sum()
    }
}

/// The books, open for writing by one process at a time.
pub struct Books {
    pub book: Book,
    writer: strait::LatestWriter<Book, SystemPort>,
}

impl Books {
    /// Goes on with the books of a dead predecessor.
    pub fn open(region: &Region) -> Self {
        let writer = claim(|| region.latest_writer::<Book>("book"));
        let mut reader = region.latest_reader::<Book>("book").expect("the plan has it");
        let book = match reader.read() {
            Reading::Fresh(book) | Reading::Stale(book) => book,
            Reading::Empty => Book::default(),
            Reading::Contended => panic!("the last writer is dead"),
        };
        Self { book, writer }
    }

    /// Message `number` of a lane has come. It is in the books when this returns.
    pub fn came(&mut self, lane: u32, number: u64, is_whole: bool) {
        let next = &mut self.book.next[lane as usize % LANES];
        match number.checked_sub(*next) {
            None => self.book.again += 1,
            Some(lost) => {
                self.book.lost += lost;
                *next = number + 1;
            }
        }
        self.book.wrong += u64::from(!is_whole);
        self.writer.publish(&self.book);
    }

    /// The next message of a lane never comes, and the receiver was told so.
    pub fn was_told(&mut self, lane: u32) {
        self.book.told += 1;
        self.book.next[lane as usize % LANES] += 1;
        self.writer.publish(&self.book);
    }

    /// As [`came`](Self::came), where the reader was told that it has lost, or may skip, so many before.
    pub fn came_after(&mut self, lane: u32, number: u64, is_whole: bool, told: u64) {
        self.book.told += told;
        self.book.next[lane as usize % LANES] += told;
        self.came(lane, number, is_whole);
    }
}
