"""The README says what is true."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

README = Path(__file__).parents[1] / "README.md"
BENCHMARKS = README.parent / "docs" / "benchmarks"


@pytest.mark.slow
def test_example_prints_what_the_readme_shows():
    """The README's example runs as it stands, and prints what is shown below it: words, and numbers within rounding.

    Times, from "One row" or "Batches" on, are another machine's.
    """
    code, shown = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", README.read_text(), re.DOTALL).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    texts = [re.sub(r", one row .*? smaller", "", " ".join(text.split())) for text in (printed.getvalue(), shown)]
    texts = [re.split("One row|Batches", text)[0] for text in texts]
    number = r"\d+(?:\.\d+)?"
    assert re.sub(number, "#", texts[0]) == re.sub(number, "#", texts[1])
    of_text = [np.array(re.findall(number, text), dtype=float) for text in texts]
    np.testing.assert_allclose(*of_text, rtol=0.1, atol=0.02)


def test_expectations_are_those_of_the_benchmark():
    """The README's table of what to expect is the one that the benchmark wrote, and so is the overview's."""
    table = r"(?<=\n)\| your model \|.*?(?=\n\n)"
    written, *copies = (
        re.search(table, path.read_text(), re.DOTALL)[0]
        for path in (BENCHMARKS / "expect.md", BENCHMARKS / "README.md", README)
    )
    assert copies == [written, written]


def test_every_benchmark_is_in_the_overview_which_is_short():
    """One line of a table says what was won and lost on each page, so that nobody need read them all to find losses."""
    text = (BENCHMARKS / "README.md").read_text().partition("```{toctree}")[0]
    lines = re.findall(r"^\| \[.*?\]\((\w+)\.md\) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert sorted(name for name, *_ in lines) == sorted(
        {path.stem for path in BENCHMARKS.glob("*.md")} - {"README", "rerun"}
    )
    assert all(won.strip() and lost.strip() for _, won, lost in lines)
    assert len(re.findall(r"\w+", text)) < 1800


@pytest.mark.parametrize("page", [README, *README.parent.glob("docs/**/*.md")], ids=lambda page: page.name)
def test_links_hold(page):
    """Every link to a file of the repository leads somewhere."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("folder", ["skdistill", "docs", "examples", "."])
def test_extras_are_quoted(folder):
    """No page or message shows ``pip install skdistill[extra]``, which zsh refuses, without quotes."""
    root = README.parent / folder
    paths = root.glob("*.md") if folder == "." else [path for path in root.rglob("*") if path.suffix in (".py", ".md")]
    unquoted = re.compile(r"pip install [^\s\"']*\w\[")
    assert not [path for path in paths if "_build" not in path.parts and unquoted.search(path.read_text("utf-8"))]
