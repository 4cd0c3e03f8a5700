"""Errors name what is wrong and what to do, in one sentence, and their advice can be followed."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.cluster import DBSCAN
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.exceptions import CompileError, SamplerError, StudentError, TeacherError, TeacherOutputError
from skdistill.samplers import MUNGE, Interpolation, Jitter, LeafSwap, TermSwap, as_sampler
from skdistill.students import CompactBoostingRegressor, CompactLinearRegressor, CompactTreeRegressor

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame(X, columns=list("abc"))
PLAIN = {"student": "linear", "sampler": None, "random_state": 0}


def total(rows):
    return np.asarray(rows)[:, 0] * 2.0


def regressor(**params):
    return DistilledRegressor(total, **{**PLAIN, **params})


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("params", "suggested"),
    [
        ({"student": "boostin"}, "Did you mean 'boosting'"),
        ({"student": "Linear"}, "Did you mean 'linear'"),
        ({"student": "mlp-ple"}, "Did you mean 'mlp_ple'"),
        ({"sampler": "leaf swap"}, r"samplers.LeafSwap\(\)"),
        ({"sampler": "munge"}, r"samplers.MUNGE\(\)"),
        ({"sampler": "Auto"}, "expected 'auto'"),
        ({"n_synthetic": "Auto"}, "Did you mean 'auto'"),
        ({"teacher_cv": "obb"}, "Did you mean 'oob'"),
        ({"link": "Logit"}, "Did you mean 'logit'"),
        ({"bounds": "sen"}, "Did you mean 'seen'"),
        ({"response_method": "predct"}, "Did you mean 'predict'"),
        ({"student": AutoStudent(families=["linear", "treee"])}, "Did you mean 'tree'"),
    ],
)
def test_misspelt_names_are_suggested(params, suggested):
    """Wherever a parameter takes a text, the error for another text names the one that was meant."""
    with pytest.raises(ValueError, match=suggested):
        regressor(**params).fit(X)


def test_misspelt_decisions_dtypes_and_tasks_are_suggested():
    """Also outside the distilled regressor."""
    with pytest.raises(ValueError, match="Did you mean 'argmax'"):
        DistilledClassifier(as_teacher(total, classes=[0, 1]), decision="arg_max").fit(X)
    with pytest.raises(ValueError, match="Did you mean 'float32'"):
        skdistill.compile(Ridge().fit(X, Y), dtype="float 32")
    with pytest.raises(ValueError, match="Did you mean 'regression'"):
        as_teacher(total, task="regresion")
    with pytest.raises(SamplerError, match="expected"):
        as_sampler("leaf swap")


@pytest.mark.parametrize(
    ("estimator", "name", "said"),
    [
        (regressor(), "studnet", "Did you mean 'student'"),
        (regressor(), "student__n_pairs", "student='linear' is no estimator. Pass an estimator as student"),
        (regressor(student=CompactTreeRegressor()), "student__max_leafs_nodes", "Did you mean 'max_leaf_nodes'"),
        (regressor(student=make_pipeline(StandardScaler(), Ridge())), "student__ridge__alhpa", "Did you mean 'alpha'"),
        (CompactBoostingRegressor(), "n_tree", "Did you mean 'n_trees'"),
        (MUNGE(), "n_neighbours", "Did you mean 'n_neighbors'"),
    ],
)
def test_misspelt_parameters_are_suggested(estimator, name, said):
    """Of the estimator itself and of those inside; nothing is set."""
    before = estimator.get_params(deep=False)
    with pytest.raises(ValueError, match=said):
        estimator.set_params(**{name: 1})
    assert estimator.get_params(deep=False) == before


# ---------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ((row for row in X), r"X is a generator, which yields rows once.*Pass np.array\(list\(X\)\)"),
        ({"a": X[:, 0]}, r"X is a dict.*Pass pandas.DataFrame\(X\)"),
        (FRAME["a"], r"X is a Series, a single column.*X.to_frame\(\)"),
        (pl.Series(X[:, 0]), r"X is a Series, a single column"),
        (pa.table({"a": [1.0]}).to_batches()[0], r"X is a RecordBatch of pyarrow.*from_batches"),
        (None, "X is a NoneType, None"),
        ([[1.0], [2.0, 3.0]], "rows of different lengths"),
        (FRAME[["a", "a"]], "several columns with the name 'a'; expected distinct names"),
        (pa.table([[1.0], [2.0]], names=["a", "a"]), "several columns with the name 'a'"),
        (FRAME[[]], "0 feature"),
        (pl.DataFrame(X)[:0], "0 sample"),
        (np.zeros((5, 0)), "0 feature"),
        (X * 1j + 1, "omplex"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else None,
)
@pytest.mark.parametrize(
    "fit",
    [lambda X: regressor().fit(X), lambda X: Jitter().fit(X), lambda X: CompactTreeRegressor().fit(X, [1.0, 2.0])],
)
def test_what_is_no_table_is_told(fit, table, said):
    """One clear sentence for estimators, samplers and students alike."""
    with pytest.raises(ValueError, match=said):
        fit(table)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pl.DataFrame(X).lazy(), r"X is a lazy frame .*Pass X.collect\(\)"),
        ("rows.csv", "X is a str.*Read the file first"),
    ],
    ids=["lazy", "path"],
)
@pytest.mark.parametrize(
    "fit", [lambda X: Jitter().fit(X), lambda X: CompactTreeRegressor().fit(X, [1.0, 2.0])], ids=["sampler", "student"]
)
def test_what_only_distilled_estimators_read_in_chunks_is_told(fit, table, said):
    """Samplers and students take tables in memory; estimators read these, if they can be read."""
    with pytest.raises(ValueError, match=said):
        fit(table)
    with pytest.raises(ValueError, match=r"'rows.csv' does not exist; expected a Parquet file"):
        regressor().fit("rows.csv")


@pytest.mark.parametrize("dtype", [pl.Array(pl.Float64, 2), pl.List(pl.Float64)])
def test_columns_of_several_values_are_refused(dtype):
    """A column of lists is neither a number nor a category."""
    table = pl.DataFrame({"a": pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=dtype)})
    with pytest.raises(ValueError, match=r"'a' has dtype .* several values in a cell.*one column for each value"):
        CompactTreeRegressor().fit(table, [1.0, 2.0])


@pytest.mark.skipif(int(pl.__version__.split(".")[0]) < 2, reason="polars 1 cannot read them")
def test_wide_integers_of_polars_are_numbers():
    """Although numpy has none; in every form of the student."""
    table = pl.DataFrame({"a": pl.Series(range(20), dtype=pl.Int128), "b": ["u", "v"] * 10})
    student = CompactTreeRegressor().fit(table, np.arange(20.0))
    compiled = skdistill.compile(student)
    for given in (table, table[:1]):
        np.testing.assert_allclose(compiled(given), student.predict(given))
    drawn = Jitter(random_state=0).fit(table).sample(5, random_state=0)
    assert drawn.schema == table.schema


def test_frames_with_arrays_in_attrs_are_sampled_and_stacked():
    """Pandas compares attributes of frames that it joins; arrays cannot be compared."""
    frame = FRAME.copy()
    frame.attrs["units"] = np.array(["m", "s"])
    for sampler in (Jitter(), LeafSwap(), MUNGE()):
        model = regressor(sampler=sampler, n_synthetic=10).fit(frame, X_unlabeled=frame[:5])
        assert model.transfer_set_.n_synthetic == 10
    assert frame.attrs["units"].tolist() == ["m", "s"]


def test_half_precision_is_sampled_by_terms():
    """Although there are no sparse matrices of it; the dtype is kept."""
    assert TermSwap().fit(X.astype(np.float16)).sample(3, random_state=0).dtype == np.float16


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("make", ["matrix", "array"])
def test_sparse_formats_are_compiled(kind, make):
    """Every format is read, as a matrix and as an array."""
    student = CompactLinearRegressor().fit(X, X[:, 0])
    table = getattr(sparse, f"{kind}_{make}")(X)
    np.testing.assert_allclose(skdistill.compile(student)(table), student.predict(X))


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((row for row in X), "got generator; expected"),
        ([[1.0], [1.0, 2.0, 3.0]], "rows of different lengths"),
        (FRAME[["a", "a", "b"]], "several columns of one name"),
        (None, "got NoneType; expected"),
    ],
    ids=["generator", "ragged", "duplicates", "None"],
)
@pytest.mark.parametrize("has_texts", [False, True])
def test_compiled_models_say_what_is_no_row(rows, said, has_texts):
    """With and without columns that need encoding."""
    frame = FRAME.assign(b=np.where(X[:, 1] > 0, "u", "v")) if has_texts else FRAME
    with pytest.raises(ValueError, match=said):
        skdistill.compile(CompactTreeRegressor().fit(frame, X[:, 0]))(rows)


# ---------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: regressor(random_state=-1).fit(X), "random_state=-1; expected None, an integer from 0"),
        (lambda: regressor(random_state="seed").fit(X), "DistilledRegressor: random_state='seed'"),
        (lambda: Jitter(random_state=-1).fit(X), "Jitter: random_state=-1"),
        (lambda: Jitter().fit(X).sample(2, random_state=-1), "Jitter: random_state=-1"),
        (lambda: regressor(n_jobs="all").fit(X), "n_jobs='all'; expected None, a number of jobs"),
        (lambda: Interpolation(n_jobs=0).fit(X), "Interpolation: n_jobs=0"),
        (lambda: CompactBoostingRegressor(n_jobs=0).fit(X, Y), "CompactBoostingRegressor: n_jobs=0"),
        (lambda: CompactTreeRegressor(10**30).fit(X, Y), "max_leaf_nodes=10.*expected an integer"),
        (lambda: CompactBoostingRegressor(10**9).fit(X, Y), "n_trees=1000000000; expected .* at most 10000"),
        (lambda: CompactLinearRegressor(alpha=10**400).fit(X, Y), "expected a number of at least 0"),
        (lambda: regressor(verbose="a").fit(X), "verbose='a'; expected an integer"),
        (lambda: regressor(memory=3).fit(X), "memory=3; expected None, the path of a folder"),
        (
            lambda: DistilledRegressor(Ridge(), teacher_cv=1).fit(X, Y),
            "teacher_cv=1; expected an integer of at least 2",
        ),
        (lambda: CompactTreeRegressor().fit(X, ["a"] * 60), "CompactTreeRegressor: y is a list"),
        (lambda: regressor().fit(X, [object()] * 60), "DistilledRegressor: y is a list"),
        (lambda: regressor().fit(X, sample_weight="a"), "DistilledRegressor: sample_weight is a str"),
        (lambda: LeafSwap().fit(X, ["a"] * 60), "LeafSwap: y is a list"),
    ],
)
def test_parameters_are_refused_in_our_words(make, said):
    """Who has the parameter, what was passed and what was expected."""
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("jobs", [np.int64(2), np.int32(1), -1])
def test_numbers_of_numpy_are_numbers(jobs):
    """Integers of numpy are as good as those of Python."""
    student = CompactBoostingRegressor(np.int64(2), n_jobs=jobs, random_state=np.int64(0)).fit(X, X[:, 0])
    assert np.isfinite(student.predict(X)).all()


@pytest.mark.parametrize("family", ["tree", "boosting", "mlp", "kernel", "linear"])
def test_an_enormous_size_ends(family):
    """A student is at most as large as its rows and its family allow."""
    model = regressor(student=family, student_size=10**9 if family == "tree" else 3000).fit(X)
    assert np.isfinite(model.predict(X)).all()
    sized = CompactBoostingRegressor().sized(10**12, n_inputs=3, n_outputs=1)
    assert sized.n_trees <= 10_000


# ---------------------------------------------------------------------- advice


def test_advice_names_methods_that_the_model_has():
    """Margins are suggested only if there are any, and no empty list of methods is shown."""

    class Wrong(LogisticRegression):
        decision_function = property(doc="none")

        def predict_proba(self, X):
            return np.full((len(X), 2), 0.9)

    with pytest.raises(TeacherOutputError, match="probabilities") as caught:
        as_teacher(Wrong().fit(X, Y)).outputs(X)
    assert "decision_function" not in str(caught.value)
    with pytest.raises(TeacherError, match=r"Use DistilledClassifier\.$"):
        as_teacher(DBSCAN().fit(X), task="regression")
    with pytest.raises(TeacherError, match=r"expected a model\. Pass a function"):
        as_teacher(object(), "predict")


def test_errors_of_a_pipeline_name_the_pipeline():
    """Its last step is not to blame for an error of an earlier one."""
    pipeline = make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit(X, Y)
    with pytest.raises(TeacherError, match=r"^Pipeline\(..., DecisionTreeClassifier\) raised ValueError"):
        DistilledClassifier(pipeline, **PLAIN).fit(X[:, :2])


@pytest.mark.parametrize(
    ("make", "said", "unsaid"),
    [
        (
            lambda: make_pipeline(PCA(1), DistilledClassifier(LogisticRegression(), **PLAIN)).fit(X, Y),
            "the step 'pca' of the pipeline is a PCA.* Put it into the teacher",
            "Distil it first",
        ),
        (
            lambda: DistilledClassifier(LogisticRegression(), GaussianNB(), sampler=None).fit(X, Y),
            'student="auto"',
            "Distil it first",
        ),
        (lambda: Ridge, "Pass a fitted model", "Distil it first"),
        (lambda: "model", "got a str", "Distil it first"),
        (lambda: DBSCAN().fit(X), "got a DBSCAN", "Distil it first"),
    ],
)
def test_compile_does_not_advise_to_distil_what_is_distilled(make, said, unsaid):
    """Nor what cannot be distilled."""
    with pytest.raises(CompileError, match=said) as caught:
        skdistill.compile(make())
    assert unsaid not in str(caught.value)


def test_the_training_rows_of_a_clusterer_are_asked_for_once():
    """Without a sampler, the advice is not to pass none."""
    with pytest.raises(TeacherError, match=r"exactly the training rows\.$"):
        DistilledClassifier(DBSCAN(eps=0.7).fit(X), **PLAIN).fit(X[:30])


# ---------------------------------------------------------------------- teachers and students


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_errors_without_a_text_are_reported():
    """An error of the teacher whose message cannot be printed, or is empty."""

    def teacher(rows):
        raise UnprintableError

    with pytest.raises(TeacherError, match="UnprintableError, whose message cannot be printed"):
        DistilledRegressor(teacher, **PLAIN).fit(X)


def test_teachers_whose_number_of_outputs_changes_are_refused():
    """Whether it changes after the first call, or for synthetic rows."""
    calls = []

    def changing(rows):
        calls.append(1)
        return rows[:, 0] if len(calls) == 1 else rows[:, :2]

    with pytest.raises(TeacherOutputError, match="expected the same number of outputs in every call"):
        DistilledRegressor(changing, **PLAIN).fit(X)


@pytest.mark.parametrize("student", [RidgeClassifier(), DecisionTreeClassifier(), "linear"], ids=str)
def test_students_are_taught_a_single_label(student):
    """The other labels have probability 0, and the student is complete, also when loaded."""
    teacher = as_teacher(lambda rows: np.full(len(rows), "a"), "predict", classes=["a", "b"])
    model = DistilledClassifier(teacher, student, sampler=None, random_state=0).fit(X)
    assert set(model.predict(X)) == {"a"}
    np.testing.assert_allclose(pickle.loads(pickle.dumps(model.student_)).predict_proba(X), [[1, 0]] * 60, atol=1e-3)


def test_students_that_need_two_labels_are_named():
    """What the teacher says is at fault, not the student's parameters."""
    teacher = as_teacher(lambda rows: np.full(len(rows), "a"), "predict", classes=["a", "b"])
    with pytest.raises(StudentError, match=r"LinearSVC cannot be fitted to a single label, .*'a'"):
        DistilledClassifier(teacher, LinearSVC(), sampler=None, random_state=0).fit(X)


