"""Peers that die, threads that share, waits that end, and memory that is garbage."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import strait
from tests_types import PLAN, Gains, Torque

unix = pytest.mark.skipif(os.name != "posix", reason="signals and forks are of Unix")


@pytest.fixture
def region(name):
    return strait.Region.create(name, PLAN)


def kill(child):
    child.kill()
    child.wait(10)


def test_a_killed_consumers_role_is_taken_over_with_what_it_left(region, peer):
    producer = region.producer("log")
    for number in range(5):
        producer.try_send(b"%d" % number)
    child = peer(
        """
        consumer = strait.Region.open(name).consumer("log")
        assert consumer.recv(timeout=10) == (0, b"0")
        consumer.flush()
        ready()
        time.sleep(60)
        """
    )
    with pytest.raises(strait.Busy):
        region.consumer("log")
    kill(child)
    assert producer.peer == "dead"
    consumer = region.consumer("log")
    assert consumer.taken_over_from is not None
    assert [consumer.recv(timeout=10)[1] for _ in range(4)] == [b"1", b"2", b"3", b"4"]


def test_a_killed_owners_lock_rolls_back_to_what_was_committed(region, peer):
    gains = region.mutex("gains", Gains)
    child = peer(
        """
        gains = strait.Region.open(name).mutex("gains", Gains)
        lock = gains.lock()
        lock.value = Gains(7, (1, 2, 3, 4), Torque(0, 0))
        ready()
        time.sleep(60)
        """
    )
    with pytest.raises(strait.Busy):
        gains.try_lock()
    with pytest.raises(strait.TimedOut):
        gains.lock(timeout=0.02)
    kill(child)
    with gains.lock(timeout=10) as lock:
        assert lock.owner_died and lock.taken_over_from is not None and not lock.is_torn
        assert lock.value.version == 7
        lock.value = Gains(8, (0, 0, 0, 0), Torque(0, 0))
    with gains as lock:
        assert not lock.owner_died
        assert lock.value.version == 8


def test_a_killed_holders_permit_comes_back(region, peer):
    cranes = region.permits("cranes")
    other = region.permits("cranes").acquire()
    child = peer(
        """
        permit = strait.Region.open(name).permits("cranes").acquire()
        ready()
        time.sleep(60)
        """
    )
    with pytest.raises(strait.TimedOut):
        cranes.acquire(timeout=0.02)
    kill(child)
    with cranes.acquire(timeout=10) as permit:
        assert permit.taken_over_from is not None and permit.index != other.index


def test_a_wait_ends_with_the_peer_if_asked(region, peer):
    consumer = region.consumer("answers", end_with_peer=True)
    child = peer(
        """
        producer = strait.Region.open(name).producer("answers")
        producer.try_send(b"last")
        ready()
        time.sleep(60)
        """
    )
    kill(child)
    assert consumer.recv(timeout=10)[1] == b"last"
    with pytest.raises(strait.PeerGone):
        consumer.recv(timeout=10)


def test_waits_end_in_time(region):
    consumer, signals = region.consumer("log"), region.semaphore("signals")
    producer, reader = region.producer("small"), region.latest_reader("state", Torque)
    with pytest.raises(strait.Full):
        while True:
            producer.try_send(bytes(64))
    waits = [
        lambda: consumer.recv(timeout=0.12),
        lambda: signals.acquire(timeout=0.12),
        lambda: producer.send(bytes(64), timeout=0.12),
        lambda: reader.wait(timeout=0.12),
    ]
    for wait in waits:
        began = time.monotonic()
        with pytest.raises(strait.TimedOut) as raised:
            wait()
        assert isinstance(raised.value, TimeoutError)
        assert time.monotonic() - began >= 0.11
    with pytest.raises(strait.TimedOut):
        consumer.recv(timeout=0)
    for wrong in [-1, float("nan")]:
        with pytest.raises(ValueError):
            consumer.recv(timeout=wrong)
    producer.close()
    for _ in range(2):
        with pytest.raises(strait.Closed):
            producer.try_send(b"")


def test_a_wait_lets_other_threads_run_and_is_woken(region):
    consumer, producer = region.consumer("log"), region.producer("log")
    got = []
    thread = threading.Thread(target=lambda: got.append(consumer.recv(timeout=30)))
    thread.start()
    while thread.is_alive():
        time.sleep(0.01)
        if not got:
            try:
                producer.try_send(b"wake")
            except strait.Full:
                pass
    thread.join()
    assert got == [(0, b"wake")]


def test_an_endpoint_in_use_is_refused_to_another_thread(region):
    consumer, stop = region.consumer("log"), region.producer("log")

    def receive():
        while True:
            try:
                return consumer.recv(timeout=30)
            except strait.InUse:
                pass

    thread = threading.Thread(target=receive)
    thread.start()
    seen = None
    while seen is None:
        try:
            consumer.try_recv()
        except strait.Empty:
            time.sleep(0.001)
        except strait.InUse as error:
            seen = error
    with pytest.raises(strait.InUse):
        consumer.close()
    stop.try_send(b"")
    thread.join()
    consumer.close()


def test_a_lock_belongs_to_the_thread_that_took_it(region, name):
    gains, taken, done = region.mutex("gains", Gains), threading.Event(), threading.Event()
    locks = []

    def hold():
        locks.append(gains.lock())
        taken.set()
        done.wait()
        locks[0].unlock()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    with pytest.raises(strait.InUse):
        locks[0].value
    with pytest.raises(strait.InUse):
        locks[0].unlock()
    with pytest.raises(strait.Deadlock):
        gains.lock()
    own = strait.Region.open(name).mutex("gains", Gains)
    with pytest.raises(strait.Busy):
        own.try_lock()
    done.set()
    with own.lock(timeout=30):
        pass
    thread.join()


def test_what_is_dropped_is_given_back(region):
    gains, cranes = region.mutex("gains", Gains), region.permits("cranes")
    lock, permit = gains.lock(), cranes.acquire()
    del lock, permit
    gains.try_lock().unlock()
    cranes.acquire(timeout=0).release()
    # Dropped by another thread than the one that took it: swept when that one locks again.
    locks = [gains.lock()]
    thread = threading.Thread(target=locks.clear)
    thread.start()
    thread.join()
    gains.try_lock().unlock()


def test_a_thread_that_ends_gives_back_what_it_holds(region, name):
    locks = []
    thread = threading.Thread(target=lambda: locks.append(region.mutex("gains", Gains).lock()))
    thread.start()
    thread.join()
    with strait.Region.open(name).mutex("gains", Gains).lock(timeout=30) as lock:
        assert not lock.owner_died
    with pytest.raises(strait.InUse):
        locks[0].value


def test_endpoints_outlive_their_region_object(name):
    region = strait.Region.create(name, PLAN)
    producer, consumer, gains = region.producer("log"), region.consumer("log"), region.mutex("gains", Gains)
    lock = gains.lock()
    region.close()
    with pytest.raises(strait.Closed):
        region.producer("small")
    del region, gains
    gc.collect()
    strait.Region.remove(name)
    lock.value = Gains(3, (0, 0, 0, 0), Torque(0, 0))
    assert lock.value.version == 3
    producer.try_send(b"still")
    assert consumer.try_recv() == (0, b"still")
    for order in ([producer, consumer, lock], [lock, consumer, producer]):
        del order
    gc.collect()


@unix
@pytest.mark.parametrize(
    "wait",
    [
        'region.consumer("log").recv()',
        'region.semaphore("signals").acquire()',
        'region.latest_reader("state").wait()',
        'region.mutex("gains", Gains).lock()',
        'next(iter(region.typed_consumer("torque", Torque)))',
    ],
)
def test_ctrl_c_ends_a_wait(region, peer, wait):
    held = region.mutex("gains", Gains).lock()
    child = peer(
        f"""
        region = strait.Region.open(name)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            ready()
            {wait}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """
    )
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "interrupted\n", child.stderr.read()
    assert child.wait(10) == 0
    held.unlock()


@unix
def test_a_signals_handler_that_uses_the_waiting_endpoint_is_refused(region, peer):
    child = peer(
        """
        consumer = strait.Region.open(name).consumer("log")
        def handler(number, frame):
            try:
                consumer.try_recv()
            except strait.InUse:
                print("in use", flush=True)
            except strait.Empty:
                print("not yet waiting", flush=True)
        signal.signal(signal.SIGUSR1, handler)
        ready()
        assert consumer.recv(timeout=30) == (0, b"end")
        """
    )
    said = "not yet waiting\n"
    while said == "not yet waiting\n":
        time.sleep(0.01)
        child.send_signal(signal.SIGUSR1)
        said = child.stdout.readline()
    assert said == "in use\n", child.stderr.read()
    region.producer("log").try_send(b"end")
    assert child.wait(10) == 0


@unix
def test_a_forked_child_is_refused_and_does_no_harm(region):
    producer, consumer = region.producer("log"), region.consumer("log")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            region.semaphore("signals")
        except strait.ReadOnly:
            status = 0
        try:
            producer.try_send(b"from the child")
        except strait.Error:
            pass
        os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(strait.Empty):
        consumer.try_recv()
    producer.try_send(b"parent")
    assert consumer.try_recv() == (0, b"parent")


def test_wrong_names_kinds_and_types_are_errors(region, name):
    cases = [
        (strait.NotFound, lambda: region.producer("nothing")),
        (strait.WrongKind, lambda: region.producer("gains")),
        (strait.WrongType, lambda: region.typed_producer("torque", strait.u64)),
        (strait.WrongType, lambda: region.mutex("gains", Torque)),
        (strait.WrongType, lambda: region.latest_reader("state", Gains)),
        (strait.WrongType, lambda: region.typed_consumer("torque", int)),
        (strait.AlreadyExists, lambda: strait.Region.create(name, PLAN)),
        (strait.NotFound, lambda: strait.Region.open(name + "-no")),
        (strait.BadName, lambda: strait.Region.open("")),
        (strait.BadPlan, lambda: strait.Region.create(name + "-no", strait.Plan([strait.frames("a", 100, 10)]))),
        (strait.BadPlan, lambda: strait.Plan([strait.frames("a", 64, 1000)]).size()),
        (strait.ReadOnly, lambda: strait.Region.open(name, read_only=True).producer("log")),
    ]
    for error, call in cases:
        with pytest.raises(error) as raised:
            call()
        assert isinstance(raised.value, strait.Error) and str(raised.value)


def test_garbage_is_an_error_and_no_crash(tmp_path):
    path = tmp_path / "region"
    path.write_bytes(b"no region" * 1000)
    path.chmod(0o600)
    with pytest.raises(strait.NotARegion):
        strait.Region.open(path)
    path.unlink()
    region = strait.Region.create(path, PLAN)
    size = path.stat().st_size
    assert size == PLAN.size()
    ends = [region.producer("log"), region.consumer("log"), region.typed_consumer("torque", Torque)]
    reader, gains, signals = region.latest_reader("text"), region.mutex("gains", Gains), region.semaphore("signals")
    with open(path, "r+b") as file:
        file.seek(128)
        file.write(os.urandom(size - 128))
    for _ in range(3):
        for call in [
            lambda: ends[0].try_send(bytes(100)),
            lambda: ends[1].recv(timeout=0.01),
            lambda: ends[2].recv(timeout=0.01),
            reader.read,
            lambda: gains.lock(timeout=0.01).value,
            lambda: signals.acquire(timeout=0.01),
            lambda: region.producer("small"),
            region.channels,
        ]:
            try:
                call()
            except strait.Error:
                pass
    with pytest.raises(strait.Error):
        strait.Region.open(path)


def test_an_unread_exception_is_printed_by_no_destructor(name):
    program = f"""
