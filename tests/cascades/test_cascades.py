"""Cascades: the promise holds, the teacher is asked only where it must be, and both models stay as they are."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill import CascadeClassifier, CascadeRegressor, DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.cascades import _learning
from skdistill.cascades._learning import answered_share
from skdistill.cascades._thresholds import as_strict, grid_of, least_share, path_of
from skdistill.checking import check_certificate
from skdistill.compiled._cascade import _StudentAndDeferral
from skdistill.compiled._certainty import Certainty, margin
from skdistill.compiled._certainty_code import _margin
from skdistill.datasets import as_dataset
from skdistill.exceptions import DatasetError, TeacherWarning
from skdistill.inspection import CascadeDisplay
from skdistill.metrics import binomial_p_value, rows_needed
from skdistill.students import CompactBoostingRegressor


class Counting(RandomForestClassifier):
    """A teacher that counts the rows that it is asked for."""

    n_asked = 0

    def predict_proba(self, X):
        Counting.n_asked += X.shape[0]
        return super().predict_proba(X)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, train_size=500, random_state=0)


@pytest.fixture(scope="module")
def teacher(digits):
    return Counting(20, random_state=0).fit(digits[0], digits[2])


@pytest.fixture(scope="module")
def student(digits, teacher):
    return DistilledClassifier(teacher, DecisionTreeClassifier(max_leaf_nodes=60, random_state=0), sampler=None).fit(
        digits[0]
    )


@pytest.fixture(scope="module")
def cascade(digits, teacher, student):
    return CascadeClassifier(teacher, student, agreement=0.95, n_synthetic=300, random_state=0).fit(digits[1][:900])


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(1500, 3))
    teacher = DecisionTreeRegressor(random_state=0).fit(X[:500], np.abs(X[:500, 0]) + (X[:500, 1] > 0.8))
    return X, teacher, LinearRegression().fit(X[:500], teacher.predict(X[:500]))


def truths(rng, n=4000):
    """Return the certainty and the failures of a student, for a whole population."""
    certainty = rng.random(n).round(2)
    return certainty, rng.random(n) < 0.1 * (1 - certainty) ** 2


def test_the_promise_is_broken_as_rarely_as_stated():
    """Whatever rows calibrate, the threshold breaks the promise with at most the stated probability."""
    rng = np.random.default_rng(0)
    certainty, fails = truths(rng)
    never, broken, shares = np.zeros(600, bool), 0, []
    for _ in range(400):
        grid, rows = grid_of(rng.choice(certainty, 80)), rng.integers(len(fails), size=600)
        path = path_of(grid, certainty[rows], fails[rows], never, 0.99, 0.9)
        answered = certainty >= path.threshold
        broken += np.mean(fails & answered) > 0.01
        shares.append(answered.mean())
        assert least_share(path.share, 600, 0.9) <= path.share
    assert broken <= 400 * 0.1 + 3 * np.sqrt(400 * 0.1 * 0.9)
    assert np.mean(shares) > 0.3


def test_the_bound_of_the_share_holds_although_the_threshold_was_chosen():
    """Even a threshold that is chosen for its large share has no larger bound than is true."""
    rng, broken = np.random.default_rng(1), 0
    for _ in range(400):
        certainty = np.sort(rng.random(300))[::-1]
        share = np.arange(1, 301) / 300
        bounds = np.array([least_share(each, 300, 0.9) for each in share])
        broken += np.any(bounds > 1 - certainty)
    assert broken <= 400 * 0.1 + 3 * np.sqrt(400 * 0.1 * 0.9)


def test_counts_of_the_path_are_those_of_the_rows():
    """Shares and failures at each threshold are what counting row by row gives, also for promises about the truth."""
    rng = np.random.default_rng(2)
    certainty, student_fails = truths(rng, 500)
    certainty[:5] = np.nan
    teacher_fails = rng.random(500) < 0.05
    path = path_of(grid_of(certainty[:100]), certainty, student_fails, teacher_fails, 0.9, 0.95)
    for threshold, share, kept in zip(path.thresholds, path.share_student, path.kept, strict=True):
        answered = certainty >= threshold
        assert share == answered.mean()
        assert kept == pytest.approx(1 - np.where(answered, student_fails, teacher_fails).mean())


def test_thresholds_do_not_separate_equal_certainties():
    """Certainties that differ in the last bits only are on one side of each threshold."""
    certainty = np.array([0.1, 0.1 + 1e-15, 0.7, 0.7 - 1e-15, np.nan, np.inf])
    assert grid_of(certainty, is_nested=False)[1:-1].tolist() == [pytest.approx(0.4)]
    grid = grid_of(certainty)
    assert (np.diff(grid) < 0).all()
    assert np.abs(grid[1:-1, None] - certainty[:4]).min() > 0.01


def test_thresholds_lie_densely_between_tuning_rows():
    """The proven threshold is nearly the boldest one of all numbers for which few enough rows fail."""
    rng = np.random.default_rng(3)
    certainty, fails = rng.random(4000), rng.random(4000) < 0.05
    certainty[fails] *= 0.95
    path = path_of(grid_of(rng.random(60)), certainty, fails, np.zeros(4000, bool), 0.99, 0.95)
    n_allowed = int((binomial_p_value(np.arange(60), 4000, 0.01) <= 0.05).sum()) - 1
    boldest = np.searchsorted(np.cumsum(fails[np.argsort(-certainty)]), n_allowed, side="right") / 4000
    assert boldest - 0.005 < path.share <= boldest


@pytest.mark.parametrize(
    ("n_rows", "agreement", "confidence"), [(1350, 0.99, 0.95), (313, 0.97, 0.9), (99, 0.97, 0.95)]
)
def test_no_row_proves_that_could_tune(n_rows, agreement, confidence):
    """Of the rows that are left to calibrate on, the fewest are taken of which as many may fail as of all of them."""
    fewest = as_strict(n_rows, agreement, confidence)
    n_failures = np.arange(n_rows)
    p_values = [binomial_p_value(n_failures[:n], n, 1 - agreement) for n in (n_rows, fewest, fewest - 1)]
    allowed = [int((values <= 1 - confidence).sum()) for values in p_values]
    assert allowed[0] == allowed[1] > allowed[2]


def test_rows_that_are_not_needed_to_prove_choose(digits, teacher, student):
    """Thresholds also lie between synthetic rows, but for the truth, where each of them is tested for nothing."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, certainty="deviation", n_synthetic=300, random_state=0)
    cascade.fit(digits[1][:200])
    n_proving = cascade.path_.n_rows
    assert n_proving == as_strict(180, 0.9, 0.95) < 180
    assert len(cascade.path_.thresholds) > 2 * 8 * (200 - n_proving)
    cascade.set_params(promise="truth", agreement=0.6).fit(digits[1][:200], digits[3][:200])
    assert len(cascade.path_.thresholds) <= 200 - cascade.path_.n_rows + 1


