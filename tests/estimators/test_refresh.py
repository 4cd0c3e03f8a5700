"""A refresh follows the teacher where rows have moved, changes nothing else, and says what it has done."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, certify
from skdistill.estimators import _refreshing
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

RNG = np.random.default_rng(0)
OLD, NEW = RNG.normal(size=(300, 3)), RNG.normal([2, 0, 0], size=(400, 3))


def wave(rows):
    return np.sin(2 * rows[:, 0]) + rows[:, 1]


@pytest.mark.parametrize("student", ["boosting", "tree"])
def test_fidelity_on_new_rows_rises(student):
    """On rows that were not taught, and within the size that the student has."""
    model = DistilledRegressor(wave, student, sampler=None, random_state=0).fit(OLD)
    before = pickle.dumps(model)
    new = model.refresh(NEW)
    report = new.refresh_report_
    assert report.fidelity_before + 0.05 < report.fidelity_after
    assert report.fidelity_after == pytest.approx(new.fidelity(NEW), abs=0.15)
    assert set(report.tried) == {"shipped", "nothing"} | ({"student"} if student == "boosting" else set())
    assert (report.n_tested, report.n_taught) == (80, 256)
    assert report.bytes_after < 1.6 * report.bytes_before
    assert report.start != "shipped"
    assert report.n_trees_kept == ((30 if report.start == "student" else 0) if student == "boosting" else None)
    assert pickle.dumps(model) == before
    assert new.student == model.student


@pytest.mark.parametrize("student", ["linear", CompactBoostingRegressor(5, 8, random_state=0)])
def test_a_shipped_student_that_is_better_is_kept(student):
    """On rows that do not differ from those of many before: the same student, in an estimator that knows all rows."""
    many = np.random.default_rng(1).normal(size=(3000, 3))
    model = DistilledRegressor(wave, student, sampler=None, random_state=0).fit(many)
    before = pickle.dumps(model)
    new = model.refresh(OLD[:60])
    report = new.refresh_report_
    assert report.start == "shipped" == max(report.tried, key=report.tried.get)
    assert new.student_ is model.student_
    assert pickle.dumps(model) == before
    assert (report.fidelity_after, report.bytes_after) == (report.fidelity_before, report.bytes_before)
    assert report.agreement == 1
    assert report.n_trees_kept == (None if student == "linear" else 5)
    assert str(report).startswith("The shipped student is kept, because no new one is better")
    for rows in (many, OLD[:60]):
        assert new.seen_rows_.find(rows).all()


def test_boosting_keeps_the_first_half_of_its_trees():
    """Their splits, for each class; the other half is grown for the new rows, and the report says so."""
    classes = OLD[:, 0].round().clip(-1, 1)
    teacher = LogisticRegression().fit(OLD, classes)
    model = DistilledClassifier(teacher, CompactBoostingClassifier(7, 4), sampler=None, random_state=0).fit(OLD)
    new = _refreshing._fit_all(model, NEW, None)["student"].student_
    for output in range(3):
        before, after = (trees_of(student.scorer_, output) for student in (model.student_, new))
        assert all(tree in before for tree in after[:3])
        assert not all(tree in before for tree in after)
    report = model.refresh(NEW).refresh_report_
    assert report.n_trees_kept == (9 if report.start == "student" else 0)
    assert ("keeps 9 of its trees" in str(report)) == (report.start == "student")


def trees_of(forest, output):
    """Return the tests of each tree of an output, without those that were pruned."""
    starts = np.append(0, np.cumsum(forest.tree_splits))
    tests = list(zip(forest.feature.tolist(), forest.threshold.tolist(), strict=True))
    return [set(tests[starts[tree] : starts[tree + 1]]) for tree in np.flatnonzero(forest.tree_output == output)]


@pytest.mark.parametrize("where", ["estimator", "student"])
def test_constrained_students_are_fitted_afresh(where):
    """Trees for other rows need not keep the constraints together with new ones; the new student keeps them."""
    given = {"monotonic_cst": [0, 1, 0]}
    student = CompactBoostingRegressor(5, 8, **(given if where == "student" else {}))
    model = DistilledRegressor(wave, student, sampler=None, random_state=0, **(given if where == "estimator" else {}))
    new = model.fit(OLD).refresh(NEW)
    assert new.refresh_report_.start == "nothing"
    assert new.refresh_report_.n_trees_kept == 0
    line = np.column_stack([np.zeros(50), np.linspace(-2, 2, 50), np.zeros(50)])
    assert (np.diff(new.predict(line)) >= 0).all()


def test_arguments_that_do_not_fit_are_refused():
    """Before the teacher is queried: the share of rows to test on, and labels of other rows."""
    model = DistilledRegressor(wave, "linear", sampler=None, random_state=0).fit(OLD)
    with pytest.raises(TypeError, match="refresh: test_size='a'; expected a number above 0 and at most 1"):
        model.refresh(NEW, test_size="a")
    with pytest.raises(ValueError, match=r"test_size=50; expected a number above 0 and at most 1\. It is a share"):
        model.refresh(NEW, test_size=50)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.refresh(NEW, wave(NEW)[:10])


def test_student_that_goes_on_does_not_hold_the_shipped_one():
    """Whichever of both is kept: what is shipped refers to no earlier student."""
    model = DistilledRegressor(wave, "boosting", sampler=None, random_state=0).fit(OLD)
    fitted = _refreshing._fit_all(model, NEW, None)
    assert {start: twin.student_.init for start, twin in fitted.items()} == {"nothing": None, "student": None}


def test_classifier_with_a_recipe_keeps_its_fitted_teacher():
    """A teacher that was fitted in ``fit`` is queried, not fitted again, and the parameters are those before."""
    y = OLD[:, 0] > 0
    model = DistilledClassifier(LogisticRegression(), "boosting", sampler=None, random_state=0).fit(OLD, y)
    new = model.refresh(NEW)
    assert new.teacher_ is model.teacher_
    assert not hasattr(new.teacher, "coef_")
    assert 0 <= new.refresh_report_.agreement <= 1
    assert "fidelity" in str(new.refresh_report_)


def test_rows_of_all_fits_are_refused():
    """A certificate rests neither on old rows nor on new ones."""
    model = DistilledRegressor(wave, "tree", sampler=None, random_state=0).fit(OLD)
    new = model.refresh(NEW)
    for rows in (OLD, NEW):
        with pytest.raises(ValueError, match=f"{len(rows)} of the {len(rows)} rows"):
            certify(new, rows, tolerance=0.5)


def test_a_failed_refresh_changes_nothing():
    """A teacher that fails, and too few rows."""
    is_down = []

    def service(rows):
        if is_down:
            raise ConnectionError("down")
        return wave(rows)

    model = DistilledRegressor(as_teacher(service), "tree", sampler=None, random_state=0).fit(OLD)
    with pytest.raises(ValueError, match="got 49 rows"):
        model.refresh(NEW[:49])
    state = dict(vars(model))
    is_down.append(True)
    with pytest.raises(Exception, match="down"):
        model.refresh(NEW)
    assert vars(model) == state
