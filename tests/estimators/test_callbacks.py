"""scikit-learn's callbacks are told each phase of a fit."""

import pickle

import numpy as np
import pytest
import sklearn
from helpers import dataset
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.fixes import parse_version

from skdistill import AutoStudent, DistilledClassifier
from skdistill.exceptions import TeacherQueryError
from skdistill.samplers import Jitter

HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
FITTED = clone(TREE).fit(X, Y)
SMALL = AutoStudent(families=["linear", "tree"])
POOL, JUDGES = X[:40] * 1.01, X[:35] * 0.99


def quick(teacher=FITTED):
    return DistilledClassifier(teacher, TREE, sampler=Jitter(), n_synthetic=50, random_state=0)


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has no callbacks before 1.9")
class TestCallbacks:
    """scikit-learn's callbacks are told each phase."""

    class Listener:
        """Notes begin and end of tasks; ``tasks`` is of the class, as callbacks may be copied."""

        max_propagation_depth = None

        def __init__(self):
            self.tasks = []

        def setup(self, estimator, context):
            self.tasks.append("setup")

        def teardown(self, estimator, context):
            self.tasks.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            if type(estimator) is DistilledClassifier and context.task_name != "step":
                self.tasks.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context):
            if type(estimator) is DistilledClassifier and context.task_name != "step":
                self.tasks.append(f"end {context.task_name}")

    PHASES = ("label real rows", "draw rows", "fit the student")

    def test_without_callbacks_nothing_experimental_is_called(self, monkeypatch):
        """A later scikit-learn may change it, and fits without callbacks go on."""
        monkeypatch.setattr(DistilledClassifier, "_init_callback_context", None)
        assert quick().fit(X, Y).score(X, FITTED.predict(X)) > 0.9

    def test_phases_are_subtasks(self):
        """In order, each closed before the next, and closed down in the end."""
        listener = self.Listener()
        quick().set_callbacks(listener).fit(X, Y)
        phases = [f"{moment} {name}" for name in self.PHASES for moment in ("begin", "end")]
        assert listener.tasks == ["setup", "begin fit", *phases, "end fit", "teardown"]

    @pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
    def test_every_phase_there_may_be_fits_in(self):
        """Recipe, folds, more rows, all choices: no more than was announced."""
        listener = self.Listener()
        model = DistilledClassifier(TREE, SMALL, teacher_cv=KFold(3, shuffle=True), n_synthetic=3.0, random_state=0)
        model.set_params(soft_weight="auto").set_callbacks(listener).fit(X, Y, X_unlabeled=POOL, X_val=JUDGES)
        assert len([task for task in listener.tasks if task.startswith("begin")]) == 1 + 9
        assert listener.tasks.count("teardown") == 1

    def test_within_search_and_pipeline(self):
        """They are propagated to our fits."""
        listener = self.Listener()
        pipe = make_pipeline(StandardScaler(), quick())
        GridSearchCV(pipe, {"distilledclassifier__n_synthetic": [10, 20]}, cv=2).set_callbacks(listener).fit(X, Y)
        assert listener.tasks.count("begin fit the student") == 5

    def test_failing_fits_close_them(self):
        """And the next fit starts anew."""

        def refuses(rows):
            raise RuntimeError("no")

        listener = self.Listener()
        model = quick(teacher=refuses).set_callbacks(listener)
        with pytest.raises(TeacherQueryError, match="refuses raised RuntimeError"):
            model.fit(X, Y)
        assert listener.tasks[-1] == "teardown"
        assert not hasattr(model, "_callback_fit_ctx")
        model.set_params(teacher=FITTED).fit(X, Y)
        assert listener.tasks.count("teardown") == 2

    def test_progress_bar(self, capfd):
        """scikit-learn's own bars name the phases; models with them are cloned and pickled."""
        pytest.importorskip("rich")
        from sklearn.callback import ProgressBar

        model = quick().set_callbacks(ProgressBar()).fit(X, Y)
        shown = capfd.readouterr().out
        assert all(name in shown for name in self.PHASES)
        again = pickle.loads(pickle.dumps(model))
        assert np.array_equal(again.predict(X), model.predict(X))
        clone(model).fit(X, Y)
