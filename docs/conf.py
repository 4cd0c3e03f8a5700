"""The site: `python -m sphinx -W --keep-going docs docs/_build/html`.

The build runs the examples; with `SKDISTILL_EXAMPLES=small` in the environment, each takes seconds.
"""

import inspect
import os
import re
import sys
from importlib import import_module
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads do not spin: timings are reliable

from docutils import nodes
from latex2mathml.converter import convert
from sphinx import addnodes
from sphinx.ext.autosummary import autosummary_table
from sphinx.ext.intersphinx import InventoryAdapter

import skdistill

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_extensions"))

project = "skdistill"
author = "The skdistill developers"
copyright = "The skdistill developers, BSD-3-Clause"
release = version = skdistill.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "api_index",
    "address",
    "changelog",
]
exclude_patterns = ["_build", "auto_examples/**.ipynb", "auto_examples/**.py", "auto_examples/**.zip"]
exclude_patterns += ["auto_examples/index.rst"]  # examples.rst orders them by task
templates_path = ["_templates"]
smartquotes = False  # default="auto" is code
toc_object_entries_show_parents = "hide"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(sklearn|numpy|pandas|matplotlib|joblib|scipy|lightgbm)\..*")]
"""Names of other libraries that no inventory has."""

SITES = {
    "sklearn": "https://scikit-learn.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "joblib": "https://joblib.readthedocs.io/en/stable/",
}
intersphinx_mapping = {name: (site, f"inventories/{name}.inv") for name, site in SITES.items()}
"""The inventories are part of the repository (`docs/inventories/make.py`): the site is built offline."""

# -- pages -------------------------------------------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "skdistill"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["copy.js"]
html_additional_pages = {"404": "404.html"}
html_show_sourcelink = False
html_sidebars = {
    page: [] for page in ("index", "quick_start", "comparison", "glossary", "changelog")
}  # they have no subpages
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_start": ["navbar-logo", "version"],
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc", "edit"],
    "show_nav_level": 1,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    html_theme_options["announcement"] = (
        "This site was built with small examples, which run on few rows: their output can differ from the text."
    )

# -- examples ----------------------------------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": "../examples",  # with a README.md, the project in examples/service would be a gallery of its own
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "within_subsection_order": "ExampleTitleSortKey",
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skdistill",),
    "write_computation_times": False,
    "download_all_examples": False,
    "show_signature": False,
    "thumbnail_size": (560, 340),
    "remove_config_comments": True,
    "ignore_repr_types": r"matplotlib|Display",  # they draw themselves
}

# -- API ---------------------------------------------------------------------------------------------------------------

autodoc_typehints = "none"  # the docstrings contain the types
autodoc_member_order = "bysource"
autosummary_generate = True
numpydoc_show_class_members = False


def public_names():
    """Return the public names of every public module."""
    modules = {name for name in skdistill.__all__ if inspect.ismodule(getattr(skdistill, name))} | {
        "distributed",
        "inspection",
    }
    errors = [name for name, thing in vars(skdistill.exceptions).items() if inspect.isclass(thing)]
    names = {
        "exceptions": errors,
        "teachers": ["Teacher", "TeacherEnsemble", "as_teacher"],
        "transfer": ["TransferSet", "TransferSummary"],
    }
    for module in modules - names.keys():
        of_module = import_module(f"skdistill.{module}").__all__
        names[module] = [name for name in of_module if name not in skdistill.__all__]  # else they have a page already
    top = {"skdistill": [name for name in skdistill.__all__ if name not in names]}
    return top | {f"skdistill.{module}": names[module] for module in sorted(names)}


PUBLIC = public_names()
autosummary_context = {"public": PUBLIC}


def skip_inherited(app, what, name, obj, skip, options):
    """Leave out what is inherited from other libraries (`get_params`, `dict.items`), except for `score`."""
    own = (getattr(obj, "__module__", None) or "").startswith("skdistill") or name == "score"
    return True if what == "class" and inspect.isroutine(obj) and not own else None