def test_thresholds_are_few_however_many_rows_are_known():
    """Those of many rows are spread evenly over them, from the most certain to the least."""
    certainty = np.random.default_rng(0).random(20_000)
    grid = grid_of(certainty)[1:-1]
    assert len(grid) < 5000
    answered = np.searchsorted(np.sort(-certainty), -grid) / len(certainty)
    assert np.diff(np.concatenate([[0], answered, [1]])).max() < 0.002


def test_a_certainty_that_ranks_failures_last_leaves_more_to_the_student():
    """The comparison of scores is one of ranks."""
    fails = np.arange(100) >= 90
    assert answered_share(-np.arange(100.0), fails, 0.99) > answered_share(np.arange(100.0), fails, 0.99)


def test_answers_are_the_students_or_the_teachers(digits, teacher, student, cascade):
    """Each row is answered by one of both, as it answers by itself, and only deferred rows are asked for."""
    X = digits[1][900:]
    defers, labels = cascade.defers(X), cascade.predict(X)
    assert 0 < defers.mean() < 1
    assert (labels == np.where(defers, teacher.predict(X), student.predict(X))).all()
    Counting.n_asked = 0
    proba = cascade.predict_proba(X)
    assert Counting.n_asked == defers.sum()
    expected = np.where(defers[:, None], teacher.predict_proba(X), student.predict_proba(X))
    np.testing.assert_allclose(proba, expected, atol=1e-12)


def test_the_teacher_is_asked_once_for_each_calibration_row(digits, teacher, student):
    """And for the synthetic rows, but for none if the margin needs no learning."""
    Counting.n_asked = 0
    CascadeClassifier(teacher, student, agreement=0.9, certainty="margin").fit(digits[1][:300])
    assert Counting.n_asked == 300


