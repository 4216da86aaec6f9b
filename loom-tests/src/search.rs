//! How a model is searched: all orders of its threads' steps, or those with a bounded number of
//! preemptions; with deaths at every step.
//!
//! `STRAIT_MODELS=quick` searches most models with fewer preemptions. Their reports say so, and the control run
//! under the same variable shows that each still fails of what `CONTROL.md` lists. `STRAIT_MODELS=most` does so with the few
//! that take minutes each.
//! Without it, or with `STRAIT_MODELS=full`, every model is searched as its documentation states.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use strait_core::model::Death;
use strait_core::model::loom::model::Builder;

/// The most steps that a run may have. One that has more does not end.
const MAX_BRANCHES: usize = 5_000;

/// Chooses how far to search.
const VARIABLE: &str = "STRAIT_MODELS";

/// How far models are searched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Most models with fewer preemptions.
    Quick,
    /// Those that take minutes with fewer.
    Most,
    /// All as they are documented.
    Full,
}

/// A text in the report of a model that was searched with fewer preemptions.
pub const FEWER: &str = "(in full: ";

/// How far models are to be searched.
///
/// # Panics
///
/// If the variable has a value that it cannot have.
pub fn extent() -> Extent {
    match env::var(VARIABLE).as_deref() {
        Err(env::VarError::NotPresent) | Ok("full") => Extent::Full,
        Ok("most") => Extent::Most,
        Ok("quick") => Extent::Quick,
        other => panic!("{VARIABLE} is {other:?}; it can be `quick`, `most` or `full`"),
    }
}

/// Which orders of steps are tried.
#[derive(Clone, Copy)]
pub struct Search {
    preemptions: Option<usize>,
    /// The preemptions of a quick search, if it has fewer.
    quick: Option<usize>,
    /// The same of a search of most.
    most: Option<usize>,
}

/// All of them. In a quick search, with two preemptions at most: that takes a small part of the time, and nearly
/// every model still fails of the orderings that the control run weakens.
pub const ALL: Search = Search { preemptions: None, quick: Some(2), most: None };

/// Those in which threads are preempted so often at most. (A thread that ends, yields or sleeps is
/// not preempted.)
pub const fn up_to(preemptions: usize) -> Search {
    Search { preemptions: Some(preemptions), quick: None, most: None }
}

impl Search {
    /// The same, but with only this many preemptions in a quick search.
    pub const fn quick(self, preemptions: usize) -> Self {
        Self { quick: Some(preemptions), ..self }
    }

    /// The same, but with only this many preemptions unless the search is a full one: for models that take minutes.
    pub const fn most(self, preemptions: usize) -> Self {
        Self { most: Some(preemptions), ..self }
    }

    /// The same in a quick search: for models that would not find then what they are to find.
    pub const fn never_quick(self) -> Self {
        Self { quick: None, ..self }
    }

    /// Checks a model and prints what that took.
    pub fn check(self, model: impl Fn() + Sync + Send + 'static) {
        let tally = Tally::start(self);
        tally.run(model);
        tally.print("");
    }

    /// Expects that some order of a model's steps leaves all its threads asleep.
    pub fn finds_a_deadlock(self, model: impl Fn() + Sync + Send + 'static) {
        let tally = Tally::start(self);
        let found = catch_unwind(AssertUnwindSafe(|| tally.run(model)));
        let Err(panic) = found else { panic!("no order leaves anybody asleep for ever") };
        let text = panic.downcast_ref::<String>().map_or("another panic", String::as_str);
        assert!(text.starts_with("deadlock"), "{text}");
        tally.print(", a deadlock as expected");
    }

    /// Checks a model once for each point at which a death can strike; see `model::each_death`.
    pub fn each_death(self, model: impl Fn(Death) + Sync + Send + 'static) {
        let tally = Tally::start(self);
        let model = Arc::new(model);
        let points = (0..).find(|&at| !strikes(&tally, &model, at));
        tally.print(&format!(", {} points of death", points.unwrap_or(0)));
    }

    /// Checks a model for each pair of points at which two deaths can strike.
    pub fn each_two_deaths(self, model: impl Fn(Death, Death) + Sync + Send + 'static) {
        let tally = Tally::start(self);
        let model = Arc::new(model);
        let mut pairs = 0;
        for first in 0.. {
            let (model, mut struck) = (model.clone(), false);
            for second in 0.. {
                let (one, two) = (Death::before(first), Death::before(second));
                let _which = Which(vec![one.clone(), two.clone()]);
                let (model, these) = (model.clone(), (one.clone(), two.clone()));
                tally.run(move || model(these.0.clone(), these.1.clone()));
                struck |= one.has_struck();
                if !two.has_struck() {
                    break;
                }
                pairs += 1;
            }
            if !struck {
                break;
            }
        }
        tally.print(&format!(", {pairs} pairs of deaths"));
    }
}

/// Checks the model with a death at this point; answers whether there is such a point.
fn strikes(tally: &Tally, model: &Arc<impl Fn(Death) + Sync + Send + 'static>, at: u32) -> bool {
    let death = Death::before(at);
    let _which = Which(vec![death.clone()]);
    let (model, this) = (model.clone(), death.clone());
    tally.run(move || model(this.clone()));
    death.has_struck()
}

/// Says at which deaths a model failed.
struct Which(Vec<Death>);

impl Drop for Which {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let points: Vec<_> = self.0.iter().map(Death::at).collect();
            eprintln!("with death before access {points:?} (counted from 0)");
        }
    }
}

/// The cost of a search.
struct Tally {
    /// loom's settings, which its environment variables can change.
    builder: Builder,
    /// The full search, if this is one with fewer preemptions.
    full: Option<Search>,
    start: Instant,
    runs: Arc<AtomicU64>,
}

impl Tally {
    fn start(search: Search) -> Self {
        let mut builder = Builder::new();
        let fewer = match extent() {
            Extent::Quick => search.quick,
            Extent::Most => search.most,
            Extent::Full => None,
        };
        builder.preemption_bound = fewer.or(search.preemptions).or(builder.preemption_bound);
        builder.max_branches = builder.max_branches.max(MAX_BRANCHES);
        Self { builder, full: fewer.map(|_| search), start: Instant::now(), runs: Arc::default() }
    }

    fn run(&self, model: impl Fn() + Sync + Send + 'static) {
        let runs = self.runs.clone();
        self.builder.check(move || {
            runs.fetch_add(1, Ordering::Relaxed);
            model();
        });
    }

    fn print(&self, more: &str) {
        let mut bound = name(self.builder.preemption_bound);
        if let Some(full) = self.full {
            bound = format!("{bound} {FEWER}{})", name(full.preemptions));
        }
        let runs = self.runs.load(Ordering::Relaxed);
        println!("{bound}, {runs} runs{more}, {:.1} s", self.start.elapsed().as_secs_f64());
    }
}

fn name(preemptions: Option<usize>) -> String {
    preemptions.map_or_else(|| "all orders".into(), |bound| format!("up to {bound} preemptions"))
}
