"""Waiting for several receivers at once, for events, and by a doorbell without a thread."""

import asyncio
import os
import socket
import sys
import threading
import time

import pytest
import strait
from tests_types import Torque

CHANNELS = [
    strait.frames("log", 65536, 1024),
    strait.slots("torque", 64, Torque),
    strait.latest("state", Torque),
    strait.event("limit"),
    strait.frames("silent", 256, 64, consumer_may_block=False),
]
PLAN = strait.Plan(CHANNELS)

linux = pytest.mark.skipif(sys.platform != "linux", reason="doorbells are eventfds, which only Linux has")


@pytest.fixture
def bell():
    made = strait.doorbell()
    yield made
    os.close(made)


def test_events_are_counted(name):
    region = strait.Region.create(name, PLAN)
    notifier, listener = region.notifier("limit"), region.listener("limit")
    with pytest.raises(strait.Empty):
        listener.try_wait()
    with pytest.raises(strait.TimedOut):
        listener.wait(timeout=0.05)
    notifier.notify(7)
    notifier.notify(8)
    notified = listener.try_wait()
    assert (notified.count, notified.code, listener.total, notifier.total) == (2, 8, 2, 2)
    threading.Timer(0.05, notifier.notify, [9]).start()
    assert listener.wait(timeout=30).code == 9
    with pytest.raises(strait.Busy):
        region.notifier("limit")
    assert listener.notifier == "present"
    notifier.close()
    assert listener.notifier == "absent"
    with pytest.raises(strait.WrongKind):
        region.listener("log")


def test_an_event_is_taken_over_from_the_dead(name, peer):
    region = strait.Region.create(name, PLAN)
    listener = region.listener("limit")
    child = peer('notifier = strait.Region.open(name).notifier("limit"); notifier.notify(1); ready(); time.sleep(60)')
    assert listener.wait(timeout=30).code == 1
    child.kill()
    child.wait()
    notifier = region.notifier("limit")
    assert notifier.taken_over_from is not None
    notifier.notify(2)
    assert (listener.wait(timeout=30).count, listener.total) == (1, 2)


def test_several_receivers_are_waited_for_at_once(name):
    region = strait.Region.create(name, PLAN)
    other = strait.Region.open(name)
    log, torque = other.producer("log"), other.typed_producer("torque", Torque)
    state, notifier = other.latest_writer("state", Torque), other.notifier("limit")
    lines, values = region.consumer("log"), region.typed_consumer("torque", Torque)
    reader, listener = region.latest_reader("state", Torque), region.listener("limit")
    receivers = [lines, values, reader, listener]
    with pytest.raises(strait.TimedOut):
        strait.wait_any(receivers, timeout=0.05)
    notifier.notify(3)
    assert strait.wait_any(receivers) is listener
    state.publish(Torque(1, 1.0))
    assert strait.wait_ready(receivers) == [reader, listener]
    assert listener.try_wait().code == 3 and reader.read().fresh
    threading.Timer(0.05, torque.send, [Torque(2, 0.5)]).start()
    assert strait.wait_any(receivers, timeout=30) is values
    # What it found is still there.
    assert values.try_recv() == Torque(2, 0.5)
    threading.Timer(0.05, log.send, [b"line"]).start()
    assert strait.wait_ready(receivers, timeout=30) == [lines]
    assert lines.try_recv() == (0, b"line")


def test_one_that_may_not_sleep_is_polled_with_the_others(name):
    region = strait.Region.create(name, PLAN)
    silent, lines = region.consumer("silent"), region.consumer("log")
    threading.Timer(0.05, region.producer("silent").send, [b"x"]).start()
    assert strait.wait_any([lines, silent], timeout=30) is silent


def test_a_wait_ends_when_a_peer_is_gone(name, peer):
    region = strait.Region.create(name, PLAN)
    lines = region.consumer("log", end_with_peer=True)
    values = region.typed_consumer("torque", Torque)
    child = peer('log = strait.Region.open(name).producer("log"); log.send(b"last"); ready(); time.sleep(60)')
    assert lines.recv(timeout=30) == (0, b"last")
    threading.Timer(0.05, child.kill).start()
    assert strait.wait_any([values, lines], timeout=30) is lines
    with pytest.raises(strait.PeerGone):
        lines.recv(timeout=30)


