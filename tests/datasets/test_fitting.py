"""Distilled estimators are fitted on datasets: rows drawn at random, then rows selected by the teacher's outputs."""

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from helpers import CountingTeacher
from sklearn.cluster import DBSCAN
from sklearn.linear_model import LinearRegression, LogisticRegression

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.datasets import as_dataset
from skdistill.exceptions import DatasetError, TeacherQueryError
from skdistill.samplers import LeafSwap
from skdistill.samplers._pool import choose_from_dataset

N_ROWS = 3000


def rows(n_rows=N_ROWS, seed=0):
    rng = np.random.RandomState(seed)
    return pd.DataFrame(rng.rand(n_rows, 3), columns=["a", "b", "c"]).assign(g=rng.choice(["u", "v"], n_rows))


def wavy(X):
    """Vary where a is large, and hardly elsewhere."""
    X = pd.DataFrame(X)
    return np.where(X["a"] > 0.8, np.sin(40 * X["b"]), 0.01 * X["b"]) + 0.1 * (X["g"] == "u").to_numpy()


Counting = partial(CountingTeacher, wavy)


def _ends(n_rows, n_parts):
    places = np.linspace(0, n_rows, n_parts + 1).astype(int)
    return list(pairwise(places))


def parts(table, n_parts):
    return [table[first:last] for first, last in _ends(len(table), n_parts)]


def tree(teacher=wavy, **options):
    return DistilledRegressor(teacher, "tree", **{"sampler": None, "random_state": 0, **options})


def test_a_dataset_that_fits_gives_the_student_of_the_table():
    """All rows are read, so that the fit is that of a table in memory."""
    table = rows(300)
    whole = tree().fit(table)
    read = tree().fit(as_dataset(parts(table, 4), chunk_size=31))
    assert (whole.predict(table) == read.predict(table)).all()
    assert read.transfer_set_.n_real == 300
    assert read.transfer_set_.n_unlabeled == 0


@pytest.mark.parametrize(("n_parts", "chunk_size"), [(1, 701), (5, 5000)])
def test_the_student_does_not_depend_on_chunks(n_parts, chunk_size):
    """Nor on partitions: the same rows are drawn and selected, and queries stay within the budget."""
    table = rows()
    model = tree(max_queries=600).fit(as_dataset(parts(table, n_parts), chunk_size=chunk_size))
    again = tree(max_queries=600).fit(as_dataset([table]))
    assert (model.predict(table) == again.predict(table)).all()
    assert model.transfer_set_.n_queries == 600
    assert model.transfer_set_.n_unlabeled > 0


def test_rows_are_selected_where_the_outputs_vary():
    """Neyman's allocation, streamed: most of the selected rows are in the fifth where the teacher varies."""
    table = rows()
    first = np.sort(np.random.RandomState(1).permutation(N_ROWS)[:500])
    outputs = wavy(table.iloc[first])
    chosen = choose_from_dataset(
        table.iloc[first], outputs, as_dataset(parts(table, 3)), 300, np.random.RandomState(0), skipped=first
    )
    assert len(np.intersect1d(chosen.positions, first)) == 0
    assert (np.diff(chosen.positions) > 0).all()
    assert np.mean(chosen.table["a"] > 0.8) > 0.6
    expected = table.iloc[chosen.positions].reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen.table.reset_index(drop=True), expected)


def test_a_dataset_may_be_the_pool_of_a_table():
    """Beside a table with labels, rows are selected from the dataset; the budget holds."""
    table, counting = rows(), Counting()
    model = tree(counting, max_queries=500, n_repeats=1).fit(table[:200], X_unlabeled=as_dataset(parts(table[200:], 3)))
    assert model.transfer_set_.n_unlabeled > 250
    assert counting.n_asked == model.transfer_set_.n_queries <= 500


@pytest.mark.parametrize("max_queries", [500, 800])
def test_samplers_and_students_are_chosen_on_rows_at_random(max_queries):
    """On rows of the dataset that are taught to none, within the budget."""
    counting = Counting()
    model = DistilledRegressor(counting, "linear", max_queries=max_queries, random_state=0, sampler=LeafSwap())
    model.fit(as_dataset(parts(rows(), 3), sample_rows=1200))
    assert counting.n_asked == model.transfer_set_.n_queries <= max_queries
    auto = DistilledRegressor(Counting(), "linear", max_queries=1200, random_state=0).fit([rows()])
    assert auto.transfer_set_.n_queries <= 1200
    assert auto.sampler_results_["validated_on"][0] == "X_val"


