"""A peer with Zenoh and without strait: reads and writes what `strait-bridge` has under the key `plant`."""

import json
import struct
import sys
import threading

import zenoh

# The attachment of each message; the table is in src/stamp.rs.
STAMP = struct.Struct("<4sIIIQQQQQ")


def main(endpoint, type_hash):
    config = zenoh.Config()
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("listen/endpoints", "[]")
    config.insert_json5("connect/endpoints", json.dumps([endpoint]))
    with zenoh.open(config) as session:
        seen, enough = [], threading.Event()

        def on_torque(sample):
            magic, _, _, sequence, hash_, *_ = STAMP.unpack(sample.attachment.to_bytes())
            count, twice = struct.unpack("<QQ", sample.payload.to_bytes())
            assert (magic, f"{hash_:016x}", twice) == (b"stb1", type_hash, 2 * count)
            seen.append((sequence, count))
            if len(seen) == 100:
                enough.set()

        subscriber = session.declare_subscriber("plant/torque", on_torque)
        assert enough.wait(30), f"{len(seen)} messages came"
        # The queue waited for a receiver: nothing is missing, from the first one on.
        assert seen[:100] == [(number, number) for number in range(100)], seen[:5]
        subscriber.undeclare()

        def ask(key, payload=None):
            replies = [reply for reply in session.get(key, payload=payload, timeout=10.0)]
            assert len(replies) == 1, (key, replies)
            return replies[0]

        assert struct.unpack("<QQ", ask("plant/state").ok.payload.to_bytes()) == (5, 25)
        assert struct.unpack("<Q", ask("plant/square", struct.pack("<Q", 12)).ok.payload.to_bytes()) == (144,)
        assert ask("plant/square", b"short").err.payload.to_string().startswith("misunderstood:")
        types = json.loads(ask("plant/@types").ok.payload.to_string())
        hashes = {line["channel"]: line["type_hash"] for line in types["channels"]}
        assert hashes["torque"] == type_hash and "Torque" in types["types"], types

        # Without an attachment: the right number of bytes is all that is known of them.
        session.put("plant/back", struct.pack("<d", 0.75))
        session.put("plant/steps", struct.pack("<I", 41))
        stats = json.loads(ask("plant/@stats").ok.payload.to_string())
        assert {line["channel"] for line in stats} == {"back", "square", "state", "steps", "torque"}, stats
    print("the Python peer has read and written the keys")


main(*sys.argv[1:])