def test_mistakes_of_waits(name):
    region = strait.Region.create(name, PLAN)
    lines = region.consumer("log")
    with pytest.raises(ValueError):
        strait.wait_any([])
    with pytest.raises(ValueError):
        strait.wait_any([lines], timeout=-1)
    for wrong in [region, "log", None, region.producer("log")]:
        with pytest.raises(TypeError):
            strait.wait_any([lines, wrong])
    with pytest.raises(strait.InUse):
        strait.wait_any([lines, lines])
    # A wait that failed has put everything back.
    with pytest.raises(strait.Empty):
        lines.try_recv()
    lines.close()
    with pytest.raises(strait.Closed):
        strait.wait_any([lines])


def test_a_receiver_that_is_waited_for_is_in_use(name):
    region = strait.Region.create(name, PLAN)
    lines, listener = region.consumer("log"), region.listener("limit")
    found = []
    thread = threading.Thread(target=lambda: found.append(strait.wait_any([lines, listener], timeout=30)))
    thread.start()
    time.sleep(0.1)
    with pytest.raises(strait.InUse):
        lines.try_recv()
    with pytest.raises(strait.InUse):
        lines.close()
    region.notifier("limit").notify()
    thread.join()
    assert found == [listener]
    lines.close()


@linux
def test_a_doorbell_wakes_the_loop_without_a_thread(name, peer, bell, tmp_path):
    region = strait.Region.create(name, PLAN, doorbell=bell)
    path, door = str(tmp_path / "door"), socket.socket(socket.AF_UNIX)
    door.bind(path)
    door.listen()
    child = peer(
        f"""
        import socket
        link = socket.socket(socket.AF_UNIX)
        link.connect({path!r})
        bell = socket.recv_fds(link, 1, 1)[1][0]
        region = strait.Region.open(name, rings=[bell])
        log, torque = region.producer("log"), region.typed_producer("torque", Torque)
        state, notifier = region.latest_writer("state", Torque), region.notifier("limit")
        sends = [
            lambda number: log.send(b"", number),
            lambda number: torque.send(Torque(number, 0.5)),
            lambda number: state.publish(Torque(number, 0.5)),
            lambda number: notifier.notify(number),
        ]
        ready()
        for number in range(200):
            link.recv(1)
            sends[number % 4](number)
        """,
        wait_ready=False,
    )
    link, _ = door.accept()
    socket.send_fds(link, [b"b"], [bell])
    assert child.stdout.readline() == "ready\n"

    async def main():
        threads, late = threading.active_count(), 0
        lines, values = region.consumer("log"), region.typed_consumer("torque", Torque)
        reader, listener = region.latest_reader("state", Torque), region.listener("limit")
        waits = [lines.arecv, values.arecv, reader.await_, listener.await_]
        codes = [lambda got: got[0], lambda got: got.axis, lambda got: got.value.axis, lambda got: got.code]
        for number in range(200):
            task = asyncio.ensure_future(waits[number % 4](timeout=30))
            await asyncio.sleep(0)
            assert threading.active_count() == threads
            begin = time.monotonic()
            link.sendall(b"g")
            assert codes[number % 4](await task) == number
            late += time.monotonic() - begin > 0.015
        # One that nobody rings for is found after 20 ms.
        assert late < 100

    asyncio.run(main())
    child.wait(timeout=30)


