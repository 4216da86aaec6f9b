//! One contract over three carriers between two processes: a region, a named pipe and TCP. The client's function and
//! the server's are written once.
//!
//! Asserts over each of them that every function does what it says, that a refusal is told, and that a client of
//! another contract is refused by the name of what differs.

mod common;

use std::net::{TcpListener, TcpStream};

use common::{Other, PATIENCE, Result};
use strait::contract::{
    Carrier, Difference, FunctionError, OpenContractError, Requests, ServeContractError, Timed, TimedIo,
};
use strait::pipe::{Pipe, PipeListener, PipeName, PipeOptions};
use strait::{Plan, RegionName, RegionOptions};

strait::message! {
    /// A number in the store.
    struct Entry { key: u32, reserved: u32, value: f64 }
    /// How the store is.
    struct State { entries: u32, notes: u32 }
    /// A line for the log.
    struct Line { text: [u8; 40] }
}

strait::contract! {
    /// What a store of numbers does.
    contract Store: client StoreClient, server StoreServer {
        /// Keeps a number, and returns the one that was there.
        fn put(entry: Entry) -> Entry;
        /// Returns the number of this key.
        fn get(key: u32) -> Entry;
        /// A line for the log.
        post note(line: Line);
        /// Ends the store's process, and returns how it was.
        fn end(code: u32) -> State;
    }
}

mod older {
    use super::{Entry, State};

    strait::contract! {
        /// The contract of last year, without a log.
        pub(super) contract Store: client StoreClient, server StoreServer {
            /// Keeps a number, and returns the one that was there.
            fn put(entry: Entry) -> Entry;
            /// Returns the number of this key.
            fn get(key: u32) -> Entry;
            /// Ends the store's process, and returns how it was.
            fn end(code: u32) -> State;
        }
    }
}

const PLAN: Plan = Plan::new(&[Store::plan_channel("store", 4)]);

/// The server's reason to refuse.
const NO_SUCH_KEY: u16 = 404;

#[derive(Default)]
struct Numbers {
    values: [f64; 16],
    notes: u32,
    ended: bool,
}

impl StoreServer for Numbers {
    fn put(&mut self, entry: &Entry) -> std::result::Result<Entry, u16> {
        let place = self.values.get_mut(entry.key as usize).ok_or(NO_SUCH_KEY)?;
        Ok(Entry { value: std::mem::replace(place, entry.value), ..*entry })
    }

    fn get(&mut self, key: &u32) -> std::result::Result<Entry, u16> {
        let value = *self.values.get(*key as usize).ok_or(NO_SUCH_KEY)?;
        Ok(Entry { key: *key, reserved: 0, value })
    }

    fn note(&mut self, _line: &Line) {
        self.notes += 1;
    }

    fn end(&mut self, code: &u32) -> std::result::Result<State, u16> {
        assert_eq!(*code, 7);
        self.ended = true;
        let entries = self.values.iter().filter(|&&value| value != 0.0).count() as u32;
        Ok(State { entries, notes: self.notes })
    }
}

/// The client, over any carrier.
fn use_store<C: Carrier<Contract = Store>>(mut store: StoreClient<C>) -> Result<()> {
    for key in 0..16 {
        let value = f64::from(key) + 0.5;
        assert_eq!(store.put(&Entry { key, reserved: 0, value }, PATIENCE)?.value, 0.0);
        store.note(&Line { text: [b'.'; 40] })?;
    }
    assert_eq!(store.get(&9, PATIENCE)?.value, 9.5);
    assert_eq!(store.get(&16, PATIENCE), Err(FunctionError::Refused { code: NO_SUCH_KEY }));
    assert_eq!(store.end(&7, PATIENCE)?, State { entries: 16, notes: 16 });
    Ok(())
}

/// The server, over any carrier: until it is told to end, or its client is gone.
fn serve<R: Requests<Contract = Store>>(mut requests: R) -> Result<()> {
    let mut numbers = Numbers::default();
    while !numbers.ended {
        match Store::serve(&mut requests, &mut numbers, PATIENCE) {
            Err(ServeContractError::ClientGone) => break,
            served => served?,
        };
    }
    Ok(())
}

fn serve_stream<T: TimedIo>(stream: T) -> Result<()> {
    let (mut into, mut out) = ([0; Store::STREAM_BUFFER], [0; Store::STREAM_BUFFER]);
    serve(Store::accept(Timed::new(stream), &mut into, &mut out)?)
}

/// The second process: serves over the carrier that its arguments name, of streams twice.
fn serve_carrier(carrier: &str, place: &str) -> Result<()> {
    match carrier {
        "region" => {
            let region = RegionName::new(place)?.open_or_create(&PLAN, &RegionOptions::new())?;
            serve(Store::server(&region, "store")?)
        }
        "pipe" => {
            for _ in 0..2 {
                serve_stream(Pipe::connect_timeout(&PipeName::new(place)?, &PipeOptions::new(), PATIENCE)?)?;
            }
            Ok(())
        }
        "tcp" => {
            for _ in 0..2 {
                let stream = TcpStream::connect(place)?;
                stream.set_nodelay(true)?;
                serve_stream(stream)?;
            }
            Ok(())
        }
        _ => common::usage("none"),
    }
}

/// A client of the old contract over a stream, and then one of the right contract.
fn use_streams<T: TimedIo>(carrier: &str, mut accept: impl FnMut() -> Result<T>) -> Result<()> {
    let (mut into, mut out) = ([0; Store::STREAM_BUFFER], [0; Store::STREAM_BUFFER]);
    refuse(carrier, older::Store::connect(Timed::new(accept()?), &mut into, &mut out, PATIENCE).err())?;
    use_store(Store::connect(Timed::new(accept()?), &mut into, &mut out, PATIENCE)?)
}

/// Asserts that a client of the old contract was told what differs.
fn refuse(carrier: &str, refused: Option<OpenContractError>) -> Result<()> {
    let refused = refused.ok_or("the old contract was let in")?;
    println!("{carrier}: {refused}");
    let OpenContractError::Differs(Difference::Function { number: 3, ours, theirs }) = refused else {
        return Err(refused.into());
    };
    assert_eq!(
        [ours, theirs].map(|name| name.map(|name| name.to_string())),
        [Some("end".into()), Some("note".into())]
    );
    Ok(())
}

/// The first process: a client over each carrier in turn.
fn use_all() -> Result<()> {
    let name = common::fresh_name("contract");
    let region = RegionName::new(&name)?.open_or_create(&PLAN, &RegionOptions::new())?;
    let other = Other::start(&["region", &name])?;
    refuse("region", older::Store::client(&region, "store", PATIENCE).err())?;
    use_store(Store::client(&region, "store", PATIENCE)?)?;
    other.finish()?;
    RegionName::new(&name)?.remove()?;

    let mut listener = PipeListener::bind(&PipeName::new(&name)?, &PipeOptions::new())?;
    let other = Other::start(&["pipe", &name])?;
    use_streams("pipe", || Ok(listener.accept_timeout(PATIENCE)?))?;
    other.finish()?;

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let other = Other::start(&["tcp", &listener.local_addr()?.to_string()])?;
    use_streams("tcp", || {
        let stream = common::accept(&listener)?;
        stream.set_nodelay(true)?;
        Ok(stream)
    })?;
    other.finish()?;
    println!("one contract over a region, a pipe and TCP");
    Ok(())
}

fn main() -> Result<()> {
    common::play(|args| match args {
        [] => use_all(),
        [carrier, place] => serve_carrier(carrier, place),
        _ => common::usage("none"),
    })
}