def test_rows_of_the_student_are_asked_for_and_prove_nothing(digits, teacher, student):
    """At most ``n_synthetic`` of them; the calibration rows are the same with them and without."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, n_synthetic=50, random_state=0)
    Counting.n_asked = 0
    alone = clone(cascade).fit(digits[1][:300])
    n_asked, Counting.n_asked = Counting.n_asked, 0
    cascade.fit(digits[1][:300], X_train=digits[0])
    assert Counting.n_asked == n_asked + 50
    assert cascade.certificate_.digests == alone.certificate_.digests
    with pytest.raises(ValueError, match="200 of the 300 rows are among X_train; expected other rows"):
        cascade.fit(digits[1][:300], X_train=digits[1][100:500])
    with pytest.raises(ValueError, match="X has 63 features"):
        cascade.fit(digits[1][:300], X_train=digits[0][:, 1:])


def test_without_synthetic_rows_those_of_the_student_change_nothing(digits, teacher, student):
    """Few tuning rows are then too few to learn a score from, however many rows the student was taught on."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, n_synthetic=0, random_state=0)
    fits = [clone(cascade).fit(digits[1][:200], X_train=X_train) for X_train in (None, digits[0])]
    assert [fit.certainty_results_ for fit in fits] == [{}, {}]
    assert fits[0].threshold_ == fits[1].threshold_


@pytest.mark.parametrize("recipe", [False, True])
def test_rows_that_a_recipe_is_fitted_on_are_rows_of_the_student(digits, teacher, student, recipe):
    """Synthetic rows are drawn from these, too, for which the teacher is asked."""
    student, n_asked = clone(student.student_) if recipe else student, []
    for certainty in ("margin", "deviation"):
        cascade = CascadeClassifier(teacher, student, agreement=0.8, certainty=certainty, n_synthetic=50)
        Counting.n_asked = 0
        cascade.set_params(random_state=0).fit(digits[1][:400])
        n_asked.append(Counting.n_asked)
    n_tuning = (200 if recipe else 400) - cascade.path_.n_rows  # once more, as synthetic rows are: for their labels
    assert n_asked[1] - n_asked[0] == n_tuning + 2 * 50 + 50 * recipe


def test_distances_of_values_that_are_too_far_count_less(values, monkeypatch):
    """The score is fitted a second time, with weights that fall with the distance that the first expects."""
    fits = []

    class Noting(CompactBoostingRegressor):
        def fit(self, X, y, sample_weight=None):
            fits.append((None if sample_weight is None else self.predict(X), sample_weight))
            return super().fit(X, y, sample_weight)

    monkeypatch.setattr(_learning, "CompactBoostingRegressor", Noting)
    X, teacher, student = values
    CascadeRegressor(teacher, student, agreement=0.8, n_synthetic=50, random_state=0).fit(X[500:900])
    (_, first), (expected, weight) = fits
    assert first is None
    order = np.argsort(expected)
    assert (np.diff(weight[order]) <= 1e-12).all()
    assert weight[order[0]] > 2 * weight[order[-1]]


def test_rows_of_the_student_show_where_it_errs():
    """A corner that no tuning row lies in is found if the rows that the student was taught on lie there."""
    X_train, X = np.random.default_rng(0).uniform(-1, 1, size=(2, 600, 2))

    def teacher(X):
        return X[:, 0] + (X[:, 1] > 0.8) * np.sign(np.sin(40 * X[:, 0]))

    student = LinearRegression().fit(X_train, X_train[:, 0])
    cascade = CascadeRegressor(teacher, student, agreement=0.8, tolerance=0.1, n_synthetic=500, random_state=0)
    cascade.fit(X[X[:, 1] < 0.7], X_train=X_train)
    certainty, in_corner = cascade._certainty_of(cascade._models.ask_student(X), X), X[:, 1] > 0.8
    assert np.mean(certainty[~in_corner] <= np.quantile(certainty[in_corner], 0.9)) < 0.1


