//! One client on its WebSocket, in the protocol of Foxglove:
//! <https://github.com/foxglove/ws-protocol/blob/main/docs/spec.md>.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::Shared;
use super::publish::publish;
use super::stage::Stage;
use super::stream::{Stream, frame};

/// How long to sleep when nothing has come, and when the client takes nothing.
const PAUSE: Duration = Duration::from_millis(1);
/// How often to look which regions there are.
const REFRESH: Duration = Duration::from_millis(500);
/// How often a client is told what it missed.
const TELL: Duration = Duration::from_millis(500);
/// How long a client may take nothing before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that wait for a client, beside one message.
const BUDGET: usize = 256 << 10;
/// The longest message of a client.
const MAX_COMMAND: usize = 1 << 20;
/// A client's messages that are read in one turn.
const COMMANDS: usize = 16;
/// The most channels that a client may send to.
const MAX_ADVERTISED: usize = 256;
/// The longest name of one.
const MAX_TOPIC: usize = 1024;
/// How bad a state is.
const WARNING: u8 = 1;
const ERROR: u8 = 2;

/// The client is gone, or has to go.
struct Gone;

type Result<T> = std::result::Result<T, Gone>;

struct Client<'a> {
    socket: WebSocket<TcpStream>,
    shared: &'a Shared,
    stage: Stage,
    streams: Vec<Stream>,
    /// Subscriptions to what was missed, by the number of the channel.
    missed: HashMap<u32, u32>,
    /// Topics that the client sends to, by its own numbers.
    advertised: HashMap<u32, String>,
    /// How many messages a second it wants of each channel.
    most: Option<f64>,
    /// Which stream comes first in the next turn.
    turn: usize,
}

/// Serves a client until it is gone. `early` came before the WebSocket was open.
pub fn run(stream: TcpStream, early: Vec<u8>, shared: &Shared, most: Option<f64>) {
    // Without these the connection would block, so it is closed.
    if stream.set_nonblocking(true).is_err() || stream.set_nodelay(true).is_err() {
        return;
    }
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_COMMAND)).max_frame_size(Some(MAX_COMMAND));
    let mut client = Client {
        socket: WebSocket::from_partially_read(stream, early, Role::Server, Some(config)),
        shared,
        stage: Stage::new(&shared.regions),
        streams: Vec::new(),
        missed: HashMap::new(),
        advertised: HashMap::new(),
        most,
        turn: 0,
    };
    // However it ends, the connection is closed.
    let Err(Gone) = client.serve();
}