@pytest.mark.parametrize("max_queries", [20, 200, 210])
def test_small_budgets_are_spent_on_rows_at_random(max_queries):
    """There is nothing left to select, and the dataset is not read again; with a little left, few are selected."""
    readings = []

    def read():
        readings.append(1)
        return iter([rows()])

    model = tree(max_queries=max_queries).fit(as_dataset(read))
    assert model.transfer_set_.n_queries <= max_queries
    assert model.transfer_set_.n_unlabeled <= 10
    assert len(readings) == 2 + (model.transfer_set_.n_unlabeled > 0)  # the columns, rows at random, and the others


def test_what_was_drawn_is_seen():
    """The keys of the rows that were drawn or selected are kept, so that they are no unseen rows of a promise."""
    table = rows()
    model = tree(max_queries=600).fit([table])
    assert model.seen_rows_.find(table).sum() == model.transfer_set_.n_real + model.transfer_set_.n_unlabeled


def test_labels_and_weights_are_columns():
    """True labels of all drawn rows are blended in; rows of weight zero are neither drawn at random nor selected."""
    table = rows()
    truth = (table["a"] > 0.5).astype(int)
    teacher = LogisticRegression().fit(table[["a", "b", "c"]], truth)
    weight = np.where(table["b"] < 0.5, 0.0, 1.0)
    table = table.assign(label=1 - truth, weight=weight)
    model = DistilledClassifier(teacher, "tree", sampler=None, soft_weight=0.0, random_state=0, max_queries=1000)
    model.fit([table], "label")
    assert model.score(table[["a", "b", "c"]], 1 - truth) > 0.98
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    model.set_params(soft_weight=1.0).fit([table], sample_weight="weight")
    assert not model.seen_rows_.find(table[["a", "b", "c"]][weight == 0]).any()


@pytest.mark.parametrize("n_weighted", [40, 350])
def test_rows_with_weight_are_found_among_many_without(n_weighted):
    """However few they are, the fit is that of these rows, and the student is the one that they give in memory."""
    table, weight = rows(), np.zeros(N_ROWS)
    weight[np.random.RandomState(0).permutation(N_ROWS)[:n_weighted]] = 2
    model = tree(max_queries=400).fit(as_dataset(parts(table.assign(w=weight), 3), chunk_size=701), sample_weight="w")
    assert model.transfer_set_.n_real + model.transfer_set_.n_unlabeled == n_weighted
    if n_weighted < 200:
        kept = table[weight > 0]
        again = tree(max_queries=400).fit(kept.reset_index(drop=True), sample_weight=np.full(n_weighted, 2.0))
        assert (model.predict(table) == again.predict(table)).all()
    with pytest.raises(ValueError, match="every weight is zero"):
        tree(max_queries=400).fit([table.assign(w=0.0)], sample_weight="w")


def test_a_teacher_of_arrays_is_given_arrays(tmp_path):
    """Also by a file of named columns, and the student predicts arrays and the file."""
    table = rows()[["a", "b", "c"]]
    table.to_parquet(tmp_path / "rows.parquet", index=False)
    teacher = LinearRegression().fit(table.to_numpy(), table["a"])
    model = tree(teacher, max_queries=300).fit(tmp_path / "rows.parquet")
    assert not hasattr(model, "feature_names_in_")
    [predicted] = model.predict(tmp_path / "rows.parquet")
    assert (predicted == model.predict(table.to_numpy())).all()


