"""The guide says what is true: its code is code, its names exist, and its pages print what they show."""

import ast
import contextlib
import io
import re
from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [DOCS / f"{name}.md" for name in ("quick_start", "how_to", "cross_validation", "when_not_to_distil")]
PAGES += [page for page in sorted((DOCS / "guide").glob("*.md")) if page.name != "index.md"]
ALL_PAGES = [page for page in sorted(DOCS.rglob("*.md")) if not {"_build", "auto_examples"} & set(page.parts)]
RUNNABLE = [page for page in PAGES if "```python" in page.read_text()]


def blocks(page, *kinds):
    """Return code and shown output, if there is any, of the page's blocks of some kinds."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", page.read_text(), re.DOTALL | re.MULTILINE)
    return [(code, shown) for kind, code, shown in found if kind in kinds]


def name_of(page):
    return page.relative_to(DOCS).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_is_code(page):
    """Every block of code is valid Python."""
    for code, _ in blocks(page, "python", "py"):
        ast.parse(code)


@pytest.mark.parametrize("page", [*DOCS.parent.glob("*.md"), *ALL_PAGES], ids=lambda page: page.name)
def test_no_block_scrolls_sideways(page):
    """Code and output, fenced or indented, on all pages have lines of at most 88 characters."""
    is_fenced = False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            is_fenced = not is_fenced
        elif is_fenced or line.startswith("    "):
            assert len(line) <= 88, line


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_name_exists(page):
    """Whatever any page imports from the package, or calls as ``skdistill.name``, is there."""
    for code, _ in blocks(page, "python", "py"):
        with contextlib.suppress(SyntaxError):  # fragments, on other pages
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "skdistill":
                    module = import_module(node.module)
                    missing = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                    assert not missing, f"{node.module} has no {missing}"
                elif isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "skdistill":
                    assert hasattr(import_module("skdistill"), node.attr), node.attr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_benchmarks_are_cited(page):
    """A page that speaks of twelve tables says which benchmark it has that from, and leads there."""
    text = page.read_text()
    if "twelve tables" in text:
        assert re.search(r"\]\((\.\./)?benchmarks/\w+\.md\)", text)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_page_prints_what_it_shows(page, tmp_path, monkeypatch):
    """A page runs as it stands, in one namespace, and prints what it shows.

    That is: the words, shares within 0.03, and counts within 10 %. Times, and what is made of them, are those of
    another machine.
    """
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    with contextlib.ExitStack() as stack:
        stack.callback(pyplot.close, "all")
        pyplot.switch_backend("agg")
        for code, shown in blocks(page, "python"):
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, page.name, "exec"), namespace)
            if shown:
                assert_same(printed.getvalue(), shown)


def assert_same(printed, shown):
    """Check that two texts have the same words, and nearly the same shares (three decimals) and counts."""
    number, share, count = r"\d[\d,]*(?:\.\d+)?", r"\b[01]\.\d{3}\b", r"(?<![\d.,])\d[\d,]{2,}(?![\d.,]| times)"
    # from there on, a report tells times
    printed, shown = (re.split("One row|Batches", text)[0] for text in (printed, shown))
    assert re.sub(number, "#", printed).split() == re.sub(number, "#", shown).split()
    for kind, tolerance in ((share, {"abs": 0.03}), (count, {"rel": 0.1})):
        found, expected = (
            [float(text.replace(",", "")) for text in re.findall(kind, text)] for text in (printed, shown)
        )
        assert found == pytest.approx(expected, **tolerance)
