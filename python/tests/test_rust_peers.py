"""The tool `strait`, a Rust process, sends files to Python and receives them from it.

`STRAIT_TOOL` names it; without that it is looked for where `cargo build -p strait-cli` puts it.
"""

import json
import os
import pathlib
import random
import struct
import subprocess
import time

import pytest
import strait
from tests_types import PLAN

TOOL = os.environ.get("STRAIT_TOOL") or str(pathlib.Path(__file__).parents[2] / "target" / "debug" / "strait")

pytestmark = pytest.mark.skipif(not os.path.exists(TOOL), reason="the tool is not built: cargo build -p strait-cli")

# The protocol of a transfer, as at the head of cli/src/transfer/mod.rs.
BEGIN, DATA, END = (int.from_bytes(text, "little") for text in (b"STF1", b"STFd", b"STFe"))
CONTENT = random.Random(5).randbytes(300_000)


def crc32c(data):
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def start(*words):
    return subprocess.Popen([TOOL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def open_when_there(name, claim):
    """The region that the tool creates, and an endpoint in it."""
    end = time.monotonic() + 30
    while True:
        try:
            region = strait.Region.open(name)
            return region, claim(region)
        except (strait.NotFound, strait.NotARegion):
            assert time.monotonic() < end, "the tool created no region"
            time.sleep(0.01)


def test_python_sends_a_file_to_rust(name, tmp_path):
    tool = start("recv", name, "files", "--out", str(tmp_path / "copy"))
    region, producer = open_when_there(name, lambda region: region.producer("files"))
    producer.send(struct.pack("<IIQ", region.ident, 0, len(CONTENT)) + b"name", BEGIN, timeout=30)
    for at in range(0, len(CONTENT), producer.max_len):
        producer.send(CONTENT[at : at + producer.max_len], DATA, timeout=30)
    producer.send(struct.pack("<QI", len(CONTENT), crc32c(CONTENT)), END, timeout=30)
    out, err = tool.communicate(timeout=30)
    assert tool.returncode == 0, err
    assert "the same as sent" in out
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_rust_sends_a_file_to_python(name, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    tool = start("send", name, "files", "--file", str(tmp_path / "file"))
    region, consumer = open_when_there(name, lambda region: region.consumer("files"))
    parts = []
    for tag, payload in consumer:
        if tag == DATA:
            parts.append(payload)
        elif tag == END:
            assert struct.unpack("<QI", payload) == (len(CONTENT), crc32c(CONTENT))
            break
    assert b"".join(parts) == CONTENT
    consumer.flush()
    out, err = tool.communicate(timeout=30)
    assert tool.returncode == 0, err


def test_the_tool_sees_what_python_planned_and_holds(name):
    region = strait.Region.create(name, PLAN)
    permit = region.permits("cranes").acquire()
    seen = json.loads(subprocess.run([TOOL, "inspect", name, "--json"], check=True, capture_output=True).stdout)
    planned = {channel["name"]: channel["kind"] for channel in seen["channels"]}
    assert planned == dict(region.channels())
    permit.release()
