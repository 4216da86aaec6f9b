"""Plots the latest value of a channel as it changes, with Matplotlib, or as text without it.

    plot_live.py                       a second process publishes a sine, 200 times a second
    plot_live.py REGION CHANNEL        a latest value of this script's type `Sample`, published by another program
    options: --seconds S   how long (5);   --text   no window
"""

import argparse
import collections
import math
import multiprocessing
import os
import sys
import time

import strait


@strait.message
class Sample:
    seconds: strait.f64
    value: strait.f64


PLAN = strait.Plan([strait.latest("sine", Sample), strait.semaphore("stop", 0, 1)])


def publish(region_name):
    """The other process: publishes until it is told to stop."""
    with strait.Region.open(region_name) as region:
        stop = region.semaphore("stop")
        with region.latest_writer("sine", Sample) as sine:
            began = time.monotonic()
            while True:
                seconds = time.monotonic() - began
                sine.publish(Sample(seconds, math.sin(2 * math.pi * seconds)))
                try:
                    stop.acquire(timeout=0.005)
                    return
                except strait.TimedOut:
                    pass


def follow(reader, seconds):
    """Yields each value that is new, as a reading, until the time is over."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            yield reader.wait(timeout=left)
        except strait.TimedOut:
            return


def as_text(readings):
    shown = -1.0
    for reading in readings:
        yield reading
        if reading.value.seconds - shown >= 0.05:
            shown = reading.value.seconds
            bar = " " * round(30 + 30 * max(-1, min(1, reading.value.value))) + "*"
            print(f"{reading.value.seconds:7.2f} s {reading.value.value:+.3f} |{bar}")


def as_plot(readings, pyplot):
    points, drawn = collections.deque(maxlen=1000), 0.0
    (line,) = pyplot.plot([], [])
    for reading in readings:
        yield reading
        points.append((reading.value.seconds, reading.value.value))
        # The window is slower than the channel: readings between two drawings are collected, or skipped.
        if time.monotonic() - drawn > 0.05:
            line.set_data(*zip(*points))
            line.axes.relim()
            line.axes.autoscale_view()
            pyplot.pause(0.001)
            drawn = time.monotonic()


def show(region, channel, seconds, text):
    """Shows values for so long. Returns how many it saw, and how many were published meanwhile."""
    pyplot = None
    if not text:
        try:
            from matplotlib import pyplot
        except ImportError:
            print("there is no Matplotlib, so here is text; pip install matplotlib", file=sys.stderr)
    readings = follow(region.latest_reader(channel, Sample), seconds)
    seen = list(as_plot(readings, pyplot) if pyplot else as_text(readings))
    numbers = [reading.number for reading in seen]
    assert numbers == sorted(set(numbers)), "a value came twice, or an older one after a newer"
    return len(seen), numbers[-1] - numbers[0] + 1 if seen else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("where", nargs="*", metavar="REGION CHANNEL")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--text", action="store_true")
    wanted = parser.parse_args()
    if len(wanted.where) not in (0, 2):
        parser.error("give a region and a channel, or neither")
    if wanted.where:
        region, channel = strait.Region.open(wanted.where[0], read_only=True), wanted.where[1]
        seen, published = show(region, channel, wanted.seconds, wanted.text)
    else:
        name = f"plot-live-{os.getpid()}"
        region = strait.Region.create(name, PLAN)
        # Not forked: a forked child would inherit the parent's region, of which it is no participant.
        other = multiprocessing.get_context("spawn").Process(target=publish, args=(name,))
        other.start()
        try:
            seen, published = show(region, "sine", wanted.seconds, wanted.text)
            assert seen > 0, "the other process published nothing"
        finally:
            region.semaphore("stop").release()
            other.join()
            strait.Region.remove(name)
    print(f"saw {seen} of {published} values published meanwhile")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except strait.Error as error:
        sys.exit(f"{type(error).__name__}: {error}")
