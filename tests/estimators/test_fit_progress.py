"""A verbose fit has one bar, which moves from its beginning to its end."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from bars import be_in_a_terminal, stand_in_for_tqdm
from helpers import dataset
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill import AutoSampler, AutoStudent, DistilledClassifier, DistilledRegressor, _progress
from skdistill._progress import Progress, whole_closed
from skdistill.exceptions import TeacherQueryError
from skdistill.samplers import Jitter, LeafSwap
from skdistill.selection import Phases, _forecast
from skdistill.students import CompactMLPClassifier

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
FITTED = clone(TREE).fit(X, Y)
SMALL = AutoStudent(families=["linear", "tree"])
QUICK = {"sampler": Jitter(), "n_synthetic": 50, "random_state": 0}


@pytest.fixture
def tqdm(monkeypatch):
    """Be in a terminal with tqdm, in which each look at the clock takes three seconds."""
    terminal = be_in_a_terminal(monkeypatch)

    class Clock:
        now = itertools.count(0.0, 3.0)

        def perf_counter(self):
            return next(self.now)

    clock = Clock()
    monkeypatch.setattr(_progress, "time", clock)
    monkeypatch.setattr(_forecast, "perf_counter", clock.perf_counter)
    tqdm = stand_in_for_tqdm(monkeypatch)
    tqdm.terminal = terminal
    return tqdm


@pytest.mark.parametrize(
    "model",
    [
        DistilledClassifier(FITTED, TREE, verbose=1, **QUICK),
        DistilledClassifier(TREE, SMALL, n_synthetic=5.0, teacher_cv=2, random_state=0, verbose=1),
        DistilledRegressor(lambda rows: rows[:, 0], "linear", sampler=None, chunk_size=10, verbose=1),
        DistilledClassifier(FITTED, CompactMLPClassifier(8, verbose=1, max_epochs=3), verbose=1, **QUICK),
    ],
    ids=["given", "chosen", "real rows", "a student that reports, too"],
)
def test_a_fit_has_one_bar(tqdm, model):
    """Labelling, choosing and teaching move the same bar forwards, and the end of the fit fills it."""
    model.fit(X, Y if isinstance(model, DistilledClassifier) else None)
    (bar,) = tqdm.bars
    shares, texts = zip(*bar.states, strict=True)
    assert list(shares) == sorted(shares)
    assert shares[0] < 0.9
    assert max(shares[:-1]) < 1
    assert shares[-1] == 1
    assert any(text.startswith("about ") and "labels real rows: " in text for text in texts)
    assert any("fitting " in text for text in texts)
    assert texts[-1].startswith(f"{type(model).__name__} fitted in ")
    assert bar.is_closed


def test_a_phase_closes_its_progress(tqdm):
    """Trials that end early, because more of them cannot help, do not stay at one of three; also inside a phase."""
    with whole_closed():
        phases = Phases(SimpleNamespace(verbose=1), 1, X, Y)
        with phases.phase("outer") as outer, phases.phase("inner") as inner:
            for phase in (outer, inner):
                phase.progress("trying", 3, "students").update(1)
    texts = [text for _, text in tqdm.bars[0].states]
    assert sum("trying: ended after 1 of 3 students" in text for text in texts) == 2


def test_a_fit_that_fails_leaves_its_bar(tqdm):
    """Where it stopped; other work is no part of it, and has its own bar."""
    calls = itertools.count()

    def fails(rows):
        if next(calls) > 4:
            raise RuntimeError("no")
        return np.zeros(len(rows))

    model = DistilledRegressor(fails, "linear", sampler=None, chunk_size=10, verbose=1)
    with pytest.raises(TeacherQueryError):
        model.fit(X)
    with Progress("other work", 2, 1) as progress:
        progress.update(1)
    failed, other = tqdm.bars
    assert failed.is_closed
    assert failed.states[-1][0] < 1
    assert other.states[0][1].startswith("other work: 1 of 2 rows, ")


def test_a_silent_fit_has_no_bar(tqdm):
    """Nor looks at what could draw one."""
    DistilledClassifier(FITTED, TREE, **QUICK).fit(X, Y)
    assert tqdm.bars == []
    assert tqdm.terminal.getvalue() == ""


def test_a_silent_fit_within_a_verbose_one_stays_silent(tqdm):
    """The teacher may be distilled itself."""
    inner = DistilledClassifier(FITTED, TREE, **QUICK)
    DistilledClassifier(inner, TREE, verbose=1, **QUICK).fit(X, Y)
    (bar,) = tqdm.bars
    assert bar.states[-1][0] == 1
    assert sum("fitted in" in text for _, text in bar.states) == 1


FOREST = RandomForestClassifier(20, random_state=0)


CHOICES = {
    "default": {},
    "bytes": {"student": AutoStudent(families=["linear", "tree", "boosting"], max_bytes=5000), "sampler": LeafSwap()},
    "fidelity": {"student": AutoStudent(families=["linear", "tree"], min_fidelity=0.5), "sampler": LeafSwap()},
    "sampler": {"student": "tree", "sampler": AutoSampler([Jitter(), LeafSwap()], weights=(1.0, 2.0))},
    "soft_weight": {"student": "linear", "soft_weight": "auto"},
    "few families": {"student": SMALL},
    "weights of real rows": {"student": SMALL, "sampler": LeafSwap(), "n_synthetic": 4.0},
}
QUICK_CHOICES = {
    ("bytes", 150),
    ("fidelity", 150),
    ("sampler", 150),
    ("soft_weight", 150),
    ("few families", 150),
    ("weights of real rows", 2500),
}


@pytest.mark.parametrize(
    ("choice", "n_rows"),
    [
        pytest.param(choice, n_rows, marks=() if (choice, n_rows) in QUICK_CHOICES else pytest.mark.slow)
        for choice in CHOICES
        for n_rows in (150, 2500)
    ],
)
def test_no_more_is_done_than_announced(monkeypatch, choice, n_rows):
    """Students and rows are counted to the number that was announced, and not beyond."""
    beyond = []
    update = Progress.update

    def noted(self, done, work_done=None):
        if done > self.total or (work_done or 0) > self.work:
            beyond.append((self.title, done, self.total, work_done, self.work))
        update(self, done, work_done)

    monkeypatch.setattr(Progress, "update", noted)
    rng = np.random.default_rng(0)
    rows = X[rng.integers(0, len(X), n_rows)] + rng.normal(scale=0.3, size=(n_rows, X.shape[1]))
    forest = clone(FOREST).fit(rows[: n_rows // 2], FITTED.predict(rows)[: n_rows // 2])
    model = DistilledClassifier(forest, random_state=0).set_params(**CHOICES[choice])
    model.fit(rows[: n_rows // 2], FITTED.predict(rows)[: n_rows // 2], X_val=rows[n_rows // 2 :])
    assert beyond == []
