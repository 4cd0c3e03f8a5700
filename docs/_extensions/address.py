"""Links that need the address of the project: to the source, to edit a page, and those of the page for errors.

The addresses are written once, in `pyproject.toml`: `Source` and `Documentation` under `[project.urls]`. Without them,
the site has no such links.
"""

import inspect
import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


def addresses():
    """Return the addresses of the source and of the site, without trailing slashes; None where there is none yet."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("urls", {})
    return [urls[name].rstrip("/") if name in urls else None for name in ("Source", "Documentation")]


def lines_of(source, info):
    """Return the address of the lines that define a name, or None if no line does."""
    thing = import_module(info["module"])
    try:
        for part in info["fullname"].split("."):
            thing = getattr(thing, part)
        thing = inspect.unwrap(thing)
        lines, first = inspect.getsourcelines(thing)
        path = Path(inspect.getsourcefile(thing)).resolve().relative_to(ROOT)
    except (AttributeError, TypeError, OSError, ValueError):  # of a fitted estimator only, or of another package
        return None
    return f"{source}/blob/main/{path.as_posix()}#L{first}-L{first + len(lines) - 1}"


def add_links(app, config):
    """Set what the theme, the templates and `sphinx.ext.linkcode` read."""
    source, site = addresses()
    config.html_context |= {"source_address": source, "site_address": site}
    if source:
        icon = {"name": "Source", "url": source, "icon": "fa-solid fa-code-branch"}
        config.html_theme_options["icon_links"] = [icon]
        config.linkcode_resolve = lambda domain, info: lines_of(source, info) if domain == "py" else None
        app.setup_extension("sphinx.ext.linkcode")


def setup(app):
    """Connect to Sphinx."""
    app.connect("config-inited", add_links, priority=100)
    return {"parallel_read_safe": True}
