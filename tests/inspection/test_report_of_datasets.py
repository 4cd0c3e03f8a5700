"""A report on all rows of a dataset says what the report on the table says, from sums."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skdistill import DistilledClassifier, DistilledRegressor, report
from skdistill.datasets import as_dataset
from skdistill.exceptions import DatasetError

N_ROWS = 600


def table():
    rng = np.random.RandomState(0)
    rows = pd.DataFrame(rng.rand(N_ROWS, 3), columns=["a", "b", "c"])
    rows["g"] = rng.choice(["u", "v"], N_ROWS)
    rows.loc[::7, "c"] = np.nan
    return rows


ROWS = table()
VALUE = (ROWS["a"] + ROWS["b"] ** 2 + 0.1 * (ROWS["g"] == "u")).to_numpy()
WEIGHT = np.random.RandomState(1).randint(0, 3, N_ROWS).astype(float)
NUMBERS = FunctionTransformer(lambda X: X[["a", "b"]])


def distilled(task):
    """A distilled estimator and the true labels or values."""
    if task == "values":
        teacher = make_pipeline(NUMBERS, LinearRegression()).fit(ROWS, VALUE)
        return DistilledRegressor(teacher, "tree", sampler=None, random_state=0).fit(ROWS[:200]), VALUE
    if task == "outputs":
        teacher = make_pipeline(NUMBERS, LinearRegression()).fit(ROWS, np.column_stack([VALUE, ROWS["a"]]))
        return DistilledRegressor(teacher, "tree", sampler=None, random_state=0).fit(ROWS[:200]), None
    y = np.array(["no", "yes", "high"])[(VALUE > 0.8).astype(int) + (VALUE > 1.2) * (task == "3 classes")]
    teacher = make_pipeline(NUMBERS, LogisticRegression()).fit(ROWS, y)
    return DistilledClassifier(teacher, "tree", sampler=None, random_state=0).fit(ROWS[:200]), y


def assert_same(found, expected):
    """The same columns, to rounding errors."""
    assert list(found) == list(expected)
    for name, values in expected.items():
        if values.dtype.kind in "OUS":
            assert found[name].tolist() == values.tolist(), name
        else:
            np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-12, err_msg=name)


def by_partition(dataset, of_chunks, others, teacher):
    """Read a dataset as a cluster does: with sums of their own for each partition, and for one without rows."""
    start = 0
    for partition in dataset.source.partitions():
        chunks = list(dataset.chunks_of(partition, others=others, start=start))
        start += sum(map(len, chunks))
        yield of_chunks(iter(chunks))
        yield of_chunks(iter([]))


@pytest.mark.parametrize("joins", [False, True])
@pytest.mark.parametrize(
    ("task", "is_weighted"), [("2 classes", False), ("3 classes", True), ("values", True), ("outputs", False)]
)
@pytest.mark.thinned(2)
def test_all_rows_are_measured_as_in_memory(task, is_weighted, joins, monkeypatch):
    """Every table but those of a sample, the decision, and what it says; with weights and true labels if there are."""
    if joins:
        monkeypatch.setattr("skdistill.inspection._dataset_rows.results_of", by_partition)
    model, y = distilled(task)
    frame, weight = ROWS.assign(weight=WEIGHT), WEIGHT if is_weighted else None
    frame = frame if y is None else frame.assign(label=y)
    dataset = as_dataset([frame[:310], frame[310:320], frame[320:]], chunk_size=128)
    options = {"timing": False, "max_rows": None}
    named = {"y": None if y is None else "label", "sample_weight": "weight" if is_weighted else None}
    found = report(model, dataset, **named, **options)
    expected = report(model, ROWS, y, sample_weight=weight, **options)
    assert (found.verdict, found.decision) == (expected.verdict, expected.decision)
    for part in ("models", "by_output", "calibration", "worst_rows"):
        assert_same(getattr(found, part), getattr(expected, part))
    texts = [text.replace("1 other", "others") for text in expected.by_slice["slice"]]
    assert_same(found.by_slice, expected.by_slice | {"slice": np.array(texts, dtype=object)})
    assert found.divergences == pytest.approx(expected.divergences)
    assert found.subject == expected.subject
    n_rows = np.count_nonzero(WEIGHT) if is_weighted else N_ROWS
    assert f"all {n_rows} rows" in found.notes[0]
    assert f"those of {n_rows} rows, drawn at random" in str(found)


def test_slices_of_a_sample_hold_all_rows(monkeypatch):
    """Values and ranges that the sample has not are in the others, and in the ranges at the ends."""
    monkeypatch.setattr("skdistill.inspection._dataset_rows.SAMPLE_ROWS", 60)
    model, _ = distilled("values")
    rows = ROWS.assign(g=np.where(np.arange(N_ROWS) == 5, "rare", ROWS["g"]))
    rows.loc[11, "g"] = None
    found = report(model, as_dataset([rows[:500], rows[500:]]), timing=False, max_rows=None)
    for column in rows:
        counts = found.by_slice["n_rows"][found.by_slice["column"] == column]
        assert counts.sum() == N_ROWS
    named = zip(found.by_slice["column"], found.by_slice["slice"], strict=True)
    of = dict(zip(named, found.by_slice["n_rows"], strict=True))
    assert (of["g", "others"], of["g", "missing"]) == (1, 1)


def test_a_sample_is_reported_with_its_rows():
    """With max_rows, and from a source that can be read once; the worst rows have their positions in the dataset."""
    model, _ = distilled("values")
    chunks = (ROWS[start : start + 60] for start in range(0, N_ROWS, 60))
    found = report(model, as_dataset(chunks), timing=False, max_rows=50)
    assert found.notes[0].startswith("Measured on 50 of the 600 rows of the generator, drawn at random.")
    distance = np.abs(model.predict(ROWS) - model.teacher_.predict(ROWS))
    rows = found.worst_rows["row"]
    assert (np.diff(distance[rows]) <= 1e-12).all()
    assert found.models["fidelity"].shape == (2,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"X_train": ROWS, "y_train": VALUE}, "got X_train with a dataset"),
        ({"y": VALUE}, "(?s)y=array.*name of a column of the dataset"),
        ({"sample_weight": WEIGHT}, "sample_weight=array"),
        ({"X": as_dataset(iter([ROWS])), "max_rows": None}, "read only once, but a report on all rows reads it twice"),
    ],
)
def test_what_cannot_be_reported_is_told(options, said):
    """Before the teacher is asked, or with the partition."""
    model, _ = distilled("values")
    with pytest.raises(DatasetError, match=said):
        report(model, **{"X": [ROWS], "timing": False, **options})


def test_a_partition_that_cannot_be_measured_is_named(monkeypatch):
    """Although the rows of the sample can be."""
    monkeypatch.setattr("skdistill.inspection._dataset_rows.SAMPLE_ROWS", 20)
    model, _ = distilled("values")
    rows = ROWS.assign(label=np.where(np.arange(N_ROWS) == 350, np.nan, VALUE))
    with pytest.raises(DatasetError, match=r"report: the list of tables, partition chunk 1: .*expected finite numbers"):
        report(model, [rows[:300], rows[300:]], "label", timing=False, max_rows=None)


def test_margins_are_not_summed():
    """Their scale depends on the rows, and the message says what to do."""
    y = VALUE > 0.8
    student = LogisticRegression().fit(ROWS[["a", "b"]], y)
    teacher = LinearSVC().fit(ROWS[["a", "b"]], y)
    with pytest.raises(DatasetError, match=r"the teacher returns margins.*Pass max_rows"):
        report(student, [ROWS[["a", "b"]]], teacher=teacher, timing=False, max_rows=None)
