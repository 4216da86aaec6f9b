//! The target `patterns`: calls of one and of several clients, queues with several producers, and broadcasts, on a valid
//! region, and a peer that stores anything anywhere between the operations, and between the calls that an operation makes
//! of its port.
//!
//! Whatever it stores, these hold: no panic, no byte outside the region, lanes and lengths within their bounds, and a
//! bounded number of steps.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use strait_core::format::inspect;
use strait_core::{
    Attachment, BroadcastReader, BroadcastStart, BroadcastWriter, CallClient, CallServer, Channel,
    Interrupted, LanesConsumer, LanesOptions, LanesServer, Plan, Producer, Reply, Ticket, TypedLanesConsumer,
    TypedProducer, Waitable, ready, wait_ready,
};

use crate::input::Input;
use crate::world::{FuzzPort, Member, POLICY, Region, SOON};

const LANES: usize = 3;
const MAX: usize = 24;

type Value = [u64; 3];
type Client<'r> = CallClient<Value, Value, FuzzPort<'r>>;
type Owed<'a, 'r> = Reply<'a, Value, FuzzPort<'r>>;

const PLAN: Plan<'_> = Plan::new(&[
    Channel::calls::<Value, Value>("alone", 4),
    Channel::calls::<Value, Value>("calls", 2).clients(LANES as u32).urgent_lanes(1),
    Channel::frames("frames", 128, MAX as u32).producers(LANES as u32).consumer_may_block(),
    Channel::slots::<Value>("slots", 4).producers(LANES as u32).consumer_may_block(),
    Channel::compact::<Value>("compact", 4).producers(LANES as u32).consumer_may_block(),
    Channel::broadcast::<Value>("broadcast", 4).consumer_may_block(),
    Channel::broadcast_bytes("bytes", 4, MAX as u32).consumer_may_block(),
])
.line(4)
.participants(4);

/// The most operations of a run.
const MOST: usize = 400;

fn poll<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// All endpoints of a region; what could not be opened is not there.
struct Ends<'r> {
    /// The client of `alone`, then those of the lanes of `calls`, each with the tickets that it keeps.
    clients: Vec<(Client<'r>, Vec<Ticket>)>,
    server: Option<CallServer<Value, Value, FuzzPort<'r>>>,
    lanes_server: Option<LanesServer<Value, Value, FuzzPort<'r>, LANES>>,
    frames: Vec<Producer<FuzzPort<'r>>>,
    frames_rx: Option<LanesConsumer<FuzzPort<'r>, LANES>>,
    values: Vec<TypedProducer<Value, FuzzPort<'r>>>,
    values_rx: Vec<TypedLanesConsumer<Value, FuzzPort<'r>, LANES>>,
    writer: Option<BroadcastWriter<Value, FuzzPort<'r>>>,
    reader: Option<BroadcastReader<Value, FuzzPort<'r>>>,
    bytes_writer: Option<BroadcastWriter<[u8], FuzzPort<'r>>>,
    bytes_reader: Option<BroadcastReader<[u8], FuzzPort<'r>>>,
}

impl<'r> Ends<'r> {
    /// Opens all, for the two participants.
    fn open(a: &Member<'r>, b: &Member<'r>, input: &mut Input<'_>) -> Self {
        let options = LanesOptions::new().burst(input.below(4) as u32);
        let start = if input.flag() { BroadcastStart::Oldest } else { BroadcastStart::Newest };
        let lanes = 0..LANES as u32;
        let mut clients: Vec<Client<'r>> = a.call_client("alone").into_iter().collect();
        clients.extend(lanes.clone().filter_map(|lane| a.lane_call_client("calls", lane).ok()));
        let values = ["slots", "compact"];
        let open_values = |name| lanes.clone().filter_map(move |lane| a.typed_lane_producer(name, lane).ok());
        let mut ends = Self {
            clients: clients.into_iter().map(|client| (client, Vec::new())).collect(),
            server: b.call_server("alone").ok(),
            lanes_server: b.lanes_call_server_with("calls", options).ok(),
            frames: lanes.clone().filter_map(|lane| a.lane_producer("frames", lane).ok()).collect(),
            frames_rx: b.lanes_consumer_with("frames", options).ok(),
            values: values.into_iter().flat_map(open_values).collect(),
            values_rx: values
                .into_iter()
                .filter_map(|name| b.typed_lanes_consumer_with(name, options).ok())
                .collect(),
            writer: a.broadcast_writer("broadcast").ok(),
            reader: b.broadcast_reader("broadcast", start).ok(),
            bytes_writer: a.broadcast_writer("bytes").ok(),
            bytes_reader: b.broadcast_reader("bytes", start).ok(),
        };
        ends.wait_soon(input.flag());
        ends
    }

