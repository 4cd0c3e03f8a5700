"""The page in a real browser: chromium, headless and without a network."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import needs_browser, started

from skdistill import as_teacher, report

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = [needs_browser, pytest.mark.slow]

WIDTHS = (400, 1400)
SCHEMES = ("light", "dark")
LEAST_CONTRAST = 4.5

CONTRASTS = """
const luminance = rgb => {
  const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const ground = element => {
  for (; element; element = element.parentElement) {
    const color = parse(getComputedStyle(element).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color.slice(0, 3);
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll("main *, .skdistill-report *")) {
  const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  if (!own || element.tagName === "STYLE") continue;
  const style = getComputedStyle(element);
  const color = parse(element.closest("svg") ? style.fill : style.color).slice(0, 3);
  const pair = [luminance(color), luminance(ground(element))].sort((a, b) => b - a);
  found.push([(pair[0] + 0.05) / (pair[1] + 0.05), element.tagName, element.textContent.trim().slice(0, 40)]);
}
return found;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Start chromium once."""
    with started(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def raw_rows():
    """Return people with long names of columns and categories, and what a teacher thinks of them."""
    rng = np.random.default_rng(0)
    jobs = ["clerk in a municipal administration of some size", "baker", "smith & co.", "<none of these>"]
    return pd.DataFrame(
        {
            "years_since_the_first_contract_was_signed": rng.integers(0, 40, 400),
            "profession_as_stated_by_the_applicant": rng.choice(jobs, 400),
            "income": np.where(rng.uniform(size=400) < 0.1, np.nan, rng.normal(3000, 500, 400)),
        }
    )


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Write pages: of three classes with long names, of several values, and two reports in one dark notebook."""
    folder = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(0)
    people = raw_rows()
    years = people.iloc[:, 0].to_numpy()
    base = np.column_stack([years, np.full(400, 20), 40 - years]) / 10 + rng.normal(size=(400, 3))
    classes = np.array(["credit is granted without conditions", "granted", "refused & returned"])

    def proba(margins):
        return np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)

    outputs = {"teacher": proba(base), "student": proba(0.8 * base + 0.3 * rng.normal(size=base.shape))}
    y = classes[base.argmax(axis=1)]
    answers = [lambda X, name=name: outputs[name][np.asarray(X.index)] for name in outputs]
    found = report(answers[1], people, y, teacher=as_teacher(answers[0], classes=classes))
    found.to_html(folder / "classes.html")
    values = [lambda X: base[np.asarray(X.index)], lambda X: base[np.asarray(X.index)] * 0.9]
    report(values[1], people, base, teacher=values[0]).to_html(folder / "values.html")
    fragment = found._repr_html_()
    (folder / "notebook.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>notebook</title></head>'
        '<body style="background: #111; color: #ddd"><main><h1>Notebook</h1><h2>Cells</h2>'
        f"{fragment}{fragment}</main></body></html>",
        encoding="utf-8",
    )
    return {path.stem: path for path in folder.glob("*.html")}


PAGES = ("classes", "values", "notebook")


@pytest.mark.parametrize("name", PAGES)
def test_the_console_is_silent(browser, pages, name):
    """No errors, no warnings, nothing that was not found."""
    browser.driver.get_log("browser")
    browser.show(pages[name])
    assert browser.driver.get_log("browser") == []
    assert browser.ask("return performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:'))") == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_pages_never_scroll_sideways(browser, pages, name, width):
    """Tables that are too wide scroll by themselves; nothing hangs out of the window."""
    browser.show(pages[name], width)
    assert browser.ask("return innerWidth") == width
    assert browser.ask("return document.documentElement.scrollWidth") <= width
    stick_out = browser.ask(
        "return [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll') && !e.closest('svg') && "
        "e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName)"
    )
    assert stick_out == []
    assert browser.ask("return [...document.querySelectorAll('table')].every(e => e.closest('.scroll'))")


@pytest.mark.parametrize("name", PAGES)
def test_what_matters_is_read_at_400_pixels(browser, pages, name):
    """The models and the tables of classes, rules and slices show their first columns without scrolling."""
    browser.show(pages[name], WIDTHS[0])
    hidden = browser.ask(
        "return [...document.querySelectorAll('.scroll')].filter(e => !e.closest('details') && "
        "e.scrollWidth > e.clientWidth + 1).map(e => [e.getAttribute('aria-label'), e.scrollWidth])"
    )
    assert hidden == []
    shown = browser.ask("return document.querySelector('svg.costs')?.getBoundingClientRect().width ?? 0")
    assert shown == 0 or shown > 300


@pytest.mark.parametrize("name", PAGES)
def test_every_table_is_reached_and_scrolled_by_keyboard(browser, pages, name):
    """By Tab in the order of the page; arrow keys move what is hidden into sight; the focus is seen."""
    browser.show(pages[name], WIDTHS[0])
    browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    stops = browser.driver.find_elements(By.CSS_SELECTOR, ".scroll, summary")
    assert stops
    for stop in stops:
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.driver.switch_to.active_element
        assert focused == stop
        if stop.tag_name == "summary":
            continue
        assert browser.ask("return arguments[0].matches(':focus-visible')", focused)
        assert browser.ask("return getComputedStyle(arguments[0]).outlineStyle", focused) == "solid"
        assert focused.get_attribute("aria-label")
        if browser.ask("return arguments[0].scrollWidth - arguments[0].clientWidth", focused) > 1:
            focused.send_keys(Keys.ARROW_RIGHT)
            moved = browser.driver.execute_async_script(
                "const [region, done] = arguments; const start = performance.now();"
                "const look = () => region.scrollLeft > 0 || performance.now() - start > 5000 "
                "? done(region.scrollLeft) : requestAnimationFrame(look); look();",
                focused,
            )
            assert moved > 0


@pytest.mark.parametrize("name", PAGES)
def test_headings_are_in_order(browser, pages, name):
    """One of the first level, and none leaves a level out."""
    browser.show(pages[name])
    levels = [
        int(heading.tag_name[1]) for heading in browser.driver.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4, h5, h6")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_texts_are_read_easily(browser, pages, name, scheme):
    """Contrast of at least 4.5 of every text to its ground, in pictures, too."""
    browser.show(pages[name], scheme=scheme)
    browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    contrasts = browser.ask(CONTRASTS)
    assert len(contrasts) > 50
    assert [found for found in contrasts if found[0] < LEAST_CONTRAST] == []


@pytest.mark.thinned(2)
@pytest.mark.parametrize(("width", "scheme"), [*zip(WIDTHS, SCHEMES, strict=True)])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(browser, pages, name, width, scheme):
    """The rules of axe-core for accessible pages."""
    found = importlib.util.find_spec("axe_core_python")
    folder = next(iter(found.submodule_search_locations or []), None) if found else None
    script = Path(folder or ".") / "axe.min.js"
    if not script.is_file():
        pytest.skip("needs axe-core-python")
    browser.show(pages[name], width, scheme)
    browser.ask(script.read_text(encoding="utf-8"))
    violations = browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run().then(found => done(found.violations.map(each => "
        "[each.impact, each.id, each.nodes.slice(0, 3).map(node => node.html)])));"
    )
    assert [each for each in violations if each[0] in ("serious", "critical")] == []
