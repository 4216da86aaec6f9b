//! The common state of the ports of one model region: its memory, and the state that a kernel would keep.

extern crate std;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::format;
use std::rc::Rc;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use loom::sync::atomic::AtomicU32;
use loom::sync::{Condvar, Mutex};

use crate::ground::call;
use crate::ground::entry::Entry;
use crate::ground::format::{Contents, initialise};
use crate::ground::geometry::GRANULE;
use crate::ground::header::{self, Header};
use crate::ground::kind::Kind;
use crate::ground::plan::Plan;
use crate::ground::sync::Mem;
use crate::ground::sync::model::memory::{Use, Word, Words};
use crate::ground::tasks::Wakers;

/// The common state of the ports of one region.
pub(super) struct Shared {
    pub mem: Mem,
    /// By slot and epoch: the state of the liveness token.
    pub tokens: Vec<[AtomicU32; EPOCHS]>,
    /// By the offsets of the words that have been slept on.
    pub wait_queues: std::sync::Mutex<Vec<(u32, Arc<WaitQueue>)>>,
    /// The holder of the hardware lock, or 0.
    pub hardware: AtomicU32,
    pub wakers: Mutex<Wakers<TASKS>>,
    pub time_passes: bool,
}

/// The most incarnations of a slot in a model.
pub(super) const EPOCHS: usize = 4;

/// The most tasks that can wait at once in a model.
pub(super) const TASKS: usize = 4;

/// A token that nobody has taken yet.
const UNTAKEN: u32 = 0;
/// The sleepers on one word, as a kernel keeps them, in the order in which they went to sleep.
#[derive(Default)]
pub(super) struct WaitQueue {
    pub asleep: Mutex<VecDeque<Arc<Condvar>>>,
}

impl WaitQueue {
    /// Sleeps, unless `differs` by what the kernel sees, until woken.
    pub fn sleep(&self, differs: impl FnOnce() -> bool) {
        let mut asleep = self.asleep.lock().expect("nobody dies in the kernel");
        if differs() {
            return;
        }
        let alarm = Arc::new(Condvar::new());
        asleep.push_back(alarm.clone());
        while asleep.iter().any(|other| Arc::ptr_eq(other, &alarm)) {
            asleep = alarm.wait(asleep).expect("nobody dies in the kernel");
        }
    }

    /// As [`sleep`](Self::sleep), but the time is over at some moment; returns whether it was.
    pub fn nap(&self, differs: impl FnOnce() -> bool) -> bool {
        let alarm = Arc::new(Condvar::new());
        let mut asleep = self.asleep.lock().expect("nobody dies in the kernel");
        if differs() {
            return false;
        }
        asleep.push_back(alarm.clone());
        drop(asleep);
        let mut asleep = self.asleep.lock().expect("nobody dies in the kernel");
        let place = asleep.iter().position(|other| Arc::ptr_eq(other, &alarm));
        place.and_then(|place| asleep.remove(place)).is_some()
    }

    /// Wakes the first `most`, if there are so many; returns whether there were.
    pub fn wake(&self, most: usize) -> bool {
        let mut asleep = self.asleep.lock().expect("nobody dies in the kernel");
        let woken = most.min(asleep.len());
        asleep.drain(..woken).for_each(|alarm| alarm.notify_one());
        woken == most
    }
}

impl Shared {
    /// A region for this plan, whose waits may run out, and which is formatted already or is to be while the
    /// model runs.
    pub fn laid_out(plan: &Plan<'_>, time_passes: bool, formatted: bool) -> Arc<Self> {
        let layout = Layout::of(plan);
        let words = layout.words.iter().enumerate().map(|(i, &(value, used))| {
            let used = match used {
                None if formatted => Use::default(),
                None if 4 * i as u32 == header::at::MAGIC => SHARED,
                None => Use { plain: true, ..Use::default() },
                Some(used) => used,
            };
            (if formatted { value } else { 0 }, Use { prompt: true, ..used })
        });
        let mem = Words::new(words);
        let token = || core::array::from_fn(|_| AtomicU32::new(UNTAKEN));
        Arc::new(Self {
            mem: Mem(Arc::new(mem)),
            tokens: (0..layout.participant_count).map(|_| token()).collect(),
            wait_queues: std::sync::Mutex::default(),
            hardware: AtomicU32::new(0),
            wakers: Mutex::new(Wakers::new()),
            time_passes,
        })
    }
}

/// What the regions of one plan have in common. A model makes its region anew in each of its runs, of which there may
/// be a million: formatting it and counting its words up would be a good part of each.
struct Layout {
    /// The values after formatting, and the uses of the words that have one of their own.
    words: Vec<(u32, Option<Use>)>,
    participant_count: u32,
}

