"""Clients in the protocol of Foxglove: its own one, and one of a WebSocket library, for each of its two names."""

import json
import os
import struct
import subprocess

import pytest
from conftest import LONG, Server
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


@pytest.mark.parametrize("protocol", ["foxglove.sdk.v1", "foxglove.websocket.v1"])
def test_a_channel_is_advertised_and_its_values_come(demo, protocol):
    with Server(demo) as server, connect(f"ws://{server.address}", subprotocols=[protocol]) as socket:
        assert socket.subprotocol == protocol
        info, advertised = json.loads(socket.recv(LONG)), json.loads(socket.recv(LONG))
        assert (info["op"], info["name"]) == ("serverInfo", "strait")
        channels = {one["topic"]: one for one in advertised["channels"]}
        state = channels[f"/{demo}/state"]
        assert json.loads(state["schema"])["properties"]["angle_rad"]["x-unit"] == "rad"
        socket.send(json.dumps({"op": "subscribe", "subscriptions": [{"id": 7, "channelId": state["id"]}]}))
        steps = []
        while len(steps) < 50:
            message = socket.recv(LONG)
            if isinstance(message, bytes):
                opcode, subscription, _ = struct.unpack("<BIQ", message[:13])
                assert (opcode, subscription) == (1, 7)
                steps.append(json.loads(message[13:])["step"])
        assert steps == sorted(set(steps))
        # The demo goes on when the server is killed: its fixture checks that.
        server.kill()
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(LONG)


def test_foxglove_connects_as_it_is(demo):
    with Server(demo) as server:
        words = ["node", os.path.join(os.path.dirname(__file__), "foxglove.cjs")]
        words += [f"ws://{server.address}", f"/{demo}/sensors", "50"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=LONG)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0 and len(lines) == 51, done
        assert lines[0] == {"encoding": "json", "schema": "Sensors"}
        numbers = [line["number"] for line in lines[1:]]
        assert numbers == sorted(set(numbers))


def test_a_page_from_elsewhere_is_refused(demo):
    with Server(demo) as server:
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://{server.address}", subprotocols=["foxglove.sdk.v1"], origin="https://evil.example")
        assert refused.value.response.status_code == 403