import strait
region = strait.Region.create({name!r}, strait.Plan([strait.mutex("m", strait.u32), strait.frames("f", 256, 64)]))
lock, end = region.mutex("m", strait.u32).lock(), region.producer("f")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with strait.Region.open(name).mutex("m", strait.u32).lock(timeout=10) as lock:
        assert lock.value == 0


def torn(path, peer_of):
    """A mutex in a file whose owner was killed while, as its words tell, it edited the value in place."""
    region = strait.Region.create(path, strait.Plan([strait.mutex("gains", strait.u64)]))
    child = peer_of(
        f"""
        gains = strait.Region.open({str(path)!r}).mutex("gains", strait.u64)
        lock = gains.lock()
        lock.value = 7
        ready()
        time.sleep(60)
        """
    )
    kill(child)
    with open(path, "r+b") as file:
        # The first entry's block A (FORMAT.md), and in that the word that says so.
        file.seek(128 + 72)
        file.seek(int.from_bytes(file.read(4), "little") + 4)
        file.write(b"\1")
    return region.mutex("gains", strait.u64)


def test_a_torn_value_must_be_assigned_anew(tmp_path, peer):
    gains = torn(tmp_path / "region", peer)
    with gains.lock(timeout=10) as lock:
        assert lock.owner_died and lock.is_torn
        assert lock.value == 7
        with pytest.raises(strait.Poisoned):
            lock.version
        lock.value = 8
        assert not lock.is_torn
    with gains.lock(timeout=10) as lock:
        assert not lock.owner_died and lock.value == 8


def test_a_torn_value_that_nobody_assigned_is_poisoned_until_it_is_set(tmp_path, peer):
    gains = torn(tmp_path / "region", peer)
    gains.lock(timeout=10).unlock()
    with pytest.raises(strait.Poisoned):
        gains.lock(timeout=10)
    gains.reinitialise(5)
    with gains as lock:
        assert lock.value == 5