std::thread_local! {
    /// Those made so far, by all that is in the plan.
    static LAYOUTS: RefCell<Vec<(String, Rc<Layout>)>> = const { RefCell::new(Vec::new()) };
}

impl Layout {
    fn of(plan: &Plan<'_>) -> Rc<Self> {
        let plan_text = format!("{plan:?}");
        let known = |layouts: &Vec<(String, Rc<Self>)>| {
            layouts.iter().find(|(text, _)| *text == plan_text).map(|(_, layout)| layout.clone())
        };
        if let Some(layout) = LAYOUTS.with_borrow(known) {
            return layout;
        }
        let layout = Rc::new(Self::new(plan));
        LAYOUTS.with_borrow_mut(|layouts| layouts.push((plan_text, layout.clone())));
        layout
    }

    fn new(plan: &Plan<'_>) -> Self {
        let zeros = core::iter::repeat_n((0, Use::default()), plan.size() / 4);
        let setup = Mem(Arc::new(Words::new(zeros)));
        initialise(&setup, plan, 1, Contents::Zeroed).expect("the plan was checked");
        let header = Header::check(&setup).expect("the region was formatted");
        let uses = uses(&setup, &header);
        let values = setup.0.0.iter().map(Word::plain).enumerate();
        let words = values.map(|(i, value)| (value, uses.get(&(4 * i as u32)).copied())).collect();
        Self { words, participant_count: header.participant_count }
    }
}

const SHARED: Use = Use { shared: true, plain: false, prompt: false };

/// The uses of the words while the region is in use, by their offsets. Shared are all words of its
/// channels except payload, and the states of participants.
fn uses(mem: &Mem, header: &Header) -> HashMap<u32, Use> {
    let states = (1..=header.participant_count).filter_map(|slot| header.participant(slot));
    let mut uses: HashMap<u32, Use> = states.map(|offset| (offset, SHARED)).collect();
    let entries: Vec<_> = header.channels(mem).collect();
    let blocks = |entry: &Entry| entry.blocks(header.line).expect("the plan was checked");
    for entry in &entries {
        let blocks = blocks(entry);
        let a = range(entry.block_a, blocks.data);
        let b = range(entry.block_b, blocks.len_b);
        let c = range(entry.block_c, blocks.len_c);
        let park_words = [entry.wait_a, entry.wait_b].into_iter().filter(|&offset| offset != 0);
        let all = a.chain(b).chain(c).chain(park_words);
        uses.extend(all.map(|offset| (offset, SHARED)));
    }
    // After that, because block C as it is measured here can reach into the next channel's data.
    for entry in &entries {
        let blocks = blocks(entry);
        let data = range(entry.data, blocks.len_data);
        uses.extend(data.map(|offset| (offset, data_use(entry, offset - entry.data))));
        if entry.kind == Kind::Calls {
            let answers = entry.block_b + blocks.answers;
            let stride = call::stride(entry.answer.size, header.line).expect("the plan was checked");
            let data = range(answers, entry.capacity * stride);
            uses.extend(data.map(|offset| (offset, place_use(stride, offset - answers))));
        }
    }
    uses
}

fn range(start: u32, len: u32) -> impl Iterator<Item = u32> {
    (start..start + len).step_by(4)
}

/// The use of the word `at` bytes into a channel's data.
fn data_use(entry: &Entry, at: u32) -> Use {
    match entry.kind {
        // A commit word can be on any granule.
        Kind::Frames => Use { shared: at.is_multiple_of(GRANULE), plain: true, prompt: false },
        Kind::Slots if at % entry.stride == entry.stride - 4 => {
            Use { shared: true, plain: false, prompt: false }
        }
        Kind::Slots | Kind::Compact | Kind::Mutex | Kind::Pool => {
            Use { shared: false, plain: true, prompt: false }
        }
        Kind::Calls => place_use(entry.stride, at),
        // There are no data.
        Kind::Semaphore | Kind::Permits => Use { shared: false, plain: false, prompt: false },
        // A reader may be overtaken by the writer: every word of a value is read as it changes.
        Kind::Latest | Kind::Broadcast => Use { shared: true, plain: false, prompt: false },
    }
}

/// The use of the word `at` bytes into the places of calls: a value, then the words of the place.
fn place_use(stride: u32, at: u32) -> Use {
    let is_word = at % stride >= stride - call::WORDS;
    Use { shared: is_word, plain: !is_word, prompt: false }
}
