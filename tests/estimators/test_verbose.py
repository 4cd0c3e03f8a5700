"""``verbose`` announces every long phase of a fit on standard error."""

from helpers import dataset
from sklearn.tree import DecisionTreeClassifier

from skdistill import AutoStudent, DistilledClassifier, _progress
from skdistill.samplers import Jitter

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
SMALL = AutoStudent(families=["linear", "tree"])
POOL = X[:40] * 1.01


def test_every_phase_is_told_in_order(capsys, monkeypatch):
    """Recipe, labelling, choosing a sampler, drawing, choosing a student, teaching it."""
    monkeypatch.setattr(_progress, "QUIET_SECONDS", 0.0)
    DistilledClassifier(TREE, SMALL, n_synthetic=5.0, random_state=0, verbose=1).fit(X, Y, X_unlabeled=POOL)
    captured = capsys.readouterr()
    assert captured.out == ""
    shown = captured.err
    told = [
        "fitting the teacher DecisionTreeClassifier on 150 rows",
        "labels real rows: 150 of 150 rows",
        "labels unlabelled rows: 40 of 40 rows",
        "drawing ",
        "labels synthetic rows",
        "choosing a sampler: ",
        "choosing a student: ",
        "fitting the student (",
    ]
    place = 0
    for text in told:
        place = shown.index(text, place)
    assert all(line.startswith("[skdistill] ") for line in shown.splitlines())


def test_one_sampler_and_one_student_are_told(capsys):
    """What is not chosen is drawn and taught; folds are told, too."""
    options = {"sampler": Jitter(), "n_synthetic": 50, "teacher_cv": 2, "random_state": 0}
    DistilledClassifier(TREE, TREE, verbose=1, **options).fit(X, Y)
    shown = capsys.readouterr().err
    for text in ("fitting a teacher for each fold", "drawing 50 rows with Jitter()", "fitting DecisionTreeCl"):
        assert text in shown


def test_silence(capsys):
    """Nothing is written unless asked for."""
    DistilledClassifier(TREE, SMALL, n_synthetic=2.0, random_state=0).fit(X, Y)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
