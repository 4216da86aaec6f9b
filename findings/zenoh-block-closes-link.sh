#!/usr/bin/env bash
# What:     a publisher with `CongestionControl.BLOCK`, reliable as by default, and a subscriber that stops for ten
#           seconds in its callback.
# Version:  eclipse-zenoh 1.10.2 (PyPI), with the default settings.
# Expected: `put` waits until there is room again, or raises. Nothing is lost without an error.
# Seen:     one `put` waits for 5 s. Then Zenoh closes the link to the subscriber, and all further puts return at once,
#           without an error, and are lost, also those of other keys to the same peer; `matching_status` stays true.
#           The bound is the setting transport/link/tx/queue/congestion_control/block/wait_before_close.
# Matters:  one slow reader cuts off all readers in its process, and a sender that was to be held back sends into the
#           void at full speed. Back-pressure needs a bound of its own above Zenoh, and callbacks must not wait.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install eclipse-zenoh==1.10.2

cat > block.py <<'END'
import importlib.metadata
import json
import socket
import subprocess
import sys
import time

import zenoh


def open_session(key, endpoint):
    config = zenoh.Config()
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("listen/endpoints", "[]")
    config.insert_json5(key, json.dumps([endpoint]))
    return zenoh.open(config)


def subscriber(endpoint):
    received, other = [], []

    def slow(sample):
        if not received:
            time.sleep(10)
        received.append(sample)

    with open_session("connect/endpoints", endpoint) as session:
        _slow = session.declare_subscriber("slow", slow)
        _other = session.declare_subscriber("other", lambda sample: other.append(sample.payload.to_string()))
        sys.stdin.readline()
        print(len(received), ",".join(other), flush=True)


def main():
    print(f"version: eclipse-zenoh {importlib.metadata.version('eclipse-zenoh')}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"tcp/127.0.0.1:{free.getsockname()[1]}"
    with open_session("listen/endpoints", endpoint) as session:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        child = subprocess.Popen([sys.executable, __file__, endpoint], **pipes)
        block = {"congestion_control": zenoh.CongestionControl.BLOCK}
        slow, other = session.declare_publisher("slow", **block), session.declare_publisher("other", **block)
        while not (slow.matching_status.matching and other.matching_status.matching):
            time.sleep(0.01)
        time.sleep(1)
        other.put("before")
        sent, longest, end = 0, 0.0, None
        while end is None or time.monotonic() < end:
            start = time.monotonic()
            slow.put(bytes(1000))
            took = time.monotonic() - start
            sent, longest = sent + 1, max(longest, took)
            if took > 3:
                print(f"put {sent} waited for {took:.1f} s")
                end = time.monotonic() + 2
        other.put("after")
        print(f"{sent} puts in all, none with an error; matching: {slow.matching_status.matching}")
        time.sleep(8)
        output, _ = child.communicate("end\n", timeout=30)
    received, seen = output.strip().split(" ")
    print(f"the subscriber received {received} of them, and of the other key: {seen}")
    as_stated = 4 < longest < 7 and int(received) < sent // 2 and seen == "before"
    sys.exit(0 if as_stated else 1)


subscriber(sys.argv[1]) if len(sys.argv) > 1 else main()
END
timeout 90 venv/bin/python block.py || { echo "changed: this is no longer what happens"; exit 1; }
