"""Columns that students do not read: keys, and rare categories that the teacher does not read."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

import skdistill
from skdistill import DistilledRegressor, report
from skdistill.samplers import LeafSwap
from skdistill.students import CompactLinearRegressor

RNG = np.random.RandomState(0)
N_ROWS = 400
CHECKED = 12  # rows that check whether a teacher returns the same output again
EFFECT = dict(zip(map(str, range(150)), RNG.normal(size=150), strict=True))
TABLE = pd.DataFrame(
    {
        "order": [f"ORD-{number:06d}" for number in RNG.permutation(900_000)[:N_ROWS]],
        "a": RNG.normal(size=N_ROWS),
        "zip": RNG.randint(0, 150, N_ROWS).astype(str),
        "street": RNG.randint(0, 150, N_ROWS).astype(str),
    }
)
KEY, UNREAD = "nearly every row has a value of its own", "the teacher does not read it"
IGNORED = {"order": KEY, "street": UNREAD}


def teacher(table):
    cells = table if isinstance(table, np.ndarray) else np.column_stack([np.asarray(table[name]) for name in TABLE])
    return 2 * cells[:, 1].astype(float) + np.array([EFFECT[each] for each in cells[:, 2]])


def linear(**params):
    return DistilledRegressor(teacher, "linear", sampler=LeafSwap(), n_synthetic=20.0, random_state=0, **params)


FORMS = {"pandas": lambda table: table, "polars": pl.from_pandas, "objects": lambda table: table.to_numpy(dtype=object)}


@pytest.mark.parametrize("form", FORMS)
def test_what_the_teacher_does_not_read_is_not_in_the_student(form):
    """Neither the keys nor the streets are in its pickle; it accepts tables with them, whatever is in them."""
    rows = FORMS[form](TABLE)
    model = linear().fit(rows)
    names = TABLE.columns if form != "objects" else range(4)
    assert model.ignored_features_ == {names[0]: KEY, names[3]: UNREAD}
    assert model.fidelity(rows) > 0.9
    known = model.student_._encoder.categories_
    assert [0 if each is None else len(each) for each in known][::3] == [0, 0]
    assert b"ORD-" not in pickle.dumps(model.student_)

    changed = FORMS[form](TABLE.assign(order="new", street=None))
    compiled = skdistill.compile(model)
    for predict in (model.predict, model.student_.predict, compiled):
        np.testing.assert_array_equal(predict(changed), predict(rows))
    cells = ["new", *TABLE.iloc[0, 1:3], None]
    one_row = [compiled([list(TABLE.iloc[0])]), compiled([cells]), compiled(changed[:1])]
    np.testing.assert_allclose(np.ravel(one_row), model.predict(rows)[0])


@pytest.mark.parametrize("n_rows", [25, 90])
def test_keys_of_few_rows_are_ignored(n_rows):
    """However few the rows are, no key is in the student or in its compiled form; 19 categories may be no keys."""
    few = np.resize([f"kind {number}" for number in range(19)], n_rows)
    rows = TABLE[["order", "a"]][:n_rows].assign(few=few)
    model = DistilledRegressor(lambda table: table["a"].to_numpy(), "linear", sampler=None, random_state=0).fit(rows)
    assert model.ignored_features_ == {"order": KEY}
    known = skdistill.compile(model).columns.categories
    assert [len(known[0]), len(known[2])] == [0, 19]
    assert b"ORD-" not in pickle.dumps(model.student_)


@pytest.mark.parametrize("names", [["a", "few", "order"], ["few", "order", "a"]])
def test_pipelines_may_order_columns_differently(names):
    """Numbers, and columns of few categories, stay what they are at the position of an ignored column."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    rows = TABLE[["order", "a"]].assign(few=np.resize(["x", "y"], N_ROWS))
    ordered = make_column_transformer(("passthrough", names), verbose_feature_names_out=False)
    student = make_pipeline(ordered.set_output(transform="pandas"), CompactLinearRegressor())
    read = lambda table: table["a"].to_numpy() + (table["few"] == "x").to_numpy()  # noqa: E731
    model = DistilledRegressor(read, student, sampler=None, random_state=0).fit(rows)
    assert model.ignored_features_ == {"order": KEY}
    assert model.fidelity(rows) > 0.99


def test_a_column_that_is_read_stays():
    """Rare categories with an effect are kept, and so is every column of few categories, without a query."""
    model = linear().fit(TABLE[["zip", "a", "street"]].assign(order="one", few="x")[list(TABLE)])
    assert model.ignored_features_ == {"street": UNREAD}
    assert len(model.student_._encoder.categories_[2]) > 100


@pytest.mark.parametrize("params", [{"max_queries": N_ROWS + 500}, {"n_synthetic": 0}])
def test_without_queries_only_keys_are_ignored(params):
    """A small budget is spent on rows to fit, and without synthetic rows the teacher labels no changed row."""
    model = linear().set_params(**params).fit(TABLE)
    assert model.ignored_features_ == {"order": KEY}
    assert model.transfer_set_.n_queries == params.get("max_queries", N_ROWS + CHECKED)


def test_the_queries_are_counted():
    """The permuted rows are within the budget and in the number of queries."""
    asked = []
    model = linear(max_queries=30 * N_ROWS)
    model.set_params(teacher=lambda table: (asked.append(len(table)), teacher(table))[1]).fit(TABLE)
    assert model.transfer_set_.n_queries == sum(asked) == CHECKED + N_ROWS + 20 * N_ROWS + 2 * 200


def test_an_outlier_is_read():
    """A column that changes the output of one row in a hundred only is read."""
    model = linear(max_queries=None)
    model.set_params(teacher=lambda table: teacher(table) + 1e-3 * (table["street"].astype(int) < 3).to_numpy())
    assert "street" not in model.fit(TABLE).ignored_features_


def test_the_report_names_them():
    """The notes of a report name the columns and the reasons."""
    text = " ".join(str(report(linear().fit(TABLE), TABLE[:60], timing=False)).split())
    assert f"Columns that the student does not read: order ({KEY}); street ({UNREAD})." in text


def test_a_pipeline_that_drops_columns_keeps_the_others():
    """Positions of ignored columns hold for tables with the columns of ``X`` alone."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline

    keep = make_column_transformer(("passthrough", ["zip", "a"])).set_output(transform="pandas")
    model = linear().set_params(student=make_pipeline(keep, CompactLinearRegressor())).fit(TABLE)
    assert model.fidelity(TABLE) > 0.9
