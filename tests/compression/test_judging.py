"""What a chain loses on unseen rows is within its bound, and what judges a result has not chosen it."""

from dataclasses import replace

import numpy as np
import pytest

from skdistill import compress
from skdistill.compiled import CompiledModel, Linear
from skdistill.compression import Prune, Quantize, _compressing
from skdistill.compression._judging import CONFIDENCE, Judge
from skdistill.metrics import fidelity

N_POPULATION, N_DRAWS, N_ROWS = 20_000, 80, 250


def population(kind):
    """Return rows, their weights, a model, a scorer that differs from it, and outputs to follow."""
    rng = np.random.default_rng(0)
    X = rng.standard_t(5, (N_POPULATION, 3))
    coefficients = rng.normal(size=(3, 3))
    scorer = Linear(coefficients, np.zeros(3))
    classes = None if kind == "values" else np.arange(3)
    model = CompiledModel(scorer, "identity" if kind == "values" else kind, classes=classes)
    changed = replace(scorer, value=coefficients + 0.05 * rng.normal(size=coefficients.shape))
    noise = 0.1 * rng.normal(size=(N_POPULATION, 3)) if kind == "values" else 0.0
    return X, rng.uniform(0.5, 1.5, N_POPULATION), model, changed, model(X) + noise


@pytest.mark.parametrize("kind", ["values", "softmax"])
def test_the_bound_is_an_interval(kind):
    """In about 95 of 100 draws of rows, the fidelity of all rows is above the bound; and it is not far below."""
    X, weight, model, changed, reference = population(kind)
    true = fidelity(reference, model.scored_by(changed)(X), sample_weight=weight)
    before = fidelity(reference, model(X), sample_weight=weight)
    rng, covered, slack = np.random.default_rng(1), [], []
    for _ in range(N_DRAWS):
        drawn = rng.integers(N_POPULATION, size=N_ROWS)
        judge = Judge(model, X[drawn], reference[drawn], weight[drawn])
        measured, at_start = judge.measure(changed), judge.measure(model.scorer)
        assert at_start.lower == at_start.fidelity
        assert measured.lower < measured.fidelity
        covered.append(at_start.fidelity - measured.lower >= before - true)
        slack.append(measured.fidelity - measured.lower)
    assert np.mean(covered) >= CONFIDENCE - 0.08
    assert np.mean(slack) < before - true


def task(n_rows=400):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 5))
    return X, CompiledModel(Linear(rng.normal(size=(5, 2)), np.zeros(2)))


@pytest.mark.parametrize("tolerance", [0.0, 1e-3, 0.05])
def test_the_bound_is_within_the_tolerance(tolerance):
    """What was measured is below the bound, and the bound is within the tolerance."""
    X, model = task()
    found = compress(model, [Prune(), Quantize()], X=X, tolerance=tolerance)
    assert found.loss <= found.loss_bound <= tolerance + 1e-12
    assert f"at most {found.loss_bound:.5f} with a confidence of 95%" in found.explain()


def test_fewer_rows_lose_less():
    """The fewer rows judge, the less is known about others, and the less may be lost on them."""
    X, model = task(4000)
    steps = [Quantize()]
    of_few, of_many = (compress(model, steps, X=rows, tolerance=0.01, order="given").loss for rows in (X[:30], X))
    assert of_few <= of_many


def test_rows_that_judge_have_not_chosen_the_order(monkeypatch):
    """With many rows, orders are compared on a part of those that values are solved on."""
    X, model = task(600)
    monkeypatch.setattr(_compressing, "N_SEARCHED", 90)
    made = []

    class Spied(_compressing.Chain):
        def __init__(self, compiled, steps, rows, judge, tolerance):
            super().__init__(compiled, steps, rows, judge, tolerance)
            made.append((rows.cells, judge.cells))

    monkeypatch.setattr(_compressing, "Chain", Spied)
    compress(model, [Prune(), Quantize()], X=X)
    seen = [[{tuple(row) for row in cells} for cells in pair] for pair in made]
    (fitted, judged), (part, judges) = seen
    assert (len(part), len(judges)) == (60, 30)
    assert part | judges <= fitted
    assert not part & judges
    assert not judged & fitted


def test_the_order_of_a_part_is_applied_to_all_rows(monkeypatch):
    """The result of the order that the part finds is that of the same steps given in this order."""
    X, model = task(600)
    monkeypatch.setattr(_compressing, "N_SEARCHED", 90)
    found = compress(model, [Prune(), Quantize()], X=X, tolerance=0.05)
    assert found.n_fitted + found.n_judged == 600
    assert [record.step for record in found.records[2:]] in (["Prune()", "Quantize()"], ["Quantize()", "Prune()"])
