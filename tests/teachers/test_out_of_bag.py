"""Out-of-bag answers of forests that are fitted already."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdistill.teachers import as_teacher, find_out_of_bag

X, Y = load_iris(return_X_y=True)
TABLE, VALUES = load_diabetes(return_X_y=True)
ALL = np.arange(len(X))
OPTIONS = {"bootstrap": True, "oob_score": True, "random_state": 0}


def known(teacher, rows=X, which=None):
    return find_out_of_bag(as_teacher(teacher), rows, np.arange(len(rows)) if which is None else which)


class TestAnswers:
    @pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
    def test_probabilities_are_those_of_scikit_learn(self, kind):
        """As it computes them during the fit, when asked to."""
        forest = kind(60, **OPTIONS).fit(X, Y)
        np.testing.assert_allclose(known(forest).outputs, forest.oob_decision_function_)

    @pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor])
    def test_values_are_those_of_scikit_learn(self, kind):
        """Of one output and of several, also where trees see few rows."""
        for values in (VALUES, np.column_stack([VALUES, TABLE[:, 2]])):
            forest = kind(30, max_samples=0.5, **OPTIONS).fit(TABLE, values)
            np.testing.assert_allclose(known(forest, TABLE).outputs, forest.oob_prediction_)

    def test_inside_pipelines(self):
        """Frozen or not, after encoders, on raw frames, and for a part of the rows."""
        frame = pd.DataFrame({"species": np.array(["a", "b", "c"])[Y], "length": X[:, 0]})
        encoder = make_column_transformer((OneHotEncoder(), ["species"]), remainder=StandardScaler())
        forest = RandomForestRegressor(60, **OPTIONS)
        pipe = FrozenEstimator(make_pipeline(encoder, make_pipeline(forest)).fit(frame, X[:, 2]))
        expected = pipe.estimator[-1][-1].oob_prediction_
        np.testing.assert_allclose(known(pipe, frame, np.array([3, 1])).outputs, expected[[3, 1]])

    def test_sparse(self):
        """Rows of a sparse matrix."""
        forest = RandomForestClassifier(60, **OPTIONS).fit(sparse.csr_matrix(X), Y)
        np.testing.assert_allclose(known(forest, sparse.csr_matrix(X), ALL).outputs, forest.oob_decision_function_)

    def test_rows_after_the_fitted_ones_were_left_out_by_all(self):
        """They are unseen: all trees answer, without noise beyond the forest's own."""
        forest = RandomForestRegressor(60, **OPTIONS).fit(TABLE[:300], VALUES[:300])
        rows = np.arange(300, len(TABLE))
        found = known(forest, TABLE, rows)
        np.testing.assert_allclose(found.outputs, forest.predict(TABLE[rows]))
        assert not found.noise.any()

    def test_noise_is_that_of_fewer_trees(self):
        """Means of some trees, for rows that none of them has seen, differ from the forest's by the noise."""
        forest = RandomForestRegressor(100, **OPTIONS).fit(TABLE[:300], VALUES[:300])
        unseen, found = TABLE[300:], known(forest, TABLE[:300])
        said = np.array([tree.predict(unseen) for tree in forest.estimators_])
        off = (said[:37].mean(axis=0) - said.mean(axis=0)) ** 2
        assert off.mean() == pytest.approx(found.noise.mean(), rel=0.3)

    def test_rows_that_few_trees_left_out_are_not_known(self):
        """Of ten trees, three or four leave a row out."""
        found = known(RandomForestClassifier(10, random_state=0).fit(X, Y))
        assert 0 < np.count_nonzero(found.is_known) < len(X) / 2


class TestWhatIsNotOutOfBag:
    FOREST = RandomForestClassifier(20, random_state=0).fit(X, Y)

    @pytest.mark.parametrize(
        "rows",
        [X[::-1], X[:100], X + 0.3, np.random.RandomState(0).permutation(X)],
        ids=["turned", "few", "moved", "mixed"],
    )
    def test_other_rows(self, rows):
        """The leaves of its trees do not have as many of them as they should."""
        assert known(self.FOREST, rows) is None

    @pytest.mark.parametrize(
        "teacher",
        [
            ExtraTreesClassifier(10, random_state=0).fit(X, Y),
            RandomForestClassifier(10, bootstrap=False, random_state=0).fit(X, Y),
            type("Mine", (RandomForestClassifier,), {})(10, random_state=0).fit(X, Y),
            make_pipeline(StandardScaler(), OneHotEncoder()),
        ],
        ids=["no bootstrap", "switched off", "derived", "no forest"],
    )
    def test_other_teachers(self, teacher):
        """Without bags, or of a class that may answer otherwise."""
        adapted = as_teacher(lambda rows: rows[:, 0]) if hasattr(teacher, "steps") else as_teacher(teacher)
        assert find_out_of_bag(adapted, X, ALL) is None

    def test_labels_instead_of_probabilities(self):
        """Votes of few trees are no votes of all."""
        assert find_out_of_bag(as_teacher(self.FOREST, "predict"), X, ALL) is None