@linux
def test_a_cancelled_wait_by_a_doorbell_has_received_nothing(name, bell):
    region = strait.Region.create(name, PLAN, doorbell=bell)
    sender = strait.Region.open(name, rings=[bell])
    producer, count = sender.producer("log"), 200

    def send():
        for number in range(count):
            if number % 20 == 0:
                time.sleep(0.02)
            producer.send(b"", number, timeout=30)

    async def main():
        consumer, received, cancelled = region.consumer("log"), [], 0
        threading.Thread(target=send, daemon=True).start()
        while len(received) < count:
            task = asyncio.ensure_future(consumer.arecv())
            await asyncio.sleep(0.001)
            task.cancel()
            try:
                received.append((await task)[0])
            except asyncio.CancelledError:
                cancelled += 1
        assert cancelled > 0
        return received

    assert asyncio.run(asyncio.wait_for(main(), 60)) == list(range(count))


@linux
def test_time_outs_and_mistakes_by_a_doorbell(name, peer, bell):
    region = strait.Region.create(name, PLAN, doorbell=bell)

    async def main():
        consumer = region.consumer("log", end_with_peer=True)
        start = time.monotonic()
        with pytest.raises(strait.TimedOut):
            await consumer.arecv(timeout=0.1)
        assert time.monotonic() - start > 0.09
        with pytest.raises(strait.TimedOut):
            await consumer.arecv(timeout=0)
        first = asyncio.ensure_future(consumer.arecv())
        await asyncio.sleep(0.01)
        for use in [consumer.try_recv, consumer.close, lambda: strait.wait_any([consumer])]:
            with pytest.raises(strait.InUse):
                use()
        with pytest.raises(strait.InUse):
            await consumer.arecv()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        # A sender in the same process needs no ring, nor does a longer frame than was thought.
        with region.producer("log") as producer:
            waiting = asyncio.ensure_future(consumer.arecv(timeout=30))
            await asyncio.sleep(0.01)
            producer.send(b"x" * 1000)
            assert await waiting == (0, b"x" * 1000)
        with pytest.raises(strait.PeerGone):
            await consumer.arecv(timeout=30)
        consumer.close()
        with pytest.raises(strait.Closed):
            await consumer.arecv()

    asyncio.run(main())


@linux
def test_a_loop_that_ends_leaves_its_consumers_usable(name, bell):
    region = strait.Region.create(name, PLAN, doorbell=bell)
    consumer = region.consumer("log")

    async def main():
        waiting = asyncio.ensure_future(consumer.arecv())
        await asyncio.sleep(0.01)
        assert not waiting.done()

    for _ in range(3):
        asyncio.run(main())  # It cancels what still waits.
    region.producer("log").send(b"later", 3)
    assert consumer.try_recv() == (3, b"later")


@linux
def test_what_is_no_doorbell_is_refused(name, tmp_path):
    with open(tmp_path / "file", "w") as file:
        for number in [file.fileno(), -1, 10_000]:
            with pytest.raises(ValueError, match="no doorbell"):
                strait.Region.create(name, PLAN, doorbell=number)
            with pytest.raises(ValueError, match="no doorbell"):
                strait.Region.create(name, PLAN, rings=[number])
        # Nothing was made.
        with pytest.raises(strait.NotFound):
            strait.Region.open(name)


def test_events_are_awaited_without_a_doorbell_too(name):
    region = strait.Region.create(name, PLAN)
    notifier, state = region.notifier("limit"), region.latest_writer("state", Torque)

    async def main():
        listener, reader = region.listener("limit"), region.latest_reader("state", Torque)
        both = asyncio.gather(listener.await_(timeout=30), reader.await_(timeout=30))
        await asyncio.sleep(0.05)
        notifier.notify(4)
        state.publish(Torque(1, 0.5))
        notified, reading = await both
        return notified.code, reading.value

    assert asyncio.run(main()) == (4, Torque(1, 0.5))


@linux
def test_a_sender_that_does_not_ring_is_found(name, peer, bell):
    region = strait.Region.create(name, PLAN, doorbell=bell)
    child = peer('ready(); sys.stdin.readline(); strait.Region.open(name).producer("log").send(b"quiet")')

    async def main():
        waiting = asyncio.ensure_future(region.consumer("log").arecv(timeout=30))
        await asyncio.sleep(0.01)
        child.communicate("\n")
        return await waiting

    assert asyncio.run(main()) == (0, b"quiet")
