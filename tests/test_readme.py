"""The README says what is true."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.utils.fixes import parse_version

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_example_prints_what_the_readme_shows():
    """The README's example runs as it stands, and prints what is shown below it (numbers within rounding)."""
    text = README.read_text()
    code, shown = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    number = r"\d+(?:\.\d+)?"
    assert re.sub(number, "#", printed.getvalue()) == re.sub(number, "#", shown)
    of_text = [np.array(re.findall(number, part), dtype=float) for part in (printed.getvalue(), shown)]
    if parse_version(sklearn.__version__) < parse_version("1.7"):  # another student is chosen without the teacher
        of_text = [np.delete(numbers, 2) for numbers in of_text]
    np.testing.assert_allclose(*of_text, rtol=0.1, atol=0.02)


@pytest.mark.parametrize("page", [README, *README.parent.glob("docs/**/*.md")], ids=lambda page: page.name)
def test_links_hold(page):
    """Every link to a file of the repository leads somewhere."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
