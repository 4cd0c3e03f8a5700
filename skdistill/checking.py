"""An independent check of certificates: all bounds are computed again from arrays, with numpy alone.

Nothing of the code that makes certificates is used, neither scipy nor scikit-learn are imported, and the file can be
read, or copied, by whoever has to trust a certificate.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["check_certificate"]

EXACT = 1e-8
"""Largest difference of bounds that are computed exactly."""

STEP = 0.003
"""Distance between the means that betting tries, in half standard errors of zeros and ones."""

MOST_EXACT = 20_000
"""With as many values or more, bets do not replicate the exact test of zeros and ones."""

LEAST = -700.0
"""Logarithm of a capital that is taken for lost."""

OF_CASCADES = ("fixed sequence of exact tests", "Dvoretzky-Kiefer-Wolfowitz-Massart")
"""Methods of the bounds of cascades, which depend on all thresholds that were tried."""

AT_ONCE = 256
"""Number of means that are tried together."""


def check_certificate(
    certificate: Any,
    student: Any,
    X: Any,
    teacher_outputs: Any,
    *,
    y: Any = None,
    classes: Any = None,
    teacher_labels: Any = None,
    student_labels: Any = None,
    pos_label: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    max_weight: float | None = None,
    slices: Mapping[str, Any] | None = None,
) -> list[str]:
    """Check a certificate: its hash, the rows it is about, and each bound, computed again with numpy alone.

    Parameters
    ----------
    certificate : Certificate, str or dict
        The certificate, or its JSON as text or parsed.
    student : object or array-like
        The student: a compiled model, any model with ``predict_proba`` or ``predict``, or its outputs on these rows.
    X : array, frame or dict of columns, of shape (n_samples, n_features)
        The rows of the certificate, in their order.
    teacher_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Probabilities or values of the teacher on these rows.
    y : array-like or None, default=None
        True labels or values, if the certificate has statements about them.
    classes : array-like of shape (n_classes,) or None, default=None
        Labels of the columns of probabilities. ``None`` is ``classes_`` of the student, if it has them.
    teacher_labels, student_labels : array-like of shape (n_samples,) or None, default=None
        Labels that the models predict, if these are not those of the largest probabilities.
    pos_label : object or None, default=None
        Label that counts as selected. ``None`` is the second of two classes.
    groups : array-like of shape (n_samples,) or None, default=None
        Groups of rows that the certificate was made with.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weights that it was made with.
    max_weight : float or None, default=None
        The stated bound of the weights.
    slices : dict of array-like of bool, or None, default=None
        For each text in ``rows`` of a statement by slice, which rows these are.

    Returns
    -------
    problems : list of str
        What is wrong or could not be checked; empty if everything is right.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> import skdistill
    >>> from skdistill.checking import check_certificate
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> forest = RandomForestClassifier(50, random_state=0).fit(X[:250], y[:250])
    >>> model = skdistill.DistilledClassifier(
    ...     forest, "boosting", sampler=None, random_state=0
    ... ).fit(X[:250])
    >>> certificate = skdistill.certify(model, X[250:])
    >>> check_certificate(
    ...     certificate.to_json(),
    ...     skdistill.compile(model),
    ...     X[250:],
    ...     forest.predict_proba(X[250:]),
    ... )
    []
    """
    content, problems = _read(certificate)
    classes = getattr(student, "classes_", None) if classes is None else classes
    evidence = _Evidence(
        _outputs_of(student, X), np.asarray(teacher_outputs, dtype=float), y, classes, teacher_labels, student_labels,
        pos_label,
    )  # fmt: skip
    units = _Units(len(evidence.teacher), groups, sample_weight, max_weight)
    problems += _check_data(content, X, y, units)
    for said in content["statements"]:
        problems += _check_statement(said, content["statements"], evidence, units, dict(slices or {}))
    return problems + _check_verdict(content)


# ---------------------------------------------------------------------- what is stated


def _read(certificate: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the content, and whether its hash is another one."""
    text = certificate.to_json() if hasattr(certificate, "to_json") else certificate
    content = dict(json.loads(text) if isinstance(text, str) else text)
    said = content.pop("hash", None)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    if hashlib.sha256(canonical.encode("ascii")).hexdigest() == said:
        return content, []
    return content, ["The hash is not that of the content: the certificate was changed."]