@pytest.mark.parametrize("certainty", ["margin", "families"])
def test_datasets_are_answered_chunk_by_chunk(digits, teacher, student, certainty):
    """The answers for chunks that are read one after the other are those for the table; so are those of one row."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, certainty=certainty, n_synthetic=50, random_state=0)
    compiled, X = skdistill.compile(cascade.fit(digits[1][:400])), digits[1][400:550]
    n_read = []

    def chunks():
        for start in range(0, len(X), 50):
            n_read.append(start)
            yield X[start : start + 50]

    for model, method in [
        *((cascade, name) for name in ("predict", "predict_proba", "defers")),
        *((compiled, name) for name in ("defers", "certain", "predict")),
    ]:
        n_read.clear()
        answers = getattr(model, method)(as_dataset(chunks))
        first = next(answers)
        assert set(n_read) == {0}  # no chunk before its turn
        np.testing.assert_array_equal(np.concatenate([first, *answers]), getattr(model, method)(X))
    outputs, defers = map(np.concatenate, zip(*compiled.answer(as_dataset(chunks)), strict=True))
    np.testing.assert_array_equal(outputs, compiled(X))
    assert (defers == cascade.defers(X)).all()


@pytest.mark.parametrize(("kind", "method"), [(CascadeClassifier, "predict_proba"), (CascadeRegressor, "predict")])
def test_what_a_dataset_cannot_be_used_for_is_said_at_once(values, kind, method):
    """By an unfitted cascade, before a chunk is read, and by a score."""
    cascade, dataset = kind(*values[1:]), as_dataset([values[0]])
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted"):
        getattr(cascade, method)(dataset)
    with pytest.raises(DatasetError, match=f"{kind.__name__}.score: got a dataset that is read in chunks"):
        cascade.score(dataset, values[0][:, 0])


def test_values_of_a_dataset_are_those_of_its_rows(values):
    """Of frames with the columns in another order, and with further ones."""
    X, teacher, student = values
    cascade = CascadeRegressor(teacher, student, agreement=0.9, tolerance=0.3, n_synthetic=50, random_state=0)
    X = pd.DataFrame(X, columns=list("abc"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both models were fitted without names
        expected = cascade.fit(X[500:1000]).predict(X[1000:1100])
        chunks = as_dataset(
            lambda: (X[start : start + 40].assign(d=0)[list("cadb")] for start in range(1000, 1100, 40))
        )
        found = list(cascade.predict(chunks))
    assert [len(each) for each in found] == [40, 40, 40]
    np.testing.assert_array_equal(np.concatenate(found)[:100], expected)


@pytest.mark.parametrize("certainty", ["margin", "deviation", "families"])
def test_compiled_cascades_defer_the_same_rows(digits, teacher, student, certainty):
    """For many rows, for one, and after a pickle; the compiled form holds no teacher."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, certainty=certainty, random_state=0, n_synthetic=100)
    compiled = pickle.loads(pickle.dumps(skdistill.compile(cascade.fit(digits[1][:400]))))
    X = digits[1][400:600]
    defers = cascade.defers(X)
    outputs, compiled_defers = compiled.answer(X)
    assert (compiled_defers == defers).all()
    assert (compiled.certain(X) == ~defers).all()
    assert [compiled.defers(row) for row in X] == defers.tolist()
    assert [compiled.certain(row.tolist()) for row in X[:5]] == (~defers[:5]).tolist()
    np.testing.assert_allclose(outputs, student.predict_proba(X), atol=1e-6)
    assert len(pickle.dumps(compiled)) < 20_000
    assert 0 < defers.mean() < 1


