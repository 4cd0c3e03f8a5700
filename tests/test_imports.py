"""Who may import whom: rooms import only from rooms below them, in no circle, and each private import has a reason."""

import ast
import pkgutil
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skdistill

PACKAGE = Path(skdistill.__file__).parent
RANKS = {
    "exceptions": 0,
    "_described": 0,
    "_freed_memory": 0,
    "_no_tables": 0,
    "_bars": 0,
    "_notebook": 0,
    "_ordering": 0,
    "_setting": 0,
    "_suggesting": 0,
    "_tables": 0,
    "_coding": 0,
    "_declared_columns": 0,
    "_encoding": 0,
    "_precision": 0,
    "_spelling": 0,
    "_progress": 0,
    "_representation": 0,
    "_restoring": 0,
    "_tabulate": 0,
    "_threads": 0,
    "_processes": 0,
    "_types": 0,
    "_validation": 0,
    "datasets": 1,
    "targets": 1,
    "_losses": 2,
    "compiled": 2,
    "convert": 3,
    "samplers": 4,
    "_refusals": 6,
    "_fitting": 4,
    "metrics": 4,
    "teachers": 5,
    "solvers": 4,
    "compression": 5,
    "students": 6,
    "transfer": 7,
    "selection": 8,
    "estimators": 9,
    "certificates": 11,
    "cascades": 12,
    "distributed": 12,
    "checking": 0,
    "compilation": 10,
    "compressing": 11,
    "conformal": 11,
    "export": 11,
    "inspection": 10,
    "monitoring": 12,
    "scoring": 12,
}
"""A room or module of a higher rank imports from those of lower ranks."""

