"""The live page answers as Python does, in a browser, without a network, and from the keyboard."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import needs_browser, started

FOLDER = Path(__file__).parents[1] / "docs" / "live"
SPEC = importlib.util.spec_from_file_location("make_live_page", FOLDER / "make.py")
WHOLE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Live</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"></head><body><main><h1>Live</h1>{}</main></body></html>"""
STATE = """
const root = document.querySelector(".live");
return {
  sliders: [...root.querySelectorAll("label input")].map((input) => input.valueAsNumber),
  answer: Number(root.querySelector(".answer").value),
  table: [...root.querySelectorAll("tbody tr")].map((line) => [...line.cells].slice(1).map((cell) => cell.textContent)),
  difference: Number(root.querySelector(".difference").value),
  heights: root.querySelector("path").getAttribute("d").slice(1).split("L").map((point) => Number(point.split(",")[1])),
};
"""
MOVE = """
const slider = document.querySelectorAll(".live label input")[arguments[0]];
slider.value = arguments[1];
slider.dispatchEvent(new Event("input", { bubbles: true }));
"""
PRESS_ROW = "document.querySelectorAll('.live tbody button')[arguments[0]].click()"


def test_the_page_is_made_from_its_template():
    """The committed page is what the template says; only the module, the rows and the numbers are filled in."""
    parts = re.split(r"(\$\$|\$\w+)", (FOLDER / "template.html").read_text())
    pattern = "".join("[$]" if part == "$$" else ".*?" if part.startswith("$") else re.escape(part) for part in parts)
    assert re.fullmatch(pattern, (FOLDER / "page.html").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def made():
    """The script that makes the page, and the model and rows that it makes it from."""
    module = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(module)
    return module, *module.distilled()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for the pages below."""
    pytest.importorskip("selenium")
    with started(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.slow
@needs_browser
class TestInTheBrowser:
    """A page that is made anew, and the one of the site."""

    @pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
    def test_it_answers_as_python_does(self, made, browser, tmp_path, width, scheme):
        """Wherever the sliders stand: the number, and the curve along the slider that was moved last."""
        module, model, X, X_test = made
        (tmp_path / "page.html").write_text(WHOLE.format(module.page_of(model, X, X_test)), encoding="utf-8")
        browser.show(tmp_path / "page.html", width, scheme)
        rng, shown = np.random.default_rng(0), X_test.iloc[:1].copy()  # the page begins with the first row
        for place, column in enumerate(X):
            browser.ask(MOVE, place, rng.choice(X[column]))
            state = browser.ask(STATE)
            shown[column] = state["sliders"][place]
            assert state["answer"] == pytest.approx(model.predict(shown)[0], abs=0.051)
            along = pd.concat([shown] * 301, ignore_index=True)
            along[column] = np.linspace(X[column].min(), X[column].max(), 301)
            expected = 250 - 250 * model.predict(along) / 300
            assert np.mean(np.abs(expected - state["heights"]) < 0.051) > 0.99  # but where a point is at a threshold
        self.check_rows(browser, model.teacher_.predict(X_test.iloc[:8]), model.predict(X_test.iloc[:8]))
        assert browser.ask("return document.documentElement.scrollWidth") <= width
        assert browser.ask("return performance.getEntriesByType('resource').length") == 0
        assert browser.driver.get_log("browser") == []

    @staticmethod
    def check_rows(browser, teacher, student):
        """Compare the table with Python, and what a press on its rows shows."""
        state = browser.ask(STATE)
        expected = np.column_stack([teacher, student, student])
        np.testing.assert_allclose(np.array(state["table"], dtype=float), expected, atol=0.00051)
        assert state["difference"] <= 1e-9
        for place in range(len(student)):
            browser.ask(PRESS_ROW, place)
            assert browser.ask(STATE)["answer"] == pytest.approx(student[place], abs=0.051)

    def test_the_committed_page_agrees_with_python(self, browser, tmp_path):
        """The student in the page answers its rows as it did in Python when the page was made."""
        (tmp_path / "page.html").write_text(WHOLE.format((FOLDER / "page.html").read_text()), encoding="utf-8")
        browser.show(tmp_path / "page.html", 400)
        state = browser.ask(STATE)
        assert len(state["table"]) == 8
        assert all(python == here for _, python, here in state["table"])
        assert state["difference"] <= 1e-9
        browser.ask("document.querySelector('.live .measure').click()")
        assert re.match(r"[\d.]+ µs per row", browser.ask("return document.querySelector('.live .speed').value"))

    def test_it_is_used_from_the_keyboard(self, browser, tmp_path):
        """Every slider and button is reached with the tabulator; arrows move a slider, and space presses a row."""
        from selenium.webdriver.common.keys import Keys

        (tmp_path / "page.html").write_text(WHOLE.format((FOLDER / "page.html").read_text()), encoding="utf-8")
        browser.show(tmp_path / "page.html")
        reached, before = [], browser.ask(STATE)
        for _ in range(10 + 1 + 1 + 8):
            browser.driver.switch_to.active_element.send_keys(Keys.TAB)
            reached.append(browser.ask("return document.activeElement.outerHTML.slice(0, 7)"))
            if len(reached) == 9:  # triglycerides
                for _ in range(40):
                    browser.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
                moved = browser.ask(STATE)
        assert reached == ["<input "] * 10 + ["<button", "<div cl"] + ["<button"] * 8
        assert moved["sliders"][8] > before["sliders"][8]
        assert moved["answer"] != before["answer"]
        browser.driver.switch_to.active_element.send_keys(Keys.SPACE)
        assert browser.ask(STATE)["answer"] == pytest.approx(float(before["table"][7][2]), abs=0.051)
