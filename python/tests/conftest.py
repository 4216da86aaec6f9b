"""Names that no other test uses, and peers in processes of their own."""

import itertools
import os
import subprocess
import sys
import textwrap

import pytest

import strait

_NUMBERS = itertools.count()

# What every peer's program starts with.
PRELUDE = """
import os, signal, sys, time
import strait
from tests_types import *
name = sys.argv[1]
def ready():
    print("ready", flush=True)
"""


@pytest.fixture
def name():
    """A region's name, which is taken away at the end."""
    made = f"py-{os.getpid()}-{next(_NUMBERS)}"
    yield made
    try:
        strait.Region.remove(made)
    except strait.NotFound:
        pass


@pytest.fixture
def peer(name):
    """Starts another Python process on the region; `wait_ready` waits for its line `ready`."""
    running = []

    def start(program, wait_ready=True):
        environment = dict(os.environ, PYTHONPATH=os.path.dirname(__file__))
        child = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + textwrap.dedent(program), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        running.append(child)
        if wait_ready:
            line = child.stdout.readline()
            assert line == "ready\n", child.stderr.read()
        return child

    yield start
    for child in running:
        child.kill()
        child.communicate()
