//! Death before any access to the region.

extern crate std;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ground::sync::model::death as step;

use super::port::Port;

/// The participant was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Died;

/// A death to come: the thread that [runs](Self::run) under it is killed before its n-th access.
#[derive(Clone)]
pub struct Death {
    at: u32,
    struck: Arc<AtomicBool>,
}

impl Death {
    /// A death before access number `at`, from 0, for models to which [`each_death`] does not apply:
    /// those with two deaths, or with their own search.
    #[must_use]
    pub fn before(at: u32) -> Self {
        Self { at, struck: Arc::default() }
    }

    /// Runs `life` as the participant `port`, which is killed before its n-th access to the region
    /// if there are that many. It is then proven dead: its liveness token is gone.
    ///
    /// # Errors
    ///
    /// [`Died`], if it was killed.
    pub fn run<R>(&self, port: &Port, life: impl FnOnce() -> R) -> Result<R, Died> {
        if let Some(result) = step::run(self.at, life) {
            return Ok(result);
        }
        self.struck.store(true, Ordering::SeqCst);
        port.end();
        Err(Died)
    }

    /// The number of the access before which death comes, from 0.
    #[must_use]
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Whether the death has happened, in any order of steps so far.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        self.struck.load(Ordering::SeqCst)
    }
}

/// Checks `model` once for each point at which a death can strike: before the first access of the code
/// that [`Death::run`] runs, before the second, and so on until it lives to its end in all orders.
/// Returns the number of points.
pub fn each_death(model: impl Fn(Death) + Clone + Sync + Send + 'static) -> u32 {
    for at in 0.. {
        let death = Death::before(at);
        let (this, that) = (model.clone(), death.clone());
        loom::model(move || this(that.clone()));
        if !death.has_struck() {
            return at;
        }
    }
    u32::MAX
}
