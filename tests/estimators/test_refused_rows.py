"""A teacher that refuses synthetic rows: numbers that are codes, combinations that it has not seen, or any new row."""

import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.tree import DecisionTreeRegressor

from skdistill import AutoSampler, AutoStudent, DistilledRegressor
from skdistill.exceptions import TeacherOutputError, TeacherQueryError, TeacherWarning
from skdistill.samplers import MUNGE, Jitter, LeafSwap, MarginalResampling
from skdistill.transfer import Draw, Oracle, label_real_rows

TREE = DecisionTreeRegressor(max_leaf_nodes=16, random_state=0)


def coded(n_rows=400, n_codes=5, step=37.0, seed=0):
    """Rows of a code, of a number and of a count."""
    rng = np.random.default_rng(seed)
    code = 100 + step * rng.integers(n_codes, size=n_rows) ** 2
    return np.column_stack([code, rng.normal(size=n_rows), rng.poisson(30, size=n_rows)])


def value_of(rows):
    rows = np.asarray(rows, dtype=float)
    return np.sin(rows[:, 0]) + rows[:, 1] + rows[:, 2] / 30


class Refusing:
    """A teacher that refuses a query if it refuses one of its rows, and counts what it is asked."""

    def __init__(self, refuses, error=KeyError, answers_nan=False):
        self.refuses, self.error, self.answers_nan, self.asked = refuses, error, answers_nan, 0

    def predict(self, rows):
        self.asked += len(rows)
        refused = self.refuses(np.asarray(rows))
        if self.answers_nan:
            return np.where(refused, np.nan, value_of(rows))
        if refused.any():
            raise self.error("I do not know these rows")
        return value_of(rows)


def unseen(X, columns):
    """Refuses combinations of cells of some columns that are not in ``X``."""
    known = {tuple(row) for row in np.asarray(X)[:, columns].tolist()}
    return lambda rows: np.array([tuple(row) not in known for row in rows[:, columns].tolist()])


def distilled(teacher, student=TREE, **params):
    return DistilledRegressor(teacher, student, **{"random_state": 0, **params})


FRAMES = {
    "array": lambda rows: rows,
    "objects": lambda rows: rows.astype(object),
    "pandas": lambda rows: pd.DataFrame(rows, columns=list("abc")).astype({"a": int, "c": int}),
    "polars": lambda rows: pl.DataFrame(rows, schema=list("abc")).with_columns(pl.col("a").cast(pl.Int64)),
    "pyarrow": lambda rows: pa.table(dict(zip("abc", rows.T, strict=True))),
}


class TestCodes:
    @pytest.mark.parametrize(
        ("kind", "encoder"), [*((kind, OneHotEncoder()) for kind in FRAMES), ("array", OrdinalEncoder())]
    )
    def test_few_codes_are_never_invented(self, kind, encoder):
        """A default fit with a strict encoder of few whole numbers needs no second query, and no warning."""
        X = coded()
        strict = make_pipeline(make_column_transformer((encoder, [0]), remainder="passthrough"), Ridge())
        strict.fit(X, value_of(X))
        teacher = lambda rows: strict.predict(np.asarray(rows, dtype=float))  # noqa: E731
        model = distilled(teacher, n_synthetic=1.0).fit(FRAMES[kind](X))
        assert model.transfer_set_.n_synthetic == 400

    @pytest.mark.parametrize(
        ("columns", "kind"), [([0], "array"), ([1], "array"), ([0, 1, 2], "array"), ([1], "pandas"), ([0], "polars")]
    )
    def test_codes_of_any_kind_are_learned(self, columns, kind):
        """Many whole numbers, or numbers that are not whole: refused once, restricted, and taught with a warning."""
        X = coded(n_codes=60, step=1.0)
        X[:, 1] = X[:, 1].round(1)
        known = [set(column.tolist()) for column in X.T]
        teacher = Refusing(lambda rows: np.any([~np.isin(rows[:, i], list(known[i])) for i in columns], axis=0))
        with pytest.warns(TeacherWarning, match="restricted to values seen in X.*convert it to categories") as warned:
            model = distilled(teacher, n_synthetic=2.0).fit(FRAMES[kind](X))
        assert len(warned) == 1
        assert model.transfer_set_.n_synthetic > 700  # the rows that were refused are paid for
        assert model.transfer_set_.n_queries == teacher.asked

    def test_columns_that_are_known_stay_free(self):
        """Where only whole numbers are refused, others are still drawn between those seen."""
        X, asked = coded(n_codes=60, step=1.0), []
        known = set(X[:, 0].tolist())

        def refuses(rows):
            asked.append(rows)
            return ~np.isin(rows[:, 0], list(known))

        with pytest.warns(TeacherWarning, match="Whole numbers in synthetic rows"):
            distilled(Refusing(refuses), n_synthetic=2.0).fit(X)
        assert np.isin(asked[-1][:, 0], X[:, 0]).all()
        assert not np.isin(asked[-1][:, 1], X[:, 1]).all()


