"""The scripts that look at the built site see what a reader would."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def loaded(name):
    """Return a script of the documentation as a module."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / "docs" / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


walk_site, address = loaded("walk_site.py"), loaded("_extensions/address.py")


@pytest.fixture
def site(tmp_path):
    """A site of four pages, in a row, with a link on the last one that leads outside."""
    bodies = {
        "index": '<a href="nav.html">fast</a><article><h1>Home</h1><p>Be <a href="a/one.html#sec">fast and small</a>.'
        '</p><p><a href="three.html">slow</a></p></article>',
        "a/one": '<article><section id="top"><p>Deep words.<br></p><section id="sec"><p>Be <b>very</b>\n fast.</p>'
        '<a href="../two.html">Next</a></section></section></article>',
        "two": '<article><p>Two clicks.</p><a href="three.html">Next</a></article>',
        "three": '<article><p>Three clicks.</p><a href="https://example.org/x.html">Out</a></article>',
        "nav": "<article><p>Only the header leads here.</p></article>",
    }
    (tmp_path / "a").mkdir()
    for name, body in bodies.items():
        (tmp_path / f"{name}.html").write_text(f"<html><body>{body}</body></html>")
    return walk_site.Site(tmp_path)


@pytest.mark.parametrize(
    ("promise", "answer", "path"),
    [
        ("fast", "Be very fast.", ["fast and small"]),
        ("FAST", "Two clicks.", ["fast and small", "Next"]),
        ("fast", "Three clicks.", None),  # three clicks away
        ("slow", "Three clicks.", ["slow"]),
        ("fast", "Deep words.", None),  # on the page, but not in the section that the link leads to
        ("fast", "Only the header leads here.", None),
        ("cheap", "Two clicks.", None),
        ("fast", "Home", None),  # the home page is no answer
    ],
)
def test_a_walk_takes_two_clicks_at_most(site, promise, answer, path):
    """A task is answered by the section that a promising link of the home page's text leads to, or one link further."""
    assert site.walk(promise, answer) == path


def test_the_home_page_promises_each_task():
    """The words by which the tasks are looked for are links of the home page, as it is written."""
    links = " ".join(re.findall(r"\[(.*?)\]\(", (ROOT / "docs" / "index.md").read_text(), re.DOTALL)).lower()
    words = " ".join(links.split())
    assert [promise for promise, _ in walk_site.TASKS.values() if promise.lower() not in words] == []


def test_examples_hide_what_only_tests_need():
    """What makes an example small or writes its figure is in a part of the script that the gallery does not show."""
    for path in (ROOT / "examples").glob("plot_*.py"):
        shown = re.sub(
            r"# sphinx_gallery_start_ignore.*?# sphinx_gallery_end_ignore\n", "", path.read_text(), flags=re.S
        )
        assert not re.search(r"SKDISTILL_EXAMPLES|SMALL|sys\.argv", shown), path.name


def test_every_example_has_a_place_in_the_gallery():
    """The page of examples shows each example once."""
    listed = re.findall(r"examples/(plot_\w+\.py)", (ROOT / "docs" / "examples.rst").read_text())
    assert sorted(listed) == sorted(path.name for path in (ROOT / "examples").glob("plot_*.py"))


def test_code_is_told_from_output():
    """The width of code is that of what is read, not of its markup, and output may be wider."""
    block = '<div class="highlight-{} notranslate"><div class="highlight"><pre><span></span>{}\n</pre></div></div>'
    example = block.format("default", "&gt;&gt;&gt; (\n... 1)\n1").replace('"highlight-', '"doctest highlight-', 1)
    page = block.format("python", '<span class="n">a</span> <span>&lt;</span> b\nc') + block.format("text", "x" * 99)
    assert walk_site.code_lines(page + example) == ["a < b", "c", ">>> (", "... 1)"]


@pytest.mark.parametrize("name", ["compile", "DistilledClassifier.fidelity"])
def test_source_links_lead_to_the_lines_of_a_name(name):
    """A link to the source names the file and the first and last line of the definition."""
    link = address.lines_of("https://example.org/repo", {"module": "skdistill", "fullname": name})
    path, first, last = re.fullmatch(r"https://example.org/repo/blob/main/(.*)#L(\d+)-L(\d+)", link).groups()
    lines = (ROOT / path).read_text().splitlines()[int(first) - 1 : int(last)]
    assert any(line.strip().startswith(f"def {name.rpartition('.')[2]}(") for line in lines[:3])
    assert lines[-1].startswith(" ")


def test_names_without_lines_have_no_source_link():
    """Methods of other packages and attributes of fitted estimators have no link."""
    for name in ("DistilledClassifier.get_metadata_routing", "DistilledClassifier.student_"):
        assert address.lines_of("https://example.org/repo", {"module": "skdistill", "fullname": name}) is None


def test_addresses_are_those_of_the_project():
    """The address of the source is written in one place: pyproject.toml."""
    urls = re.search(r"^\[project.urls\]\n((?:\w.*\n)*)", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    source, site = address.addresses()
    assert [source is not None, site is not None] == [
        f"{name} =" in (urls[1] if urls else "") for name in ("Source", "Documentation")
    ]
