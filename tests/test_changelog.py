"""The changelog of a release contains every fragment once."""

import importlib.util
import re
from pathlib import Path

import pytest

import skdistill

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("assemble", ROOT / "changelog.d" / "assemble.py")
assemble = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(assemble)
WORDS = {"b.added.md": "`B` is new,\nand so on.\n", "a.added.md": "A is new.\n", "c.fixed.md": "C was wrong.\n"}


@pytest.fixture
def repository(tmp_path):
    """A changelog with a release, and a folder of fragments."""
    folder = tmp_path / "changelog.d"
    folder.mkdir()
    for name, text in {**WORDS, "README.md": "How to write them.\n"}.items():
        (folder / name).write_text(text)
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\nUnreleased changes are elsewhere.\n\n## 0.1.0 (2026-01-01)\n\n- It began.\n")
    return {"changelog": changelog, "folder": folder}


def test_fragments_of_the_repository_are_named_well():
    """Each fragment of this repository belongs to a kind, and says something."""
    found = assemble.fragments()
    assert len(found) == len(list((ROOT / "changelog.d").glob("*.md"))) - 1
    assert all(path.read_text().strip() for _, path in found)


def test_a_release_takes_every_fragment_once(repository):
    """A release stands above earlier ones, by kind and name, and leaves no fragment behind."""
    assemble.release("0.2.0", "2026-12-01", **repository)
    assert repository["changelog"].read_text() == (
        "# Changelog\n\nUnreleased changes are elsewhere.\n\n## 0.2.0 (2026-12-01)\n\n"
        "### Added\n\n- A is new.\n- `B` is new,\n  and so on.\n\n### Fixed\n\n- C was wrong.\n\n"
        "## 0.1.0 (2026-01-01)\n\n- It began.\n"
    )
    assert [path.name for path in repository["folder"].iterdir()] == ["README.md"]


def test_nothing_is_released_twice_or_unread(repository):
    """Misnamed fragments, a version that exists and an empty folder are errors, which change nothing."""
    before = repository["changelog"].read_text()
    with pytest.raises(ValueError, match=r"CHANGELOG.md has a section of 0.1.0 already"):
        assemble.release("0.1.0", "2026-12-01", **repository)
    (repository["folder"] / "d.improved.md").write_text("D is better.")
    with pytest.raises(ValueError, match=r"d.improved.md is no name of a fragment; expected <topic>.<kind>.md"):
        assemble.release("0.2.0", "2026-12-01", **repository)
    for path in repository["folder"].iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="no fragments"):
        assemble.release("0.2.0", "2026-12-01", **repository)
    assert repository["changelog"].read_text() == before


def test_citation_names_this_version():
    """The citation file cites the version of the package, and an address only if the project has it."""
    text = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (\S+)$", text, re.MULTILINE)[1] == skdistill.__version__
    addresses = re.findall(r"^(?:url|repository-code): (\S+)$", text, re.MULTILINE)
    assert all(address.strip('"') in (ROOT / "pyproject.toml").read_text() for address in addresses)