def _check_data(content: dict[str, Any], X: Any, y: Any, units: "_Units") -> list[str]:
    """Return whether rows and true values are others than those of the certificate."""
    problems = []
    if data_digest(X) != content["digests"]["rows"]:
        problems.append("The rows are not those of the certificate: their digest is another one.")
    if "y" in content["digests"] and (y is None or data_digest(np.asarray(y)) != content["digests"]["y"]):
        problems.append("The true labels or values are not those of the certificate.")
    if units.count(np.arange(units.n_rows)) != content["n_units"]:
        problems.append(f"There are {units.count(np.arange(units.n_rows))} units, not {content['n_units']}.")
    return problems


def _check_verdict(content: dict[str, Any]) -> list[str]:
    promise, first = content["promise"], content["statements"][0]
    if promise is None:
        return []
    met, refuted = first["bound"] >= promise, first["details"].get("other_bound", math.inf) < promise
    expected = "met" if met else "refuted" if refuted else "open"
    return [] if content["verdict"] == expected else [f"The promise is {expected}, not {content['verdict']}."]


def _check_statement(
    said: dict[str, Any],
    others: list[dict[str, Any]],
    evidence: "_Evidence",
    units: "_Units",
    slices: dict[str, Any],
) -> list[str]:
    """Return what is wrong with a statement."""
    name = f"{said['quantity']} ({said['rows']})"
    if said["method"] in OF_CASCADES:
        return [f"{name} was not checked: it depends on all thresholds that were tried. Certify it on other rows."]
    if said["method"] == "derived":
        return _check_gap(said, others, name)
    rows = evidence.rows(said["rows"], slices)
    if rows is None:
        return [f"{name} was not checked: pass its rows as slices[{said['rows']!r}]."]
    try:
        values = evidence.values(said)
    except LookupError as error:
        return [f"{name} was not checked: {error}."]
    found = _order_statistic(values, said) if said["method"] == "order statistic" else _mean(values, rows, said, units)
    tolerance = EXACT if said["method"] != "betting" else 4 * STEP / math.sqrt(said["n"]) * _scale(said)
    return [
        f"{name}: {end} is {said[end]:.8g}, computed again {value:.8g}."
        for end, value in found.items()
        if said[end] is None or not abs(value - said[end]) <= tolerance * max(1.0, abs(value))
    ]


def _check_gap(said: dict[str, Any], others: list[dict[str, Any]], name: str) -> list[str]:
    """Check how much farther apart slices can be, which follows from other statements."""
    what = said["quantity"].removeprefix("growth of the gap in ").removesuffix("s")
    changes = [each for each in others if each["quantity"] == f"change of the {what}"]
    bound = max(0.0, max(each["high"] for each in changes) - min(each["low"] for each in changes))
    return [] if abs(bound - said["bound"]) <= EXACT else [f"{name}: bound is {said['bound']}, computed again {bound}."]


def _scale(said: dict[str, Any]) -> float:
    """Return the length of the range of a quantity."""
    low, high = said["details"]["range"]
    return abs(said["details"]["factor"]) * (high - low)


# ---------------------------------------------------------------------- what is measured


