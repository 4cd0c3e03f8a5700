"""Random compiled models of every kind of scorer, link and column: what is not fitted is drawn in milliseconds."""

from itertools import pairwise

import numpy as np

from skdistill.compiled import Columns, CompiledModel, Decision, Design, Forest, Landmarks, Linear, Network, Sum

HOSTILE = [
    "",
    " ",
    "it's",
    'say "x"',
    "a;b",
    "*/ x /*",
    "// x",
    "-- x",
    "${x}",
    "`x`",
    "{x}",
    "%s %d %n",
    "??/ ??=",
    "\\",
    "\\n",
    "line\nbreak",
    "carriage\rreturn",
    "tab\t",
    "\u2028\u2029",
    "</script>",
    "naïve 日本 😀",
    "__proto__",
    "int",
    "a\x7fb",
    "'); DROP TABLE rows; --",
    '"""',
    "'''",
    "\x1b[0m",
    '"); raise SystemExit(3) #',
    "'); raise SystemExit(3) #",
    '"); process.exit(3); //',
    "`); process.exit(3); //",
    '"; int main(void) { return 3; } /*',
    "*/ int x = ; /*",
    "' || (SELECT nothing) || '",
    '" AS c0, nothing, "',
]
"""Texts that would be an error, or end the program, if they were read as code of one language or another."""

NUMERIC = ["1", "2", "10", "1.0", "01", "0.5", "-3", "1e-05", "True", "False", "1e+16", "inf"]
"""Categories that numbers and booleans match."""

KINDS = ("forest", "linear", "network", "landmarks", "sum")
REGRESSIONS = (
    ("identity", None),
    ("identity", (-0.5, 0.5)),
    ("identity", (0.0, np.inf)),
    ("exp", None),
    ("exp", (-1.0, 2.0)),
    ("exp", (0.0, np.inf)),
    ("logistic", None),
    ("logistic", (-2.0, 5.0)),
)


def random_model(seed, kind=None):
    """Return a compiled model, drawn with a seed; ``kind`` is one of ``KINDS``, or any of them."""
    rng = np.random.default_rng(seed)
    kind = KINDS[rng.integers(len(KINDS))] if kind is None else kind
    columns, names = random_columns(rng, only_numbers=kind == "linear")
    if rng.random() < 0.5:
        return _classifier(rng, kind, columns, names)
    link, bounds = REGRESSIONS[rng.integers(len(REGRESSIONS))]
    n_outputs = int(rng.integers(1, 4))
    scorer = random_scorer(rng, kind, columns, n_outputs)
    return CompiledModel(
        scorer, link, bounds=bounds, columns=columns, names=names, is_single=n_outputs == 1 and rng.random() < 0.8
    )


def _classifier(rng, kind, columns, names):
    link = ("binary", "softmax", "one-vs-rest", "identity")[rng.integers(4)]
    n_classes = 2 if link == "binary" else int(rng.integers(2, 5))
    is_tree = link == "identity"
    if is_tree:
        scorer = random_forest(rng, columns, n_classes, of_probabilities=True)
    else:
        scorer = random_scorer(rng, kind, columns, 1 if link == "binary" else n_classes)
    labels = [
        np.arange(n_classes) - 1,
        np.array(HOSTILE)[rng.permutation(len(HOSTILE))[:n_classes]],
        np.linspace(0.1, 2.5, n_classes),
        np.array([False, True]) if n_classes == 2 else np.arange(n_classes),
    ][rng.integers(4)]
    decision = None
    if rng.random() < 0.4:
        thresholds = rng.dirichlet(np.full(n_classes, 3.0))
        decision = Decision(tuple(thresholds.tolist()), positive=int(rng.integers(2)))
    power = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.5, 3))
    return CompiledModel(scorer, link, power=power, classes=labels, columns=columns, names=names, decision=decision)


def random_columns(rng, only_numbers=False):
    """Return an encoder of some columns of numbers, times and categories, and their names."""
    n_columns = int(rng.integers(1, 5))
    kinds = [0] * n_columns if only_numbers else rng.choice(3, n_columns, p=[0.5, 0.15, 0.35]).tolist()
    categories = [_categories(rng) if kind == 2 else None for kind in kinds]
    others = [name for name in HOSTILE if name.strip()]
    names = [*rng.choice(others, n_columns, replace=False).tolist()] if rng.random() < 0.5 else None
    return Columns(categories, np.array(kinds) == 1), names


def _categories(rng):
    pool = [HOSTILE, NUMERIC, HOSTILE + NUMERIC, ["a", "b", "c"]][rng.integers(4)]
    chosen = rng.permutation(len(pool))[: rng.integers(1, min(len(pool), 12) + 1)]
    return np.array(sorted(pool[place] for place in chosen), dtype=object)


def random_scorer(rng, kind, columns, n_outputs):
    """Return a scorer of a kind for encoded rows of these columns."""
    if kind == "forest":
        return random_forest(rng, columns, n_outputs)
    if kind == "linear":
        return Linear(rng.normal(size=(len(columns.categories), n_outputs)), rng.normal(size=n_outputs))
    if kind == "network":
        return random_network(rng, columns, n_outputs)
    if kind == "landmarks":
        return random_landmarks(rng, columns, n_outputs)
    kinds = ["forest", "network", "landmarks", "forest"]
    return Sum([random_scorer(rng, kinds[rng.integers(4)], columns, n_outputs) for _ in range(rng.integers(2, 4))])


