"""A region's own description of its types is enough to receive them, and is believed no further than it adds up."""

import json
import os
import subprocess
import time

import pytest
import strait
from strait import _described
from test_rust_peers import TOOL
from tests_types import Gains, Torque

np = pytest.importorskip("numpy")

CHANNELS = [
    strait.slots("torque", 64, Torque),
    strait.compact("ticks", 8, strait.u32),
    strait.latest("state", Torque),
    strait.mutex("gains", Gains),
    strait.frames("log", 4096, 64),
    strait.latest("image", strait.u16 * 3 * 2),
]


def test_values_are_received_by_what_the_region_says(name):
    region = strait.Region.create(name, strait.Plan(CHANNELS, described=True))
    assert region.type("torque") == strait.type_of(Torque)
    assert region.type("gains") == strait.type_of(Gains)
    assert region.dtype("torque") == np.dtype([("axis", "<u4"), ("newton_metres", "<f4")])
    with region.typed_producer("torque", Torque) as producer:
        producer.send(Torque(2, 0.5))
        producer.send(Torque(3, 1.5))
    with region.typed_consumer("torque") as consumer:
        got = consumer.recv()
        assert (got.axis, got.newton_metres) == (2, 0.5)
    with region.typed_consumer("torque", region.dtype("torque")) as consumer:
        assert consumer.recv()["newton_metres"] == 1.5
    # What came out goes in again.
    with region.typed_producer("torque") as producer:
        producer.send(got)
    with region.mutex("gains") as lock:
        value = lock.value
        value.table, value.last.axis = (1.0, 2.0, 3.0, 4.0), 7
        lock.value = value
    with region.mutex("gains", Gains) as lock:
        assert lock.value == Gains(0, (1.0, 2.0, 3.0, 4.0), Torque(7, 0.0))


def test_scalars_need_no_description(name):
    region = strait.Region.create(name, strait.Plan(CHANNELS))
    assert region.type("ticks") == strait.u32
    assert region.dtype("ticks") == np.dtype("<u4")
    for undescribed in ["torque", "gains", "log", "image"]:
        with pytest.raises(strait.NotDescribed, match="does not describe"):
            region.type(undescribed)
    with pytest.raises(strait.NotDescribed):
        region.typed_consumer("torque")
    with pytest.raises(strait.NotFound):
        region.dtype("nothing")


@pytest.mark.skipif(not os.path.exists(TOOL), reason="the tool is not built: cargo build -p strait-cli")
def test_a_region_of_rust_is_read():
    """The tool's demonstration is a Rust process, whose plan describes its types with units."""
    demo = subprocess.Popen([TOOL, "demo", "--seconds", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        region = _demo(demo)
        described = [channel for channel, _ in region.channels() if _is_described(region, channel)]
        assert described
        for channel in described:
            assert region.dtype(channel).itemsize == region.type(channel).size
        units = [note for channel in described for note in region.notes(channel).values() if "unit" in note]
        assert units
        latest = next(channel for channel, kind in region.channels() if kind == "latest" and channel in described)
        reading = region.latest_reader(latest, region.dtype(latest)).wait(timeout=10)
        assert reading.value.dtype == region.dtype(latest)
    finally:
        demo.kill()
        demo.communicate()


def _is_described(region, channel):
    try:
        region.type(channel)
        return True
    except strait.NotDescribed:
        return False


def _demo(demo):
    """The demonstration's region, seen without taking part; its name has the number of its process."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        listed = subprocess.run([TOOL, "ls", "--json"], check=True, capture_output=True).stdout
        for found in json.loads(listed)["regions"]:
            if str(demo.pid) in found["name"]:
                return strait.Region.open(found["name"], read_only=True)
        time.sleep(0.05)
    raise AssertionError("the demonstration made no region")


def parse(descriptor, size):
    return _described.type_of(("T", descriptor, size, []))


def test_notes_are_listed_by_path():
    notes = [("a.b", "unit", 0, "Nm"), ("a.b", "value", -1, "off"), ("a.b", "value", 2, "on"), ("c", "help", 0, "it")]
    assert _described.notes_of(("T", "u8", 1, notes)) == {
        "a.b": {"unit": "Nm", "values": {-1: "off", 2: "on"}},
        "c": {"help": "it"},
    }


def test_field_names_may_be_pythons_own():
    made = parse("{from:u32@0;class:u32@4;__class__:u32@8;self:u32@12;size=16}", 16)
    value = made.unpack(bytes(range(16)))
    assert getattr(value, "from") == 0x03020100
    assert vars(value)["self"] == 0x0F0E0D0C


@pytest.mark.parametrize(
    "descriptor, size",
    [
        ("", 1),
        ("u33", 4),
        ("u8x", 1),
        ("[0]u8", 1),
        ("[999999999]u64", 8),
        ("[2]", 2),
        ("{size=0}", 0),
        ("{a:u8@1;size=1}", 1),
        ("{a:u8@0;size=2}", 2),
        ("{a:u8@0;b:u8@0;size=1}", 1),
        ("{a:u8@0;a:u8@1;size=2}", 2),
        ("{:u8@0;size=1}", 1),
        ("{a b:u8@0;size=1}", 1),
        ("{a:u8@0;size=1", 1),
        ("{a:u8@0;b:u32@1;size=5}", 5),
        ("{a:u32@0;b:u8@4;size=5}", 5),
        ("[4096]" * 6 + "u8", 8),
        ("[1]" * 100 + "u8", 1),
        ("{a:" * 20000, 8),
        ("u32", 8),
    ],
)
def test_descriptors_that_do_not_add_up_are_refused(descriptor, size):
    with pytest.raises(strait.NotDescribed, match="does not add up"):
        parse(descriptor, size)


def test_a_damaged_description_is_an_error(name, tmp_path):
    path = tmp_path / "region"
    strait.Region.create(path, strait.Plan(CHANNELS, described=True))
    content = bytearray(path.read_bytes())
    at = content.index(b"=Torque ")
    content[at + 1] ^= 1
    path.write_bytes(content)
    region = strait.Region.open(path)
    with pytest.raises(strait.Damaged, match="checksum"):
        region.type("torque")
    assert region.typed_consumer("torque", Torque).peer == "absent"
