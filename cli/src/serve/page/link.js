"use strict";
// The WebSocket to the server, in the protocol of Foxglove. It connects again when the connection is lost.

class Link {
  /** `on` has functions: state, info, come, gone, message, status. */
  constructor(on) {
    this.on = on;
    this.channels = new Map();
    this.next = 1;
    this.advertised = new Map();
    this.connect();
  }

  connect() {
    const url = new URL(location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    // A page shows so many a second of each channel; the newest is always shown.
    if (!url.searchParams.has("most")) url.searchParams.set("most", "1000");
    this.socket = new WebSocket(url, ["foxglove.sdk.v1", "foxglove.websocket.v1"]);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.on.state("connected", true);
    this.socket.onmessage = (event) => this.take(event.data);
    this.socket.onclose = () => {
      this.on.state("not connected", false);
      this.on.gone([...this.channels.keys()]);
      this.channels.clear();
      this.subscribed = new Map();
      this.advertised.clear();
      setTimeout(() => this.connect(), 1000);
    };
    this.subscribed = new Map();
  }

  take(data) {
    if (typeof data !== "string") return this.takeBinary(data);
    const told = JSON.parse(data);
    if (told.op === "serverInfo") this.on.info(told);
    else if (told.op === "status") this.on.status(told);
    else if (told.op === "advertise") this.come(told.channels);
    else if (told.op === "unadvertise") {
      told.channelIds.forEach((id) => this.channels.delete(id));
      this.on.gone(told.channelIds);
    }
  }

  come(channels) {
    const subscriptions = channels.map((channel) => {
      const id = this.next++;
      this.channels.set(channel.id, channel);
      this.subscribed.set(id, channel.id);
      return { id, channelId: channel.id };
    });
    this.on.come(channels);
    if (subscriptions.length) this.tell({ op: "subscribe", subscriptions });
  }

  takeBinary(data) {
    const view = new DataView(data);
    if (view.getUint8(0) !== 1) return;
    const channel = this.channels.get(this.subscribed.get(view.getUint32(1, true)));
    if (!channel) return;
    const seconds = Number(view.getBigUint64(5, true)) / 1e9;
    this.on.message(channel, seconds, JSON.parse(new TextDecoder().decode(new Uint8Array(data, 13))));
  }

  tell(object) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(object));
  }

  send(topic, text) {
    let id = this.advertised.get(topic);
    if (!id) {
      id = this.next++;
      this.advertised.set(topic, id);
      this.tell({ op: "advertise", channels: [{ id, topic, encoding: "json", schemaName: "" }] });
    }
    const bytes = new TextEncoder().encode(text);
    const frame = new Uint8Array(5 + bytes.length);
    frame[0] = 1;
    new DataView(frame.buffer).setUint32(1, id, true);
    frame.set(bytes, 5);
    this.socket.send(frame);
  }
}
