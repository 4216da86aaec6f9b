#!/usr/bin/env bash
# What:     the Python reader of MCAP on a recording whose recorder was killed: whole chunks, and no footer.
# Version:  mcap 1.6.0 (PyPI).
# Expected: the messages of the whole chunks, and then an error of the package's own that says that the file ends early.
#           The format is made for that: chunks are complete in themselves.
# Seen:     `make_reader` on a file returns no message at all: it takes the end of what is there for a footer, and
#           reports a record of a nonsensical length. NonSeekingReader returns none either in its default order, by time,
#           as it sorts before it yields. Only NonSeekingReader with log_time_order=False returns the messages. The error
#           at the end is EndOfFile or, by where the file was cut, a bare struct.error, which no McapError catches.
# Matters:  the recording of a run that ended badly, which is the one that is looked at, seems to be empty.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mcap==1.6.0

cat > cut.py <<'END'
import io
import sys

import mcap
from mcap.exceptions import McapError
from mcap.reader import NonSeekingReader, make_reader
from mcap.writer import Writer

print("version: mcap", mcap.__version__)
whole = io.BytesIO()
writer = Writer(whole, chunk_size=2000)
writer.start()
schema = writer.register_schema("Tick", "jsonschema", b"{}")
channel = writer.register_channel("ticks", "json", schema)
for i in range(2000):
    writer.add_message(channel, log_time=i, data=b'{"i":%d}' % i, publish_time=i)
writer.finish()
whole = whole.getvalue()


def read(data, reader, **order):
    count, error = 0, None
    try:
        for _ in reader(io.BytesIO(data)).iter_messages(**order):
            count += 1
    except Exception as found:
        error = found
    own = "" if error is None or isinstance(error, McapError) else ", no McapError"
    print(f"  {reader.__name__}({order or ''}): {count} messages, {type(error).__name__}{own}")
    return count, error


counts, foreign = [], 0
for part in 1.0, 0.9, 0.5:
    print(f"{part:.0%} of the file")
    data = whole[: int(len(whole) * part)]
    seen = [
        read(data, make_reader),
        read(data, NonSeekingReader),
        read(data, NonSeekingReader, log_time_order=False),
    ]
    counts.append([count for count, _ in seen])
    foreign += sum(error is not None and not isinstance(error, McapError) for _, error in seen)
expected = counts[0] == [2000] * 3 and all(row[:2] == [0, 0] and row[2] > 900 for row in counts[1:])
sys.exit(0 if expected and foreign > 0 else 1)
END
venv/bin/python cut.py || { echo "changed: this is no longer what happens"; exit 1; }
