//! `strait serve`: a page of live values, and the WebSocket protocol of Foxglove, on one port.
//!
//! Each client has a thread and followers of its own, so clients share nothing, and none can hold up a sender or another
//! client. A client that is slow is not waited for: its followers are overtaken, and count what was missed.

mod client;
mod guard;
mod http;
mod publish;
mod stage;
mod stream;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::args::Serve;
use crate::error::{Error, Result, reason};
use crate::print;
use crate::region_arg::RegionArg;
use crate::see::Scene;

use guard::Guard;

/// Connections at once.
const MAX_CONNECTIONS: usize = 64;
/// How long to wait after a connection could not be accepted, as when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The shortest token.
const MIN_TOKEN: usize = 16;

/// What all connections share.
struct Shared {
    regions: Vec<RegionArg>,
    allow_send: bool,
    guard: Guard,
    connections: AtomicUsize,
}

/// Serves until it is killed.
pub fn run(wanted: &Serve) -> Result<()> {
    check(wanted)?;
    let address = SocketAddr::new(wanted.listen, wanted.port);
    let failed = |error: std::io::Error| Error::at(format!("address {address}"), reason(&error));
    let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Error::at(
            format!("address {address}"),
            "already in use; give another --port, or 0 for one that is free",
        ),
        _ => failed(error),
    })?;
    let address = listener.local_addr().map_err(failed)?;
    let shared = Arc::new(Shared {
        regions: wanted.regions.clone(),
        allow_send: wanted.allow_send,
        guard: Guard { token: wanted.token.clone(), origins: wanted.origin.clone() },
        connections: AtomicUsize::new(0),
    });
    let query = wanted.token.as_ref().map(|token| format!("?token={token}")).unwrap_or_default();
    let (page, socket) = (format!("http://{address}/{query}"), format!("ws://{address}/{query}"));
    print::out(&match wanted.json {
        true => format!("{}\n", json!({ "page": page, "foxglove": socket, "port": address.port() })),
        false => format!("page:     {page}\nFoxglove: {socket}\n"),
    })?;
    for arg in &wanted.regions {
        if Scene::open_quietly(arg).is_none() {
            print::note(&format!("{arg}: is not there yet, or cannot be opened; it is shown once it can"));
        }
    }
    loop {
        match listener.accept() {
            Ok((stream, _)) => welcome(stream, &shared),
            Err(error) => {
                print::note(&format!("a connection: {}", reason(&error)));
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Checks what the arguments ask for together.
fn check(wanted: &Serve) -> Result<()> {
    match &wanted.token {
        None if !is_loopback(wanted.listen) => Err(Error::usage(format!(
            "--listen {}: other machines could read everything; give a --token too, and mind that nothing is encrypted",
            wanted.listen
        ))),
        Some(token) if token.len() < MIN_TOKEN || !token.bytes().all(is_plain) => Err(Error::usage(format!(
            "--token: give {MIN_TOKEN} or more letters, digits, '-' or '_', as `openssl rand -hex 16` prints"
        ))),
        _ => Ok(()),
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Gives a connection a thread of its own, if there is room.
fn welcome(stream: TcpStream, shared: &Arc<Shared>) {
    if shared.connections.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
        shared.connections.fetch_sub(1, Ordering::Relaxed);
        http::refuse(stream, 503, "too many connections; close some of them");
        return;
    }
    let place = Place(Arc::clone(shared));
    // Without a thread the connection is closed.
    let _ = thread::Builder::new().name("client".into()).spawn(move || http::serve(stream, &place.0));
}

/// A connection's place among those that there may be.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
