#!/usr/bin/env bash
# What:     multiprocessing.shared_memory.SharedMemory, attached by name in a program of its own.
# Version:  Python 3.11 (3.13 adds `track=False`, which has to be asked for).
# Expected: the documentation gives unlink() as the call that removes the block, and close() as the one that leaves it.
# Seen:     a reader that attaches, reads, calls close() and exits with status 0 removes the block. Each Python
#           program has a resource tracker, which counts an attached block as one that the program made and forgot.
# Matters:  one run of a monitoring tool takes the name away from everybody. Those already attached notice nothing, and
#           the next client, or a restarted one, finds no region.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$version" = 3.11 ] || { echo "this is stated for Python 3.11, and python3 is $version"; exit 2; }

cat > reader.py <<'END'
import sys
from multiprocessing.shared_memory import SharedMemory

block = SharedMemory(name=sys.argv[1])
print("  the reader reads", block.buf[0])
block.close()
END
cat > creator.py <<'END'
import platform
import subprocess
import sys
from multiprocessing.shared_memory import SharedMemory

print("version: Python", platform.python_version())
block = SharedMemory(create=True, size=64)
block.buf[0] = 42
codes = []
for run in "first", "second":
    reader = subprocess.run([sys.executable, "reader.py", block.name], capture_output=True, text=True)
    print(f"{run} reader: exit status {reader.returncode}")
    print(reader.stdout or "  " + reader.stderr.strip().splitlines()[-1].split(":")[0] + "\n", end="")
    codes.append(reader.returncode)
block.close()
try:
    block.unlink()
    removed = False
except FileNotFoundError:
    removed = True
print("the creator's unlink() finds", "no block" if removed else "its block")
sys.exit(0 if codes[0] == 0 and codes[1] != 0 and removed else 1)
END
# The creator's own tracker warns about the block that is gone; that is noise here.
python3 creator.py 2> warnings || { cat warnings >&2; echo "changed: this is no longer what happens"; exit 1; }