impl Client<'_> {
    fn serve(&mut self) -> Result<std::convert::Infallible> {
        let capabilities = if self.shared.allow_send { vec!["clientPublish"] } else { Vec::new() };
        let mut info = json!({ "op": "serverInfo", "name": "strait", "capabilities": capabilities });
        if self.shared.allow_send {
            info["supportedEncodings"] = json!(["json"]);
        }
        self.tell(&info)?;
        let come = self.stage.refresh().come;
        self.tell(&json!({ "op": "advertise", "channels": come }))?;
        let (mut refreshed, mut told, mut taken) = (Instant::now(), Instant::now(), Instant::now());
        loop {
            // One that takes nothing is not heard either, or answers to it would pile up.
            if !self.flush()? {
                // It takes nothing at present: what comes meanwhile overtakes its followers.
                if taken.elapsed() >= PATIENCE {
                    return Err(Gone);
                }
                thread::sleep(PAUSE);
                continue;
            }
            taken = Instant::now();
            let heard = self.hear()?;
            if refreshed.elapsed() >= REFRESH {
                refreshed = Instant::now();
                self.refresh()?;
            }
            let sent = self.send()?;
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.tell_missed()?;
            }
            if heard == 0 && sent == 0 {
                thread::sleep(PAUSE);
            }
        }
    }

    /// Reads what the client has said; returns how many messages.
    fn hear(&mut self) -> Result<usize> {
        for count in 0..COMMANDS {
            match self.socket.read() {
                Ok(Message::Text(text)) => self.command(&text)?,
                Ok(Message::Binary(bytes)) => self.message(&bytes)?,
                Ok(_) => {}
                Err(error) if would_block(&error) => return Ok(count),
                Err(_) => return Err(Gone),
            }
        }
        Ok(COMMANDS)
    }

    /// Whether all that was written is on its way.
    fn flush(&mut self) -> Result<bool> {
        match self.socket.flush() {
            Ok(()) => Ok(true),
            Err(error) if would_block(&error) => Ok(false),
            Err(_) => Err(Gone),
        }
    }

    fn write(&mut self, message: Message) -> Result<()> {
        match self.socket.write(message) {
            Ok(()) => Ok(()),
            // It is kept, and goes out later.
            Err(error) if would_block(&error) => Ok(()),
            Err(_) => Err(Gone),
        }
    }

    fn tell(&mut self, object: &Value) -> Result<()> {
        self.write(Message::text(object.to_string()))
    }

    fn status(&mut self, level: u8, about: &str, message: &str) -> Result<()> {
        // A client shows one state of each id.
        self.tell(&json!({ "op": "status", "level": level, "id": about, "message": message }))
    }

    fn refresh(&mut self) -> Result<()> {
        let changes = self.stage.refresh();
        if !changes.gone.is_empty() {
            self.streams.retain(|stream| !changes.gone.contains(&stream.channel));
            self.missed.retain(|channel, _| !changes.gone.contains(channel));
            self.tell(&json!({ "op": "unadvertise", "channelIds": changes.gone }))?;
        }
        if !changes.come.is_empty() {
            self.tell(&json!({ "op": "advertise", "channels": changes.come }))?;
        }
        Ok(())
    }

    /// Sends what has come, as much as may wait for the client; returns how many messages.
    fn send(&mut self) -> Result<usize> {
        let (mut sent, mut bytes, mut idle) = (0, 0, 0);
        while bytes < BUDGET && idle < self.streams.len() {
            self.turn = (self.turn + 1) % self.streams.len();
            match self.streams[self.turn].next() {
                None => idle += 1,
                Some(message) => {
                    idle = 0;
                    sent += 1;
                    bytes += message.len();
                    self.write(Message::binary(message))?;
                }
            }
        }
        Ok(sent)
    }

    fn tell_missed(&mut self) -> Result<()> {
        for n in 0..self.streams.len() {
            let Some((told, more)) = self.streams[n].missed() else { continue };
            let (channel, topic) = (self.streams[n].channel, self.streams[n].topic.clone());
            let region = self.stage.channel(channel).map(|(region, _)| region.missed);
            if let Some(&id) = region.and_then(|region| self.missed.get(&region)) {
                self.write(Message::binary(frame(id, &told)))?;
            }
            if more > 0 {
                let all = &told["missed"];
                let text = format!("{topic}: {all} messages came too fast to be seen by this client");
                self.status(WARNING, &topic, &text)?;
            }
        }
        Ok(())
    }

    /// Does what a client asks for.
    fn command(&mut self, text: &str) -> Result<()> {
        let Ok(asked) = serde_json::from_str::<Value>(text) else {
            return self.status(ERROR, "command", "a message is no JSON");
        };
        let all = |key: &str| asked[key].as_array().cloned().unwrap_or_default();
        match asked["op"].as_str().unwrap_or_default() {
            "subscribe" => {
                let tried: Vec<_> = all("subscriptions").iter().map(|one| self.subscribe(one)).collect();
                self.first_error("subscribe", tried)?;
            }
            "unsubscribe" => {
                let ids: Vec<u32> = all("subscriptionIds").iter().filter_map(number).collect();
                self.streams.retain(|stream| !ids.contains(&stream.id));
                self.missed.retain(|_, id| !ids.contains(id));
            }
            "advertise" => {
                let tried: Vec<_> = all("channels").iter().map(|one| self.advertise(one)).collect();
                self.first_error("advertise", tried)?;
            }
            "unadvertise" => {
                for id in all("channelIds").iter().filter_map(number) {
                    self.advertised.remove(&id);
                }
            }
            // Of what was not offered, a client needs no answer.
            _ => {}
        }
        Ok(())
    }

    /// Tells the first error of a command: no command has more than one answer.
    fn first_error(&mut self, about: &str, tried: Vec<std::result::Result<(), String>>) -> Result<()> {
        match tried.into_iter().find_map(std::result::Result::err) {
            Some(why) => self.status(ERROR, about, &why),
            None => Ok(()),
        }
    }

    fn subscribe(&mut self, subscription: &Value) -> std::result::Result<(), String> {
        let (Some(id), Some(channel)) = (number(&subscription["id"]), number(&subscription["channelId"]))
        else {
            return Err("a subscription has no id or no channel".into());
        };
        let is_taken = self.streams.iter().any(|stream| stream.id == id || stream.channel == channel)
            || self.missed.iter().any(|(&known, &other)| known == channel || other == id);
        if is_taken {
            return Err(format!("there is a subscription {id}, or one to channel {channel}, already"));
        }
        if self.stage.is_missed(channel) {
            self.missed.insert(channel, id);
            return Ok(());
        }
        let (region, shown) =
            self.stage.channel(channel).ok_or_else(|| format!("there is no channel {channel}"))?;
        let followed = region.scene.follow(&shown.entry, false).map_err(|error| error.line().to_owned())?;
        self.streams.push(Stream::new(id, channel, &shown.topic, followed, self.most));
        Ok(())
    }

    fn advertise(&mut self, channel: &Value) -> std::result::Result<(), String> {
        if !self.shared.allow_send {
            return Err("this server only shows; `strait serve --allow-send` lets clients send".into());
        }
        let id = number(&channel["id"]).ok_or("a channel has no id")?;
        let topic = channel["topic"].as_str().filter(|topic| topic.len() <= MAX_TOPIC);
        let topic = topic.ok_or("a channel has no topic, or too long a one")?;
        if channel["encoding"] != "json" {
            return Err(format!("{topic}: send it as json"));
        }
        if self.advertised.len() >= MAX_ADVERTISED {
            return Err("too many channels to send to".into());
        }
        self.advertised.insert(id, topic.to_owned());
        Ok(())
    }

    /// Takes a message that the client sends.
    fn message(&mut self, bytes: &[u8]) -> Result<()> {
        let split = bytes.split_first().and_then(|(&op, rest)| Some((op, rest.split_first_chunk::<4>()?)));
        let Some((1, (id, data))) = split else {
            return self.status(ERROR, "message", "a binary message is of no kind that is known here");
        };
        let topic = self.advertised.get(&u32::from_le_bytes(*id)).cloned();
        let Some(topic) = topic else {
            return self.status(ERROR, "message", "a message of a channel that was not advertised");
        };
        let sent = match self.stage.topic(&topic) {
            Some((region, channel)) => publish(&region.scene, &channel.entry, data),
            None => Err("there is no such channel".into()),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(why) => self.status(ERROR, &format!("send {topic}"), &format!("{topic}: {why}")),
        }
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn would_block(error: &tungstenite::Error) -> bool {
    matches!(error, tungstenite::Error::Io(error) if error.kind() == ErrorKind::WouldBlock)
}
