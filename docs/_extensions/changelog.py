"""The page of changes: the sections of releases, below the fragments that are not released yet."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def fill(app, docname, content):
    """Append the changes to the page, as `changelog.d/assemble.py` would print them."""
    if docname == "changelog":
        spec = importlib.util.spec_from_file_location("assemble", ROOT / "changelog.d" / "assemble.py")
        assemble = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(assemble)
        released = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")
        found = assemble.fragments()
        content[0] += "\n" + (assemble.section("Unreleased", found) if found else "") + "".join(released[1:])


def setup(app):
    """Connect to Sphinx."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