def scale_of(columns):
    """Return a typical distance of each column: microseconds are large."""
    return np.where(columns.is_time, 1e15, 1.0)


def random_forest(rng, columns, n_outputs, of_probabilities=False):
    """Return a forest with trees of several sizes, float32 or float64 thresholds, and subsets of categories."""
    n_features, n_trees = len(columns.categories), 1 if of_probabilities else int(rng.integers(0, 5))
    is_category = np.array([known is not None for known in columns.categories])
    n_codes = max([len(known) for known in columns.categories if known is not None], default=0)
    subsets = rng.random((6 if n_codes else 0, n_codes)) < 0.5
    tree_splits = rng.integers(0, 9, n_trees)
    n_left = np.concatenate([np.zeros(0, dtype=int), *(_shape(rng, int(size)) for size in tree_splits)])
    feature = rng.integers(0, n_features, len(n_left))
    threshold = rng.normal(size=len(feature)).round(int(rng.integers(0, 9))) * scale_of(columns)[feature]
    of_category = is_category[feature]
    threshold[of_category] = rng.integers(0, 6, of_category.sum())
    width = n_outputs if of_probabilities or rng.random() < 0.4 else 1
    value = rng.normal(size=(int(tree_splits.sum()) + n_trees, width))
    if of_probabilities:
        value = rng.dirichlet(np.full(width, 0.7), len(value))
    last_output = np.zeros(n_trees, dtype=int) if width > 1 else np.sort(rng.integers(0, n_outputs, n_trees))
    return Forest(
        n_features=n_features,
        feature=feature,
        threshold=threshold.astype(np.float32 if rng.random() < 0.5 else np.float64),
        missing_left=(rng.random(len(feature)) < 0.5) & ~of_category,
        n_left=n_left,
        tree_splits=tree_splits,
        tree_output=last_output,
        value=value.astype(np.float64 if of_probabilities else [np.float16, np.float32, np.float64][rng.integers(3)]),
        base=np.zeros(n_outputs) if of_probabilities else rng.normal(size=n_outputs),
        subsets=subsets,
        is_category=is_category,
        unit=None if of_probabilities else rng.uniform(0.5, 2, n_outputs),
    )


def _shape(rng, n_splits):
    """Return the number of splits in the left subtree of each split of a random tree, in preorder."""
    if n_splits == 0:
        return np.zeros(0, dtype=int)
    n_left = int(rng.integers(0, n_splits))
    return np.concatenate([[n_left], _shape(rng, n_left), _shape(rng, n_splits - 1 - n_left)])


def random_design(rng, columns):
    """Return a design with bounded or unbounded numbers, several inputs of some of them, and categories."""
    n_codes = np.array([0 if known is None else len(known) for known in columns.categories])
    numeric = np.flatnonzero(n_codes == 0)
    numbers = (
        np.sort(np.concatenate([numeric, rng.choice(numeric, 2)])) if len(numeric) and rng.random() < 0.5 else numeric
    )
    scale = scale_of(columns)[numbers] * rng.uniform(0.3, 3, len(numbers))
    low, high = -rng.uniform(0, 3, len(numbers)), rng.uniform(0, 3, len(numbers))
    if rng.random() < 0.2:
        low, high = np.full(len(numbers), -np.inf), np.full(len(numbers), np.inf)
    return Design(
        numbers=numbers,
        center=rng.normal(size=len(numbers)) * scale,
        scale=scale,
        low=low.astype(np.float32),
        high=high.astype(np.float32),
        n_codes=n_codes,
        has_missing=(n_codes == 0) & (rng.random(len(n_codes)) < 0.5),
    )


def random_network(rng, columns, n_outputs):
    """Return a network with none to two hidden layers, and products of inputs at times."""
    design = random_design(rng, columns)
    pairs = rng.integers(0, design.width, (3, 2)) if rng.random() < 0.4 else None
    sizes = [design.width + (0 if pairs is None else 3), *rng.integers(1, 6, rng.integers(0, 3)).tolist(), n_outputs]
    weights = [rng.normal(size=shape).astype(np.float16) for shape in pairwise(sizes)]
    biases = [rng.normal(size=size).astype(np.float16) for size in sizes[1:-1]]
    return Network(design, weights, biases, rng.normal(size=n_outputs), rng.uniform(0.5, 2, n_outputs), pairs)


def random_landmarks(rng, columns, n_outputs):
    """Return kernels at a few landmarks, with a linear part at times."""
    design, n_landmarks = random_design(rng, columns), int(rng.integers(0, 5))
    return Landmarks(
        design,
        positions=rng.normal(size=(n_landmarks, design.width)).astype(np.float16),
        scales=rng.uniform(0, 2, design.width),
        coef=rng.normal(size=(n_landmarks, n_outputs)),
        linear=rng.normal(size=(design.width, n_outputs)) if rng.random() < 0.5 else None,
        base=rng.normal(size=n_outputs),
        unit=rng.uniform(0.5, 2, n_outputs),
    )