@pytest.mark.parametrize("certainty", ["margin", "deviation", "families"])
def test_a_changed_threshold_counts_at_once(digits, teacher, student, certainty):
    """For one row and for many, although the code of a row has the threshold in it."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, certainty=certainty, random_state=0, n_synthetic=100)
    compiled, X = skdistill.compile(cascade.fit(digits[1][:400])), digits[1][400:410]
    for threshold, expected in ((np.inf, True), (-np.inf, False), (np.inf, True)):
        compiled.threshold = threshold
        assert compiled.threshold == threshold
        assert [compiled.defers(row) for row in X] == compiled.defers(X).tolist() == [expected] * len(X)
        assert compiled.answer(X[:1])[1].tolist() == [expected]


@pytest.mark.parametrize("n_classes", [3, 10, 60])
def test_the_code_finds_the_two_largest_probabilities(n_classes):
    """Wherever they are, and if they are equal: the margin is that of many rows."""
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(n_classes, 0.3), size=200)
    proba[:20, :2] = proba[:20].max(axis=1)[:, None]
    source = "\n".join(_margin(Certainty("margin", True), n_classes)).replace("\n    ", "\n").lstrip()
    found = []
    for each in proba.tolist():
        names = {"proba": tuple(each)}
        exec(source, names)
        found.append(names["margin"])
    np.testing.assert_array_equal(found, margin(proba))


@pytest.mark.parametrize("classifies", [True, False])
def test_the_score_adds_few_comparisons_to_a_row(digits, teacher, student, values, classifies):
    """At most 40, whatever it learns from: a comparison takes about 0.02 µs, and the cascade is to add 1 µs at most."""
    if classifies:
        cascade = CascadeClassifier(teacher, student, agreement=0.9, certainty="deviation", random_state=0)
        cascade.set_params(n_synthetic=2000).fit(digits[1][:400])
    else:
        cascade = CascadeRegressor(values[1], values[2], agreement=0.9, tolerance=0.3, random_state=0)
        cascade.fit(values[0][500:1000])
    helper = skdistill.compile(cascade).certainty.helper
    assert 0 < helper.scorer.n_ops <= 40


def one_row_forms(X, place):
    """Return a row of a table in all forms that compiled models take."""
    if not hasattr(X, "iloc"):
        return [X[place], X[place].tolist(), X[place : place + 1]]
    return [X.iloc[place], X.iloc[place].to_dict(), X.iloc[place].tolist(), X.iloc[[place]]]


@pytest.mark.parametrize(
    ("kind", "student"),
    [
        *((kind, "hybrid") for kind in ("two classes", "three classes", "raw columns", "value", "two values")),
        ("three classes", "boosting"),
        ("raw columns", "boosting"),
        ("two values", "boosting"),
        ("three classes", "mlp"),
        ("value", "mlp"),
        ("two classes", "linear"),
        ("value", "kernel"),
        ("value", "ridge"),
        ("three classes", "ridge"),
    ],
)
def test_a_row_is_deferred_alone_as_among_many(kind, student):
    """The code that is generated for one row has the outputs and the certainty of many rows, in all forms of a row."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 4)).round(2)
    score = X[:, 0] + np.abs(X[:, 1]) + (X[:, 2] > 1) * X[:, 3]
    y = np.digitize(score, [0.5] if kind in ("two classes", "raw columns") else [0.0, 1.0])
    if kind == "raw columns":
        X = pd.DataFrame(X, columns=list("abcd")).assign(text=rng.choice(["x", "y", None], 500))
    is_value = kind.endswith(("value", "values"))
    if is_value:
        y = np.column_stack([score, X[:, 3]]) if kind == "two values" else score
    families = {"ridge": (LinearRegression() if is_value else LogisticRegression(max_iter=1000))}
    teacher = (DecisionTreeRegressor if is_value else DecisionTreeClassifier)(max_depth=6, random_state=0)
    if kind == "raw columns":
        teacher = make_pipeline(ColumnTransformer([("numbers", "passthrough", list("abcd"))]), teacher)
    teacher.fit(X[:200], y[:200])
    distilled = (DistilledRegressor if is_value else DistilledClassifier)(
        teacher, families.get(student, student), sampler=None, random_state=0
    )
    distilled.set_params(student_size=None if student in families else 100)
    options = {"agreement": 0.6, "n_synthetic": 100, "certainty": "deviation", "random_state": 0}
    if is_value:
        cascade = CascadeRegressor(teacher, distilled.fit(X[:200]), tolerance=0.4, **options)
    else:
        cascade = CascadeClassifier(teacher, distilled.fit(X[:200]), **options)
    for certainty in ("deviation",) if is_value else ("deviation", "margin"):
        cascade.set_params(certainty=certainty).fit(X[200:420])
        compiled = skdistill.compile(cascade)
        outputs, defers = compiled.answer(X[420:])
        assert (defers == cascade.defers(X[420:])).all()
        np.testing.assert_allclose(outputs, compiled(X[420:]))
        for place in range(420, 423):
            for row in one_row_forms(X, place):
                of_row, is_deferred = compiled.answer(row)
                np.testing.assert_allclose(np.reshape(of_row, -1), np.reshape(outputs[place - 420], -1), rtol=1e-9)
                assert np.ravel(is_deferred).tolist() == [defers[place - 420]]
                assert np.shape(of_row) == np.shape(compiled(row))


