"""The page in a browser: values change, fields are picked and plotted, it pauses, exports, and connects again."""

import csv
import os
import signal
import subprocess
import time

from conftest import LONG, TOOL, Server, eventually, tool
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def rows(browser, name):
    return browser.find_elements(By.CSS_SELECTOR, f'tr[data-name="{name}"]')


def value(browser, name):
    return rows(browser, name)[0].find_element(By.CLASS_NAME, "value").text


def pick(browser, name):
    eventually(lambda: rows(browser, name))
    rows(browser, name)[0].find_element(By.TAG_NAME, "input").click()


def click(browser, name):
    browser.find_element(By.ID, name).click()


def colours(browser):
    """How many pixels of the plot have a colour of a curve."""
    return browser.execute_script(
        """const c = plot.canvas, d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let n = 0;
        for (let i = 0; i < d.length; i += 4) n += Math.max(d[i], d[i+1], d[i+2]) - Math.min(d[i], d[i+1], d[i+2]) > 90;
        return n;"""
    )


def shot(browser, name):
    """Keeps a picture for people, where they say so."""
    if folder := os.environ.get("STRAIT_SHOTS"):
        browser.save_screenshot(os.path.join(folder, f"{name}.png"))


def errors(browser):
    return [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]


def test_the_page_shows_plots_pauses_and_exports(demo, browser, tmp_path):
    state = f"/{demo}/state"
    with Server(demo) as server:
        browser.get(f"http://{server.address}/")
        eventually(lambda: rows(browser, f"{state} step"))
        before = value(browser, f"{state} step")
        eventually(lambda: value(browser, f"{state} step") != before)
        assert rows(browser, f"{state} angle_rad")[0].find_element(By.CLASS_NAME, "unit").text == "rad"
        assert not browser.find_element(By.ID, "send").is_displayed()
        blank = colours(browser)
        pick(browser, f"{state} angle_rad")
        pick(browser, f"/{demo}/sensors position_m")
        count = "return Math.min(...plot.fields.map((field) => field.samples.count))"
        eventually(lambda: browser.execute_script(count) > 100)
        eventually(lambda: colours(browser) > blank + 200)
        shot(browser, "plots")
        assert errors(browser) == []

        browser.execute_script("document.activeElement.blur()")
        browser.find_element(By.TAG_NAME, "body").send_keys(" ")
        eventually(lambda: browser.find_element(By.ID, "pause").get_attribute("aria-pressed") == "true")
        end, stood = browser.execute_script("return plot.end"), value(browser, f"{state} step")
        time.sleep(0.5)
        assert value(browser, f"{state} step") == stood and browser.execute_script("return plot.end") == end
        click(browser, "csv")
        click(browser, "png")
        table, picture = tmp_path / "downloads/strait.csv", tmp_path / "downloads/strait.png"
        eventually(lambda: table.exists() and picture.exists())
        # While it stands, what is exported is what is shown.
        shown = browser.execute_script("return plot.csv()")
        eventually(lambda: table.read_text() == shown)
        angles = [line for line in csv.DictReader(table.open()) if line["field"] == f"{state} angle_rad"]
        assert len(angles) > 1 and angles[0]["unit"] == "rad" and abs(float(angles[0]["value"])) < 1
        eventually(lambda: picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n")
        span = browser.execute_script("return plot.span")
        browser.execute_script(
            """plot.canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -400, clientX: 900, clientY: 300 }))"""
        )
        assert browser.execute_script("return plot.span") < span

        click(browser, "live")
        eventually(lambda: value(browser, f"{state} step") != stood)
        browser.find_element(By.ID, "filter").send_keys("angle_rad")
        assert not rows(browser, f"{state} step")[0].is_displayed()
        assert rows(browser, f"{state} angle_rad")[0].is_displayed()
        # A channel without such a field is not shown, and all are again without a filter.
        tables = f'table[data-topic="/{demo}/forces"]'
        assert not browser.find_element(By.CSS_SELECTOR, tables).is_displayed()
        names = "return plot.fields.map((field) => field.name)"
        before, order = browser.execute_script(count), browser.execute_script(names)

        # The server is killed and started again: the page says so, connects again, and plots what it did.
        server.kill()
        place = browser.find_element(By.ID, "state")
        eventually(lambda: place.text == "not connected")
        with Server(demo, port=server.port):
            eventually(lambda: place.text == "connected")
            # In the same places, and after what was plotted before.
            eventually(lambda: browser.execute_script(names) == order)
            eventually(lambda: browser.execute_script(count) > before + 20)
            shot(browser, "again")
            browser.find_element(By.ID, "filter").send_keys(Keys.CONTROL, "a", Keys.DELETE)
            eventually(lambda: browser.find_element(By.CSS_SELECTOR, tables).is_displayed())


def test_the_page_sends_where_that_is_allowed(demo, browser, tmp_path):
    recording, made = str(tmp_path / "run.mcap"), f"{demo}-made"
    tool("record", demo, "-o", recording, "--seconds", "1")
    try:
        tool("play", recording, "--into", made, "--fast")
        with Server(made, "--allow-send") as server:
            browser.get(f"http://{server.address}/")
            name = f"/{made}/state"
            eventually(lambda: rows(browser, f"{name} newtons"))
            topic = browser.find_element(By.ID, "topic")
            topic.send_keys(name)
            field = browser.find_element(By.ID, "value")
            field.click()
            proposed = eventually(lambda: field.get_attribute("value"))
            assert '"newtons":' in proposed
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(Keys.DELETE)
            field.send_keys('{"step":1}')
            field.submit()
            eventually(lambda: "not given" in browser.find_element(By.ID, "sent").text)
            changed = proposed.split('"step":')[0] + '"step":424242' + "}"
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(changed)
            field.submit()
            eventually(lambda: value(browser, f"{name} step") == "424242")
            shot(browser, "send")
            assert errors(browser) == []
    finally:
        subprocess.run([TOOL, "rm", "--force", made], capture_output=True, timeout=LONG)
