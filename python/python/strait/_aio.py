"""Waiting in asyncio: the event loop watches the region's doorbell; without one, a thread sleeps until something is there."""

import asyncio
import threading
import weakref

from ._errors import TimedOut
from ._strait import _await_any, wait_ready


async def any_of(receivers, timeout):
    """The first of these receivers that has something. What it has is still there."""
    return (await all_of(receivers, timeout))[0]


async def all_of(receivers, timeout):
    """All of these receivers that have something. What they have is still there."""
    return [receivers[number] for number in await receive(_Several(receivers), timeout)]


# How long a thread sleeps before it looks whether anybody waits for it still, in seconds.
_SLICE = 0.05


class _Several:
    """Several receivers, of which `receive` gets the numbers of those that have something."""

    def __init__(self, receivers):
        self._receivers, self._found = receivers, None

    def _await(self):
        return _await_any(self._receivers)

    def _ready(self):
        try:
            self._found = wait_ready(self._receivers, timeout=_SLICE)
        except TimedOut:
            return False
        return True

    def _take(self):
        # Only a wait finds that a peer is gone, so its word is taken.
        found = self._found or wait_ready(self._receivers, timeout=0)
        return [number for number, receiver in enumerate(self._receivers) if receiver in found]


async def receive(receiver, timeout):
    """What `receiver` receives next. One that is cancelled took nothing."""
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout
    awaiting = receiver._await()
    if awaiting is not None:
        return await _rung(loop, awaiting, end)
    while True:
        # Only this takes anything, and nothing is awaited behind it.
        try:
            return receiver._take()
        except TimedOut:
            pass
        await _ready(loop, receiver, _left(loop, end))


def _left(loop, end):
    """How much time is left; `None` if there is no limit."""
    left = None if end is None else end - loop.time()
    if left is not None and left <= 0:
        raise TimedOut("nothing came in the time allowed")
    return left


async def _rung(loop, awaiting, end):
    """Waits by the doorbell. Each poll of `awaiting` finds something, or sees to it that a wake settles the future."""
    driver = _Driver.of(loop, awaiting.bell())
    try:
        while True:
            ended = loop.create_future()
            found = awaiting.poll(_wake(loop, ended))
            if found is not None:
                return found[0]
            left = _left(loop, end)
            driver.arm()
            timer = None if left is None else loop.call_later(left, _settle, ended)
            try:
                await ended
            finally:
                if timer is not None:
                    timer.cancel()
    finally:
        awaiting.close()
        driver.leave()


def _settle(ended):
    if not ended.done():
        ended.set_result(None)


def _wake(loop, ended):
    def wake():
        try:
            loop.call_soon_threadsafe(_settle, ended)
        except RuntimeError:
            pass  # The loop was closed meanwhile, and nobody waits any more.

    return wake


class _Driver:
    """What watches a region's doorbell in a loop, for as long as a task of that waits there."""

    _all = weakref.WeakKeyDictionary()

    @classmethod
    def of(cls, loop, bell):
        drivers = cls._all.setdefault(loop, {})
        number = bell.fileno()
        driver = drivers.get(number)
        if driver is None:
            driver = drivers[number] = cls(loop, bell)
        driver._users += 1
        return driver

    def __init__(self, loop, bell):
        self._loop, self._bell, self._users, self._timer = loop, bell, 0, None
        loop.add_reader(bell.fileno(), self._turn)

    def _turn(self):
        self._bell.turn()
        self.arm()

    def arm(self):
        """Sets the timer to the moment at which somebody is to look again although nobody rang."""
        if self._timer is not None:
            self._timer.cancel()
        due = self._bell.due()
        self._timer = None if due is None else self._loop.call_later(due, self._turn)

    def leave(self):
        self._users -= 1
        if self._users:
            return
        if self._timer is not None:
            self._timer.cancel()
        number = self._bell.fileno()
        self._all[self._loop].pop(number)
        if not self._loop.is_closed():
            self._loop.remove_reader(number)


async def _ready(loop, receiver, left):
    """Waits until something is there, or the time is up. When it returns, the thread has let go of the receiver."""
    ended = loop.create_future()
    stop = threading.Event()
    wake = _wake(loop, ended)
    error = None

    def wait():
        nonlocal error
        try:
            while not (stop.is_set() or receiver._ready()):
                pass
        except BaseException as raised:
            error = raised
        wake()

    threading.Thread(target=wait, name="strait-await", daemon=True).start()
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
