"""Receiving in asyncio: a thread sleeps until something is there, and the event loop's own thread takes it."""

import asyncio
import threading

from ._errors import Empty, TimedOut


async def receive(consumer, timeout):
    """What `consumer` receives next. Only `try_recv` in this coroutine takes anything, so a cancelled one took nothing."""
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout
    while True:
        try:
            return consumer.try_recv()
        except Empty:
            pass
        left = None if end is None else end - loop.time()
        if left is not None and left <= 0:
            raise TimedOut("the queue stayed empty for the time allowed")
        await _ready(loop, consumer, left)


async def _ready(loop, consumer, left):
    """Waits until something is there, or the time is up. When it returns, the thread has let go of the consumer."""
    ended = loop.create_future()
    stop = threading.Event()
    error = None

    def settle():
        if not ended.done():
            ended.set_result(None)

    def wait():
        nonlocal error
        try:
            while not (stop.is_set() or consumer._ready()):
                pass
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(settle)
        except RuntimeError:
            pass  # The loop was closed meanwhile, and nobody waits any more.

    threading.Thread(target=wait, name="strait-arecv", daemon=True).start()
    timer = None if left is None else loop.call_later(left, stop.set)
    try:
        await asyncio.shield(ended)
    except asyncio.CancelledError:
        stop.set()
        await ended  # A moment: the thread looks at the event twenty times a second.
        raise
    finally:
        stop.set()
        if timer is not None:
            timer.cancel()
    if error is not None:
        raise error