@pytest.mark.parametrize("student", ["boosting", "hybrid"])
def test_texts_are_read_once_for_both_answers(student):
    """The student and the score share the cells of a row, and agree with many rows on texts that were never seen."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(600, 3)), columns=list("abc")).assign(text=rng.choice(list("uvwxyz"), 600))
    y = (X["a"] + X["text"].map({"u": 3, "x": -3, "w": 2}).fillna(0) + rng.normal(size=600) > 0).to_numpy().astype(int)
    texts = ColumnTransformer([("texts", OneHotEncoder(handle_unknown="ignore"), ["text"])], remainder="passthrough")
    teacher = make_pipeline(texts, DecisionTreeClassifier(random_state=0)).fit(X[:300], y[:300])
    model = DistilledClassifier(teacher, student, student_size=40, sampler=None, random_state=0).fit(X[:300])
    options = {"certainty": "deviation", "n_synthetic": 500, "random_state": 0}
    cascade = CascadeClassifier(teacher, model, agreement=0.7, **options)
    compiled = skdistill.compile(cascade.fit(X[300:]))
    helper, rows = compiled.certainty.helper, pd.concat([X[:20].assign(text=text) for text in ("u", None, "new")])
    assert 3 in helper.scorer.feature
    for is_left in (True, False):  # the student has its own code for texts that it does not know
        trees = replace(helper.scorer, missing_left=np.full(len(helper.scorer.feature), is_left))
        compiled.certainty = replace(compiled.certainty, helper=helper.scored_by(trees))
        certainty = compiled.certainty.of_rows(compiled(rows), rows)
        for compiled.threshold in np.quantile(certainty, [0.25, 0.5, 0.75]) + 1e-9:
            assert [compiled.answer(row)[1] for row in rows.to_numpy()] == compiled.defers(rows).tolist()
    source = _StudentAndDeferral(compiled).source
    assert all(source.count(f"= {name}[{column}]\n") <= 1 for name in ("cells", "given") for column in range(4))
    assert source.count(", = cells") + source.count(", = given") <= 1


def test_the_certainty_of_values_knows_what_the_student_answers():
    """Where errors depend on the answer, and on no column by itself, nearly all safe rows are left to the student."""
    X = np.random.default_rng(0).normal(size=(1000, 8))
    student = LinearRegression().fit(X, X.sum(axis=1))

    def teacher(X):
        total = X.sum(axis=1)
        return total + np.where(total > 1, np.sin(50 * X[:, 0]), 0)

    cascade = CascadeRegressor(teacher, student, agreement=0.98, tolerance=0.1, n_synthetic=1000, random_state=0)
    safe = X.sum(axis=1) < 1
    cascade.fit(X)
    assert cascade.share_student_ > 0.85 * safe.mean()
    assert cascade.defers(X)[~safe].mean() > 0.9


def test_sparse_rows_are_deferred_as_dense_ones(digits, teacher, student):
    """The second model reads the margin behind the sparse cells."""
    options = {"agreement": 0.9, "certainty": "deviation", "n_synthetic": 0, "random_state": 0}
    rows = sparse.csr_matrix(digits[1])
    dense, of_sparse = (
        CascadeClassifier(teacher, student, **options).fit(X[:400]).defers(X[400:]) for X in (digits[1], rows)
    )
    assert (dense == of_sparse).all()
    assert 0 < dense.mean() < 1


def test_synthetic_rows_help_to_choose_among_scores(digits, teacher, student):
    """Both scores of labels are compared, on more rows than a third of the few that tune, unless the truth counts."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, n_synthetic=400, random_state=0)
    shares = cascade.fit(digits[1][:400]).certainty_results_
    assert set(shares) == {"margin", "deviation"}
    chosen = [name for name, share in shares.items() if share == max(shares.values())]
    assert cascade.certainty_ in chosen or shares["deviation"] - shares["margin"] < 0.02


@pytest.mark.parametrize("certainty", ["deviation", "families"])
def test_values_within_the_tolerance(values, certainty):
    """Values of the cascade are within the tolerance of the teacher's, one row compiled as many."""
    X, teacher, student = values
    cascade = CascadeRegressor(teacher, student, agreement=0.9, tolerance=0.3, certainty=certainty, random_state=0)
    cascade.fit(X[500:1000])
    apart = np.abs(cascade.predict(X[1000:]) - teacher.predict(X[1000:]))
    assert np.mean(apart <= 0.3) > 0.87
    wrong, deferred = np.abs(student.predict(X[1000:]) - teacher.predict(X[1000:])), cascade.defers(X[1000:])
    assert wrong[deferred].mean() > 1.1 * wrong[~deferred].mean()
    compiled, defers = skdistill.compile(cascade), cascade.defers(X[1000:1100])
    assert [compiled.defers(row) for row in X[1000:1100]] == defers.tolist()
    assert 0 < cascade.share_student_ < 1
    assert cascade.share_student_bound_ < cascade.share_student_
    assert CascadeRegressor(teacher, student, agreement=0.9).fit(X[500:900]).tolerance_ == pytest.approx(
        0.1 * np.std(teacher.predict(X[500:900])), rel=0.3
    )


def test_several_values_are_all_within_the_tolerance(values):
    """The tolerance may differ between outputs, and each of them counts."""
    X = values[0]
    teacher = DecisionTreeRegressor(random_state=0).fit(X[:300], X[:300, :2])
    student = LinearRegression().fit(X[:300], X[:300, :2])
    cascade = CascadeRegressor(teacher, student, agreement=0.8, tolerance=[0.5, 1e-9], n_synthetic=50, random_state=0)
    with pytest.warns(UserWarning, match="all rows are deferred"):
        cascade.fit(X[300:600])
    assert (cascade.predict(X[600:]) == teacher.predict(X[600:])).all()


