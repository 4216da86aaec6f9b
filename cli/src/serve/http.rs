//! The little of HTTP that the page and the opening of a WebSocket need.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use httparse::{EMPTY_HEADER, Request, Status};

use super::guard::{Claims, parameter};
use super::{Shared, accept, client};

/// The longest head of a request.
const MAX_HEAD: usize = 16 << 10;
const MAX_FIELDS: usize = 64;
/// How long a client may take for its request, and for what it gets.
const PATIENCE: Duration = Duration::from_secs(5);
/// The protocols that are spoken: they are the same as far as we speak them.
const PROTOCOLS: [&str; 2] = ["foxglove.sdk.v1", "foxglove.websocket.v1"];

const PAGE: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPTS: [(&str, &str); 3] = [
    ("/plot.js", include_str!("page/plot.js")),
    ("/link.js", include_str!("page/link.js")),
    ("/page.js", include_str!("page/page.js")),
];

/// What a request is answered by.
enum Reply {
    File(&'static str, &'static str),
    Socket { key: String, protocol: &'static str, most: Option<f64> },
    Refused(u16, String),
}

/// Serves one connection to its end.
pub fn serve(mut stream: TcpStream, shared: &Shared) {
    let Some((head, end)) = read_head(&mut stream) else { return };
    match reply(&head[..end], shared) {
        Reply::File(kind, text) => send(stream, 200, kind, text),
        Reply::Refused(status, why) => refuse(stream, status, &why),
        Reply::Socket { key, protocol, most } => {
            let accept = accept::of(&key);
            let opening = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
            );
            if stream.write_all(opening.as_bytes()).is_ok() {
                client::run(stream, head[end..].to_vec(), shared, most);
            }
        }
    }
}

/// Reads a request's head, and what came behind it; `None` if the client leaves, or takes too long.
fn read_head(stream: &mut TcpStream) -> Option<(Vec<u8>, usize)> {
    let deadline = Instant::now() + PATIENCE;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let (mut head, mut block) = (Vec::new(), [0; 2048]);
    while head.len() < MAX_HEAD {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        stream.set_read_timeout(Some(left)).ok()?;
        let count = stream.read(&mut block).ok().filter(|&count| count > 0)?;
        // The end may have come in two parts.
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&block[..count]);
        if let Some(at) = head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            return Some((head, from + at + 4));
        }
    }
    None
}

fn reply(head: &[u8], shared: &Shared) -> Reply {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut request = Request::new(&mut fields);
    if !matches!(request.parse(head), Ok(Status::Complete(_))) {
        return Reply::Refused(400, "this is no request".into());
    }
    let (Some("GET"), Some(target)) = (request.method, request.path) else {
        return Reply::Refused(405, "only GET is known here".into());
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // A field that comes twice is none: others might read it otherwise.
    let field = |name: &str| {
        let mut all = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        let first = all.next().and_then(|field| std::str::from_utf8(field.value).ok());
        first.map(str::trim).filter(|_| all.next().is_none())
    };
    let is_many =
        |name: &str| request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count() > 1;
    // What is the same for everybody needs no token, as the page cannot hand it on.
    if let Some((_, text)) = SCRIPTS.iter().find(|(name, _)| *name == path) {
        return Reply::File("text/javascript", text);
    }
    if path == "/style.css" {
        return Reply::File("text/css", STYLE);
    }
    if is_many("origin") {
        return Reply::Refused(400, "the request has two origins".into());
    }
    let claims =
        Claims { host: field("host"), origin: field("origin"), query, authorization: field("authorization") };
    if let Err((status, why)) = shared.guard.check(&claims) {
        return Reply::Refused(status, why);
    }
    if path != "/" {
        return Reply::Refused(404, "there is only one page, /".into());
    }
    let is_socket = field("upgrade").is_some_and(|what| what.eq_ignore_ascii_case("websocket"));
    if !is_socket {
        return Reply::File("text/html", PAGE);
    }
    let (Some(key), Some("13")) = (field("sec-websocket-key"), field("sec-websocket-version")) else {
        return Reply::Refused(400, "the WebSocket is of a version that is not known here".into());
    };
    let offered: Vec<&str> = request
        .headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("sec-websocket-protocol"))
        .filter_map(|field| std::str::from_utf8(field.value).ok())
        .flat_map(|value| value.split(',').map(str::trim))
        .collect();
    let Some(protocol) = PROTOCOLS.into_iter().find(|known| offered.contains(known)) else {
        return Reply::Refused(400, format!("the protocols known here are {}", PROTOCOLS.join(" and ")));
    };
    let most = parameter(query, "most").and_then(|most| most.parse().ok());
    Reply::Socket {
        key: key.to_owned(),
        protocol,
        most: most.filter(|most: &f64| (1.0..=1e9).contains(most)),
    }
}

/// Refuses a request with a line that says why.
pub fn refuse(stream: TcpStream, status: u16, why: &str) {
    send(stream, status, "text/plain", &format!("{why}\n"));
}

fn send(mut stream: TcpStream, status: u16, kind: &str, text: &str) {
    let phrase = match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Service Unavailable",
    };
    let head = format!(
        "HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
         connect-src 'self' ws: wss:; img-src data:; base-uri 'none'; form-action 'none'\r\n\r\n",
        text.len()
    );
    // A client that has gone wants nothing any more.
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
    let _ = stream.shutdown(Shutdown::Write);
    // What it still sends is read, or its reply is lost.
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    let _ = stream.read(&mut [0; 512]);
}
