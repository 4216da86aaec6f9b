//! A notification, and a look that sees it, in one thread.

use std::hint::black_box;

use iceoryx2::prelude::{EventId, NodeBuilder, ipc};
use nix::sys::eventfd::{EfdFlags, EventFd};
use serde_json::{Value, json};
use strait::{Channel, Plan};

use super::{iceoryx2, own, service_name, text};
use crate::error::Result;
use crate::job::Job;
use crate::slices::Slices;
use crate::sys;

pub const FIGURES: &[&str] = &["notify + see", "notify + see, eventfd", "notify + see, iceoryx2"];

/// What shares the time of a job.
const PARTS: u32 = 3;

/// Measures it.
pub fn measure(job: &Job) -> Result<Value> {
    sys::pin(job.first)?;
    let here = own(&Plan::new(&[Channel::event("there")]))?;
    let mut notifier = here.notifier("there").map_err(text)?;
    let mut listener = here.listener("there").map_err(text)?;
    let ours = Slices::time(job.budget() / PARTS, 64, |count| {
        for _ in 0..count {
            notifier.notify(black_box(7));
            assert!(listener.try_wait().is_some(), "WRONG DATA");
        }
    });
    let event = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).map_err(text)?;
    let eventfd = Slices::time(job.budget() / PARTS, 16, |count| {
        for _ in 0..count {
            event.write(black_box(1)).expect("the counter is not full");
            assert_eq!(event.read(), Ok(1), "WRONG DATA");
        }
    });
    Ok(json!({
        "notify + see": ours.figures(1.0)["ns"],
        "notify + see, eventfd": eventfd.figures(1.0)["ns"],
        "notify + see, iceoryx2": iceoryx(job)?,
    }))
}

fn iceoryx(job: &Job) -> Result<Value> {
    let node = NodeBuilder::new().create::<ipc::Service>().map_err(iceoryx2)?;
    let service = node.service_builder(&service_name()?).event().create().map_err(iceoryx2)?;
    let notifier = service.notifier_builder().create().map_err(iceoryx2)?;
    let listener = service.listener_builder().create().map_err(iceoryx2)?;
    let slices = Slices::time(job.budget() / PARTS, 16, |count| {
        for _ in 0..count {
            notifier.notify_with_custom_event_id(black_box(EventId::new(7))).expect("the listener is there");
            let mut seen = 0;
            listener.try_wait(|_| seen += 1).expect("the notifier is there");
            assert!(seen > 0, "WRONG DATA");
        }
    });
    Ok(slices.figures(1.0)["ns"].clone())
}