def test_a_promise_about_the_truth(digits, teacher, student):
    """The cascade is right as often as promised; a teacher that is wrong too often is refused."""
    X, y = digits[1], digits[3]
    options = {"promise": "truth", "certainty": "margin", "random_state": 0}
    cascade = CascadeClassifier(teacher, student, agreement=0.85, **options).fit(X[:700], y[:700])
    assert cascade.score(X[700:], y[700:]) > 0.83
    assert cascade.share_student_ > 0.2
    with pytest.raises(ValueError, match=r"the teacher itself is right on 0\.9"):
        CascadeClassifier(teacher, student, agreement=0.99, **options).fit(X[:700], y[:700])
    with pytest.raises(ValueError, match="the promise is about the truth"):
        CascadeClassifier(teacher, student, agreement=0.9, **options).fit(X[:700])


def test_fitted_models_are_kept(digits, teacher, student):
    """Clones, pipelines and searches use both models as they are, and their parameters cannot be set."""
    X, y = digits[1][:400], digits[3][:400]
    cascade = CascadeClassifier(teacher, student, agreement=0.8, certainty="margin", random_state=0)
    twin = clone(cascade)
    assert twin.teacher is teacher
    assert twin.student is student
    search = GridSearchCV(make_pipeline(cascade), {"cascadeclassifier__agreement": [0.7, 0.8]}, cv=2).fit(X, y)
    assert search.best_estimator_[-1].fitted_teacher_ is teacher
    assert not [name for name in cascade.get_params() if name.startswith(("teacher__", "student__"))]
    with pytest.raises(ValueError, match="the student DistilledClassifier is fitted"):
        cascade.set_params(student__random_state=1)


@pytest.mark.parametrize(("name", "value"), [("chunk_size", 97), ("random_state", 0)])
def test_the_same_seed_gives_the_same_cascade(digits, teacher, student, cascade, name, value):
    """For any size of the chunks."""
    again = clone(cascade).set_params(**{name: value}).fit(digits[1][:900])
    assert again.threshold_ == cascade.threshold_
    assert (again.predict(digits[1]) == cascade.predict(digits[1])).all()


def test_the_name_of_a_family_is_a_student(digits, teacher):
    """It is taught on half of the rows, and a search may clone it; what is no name says so."""
    few = clone(CascadeClassifier(teacher, "linear", agreement=0.5, certainty="margin", random_state=0)).fit(digits[1])
    assert few.student == "linear"
    assert few.share_student_ > 0.5
    with pytest.raises(ValueError, match=r"student='linaer'; expected an estimator.*name of a family.*Did you mean"):
        CascadeClassifier(teacher, "linaer", certainty="margin").fit(digits[1])


def test_rows_of_the_student_are_refused(digits, teacher, student):
    """Calibration rows that the student was taught on prove nothing."""
    with pytest.raises(ValueError, match="200 of the 500 rows are among those that the student was"):
        CascadeClassifier(teacher, student, agreement=0.9).fit(np.vstack([digits[0][:200], digits[1][:300]]))


def test_too_few_rows_say_how_many_are_needed(digits, teacher):
    """With the number that is said, the fit succeeds; with one row less it does not."""
    cascade = CascadeClassifier(teacher, teacher, agreement=0.97, certainty="margin", tuning_fraction=0.2)
    with pytest.raises(ValueError, match=f"at least {rows_needed(0.97)} of them .* 125 rows in all"):
        cascade.fit(digits[1][:50])
    cascade.fit(digits[1][:125])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"agreement": 1.0}, "agreement=1.0 cannot be proved"),
        ({"confidence": 1.0}, "confidence=1.0; expected a number above 0 and below 1"),
        ({"promise": "truths"}, "promise='truths'; expected 'teacher' or 'truth'"),
        ({"certainty": "margins"}, "certainty='margins'; expected one of"),
        ({"tuning_fraction": 0}, "tuning_fraction=0; expected"),
        ({"n_synthetic": -1}, "n_synthetic=-1; expected"),
        ({"agreement": np.ones(2)}, "agreement=array.* expected a number above 0"),
        ({"agreement": pd.NA}, "agreement=<NA>; expected a number above 0"),
    ],
)
def test_bad_parameters_are_named(digits, teacher, student, params, message):
    """The error says which parameter, and what is expected."""
    with pytest.raises(ValueError, match=message):
        CascadeClassifier(teacher, student, **params).fit(digits[1][:400])