    fn wait_soon(&mut self, again: bool) {
        let interrupted = if again { Interrupted::Again } else { Interrupted::Tell };
        self.clients.iter_mut().for_each(|(client, _)| client.set_wait_policy(POLICY));
        if let Some(server) = &mut self.server {
            server.set_wait_policy(POLICY);
            server.set_interrupted(interrupted);
        }
        if let Some(server) = &mut self.lanes_server {
            server.set_wait_policy(POLICY);
            server.set_interrupted(interrupted);
        }
        self.frames_rx.iter_mut().for_each(|rx| rx.set_wait_policy(POLICY));
        self.values_rx.iter_mut().for_each(|rx| rx.set_wait_policy(POLICY));
        self.reader.iter_mut().for_each(|reader| reader.set_wait_policy(POLICY));
        self.bytes_reader.iter_mut().for_each(|reader| reader.set_wait_policy(POLICY));
    }
}

fn call((client, tickets): &mut (Client<'_>, Vec<Ticket>), input: &mut Input<'_>) {
    let request = [input.wide(); 3];
    let ticket = match tickets.len() {
        0 => Ticket::from_bits(input.edge()),
        len => tickets[input.below(len)],
    };
    match input.below(8) {
        0 | 1 => tickets.extend(client.try_call(&request)),
        2 => drop(client.post(&request)),
        3 => drop(client.poll(ticket)),
        4 => drop(client.wait_timeout(ticket, SOON)),
        5 => drop(client.cancel(ticket)),
        6 => drop(client.call_timeout(&request, SOON)),
        _ => drop(poll(client.wait(ticket))),
    }
    let left = client.ended();
    assert!(client.calls_out() <= client.places() && (left.is_none() || client.calls_out() > 0));
    let _ = (client.peer(), client.fault());
    if tickets.len() > 8 {
        tickets.clear();
    }
}

/// Ends a request, or keeps it.
fn reply(reply: Owed<'_, '_>, region: &Region, lies: u32, input: &mut Input<'_>) {
    region.lie(input, lies);
    let _ = (reply.is_post(), reply.is_again(), reply.caller());
    match input.below(4) {
        0 => reply.refuse(7),
        1 => reply.keep(),
        2 => drop(reply),
        _ => reply.answer(&[9; 3]),
    }
}

fn serve(ends: &mut Ends<'_>, region: &Region, lies: u32, input: &mut Input<'_>) {
    if let Some(server) = &mut ends.server
        && input.flag()
    {
        match input.below(4) {
            0 => assert!(server.serve(|value| *value).unwrap_or(0) <= server.places()),
            1 => drop(server.next_timeout(SOON).map(|(_, owed)| reply(owed, region, lies, input))),
            2 => drop(server.reply().map(|owed| reply(owed, region, lies, input))),
            _ => drop(server.try_next().map(|(_, owed)| reply(owed, region, lies, input))),
        }
        return;
    }
    let Some(server) = &mut ends.lanes_server else { return };
    let most = server.places() * server.lanes();
    match input.below(6) {
        0 => {
            let serve = |lane, value: &Value| {
                assert!((lane as usize) < LANES);
                *value
            };
            assert!(server.serve(serve).unwrap_or(0) <= most);
        }
        1 => {
            if let Ok((from, owed)) = server.next_timeout(SOON) {
                assert!((from.lane as usize) < LANES);
                reply(owed, region, lies, input);
            }
        }
        2 => {
            if let Some(Ok((_, owed))) = poll(server.next()) {
                reply(owed, region, lies, input);
            }
        }
        3 => {
            if let Some(owed) = server.reply(input.below(LANES + 1) as u32) {
                reply(owed, region, lies, input);
            }
        }
        4 => assert!(server.serve_timeout(SOON, |_, value| *value).unwrap_or(0) <= most + 1),
        _ => {
            if let Ok((from, owed)) = server.try_next() {
                assert!((from.lane as usize) < LANES);
                reply(owed, region, lies, input);
            }
        }
    }
    let _ = (server.is_empty(), server.peer(1), server.fault(2), server.taken_over_from(3));
}

fn send(ends: &mut Ends<'_>, input: &mut Input<'_>) {
    let content = [7; MAX];
    let len = input.below(MAX + 1);
    let lane = input.below(2 * LANES);
    if let Some(tx) = ends.frames.get_mut(lane) {
        let _ = tx.try_send(3, &content[..len]);
    }
    if let Some(tx) = ends.values.get_mut(lane) {
        let _ = (tx.try_send(&[1; 3]), tx.try_send_batch([[2; 3]; 2]));
    }
}

fn receive(ends: &mut Ends<'_>, region: &Region, lies: u32, input: &mut Input<'_>) {
    let mut buffer = [0xA5; MAX + 8];
    let is_lane = |lane: u32| assert!((lane as usize) < LANES);
    if let Some(rx) = &mut ends.frames_rx {
        match input.below(5) {
            0 => {
                if let Ok(from) = rx.peek() {
                    is_lane(from.lane);
                    region.lie(input, lies);
                    assert!(from.message.info().len <= MAX);
                    from.message.copy_from(0, &mut buffer[..MAX]);
                    if input.flag() {
                        from.message.release();
                    }
                }
            }
            1 => {
                let max = input.below(9);
                let count = rx.recv_batch(max, |from| {
                    is_lane(from.lane);
                    region.lie(input, lies);
                    from.message.copy_from(0, &mut buffer[..MAX]);
                });
                assert!(count.unwrap_or(0) <= max);
            }
            2 => drop(rx.recv_timeout(&mut buffer[..MAX], SOON)),
            3 => rx.flush(),
            _ => {
                if let Ok(from) = rx.try_recv(&mut buffer[..MAX]) {
                    is_lane(from.lane);
                    assert!(from.message.len <= MAX);
                }
            }
        }
    }
    assert!(buffer[MAX..] == [0xA5; 8]);
    let which = input.below(2);
    if let Some(rx) = ends.values_rx.get_mut(which) {
        let max = input.below(9);
        let count = match input.below(3) {
            0 => rx.recv_batch(max, |from| {
                is_lane(from.lane);
                region.lie(input, lies);
            }),
            1 => rx.try_recv().map(|_| 0),
            _ => Ok(rx.recv_timeout(SOON).map_or(0, |_| 0)),
        };
        assert!(count.unwrap_or(0) <= max && (0..LANES as u32).all(|lane| rx.len(lane) <= 4));
    }
}

fn publish_and_read(ends: &mut Ends<'_>, input: &mut Input<'_>) {
    let content = [7; MAX + 1];
    let mut buffer = [0xA5; MAX + 8];
    match input.below(4) {
        0 => {
            if let Some(writer) = &mut ends.writer {
                writer.publish_tagged(input.edge(), &[input.wide(); 3]);
            }
            if let Some(writer) = &mut ends.bytes_writer {
                let len = input.below(content.len() + 1);
                assert_eq!(writer.publish_from(1, &content[..len]).is_ok(), len <= MAX);
            }
        }
        1 => {
            if let Some(reader) = &mut ends.reader {
                let _ = (reader.try_recv(), reader.next_number(), poll(reader.recv()));
            }
        }
        2 => {
            if let Some(reader) = &mut ends.reader {
                let _ = reader.recv_timeout(SOON);
            }
        }
        _ => {
            if let Some(reader) = &mut ends.bytes_reader {
                let room = input.below(MAX + 1);
                if let Ok(info) = reader.try_recv_into(&mut buffer[..room]) {
                    assert!(info.len <= MAX);
                }
            }
        }
    }
    assert!(buffer[MAX..] == [0xA5; 8]);
}

/// Waits for all receivers at once.
fn wait(ends: &mut Ends<'_>, at: &Member<'_>, in_a_task: bool) {
    let mut receivers: Vec<&mut dyn Waitable> = Vec::new();
    receivers.extend(ends.clients.iter_mut().map(|(client, _)| -> &mut dyn Waitable { client }));
    receivers.extend(ends.server.iter_mut().map(|server| -> &mut dyn Waitable { server }));
    receivers.extend(ends.lanes_server.iter_mut().map(|server| -> &mut dyn Waitable { server }));
    receivers.extend(ends.frames_rx.iter_mut().map(|rx| -> &mut dyn Waitable { rx }));
    receivers.extend(ends.values_rx.iter_mut().map(|rx| -> &mut dyn Waitable { rx }));
    receivers.extend(ends.reader.iter_mut().map(|reader| -> &mut dyn Waitable { reader }));
    receivers.extend(ends.bytes_reader.iter_mut().map(|reader| -> &mut dyn Waitable { reader }));
    let count = receivers.len();
    let found = if in_a_task {
        poll(ready(at.port(), &mut receivers, POLICY))
    } else {
        Some(wait_ready(at.port(), &mut receivers, POLICY, SOON))
    };
    if let Some(Ok(found)) = found {
        assert!(found.into_iter().all(|index| index < count));
    }
}

fn look(region: &Region, at: &Attachment<FuzzPort<'_>>) {
    for entry in at.channels() {
        let state = inspect::channel_state(region.mem(), at.header().line, &entry);
        assert!(state.len <= entry.capacity);
        assert!(inspect::calls(region.mem(), at.header().line, &entry).count() <= entry.capacity as usize);
    }
}

fn operate(ends: &mut Ends<'_>, at: &Member<'_>, region: &Region, lies: u32, input: &mut Input<'_>) {
    match input.below(12) {
        0..=2 => {
            let which = input.below(1 + LANES);
            if let Some(client) = ends.clients.get_mut(which) {
                call(client, input);
            }
        }
        3..=5 => serve(ends, region, lies, input),
        6 => send(ends, input),
        7 | 8 => receive(ends, region, lies, input),
        9 => publish_and_read(ends, input),
        10 => wait(ends, at, input.flag()),
        _ => look(region, at),
    }
    region.check();
}

/// One run.
///
/// # Panics
///
/// If something is wrong with the core.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let region = Region::new(&PLAN);
    // Header and directory are read at attach; damage to them is the subject of the target `attach`.
    let lies = region.entry("alone").block_a;
    let (mut a, mut b) = (region.join(), region.join());
    let mut ends = Ends::open(&a, &b, &mut input);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        match input.below(8) {
            0 | 1 => region.lie(&mut input, lies),
            2 if input.below(4) == 0 => {
                // All die in the middle of what they do, and others take over what is there.
                let dead = (a, b);
                let Some(next) = region.try_join() else { break };
                let Some(other) = region.try_join() else { break };
                dead.0.die(ends);
                dead.1.die(());
                (a, b) = (next, other);
                ends = Ends::open(&a, &b, &mut input);
            }
            _ => operate(&mut ends, &a, &region, lies, &mut input),
        }
    }
}
