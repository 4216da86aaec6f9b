//! A call and its answer between two processes: both of which poll, and over a socket, on which both sleep.

use std::hint::spin_loop;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use iceoryx2::prelude::{NodeBuilder, ipc};
use serde_json::{Value, json};
use strait::call::ServeError;
use strait::{Channel, Plan};

use super::{iceoryx2, service_name, text};
use crate::contenders::{options, region};
use crate::ends::poll;
use crate::error::Result;
use crate::job::{Job, Mode};
use crate::sides;
use crate::slices::Slices;

pub const FIGURES: &[&str] = &["round trip, polled", "round trip, iceoryx2", "round trip, Unix socket"];

/// What shares the time of a job.
const PARTS: u32 = 3;

/// Measures it.
pub fn measure(job: &Job) -> Result<Value> {
    let job = Job { mode: Mode::Processes, ..job.clone() };
    // The last one, because it may start threads, and there must be none at a fork.
    let (ours, socket) = (ours(&job)?, socket(&job)?);
    Ok(json!({
        "round trip, polled": ours,
        "round trip, Unix socket": socket,
        "round trip, iceoryx2": iceoryx(&job)?,
    }))
}

/// The slices of one side that calls, and of another that serves.
fn between<C: FnMut(u64) -> u64, S: FnMut()>(
    job: &Job,
    client: impl FnOnce() -> Result<C>,
    server: impl FnOnce() -> Result<S> + Send,
) -> Result<Value> {
    let (figures, _) = sides::run(
        job,
        |control| {
            // The server comes first.
            control.meet();
            let mut call = client()?;
            let mut number = 0;
            let slices = Slices::time(job.budget() / PARTS, 16, |count| {
                let target = number + count;
                control.go(target);
                while number < target {
                    number += 1;
                    assert_eq!(call(number), number + 1, "WRONG DATA");
                }
                control.reached(target);
            });
            Ok(slices.figures(1.0)["ns"].clone())
        },
        |control| {
            let mut serve = server()?;
            control.meet();
            control.follow(|done, target| (done..target).for_each(|_| serve()));
            Ok(String::new())
        },
    )?;
    Ok(figures)
}

fn ours(job: &Job) -> Result<Value> {
    let channels = [Channel::calls::<u64, u64>("square", 8)];
    let (plan, place) = (Plan::new(&channels), region(0)?);
    let open = || place.open_or_create(&plan, &options()).map_err(text);
    let figures = between(
        job,
        || {
            let mut client = open()?.call_client::<u64, u64>("square").map_err(text)?;
            Ok(move |number| {
                let ticket = client.try_call(&number).expect("a place is free");
                poll(|| client.poll(ticket).expect("the server lives"))
            })
        },
        || {
            let mut server = open()?.call_server::<u64, u64>("square").map_err(text)?;
            // One call a step: `serve` goes on to a call that comes meanwhile, and steps are counted.
            Ok(move || {
                poll(|| match server.try_next() {
                    Ok((number, reply)) => {
                        reply.answer(&(number + 1));
                        Some(())
                    }
                    Err(ServeError::Empty) => None,
                    Err(error) => panic!("{error}"),
                });
            })
        },
    );
    place.remove().map_err(text)?;
    figures
}

fn socket(job: &Job) -> Result<Value> {
    let (mut near, mut far) = UnixStream::pair().map_err(text)?;
    between(
        job,
        || {
            Ok(move |number: u64| {
                let mut answer = [0; 8];
                near.write_all(&number.to_le_bytes()).expect("the server lives");
                near.read_exact(&mut answer).expect("the server lives");
                u64::from_le_bytes(answer)
            })
        },
        || {
            Ok(move || {
                let mut number = [0; 8];
                far.read_exact(&mut number).expect("the client lives");
                let answer = u64::from_le_bytes(number) + 1;
                far.write_all(&answer.to_le_bytes()).expect("the client lives");
            })
        },
    )
}

fn iceoryx(job: &Job) -> Result<Value> {
    let name = service_name()?;
    let open = || {
        let node = NodeBuilder::new().create::<ipc::Service>().map_err(iceoryx2)?;
        let builder = node.service_builder(&name).request_response::<u64, u64>();
        let service = builder.max_servers(1).max_clients(1).open_or_create().map_err(iceoryx2)?;
        Ok::<_, String>((node, service))
    };
    between(
        job,
        || {
            let (node, service) = open()?;
            let client = service.client_builder().create().map_err(iceoryx2)?;
            Ok(move |number| {
                let _ = (&node, &service);
                let request = client.loan_uninit().expect("a request is free").write_payload(number);
                let pending = request.send().expect("the server lives");
                loop {
                    match pending.receive().expect("the server lives") {
                        Some(response) => break *response,
                        None => spin_loop(),
                    }
                }
            })
        },
        || {
            let (node, service) = open()?;
            let server = service.server_builder().create().map_err(iceoryx2)?;
            Ok(move || {
                let _ = (&node, &service);
                let request = poll(|| server.receive().expect("the client lives"));
                let response = request.loan_uninit().expect("a response is free").write_payload(*request + 1);
                response.send().expect("the client lives");
            })
        },
    )
}
