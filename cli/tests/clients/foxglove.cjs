// Foxglove's own client: prints so many messages of a topic, one JSON object a line.
//
//   foxglove.cjs URL TOPIC COUNT
"use strict";
const { FoxgloveClient } = require("@foxglove/ws-protocol");
const WebSocket = require("ws");

const [url, topic, count] = process.argv.slice(2);
const client = new FoxgloveClient({ ws: new WebSocket(url, [FoxgloveClient.SUPPORTED_SUBPROTOCOL]) });
let left = Number(count);
client.on("error", (error) => { throw error; });
client.on("advertise", (channels) => {
  const channel = channels.find((one) => one.topic === topic);
  if (channel === undefined) return;
  console.log(JSON.stringify({ encoding: channel.encoding, schema: channel.schemaName }));
  client.subscribe(channel.id);
});
client.on("message", (event) => {
  if (left-- <= 0) return;
  console.log(new TextDecoder().decode(event.data));
  if (left === 0) client.close();
});
