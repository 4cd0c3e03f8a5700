"""The landing page of the API lists every public class and function with one line, by module."""

import re

INDEX = "api/index"


def list_names(app, docname, content):
    """Append a section per module of the page, in its order, with a table of the module's public names."""
    if docname == INDEX:
        modules = re.findall(r"^   (skdistill[\w.]*)$", content[0], re.MULTILINE)
        content[0] += "".join(section(name, app.config.autosummary_context["public"][name]) for name in modules)


def section(module, names):
    """Return the section of a module: its title, and a table with one line per name."""
    title = f"{module}\n{'-' * len(module)}"
    table = "\n".join(["   :nosignatures:", "", *(f"   {name}" for name in names)])
    return f"\n\n{title}\n\n.. currentmodule:: {module}\n\n.. autosummary::\n{table}\n"


def setup(app):
    """Connect to Sphinx."""
    app.connect("source-read", list_names)
    return {"parallel_read_safe": True}
