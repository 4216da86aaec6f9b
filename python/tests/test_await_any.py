"""Waiting for several receivers in an event loop, by a doorbell and by a thread."""

import asyncio
import os
import sys
import threading
import time

import pytest
import strait
from tests_types import Torque

PLAN = strait.Plan([
    strait.frames("log", 65536, 1024),
    strait.slots("torque", 64, Torque),
    strait.latest("state", Torque),
    strait.event("limit"),
    strait.frames("silent", 256, 64, consumer_may_block=False),
])
linux = sys.platform == "linux"


@pytest.fixture(params=["doorbell", "thread"] if linux else ["thread"])
def region(request, name):
    if request.param == "thread":
        yield strait.Region.create(name, PLAN)
        return
    bell = strait.doorbell()
    yield strait.Region.create(name, PLAN, doorbell=bell)
    os.close(bell)


def ends(region):
    senders = [region.producer("log"), region.typed_producer("torque", Torque)]
    senders += [region.latest_writer("state", Torque), region.notifier("limit")]
    receivers = [region.consumer("log"), region.typed_consumer("torque", Torque)]
    receivers += [region.latest_reader("state", Torque), region.listener("limit")]
    return senders, receivers


def test_the_first_that_has_something_is_found(region):
    (log, torque, state, limit), receivers = ends(region)
    lines, values, reader, listener = receivers
    cases = [
        (lines, lambda: log.send(b"line"), lines.try_recv),
        (values, lambda: torque.send(Torque(2, 0.5)), values.try_recv),
        (reader, lambda: state.publish(Torque(1, 1.0)), reader.read),
        (listener, lambda: limit.notify(3), listener.try_wait),
    ]

    async def main():
        for receiver, send, take in cases:
            waiting = asyncio.ensure_future(strait.await_any(receivers, timeout=30))
            await asyncio.sleep(0.01)
            assert not waiting.done()
            send()
            assert await waiting is receiver
            # What it found is still there; and one that has something already needs no wait.
            assert await strait.await_any(receivers, timeout=0) is receiver
            assert await strait.await_ready(receivers) == [receiver]
            take()
        log.send(b"line")
        limit.notify(4)
        assert await strait.await_ready(receivers) == [lines, listener]
        assert await strait.await_any([listener, lines]) is listener

    asyncio.run(main())


def test_a_cancelled_wait_gives_its_receivers_back(region):
    (log, *_), receivers = ends(region)

    async def main():
        for _ in range(20):
            waiting = asyncio.ensure_future(strait.await_any(receivers))
            await asyncio.sleep(0.001)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        start = time.monotonic()
        with pytest.raises(strait.TimedOut):
            await strait.await_any(receivers, timeout=0.1)
        assert time.monotonic() - start > 0.09
        log.send(b"line")
        assert receivers[0].try_recv() == (0, b"line")

    asyncio.run(main())


def test_a_wait_ends_when_a_peer_is_gone(region, name, peer):
    child = peer('log = strait.Region.open(name).producer("log"); log.send(b"last"); ready(); time.sleep(60)')

    async def main():
        lines = region.consumer("log", end_with_peer=True)
        values = region.typed_consumer("torque", Torque)
        assert await strait.await_any([values, lines], timeout=30) is lines
        assert lines.try_recv() == (0, b"last")
        waiting = asyncio.ensure_future(strait.await_any([values, lines], timeout=30))
        await asyncio.sleep(0.01)
        child.kill()
        child.wait()
        assert await waiting is lines
        with pytest.raises(strait.PeerGone):
            lines.recv(timeout=30)

    asyncio.run(main())


def test_no_thread_waits_where_there_is_a_doorbell(region, name):
    _, receivers = ends(region)
    other = strait.Region.open(name)
    elsewhere, silent = other.latest_reader("state", Torque), region.consumer("silent")

    async def threads(several):
        before = set(threading.enumerate())  # One of an earlier wait may be about to end.
        waiting = asyncio.ensure_future(strait.await_any(several, timeout=30))
        await asyncio.sleep(0.01)
        started = len(set(threading.enumerate()) - before)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return started

    async def main():
        assert await threads(receivers) == (0 if rings else 1)
        # Of several regions, and where one may not sleep.
        assert await threads([*receivers, elsewhere]) == 1
        assert await threads([*receivers, silent]) == 1

    rings = receivers[0]._await() is not None
    asyncio.run(main())


def test_mistakes(region):
    _, (lines, *_) = ends(region)

    async def main():
        with pytest.raises(ValueError):
            await strait.await_any([])
        with pytest.raises(ValueError):
            await strait.await_any([lines], timeout=-1)
        for wrong in [region, "log", None]:
            with pytest.raises(TypeError):
                await strait.await_any([lines, wrong])
        with pytest.raises(strait.InUse):
            await strait.await_any([lines, lines])
        lines.close()
        with pytest.raises(strait.Closed):
            await strait.await_any([lines])

    asyncio.run(main())
