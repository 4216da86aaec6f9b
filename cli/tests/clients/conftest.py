"""What the tests share: a demo that runs, the tool, and a browser."""

import os
import re
import signal
import subprocess
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

TOOL = os.environ["STRAIT_TOOL"]
LONG = 60


def tool(*words):
    """Runs the tool to its end, and returns what it printed."""
    done = subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done
    return done.stdout


def eventually(so):
    """Returns what `so` returns once that is true."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        if found := so():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


class Server:
    """`strait serve`, on a port of its own."""

    def __init__(self, *words, port=0):
        self.process = subprocess.Popen(
            [TOOL, "serve", "--port", str(port), *words], stdout=subprocess.PIPE, text=True
        )
        self.address = re.search(r"http://([^/]+)/", self.process.stdout.readline())[1]
        self.port = int(self.address.split(":")[1])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(LONG)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


@pytest.fixture
def demo():
    """The name of the region of a demo, which must go on however it was looked at."""
    # Where its controller may be killed, the pendulum stands still without it, and does not fall on a busy machine.
    words = [TOOL, "demo", "--seconds", "600", "--rate", "200", "--kill-every", "500000"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def names():
        assert process.poll() is None, "the demo has ended"
        return re.findall(rf"demo-{process.pid}-\w+", tool("ls"))

    name = eventually(names)[0]
    eventually(lambda: "alive" in tool("inspect", name))
    yield name
    assert process.poll() is None, "the demo has ended"
    process.terminate()
    process.wait(LONG)
    subprocess.run([TOOL, "rm", "--force", name], capture_output=True, timeout=LONG)


@pytest.fixture
def browser(tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1280,800"
    ).split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(LONG)
    yield driver
    driver.quit()
