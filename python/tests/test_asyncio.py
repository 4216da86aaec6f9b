"""Receiving in an event loop: others run meanwhile, and a receive that was cancelled took nothing."""

import asyncio
import threading
import time

import pytest
import strait
from tests_types import PLAN, Torque


def test_two_queues_are_awaited_at_once(name):
    region = strait.Region.create(name, PLAN)
    log, torque = region.producer("log"), region.typed_producer("torque", Torque)

    async def main():
        lines, values = region.consumer("log"), region.typed_consumer("torque", Torque)
        both = asyncio.gather(lines.arecv(timeout=30), values.arecv(timeout=30))
        await asyncio.sleep(0.05)
        torque.send(Torque(2, 0.5))
        log.send(b"motor on", 7)
        return await both

    assert asyncio.run(main()) == [(7, b"motor on"), Torque(2, 0.5)]


def test_a_cancelled_receive_has_received_nothing(name):
    region = strait.Region.create(name, PLAN)
    producer, count = region.producer("log"), 200

    def send():
        for number in range(count):
            if number % 20 == 0:
                time.sleep(0.02)
            producer.send(str(number).encode(), number, timeout=30)

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


def test_time_outs_and_mistakes(name):
    region = strait.Region.create(name, PLAN)

    async def main():
        consumer = region.consumer("log")
        start = time.monotonic()
        with pytest.raises(strait.TimedOut):
            await consumer.arecv(timeout=0.1)
        assert time.monotonic() - start > 0.09
        with pytest.raises(strait.TimedOut):
            await consumer.arecv(timeout=0)
        with pytest.raises(ValueError):
            await consumer.arecv(timeout=-1)
        first = asyncio.ensure_future(consumer.arecv())
        await asyncio.sleep(0.01)
        with pytest.raises(strait.InUse):
            await consumer.arecv()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        consumer.close()
        with pytest.raises(strait.Closed):
            await consumer.arecv()

    asyncio.run(main())


def test_a_loop_that_ends_leaves_the_consumer_usable(name):
    region = strait.Region.create(name, PLAN)
    consumer = region.consumer("log")

    async def main():
        waiting = asyncio.ensure_future(consumer.arecv())
        await asyncio.sleep(0.01)
        assert not waiting.done()

    asyncio.run(main())  # It cancels what still waits.
    region.producer("log").send(b"later", 3)
    assert consumer.try_recv() == (3, b"later")
