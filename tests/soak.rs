//! Every kind of channel between processes that are killed at random, with books of what was lost or came again.
//!
//! Each kind has one source, or three of lanes, and one sink, which receives and keeps the books: in a latest value, so that a
//! successor goes on with them. One of them is killed at random now and then, and a successor started. A few thousand
//! messages of each kind by default; by hand as many as you like:
//!
//! ```sh
//! STRAIT_SOAK=100000000 cargo test --release --features embedded-io-07 --test soak -- --nocapture
//! ```
#![cfg(any(target_os = "linux", windows))]

#[path = "soak/book.rs"]
mod book;
mod common;
#[path = "soak/parts.rs"]
mod parts;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use book::Book;
use common::rng::Rng;
use common::{Kid, Name, PATIENCE, role};
use strait::{Region, RegionOptions};

/// The variable that says how many messages of each kind.
const MESSAGES: &str = "STRAIT_SOAK";
/// How many, if it is not set.
const FEW: u64 = 20_000;
/// How many are killed of each kind at least.
const KILLS: u64 = 4;

/// The children's part; a test of its own only by name.
#[test]
fn child() {
    let Some((role, region)) = role() else { return };
    let region = region.open(&RegionOptions::new()).expect("the test made the region");
    match role.split_once(' ').expect("a part and a kind") {
        ("source", kind) => parts::source(&region, kind),
        (_, kind) => parts::sink(&region, kind),
    }
}

/// The processes of one kind of channel.
struct Crew<'n> {
    name: &'n Name,
    kind: &'static str,
    /// The sink first.
    kids: Vec<Kid>,
}

impl<'n> Crew<'n> {
    fn start(name: &'n Name, kind: &'static str) -> Self {
        let mut crew = Self { name, kind, kids: Vec::new() };
        (0..=parts::sources(kind)).for_each(|place| crew.kids.push(crew.spawn(place)));
        crew
    }

    fn spawn(&self, place: usize) -> Kid {
        let part = if place == 0 { "sink" } else { "source" };
        Kid::spawn("child", &format!("{part} {}", self.kind), self.name)
    }

    /// Kills one, and starts its successor. Returns whether it was the sink.
    fn replace(&mut self, place: usize) -> bool {
        self.kids[place].kill();
        self.kids[place] = self.spawn(place);
        place == 0
    }
}

/// Runs one kind until so many messages have come, and checks the books.
fn soak(kind: &'static str, messages: u64, rng: &mut Rng) {
    let name = Name::new(&format!("soak-{kind}"));
    let region: Region = name.region().create(&parts::PLAN, &RegionOptions::new()).expect("the name is free");
    let mut books = region.latest_reader::<Book>("book").expect("the plan has it");
    let mut crew = Crew::start(&name, kind);
    let (mut kills, mut sinks) = (0, 0);
    let mut book = Book::default();
    let (mut progress, start) = (Instant::now(), Instant::now());
    while book.passed() < messages || kills < KILLS {
        std::thread::sleep(Duration::from_micros(1000 + rng.next() % 30_000));
        let now = books.read().value().unwrap_or_default();
        if now.passed() > book.passed() {
            progress = Instant::now();
            book = now;
            sinks += u64::from(crew.replace(rng.below(crew.kids.len())));
            kills += 1;
        }
        assert!(progress.elapsed() < PATIENCE, "{kind}: nothing comes any more, after {kills} kills");
    }
    drop(crew);
    let book = books.read().value().unwrap_or_default();
    let (lost, again) = parts::allowed(kind);
    let allowed = again * sinks;
    println!(
        "{kind:<10} {:>12} {kills:>6} {:>6} {:>6} of {allowed:<6} {:>10} {:>6} {:>8.1} s",
        book.passed(),
        book.lost,
        book.again,
        book.told,
        book.wrong,
        start.elapsed().as_secs_f64()
    );
    assert_eq!(book.wrong, 0, "{kind}: {book:?}");
    assert!(book.lost <= lost * sinks, "{kind}: {book:?}, after {sinks} kills of the sink");
    assert!(book.again <= allowed, "{kind}: {book:?}, after {sinks} kills of the sink");
}

#[test]
fn nothing_is_lost_or_comes_again_beyond_what_is_promised() {
    let wanted = std::env::var(MESSAGES).ok();
    let messages = wanted.map_or(FEW, |text| text.parse().expect("a number of messages"));
    let seed = RandomState::new().hash_one(0);
    let mut rng = Rng::new(seed);
    println!("moments of the kills by seed {seed}");
    println!("kind           messages  kills   lost  again, allowed   told lost  wrong");
    for kind in parts::KINDS {
        soak(kind, messages, &mut rng);
    }
}
