"""What is sent arrives: within a process, and to and from another."""

import array

import pytest
import strait
from tests_types import PLAN, Gains, Torque


@pytest.fixture
def region(name):
    return strait.Region.create(name, PLAN)


def test_frames_go_through_with_tag_and_number(region):
    with region.producer("log") as producer, region.consumer("log") as consumer:
        assert producer.max_len == 1024
        producer.try_send(b"home", 7)
        producer.send(bytearray(b"x" * 1024), tag=8, timeout=1)
        producer.try_send(memoryview(array.array("H", [1, 2, 3]))[::2])
        assert consumer.try_recv() == (7, b"home")
        assert consumer.sequence == 0
        assert consumer.recv(timeout=1) == (8, b"x" * 1024)
        assert consumer.recv(timeout=1) == (0, b"\1\0\3\0")
        with pytest.raises(strait.Empty):
            consumer.try_recv()
        assert (producer.peer, consumer.peer) == ("present", "present")
    region.producer("log")


def test_a_queue_refuses_what_does_not_fit(region):
    producer, consumer = region.producer("small"), region.consumer("small")
    with pytest.raises(strait.TooLarge):
        producer.try_send(bytes(65))
    with pytest.raises(strait.Full):
        for _ in range(100):
            producer.try_send(bytes(64))
    consumer.try_recv()
    consumer.flush()
    producer.try_send(b"again")


def test_values_come_as_they_were_declared(region):
    producer, consumer = region.typed_producer("torque", Torque), region.typed_consumer("torque", Torque)
    for value in [Torque(2, 0.5), {"axis": 2, "newton_metres": 0.5}, (2, 0.5)]:
        producer.try_send(value)
        assert consumer.recv(timeout=1) == Torque(2, 0.5)
    for wrong in [{"axis": 2}, (1,), 5, ("a", 1), (2**40, 0.0), None]:
        with pytest.raises(strait.WrongType):
            producer.try_send(wrong)
    assert consumer.sequence == 2
    ticks, seen = region.typed_producer("ticks", strait.u32), region.typed_consumer("ticks", strait.u32)
    for tick in range(5):
        ticks.try_send(tick)
    assert [seen.try_recv() for _ in range(5)] == list(range(5))


def test_the_latest_value_is_the_newest(region):
    writer, reader = region.latest_writer("state", Torque), region.latest_reader("state", Torque)
    with pytest.raises(strait.Empty):
        reader.read()
    assert writer.publish((1, 1.5)) == 1
    assert writer.publish((2, 2.5), tag=9) == 2
    reading = reader.read()
    assert (reading.value, reading.fresh, reading.number, reading.tag) == (Torque(2, 2.5), True, 2, 9)
    assert not reader.read().fresh
    text, bytes_reader = region.latest_writer("text"), region.latest_reader("text")
    text.publish(b"short")
    assert bytes_reader.wait(timeout=1).value == b"short"
    with pytest.raises(strait.TooLarge):
        text.publish(bytes(101))


def test_a_lock_commits_whole_values(region):
    gains = region.mutex("gains", Gains)
    with gains as lock:
        assert not lock.owner_died
        assert lock.value == Gains(0, (0.0,) * 4, Torque(0, 0.0))
        lock.value = Gains(1, (1, 2, 3, 4), Torque(5, 6))
        with pytest.raises(strait.WrongType):
            lock.value = (1, 2)
    with gains.lock(timeout=1) as lock:
        assert lock.value == Gains(1, (1.0, 2.0, 3.0, 4.0), Torque(5, 6.0))
        with pytest.raises(strait.Deadlock):
            gains.try_lock()
        with pytest.raises(strait.Deadlock):
            region.mutex("gains", Gains).try_lock()
    with pytest.raises(strait.Error):
        lock.value
    lock.unlock()
    with pytest.raises(strait.Busy):
        gains.reinitialise(Gains(0, (0,) * 4, (0, 0)))


def test_counts(region):
    signals = region.semaphore("signals")
    with pytest.raises(strait.Empty):
        signals.try_acquire()
    signals.release(2)
    signals.acquire(timeout=1)
    assert signals.count == 1
    with pytest.raises(strait.Overflow):
        signals.release(3)
    one, two, three = (region.permits("cranes") for _ in range(3))
    with one.acquire() as first, two.acquire(timeout=0) as second:
        assert {first.index, second.index} == {0, 1}
        with pytest.raises(strait.TimedOut):
            three.acquire(timeout=0)
        with pytest.raises(strait.Deadlock):
            one.acquire(timeout=0)
    with three.acquire(timeout=0):
        pass


def test_frames_go_to_another_process_and_back(region, peer):
    commands, answers = region.producer("log"), region.consumer("answers")
    child = peer(
        """
        region = strait.Region.open(name)
        commands, answers = region.consumer("log"), region.producer("answers")
        ready()
        for tag, payload in commands:
            answers.send(payload[::-1], tag + 1, timeout=10)
            if not payload:
                break
        """
    )
    for number in range(500):
        commands.send(b"%d:" % number * 20, number, timeout=10)
        assert answers.recv(timeout=10) == (number + 1, (b"%d:" % number * 20)[::-1])
    commands.send(b"", timeout=10)
    assert answers.recv(timeout=10) == (1, b"")
    assert child.wait(10) == 0


def test_values_and_locks_are_shared_with_another_process(region, peer):
    torque, state = region.typed_consumer("torque", Torque), region.latest_reader("state", Torque)
    child = peer(
        """
        region = strait.Region.open_or_create(name, PLAN)
        torque, state = region.typed_producer("torque", Torque), region.latest_writer("state", Torque)
        gains = region.mutex("gains", Gains)
        ready()
        for axis in range(200):
            torque.send((axis, axis / 2), timeout=10)
            with gains as lock:
                value = lock.value
                value.version += 1
                lock.value = value
        state.publish(Torque(9, 9.0))
        region.semaphore("signals").release()
        """
    )
    gains = region.mutex("gains", Gains)
    for axis in range(200):
        assert torque.recv(timeout=10) == Torque(axis, axis / 2)
        with gains.lock(timeout=10) as lock:
            value = lock.value
            value.version += 1
            lock.value = value
    region.semaphore("signals").acquire(timeout=10)
    assert state.wait(timeout=10).value == Torque(9, 9.0)
    assert child.wait(10) == 0
    with gains as lock:
        assert lock.value.version == 400
