"""Look at pages of the built site in a browser: `python docs/look_at_site.py docs/_build/html`.

On a narrow window, nothing may be cut: what is too wide scrolls by itself. The search must show the page that a query
is about among its first results. Without chromium, nothing is looked at.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser import CHROMIUM, DRIVER, started
from walk_site import QUERIES

PAGES = (
    "index",
    "quick_start",
    "guide/index",
    "how_to",
    "students",
    "compiling",
    "live",
    "service_example",
    "report",
    "examples",
    "auto_examples/plot_export",
    "auto_examples/plot_synthetic_rows",
    "api/index",
    "api/generated/skdistill.DistilledClassifier",
    "benchmarks/README",
    "benchmarks/export",
    "comparison",
)
N_FIRST = 5
CUT = """
return [...document.querySelectorAll('article *')].filter((element) => {
  const box = element.getBoundingClientRect();
  if (box.width === 0 || box.right <= document.documentElement.clientWidth + 1) return false;
  for (let outer = element.parentElement; outer.tagName !== 'ARTICLE'; outer = outer.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(outer).overflowX)) return false;
  return true;
}).map((element) => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`)
"""
RESULTS = "return [...document.querySelectorAll('#search-results li > a')].map((link) => link.getAttribute('href'))"


def failures(browser, site):
    """Yield a sentence per page that is cut, and per query whose page is not among the first results."""
    for page in PAGES:
        browser.show(site / f"{page}.html", width=400)
        for words in browser.ask(CUT)[:1]:
            yield f"{page}: is cut on the right at 400 pixels: {words}"
    for query, page in QUERIES.items():
        browser.show(f"{(site / 'search.html').as_uri()}?q={query.replace(' ', '+')}")
        first = results(browser)
        if f"{page}.html" not in [link.partition("?")[0].partition("#")[0] for link in first]:
            yield f"search: {query!r} shows {', '.join(first)} first, not {page}"


def results(browser, seconds=10):
    """Return the first results of a search, as soon as they are shown."""
    for _ in range(10 * seconds):
        found = browser.ask(RESULTS)
        if len(found) >= N_FIRST:
            break
        time.sleep(0.1)
    return found[:N_FIRST]


if __name__ == "__main__":
    if None in (CHROMIUM, DRIVER):
        print("chromium and chromedriver are not installed: the site was not looked at")
        sys.exit(0)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, started(folder) as opened:
        found = list(failures(opened, Path(sys.argv[1]).resolve()))
    print(*found, sep="\n")
    sys.exit(1 if found else 0)
