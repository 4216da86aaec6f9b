#!/usr/bin/env bash
# What:     struct.pack_into on a mapping that another process reads at the same time.
# Version:  Python 3.11 (CPython).
# Expected: storing an aligned 32-bit word over another one shows a reader the old word or the new one.
# Seen:     a reader also sees zero, which nobody stores: pack_into clears the bytes of the whole format first and then
#           writes the values. A store through memoryview.cast("I") shows the two stored words only.
# Matters:  zero is what most protocols use for "empty", "unlocked" or "not yet valid", so an index or a flag in shared
#           memory that is written by pack_into goes through that state at each store.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] || { echo "this is stated for Python 3.11, and python3 is $version"; exit 2; }
[ "$(nproc)" -ge 2 ] || { echo "this needs two processors: one to write and one to read"; exit 2; }

cat > words.py <<'END'
import collections
import mmap
import os
import platform
import signal
import struct
import sys
import time

A, B = 0x11111111, 0x22222222
memory = mmap.mmap(-1, 4096)
word = memoryview(memory).cast("I")


def with_pack_into():
    struct.pack_into("=I", memory, 0, A)
    struct.pack_into("=I", memory, 0, B)


def with_cast():
    word[0] = A
    word[0] = B


def watch(store, seconds):
    """Counts what this process reads while a child stores A and B in turn."""
    word[0] = A
    writer = os.fork()
    if writer == 0:
        while True:
            store()
    seen = collections.Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(1000):
            seen[word[0]] += 1
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    return seen


print("version: CPython", platform.python_version())
same = True
for store, zeros_expected in (with_pack_into, True), (with_cast, False):
    seen = watch(store, 5)
    told = [f"{value:#010x}: {'seen' if seen[value] else 'never'}" for value in (A, B, 0)]
    print(f"{store.__name__:15}", ", ".join(told))
    same = same and (seen[0] > 0) == zeros_expected and not set(seen) - {A, B, 0}
sys.exit(0 if same else 1)
END
python3 words.py || { echo "changed: this is no longer what happens"; exit 1; }