PRIVATE_IMPORTS = {
    ("cascades", "certificates._digests"): "the promise of a cascade says which student and rows it is about",
    ("cascades", "compiled._certainty"): "rows are deferred by the score that the compiled form computes",
    ("cascades", "datasets._for_models"): "a dataset is read with the columns that a cascade knows",
    ("cascades", "datasets._recognition"): "datasets are refused with the same words",
    ("cascades", "estimators._fit_arguments"): "further rows are checked as those of a distilled estimator are",
    ("cascades", "estimators._teacher_rule"): "both models are kept fitted as the teacher of a distilled estimator is",
    ("cascades", "metrics._answering"): "scores are compared by the share of rows that candidates of students are",
    ("cascades", "metrics._binomial"): "promises that cannot be proved are refused with the same words",
    ("cascades", "metrics._checks"): "tolerances are checked with the words of the metrics",
    ("cascades", "metrics._confidence"): "confidences are checked with the words of the metrics",
    ("_refusals", "samplers._seen_values"): "rows that a teacher refuses are restricted to values that it knows",
    ("_refusals", "teachers._transient"): "a teacher that does not answer has refused no rows",
    ("_losses", "targets._temperature"): "a step of a training does not check its scores, which are those of a scorer",
    ("certificates", "datasets._recognition"): "datasets are refused with the same words",
    ("conformal", "datasets._recognition"): "datasets are refused with the same words",
    ("estimators", "datasets._recognition"): "datasets are refused with the same words",
    ("certificates", "inspection._answers"): "teacher and student are queried as for a report",
    ("certificates", "inspection._slices"): "slices are those of a report",
    ("certificates", "metrics._binomial"): "promises that cannot be proved are refused with the same words",
    ("certificates", "metrics._checks"): "weights are checked with the words of the metrics",
    ("certificates", "metrics._confidence"): "confidences are checked with the words of the metrics",
    ("certificates", "metrics._unwrapping"): "a certificate and a report look at the same part of a model",
    ("compilation", "students._completion"): "a student that answers through a wrapper is compiled through it",
    ("compilation", "students._calibrated"): "a student with isotonic functions is compiled with them",
    ("compilation", "students._deciding"): "a student with the decision of its teacher is compiled with it",
    ("compilation", "compression._compressing"): "a dtype of one byte is a chain of one step",
    ("estimators", "samplers._pool"): "a sample of a large table has the strata of a sample of a pool",
    ("transfer", "samplers._pool"): "some rows of a pool are drawn at random before others are selected",
    ("estimators", "samplers._stratified"): "a large table is sampled before there is a transfer set",
    ("inspection", "metrics._quantiles"): "errors of the skill of quantiles need the losses of rows",
    ("compiled", "datasets._for_models"): "a dataset is read with the columns that a model knows",
    ("estimators", "datasets._for_models"): "a dataset is read with the columns that a model knows",
    ("estimators", "datasets._chunked_table"): "errors of rows that are labelled and summed name their partition",
    ("estimators", "datasets._drawing"): "a fit draws rows of a dataset by keys of their positions",
    ("estimators", "samplers._selecting"): "rows of a dataset are labelled while others are still selected",
    ("samplers", "datasets._arriving"): "rows of a dataset are labelled while others are still selected",
    ("estimators", "datasets._remaining"): "rows of a dataset that are summed are known by their positions alone",
    ("samplers", "datasets._drawing"): "rows of a dataset are selected by keys of their positions",
    ("scoring", "datasets._for_models"): "a dataset is read with the columns that a model knows",
    ("scoring", "datasets._frames"): "columns that are kept keep their types, and the others are what the model takes",
    ("distributed", "datasets._chunked_table"): "a dataset of Dask is scanned on its workers as it is here",
    ("distributed", "datasets._drawing"): "rows of a dataset of Dask are drawn where its partitions are",
    ("distributed", "datasets._for_models"): "a dataset is read with the columns that a model knows",
    ("distributed", "datasets._other_sources"): "a worker reads one partition of a dataset of Dask",
    ("distributed", "datasets._schema"): "the schemas of partitions are joined here",
    ("distributed", "teachers._asking"): "blocks of rows are labelled on a worker with the errors that they have here",
    ("distributed", "teachers._by_row"): "a model that is known to be one of rows may be called by several threads",
    ("distributed", "teachers._elsewhere"): "blocks of rows are labelled on a cluster",
    ("conformal", "compiled._intervals"): "margins are computed as intervals are from them",
    ("compressing", "compression._compressing"): "reading any model is above the room that compresses compiled ones",
    ("compression", "compiled._design"): "rows whose numbers a design clips do not tell the inputs of another model",
    ("compression", "compiled._kernel"): "coefficients are solved for with the function that predicts",
    ("compression", "compiled._links"): "errors of scores count as much as the link passes on",
    ("compression", "compiled._network"): "products of inputs are made by the function that predicts",
    ("compression", "compiled._nodes"): "the remaining nodes become flat arrays, and trees of each output one forest",
    ("compression", "compiled._forest_packing"): "missing cells go where a pickle need not say it",
    ("compression", "metrics._checks"): "outputs and weights are checked with the words of the metrics",
    ("convert", "compiled._computed"): "operations of transformers are named as the scorer names them",
    ("convert", "compiled._links"): "which link a fitted model has is found out by comparing what links return",
    ("convert", "compiled._nodes"): "nodes with pointers, as libraries store trees, become flat arrays",
    ("selection", "compiled._certainty"): "a student is taught with the distance that the score of a cascade reads",
    ("selection", "metrics._answering"): "students for a cascade are compared by the share of rows that they answer",
    ("selection", "samplers._jitter"): "rows close to others measure what a teacher has memorised",
    ("estimators", "samplers._lending"): "the sampler of an estimator may read its teacher",
    ("selection", "samplers._lending"): "so may the samplers that are selected from",
    ("estimators", "students._constraints"): "constraints are checked before the teacher is queried",
    ("estimators", "students._calibrated"): "a fitted student is calibrated after everything else",
    ("estimators", "targets._temperature"): "a temperature is tried on probabilities that were computed",
    ("estimators", "students._completion"): "a student is refitted inside what undoes its temperature",
    ("estimators", "students._deciding"): "a fitted student is given the decision of its teacher",
    ("students", "compression._kept_splits"): "an earlier student is taken apart into the trees of each output",
    ("students", "compression._kernel_reading"): "what a kernel machine consists of is read where models are read",
    ("students", "compression._model_inside"): "columns are compared as for other models that are inherited from",
    ("students", "compression._network_reading"): "the layers of a network are read where models are read",
    ("students", "compression._unit_pruning"): "a student asks for a number of units, not for a budget",
    ("estimators", "students._families"): "the registry behind register_family",
    ("estimators", "students._refitting"): "only a fit knows which rows a student may be refitted to",
    ("estimators", "teachers._seen_rows"): "rows that are summed chunk by chunk count as seen",
    ("estimators", "students._hints"): "samplers are compared without hints, which take a pass of the teacher each",
    ("estimators", "students._student"): "the base class tells the students of this package from others",
    ("selection", "students._families"): "the registry behind register_family",
    ("selection", "students._inheritable"): "whether the trees of a teacher can be read decides whether they are tried",
    ("selection", "students._inner_representation"): "a fit counts the rows that hints are read from",
    ("selection", "students._lending"): "a student may read the teacher while it is taught, and does not keep it",
    ("selection", "students._student"): "the base class tells the students of this package from others",
    ("export", "compiled._columns"): "rows of any table are taken apart as predict does",
    ("export", "compiled._forest"): "children and leaves of splits are found as scorers find them",
    ("export", "compiled._row_input"): "columns are put in the order of fit as predict does",
    ("export", "compiled._tree_code"): "thresholds become the doubles that the code for one row compares with",
    ("export", "compiled._computed"): "each column that a pipeline computes is written from its own record",
    ("inspection", "datasets._drawing"): "ranges and rules are those of rows that are drawn by their positions",
    ("inspection", "datasets._for_models"): "a dataset is read with the columns that a model knows",
    ("inspection", "metrics._sums"): "skills of several models have a common covariance",
    ("inspection", "metrics._checks"): "displays and metrics check the same arguments with the same words",
    ("inspection", "metrics._footprint"): "a model that cannot be pickled has no size in a report",
    ("inspection", "metrics._unwrapping"): "a report and a metric look at the same part of a model",
    ("monitoring", "compiled._columns"): "column names of a frame are read as predict does",
    ("monitoring", "metrics._unwrapping"): "a monitor watches the part of a model that is shipped",
    ("scoring", "certificates._digests"): "a part is that of the same student by what a certificate compares",
    ("solvers", "compiled._design"): "inputs are made in the chunks that predict uses",
    ("solvers", "compiled._kernel"): "a kernel is fitted with the function that predicts",
    ("solvers", "compiled._network"): "products of inputs are made by the function that predicts",
    ("solvers", "compiled._nodes"): "grown trees become flat arrays as those of other libraries do",
    ("students", "compiled._design"): "rows are encoded in the chunks that predict uses",
    ("students", "compiled._links"): "predict applies the link that the compiled form applies",
    ("students", "compiled._nodes"): "forests of several outputs become one",
    ("students", "targets._temperature"): "one row is predicted without checks of what the student has computed",
    ("students", "targets._schedules"): "a schedule may be named, and names are checked where the parameter is",
}
"""Private modules that another room imports, and why: what they hold is no use to users."""