class _Evidence:
    """The outputs of both models, and the variables of rows that statements are about."""

    def __init__(
        self,
        student: np.ndarray,
        teacher: np.ndarray,
        y: Any,
        classes: Any,
        teacher_labels: Any,
        student_labels: Any,
        pos_label: Any,
    ) -> None:
        self.student, self.teacher = student.reshape(teacher.shape), teacher
        self.y, self.classes = (None if each is None else np.asarray(each) for each in (y, classes))
        if self.classes is not None:
            given = ((teacher_labels, teacher), (student_labels, self.student))
            self.labels = [
                self.classes[outputs.argmax(axis=1)] if labels is None else np.asarray(labels)
                for labels, outputs in given
            ]
            self.pos_label = self.classes[-1] if pos_label is None else pos_label

    def rows(self, text: str, slices: dict[str, Any]) -> np.ndarray | None:
        """Return the rows that a statement is about."""
        if text == "all":
            return np.arange(len(self.teacher))
        if text in slices:
            return np.flatnonzero(np.asarray(slices[text], dtype=bool))
        if self.classes is None or not text.startswith("teacher: "):
            return None
        texts = np.array([str(label) for label in self.labels[0].tolist()])
        return np.flatnonzero(texts == text.removeprefix("teacher: "))

    def values(self, said: dict[str, Any]) -> np.ndarray:
        """Return the variable whose mean, or quantile, a statement is about."""
        quantity, details = said["quantity"], said["details"]
        if quantity.startswith("deviation of"):
            return self._deviation()
        if quantity.startswith("share within"):
            return (self._deviation() <= details["tolerance"]).astype(float)
        if self.classes is None:
            return self._of_values(quantity, details)
        return self._of_labels(quantity) if "of the" in quantity else self._of_classes(quantity)

    def _deviation(self) -> np.ndarray:
        difference = np.abs(self.teacher - self.student).reshape(len(self.teacher), -1)
        return difference.max(axis=1) if self.classes is None else difference.sum(axis=1) / 2

    def _of_values(self, quantity: str, details: dict[str, Any]) -> np.ndarray:
        """Return clipped squared errors over fixed variances."""
        unit = 1.0 if details["variances"] is None else np.array(details["variances"])

        def lost(outputs: np.ndarray, target: np.ndarray) -> np.ndarray:
            clipped = np.minimum(np.abs(outputs - target), details["max_error"]).reshape(len(outputs), -1)
            return np.asarray((clipped**2 / unit).mean(axis=1))

        if quantity == "clipped squared error lost":
            truth = self._truth()
            return lost(self.student, truth) - lost(self.teacher, truth)
        return lost(self.student, self.teacher)

    def _of_classes(self, quantity: str) -> np.ndarray:
        if quantity == "agreement":
            return (self.labels[0] == self.labels[1]).astype(float)
        if quantity in ("fidelity over a fixed variance", "mean squared distance"):
            return ((self.teacher - self.student) ** 2).sum(axis=1) / 2
        truth = self._truth()
        if quantity == "accuracy lost":
            return (self.labels[0] == truth).astype(float) - (self.labels[1] == truth)
        if quantity == "Brier score lost":
            is_true = truth[:, None] == self.classes
            teacher, student = (((each - is_true) ** 2).sum(axis=1) / 2 for each in (self.teacher, self.student))
            return np.asarray(student - teacher)
        raise LookupError(f"the quantity {quantity!r} is not known")

    def _of_labels(self, quantity: str) -> np.ndarray:
        """Return selections, errors, or their changes."""
        target = self.pos_label if "selection rate" in quantity else self._truth()
        teacher, student = ((labels == target).astype(float) for labels in self.labels)
        if "error rate" in quantity:
            teacher, student = 1 - teacher, 1 - student
        if quantity.startswith("change"):
            return np.asarray(student - teacher)
        return np.asarray(teacher if quantity.endswith("of the teacher") else student)

    def _truth(self) -> np.ndarray:
        if self.y is None:
            raise LookupError("it needs y")
        return self.y