class TestSomeRows:
    @pytest.mark.parametrize("answers_nan", [False, True])
    def test_rows_that_are_refused_are_left_out(self, answers_nan):
        """Combinations that the teacher does not know: it is taught with those that it knows."""
        rng = np.random.default_rng(0)
        X = np.column_stack([rng.integers(4, size=(300, 2)), rng.normal(size=300)]).astype(float)
        X[:, 1] = np.where(X[:, 0] == X[:, 1], 3 - X[:, 0], X[:, 1])
        teacher = Refusing(lambda rows: rows[:, 0] == rows[:, 1], ValueError, answers_nan)
        with pytest.warns(TeacherWarning, match="synthetic rows were left out") as warned:
            model = distilled(teacher, n_synthetic=8.0).fit(X)  # enough to measure memorisation
        assert len(warned) == 1
        assert 0 < model.transfer_set_.n_synthetic < 2400
        assert model.transfer_set_.n_queries == teacher.asked <= 300 + 1.4 * 2400

    def test_a_sampler_that_is_refused_is_passed_over(self):
        """The choice is among the others."""
        X = coded()
        low = X[:, 1:].min(axis=0)
        teacher = Refusing(lambda rows: (rows[:, 1:] <= low).all(axis=1))
        far = type("Far", (Jitter,), {"sample": lambda self, n, random_state=None: np.zeros((n, 3)) - 50})
        sampler = AutoSampler([far(), MarginalResampling()], tolerance=0.0)
        with pytest.warns(TeacherWarning, match="synthetic rows were left out"):
            model = distilled(teacher, sampler=sampler, n_synthetic=2.0).fit(X)
        assert set(model.sampler_results_["sampler"]) == {"none", "MarginalResampling()"}
        assert model.transfer_set_.sampler == "MarginalResampling()"

    @pytest.mark.parametrize(("student", "n_rows"), [(TREE, 20), (TREE, 300), (AutoStudent(["linear", "tree"]), 100)])
    def test_real_rows_are_enough(self, student, n_rows):
        """If every synthetic row is refused, the student is fitted on the real rows, with a warning."""
        X, sampler = np.random.default_rng(0).normal(size=(n_rows, 6)), AutoSampler([MarginalResampling(1.0)])
        teacher = Refusing(unseen(X, list(range(6))))
        with pytest.warns(TeacherWarning, match="The student was fitted on real rows alone") as warned:
            model = distilled(teacher, student, sampler=sampler, n_synthetic=2.0).fit(X)
        assert len(warned) == 1
        assert (model.transfer_set_.n_synthetic, model.transfer_set_.sampler) == (0, "")
        assert np.isfinite(model.predict(X)).all()