def test_a_failed_fit_changes_nothing(digits, teacher, student):
    """The first one leaves no fitted attribute, and a later one those of the fit before."""
    cascade = CascadeClassifier(teacher, student, agreement=0.9, certainty="margin", random_state=0)
    for rows in (digits[1][:300], digits[1]):  # without and with an earlier fit
        before = dict(vars(cascade))
        with pytest.raises(ValueError, match="expected at least"):
            cascade.fit(rows[:5])
        assert vars(cascade) == before
        cascade.fit(rows)


def test_a_student_without_an_identity_has_no_certificate(digits, teacher):
    """A function that cannot be pickled answers as any other, but no document can say which student it was."""
    cascade = CascadeClassifier(teacher, as_teacher(lambda X: teacher.predict_proba(X), classes=range(10)))
    cascade.set_params(agreement=0.9, certainty="margin", random_state=0).fit(digits[1][:300])
    assert (cascade.predict(digits[1][:20]) == teacher.predict(digits[1][:20])).all()
    with pytest.raises(TypeError, match=r"cannot be pickled .* Pass a model, or a function of a module"):
        cascade.certificate_  # noqa: B018


def test_a_bad_tolerance_is_named(values):
    """One number, or one for each output."""
    X, teacher, student = values
    for tolerance in (0.0, [1.0, 2.0], "small", object(), [[1.0]]):
        with pytest.raises(ValueError, match="tolerance"):
            CascadeRegressor(teacher, student, agreement=0.8, tolerance=tolerance).fit(X[500:800])


def test_a_student_of_other_labels_is_refused(digits, teacher):
    """Both models must know the same labels."""
    few = LogisticRegression(max_iter=1000).fit(digits[0][:50], digits[2][:50] > 4)
    with pytest.raises(ValueError, match="has the classes"):
        CascadeClassifier(teacher, few, agreement=0.8).fit(digits[1][:100])


def test_truth_in_other_labels_is_refused(digits, teacher, student):
    """A teacher that never says any of the labels is not merely wrong."""
    cascade = CascadeClassifier(teacher, student, agreement=0.8, promise="truth", n_synthetic=0, random_state=0)
    with pytest.raises(ValueError, match=r"y has the labels \['0', .*, and the teacher knows \[0, 1"):
        cascade.fit(digits[1][:400], digits[3][:400].astype(str))


def test_a_constant_teacher_is_warned_of(digits):
    """Agreeing with it is proved, and says nothing."""
    tree = DecisionTreeClassifier(max_depth=1).fit(digits[0], digits[2] == 0)
    with pytest.warns(TeacherWarning, match="returns the same class for all"):
        CascadeClassifier(tree, tree, agreement=0.8).fit(np.zeros((60, 64)))


def test_models_without_probabilities(digits):
    """Margins become probabilities; labels are those of ``predict``."""
    X, _, y, _ = digits
    svm = make_pipeline(StandardScaler(), SVC()).fit(X, y % 2)
    line = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, svm.predict(X))
    cascade = CascadeClassifier(svm, line, agreement=0.9, certainty="margin", random_state=0).fit(digits[1][:400])
    rows, defers = digits[1][400:700], cascade.defers(digits[1][400:700])
    assert (cascade.predict(rows) == np.where(defers, svm.predict(rows), line.predict(rows))).all()
    np.testing.assert_allclose(cascade.predict_proba(rows).sum(axis=1), 1)


def test_the_certificate_says_what_is_promised(cascade):
    """It is written and read, and its bound is the promise."""
    certificate = skdistill.certificates.Certificate.from_json(cascade.certificate_.to_json())
    promised, share = certificate.statements
    assert promised.bound == certificate.promise == 0.95
    assert certificate.verdict == "met"
    assert share.bound == cascade.share_student_bound_
    assert certificate.is_about(cascade.fitted_student_)


def test_an_independent_check_says_what_it_cannot_check(cascade, digits, teacher, student):
    """Both bounds depend on all thresholds, and other rows than those that calibrate are noticed."""
    rows = digits[1][:900]
    problems = check_certificate(cascade.certificate_, student, rows, teacher.predict_proba(rows))
    assert "digest" in problems[0]
    assert sum("was not checked: it depends on all thresholds" in each for each in problems) == 2


def test_the_display_shows_the_promise(cascade):
    """The bound at the chosen threshold is not below the promise, and that of the next one is."""
    display = CascadeDisplay.from_estimator(cascade)
    assert display.bound[display.chosen] >= display.promise > display.bound[display.chosen + 1]


def test_plot_is_its_display(cascade):
    """A shortcut draws the same numbers."""
    display = cascade.plot()
    np.testing.assert_array_equal(display.bound, CascadeDisplay.from_estimator(cascade).bound)