class _Units:
    """What is independent: rows, or groups; and weights."""

    def __init__(self, n_rows: int, groups: Any, sample_weight: Any, max_weight: float | None) -> None:
        self.n_rows, self.max_weight = n_rows, max_weight
        self.groups = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].reshape(-1)
        self.weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)

    def count(self, rows: np.ndarray) -> int:
        """Return the number of units among rows."""
        return len(rows) if self.groups is None else len(set(self.groups[rows].tolist()))

    def of(self, values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values of units in the order that bets use, and their weights in [0, 1]."""
        x = values[rows].astype(float)
        weight = np.ones(len(x)) if self.weight is None else self.weight[rows] / (self.max_weight or np.nan)
        if self.groups is not None:
            codes = np.unique(self.groups[rows], return_inverse=True)[1].reshape(-1)
            x = np.bincount(codes, x) / np.bincount(codes)
            weight = np.ones(len(x))
        order = np.random.RandomState(0).permutation(len(x))
        return x[order], weight[order]


def _outputs_of(student: Any, X: Any) -> np.ndarray:
    """Return the outputs of a model, or the outputs that were given."""
    for name in ("predict_proba", "predict", "__call__"):
        if hasattr(student, name) and not isinstance(student, type):
            return np.asarray(getattr(student, name)(X), dtype=float)
    return np.asarray(student, dtype=float)


def data_digest(X: Any) -> str:
    """Return a digest of the cells of a table: numbers in double precision, others as texts, missing ones empty."""
    if isinstance(X, Mapping):
        columns = [np.asarray(column) for column in X.values()]
    elif hasattr(X, "columns"):
        columns = [np.asarray(X[name]) for name in X.columns]
    else:
        columns = list(np.asarray(X).T) if np.ndim(X) == 2 else [np.asarray(X)]
    shape = (len(columns[0]), len(columns)) if isinstance(X, Mapping) else np.shape(X)
    digest = hashlib.sha256(repr(tuple(shape)).encode())
    for column in columns:
        if column.dtype.kind in "fiub":
            digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
        else:
            texts = ["" if cell is None or cell != cell else str(cell) for cell in column.tolist()]
            digest.update("\x1f".join(texts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


# ---------------------------------------------------------------------- bounds


def _mean(values: np.ndarray, rows: np.ndarray, said: dict[str, Any], units: _Units) -> dict[str, float]:
    """Return the bounds of a mean, computed again."""
    low, high = said["details"]["range"]
    x, weight = units.of(values, rows)
    x = np.clip((x - low) / (high - low), 0.0, 1.0)
    alpha = 1 - said["confidence"]
    factor, shift = said["details"]["factor"], said["details"]["shift"]
    is_low = (said["direction"] == "at least") == (factor > 0)
    if said["method"] == "Clopper-Pearson":
        n_events, lower = round(float(x.sum())), _share_above
        ends = [lower(n_events, len(x), alpha / 2), 1 - lower(len(x) - n_events, len(x), alpha / 2)]
        bound = lower(n_events, len(x), alpha) if is_low else 1 - lower(len(x) - n_events, len(x), alpha)
    else:
        ends = [_betting(x, weight, alpha / 2), 1 - _betting(1 - x, weight, alpha / 2)]
        bound = _betting(x, weight, alpha) if is_low else 1 - _betting(1 - x, weight, alpha)
    bound, first, last = (shift + factor * (low + (high - low) * end) for end in (bound, *ends))
    return {"bound": bound, "low": min(first, last), "high": max(first, last)}


def _order_statistic(values: np.ndarray, said: dict[str, Any]) -> dict[str, float]:
    """Return the deviation that as few rows exceed as prove the quantile."""
    n, share, alpha = len(values), said["details"]["share"], 1 - said["confidence"]
    cumulated = np.logaddexp.accumulate(_log_binomial(n, 1 - share))
    n_above = int(np.flatnonzero(cumulated <= math.log(alpha)).max(initial=-1))
    return {"bound": float(np.sort(values)[n - 1 - n_above])} if n_above >= 0 else {"bound": math.inf}


def _log_binomial(n: int, share: float) -> np.ndarray:
    """Return the logarithms of the probabilities of 0 to n events."""
    k, factorials = np.arange(n + 1), np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    log_share, log_rest = math.log(share), math.log1p(-share)
    return factorials[n] - factorials[k] - factorials[n - k] + k * log_share + (n - k) * log_rest


def _share_above(n_events: int, n: int, alpha: float) -> float:
    """Return the share for which at least ``n_events`` of n rows have the probability ``alpha``, by bisection."""
    if n_events == 0:
        return 0.0
    return _bisected(lambda share: np.logaddexp.reduce(_log_binomial(n, share)[n_events:]) <= math.log(alpha))


def _bisected(holds: Callable[[float], bool]) -> float:
    """Return the largest number in (0, 1) up to which a condition holds."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _betting(x: np.ndarray, weight: np.ndarray, alpha: float) -> float:
    """Return the lower bound for a mean by bets against each smaller mean."""
    spread = _spread(x, weight)
    plain = np.sqrt(2 * math.log(50 / alpha) / len(x)) / spread

    def is_refuted_plainly(mean: float) -> bool:
        gains = np.minimum(plain, 0.9 / max(mean, 1e-300)) * weight * (x - mean)
        return float(np.log1p(gains).sum()) >= math.log(50 / alpha)

    bound, step = _bisected(is_refuted_plainly), STEP / math.sqrt(len(x))
    first, goal = int(math.asin(math.sqrt(bound)) / step) + 1, math.log(1 / (0.98 * alpha))
    last = int(math.pi / 2 / step)
    for number in range(first, last + 1, AT_ONCE):
        means = np.sin(step * np.arange(number, min(number + AT_ONCE, last + 1))) ** 2
        is_kept = _best_capital(x, weight, spread, means, goal) < goal
        n_refuted = int(is_kept.argmax()) if is_kept.any() else len(means)
        bound = float(means[n_refuted - 1]) if n_refuted else bound
        if is_kept.any():
            break
    return bound


def _spread(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the standard deviation of gains that is known before each value."""

    def before(values: np.ndarray) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(values)[:-1]])

    total = before(weight)
    mean = np.where(total > 0, before(weight * x) / np.where(total > 0, total, 1.0), 0.5)
    squares = before((weight * x) ** 2) - 2 * mean * before(weight**2 * x) + mean**2 * before(weight**2)
    return np.sqrt((0.25 + np.maximum(squares, 0.0)) / np.arange(1, len(x) + 1))


def _best_capital(x: np.ndarray, weight: np.ndarray, spread: np.ndarray, means: np.ndarray, goal: float) -> np.ndarray:
    """Return the largest logarithm of the capital of bets that the mean is larger, for each of several means."""
    n, is_other = len(x), ((x != 0) & (x != 1)) | (weight != 1)
    first = 0 if n >= MOST_EXACT else int(is_other.argmax()) if is_other.any() else n
    capital = np.array([_capital_of_ones(x[:first], n, mean, 0.0 - goal) for mean in means.tolist()])
    best = capital.copy()
    for start, end in _blocks(first, n):
        gains = weight[start:end] * (x[start:end] - means[:, None])
        target = _normal_quantile(np.clip(capital, LEAST, goal) - goal - math.log(1.03)) * math.sqrt(n - start)
        left = np.sqrt(n - np.arange(start, end))
        so_far = np.cumsum(gains, axis=1) - gains
        score = np.clip((target[:, None] + so_far / spread[start:end]) / left, -30.0, 30.0)
        bets = np.minimum(_mills(score) / (spread[start:end] * left), 0.9 / means[:, None])
        path = capital[:, None] + np.cumsum(np.log1p(bets * gains), axis=1)
        best, capital = np.maximum(best, path.max(axis=1)), path[:, -1]
    return best


def _capital_of_ones(ones: np.ndarray, n: int, mean: float, log_alpha: float) -> float:
    """Return the logarithm of the capital after leading zeros and ones: that of the exact test of n of them."""
    if not len(ones):
        return 0.0
    tails = _log_tails(n, mean)
    needed = int((tails > log_alpha).sum())  # fewer ones are too few
    if needed > n:
        return 0.0
    left, n_left = needed - int(ones.sum()), n - len(ones)
    after = 0.0 if left < 1 else -math.inf if left > n_left else float(_log_tails(n_left, mean)[left])
    return after - float(tails[needed])


def _log_tails(n: int, mean: float) -> np.ndarray:
    """Return the logarithms of the probabilities of at least 0 to n ones."""
    return np.logaddexp.accumulate(_log_binomial(n, mean)[::-1])[::-1] if n else np.zeros(1)


def _blocks(first: int, n: int) -> Iterator[tuple[int, int]]:
    """Yield the blocks at whose starts bets look at the capital, shorter towards the end."""
    ends = sorted({first + math.ceil((n - first) * (1 - (1 - k / 32) ** 2)) for k in range(33)})
    yield from pairwise(ends)


_CHEBYSHEV = (
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
)  # fmt: skip


def _log_tail(z: np.ndarray) -> np.ndarray:
    """Return log(erfc(z)) + z² for z of at least 0, to about seven digits."""
    t = 1 / (1 + z / 2)
    return np.log(t) + np.polynomial.polynomial.polyval(t, _CHEBYSHEV)


def _log_normal(u: np.ndarray) -> np.ndarray:
    """Return the logarithm of the normal distribution function."""
    z = np.abs(u) / math.sqrt(2)
    tail = _log_tail(z) - z**2 - math.log(2)
    return np.where(u < 0, tail, np.log1p(-np.exp(tail)))


def _mills(u: np.ndarray) -> np.ndarray:
    """Return the density of the normal distribution over its distribution function."""
    return np.exp(-(u**2) / 2 - _log_normal(u)) / math.sqrt(2 * math.pi)


def _normal_quantile(log_share: np.ndarray) -> np.ndarray:
    """Return the normal quantiles of shares given by their logarithms: Newton's steps from the left."""
    quantile = -np.sqrt(-2 * log_share)
    for _ in range(10):
        quantile = quantile + (log_share - _log_normal(quantile)) / _mills(quantile)
    return quantile