class TestBudget:
    @pytest.mark.parametrize("max_queries", [301, 320, 400, 1000])
    @pytest.mark.parametrize("columns", [[0], [0, 1, 2]])
    def test_refused_rows_count(self, max_queries, columns):
        """The teacher is never asked more than ``max_queries``, whatever it refuses."""
        X = coded(300, n_codes=60, step=1.0)
        teacher = Refusing(unseen(X, columns))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model = distilled(teacher, max_queries=max_queries).fit(X)
        assert teacher.asked == model.transfer_set_.n_queries <= max_queries


class TestGivenSampler:
    @pytest.mark.parametrize("sampler", [Jitter(), MUNGE()])
    def test_the_error_names_the_cure(self, sampler):
        """Who, what, and what to do; the error of the teacher is its cause."""
        X = coded(n_codes=60, step=1.0)
        match = r"refuses rows drawn by (Jitter|MUNGE)\(\).*categories.*MarginalResampling\(\).*sampler=\"auto\""
        with pytest.raises(TeacherQueryError, match=match) as raised:
            distilled(Refusing(unseen(X, [0])), sampler=sampler, n_synthetic=2.0).fit(X)
        assert isinstance(raised.value.__cause__, KeyError)

    @pytest.mark.parametrize("student", [TREE, AutoStudent(["linear", "tree"])])
    def test_a_sampler_of_seen_values_is_taken(self, student):
        """Rows that only measure and validate are restricted, and do not fail the fit."""
        X = coded(n_codes=60, step=1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model = distilled(Refusing(unseen(X, [0])), student, sampler=MarginalResampling(), n_synthetic=2.0).fit(X)
        assert model.transfer_set_.n_synthetic == 800


class TestFailures:
    @pytest.mark.parametrize("error", [TimeoutError, ConnectionError, MemoryError])
    def test_an_outage_is_no_refusal(self, error):
        """A service that fails is an error, not a reason to go on without synthetic rows."""
        X = coded()
        with pytest.raises(TeacherQueryError, match=f"raised {error.__name__}"):
            distilled(Refusing(unseen(X, [1]), error), n_synthetic=2.0).fit(X)

    def test_a_teacher_that_fails_on_real_rows_too_is_broken(self):
        """Its error is raised, however late it breaks."""
        X, asked = coded(), []

        def breaks(rows):
            asked.append(len(rows))
            return np.full(len(rows), len(asked) > 2)

        with pytest.raises(TeacherQueryError, match="raised RuntimeError"):
            distilled(Refusing(breaks, RuntimeError), n_synthetic=2.0).fit(X)

    def test_without_real_rows_an_error_is_an_error(self):
        """What has labelled no real row is not asked again."""
        oracle = Oracle(lambda rows, origin: Refusing(unseen(rows, [0]), ValueError).predict(rows), joblib.Memory(None))
        real = label_real_rows(coded(), oracle, sample_weight=np.ones(400), rng=np.random.RandomState(0))
        strict = Oracle(_raise, joblib.Memory(None))
        with pytest.raises(TeacherOutputError, match="no"):
            strict.draw_all([Draw(LeafSwap(), real, 50, 0)])


def _raise(rows, origin):
    raise TeacherOutputError("no")


@pytest.mark.parametrize("columns", [[0], [0, 1, 2]])
def test_restricted_fits_do_not_depend_on_chunks_or_threads(columns):
    """Same seed, same student."""
    X = coded(n_codes=60, step=1.0)
    answers = []
    for chunk_size, n_jobs in ((10_000, None), (37, 2)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model = distilled(Refusing(unseen(X, columns)), n_synthetic=2.0, chunk_size=chunk_size, n_jobs=n_jobs)
            answers.append(model.fit(X).predict(X))
    np.testing.assert_array_equal(*answers)


def test_a_linear_teacher_of_counts_is_not_restricted():
    """Counts are numbers: where no value is left out in between, they are drawn as before."""
    X = coded()
    model = distilled(LinearRegression().fit(X, value_of(X)), n_synthetic=2.0).fit(X)
    assert model.transfer_set_.n_synthetic == 800
