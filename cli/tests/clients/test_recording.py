"""Recordings as the mcap package reads them."""

import json
import subprocess

from conftest import LONG, TOOL, eventually, tool
from mcap.reader import NonSeekingReader, make_reader
from mcap.exceptions import EndOfFile


def messages(path):
    """The messages of a recording, also of one that was not completed."""
    found = []
    with open(path, "rb") as file:
        try:
            for schema, channel, message in NonSeekingReader(file).iter_messages(log_time_order=False):
                found.append((channel.topic, schema.name if schema else "", message))
        except EndOfFile:
            pass
    return found


def test_a_recorder_that_is_killed_leaves_a_file_that_is_read(demo, tmp_path):
    path = tmp_path / "run.mcap"
    recorder = subprocess.Popen([TOOL, "record", demo, "-o", str(path), "--raw"])
    eventually(lambda: path.exists() and len(messages(path)) > 200)
    recorder.kill()
    recorder.wait(LONG)
    found = messages(path)
    steps = [json.loads(one.data) for topic, _, one in found if topic == f"/{demo}/sensors"]
    assert [step["number"] for step in steps] == sorted({step["number"] for step in steps})
    raw = [one.data for topic, _, one in found if topic == f"/{demo}/sensors/raw"]
    assert len(raw) == len(steps) and {len(data) for data in raw} == {56}


def test_files_that_were_split_are_read_each_by_itself(demo, tmp_path):
    tool("record", demo, "-o", str(tmp_path / "run.mcap"), "--split-time", "0.5", "--seconds", "2")
    paths = sorted(tmp_path.glob("run-*.mcap"))
    assert len(paths) >= 3
    last, count = -1, 0
    for path in paths:
        with path.open("rb") as file:
            reader = make_reader(file)
            count += reader.get_summary().statistics.message_count
            assert [one.name for one in reader.iter_metadata()] == ["strait.region"]
            for _, _, message in reader.iter_messages(topics=[f"/{demo}/sensors"]):
                assert message.sequence > last
                last = message.sequence
    assert count > 20