def modules():
    """Return the path of each module by its name within the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def tree_of(name):
    """Return the syntax tree of a module."""
    return ast.parse(MODULES[name].read_text())


@cache
def imported_by(name):
    """Return the modules of the package that a module imports, at its top, in functions, or for its types only."""
    path, found = MODULES[name], set()
    home = path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(tree_of(name)):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        base = [*home[: len(home) - (node.level - 1)], *(node.module.split(".") if node.module else [])]
        for alias in node.names:
            full = ".".join([*base, alias.name])
            found.add(full if full in MODULES else ".".join(base))
    return found


def room_of(name):
    return name.split(".")[0]


ROOMS = {
    room: [name for name in MODULES if room_of(name) == room] for room in sorted(set(map(room_of, MODULES))) if room
}
"""The modules of each room: all but the package itself, which re-exports."""


def imports():
    """Return what each module imports."""
    return {name: imported_by(name) for names in ROOMS.values() for name in names}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_only_down(room):
    """A module imports from rooms of lower ranks, or from its own room."""
    for name in ROOMS[room]:
        for target in imported_by(name):
            other = room_of(target)
            is_inside = other == room or (RANKS[room] == 0 and RANKS[other] == 0)
            assert is_inside or RANKS[other] < RANKS[room], (name, target)


def test_there_is_no_circle():
    """Nor within a room, nor among the helpers, nor for types only."""
    TopologicalSorter(imports()).prepare()  # raises CycleError


def test_private_modules_are_imported_by_their_own_room():
    """Each import of a private module of another room is listed with its reason, and no other is."""
    crossing = {
        (room_of(name), target)
        for name, targets in imports().items()
        for target in targets
        if room_of(target) != room_of(name) and "._" in target
    }
    assert crossing == set(PRIVATE_IMPORTS)
    assert all(PRIVATE_IMPORTS.values())


def test_every_room_has_a_rank():
    """A new room is given its place."""
    rooms = {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}
    assert rooms == set(RANKS)


def test_no_room_holds_a_fifth_of_the_lines():
    """A room that grows beyond that is two rooms."""
    lines = {}
    for name, path in MODULES.items():
        if name:
            lines[room_of(name)] = lines.get(room_of(name), 0) + len(path.read_text().splitlines())
    assert max(lines.values()) <= 0.2 * sum(lines.values())


LONGEST_BODY = 25
"""Statements of a function, those of inner blocks among them and those of inner functions not."""


def n_statements(body):
    total = 0
    for statement in body:
        total += 1
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for name in ("body", "orelse", "finalbody"):
            total += n_statements(getattr(statement, name, []))
        total += sum(n_statements(handler.body) for handler in getattr(statement, "handlers", []))
    return total


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_is_long(room):
    """What a function does fits a glance."""
    for name in ROOMS[room]:
        for node in ast.walk(tree_of(name)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                assert n_statements(body) <= LONGEST_BODY, (name, node.name)