def check_api(app, env):
    """Fail if a public name has no page because the API index does not list its module."""
    pages = {f"api/generated/{module}.{name}" for module, names in PUBLIC.items() for name in names}
    missing = sorted(pages - env.found_docs)
    if missing:
        raise SystemExit(f"docs/api/index.rst has no page for {', '.join(map(os.path.basename, missing))}.")


# -- links that also work on a code host -------------------------------------------------------------------------------


def link_examples(app, docname, content):
    """Turn links to `examples/plot_x.py` into links to its page of the gallery, and that to the project likewise."""
    up = "../" * docname.count("/")
    content[0] = content[0].replace(f"]({up}../examples/service/README.markdown)", f"]({up}service_example.md)")
    content[0] = re.sub(
        rf"\]\({re.escape(up)}\.\./examples/(plot_\w+)\.py\)", rf"]({up}auto_examples/\1.rst)", content[0]
    )


def targets_of_code():
    """Return the API page of each form of a name in code quotes: `full.names`, `Names`, `some_names`, `calls(`."""
    targets = {}
    for module, names in PUBLIC.items():
        for name in names:
            targets[f"{module}.{name}"] = f"{module}.{name}"
            short = name if name[0].isupper() or "_" in name else f"{name}("
            targets.setdefault(short, f"{module}.{name}")
    return targets


def targets_elsewhere(app):
    """Return the full names of classes of other packages by their short ones, from the inventories: `GridSearchCV`."""
    classes = InventoryAdapter(app.env).main_inventory.get("py:class", {})
    return {name.rpartition(".")[2]: name for name in classes}


def link_code(app, doctree):
    """Link `AutoSampler(...)` or `skdistill.compile` in prose to the API, and `examples/plot_x.py` to the gallery."""
    docname, targets = app.env.docname, targets_elsewhere(app) | targets_of_code()
    if docname.startswith(("api/", "auto_examples/", "comparison")):  # other packages have a `DistilledRegressor` too
        return
    for literal in list(doctree.findall(nodes.literal)):
        ancestors = (nodes.title, nodes.reference, addnodes.pending_xref, addnodes.download_reference)
        parent = literal.parent
        while parent is not None and not isinstance(parent, ancestors):
            parent = parent.parent
        text = literal.astext()
        example = re.fullmatch(r"examples/(plot_\w+)\.py", text)
        name, call, _ = text.partition("(")
        target = targets.get(name) or targets.get(name + call)
        if parent is not None or not (example or target):
            continue
        xref = addnodes.pending_xref(
            "",
            refdoc=docname,
            refdomain="std" if example else "py",
            reftype="doc" if example else "obj",
            reftarget=f"/auto_examples/{example[1]}" if example else target,
            refexplicit=True,
            refwarn=True,
        )
        literal.replace_self(xref)
        xref += literal


# -- formulas and references -------------------------------------------------------------------------------------------


def visit_math(translator, node):
    """Write a formula as MathML, which browsers render without scripts or network access."""
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    formula = convert(node.astext().strip(), display=display)
    translator.body.append(f'<div class="formula">{formula}</div>' if display == "block" else formula)
    raise nodes.SkipNode


def keep_initials(app, what, name, obj, options, lines):
    """Keep `.. [1] C. Bucila` from being read as an enumerated list."""
    lines[:] = [re.sub(r"^(\s*\.\. \[\S+\] )(?=[A-Z]\. )", r"\1\\", line) for line in lines]


def drop_citations(app, doctree):
    """Remove `[1]` from the tables of the API, because the reference is on another page."""
    for table in doctree.findall(autosummary_table):
        for xref in [xref for xref in table.findall(addnodes.pending_xref) if xref["refdomain"] == "citation"]:
            before = xref.previous_sibling()
            before.parent.replace(before, nodes.Text(before.astext().rstrip()))
            xref.parent.remove(xref)


def setup(app):
    """Connect the functions above to the events of Sphinx."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.connect("autodoc-process-docstring", keep_initials, priority=900)  # after numpydoc
    app.connect("autodoc-skip-member", skip_inherited)
    app.connect("env-updated", lambda app, env: check_api(app, env))
    app.connect("source-read", link_examples)
    app.connect("doctree-read", link_code)
    app.connect("doctree-read", drop_citations)