def test_a_few_rows_are_warned_of():
    """Ten rows are enough not to be, labelled or not."""
    with pytest.warns(UserWarning, match=r"got 5 real rows; from so few.*X_unlabeled"):
        regressor().fit(X[:5])
    regressor().fit(X[:5], X_unlabeled=X[5:10])


def test_errors_in_fits_of_others_say_whose_they_are():
    """The error keeps its type; a note says which estimator was fitted, and what else to pass."""
    texts = np.array([["a", "b"]] * 20, dtype=object)
    with pytest.raises(ValueError, match="could not convert") as caught:
        DistilledRegressor(lambda rows: np.ones(len(rows)), make_pipeline(Ridge()), sampler=None).fit(texts)
    assert "student" in caught.value.__notes__[0]
    with pytest.raises(ValueError, match="could not convert") as caught:
        DistilledRegressor(make_pipeline(Ridge()), "tree", sampler=None).fit(texts, np.arange(20))
    assert "skdistill was fitting the teacher" in caught.value.__notes__[0]


def test_numbers_as_objects_are_sampled_as_objects():
    """By every sampler, also those that compute with numbers."""
    for sampler in (TermSwap(), Jitter(), LeafSwap()):
        assert sampler.fit(X.astype(object)).sample(3, random_state=0).dtype == object