def test_predictions_come_chunk_by_chunk(tmp_path):
    """Of the estimator and of its compiled form, with columns that the model does not know left out."""
    table = rows()
    truth = (table["a"] > 0.5).astype(int)
    model = DistilledClassifier(LogisticRegression().fit(table[["a", "b"]], truth), "tree", sampler=None)
    model.fit(table[["a", "b"]][:200])
    table.to_parquet(tmp_path / "rows.parquet", index=False)
    dataset = as_dataset(tmp_path / "rows.parquet", chunk_size=1000)
    compiled = skdistill.compile(model)
    for predictor in (model, compiled):
        for method in ("predict", "predict_proba"):
            answers = list(getattr(predictor, method)(dataset))
            assert len(answers) == 3
            assert (np.concatenate(answers) == getattr(predictor, method)(table[["a", "b"]])).all()
    assert model.fidelity(dataset) == pytest.approx(model.fidelity(table[["a", "b"]]))
    with pytest.raises(DatasetError, match=r"chunk 1: it has no columns \['b'\]"):
        list(model.predict([table[["a", "b"]], table[["a"]]]))


def test_a_kill_loses_one_chunk(tmp_path):
    """With memory=, a fit that is started again asks only for what is missing, and gives the same student."""
    table = rows()
    options = {"max_queries": 900, "chunk_size": 50, "n_repeats": 1, "teacher_id": "wavy"}
    dataset = as_dataset(parts(table, 4))
    stopping, going_on = Counting(stops_after=500), Counting()
    with pytest.raises(TeacherQueryError, match="killed"):
        tree(stopping, memory=str(tmp_path), **options).fit(dataset)
    model = tree(going_on, memory=str(tmp_path), **options).fit(dataset)
    n_checked = 900 - model.transfer_set_.n_real - model.transfer_set_.n_unlabeled
    assert stopping.n_asked + going_on.n_asked <= 900 + 2 * n_checked + options["chunk_size"]
    assert (model.predict(table) == tree(Counting(), **options).fit(dataset).predict(table)).all()


def reader():
    return pa.Table.from_pandas(rows(100)).to_reader()


@pytest.mark.parametrize(
    ("model", "arguments", "said"),
    [
        (tree(), {"X": reader()}, "can be read only once, but a fit reads it twice"),
        (tree(), {"X": rows(100), "X_unlabeled": reader()}, "can be read only once"),
        (
            tree(LinearRegression()),
            {"X": [rows()], "y": "a"},
            "not fitted, and fitting it needs all rows",
        ),
        (tree(LinearRegression(), teacher_cv=3), {"X": [rows()], "y": "a"}, "needs all rows at once"),
        (tree(), {"X": [rows()], "groups": np.zeros(N_ROWS)}, "groups needs all rows at once"),
        (tree(), {"X": [rows()], "X_unlabeled": rows()}, "X_unlabeled beside a dataset needs all rows at once"),
        (tree(), {"X": [rows()], "y": np.zeros(N_ROWS)}, r"(?s)y=array.*name of a column of the dataset"),
        (tree(), {"X": [rows()], "y": "nothing"}, r"has no columns \['nothing'\]"),
        (tree(), {"X": [rows()], "sample_weight": np.ones(N_ROWS)}, "(?s)sample_weight=array.*name of a column"),
        (DistilledClassifier(DBSCAN().fit(np.eye(3))), {"X": [rows()]}, "only has labels of the rows"),
    ],
)
def test_what_needs_all_rows_says_so_before_it_starts(model, arguments, said):
    """And what to pass instead; the teacher is not asked."""
    with pytest.raises(DatasetError, match=said):
        model.fit(**arguments)


def test_infinite_numbers_of_a_later_partition_are_found():
    """Where they are drawn, with the column."""
    table = rows()
    table.loc[2000:, "b"] = np.inf
    with pytest.raises(ValueError, match="column 'b' of X contains infinity"):
        tree(max_queries=1000).fit(parts(table, 3))


def test_any_teacher_that_is_recognised_may_label():
    """An adapted function, too."""
    model = tree(as_teacher(wavy, task="regression"), max_queries=300).fit([rows()])
    assert model.predict(rows(5)).shape == (5,)


@pytest.mark.parametrize("measure", ["score", "certify", "conformalize"])
def test_what_needs_all_rows_in_memory_says_what_to_do(measure):
    """A path in place of a table is named by what was called, not by what it calls."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = DistilledRegressor(lambda rows: rows[:, 0], "linear", sampler=None).fit(X)
    call = model.score if measure == "score" else partial(getattr(skdistill, measure), model)
    with pytest.raises(DatasetError, match=f"{measure}: got a dataset that is read in chunks; expected a table in mem"):
        call("rows", "y")
