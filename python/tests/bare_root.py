"""What `bare_root.sh` runs: typed messages, and a lock that is taken over from a process killed with it."""

import os
import signal
import subprocess
import sys

import strait


@strait.message
class Torque:
    axis: strait.u32
    newton_metres: strait.f32


PLAN = strait.Plan([strait.slots("torque", 64, Torque), strait.mutex("gains", Torque)])


def other():
    """Sends, and sleeps with the lock until it is killed."""
    region = strait.Region.open("arm")
    region.typed_producer("torque", Torque).send(Torque(2, 0.5))
    with region.mutex("gains", Torque).lock(timeout=30) as lock:
        lock.value = Torque(1, 8.0)
        print("locked", flush=True)
        signal.pause()


def main():
    region = strait.Region.create("arm", PLAN)
    child = subprocess.Popen([sys.executable, __file__, "other"], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "locked\n"
    assert region.typed_consumer("torque", Torque).recv(timeout=30) == Torque(2, 0.5)
    child.kill()
    child.wait()
    with region.mutex("gains", Torque).lock(timeout=30) as lock:
        assert lock.owner_died and lock.value == Torque(1, 8.0)
        lock.value = Torque(3, 4.0)
    strait.Region.remove("arm")
    print(f"taken over in a root with {', '.join(sorted(os.listdir('/')))}")


if __name__ == "__main__":
    other() if sys.argv[1:] else main()
