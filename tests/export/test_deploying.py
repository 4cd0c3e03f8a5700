"""The recipes of the page on deploying run as they stand, and answer as the model does."""

import functools
import http.server
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import needs_browser, started

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "deploying.md"
pytestmark = pytest.mark.slow

BOARD = """
#include <stdio.h>
#include <stdlib.h>
enum { A0, A1, OUTPUT, LED_BUILTIN, LOW = 0, HIGH = 1 };
static int analog[2];
static void pinMode(int pin, int mode) { (void)pin; (void)mode; }
static int analogRead(int pin) { return analog[pin]; }
static void digitalWrite(int pin, int level) { (void)pin; printf("%d\\n", level); }
static void delay(int milliseconds) { (void)milliseconds; }
"""
"""The functions of a board that the sketch calls."""

MAIN = """
int main(void)
{
    setup();
    while (scanf("%d %d", &analog[0], &analog[1]) == 2)
        loop();
    return 0;
}
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Run all Python of the page in one folder, and write its files; return the folder and the names."""
    for name in ("fastapi", "uvicorn", "duckdb"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: the page on deploying is not run")
    folder, names = tmp_path_factory.mktemp("page"), {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, code in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE):
            file = re.match(r"(?:# |// |<!-- )(\w+\.\w+)", code)
            if file:
                (folder / file[1]).write_text(code.split("\n", 1)[1])
            else:
                assert kind == "python"
                exec(compile(code, PAGE.name, "exec"), names)
        yield folder, names
    names["connection"].close()
    names["warehouse"].close()


def test_the_service_answers(page):
    """A row of JSON by name; null is a missing cell, and numbers and texts arrive as such."""
    folder, names = page
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen(command, cwd=folder)
    try:
        for row in ({"temperature": 71, "vibration": 3, "fluid": "oil"}, {**ROW, "fluid": None}):
            frame = pd.DataFrame([row]).astype({"fluid": object})
            expected = names["model"].predict_proba(frame)[0, 1]
            assert answer(f"http://127.0.0.1:{port}/predict", row)["needs_service"] == pytest.approx(expected, abs=1e-6)
    finally:
        server.terminate()
        server.wait(30)


ROW = {"temperature": 60.0, "vibration": 2.5, "fluid": "oil"}


def answer(address, row):
    """Ask a service, which may still be starting."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(row).encode(), headers)
    for _ in range(300):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except ConnectionError:
            time.sleep(0.1)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.1)
    raise TimeoutError(address)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: the sketch is not compiled")
def test_the_sketch_switches_the_light(page):
    """For readings of both sensors, as the labels of the model."""
    folder, names = page
    (folder / "main.c").write_text(BOARD + (folder / "pump.ino").read_text() + MAIN)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2"]
    subprocess.run(["gcc", *flags, "main.c", "pump.c", "-o", "sketch", "-lm"], cwd=folder, check=True)
    readings = np.random.RandomState(0).randint(0, 1024, size=(500, 2))
    text = "\n".join(f"{first} {second}" for first, second in readings)
    done = subprocess.run([folder / "sketch"], input=text, capture_output=True, text=True, check=True)
    rows = pd.DataFrame({"temperature": 0.1 * readings[:, 0], "vibration": 0.01 * readings[:, 1], "fluid": "oil"})
    expected = names["model"].predict(rows).astype(int).tolist()
    assert list(map(int, done.stdout.split())) == expected
    assert 0 < sum(expected) < 500


@needs_browser
def test_the_page_follows_its_slider(page, tmp_path):
    """Served on loopback; the number is that of the model wherever the slider stands."""
    pytest.importorskip("selenium")
    folder, names = page
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *arguments: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, started(tmp_path) as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser.show(f"http://127.0.0.1:{server.server_port}/pump.html")
        for value in (0.0, 2.2, 2.5, 6.0):
            browser.ask(MOVE, "input", value)
            shown = float(browser.ask("return document.querySelector('output').textContent"))
            row = pd.DataFrame([{**ROW, "vibration": value}])
            assert shown == pytest.approx(names["model"].predict_proba(row)[0, 1], abs=0.00051)
        server.shutdown()


MOVE = """
const slider = document.querySelector(arguments[0]);
slider.value = arguments[1];
slider.dispatchEvent(new Event("input", { bubbles: true }));
"""


def test_both_views_score_the_table(page):
    """And a row that is added later, with a missing cell."""
    _, names = page
    expected = names["model"].predict_proba(names["pumps"])[:, 1]
    missing = pd.DataFrame([{**ROW, "vibration": np.nan}])
    expected = [*expected, names["model"].predict_proba(missing)[0, 1]]
    for connection in (names["connection"], names["warehouse"]):
        connection.execute("INSERT INTO pumps VALUES (2000, 60.0, NULL, 'oil')")
        found = connection.execute("SELECT id, proba_1 FROM scored ORDER BY id").fetchall()
        assert [key for key, _ in found] == list(range(2001))
        np.testing.assert_allclose([share for _, share in found], expected, atol=1e-6)


@needs_browser
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: the file of C is not compiled")
def test_the_example_makes_a_small_file_and_a_page(tmp_path, monkeypatch):
    """The file of C has been run; the number and the curve of the page are those of Python, without a network."""
    pytest.importorskip("selenium")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.delenv("SKDISTILL_EXAMPLES", raising=False)  # the full example has the size that it promises
    pyplot.switch_backend("agg")
    names = {"__name__": "example"}
    code = (ROOT / "examples" / "plot_export.py").read_text()
    exec(compile(code, "plot_export.py", "exec"), names)
    pyplot.close("all")
    assert names["exported"].largest_difference <= 1e-9
    assert len(names["exported"].text) < 20_000
    (tmp_path / "page.html").write_text(names["page"], encoding="utf-8")
    with started(tmp_path / "profile") as browser:
        for width, scheme in ((1400, "light"), (400, "dark")):
            browser.show(tmp_path / "page.html", width, scheme)
            assert browser.ask("return document.documentElement.scrollWidth") <= width
            row = np.array([slider["value"] for slider in names["sliders"]], dtype=float)
            for place, slider in enumerate(names["sliders"]):
                row[place] = slider["min"] + slider["step"] * 10
                browser.ask(MOVE, f".demo label:nth-of-type({place + 1}) input", row[place])
                shown = browser.ask("return document.querySelector('.demo output.answer').value")
                assert float(shown.split()[0]) == pytest.approx(names["model"].predict([row])[0], rel=1e-6, abs=0.051)
                points = browser.ask("return document.querySelector('.demo path').getAttribute('d')")[1:].split("L")
                along = np.tile(row, (len(points), 1))
                along[:, 1] = np.linspace(names["sliders"][1]["min"], names["sliders"][1]["max"], len(points))
                heights = [float(point.split(",")[1]) for point in points]
                np.testing.assert_allclose(heights, 250 - 250 * names["model"].predict(along) / 1800, atol=0.051)
        assert browser.ask("return performance.getEntriesByType('resource').length") == 0
        assert browser.driver.get_log("browser") == []
